use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn scale_anywhere(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

/// A copy with another device has to be renamed.
#[impl_plugin("test::scale", device = cuda)]
fn scale_anywhere(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

fn main() {}
