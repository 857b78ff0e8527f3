use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn by_result(x: Tensor, factor: f32, [_y]: [TensorMut; 1]) -> Result<Tensor> {
    Ok(x)
}

#[impl_plugin("test::scale", device = cuda)]
fn by_value(x: Tensor, factor: f32, [_y]: [TensorMut; 1]) -> Tensor {
    x
}

fn main() {}
