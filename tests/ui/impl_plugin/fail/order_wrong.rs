use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn outputs_first(outputs: [TensorMut; 1], x: Tensor, factor: f32) -> Result<()> {
    Ok(())
}

#[impl_plugin("test::scale", device = cuda)]
fn stream_first(stream: &Stream, x: Tensor, factor: f32, [_y]: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

fn main() {}
