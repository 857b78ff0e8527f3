use plugin_runtime::prelude::*;

#[register("test::sum")]
fn sum(inputs: &[TensorDesc]) -> TensorDesc {
    inputs[0].like()
}

#[register("test::product")]
fn product(inputs: [&TensorDesc; 2]) -> TensorDesc {
    inputs[0].like()
}

#[register("test::minimum")]
fn minimum(inputs: Vec<TensorDesc>, factor: f32) -> TensorDesc {
    inputs[0].like()
}

#[register("test::negate")]
fn negate(x: &&TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
