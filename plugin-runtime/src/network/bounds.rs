//! Extents of a network's tensors under an optimization profile: at its opt, at its other shapes, and at most.

use super::{LayerIndex, Network, SymbolDef, SymbolSource};
use crate::error::{Error, LayerContext, Result};
use crate::shape::{Dims, Interval, Profile, ShapeExpr};

/// Ranges and opt values of a network's symbols under one profile.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// Values at the profile's opt, one per symbol; for a size tensor its opt expression.
    pub(crate) opt: Vec<i64>,
    ranges: Vec<Interval>,
}

/// One of the shapes that a profile gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    Min,
    Opt,
    Max,
}

impl At {
    pub(crate) fn name(self) -> &'static str {
        match self {
            At::Min => "min",
            At::Opt => "opt",
            At::Max => "max",
        }
    }
}

/// Values of a network's symbols at one of the profile's shapes.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) at: At,
    /// One value per symbol; for a size tensor its opt expression.
    pub(crate) symbols: Vec<i64>,
    /// One range per symbol; for a size tensor from 0 to its upper bound.
    pub(crate) ranges: Vec<Interval>,
}

impl Bounds {
    pub(crate) fn new(network: &Network, profile: &Profile) -> Result<Self> {
        let inputs: Vec<&str> = network.inputs.iter().map(|&tensor| &*network.tensors[tensor].name).collect();
        let layer = |layer: LayerIndex| (&*network.layers[layer].name, network.layers[layer].plugin().label());
        Bounds::of_symbols(network.symbols.iter(), &inputs, &layer, profile)
    }

    /// `inputs` are the names of the inputs, `layer` gives a layer's name and plugin.
    pub(crate) fn of_symbols<'a>(
        symbols: impl Iterator<Item = &'a SymbolDef>,
        inputs: &[&str],
        layer: &dyn Fn(LayerIndex) -> (&'a str, String),
        profile: &Profile,
    ) -> Result<Self> {
        let mut bounds = Bounds { opt: Vec::new(), ranges: Vec::new() };
        for def in symbols {
            match &def.source {
                SymbolSource::Dim(places) => {
                    let extents = |&(input, axis): &(usize, usize)| {
                        let name = inputs[input];
                        let dims = profile.get(name);
                        dims.and_then(|d| Some([*d.min.get(axis)?, *d.opt.get(axis)?, *d.max.get(axis)?]))
                            .ok_or_else(|| Error::invalid(format_args!("the profile says nothing of input `{name}`")))
                    };
                    let all = places.iter().map(extents).collect::<Result<Vec<_>>>()?;
                    let Some(&[min, opt, max]) = all.first() else { continue };
                    if let Some(other) = all.iter().find(|e| **e != [min, opt, max]) {
                        return Err(Error::invalid(format_args!(
                            "dimension `{}` is one extent, but the profile gives it (min, opt, max) {:?} and {other:?}",
                            def.symbol.name,
                            [min, opt, max]
                        )));
                    }
                    bounds.opt.push(opt);
                    bounds.ranges.push(Interval { min, max });
                }
                SymbolSource::Size { layer: position, output, opt, upper_bound } => {
                    let in_layer = |e: Error| {
                        let (name, plugin) = layer(*position);
                        e.in_layer(LayerContext::new(name, &plugin))
                    };
                    let max = bounds.range(upper_bound).map_err(in_layer)?.max;
                    if max < 0 {
                        return Err(in_layer(Error::invalid(format_args!(
                            "the upper bound of size tensor {output}, {upper_bound}, is at most {max}"
                        ))));
                    }
                    let opt = bounds.at_opt(opt).map_err(in_layer)?.clamp(0, max);
                    bounds.opt.push(opt);
                    bounds.ranges.push(Interval { min: 0, max });
                }
            }
        }
        Ok(bounds)
    }

    pub(crate) fn range(&self, expr: &ShapeExpr) -> Result<Interval> {
        range(expr, &self.ranges)
    }

    pub(crate) fn at_opt(&self, expr: &ShapeExpr) -> Result<i64> {
        Ok(expr.evaluate(&self.opt)?)
    }

    /// Extents at the profile's opt.
    pub(crate) fn opt_dims(&self, shape: &[ShapeExpr]) -> Result<Dims> {
        dims_at(shape, &self.opt)
    }

    /// The symbols at one of the profile's shapes.
    ///
    /// # Errors
    /// When what is said of a size tensor can't be computed there.
    pub(crate) fn point<'s>(&self, at: At, symbols: impl Iterator<Item = &'s SymbolDef>) -> Result<Point> {
        let mut point = Point { at, symbols: Vec::new(), ranges: Vec::with_capacity(self.opt.len()) };
        for ((def, &opt), range) in symbols.zip(&self.opt).zip(&self.ranges) {
            let (value, range) = match &def.source {
                SymbolSource::Dim(_) => {
                    let extent = match at {
                        At::Min => range.min,
                        At::Opt => opt,
                        At::Max => range.max,
                    };
                    (extent, Interval::exactly(extent))
                }
                SymbolSource::Size { opt: expected, upper_bound, .. } => {
                    let most = self::range(upper_bound, &point.ranges)?.max.max(0);
                    let value = match at {
                        At::Opt => opt,
                        At::Min | At::Max => expected.evaluate(&point.symbols)?.clamp(0, most),
                    };
                    (value, Interval { min: 0, max: most })
                }
            };
            point.symbols.push(value);
            point.ranges.push(range);
        }
        Ok(point)
    }

    /// The largest extents that the profile allows.
    pub(crate) fn max_dims(&self, shape: &[ShapeExpr]) -> Result<Dims> {
        largest_dims(shape, &self.ranges)
    }
}

/// Extents where symbols have these values.
pub(crate) fn dims_at(shape: &[ShapeExpr], symbols: &[i64]) -> Result<Dims> {
    let extents = shape.iter().map(|e| Ok(e.evaluate(symbols)?)).collect::<Result<Vec<_>>>()?;
    checked_dims(&extents, |axis| shape[axis].to_string())
}

/// Dimensions of which none is negative; `expr` says what an extent was computed from.
pub(crate) fn checked_dims(extents: &[i64], expr: impl Fn(usize) -> String) -> Result<Dims> {
    if let Some((axis, extent)) = extents.iter().enumerate().find(|&(_, &e)| e < 0) {
        return Err(Error::invalid(format_args!("dimension {axis}, {}, would be {extent}", expr(axis))));
    }
    Dims::new(extents).ok_or_else(|| Error::invalid(format_args!("{} dimensions are too many", extents.len())))
}

/// The range of an expression whose symbols have these ranges.
pub(crate) fn range(expr: &ShapeExpr, ranges: &[Interval]) -> Result<Interval> {
    let unknown = Interval { min: 0, max: i64::MAX };
    Ok(expr.range(&|symbol| ranges.get(symbol.index as usize).copied().unwrap_or(unknown))?)
}

/// The largest extents of a shape whose symbols have these ranges.
pub(crate) fn largest_dims(shape: &[ShapeExpr], ranges: &[Interval]) -> Result<Dims> {
    let extents = shape.iter().map(|e| Ok(range(e, ranges)?.max)).collect::<Result<Vec<_>>>()?;
    checked_dims(&extents, |axis| shape[axis].to_string())
}
