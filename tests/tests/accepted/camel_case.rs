//! Names as ONNX's operators have them. The author says so once a function; the expansions say nothing of it. Defaults
//! are those that are advised in place of an `Option`.
#![deny(warnings)]

use plugin_runtime::prelude::*;

/// Attributes of all types.
#[register("camel::Everything", onnx = ["com.example::Everything", "ai.onnx::EveryThing"])]
#[allow(non_snake_case)]
pub fn Everything(
    inputData: &TensorDesc,
    axisCount: i64,
    outputMode: &str,
    #[default(0)] blockSize: i32,
    #[default(0.0)] scaleFactor: f32,
    #[default(0.0)] doubleFactor: f64,
    #[default(false)] isFast: bool,
    #[default("")] padMode: &str,
    #[default([])] padWidths: &[i64],
    #[default([])] halfWidths: &[f16],
) -> TensorDesc {
    inputData.like()
}

#[autotune("camel::Everything")]
#[allow(non_snake_case)]
fn tune(
    inputData: &TensorDesc,
    blockSize: i32,
    padMode: &str,
    outputs: &[TensorDesc; 1],
) -> Result<Vec<AutoTuneCombination>> {
    let _ = (blockSize, padMode);
    Ok(vec![AutoTuneCombination::new("FP32, FP32")])
}

#[impl_plugin("camel::Everything", device = cpu, workspace = inputData.numel() * i64::from(blockSize))]
#[allow(non_snake_case)]
fn run(
    inputData: Tensor,
    axisCount: i64,
    blockSize: i32,
    padWidths: &[i64],
    outputs: [TensorMut; 1],
    workspace: Workspace,
) -> Result<()> {
    let _ = (axisCount, blockSize, padWidths, workspace);
    Ok(())
}

#[aot_impl("camel::Everything")]
#[allow(non_snake_case)]
fn ahead(inputData: &TensorDesc, blockSize: i32, outputs: &[TensorDesc; 1]) -> AotKernel {
    let _ = blockSize;
    AotKernel::new("copy", [])
}

#[test]
fn constructors_keep_the_names() {
    use plugin_runtime::network::IntoOp;

    let _ = |x| IntoOp::into_op(Everything::op(x, 1, "same").blockSize(4).isFast(true).padWidths(&[1]));
}
