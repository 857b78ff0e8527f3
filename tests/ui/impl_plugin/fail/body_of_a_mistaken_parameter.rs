use plugin_runtime::prelude::*;

#[register("test::negate")]
fn negate(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::negate", device = cpu)]
fn outputs_as_tensors(x: Tensor, [y]: [Tensor; 1]) -> Result<()> {
    for (y, x) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?) {
        *y = -x;
    }
    Ok(())
}

#[impl_plugin("test::negate", device = cpu)]
fn inputs_as_descs(x: &TensorDesc, y: TensorMut) -> Result<()> {
    for (y, x) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?) {
        *y = -x;
    }
    Ok(())
}

fn main() {}
