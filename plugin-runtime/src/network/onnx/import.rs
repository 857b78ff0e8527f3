//! From a decoded model to a network.

use std::collections::{HashMap, HashSet};

use super::attribute::{Given, converted, given, kind_name, scalar};
use super::declared::{check_type, input_type};
use super::element_type;
use super::elements::{host_tensor, is_external};
use super::external::{ExternalData, Origin};
use super::flatten::{Flat, FlatNode, Source, flatten};
use super::order::order;
use super::proto::{AttributeKind, AttributeProto, GraphProto, ModelProto, StringStringEntryProto, TensorProto};
use super::recognize::{Kind, RESERVED, preference};
use super::text::{at, quoted, suggestion};
use crate::error::{Error, Result};
use crate::network::{Network, TensorId};
use crate::plugin::{AttributeValue, Plugin};
use crate::suggest::did_you_mean;
use crate::tensor::HostTensor;
use crate::wording::counted;

/// `origin` says where external data lies.
pub(super) fn import(model: &ModelProto, origin: Origin<'_>) -> Result<Network> {
    let Some(graph) = &model.graph else {
        return Err(Error::invalid("it has no graph: this isn't an ONNX model"));
    };
    if !graph.sparse_initializer.is_empty() {
        return Err(Error::invalid("it has sparse initializers, which aren't supported"));
    }
    if graph.output.is_empty() {
        return Err(Error::invalid("its graph has no output"));
    }
    let flat = flatten(model, graph)?;
    let order = order(&flat)?;
    let layer_names = layer_names(&flat)?;
    let mut importer = Importer::new(graph, &flat, origin);
    importer.inputs()?;
    importer.initializers()?;
    for index in order {
        let node = &flat.nodes[index];
        importer.node(node, &layer_names[index]).map_err(|e| at(node.label(), e))?;
    }
    importer.check_declared()?;
    importer.outputs()?;
    Ok(importer.network)
}

/// A name for each node, those of plugins not given twice.
fn layer_names(flat: &Flat<'_>) -> Result<Vec<String>> {
    let is_plugin = |node: &&FlatNode<'_>| matches!(node.kind, Kind::Plugin(_));
    let mut taken = HashSet::with_capacity(flat.nodes.len());
    for node in flat.nodes.iter().filter(is_plugin).filter(|node| node.is_named) {
        if !taken.insert(node.name.clone()) {
            return Err(Error::invalid(format_args!("two nodes are named {}", quoted(&node.name))));
        }
    }
    let name = |node: &FlatNode<'_>| {
        let mut name = node.name.clone();
        while !node.is_named && is_plugin(&node) && !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    Ok(flat.nodes.iter().map(name).collect())
}

struct Importer<'m, 'f> {
    graph: &'m GraphProto,
    flat: &'f Flat<'m>,
    network: Network,
    /// One for each value.
    tensors: Vec<Option<TensorId>>,
    external: ExternalData<'f>,
    /// Names of the graph's inputs and initializers.
    source_names: HashSet<&'m str>,
    output_names: HashSet<&'m str>,
    /// Constants made of Constant nodes, by the attribute that holds the value: inlining doesn't multiply them.
    node_constants: HashMap<*const AttributeProto, TensorId>,
}

impl<'m, 'f> Importer<'m, 'f> {
    fn new(graph: &'m GraphProto, flat: &'f Flat<'m>, origin: Origin<'f>) -> Self {
        let inputs = graph.input.iter().map(|i| i.name.as_str());
        let initializers = graph.initializer.iter().map(|i| i.name.as_str());
        Importer {
            graph,
            flat,
            network: Network::new(),
            tensors: vec![None; flat.values.len()],
            external: ExternalData::new(origin),
            source_names: inputs.chain(initializers).collect(),
            output_names: graph.output.iter().map(|o| o.name.as_str()).collect(),
            node_constants: HashMap::new(),
        }
    }

