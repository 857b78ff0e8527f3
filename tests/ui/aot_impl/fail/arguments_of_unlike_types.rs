use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[aot_impl("test::scale")]
fn scale_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    let n = x.numel();
    AotKernel::new("scale", "// PTX").grid([n.ceil_div(256), 1]).block([256, 1]).extra_args([n, 2])
}

fn main() {}
