use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::multiply", device = cpu)]
fn scale_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

fn main() {}