    fn inputs(&mut self) -> Result<()> {
        for (value, described) in self.flat.values.iter().enumerate() {
            let Source::Input(input) = described.source else { continue };
            let info = &self.graph.input[input];
            let in_input = |e: Error| at(format_args!("graph input {}", quoted(&info.name)), e);
            let (dtype, dims) = input_type(info).map_err(in_input)?;
            self.tensors[value] = Some(self.network.add_input(&info.name, dtype, dims).map_err(in_input)?);
        }
        Ok(())
    }

    /// Adds the initializers that something uses. External ones that are the same become one constant.
    fn initializers(&mut self) -> Result<()> {
        type Same<'m> = (Option<i32>, &'m [i64], &'m [StringStringEntryProto]);
        let mut used = vec![false; self.flat.values.len()];
        let outputs = self.graph.output.iter().filter_map(|o| self.flat.names.get(o.name.as_str()));
        let inputs = self.flat.nodes.iter().flat_map(|n| n.inputs.iter().flatten());
        inputs.chain(outputs).for_each(|&value| used[value] = true);
        let mut external: HashMap<Same<'m>, TensorId> = HashMap::new();
        for (value, described) in self.flat.values.iter().enumerate() {
            let Source::Initializer(index) = described.source else { continue };
            if !used[value] {
                continue;
            }
            let proto = &self.graph.initializer[index];
            let key: Same<'m> = (proto.data_type, &proto.dims, &proto.external_data);
            let known = external.get(&key).copied().filter(|_| is_external(proto));
            let tensor = known.map_or_else(|| self.initializer(proto), Ok);
            let tensor = tensor.map_err(|e| at(format_args!("initializer {}", quoted(&proto.name)), e))?;
            if is_external(proto) {
                external.insert(key, tensor);
            }
            self.tensors[value] = Some(tensor);
        }
        Ok(())
    }

    fn initializer(&mut self, proto: &TensorProto) -> Result<TensorId> {
        let data = self.constant_data(proto)?;
        self.add_constant(&proto.name, data)
    }

    fn constant_data(&mut self, proto: &TensorProto) -> Result<HostTensor> {
        if is_external(proto) { self.external.read(proto) } else { host_tensor(proto) }
    }

    /// Adds a constant, under another name where an output has this one or where it is a name inside of a function only.
    fn add_constant(&mut self, name: &str, data: HostTensor) -> Result<TensorId> {
        let mut free = name.to_owned();
        while self.output_names.contains(free.as_str())
            || self.network.check_free(&free).is_err()
            || (free != name && self.source_names.contains(free.as_str()))
        {
            free.push('_');
        }
        self.network.add_constant(&free, data)
    }

    fn node(&mut self, node: &FlatNode<'m>, layer_name: &str) -> Result<()> {
        match node.kind {
            Kind::Plugin(plugin) => self.plugin(node, plugin, layer_name),
            Kind::Identity => {
                let (input, output) = self.unary(node)?;
                self.tensors[output] = Some(input);
                Ok(())
            }
            Kind::Cast => {
                let (input, output) = self.unary(node)?;
                let before = self.network.tensors.len();
                let cast = self.network.cast(input, cast_type(node)?)?;
                if self.network.tensors.len() > before {
                    self.name(cast, output)?;
                }
                self.tensors[output] = Some(cast);
                Ok(())
            }
            Kind::Constant => self.constant_node(node),
        }
    }

    /// The input and output of a node that has one of each.
    fn unary(&self, node: &FlatNode<'_>) -> Result<(TensorId, usize)> {
        match (node.inputs.as_slice(), node.outputs.as_slice()) {
            (&[Some(input)], &[Some(output)]) => Ok((self.tensor(input)?, output)),
            (&[Some(_)], _) => Err(Error::invalid("it has to have one output")),
            (&[None], _) => Err(Error::invalid("its input is left out")),
            (inputs, _) => {
                Err(Error::invalid(format_args!("it has {}; one is expected", counted(inputs.len(), "input"))))
            }
        }
    }

