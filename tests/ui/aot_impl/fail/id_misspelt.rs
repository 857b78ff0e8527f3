use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[aot_impl("tset::scall")]
fn scale_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("scale", "// PTX")
}

fn main() {}
