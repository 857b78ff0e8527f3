use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn borrowed(x: Tensor, factor: f32, [y]: &mut [TensorMut; 1]) -> Result<()> {
    y.into_slice::<f32>()?.fill(factor);
    Ok(())
}

#[impl_plugin("test::scale", device = cuda)]
fn tuple(x: Tensor, factor: f32, (y,): (TensorMut,)) -> Result<()> {
    y.into_slice::<f32>()?.fill(factor);
    Ok(())
}

fn main() {}
