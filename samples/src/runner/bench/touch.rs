//! The least that a plugin can do, to time what running a plugin costs besides.

use plugin_runtime::prelude::*;

/// Adds 1 to a few elements: for the benchmark of chained plugins.
#[register("bench::touch")]
pub(super) fn touch(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("bench::touch", device = cpu)]
fn touch_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    for (y, x) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?) {
        *y = x + 1.0;
    }
    Ok(())
}
