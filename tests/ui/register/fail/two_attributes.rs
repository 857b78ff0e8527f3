use plugin_runtime::prelude::*;

#[register("test::negate")]
#[register("test::minus")]
fn negate(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::negate", device = cpu)]
#[impl_plugin("test::negate", device = cuda)]
fn negate_anywhere(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

fn main() {}
