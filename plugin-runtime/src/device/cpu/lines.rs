//! Stores of whole cache lines past the caches.

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;

/// Copies `from` over `to`, which is as long. [`wait_for_stores`] has to be called before anyone looks at `to`.
pub(super) fn copy_past_caches(from: &[u8], to: &mut [u8]) {
    let head = to.as_ptr().align_offset(LINE).min(to.len());
    let ((from_head, from), (to_head, to)) = (from.split_at(head), to.split_at_mut(head));
    let (from_lines, from_tail) = from.as_chunks();
    let (to_lines, to_tail) = to.as_chunks_mut();
    to_head.copy_from_slice(from_head);
    arch::store_lines(from_lines, to_lines);
    to_tail.copy_from_slice(from_tail);
}

pub(super) use arch::wait_for_stores;

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "stores past the caches exist as intrinsics on pointers only")]
mod arch {
    use std::arch::x86_64::{__m128i, __m256i, _mm_sfence, _mm_stream_si128, _mm256_stream_si256};

    use super::super::features::has_avx2;
    use super::LINE;

    /// Copies as many lines as there are in both. Those of `to` are aligned.
    pub(in super::super) fn store_lines(from: &[[u8; LINE]], to: &mut [[u8; LINE]]) {
        debug_assert!(to.is_empty() || to.as_ptr().addr().is_multiple_of(LINE));
        if has_avx2() {
            // SAFETY: the processor has the instructions, as was just asked.
            unsafe { store_lines_by_32(from, to) };
            return;
        }
        for (from, to) in from.iter().zip(to) {
            let parts: [__m128i; LINE / 16] = bytemuck::cast(*from);
            for (part, to) in parts.into_iter().zip(to.as_chunks_mut::<16>().0) {
                // SAFETY: `to` has the 16 bytes and their alignment, because lines are aligned. It is borrowed, so
                // nobody else reads or writes it before the fence.
                unsafe { _mm_stream_si128(to.as_mut_ptr().cast(), part) };
            }
        }
    }

    #[target_feature(enable = "avx2")]
    fn store_lines_by_32(from: &[[u8; LINE]], to: &mut [[u8; LINE]]) {
        for (from, to) in from.iter().zip(to) {
            let parts: [__m256i; LINE / 32] = bytemuck::cast(*from);
            for (part, to) in parts.into_iter().zip(to.as_chunks_mut::<32>().0) {
                // SAFETY: as above, with 32 bytes.
                unsafe { _mm256_stream_si256(to.as_mut_ptr().cast(), part) };
            }
        }
    }

    /// Waits until this thread's stores past the caches can be seen by others.
    pub(in super::super) fn wait_for_stores() {
        // SAFETY: every x86-64 processor has the fence.
        unsafe { _mm_sfence() };
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod arch {
    use super::LINE;

    pub(in super::super) fn store_lines(from: &[[u8; LINE]], to: &mut [[u8; LINE]]) {
        from.iter().zip(to).for_each(|(from, to)| *to = *from);
    }

    pub(in super::super) fn wait_for_stores() {}
}
