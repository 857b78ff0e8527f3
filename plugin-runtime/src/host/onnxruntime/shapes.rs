//! The shapes of a node's outputs, as far as they follow from its inputs' types and dimensions.

use std::collections::HashMap;
use std::ffi::CString;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::abi::{OrtCustomOp, OrtShapeInferContext, Status};
use super::api::{Found, Inference, TensorShape};
use super::attributes::{self, Read, Wanted};
use super::operators::{Group, Operator};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::host::{Node, fenced, only_layer};
use crate::network::onnx::{data_type, type_code};
use crate::network::{Dim, Preference};
use crate::shape::{ShapeExpr, Symbol, SymbolKind};

/// A name longer than this is replaced by a short one.
const LONGEST_NAME: usize = 200;

/// Infers the shapes of a node's outputs. Where that isn't possible nothing is said: what is wrong with the node, its kernel
/// will say, and to a runtime that wouldn't listen here.
///
/// # Safety
/// Called by the runtime.
#[expect(unsafe_code, reason = "called by the runtime")]
pub(super) unsafe extern "system" fn infer(operator: *const OrtCustomOp, context: *mut OrtShapeInferContext) -> Status {
    // SAFETY: the runtime hands back the operator, and a context that lives during this call.
    let (operator, context) = unsafe {
        let operator = Operator::of(operator);
        (operator, Inference::new(operator.api, context))
    };
    let infer = || {
        let _ = infer_outputs(operator.group, context);
        Ok(ptr::null_mut())
    };
    fenced(infer, |_, _| ptr::null_mut())
}

fn infer_outputs(group: &Group, context: Inference<'_>) -> Result<()> {
    let shapes = context.inputs()?;
    let Some(dims) = shapes.iter().map(named_dims).collect::<Option<Vec<Vec<Dim>>>>() else { return Ok(()) };
    let read = |name: &str| match context.attribute(name)? {
        Found::Value(value) => Ok(Some(value)),
        Found::Missing => Ok(None),
        Found::Unknown => Err(Error::invalid("what it holds can't be told")),
    };
    let node = node(group, &shapes, &read)?;
    let network = node.network(&dims)?;
    let layer = only_layer(&network)?;
    let mut names = Names::default();
    for (index, &tensor) in layer.outputs.iter().enumerate() {
        let tensor = &network.tensors[tensor];
        let extents = tensor.shape.iter().map(|extent| extent.constant_value().unwrap_or(-1)).collect::<Vec<_>>();
        let texts = tensor.shape.iter().map(|extent| names.of(extent)).collect::<Result<Vec<_>>>()?;
        // Fails where the node leaves the output out.
        let _ = context.set_output(index, type_code(tensor.dtype), &extents, &texts);
    }
    Ok(())
}

fn node(group: &Group, shapes: &[TensorShape], read: &dyn Fn(&str) -> Result<Option<Read>>) -> Result<Node> {
    let plugin = group.member(&Wanted::read(read)?)?;
    Ok(Node {
        name: "node".into(),
        plugin,
        attributes: attributes::of_plugin(plugin, read)?,
        device: Device::cpu(),
        preference: Preference::Unspecified,
        inputs: shapes.iter().map(|shape| data_type(shape.ty)).collect::<Result<_>>()?,
    })
}

/// The dimensions, each with a name that isn't known; `None` where the rank isn't known.
fn named_dims(shape: &TensorShape) -> Option<Vec<Dim>> {
    let named = |dim: &Dim| match dim {
        Dim::Dynamic => Dim::Named(fresh()),
        dim => dim.clone(),
    };
    shape.dims.as_ref().map(|dims| dims.iter().map(named).collect())
}

/// A name that nothing else has: to the runtime's memory plan, equal names are equal extents.
fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("plugin_runtime.extent.{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Names of one node's extents.
#[derive(Default)]
struct Names {
    /// What each size tensor is called.
    found: HashMap<u32, String>,
}

impl Names {
    /// Empty for a number. The name of an input's dimension stays; other expressions are called what they are.
    fn of(&mut self, extent: &ShapeExpr) -> Result<CString> {
        let text = match extent.as_symbol() {
            _ if extent.is_constant() => String::new(),
            Some(symbol) if symbol.kind == SymbolKind::Dim => symbol.name.to_string(),
            Some(symbol) => self.found.entry(symbol.index).or_insert_with(fresh).clone(),
            None => extent.substitute(&|symbol| Some(ShapeExpr::symbol(as_operand(symbol)))).to_string(),
        };
        let text = if text.len() > LONGEST_NAME { fresh() } else { text };
        CString::new(text).map_err(|_| Error::invalid("the name of a dimension holds a 0"))
    }
}

/// A symbol whose name can stand in an expression: in parentheses if it is one itself.
fn as_operand(symbol: &Symbol) -> Symbol {
    let is_word = symbol.name.chars().all(|c| c.is_alphanumeric() || "_.:/".contains(c));
    let name = if is_word { symbol.name.clone() } else { format!("({})", symbol.name).into() };
    Symbol { name, ..symbol.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;

    fn extents(names: &[&str]) -> Vec<ShapeExpr> {
        let mut network = Network::new();
        let dims = names.iter().map(|name| Dim::Named((*name).into()));
        let x = network.add_input("x", crate::tensor::DataType::Float32, dims).unwrap();
        network.shape(x).unwrap().to_vec()
    }

    #[test]
    fn names_of_dimensions_stay_and_expressions_are_called_what_they_are() {
        let [height, sum] = &extents(&["H", "H + 4"])[..] else { panic!() };
        let mut names = Names::default();
        let mut name = |extent: &ShapeExpr| names.of(extent).unwrap().into_string().unwrap();
        assert_eq!([name(height), name(sum), name(&ShapeExpr::constant(3))], ["H", "H + 4", ""]);
        assert_eq!([name(&(height + 4)), name(&(sum * 2)), name(&(height * sum))], ["H + 4", "2*(H + 4)", "H*(H + 4)"]);
    }

    #[test]
    fn a_name_that_is_too_long_is_replaced_by_one_that_nothing_else_has() {
        let [extent] = &extents(&[&"n".repeat(300)])[..] else { panic!() };
        let mut names = Names::default();
        let [a, b] = [names.of(extent).unwrap(), names.of(extent).unwrap()];
        assert!(a != b && a.to_bytes().len() < 50, "{a:?}");
    }

    #[test]
    fn a_dimension_without_a_name_gets_one() {
        let shape = TensorShape { ty: 1, dims: Some(vec![Dim::Fixed(3), Dim::Dynamic, Dim::Named("N".into())]) };
        let dims = named_dims(&shape).unwrap();
        assert_eq!((&dims[0], &dims[2]), (&Dim::Fixed(3), &Dim::Named("N".into())));
        assert!(matches!(&dims[1], Dim::Named(name) if name.starts_with("plugin_runtime.extent.")));
        assert!(named_dims(&TensorShape { ty: 1, dims: None }).is_none());
    }
}