    fn tensor(&self, value: usize) -> Result<TensorId> {
        let missing =
            || Error::invalid(format_args!("{} isn't made by anything", quoted(&self.flat.values[value].name)));
        self.tensors[value].ok_or_else(missing)
    }

    /// Gives a tensor the name that it has in the model.
    fn name(&mut self, tensor: TensorId, value: usize) -> Result<()> {
        let index = self.network.index(tensor)?;
        self.network.tensors[index].name = self.flat.values[value].name.as_ref().into();
        Ok(())
    }

    fn plugin(&mut self, node: &FlatNode<'m>, plugin: &'static Plugin, layer_name: &str) -> Result<()> {
        let entry = &plugin.entry;
        let mut inputs = Vec::with_capacity(entry.inputs.len());
        for (index, input) in without_trailing_none(&node.inputs, entry.inputs.len()).iter().enumerate() {
            let left_out = || {
                let name = entry.inputs.get(index).copied().unwrap_or_default();
                Error::invalid(format_args!("its input {index}, `{name}`, is left out, but plugins need every input"))
            };
            inputs.push(self.tensor(input.ok_or_else(left_out)?)?);
        }
        let outputs = without_trailing_none(&node.outputs, entry.outputs);
        if outputs.len() > entry.outputs {
            return Err(Error::invalid(format_args!(
                "it has {}, but plugin `{}` has {}",
                counted(outputs.len(), "output"),
                entry.id,
                entry.outputs
            )));
        }
        let preference = preference(plugin, &node.attributes)?;
        let attributes = plugin_attributes(plugin, node)?;
        let made = self.network.add_plugin_by_id(layer_name, entry.id, entry.version, &inputs, &attributes)?;
        if let Some(layer) = self.network.layers.last_mut() {
            layer.preference = preference;
        }
        for (tensor, value) in made.into_iter().zip(outputs) {
            let Some(value) = *value else { continue };
            self.name(tensor, value)?;
            self.tensors[value] = Some(tensor);
        }
        Ok(())
    }

    fn constant_node(&mut self, node: &FlatNode<'m>) -> Result<()> {
        let &[Some(output)] = node.outputs.as_slice() else {
            return Err(Error::invalid("it has to have one output"));
        };
        let &[(name, attribute)] = node.attributes.as_slice() else {
            return Err(Error::invalid(format_args!(
                "it has {}; one is expected, of: {}",
                counted(node.attributes.len(), "attribute"),
                CONSTANT_ATTRIBUTES.join(", ")
            )));
        };
        let tensor = match self.node_constants.get(&std::ptr::from_ref(attribute)) {
            Some(&tensor) => tensor,
            None => {
                let data = self.constant_value(name, attribute);
                let data = data.map_err(|e| at(format_args!("attribute {}", quoted(name)), e))?;
                let tensor = self.add_constant(&self.flat.values[output].name, data)?;
                self.node_constants.insert(attribute, tensor);
                tensor
            }
        };
        self.tensors[output] = Some(tensor);
        Ok(())
    }

