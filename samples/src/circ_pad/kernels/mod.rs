//! The kernels of circular padding. Each file is compiled when a kernel of it is first launched, so a file holds what is used
//! together. Their names tell the bytes of an element, and the bits of indices.

use plugin_runtime::prelude::*;

use super::parameters::{NarrowPlan, Pads, WidePlan};

kernels! {
    source ELEMENTS = "elements.cu", headers ["plan.cuh"];
    /// One element per thread at a time.
    pub(super) fn circ_pad_elements_4x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// As [`circ_pad_elements_4x32`].
    pub(super) fn circ_pad_elements_2x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// As [`circ_pad_elements_4x32`].
    pub(super) fn circ_pad_elements_4x64(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// As [`circ_pad_elements_4x32`].
    pub(super) fn circ_pad_elements_2x64(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
}

kernels! {
    source ROWS = "rows.cu", headers ["plan.cuh"];
    /// One warp per row.
    pub(super) fn circ_pad_rows_4x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// As [`circ_pad_rows_4x32`].
    pub(super) fn circ_pad_rows_2x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// As [`circ_pad_rows_4x32`].
    pub(super) fn circ_pad_rows_4x64(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// As [`circ_pad_rows_4x32`].
    pub(super) fn circ_pad_rows_2x64(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
}

kernels! {
    source VECTORS_4 = "vectors.cu", headers ["funnel.cuh", "plan.cuh"], options ["-DELEMENT_BYTES=4"];
    /// 16 threads per row.
    pub(super) fn circ_pad_vectors_4x32_16(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per row.
    pub(super) fn circ_pad_vectors_4x32_32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per long row.
    pub(super) fn circ_pad_vectors_4x32_long(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
}

kernels! {
    source VECTORS_2 = "vectors.cu", headers ["funnel.cuh", "plan.cuh"], options ["-DELEMENT_BYTES=2"];
    /// 16 threads per row.
    pub(super) fn circ_pad_vectors_2x32_16(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per row.
    pub(super) fn circ_pad_vectors_2x32_32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per long row.
    pub(super) fn circ_pad_vectors_2x32_long(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
}

kernels! {
    source WIDE_VECTORS = "vectors.cu", headers ["funnel.cuh", "plan.cuh"];
    /// One warp per row.
    pub(super) fn circ_pad_vectors_4x64_long(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// As [`circ_pad_vectors_4x64_long`].
    pub(super) fn circ_pad_vectors_2x64_long(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
}

kernels! {
    source TILES = "tiles.cu", headers ["plan.cuh"];
    /// A tile of whole rows per block.
    pub(super) fn circ_pad_tiles_4x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// As [`circ_pad_tiles_4x32`].
    pub(super) fn circ_pad_tiles_2x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
}

kernels! {
    source STREAM = "stream.cu", headers ["funnel.cuh", "plan.cuh"];
    /// Two vectors of the output per thread.
    pub(super) fn circ_pad_stream_4x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// As [`circ_pad_stream_4x32`].
    pub(super) fn circ_pad_stream_2x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
}

kernels! {
    source SETTLED = "settled.cu", headers ["plan.cuh"];
    /// One element of 4 bytes per thread at a time, where only the device knows the extents.
    pub(super) fn circ_pad_settled_4(
        x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, elements: u64, extents: DeviceSlice<i64>, pads: Pads,
    );
    /// As [`circ_pad_settled_4`], of 2 bytes.
    pub(super) fn circ_pad_settled_2(
        x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, elements: u64, extents: DeviceSlice<i64>, pads: Pads,
    );
}

kernels! {
    /// The kernels for engines to hold.
    pub(super) source AOT = "aot.cu", headers ["plan.cuh"];
}
