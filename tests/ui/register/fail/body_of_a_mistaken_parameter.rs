use plugin_runtime::prelude::*;

/// Of parameters whose types can't be, the body may make what it likes; other mistakes in it show.
#[register("ops::f")]
fn f(x: &TensorDesc, bias: Option<&TensorDesc>, more: &[TensorDesc], axis: usize, x: i32) -> Result<TensorDesc> {
    if bias.rank() != x.rank() || more.rank() != 1 {
        bail!("{bias} and {more} have other ranks");
    }
    let shape: Vec<i64> = more.iter().map(|desc| bias.of(desc)[axis]).collect();
    *x.like().shape_expr_mut(axis)? = more[0].shape_expr(axis) + shape[0];
    let rank: String = x.rank();
    Ok(bias.like())
}

#[autotune("ops::f")]
fn f_autotune(x: TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    x.nothing();
    Vec::new()
}

fn main() {}
