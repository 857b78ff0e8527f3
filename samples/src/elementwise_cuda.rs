//! Additions to each element on a GPU.

use plugin_runtime::prelude::*;

kernels! {
    /// The kernels, those for engines to hold too.
    pub(crate) source ELEMENTWISE = "elementwise.cu";
    /// out[i] = x[i] + delta, for as many as `n` or, unless it is 0, the `rank` numbers at `extents` say.
    fn add_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64, extents: u64, rank: u32, delta: f32);
    /// As [`add_f32`], rounded once.
    fn add_f16(x: DeviceSlice<f16>, out: DeviceSliceMut<f16>, n: u64, extents: u64, rank: u32, delta: f32);
    /// As [`add_f32`], where the elements are.
    fn inplace_add_f32(x: DeviceSliceMut<f32>, n: u64, extents: u64, rank: u32, delta: f32);
    /// As [`add_f16`], where the elements are.
    fn inplace_add_f16(x: DeviceSliceMut<f16>, n: u64, extents: u64, rank: u32, delta: f32);
}

/// Bytes that a thread reads at once.
const VECTOR_BYTES: usize = 16;

/// Sets each of `out` to the sum of `delta` and the element of `x` in its place, in blocks of `block` threads.
///
/// # Errors
/// When they aren't equally many, or a block can't have so many threads.
pub(crate) fn add(stream: &Stream, x: Tensor, out: TensorMut, delta: f32, block: u32) -> Result<()> {
    if x.numel() != out.numel() {
        bail!("the input has {} elements, the output {}", x.numel(), out.numel());
    }
    let (n, rank) = (x.numel() as u64, x.rank() as u32);
    let extents = x.device_shape().map_or(0, |extents| extents.address());
    match x.dtype() {
        DataType::Float16 => {
            let launch = launch::<f16>(x.numel(), block)?;
            add_f16(stream, launch, x.device_slice()?, out.into_device_slice()?, n, extents, rank, delta)
        }
        _ => {
            let launch = launch::<f32>(x.numel(), block)?;
            add_f32(stream, launch, x.device_slice()?, out.into_device_slice()?, n, extents, rank, delta)
        }
    }
}

/// Adds `delta` to each of `values`, in blocks of `block` threads.
///
/// # Errors
/// When a block can't have so many threads.
pub(crate) fn update(stream: &Stream, values: TensorMut, delta: f32, block: u32) -> Result<()> {
    let (n, rank) = (values.numel() as u64, values.rank() as u32);
    let extents = values.device_shape().map_or(0, |extents| extents.address());
    match values.dtype() {
        DataType::Float16 => {
            let launch = launch::<f16>(values.numel(), block)?;
            inplace_add_f16(stream, launch, values.into_device_slice()?, n, extents, rank, delta)
        }
        _ => {
            let launch = launch::<f32>(values.numel(), block)?;
            inplace_add_f32(stream, launch, values.into_device_slice()?, n, extents, rank, delta)
        }
    }
}

/// A thread for each 16 bytes, as far as a grid goes; what is left the threads do afterwards.
fn launch<T: Element>(n: usize, block: u32) -> Result<LaunchConfig> {
    const MOST: usize = i32::MAX as usize;
    let vectors = n.div_ceil(VECTOR_BYTES / size_of::<T>());
    LaunchConfig::for_elements(vectors.min(MOST.saturating_mul(block as usize)), block)
}

#[cfg(test)]
mod tests {
    use super::launch;
    use plugin_runtime::prelude::*;

    #[test]
    fn every_element_has_a_thread_at_some_time() {
        let blocks = |n, block| launch::<f32>(n, block).unwrap().grid[0];
        assert_eq!([0, 1, 4, 5, 1024, 1025].map(|n| blocks(n, 256)), [0, 1, 1, 1, 1, 2]);
        assert_eq!([4, 5, 13].map(|n| blocks(n, 3)), [1, 1, 2]);
        assert_eq!(launch::<f16>(1 << 30, 128).unwrap().grid, [1 << 20, 1, 1]);
        assert_eq!(blocks(1 << 40, 1), i32::MAX as u32, "the threads go around");
        assert_eq!(blocks(usize::MAX, 1024), i32::MAX as u32);
    }
}
