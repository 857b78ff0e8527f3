//! How many blocks and threads a kernel is launched with.

use super::gpu::CudaProperties;
use crate::error::{Error, Result};

/// How a kernel is launched: blocks of the grid, threads of a block, and dynamic shared memory of a block in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaunchConfig {
    /// Blocks in x, y and z. Where one is 0, a launch does nothing.
    pub grid: [u32; 3],
    /// Threads of a block in x, y and z.
    pub block: [u32; 3],
    /// Dynamic shared memory of a block, in bytes.
    pub shared_bytes: u32,
    /// Whether its blocks may start while those of the kernel before it in the stream still end, as of
    /// [`LaunchConfig::dependent`].
    pub dependent: bool,
}

impl Default for LaunchConfig {
    /// One block of one thread.
    #[inline]
    fn default() -> Self {
        LaunchConfig { grid: [1; 3], block: [1; 3], shared_bytes: 0, dependent: false }
    }
}

impl LaunchConfig {
    /// One thread per element of `n`, in blocks of `block` threads in x.
    ///
    /// # Errors
    /// When `block` is 0, or that takes more than 2^31 - 1 blocks.
    #[inline]
    pub fn for_elements(n: usize, block: u32) -> Result<LaunchConfig> {
        let blocks = n.checked_div(block as usize).map(|_| n.div_ceil(block as usize));
        match blocks.and_then(|blocks| u32::try_from(blocks).ok()).filter(|&blocks| blocks <= i32::MAX as u32) {
            Some(blocks) => Ok(LaunchConfig { grid: [blocks, 1, 1], block: [block, 1, 1], ..LaunchConfig::default() }),
            None => Err(too_many_elements(n, block)),
        }
    }

    /// `blocks` blocks in x, of `threads` threads in x.
    ///
    /// # Errors
    /// When there are more than 2^31 - 1 blocks.
    #[inline]
    pub fn blocks(blocks: usize, threads: u32) -> Result<LaunchConfig> {
        match u32::try_from(blocks).ok().filter(|&blocks| blocks <= i32::MAX as u32) {
            Some(blocks) => {
                Ok(LaunchConfig { grid: [blocks, 1, 1], block: [threads, 1, 1], ..LaunchConfig::default() })
            }
            None => Err(too_many_blocks(blocks)),
        }
    }

    /// The same with so many bytes of dynamic shared memory a block.
    #[must_use]
    pub const fn shared(mut self, bytes: u32) -> LaunchConfig {
        self.shared_bytes = bytes;
        self
    }

    /// The same as a programmatic dependent launch: blocks may start while those of the kernel before it in the stream still end,
    /// which hides what a launch takes. The kernel calls `grid_dependency_synchronize()` of `plugin_runtime.cuh` before it
    /// reads what that kernel wrote, or writes anything; what it finds out without, it finds out before. On a GPU below
    /// compute capability 9.0, and with a driver before CUDA 12.3, it is launched as usual.
    ///
    /// ```
    /// use plugin_runtime::prelude::*;
    ///
    /// assert!(LaunchConfig::blocks(16, 256)?.dependent().dependent);
    /// # Ok::<(), plugin_runtime::Error>(())
    /// ```
    #[must_use]
    pub const fn dependent(mut self) -> LaunchConfig {
        self.dependent = true;
        self
    }

    /// Whether the grid has no blocks, so that nothing runs.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.grid.contains(&0)
    }

    #[inline]
    pub(super) fn threads(&self) -> u64 {
        self.block.iter().map(|&n| u64::from(n)).product()
    }

    /// The first dimension that is beyond the limits of the device or the kernel, in words.
    #[cold]
    pub(super) fn beyond_limits(&self, device: &CudaProperties, kernel_threads: u32) -> Option<String> {
        for (axis, (&blocks, &most)) in ["x", "y", "z"].iter().zip(self.grid.iter().zip(&device.max_grid)) {
            if blocks > most {
                return Some(format!("{blocks} blocks in {axis}, and {} allows {most}", device.name));
            }
        }
        for (axis, (&threads, &most)) in ["x", "y", "z"].iter().zip(self.block.iter().zip(&device.max_block)) {
            if threads == 0 || threads > most {
                return Some(format!("blocks of {threads} threads in {axis}, and {} allows 1 to {most}", device.name));
            }
        }
        let threads = self.threads();
        if threads > u64::from(device.max_threads_per_block) {
            return Some(format!(
                "blocks of {threads} threads, and {} allows {}",
                device.name, device.max_threads_per_block
            ));
        }
        if threads > u64::from(kernel_threads) {
            return Some(format!("blocks of {threads} threads, and it was compiled for {kernel_threads} at most"));
        }
        if self.shared_bytes > device.shared_bytes_per_block_optin {
            return Some(format!(
                "{} bytes of shared memory per block, and {} has {}",
                self.shared_bytes, device.name, device.shared_bytes_per_block_optin
            ));
        }
        None
    }
}

#[cold]
fn too_many_elements(n: usize, block: u32) -> Error {
    Error::plugin(format_args!(
        "{n} elements can't be given a thread each in blocks of {block}: a grid has at most {} blocks",
        i32::MAX
    ))
}

#[cold]
fn too_many_blocks(blocks: usize) -> Error {
    Error::plugin(format_args!("{blocks} blocks: a grid has at most {} in x", i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::LaunchConfig;

    #[test]
    fn blocks_are_as_many_as_asked_for() {
        let launch = LaunchConfig::blocks(7, 128).unwrap().shared(64);
        assert_eq!(launch, LaunchConfig { grid: [7, 1, 1], block: [128, 1, 1], shared_bytes: 64, dependent: false });
        assert!(LaunchConfig::blocks(0, 128).unwrap().is_empty());
        let error = LaunchConfig::blocks(1 << 31, 1).unwrap_err().to_string();
        assert_eq!(error, "2147483648 blocks: a grid has at most 2147483647 in x");
    }
}
