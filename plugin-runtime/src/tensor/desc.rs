//! Symbolic descriptions of tensors: what `register` receives and returns.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{DataType, Format};
use crate::error::{Error, Result};
use crate::shape::{Dims, IntoExpr, IntoExprs, ShapeExpr, Symbol, SymbolKind, display_shape, for_tuples};

/// An input or output: element type and symbolic shape, and, while tactics are enumerated, layout and scale.
#[derive(Clone, Debug)]
pub struct TensorDesc {
    dtype: DataType,
    shape: Vec<ShapeExpr>,
    format: Format,
    scale: f32,
    input: Option<usize>,
    alias_of: Option<usize>,
}

impl TensorDesc {
    /// A tensor of the given dimensions, at most [`MAX_RANK`](crate::shape::MAX_RANK).
    pub fn from_shape_expr<M>(dims: impl IntoExprs<M>, dtype: DataType) -> Self {
        TensorDesc { dtype, shape: dims.into_exprs(), format: Format::Linear, scale: 1.0, input: None, alias_of: None }
    }

    pub(crate) fn of_input(index: usize, dtype: DataType, shape: Vec<ShapeExpr>) -> Self {
        TensorDesc { input: Some(index), ..TensorDesc::from_shape_expr(shape, dtype) }
    }

    pub(crate) fn with_layout(mut self, dtype: DataType, format: Format, scale: f32) -> Self {
        self.dtype = dtype;
        self.format = format;
        self.scale = scale;
        self
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Element type.
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    /// Memory layout; LINEAR until tactics are enumerated.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Quantisation scale; 1 where there is none.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The extent of one dimension. Beyond the rank it is an expression that carries the mistake, which is reported
    /// when the network is built.
    pub fn shape_expr(&self, dim: usize) -> ShapeExpr {
        self.shape.get(dim).cloned().unwrap_or_else(|| {
            ShapeExpr::invalid(format!("dimension {dim} of a tensor with {} was asked for", self.rank()))
        })
    }

    /// All extents.
    pub fn shape_exprs(&self) -> &[ShapeExpr] {
        &self.shape
    }

    /// The concrete extents, -1 where one is not known; `None` above [`MAX_RANK`](crate::shape::MAX_RANK) dimensions.
    pub fn shape(&self) -> Option<Dims> {
        let extents: Vec<i64> = self.shape.iter().map(|d| d.constant_value().unwrap_or(-1)).collect();
        Dims::new(&extents)
    }

    /// The number of elements: the product of the extents, 1 for a scalar.
    pub fn numel(&self) -> ShapeExpr {
        self.shape.iter().product()
    }

    /// A copy, whose dimensions may then be changed.
    #[must_use]
    pub fn like(&self) -> Self {
        TensorDesc::from_shape_expr(self.shape.clone(), self.dtype)
    }

    /// An output that lies in this input's own memory and can't be changed in type or shape.
    #[must_use]
    pub fn aliased(&self) -> Self {
        TensorDesc { alias_of: self.input, ..self.clone() }
    }

    /// The input whose memory this output shares.
    pub fn alias_of(&self) -> Option<usize> {
        self.alias_of
    }

    /// The same with another element type.
    #[must_use]
    pub fn with_dtype(mut self, dtype: DataType) -> Self {
        if self.alias_of.is_some() && dtype != self.dtype {
            self.shape.iter_mut().for_each(|d| *d = ShapeExpr::invalid(ALIAS_CHANGED));
        }
        self.dtype = dtype;
        self
    }

    /// The extent of one dimension, to be changed: `*out.shape_expr_mut(3) += 2`.
    ///
    /// # Errors
    /// Beyond the rank, or for an aliased output.
    pub fn shape_expr_mut(&mut self, dim: usize) -> Result<&mut ShapeExpr> {
        let rank = self.rank();
        if self.alias_of.is_some() {
            return Err(Error::plugin(ALIAS_CHANGED));
        }
        self.shape
            .get_mut(dim)
            .ok_or_else(|| Error::plugin(format_args!("dimension {dim} of a tensor with {rank} can't be changed")))
    }
}

/// `FP32 [d0, d1, 4]`
impl std::fmt::Display for TensorDesc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.dtype, display_shape(&self.shape))
    }
}

