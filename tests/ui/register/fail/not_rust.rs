use plugin_runtime::prelude::*;

#[register("test::cast")]
fn cast(x: &TensorDesc, type: i32) -> TensorDesc {
    x.like()
}

fn main() {}
