#![allow(unused_variables)]

use plugin_runtime::prelude::*;

mod ops {
    use plugin_runtime::prelude::*;

    #[register("test::scale")]
    fn scale(x: &TensorDesc) -> TensorDesc {
        x.like()
    }
}

#[impl_plugin("test::scale", device = cpu, plugin = ops::scale)]
fn scale_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

fn main() {}
