//! A second library of plugins in one session.

use plugin_runtime::prelude::*;

/// Every element times -1.
#[register("second::negate")]
pub fn negate(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("second::negate", device = cpu)]
fn negate_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).for_each(|(y, x)| *y = -x);
    Ok(())
}
