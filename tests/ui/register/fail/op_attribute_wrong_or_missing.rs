#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

fn inputs() -> [plugin_runtime::network::TensorId; 2] {
    loop {}
}

fn main() {
    let [x, y] = inputs();
    scale::op(x, y);
    scale::op(x, y, 2.5);
    scale::op(x, y, 128).pads(&[1_i32]);
    scale::op(x, y, 128).pad(&[1]);
    scale::op(x, y, 128).block_size(256);
}
