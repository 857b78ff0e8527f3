//! Types and extents of a layer's tensors, as records have them.

use std::fmt::{self, Write};
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::network::{At, Layer, Network, Point, Producer, TensorIndex};
use crate::tactic::layer_extents::{dims, symbols};
use crate::tensor::DataType;

/// `FP32 [4, 1..4..8], constant FP16 [2] -> INT32 [4]`: the inputs and the outputs that a layer was tried with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::tactic) struct Signature {
    pub(in crate::tactic) inputs: Vec<TriedTensor>,
    pub(in crate::tactic) outputs: Vec<TriedTensor>,
}

/// A tensor that a layer was tried with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::tactic) struct TriedTensor {
    is_constant: bool,
    pub(in crate::tactic) dtype: DataType,
    /// `None` where they couldn't be computed.
    pub(in crate::tactic) extents: Option<Vec<TriedExtent>>,
}

/// An extent at a profile's min, opt and max.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::tactic) struct TriedExtent {
    pub(in crate::tactic) min: i64,
    pub(in crate::tactic) opt: i64,
    pub(in crate::tactic) max: i64,
}

impl Signature {
    /// `points` are the shapes that a layer is tried at, a profile's opt first.
    ///
    /// # Errors
    /// When the extents at opt can't be computed.
    pub(super) fn new(network: &Network, layer: &Layer, points: &[Point]) -> Result<Self> {
        let mut values = Vec::with_capacity(points.len());
        for point in points {
            match symbols(network, layer, point) {
                Ok(symbols) => values.push((point.at, symbols)),
                Err(error) if point.at == At::Opt => return Err(error),
                Err(_) => {}
            }
        }
        let tensors = |tensors: &[TensorIndex], may_be_constant: bool| {
            let tried = |&tensor: &TensorIndex| TriedTensor::new(network, tensor, &values, may_be_constant);
            tensors.iter().map(tried).collect()
        };
        Ok(Signature { inputs: tensors(&layer.inputs, true), outputs: tensors(&layer.outputs, false) })
    }
}

impl TriedTensor {
    fn new(network: &Network, tensor: TensorIndex, symbols: &[(At, Vec<i64>)], may_be_constant: bool) -> Self {
        let at = |wanted: At| {
            let (_, symbols) = symbols.iter().find(|(at, _)| *at == wanted)?;
            dims(network, tensor, symbols).ok()
        };
        let (min, max) = (at(At::Min), at(At::Max));
        let extents = at(At::Opt).map(|opt| {
            let extent = |(axis, &opt): (usize, &i64)| {
                let [min, max] = [&min, &max].map(|dims| dims.as_ref().map_or(opt, |dims| dims[axis]));
                TriedExtent { min, opt, max }
            };
            opt.iter().enumerate().map(extent).collect()
        });
        let node = &network.tensors[tensor];
        let is_constant = may_be_constant && matches!(node.producer, Producer::Constant(_));
        TriedTensor { is_constant, dtype: node.dtype, extents }
    }
}

const CONSTANT: &str = "constant ";
/// Where extents couldn't be computed, no trial works, and each says why.
const UNKNOWN: &str = "[?]";

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |tensors: &[TriedTensor], f: &mut fmt::Formatter<'_>| {
            tensors.iter().enumerate().try_for_each(|(index, tensor)| {
                f.write_str(if index == 0 { "" } else { ", " })?;
                write!(f, "{tensor}")
            })
        };
        list(&self.inputs, f)?;
        f.write_str(" -> ")?;
        list(&self.outputs, f)
    }
}

impl fmt::Display for TriedTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TriedTensor { is_constant, dtype, extents } = self;
        write!(f, "{}{dtype} ", if *is_constant { CONSTANT } else { "" })?;
        let Some(extents) = extents else { return f.write_str(UNKNOWN) };
        f.write_char('[')?;
        for (axis, TriedExtent { min, opt, max }) in extents.iter().enumerate() {
            f.write_str(if axis == 0 { "" } else { ", " })?;
            match (min, max) == (opt, opt) {
                true => write!(f, "{opt}")?,
                false => write!(f, "{min}..{opt}..{max}")?,
            }
        }
        f.write_char(']')
    }
}

/// Reads what `Display` writes.
impl FromStr for Signature {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (inputs, outputs) = text.split_once(" -> ").ok_or_else(|| unread(text))?;
        Ok(Signature { inputs: tensors(inputs)?, outputs: tensors(outputs)? })
    }
}

fn tensors(mut rest: &str) -> Result<Vec<TriedTensor>> {
    let mut tensors = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(']').ok_or_else(|| unread(rest))? + 1;
        tensors.push(rest[..end].parse()?);
        rest = &rest[end..];
        rest = match rest.strip_prefix(", ") {
            Some(next) if !next.is_empty() => next,
            None if rest.is_empty() => rest,
            _ => return Err(unread(rest)),
        };
    }
    Ok(tensors)
}

impl FromStr for TriedTensor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (is_constant, rest) = text.strip_prefix(CONSTANT).map_or((false, text), |rest| (true, rest));
        let (dtype, extents) = rest.split_once(' ').ok_or_else(|| unread(text))?;
        let dtype = dtype.parse()?;
        if extents == UNKNOWN {
            return Ok(TriedTensor { is_constant, dtype, extents: None });
        }
        let listed = extents.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(|| unread(text))?;
        let extent = |text: &str| -> Result<TriedExtent> {
            let mut parts = text.split("..").map(|part| part.parse::<i64>().map_err(|_| unread(text)));
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(opt), None, ..) => opt.map(|opt| TriedExtent { min: opt, opt, max: opt }),
                (Some(min), Some(opt), Some(max), None) => Ok(TriedExtent { min: min?, opt: opt?, max: max? }),
                _ => Err(unread(text)),
            }
        };
        let listed = listed.split(", ").filter(|part| !part.is_empty()).map(extent);
        Ok(TriedTensor { is_constant, dtype, extents: Some(listed.collect::<Result<_>>()?) })
    }
}

fn unread(text: &str) -> Error {
    Error::invalid(format_args!("`{}` aren't types and extents of tensors", text.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "FP32 [4] -> FP32 [4]",
            "constant FP16 [], INT64 [1..4..8, 3] -> BOOL [0]",
            "FP32 [?] -> FP32 [?], INT4 [2, 3, 4]",
            "FP32 [4] -> ",
            " -> ",
        ] {
            let read: Signature = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
        let read: Signature = "FP32 [1..4..8] -> FP16 [2]".parse().unwrap();
        assert_eq!(read.inputs[0].extents, Some(vec![TriedExtent { min: 1, opt: 4, max: 8 }]));
        assert_eq!((read.outputs.len(), read.outputs[0].dtype), (1, DataType::Float16));
    }

    #[test]
    fn what_isnt_one_is_refused() {
        for text in [
            "",
            "FP32 [4]",
            "FP32 [4],  -> ",
            "FP32 4 -> FP32 [4]",
            "FP31 [4] -> ",
            "FP32 [4..5] -> ",
            "FP32 [x] -> ",
            "FP32 [4] FP32 [4] -> ",
            "FP32 [4... (2001 bytes, FNV-1a 0) -> ",
            "FP32 [99999999999999999999] -> ",
        ] {
            assert!(text.parse::<Signature>().is_err(), "{text}");
        }
    }
}
