//! A matrix several times, below itself.
use plugin_runtime::prelude::*;

kernels! {
    source TILE = "tile_rows.cu";
    fn tile<T in [f32, f16, bf16]>(x: DeviceSlice<T>, len: i64 = x.len(), y: DeviceSliceMut<T>, n: i64 = y.len());
}

#[register("authors::tile_rows")]
pub fn tile_rows(x: &TensorDesc, times: i64) -> TensorDesc {
    TensorDesc::from_shape_expr((x.shape_expr(0) * times, x.shape_expr(1)), x.dtype())
}

#[impl_plugin("authors::tile_rows", device = cpu)]
fn tile_rows_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let x = x.bytes()?;
    y.into_bytes().map(|y| y.chunks_exact_mut(x.len().max(1)).for_each(|y| y.copy_from_slice(x)))
}

#[impl_plugin("authors::tile_rows", device = cuda)]
fn tile_rows_cuda(x: Tensor, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    tile(stream, LaunchConfig::for_elements(y.numel(), 256)?, x, y)
}
