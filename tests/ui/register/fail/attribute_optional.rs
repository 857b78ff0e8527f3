use plugin_runtime::prelude::*;

#[register("test::optional")]
fn optional(
    x: &TensorDesc,
    y: Option<&TensorDesc>,
    a: Option<usize>,
    b: Option<f64>,
    c: Option<bool>,
    d: Option<String>,
    e: Option<&str>,
    f: Option<Vec<i32>>,
    g: &Option<Box<[f32]>>,
    h: Option<Option<i8>>,
    i: Option<std::time::Duration>,
) -> TensorDesc {
    x.like()
}

#[register("test::scale")]
fn scale(x: &TensorDesc, #[default(0)] block: i64) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn scale_cpu(x: Tensor, block: Option<i64>, outputs: [TensorMut; 1]) {}

fn main() {}