    fn constant_value(&mut self, name: &str, attribute: &AttributeProto) -> Result<HostTensor> {
        let kind = AttributeKind::try_from(attribute.r#type).unwrap_or(AttributeKind::Undefined);
        match (name, kind) {
            ("value", AttributeKind::Tensor) => {
                let tensor = attribute.t.as_deref();
                self.constant_data(tensor.ok_or_else(|| Error::invalid("it is marked TENSOR, but holds none"))?)
            }
            ("value_int", AttributeKind::Int) => HostTensor::from_slice(&[scalar(attribute, attribute.i)?], &[]),
            ("value_float", AttributeKind::Float) => HostTensor::from_slice(&[scalar(attribute, attribute.f)?], &[]),
            ("value_ints", AttributeKind::Ints) => {
                HostTensor::from_slice(&attribute.ints, &[attribute.ints.len() as i64])
            }
            ("value_floats", AttributeKind::Floats) => {
                HostTensor::from_slice(&attribute.floats, &[attribute.floats.len() as i64])
            }
            _ if CONSTANT_ATTRIBUTES.contains(&name) => {
                Err(Error::invalid(format_args!("it is {}, which doesn't fit it", kind_name(attribute.r#type))))
            }
            _ => Err(Error::invalid(format_args!("it isn't supported; these are: {}", CONSTANT_ATTRIBUTES.join(", ")))),
        }
    }

    /// What the model says of types and shapes has to be what follows from its nodes.
    fn check_declared(&self) -> Result<()> {
        for info in self.graph.input.iter().chain(&self.graph.value_info).chain(&self.graph.output) {
            let Some(&value) = self.flat.names.get(info.name.as_str()) else { continue };
            let Some(tensor) = self.tensors[value] else { continue };
            let node = &self.network.tensors[self.network.index(tensor)?];
            check_type(info, node.dtype, &node.shape).map_err(|e| {
                let made = match self.flat.values[value].source {
                    Source::Node(index) => format!(", made by {}", self.flat.nodes[index].label()),
                    _ => String::new(),
                };
                at(format_args!("value {}{made}", quoted(&info.name)), e)
            })?;
        }
        Ok(())
    }

    fn outputs(&mut self) -> Result<()> {
        for info in &self.graph.output {
            let name = info.name.as_str();
            let output = || format!("graph output {}", quoted(name));
            let Some(&value) = self.flat.names.get(name) else {
                let near = suggestion(name, self.flat.names.keys().copied());
                return Err(at(output(), Error::invalid(format_args!("no node makes it{near}"))));
            };
            if let Source::Input(_) = self.flat.values[value].source {
                return Err(at(output(), Error::invalid("it is an input too: put an Identity node in between")));
            }
            let tensor = self.tensor(value).map_err(|e| at(output(), e))?;
            self.network.mark_output(tensor, name).map_err(|e| at(output(), e))?;
        }
        Ok(())
    }
}

const CONSTANT_ATTRIBUTES: [&str; 5] = ["value", "value_int", "value_ints", "value_float", "value_floats"];

fn without_trailing_none(mut values: &[Option<usize>], wanted: usize) -> &[Option<usize>] {
    while let [rest @ .., None] = values
        && rest.len() >= wanted
    {
        values = rest;
    }
    values
}

fn plugin_attributes(plugin: &Plugin, node: &FlatNode<'_>) -> Result<Vec<(&'static str, AttributeValue)>> {
    let schema = plugin.entry.attributes;
    let mut attributes = Vec::with_capacity(schema.len());
    for (name, attribute) in node.attributes.iter().filter(|(name, _)| !RESERVED.contains(name)) {
        let Some(registered) = schema.iter().find(|a| a.name == *name) else {
            return Err(Error::invalid(format_args!(
                "plugin `{}` has no attribute {}{}",
                plugin.label(),
                quoted(name),
                did_you_mean(name, schema.iter().map(|a| a.name))
            )));
        };
        let value = given(attribute).and_then(|given| converted(&given, registered.ty));
        attributes.push((registered.name, value.map_err(|e| at(format_args!("attribute `{}`", registered.name), e))?));
    }
    Ok(attributes)
}

fn cast_type(node: &FlatNode<'_>) -> Result<crate::tensor::DataType> {
    let mut to = None;
    for (name, attribute) in &node.attributes {
        match (*name, given(attribute)) {
            ("to", Ok(Given::Int(code))) => to = Some(i32::try_from(code).unwrap_or(i32::MAX)),
            // Both are about narrow floats, which saturate here.
            ("saturate", Ok(Given::Int(1))) | ("round_mode", _) => {}
            ("saturate", _) => return Err(Error::invalid("`saturate` is 1 in all that is supported")),
            _ => return Err(Error::invalid(format_args!("attribute {} isn't supported or has no INT", quoted(name)))),
        }
    }
    let code = to.ok_or_else(|| Error::invalid("its attribute `to`, the element type, is missing"))?;
    element_type::data_type(code).map_err(|e| at("attribute `to`", e))
}
