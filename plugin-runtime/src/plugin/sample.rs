//! Input data that a build tries a plugin's implementations on.

use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::shape::{IntoExpr, ShapeExpr};
use crate::tensor::HostTensor;

/// Values that an input is given when a build runs a plugin's implementations.
///
/// Where nothing is said, a quarter are zeros, floats lie between -1 and 1, integers are 0 to 7. `#[register]` says
/// otherwise by input, with the inputs' descs and the attributes in scope:
///
/// ```
/// # use plugin_runtime::prelude::*;
/// /// Rows of a table.
/// #[register("docs::lookup", sample_inputs(index = Sample::below(table.shape_expr(0))))]
/// fn lookup(table: &TensorDesc, index: &TensorDesc) -> TensorDesc {
///     TensorDesc::from_shape_expr([index.shape_expr(0), table.shape_expr(1)], table.dtype())
/// }
/// ```
///
/// Constants of a network are taken as they are, and tensors that the caller gives with `Builder::sample_input` count
/// before what is said here.
#[derive(Clone, Default)]
pub struct Sample {
    pub(crate) values: Values,
    pub(crate) sorted: bool,
}

#[derive(Clone, Default)]
pub(crate) enum Values {
    #[default]
    Usual,
    Below(ShapeExpr),
    Uniform {
        low: f64,
        high: f64,
    },
    Filled(Arc<Fill>),
}

type Fill = dyn Fn(&mut HostTensor, u64) -> Result<()> + Send + Sync;

impl Sample {
    /// The default values: see [`Sample`].
    pub fn new() -> Self {
        Sample::default()
    }

    /// Whole numbers from 0, below `bound`: indices into a dimension of that extent.
    pub fn below(bound: impl IntoExpr) -> Self {
        Sample { values: Values::Below(bound.into_expr()), sorted: false }
    }

    /// Numbers from `low`, below `high`; for integers, whole ones.
    pub fn uniform(low: f64, high: f64) -> Self {
        Sample { values: Values::Uniform { low, high }, sorted: false }
    }

    /// Data that `fill` writes into a row-major tensor of zeros, given a seed: the same for the same seed.
    pub fn with(fill: impl Fn(&mut HostTensor, u64) -> Result<()> + Send + Sync + 'static) -> Self {
        Sample { values: Values::Filled(Arc::new(fill)), sorted: false }
    }

    /// The same values, ascending along the last dimension; of a scalar, and of what [`Sample::with`] writes, unchanged.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.sorted = true;
        self
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.values {
            Values::Usual => f.write_str("usual values")?,
            Values::Below(bound) => write!(f, "whole numbers below {bound}")?,
            Values::Uniform { low, high } => write!(f, "{low} to {high}")?,
            Values::Filled(_) => f.write_str("a function's values")?,
        }
        f.write_str(if self.sorted { ", sorted" } else { "" })
    }
}
