#![allow(unused_variables)]

use plugin_runtime::prelude::*;

pub mod ops {
    use plugin_runtime::prelude::*;

    #[register("test::scale")]
    pub fn scale(x: &TensorDesc) -> TensorDesc {
        x.like()
    }
}

#[impl_plugin("test::scale", device = cpu)]
fn scale_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

fn main() {}
