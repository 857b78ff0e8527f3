//! Shape expressions by the host's expression builder.

use super::abi::{BuilderTable, DimensionExpr, ExprBuilder, ExprTable, Foreign, Operation as HostOperation};
use super::arguments::impossible;
use crate::error::{Error, Result};
use crate::shape::{Algebra, Operation, ShapeExpr, Symbol};

/// An extent of the host, during the call that gave it or its builder. Never null.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extent(*const DimensionExpr);

impl Extent {
    /// # Safety
    /// What isn't null is an expression of the host, which lives during its call.
    ///
    /// # Errors
    /// For a null pointer.
    #[expect(unsafe_code, reason = "takes a pointer on trust")]
    pub(super) unsafe fn new(expr: *const DimensionExpr) -> Result<Extent> {
        match expr.is_null() || !expr.is_aligned() {
            true => Err(impossible("no expression for an extent, but a null pointer")),
            false => Ok(Extent(expr)),
        }
    }

    pub(super) fn raw(self) -> *const DimensionExpr {
        self.0
    }

    fn inner(self) -> Result<(*const Foreign<ExprTable>, ExprTable)> {
        // SAFETY: `new` was promised an expression that lives; what it consists of is as the headers say.
        #[expect(unsafe_code, reason = "reads an object of the host")]
        unsafe {
            let inner = (*self.0).inner;
            if inner.is_null() || (*inner).table.is_null() {
                return Err(impossible("an expression that isn't one"));
            }
            Ok((inner, *(*inner).table))
        }
    }

    /// The value, where it is a number.
    pub(super) fn constant(self) -> Result<Option<i64>> {
        let (inner, table) = self.inner()?;
        // SAFETY: both functions take the expression alone.
        #[expect(unsafe_code, reason = "calls the host")]
        unsafe {
            let is_constant = (table.is_constant)(inner.cast_mut().cast()) != 0;
            Ok(is_constant.then(|| (table.constant)(inner.cast_mut().cast())))
        }
    }

    /// Whether it is known only when a layer has run: nothing can be computed with it.
    pub(super) fn is_size(self) -> Result<bool> {
        let (inner, table) = self.inner()?;
        // SAFETY: the function takes the expression alone.
        #[expect(unsafe_code, reason = "calls the host")]
        unsafe {
            Ok((table.is_size)(inner.cast_mut().cast()) != 0)
        }
    }
}

/// The host's expression builder, during a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exprs(*const Foreign<BuilderTable>);

impl Exprs {
    /// # Safety
    /// What isn't null is the host's builder, which lives during its call.
    ///
    /// # Errors
    /// For a null pointer.
    #[expect(unsafe_code, reason = "takes a pointer on trust")]
    pub(super) unsafe fn new(builder: *const ExprBuilder) -> Result<Exprs> {
        let missing = || impossible("no expression builder, but a null pointer");
        if builder.is_null() || !builder.is_aligned() {
            return Err(missing());
        }
        // SAFETY: as the caller says.
        unsafe {
            let inner = (*builder).inner;
            if inner.is_null() || (*inner).table.is_null() { Err(missing()) } else { Ok(Exprs(inner)) }
        }
    }

    pub(super) fn constant(self, value: i64) -> Result<Extent> {
        // SAFETY: it is the host's builder, which lives during its call.
        #[expect(unsafe_code, reason = "calls the host")]
        unsafe {
            made(((*(*self.0).table).constant)(self.0.cast_mut().cast(), value), &format_args!("the constant {value}"))
        }
    }

    fn apply(self, operation: HostOperation, a: Extent, b: Extent) -> Result<Extent> {
        if a.is_size()? || b.is_size()? {
            return Err(Error::invalid(
                "it computes with an extent that another layer finds when it runs, which TensorRT can't: only a whole \
                 dimension of an output may be such an extent",
            ));
        }
        // SAFETY: as above; both expressions are the builder's own.
        #[expect(unsafe_code, reason = "calls the host")]
        unsafe {
            let apply = (*(*self.0).table).operation;
            made(
                apply(self.0.cast_mut().cast(), operation as i32, a.0, b.0),
                &format_args!("{operation:?} of two extents"),
            )
        }
    }

    /// Says that an output holds an extent that is found by running.
    pub(super) fn declare_size(self, output: usize, opt: Extent, upper_bound: Extent) -> Result<Extent> {
        let index = i32::try_from(output).map_err(|_| Error::invalid("there are too many outputs"))?;
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "calls the host")]
        unsafe {
            let declare = (*(*self.0).table).declare_size;
            made(declare(self.0.cast_mut().cast(), index, opt.0, upper_bound.0), &format_args!("size tensor {output}"))
        }
    }

    /// An expression over symbols that have values in the host.
    pub(super) fn build(self, expr: &ShapeExpr, symbols: &[Option<Extent>]) -> Result<Extent> {
        expr.compute(InHost { exprs: self, symbols })
    }
}

/// What the host made of something.
fn made(expr: *const DimensionExpr, what: &dyn std::fmt::Display) -> Result<Extent> {
    match expr.is_null() {
        true => Err(Error::invalid(format_args!("TensorRT's expression builder refused {what}"))),
        false => Ok(Extent(expr)),
    }
}

/// Builds expressions in the host.
struct InHost<'a> {
    exprs: Exprs,
    /// By symbol.
    symbols: &'a [Option<Extent>],
}

impl InHost<'_> {
    fn joined(&self, operation: HostOperation, operands: &[Extent]) -> Result<Extent> {
        let Some((first, rest)) = operands.split_first() else {
            return Err(Error::invalid("an operation of a shape expression has no operands"));
        };
        rest.iter().try_fold(*first, |value, operand| self.exprs.apply(operation, value, *operand))
    }
}

impl Algebra for InHost<'_> {
    type Value = Extent;
    type Error = Error;

    fn constant(&mut self, value: i64) -> Result<Extent> {
        self.exprs.constant(value)
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<Extent> {
        let value = self.symbols.get(symbol.index as usize).copied().flatten();
        value.ok_or_else(|| Error::invalid(format_args!("the extent `{}` is unknown to TensorRT", symbol.name)))
    }

    fn product(&mut self, coefficient: i64, factors: &[Extent]) -> Result<Extent> {
        let product = self.joined(HostOperation::Prod, factors)?;
        match coefficient {
            1 => Ok(product),
            _ => self.exprs.apply(HostOperation::Prod, product, self.exprs.constant(coefficient)?),
        }
    }

    fn sum(&mut self, terms: &[Extent]) -> Result<Extent> {
        self.joined(HostOperation::Sum, terms)
    }

    fn apply(&mut self, operation: Operation, operands: &[Extent]) -> Result<Extent> {
        let operation = match operation {
            Operation::FloorDiv => HostOperation::FloorDiv,
            Operation::CeilDiv => HostOperation::CeilDiv,
            Operation::Max => HostOperation::Max,
            Operation::Min => HostOperation::Min,
            Operation::Equal => HostOperation::Equal,
            Operation::Less => HostOperation::Less,
            // Of one operand, which it is.
            Operation::Group => HostOperation::Sum,
        };
        self.joined(operation, operands)
    }
}
