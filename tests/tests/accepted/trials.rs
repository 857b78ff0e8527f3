//! How a plugin is tried, said in expressions that name its inputs and attributes.
#![deny(warnings)]

use plugin_runtime::prelude::*;

/// Rows of a table.
#[register(
    "ui::lookup",
    compare = Compare::new().close(rtol, 0.0).unordered(),
    sample_inputs(index = Sample::below(table.shape_expr(axis as usize)).sorted(), table = Sample::uniform(-1.0, 1.0)),
    version = 2,
)]
pub fn lookup(table: &TensorDesc, index: &TensorDesc, rtol: f64, axis: i64, unused: &[i32]) -> TensorDesc {
    TensorDesc::from_shape_expr([index.shape_expr(0), table.shape_expr(1)], table.dtype())
}

/// One an output.
#[register("ui::pair", compare = [Compare::skip("noise"), Compare::new()], sample_inputs(x = ramp()))]
pub fn pair(x: &TensorDesc) -> (TensorDesc, TensorDesc) {
    (x.like(), x.like())
}

/// A name in camel case.
#[allow(non_snake_case)]
#[register("ui::camel", compare = Compare::new().close(maxError, 0.0), sample_inputs(inputIds = Sample::below(numRows)))]
pub fn camel(inputIds: &TensorDesc, maxError: f64, numRows: i64) -> TensorDesc {
    inputIds.like()
}

fn ramp() -> Sample {
    Sample::with(|tensor, _seed| {
        tensor.as_mut_slice::<f32>()?.iter_mut().enumerate().for_each(|(at, x)| *x = at as f32);
        Ok(())
    })
}
