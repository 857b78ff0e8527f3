//! What a register function said of a layer, kept as bytes: enough to run the layer where the function isn't asked again, as
//! not all of its attributes are kept.

use std::sync::Arc;

use prost::Message;

use super::onnx::{data_type, type_code};
use super::{Dim, Layer, Network, Preference, Producer, SymbolSource, TensorIndex};
use crate::error::{Error, Result};
use crate::plugin::BoundPlugin;
use crate::shape::{MAX_RANK, ShapeExpr, Symbol, decode_exprs, encode_exprs};
use crate::tensor::DataType;

#[derive(Clone, PartialEq, prost::Message)]
struct Outline {
    #[prost(message, repeated, tag = "1")]
    inputs: Vec<InputOutline>,
    #[prost(message, repeated, tag = "2")]
    outputs: Vec<OutputOutline>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct InputOutline {
    /// Fixed extents; below 0 symbol -1 - n.
    #[prost(sint64, repeated, tag = "1")]
    dims: Vec<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OutputOutline {
    /// As ONNX numbers them.
    #[prost(int32, tag = "1")]
    dtype: i32,
    /// 0, or 1 + the input that it is updated in place over.
    #[prost(uint32, tag = "2")]
    in_place: u32,
    /// Its extents.
    #[prost(bytes = "vec", tag = "3")]
    shape: Vec<u8>,
    /// Of a size tensor.
    #[prost(message, optional, tag = "4")]
    size: Option<SizeOutline>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SizeOutline {
    #[prost(bytes = "vec", tag = "1")]
    opt: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    upper_bound: Vec<u8>,
}

impl Network {
    /// Keeps what is known of a network's only layer.
    ///
    /// # Errors
    /// When an input's dimension is neither fixed nor a symbol.
    pub(crate) fn outline(&self) -> Result<Vec<u8>> {
        let [layer] = self.layers.iter().as_slice() else { return Err(Error::invalid("an outline is of one layer")) };
        let input = |&tensor: &TensorIndex| {
            let dims =
                self.tensors[tensor].shape.iter().map(|extent| match (extent.constant_value(), extent.as_symbol()) {
                    (Some(extent), _) => Ok(extent),
                    (None, Some(symbol)) => Ok(-1 - i64::from(symbol.index)),
                    (None, None) => Err(Error::invalid(format_args!("an input's dimension is {extent}"))),
                });
            Ok(InputOutline { dims: dims.collect::<Result<_>>()? })
        };
        let output = |(output, &tensor): (usize, &TensorIndex)| {
            let size = layer.sizes[output].and_then(|symbol| self.symbols.get(symbol));
            let size = size.and_then(|def| match &def.source {
                SymbolSource::Size { opt, upper_bound, .. } => Some((opt, upper_bound)),
                SymbolSource::Dim(_) => None,
            });
            let kept = |(opt, upper): (&ShapeExpr, &ShapeExpr)| -> Result<SizeOutline> {
                Ok(SizeOutline { opt: encode_exprs([opt])?, upper_bound: encode_exprs([upper])? })
            };
            Ok(OutputOutline {
                dtype: type_code(self.tensors[tensor].dtype),
                in_place: layer.aliases[output].map_or(0, |input| input as u32 + 1),
                shape: encode_exprs(&self.tensors[tensor].shape)?,
                size: size.map(kept).transpose()?,
            })
        };
        let outline = Outline {
            inputs: layer.inputs.iter().map(input).collect::<Result<_>>()?,
            outputs: layer.outputs.iter().enumerate().map(output).collect::<Result<_>>()?,
        };
        Ok(outline.encode_to_vec())
    }

    /// The network of one layer that [`Network::outline`] kept, with inputs of these types.
    ///
    /// # Errors
    /// When the bytes are no outline, or one of another plugin.
    pub(crate) fn of_outline(
        bytes: &[u8],
        name: &str,
        bound: BoundPlugin,
        types: &[DataType],
        preference: Preference,
    ) -> Result<Network> {
        let wrong =
            |what: &str| Error::invalid(format_args!("what was kept of its shapes {what}: build the plan again"));
        let outline = Outline::decode(bytes).map_err(|_| wrong("can't be read"))?;
        let entry = &bound.plugin().entry;
        let counts = (outline.inputs.len(), outline.outputs.len());
        if counts != (entry.inputs.len(), entry.outputs) || types.len() != counts.0 {
            return Err(wrong("has other inputs or outputs than the plugin"));
        }
        let mut network = Network::new();
        let mut inputs = Vec::with_capacity(counts.0);
        for ((input, name), &dtype) in outline.inputs.iter().zip(entry.inputs).zip(types) {
            let dims = input
                .dims
                .iter()
                .map(|&dim| if dim < 0 { Dim::Named(format!("d{}", -1 - dim)) } else { Dim::Fixed(dim) });
            let id = network.add_input(name, dtype, dims).map_err(|_| wrong("has impossible dimensions"))?;
            inputs.push(network.index(id)?);
        }
        let symbols_hold = inputs.iter().zip(&outline.inputs).all(|(&tensor, input)| {
            let shape = &network.tensors[tensor].shape;
            // Symbols were numbered as they came.
            shape
                .iter()
                .zip(&input.dims)
                .all(|(expr, &dim)| dim >= 0 || expr.as_symbol().is_some_and(|s| i64::from(s.index) == -1 - dim))
        });
        if !symbols_hold {
            return Err(wrong("has symbols in another order"));
        }
        let mut layer = Layer {
            name: name.into(),
            bound,
            preference,
            inputs,
            outputs: Vec::new(),
            aliases: Vec::new(),
            sizes: Vec::new(),
        };
        network.add_outlined(&outline.outputs, &mut layer).map_err(|error| wrong(error.message()))?;
        network.layers.push(layer);
        Ok(network)
    }

    fn add_outlined(&mut self, outputs: &[OutputOutline], layer: &mut Layer) -> Result<()> {
        let invalid = |what: &str| Error::invalid(what);
        let position = self.layers.next();
        for (output, kept) in outputs.iter().enumerate() {
            let symbol = match &kept.size {
                None => None,
                Some(size) => {
                    let (opt, upper) = (self.one(&size.opt)?, self.one(&size.upper_bound)?);
                    Some(self.symbols.add_size(format!("{}.{output}", layer.name), (position, output), opt, upper).0)
                }
            };
            layer.sizes.push(symbol);
        }
        let symbols: Vec<Symbol> = self.symbols.iter().map(|def| def.symbol.clone()).collect();
        for (output, kept) in outputs.iter().enumerate() {
            let dtype = data_type(kept.dtype)?;
            let shape = decode_exprs(&kept.shape, &symbols)?;
            let is_size = layer.sizes[output].is_some();
            if shape.len() > MAX_RANK
                || (is_size && !(shape.is_empty() && matches!(dtype, DataType::Int32 | DataType::Int64)))
            {
                return Err(invalid("has an output that can't be"));
            }
            let alias = (kept.in_place as usize).checked_sub(1);
            let is_free = |input: usize| {
                let known = layer.inputs.get(input).is_some_and(|&tensor| self.tensors[tensor].shape == shape);
                known && !layer.aliases.contains(&Some(input))
            };
            if alias.is_some_and(|input| !is_free(input)) {
                return Err(invalid("has an output in the memory of another input"));
            }
            let label = Arc::from(format!("{}.{output}", layer.name));
            let tensor = self.add_tensor(label, dtype, shape, Producer::Layer { layer: position, output });
            layer.outputs.push(tensor);
            layer.aliases.push(alias);
        }
        Ok(())
    }

    /// One expression of the symbols so far.
    fn one(&self, bytes: &[u8]) -> Result<ShapeExpr> {
        let symbols: Vec<Symbol> = self.symbols.iter().map(|def| def.symbol.clone()).collect();
        match <[ShapeExpr; 1]>::try_from(decode_exprs(bytes, &symbols)?) {
            Ok([expr]) => Ok(expr),
            Err(_) => Err(Error::invalid("has several extents in one")),
        }
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "in the crate itself the attributes' link sections count as such")]
mod tests {
    use super::*;
    use crate::plugin::AttributeValue;
    use crate::prelude::*;

    /// Only `factor` is needed to run.
    #[register("outline_test::found", crate = crate)]
    fn found(x: &TensorDesc, y: &TensorDesc, more: i64, factor: f32) -> (TensorDesc, SizeTensorDesc, TensorDesc) {
        let count = size_tensor(x.shape_expr(0) / 2, x.shape_expr(0) * y.shape_expr(1) + more);
        (TensorDesc::from_shape_expr([count.expr(), 2.into()], DataType::Float16), count, y.aliased())
    }

    fn made(names: [&str; 3]) -> Network {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [names[0]]).unwrap();
        let dims = [Dim::Named(names[1].into()), Dim::Named(names[2].into()), Dim::Fixed(3)];
        let y = network.add_input("y", DataType::Float32, dims).unwrap();
        let attributes = [("more", AttributeValue::Int64(5)), ("factor", AttributeValue::Float32(0.5))];
        network.add_plugin_by_id("layer", "outline_test::found", 1, &[x, y], &attributes).unwrap();
        network
    }

    fn read(bytes: &[u8]) -> Result<Network> {
        let plugin = crate::plugin::Registry::global().unwrap().get("outline_test::found", 1).unwrap();
        let values: Vec<AttributeValue> = plugin.entry.attributes.iter().map(|schema| schema.ty.zero()).collect();
        let bound = BoundPlugin::new(plugin, values.into()).unwrap();
        Network::of_outline(bytes, "layer", bound, &[DataType::Float32; 2], Preference::Unspecified)
    }

    #[test]
    fn a_layer_is_as_it_was_without_the_attributes_that_its_shapes_came_of() {
        // As the dimensions are called when they are read.
        for names in [["d0", "d1", "d2"], ["d0", "d0", "d1"]] {
            let network = made(names);
            let again = read(&network.outline().unwrap()).unwrap();
            for (tensor, node) in network.tensors.entries() {
                let other = &again.tensors[tensor];
                assert_eq!((&node.shape, node.dtype), (&other.shape, other.dtype));
            }
            let ([a], [b]) = (network.layers.iter().as_slice(), again.layers.iter().as_slice()) else { panic!() };
            assert_eq!((&a.aliases, &a.sizes, &a.outputs), (&b.aliases, &b.sizes, &b.outputs));
            let sources =
                |network: &Network| format!("{:?}", network.symbols.iter().map(|def| &def.source).collect::<Vec<_>>());
            assert_eq!(sources(&network), sources(&again));
            assert_eq!(again.outline().unwrap(), network.outline().unwrap());
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = made(["a", "b", "c"]).outline().unwrap();
        for position in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[position] ^= flip;
                // What it says may be true of another layer; it mustn't panic.
                let _ = read(&changed);
            }
            let _ = read(&bytes[..position]);
        }
        assert!(read(&[]).unwrap_err().to_string().contains("build the plan again"));
        assert!(read(&[0xff; 9]).is_err());
    }
}
