//! From a network to a model that holds it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::attribute::{int, string, to_proto};
use super::element_type::code;
use super::elements;
use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::recognize::RESERVED;
use crate::error::{Error, LayerContext, Result};
use crate::network::{Layer, Network, Preference, Producer, TensorIndex, TensorNode};
use crate::shape::ShapeExpr;
use crate::table::Table;

/// The first version of the file format that has all our element types.
const IR_VERSION: i64 = 10;
/// The first version of ONNX's own operators that takes all of them.
const OPSET_VERSION: i64 = 21;
/// A shape expression longer than this isn't written down as a dimension.
const LONGEST_DIM: usize = 200;

pub(super) fn export(network: &Network) -> Result<ModelProto> {
    let mut exporter = Exporter::new(network);
    let mut graph = GraphProto { name: Some("network".into()), ..GraphProto::default() };
    graph.input = network.inputs.iter().map(|&tensor| exporter.value_info(tensor, &exporter.names[tensor])).collect();
    for (tensor, node) in network.tensors.entries() {
        match node.producer {
            Producer::Input(_) => {}
            Producer::Constant(index) => {
                let constant = elements::to_proto(&exporter.names[tensor], &network.constants[index]);
                graph.initializer.push(constant);
            }
            Producer::Layer { layer, output: 0 } => graph.node.push(exporter.layer(&network.layers[layer])?),
            Producer::Layer { .. } => {}
            Producer::Cast(source) => {
                let mut cast = exporter.unary("Cast", source, exporter.names[tensor].clone());
                cast.attribute.push(int("to", code(node.dtype).into()));
                graph.node.push(cast);
            }
        }
        if matches!(node.producer, Producer::Layer { .. } | Producer::Cast(_)) && !exporter.is_output[tensor] {
            graph.value_info.push(exporter.value_info(tensor, &exporter.names[tensor]));
        }
    }
    for (tensor, name) in &network.outputs {
        graph.output.push(exporter.value_info(*tensor, name));
        if exporter.names[*tensor] != *name {
            let identity = exporter.unary("Identity", *tensor, name.clone());
            graph.node.push(identity);
        }
    }
    let own = OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET_VERSION) };
    let plugins = exporter.namespaces();
    let plugins = plugins.map(|(n, version)| OperatorSetIdProto { domain: Some(n.into()), version: Some(version) });
    Ok(ModelProto {
        ir_version: Some(IR_VERSION),
        opset_import: [own].into_iter().chain(plugins).collect(),
        producer_name: Some(env!("CARGO_PKG_NAME").into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        graph: Some(graph),
        functions: Vec::new(),
    })
}

/// How a node says what [`preference`](super::recognize::preference) reads.
fn aot_attributes(preference: Preference) -> Vec<AttributeProto> {
    let Some(aot) = preference.aot() else { return Vec::new() };
    let preferred = (!preference.insists()).then(|| int("aot_preferred", 1));
    [int("aot", aot.into())].into_iter().chain(preferred).collect()
}

struct Exporter<'n> {
    network: &'n Network,
    /// The name of each tensor in the model: that of the output it is, else its own, made unique.
    names: Table<TensorNode, Arc<str>>,
    is_output: Table<TensorNode, bool>,
    /// The name of each symbol as a dimension.
    symbols: Vec<Arc<str>>,
    node_names: Names,
}

/// Names that are taken.
#[derive(Default)]
struct Names {
    taken: HashSet<Arc<str>>,
    /// How often a name that was taken was asked for.
    repeated: HashMap<Arc<str>, usize>,
}

impl Names {
    fn new(taken: HashSet<Arc<str>>) -> Self {
        Names { taken, repeated: HashMap::new() }
    }

    fn take(&mut self, name: Arc<str>) -> Arc<str> {
        if self.taken.insert(name.clone()) {
            return name;
        }
        let repeated = self.repeated.entry(name.clone()).or_default();
        loop {
            *repeated += 1;
            let free: Arc<str> = format!("{name}_{repeated}").into();
            if self.taken.insert(free.clone()) {
                return free;
            }
        }
    }
}

