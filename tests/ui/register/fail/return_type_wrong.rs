use plugin_runtime::prelude::*;

#[register("test::negate")]
fn negate(x: &TensorDesc) -> Tensor {
    x.like()
}

#[register("test::found")]
fn found(x: &TensorDesc) -> (TensorDesc, usize) {
    let count = size_tensor(x.numel() / 2, x.numel());
    (TensorDesc::from_shape_expr([count.expr()], x.dtype()), count)
}

#[register("test::scale")]
fn scale(x: &TensorDesc) -> Option<TensorDesc> {
    if x.rank() == 2 { Some(x.like()) } else { None }
}

#[register("test::several")]
fn several(x: &TensorDesc) -> Result<Vec<TensorDesc>> {
    if x.rank() != 2 {
        bail!("not a matrix");
    }
    Ok(vec![x.like(), x.like()])
}

fn main() {}
