use plugin_runtime::prelude::*;

#[register("test::negate")]
fn negate(&x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("test::scale")]
fn scale(x: &TensorDesc, (low, high): (f32, f32)) -> TensorDesc {
    x.like()
}

fn main() {}