impl<'n> Exporter<'n> {
    fn new(network: &'n Network) -> Self {
        let mut as_output: Table<TensorNode, Option<Arc<str>>> = network.tensors.map(|_| None);
        for (tensor, name) in &network.outputs {
            let made = matches!(network.tensors[*tensor].producer, Producer::Layer { .. } | Producer::Cast(_));
            if made {
                as_output[*tensor].get_or_insert_with(|| name.clone());
            }
        }
        let mut taken = Names::new(network.binding_names.clone());
        let name = |(tensor, node): (TensorIndex, &TensorNode)| match (&as_output[tensor], node.producer) {
            (Some(name), _) => name.clone(),
            (None, Producer::Input(_) | Producer::Constant(_)) => node.name.clone(),
            (None, _) => taken.take(node.name.clone()),
        };
        let mut dims = Names::default();
        Exporter {
            network,
            names: network.tensors.entries().map(name).collect(),
            is_output: as_output.map(Option::is_some),
            symbols: network.symbols.iter().map(|def| dims.take(def.symbol.name.clone())).collect(),
            node_names: Names::new(network.layer_names.clone()),
        }
    }

    /// The plugins' namespaces, each with the newest version of a plugin: that of the domain, to other engines.
    fn namespaces(&self) -> impl Iterator<Item = (&'static str, i64)> + use<> {
        let mut namespaces = BTreeMap::new();
        for layer in &self.network.layers {
            let entry = &layer.plugin().entry;
            let newest = namespaces.entry(namespace_and_name(entry.id).0).or_insert(1);
            *newest = i64::from(entry.version).max(*newest);
        }
        namespaces.into_iter()
    }

    fn layer(&self, layer: &Layer) -> Result<NodeProto> {
        let entry = &layer.plugin().entry;
        let (namespace, name) = namespace_and_name(entry.id);
        let names = |tensors: &[TensorIndex]| tensors.iter().map(|&t| self.names[t].to_string()).collect();
        if let Some(attribute) = entry.attributes.iter().find(|a| RESERVED.contains(&a.name)) {
            return Err(Error::invalid(format_args!(
                "the attribute `{}` has a meaning of its own in ONNX: rename it",
                attribute.name
            ))
            .in_layer(LayerContext::new(&layer.name, &layer.plugin().label())));
        }
        let mut attribute =
            vec![string("plugin_namespace", namespace), string("plugin_version", &entry.version.to_string())];
        attribute.extend(aot_attributes(layer.preference));
        attribute
            .extend(entry.attributes.iter().zip(&**layer.bound.values()).map(|(a, value)| to_proto(a.name, value)));
        Ok(NodeProto {
            input: names(&layer.inputs),
            output: names(&layer.outputs),
            name: layer.name.to_string(),
            op_type: name.into(),
            domain: namespace.into(),
            attribute,
            ..NodeProto::default()
        })
    }

    fn unary(&mut self, op: &str, input: TensorIndex, output: Arc<str>) -> NodeProto {
        NodeProto {
            input: vec![self.names[input].to_string()],
            output: vec![output.to_string()],
            name: self.node_names.take(format!("{op}_{output}").into()).to_string(),
            op_type: op.into(),
            ..NodeProto::default()
        }
    }

    fn value_info(&self, tensor: TensorIndex, name: &str) -> ValueInfoProto {
        let TensorNode { dtype, shape, .. } = &self.network.tensors[tensor];
        let shape = TensorShapeProto { dim: shape.iter().map(|expr| self.dimension(expr)).collect() };
        let tensor_type = TensorTypeProto { elem_type: Some(code(*dtype)), shape: Some(shape) };
        ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
    }

    fn dimension(&self, expr: &ShapeExpr) -> DimensionProto {
        if let Some(extent) = expr.constant_value() {
            return DimensionProto { dim_value: Some(extent), dim_param: None };
        }
        let name: Cow<'_, str> = match expr.as_symbol() {
            Some(symbol) => (&*self.symbols[symbol.index as usize]).into(),
            None => expr.to_string().into(),
        };
        DimensionProto { dim_value: None, dim_param: (name.len() <= LONGEST_DIM).then(|| name.into_owned()) }
    }
}

/// The parts of a plugin's id.
fn namespace_and_name(id: &'static str) -> (&'static str, &'static str) {
    id.split_once("::").unwrap_or(("", id))
}
