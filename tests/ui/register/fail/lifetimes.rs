use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale<'a>(x: &'a TensorDesc, mode: &'a str) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::negate", device = cpu)]
fn negate_cpu<'a>(x: Tensor<'a>, [y]: [TensorMut<'a>; 1]) -> Result<()> {
    y.into_slice::<f32>()?.copy_from_slice(x.as_slice()?);
    Ok(())
}

fn main() {}
