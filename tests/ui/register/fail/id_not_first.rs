use plugin_runtime::prelude::*;

#[register(id = "test::negate")]
fn negate(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin(device = cpu, "test::negate")]
fn negate_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

#[register(version = 2, "test::scale")]
fn scale(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
