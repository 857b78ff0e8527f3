use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, #[defualt(1.0)] factor: f32) -> TensorDesc {
    x.like()
}

#[register("test::pad")]
fn pad(x: &TensorDesc, width: i32 = 1) -> TensorDesc {
    x.like()
}

fn main() {}