const ALIAS_CHANGED: &str = "an aliased output shares its input's memory, so its type and shape can't be changed";

/// An extent that is known only when the plugin has run, as a scalar output that holds it.
#[derive(Clone, Debug)]
pub struct SizeTensorDesc {
    opt: ShapeExpr,
    upper_bound: ShapeExpr,
    dtype: DataType,
    symbol: u32,
}

/// A size tensor of INT32: `opt` is what tactics are timed at, `upper_bound` sizes the buffers.
pub fn size_tensor(opt: impl IntoExpr, upper_bound: impl IntoExpr) -> SizeTensorDesc {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    SizeTensorDesc {
        opt: opt.into_expr(),
        upper_bound: upper_bound.into_expr(),
        dtype: DataType::Int32,
        symbol: NEXT.fetch_add(1, Ordering::Relaxed),
    }
}

impl SizeTensorDesc {
    /// The same with another element type: INT32 or INT64.
    #[must_use]
    pub fn dtype(mut self, dtype: DataType) -> Self {
        self.dtype = dtype;
        self
    }

    /// The extent, for use as a dimension of an output; arithmetic on it is refused.
    pub fn expr(&self) -> ShapeExpr {
        ShapeExpr::symbol(Symbol {
            kind: SymbolKind::OwnSize,
            index: self.symbol,
            name: format!("size{}", self.symbol).into(),
        })
    }

    /// What tactics are timed at.
    pub fn opt(&self) -> &ShapeExpr {
        &self.opt
    }

    /// What sizes the buffers.
    pub fn upper_bound(&self) -> &ShapeExpr {
        &self.upper_bound
    }

    pub(crate) fn data_type(&self) -> DataType {
        self.dtype
    }

    pub(crate) fn symbol(&self) -> u32 {
        self.symbol
    }
}

/// One output, as `register` returns it.
#[derive(Clone, Debug)]
pub enum OutputDesc {
    /// A tensor whose shape follows from the inputs' shapes and the size tensors.
    Tensor(TensorDesc),
    /// A size tensor.
    Size(SizeTensorDesc),
}

impl From<TensorDesc> for OutputDesc {
    fn from(desc: TensorDesc) -> Self {
        OutputDesc::Tensor(desc)
    }
}

impl From<SizeTensorDesc> for OutputDesc {
    fn from(desc: SizeTensorDesc) -> Self {
        OutputDesc::Size(desc)
    }
}

/// What a `register` function may return: one output, a tuple of up to 8, or a `Result` of these.
#[diagnostic::on_unimplemented(
    message = "`register` can't take `{Self}` for a plugin's outputs",
    label = "write `TensorDesc`, `SizeTensorDesc`, a tuple of these, or `plugin_runtime::Result` of any of them",
    note = "the error of a `Result` may be any that converts to `plugin_runtime::Error`: of text, of `std::io`, in a `Box`"
)]
pub trait IntoOutputs {
    /// The outputs, first to last.
    ///
    /// # Errors
    /// What the function itself returned.
    fn into_outputs(self) -> Result<Vec<OutputDesc>>;
}

impl IntoOutputs for TensorDesc {
    fn into_outputs(self) -> Result<Vec<OutputDesc>> {
        Ok(vec![self.into()])
    }
}

impl IntoOutputs for SizeTensorDesc {
    fn into_outputs(self) -> Result<Vec<OutputDesc>> {
        Ok(vec![self.into()])
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoOutputs, E: Into<Error>> IntoOutputs for Result<T, E> {
    fn into_outputs(self) -> Result<Vec<OutputDesc>> {
        self.map_err(Into::into)?.into_outputs()
    }
}

macro_rules! tuple_outputs {
    ([] $($name:ident)*) => {
        impl<$($name: Into<OutputDesc>),*> IntoOutputs for ($($name,)*) {
            fn into_outputs(self) -> Result<Vec<OutputDesc>> {
                #[expect(non_snake_case, reason = "one identifier serves as type and as binding")]
                let ($($name,)*) = self;
                Ok(vec![$($name.into()),*])
            }
        }
    };
}

for_tuples!(tuple_outputs);
