use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc) -> TensorDesc {
    x.like()
}

struct Ops;

impl Ops {
    #[autotune("test::scale")]
    fn tune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
        vec![AutoTuneCombination::new("FP32, FP32")]
    }

    #[impl_plugin("test::scale", device = cpu)]
    fn scale_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

    #[aot_impl("test::scale")]
    fn scale_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
        AotKernel::new("scale", "// PTX")
    }
}

fn main() {}
