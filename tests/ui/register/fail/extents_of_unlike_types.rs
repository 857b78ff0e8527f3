use plugin_runtime::prelude::*;

#[register("test::pairs")]
fn pairs(x: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([x.shape_expr(0) / 2, 2], x.dtype())
}

#[register("test::found")]
fn found(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let rows = x.shape_expr(0);
    let count = size_tensor(&rows / 2, &rows);
    (TensorDesc::from_shape_expr(vec![count.expr(), rows, -1 * 3], x.dtype()), count)
}

/// The other checks go on.
#[impl_plugin("test::found", device = cpu)]
fn found_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

fn main() {}
