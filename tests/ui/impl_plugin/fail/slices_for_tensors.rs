use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn slices(x: &[f32], factor: f32, y: &mut [f32]) -> Result<()> {
    y.iter_mut().zip(x).for_each(|(y, x)| *y = x * factor);
    Ok(())
}

#[impl_plugin("test::scale", device = cuda)]
fn written_to(x: TensorMut, factor: f32, [_y]: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

fn main() {}
