//! Vector instructions that not every processor has, for safe code.

#[cfg(target_arch = "x86_64")]
use super::features::has_avx2;
use super::lines::LINE;

/// Runs `work`, compiled for AVX2, F16C, BMI and POPCNT where this processor has them.
///
/// The compiler then vectorises the loops of `work` for 32 bytes at a time instead of the 16 that every x86-64
/// processor has. What `work` calls must be inlined into it to take part. On other processors it just runs `work`.
#[inline]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        #[expect(unsafe_code, reason = "the compiler doesn't know which processor this is")]
        // SAFETY: the processor has what the function is compiled for, as was just asked.
        return unsafe { with_avx2(work) };
    }
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c,bmi1,bmi2,popcnt")]
fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// One bit for each flag, the lowest for the first. Flags are 0 or 255.
#[inline(always)]
pub fn bits_of_flags(flags: &[u8; 64]) -> u64 {
    let (parts, _) = flags.as_chunks::<16>();
    parts.iter().rev().fold(0, |bits, part| bits << 16 | u64::from(bits_of_16_flags(*part)))
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "the instruction exists as an intrinsic only")]
fn bits_of_16_flags(flags: [u8; 16]) -> u16 {
    // SAFETY: every x86-64 processor has the instruction.
    (unsafe { std::arch::x86_64::_mm_movemask_epi8(bytemuck::cast(flags)) }) as u16
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn bits_of_16_flags(flags: [u8; 16]) -> u16 {
    flags.iter().rev().fold(0, |bits, flag| bits << 1 | u16::from(flag >> 7))
}

/// Asks for `values` to be fetched into the caches. Nothing waits for it, and nothing but time depends on it.
#[inline(always)]
pub fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..size_of_val(values).div_ceil(LINE) {
        let address = values.as_ptr().cast::<i8>().wrapping_add(line * LINE);
        #[expect(unsafe_code, reason = "the instruction exists as an intrinsic on pointers only")]
        // SAFETY: every x86-64 processor has the instruction, and it may be given any address.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(address);
        }
    }
}
