use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = "cpu")]
fn text(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

#[impl_plugin("test::scale", cuda)]
fn alone(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

#[impl_plugin("test::scale", device = Device::cpu())]
fn value(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

#[impl_plugin("test::scale", devices = [cpu, cuda])]
fn list(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

#[impl_plugin("test::scale", device = cpu | cuda)]
fn choice(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

fn main() {}
