//! The kernels of non_zero. Each file is compiled when a kernel of it is first launched, so a file holds what is used together.

use plugin_runtime::prelude::*;

use super::cuda::Matrix;

kernels! {
    source SMALL = "small.cu", headers ["matrix.cuh"];
    /// For matrices of few elements; a block has 1024 of them.
    pub(super) fn non_zero_small_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<i32>, count: DeviceSliceMut<i64>, matrix: Matrix);
    /// As [`non_zero_small_f32`].
    pub(super) fn non_zero_small_f16(x: DeviceSlice<f16>, out: DeviceSliceMut<i32>, count: DeviceSliceMut<i64>, matrix: Matrix);
}

kernels! {
    source SCAN = "scan.cu", headers ["matrix.cuh", "tiles.cuh", "words.cuh"];
    /// Sets all states to 0.
    pub(super) fn non_zero_clear(states: DeviceSliceMut<i64>, n: u64);
    /// A block a tile. `states` holds one more than there are tiles, all 0 before.
    pub(super) fn non_zero_scan_f32(
        x: DeviceSlice<f32>, out: DeviceSliceMut<i32>, count: DeviceSliceMut<i64>, states: DeviceSliceMut<i64>, matrix: Matrix,
    );
    /// As [`non_zero_scan_f32`].
    pub(super) fn non_zero_scan_f16(
        x: DeviceSlice<f16>, out: DeviceSliceMut<i32>, count: DeviceSliceMut<i64>, states: DeviceSliceMut<i64>, matrix: Matrix,
    );
}

kernels! {
    source MARK = "mark.cu", headers ["matrix.cuh", "words.cuh"];
    /// A block a range of tiles: sets one bit an element, and counts.
    pub(super) fn non_zero_mark_f32(
        x: DeviceSlice<f32>, words: DeviceSliceMut<i32>, tile_counts: DeviceSliceMut<i32>, range_counts: DeviceSliceMut<i32>,
        tiles: u32, tiles_per_range: u32, matrix: Matrix,
    );
    /// As [`non_zero_mark_f32`].
    pub(super) fn non_zero_mark_f16(
        x: DeviceSlice<f16>, words: DeviceSliceMut<i32>, tile_counts: DeviceSliceMut<i32>, range_counts: DeviceSliceMut<i32>,
        tiles: u32, tiles_per_range: u32, matrix: Matrix,
    );
}

kernels! {
    source WRITE = "write.cu", headers ["matrix.cuh", "tiles.cuh"];
    /// A block a tile: writes from the bits.
    pub(super) fn non_zero_write(
        words: DeviceSlice<i32>, tile_counts: DeviceSlice<i32>, range_counts: DeviceSlice<i32>,
        out: DeviceSliceMut<i32>, count: DeviceSliceMut<i64>, tiles_per_range: u32, matrix: Matrix,
    );
    /// A block a group of 8 tiles: writes from the bits.
    pub(super) fn non_zero_write_groups(
        words: DeviceSlice<i32>, tile_counts: DeviceSlice<i32>, range_counts: DeviceSlice<i32>,
        out: DeviceSliceMut<i32>, count: DeviceSliceMut<i64>, tiles: u32, tiles_per_range: u32, matrix: Matrix,
    );
}
