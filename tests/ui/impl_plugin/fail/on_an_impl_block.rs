use plugin_runtime::prelude::*;

struct Scale;

#[impl_plugin("test::scale", device = cpu)]
impl Scale {
    fn run(x: Tensor, outputs: [TensorMut; 1]) {}
}

fn main() {}
