//! What the kernels' tests share.

use plugin_runtime::prelude::*;

/// Lengths around what kernels treat differently: nothing, part of a batch, whole ones, several.
pub(crate) const LENGTHS: [usize; 10] = [0, 1, 7, 8, 9, 255, 256, 257, 1000, 5000];

/// A small pseudo-random generator (xorshift).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 0 to `end - 1`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    /// Half of them 0 or -0; some NaN, infinite, tiny or huge.
    pub(crate) fn float(&mut self) -> f32 {
        match self.below(64) {
            0..24 => 0.0,
            24..32 => -0.0,
            32 => f32::NAN,
            33 => f32::INFINITY,
            34 => f32::NEG_INFINITY,
            35 => 6e-8,
            36 => -70000.0,
            _ => self.below(4001) as f32 / 8.0 - 250.0,
        }
    }
}

/// Runs `write` on a copy of `content` and returns what it becomes. What lies before and behind it must not change.
pub(crate) fn guarded<T: Element>(content: &[T], write: impl FnOnce(&mut [T])) -> Vec<T> {
    const GUARD: usize = 48;
    let guard = vec![0xa5; GUARD * size_of::<T>()];
    let mut buffer = vec![T::zeroed(); GUARD + content.len() + GUARD];
    let (before, rest) = buffer.split_at_mut(GUARD);
    let (inside, behind) = rest.split_at_mut(content.len());
    bytemuck::cast_slice_mut::<T, u8>(before).copy_from_slice(&guard);
    bytemuck::cast_slice_mut::<T, u8>(behind).copy_from_slice(&guard);
    inside.copy_from_slice(content);
    write(inside);
    assert_eq!(bytemuck::cast_slice::<T, u8>(before), guard, "written before the start");
    assert_eq!(bytemuck::cast_slice::<T, u8>(behind), guard, "written behind the end");
    inside.to_vec()
}
