use plugin_runtime::prelude::*;

#[register("test::found")]
fn found(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let count = size_tensor(x.numel() * 0.5, x);
    (TensorDesc::from_shape_expr([count], x.dtype()), count)
}

fn others(x: &TensorDesc, count: SizeTensorDesc) -> [TensorDesc; 4] {
    [
        TensorDesc::from_shape_expr(dims![count, 2], x.dtype()),
        TensorDesc::from_shape_expr((count, 2), x.dtype()),
        TensorDesc::from_shape_expr(x.shape_expr(0), x.dtype()),
        TensorDesc::from_shape_expr(["rows"], x.dtype()),
    ]
}

#[impl_plugin("test::found", device = cpu, workspace = x)]
fn found_cpu(x: Tensor, [_found, _count]: [TensorMut; 2], workspace: Workspace) -> Result<()> {
    Ok(())
}

fn main() {}
