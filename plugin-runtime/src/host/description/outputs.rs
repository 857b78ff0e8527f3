//! The outputs of one plugin as JSON.

use super::expressions::Nodes;
use super::json::Json;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::host::attributes::{of_python, plugin_of};
use crate::host::{Node, only_layer};
use crate::network::onnx::Given;
use crate::network::{Dim, Layer, Network, Preference, SymbolSource, data_dependent};
use crate::tensor::DataType;

/// What is known of a plugin's inputs and attributes.
pub(super) struct Request<'r> {
    pub(super) id: &'r str,
    /// The newest if it is 0.
    pub(super) version: u32,
    pub(super) inputs: Vec<(DataType, &'r [i64])>,
    pub(super) attributes: Vec<(&'r str, Given<'r>)>,
}

impl Request<'_> {
    /// # Errors
    /// When the plugin isn't linked, or refuses.
    pub(super) fn answer(&self) -> Result<Json> {
        let plugin = plugin_of(self.id, Some(self.version).filter(|version| *version > 0))?;
        let name = plugin.entry.id.rsplit("::").next().unwrap_or(plugin.entry.id);
        let node = Node {
            name: name.into(),
            plugin,
            attributes: of_python(plugin, &self.attributes)?,
            device: Device::cpu(),
            preference: Preference::Unspecified,
            inputs: self.inputs.iter().map(|(dtype, _)| *dtype).collect(),
        };
        let dims: Vec<Vec<Dim>> =
            self.inputs.iter().map(|(_, extents)| extents.iter().map(|extent| dim(*extent)).collect()).collect();
        let network = node.network(&dims)?;
        describe(&network, only_layer(&network)?).map_err(|error| node.failed(error))
    }
}

fn dim(extent: i64) -> Dim {
    match extent {
        -1 => Dim::Dynamic,
        0.. => Dim::Fixed(extent),
        class => Dim::Named(class.to_string()),
    }
}

fn describe(network: &Network, layer: &Layer) -> Result<Json> {
    let sizes: Vec<usize> = layer.sizes.iter().enumerate().filter_map(|(output, size)| size.map(|_| output)).collect();
    let mut nodes = Nodes::new(network, &sizes);
    let mut outputs = Vec::with_capacity(layer.outputs.len());
    for (output, &tensor) in layer.outputs.iter().enumerate() {
        let tensor = &network.tensors[tensor];
        let shape = tensor.shape.iter().map(|extent| nodes.add(extent)).collect::<Result<Vec<Json>>>()?;
        let size = sizes.iter().position(|size| *size == output);
        outputs.push(Json::Object(vec![
            ("dtype", Json::text(tensor.dtype.name())),
            ("shape", Json::List(shape)),
            ("alias", Json::or_null(layer.aliases[output], Json::index)),
            ("size", Json::or_null(size, Json::index)),
            ("data_dependent", Json::Bool(tensor.shape.iter().any(data_dependent))),
        ]));
    }
    let mut described = Vec::with_capacity(sizes.len());
    for &output in &sizes {
        let symbol = layer.sizes[output].and_then(|symbol| network.symbols.get(symbol));
        let Some(SymbolSource::Size { opt, upper_bound, .. }) = symbol.map(|symbol| &symbol.source) else {
            return Err(Error::invalid(format_args!("output {output} is no size tensor")));
        };
        let (opt, upper_bound) = (nodes.add(opt)?, nodes.add(upper_bound)?);
        described.push(Json::Object(vec![("output", Json::index(output)), ("opt", opt), ("upper_bound", upper_bound)]));
    }
    let nodes = nodes.into_json();
    Ok(Json::Object(vec![("nodes", nodes), ("outputs", Json::List(outputs)), ("sizes", Json::List(described))]))
}
