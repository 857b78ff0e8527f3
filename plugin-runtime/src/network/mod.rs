//! The graph: inputs, constants, plugin layers and outputs, with the shapes that follow from each other.

mod bounds;
mod descs;
mod infer;
mod inspect;
#[cfg(feature = "onnx")]
pub mod onnx;
mod op;
#[cfg(feature = "tensorrt")]
mod outline;
mod symbols;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};
use crate::plugin::{AttributeValue, BoundPlugin, Plugin, Registry};
use crate::shape::{MAX_RANK, ShapeExpr, into_list, into_list_of_tuple};
use crate::suggest::did_you_mean;
use crate::table::{Index, Table};
use crate::tensor::{DataType, HostTensor};
use crate::wording::counted;

pub(crate) use bounds::{At, Bounds, Point, checked_dims, dims_at, largest_dims, range};
pub(crate) use descs::data_dependent;
#[cfg(feature = "tensorrt")]
pub(crate) use infer::attribute_values;
pub use inspect::{LayerSummary, NetworkSummary, OutputSummary, TensorSummary};
pub use op::{IntoOp, Op, Preference, Preferring};
pub(crate) use symbols::{SymbolDef, SymbolIndex, SymbolSource, Symbols};

/// A tensor's position in its network.
pub(crate) type TensorIndex = Index<TensorNode>;
/// A layer's position in its network.
pub(crate) type LayerIndex = Index<Layer>;

/// A tensor of a network.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TensorId {
    network: u32,
    index: TensorIndex,
}

/// One dimension of a network input.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Dim {
    /// A fixed extent.
    Fixed(i64),
    /// An extent that each run gives, within an optimization profile.
    Dynamic,
    /// The same; dimensions of one name have one extent.
    Named(String),
}

impl From<i64> for Dim {
    /// -1 is [`Dim::Dynamic`].
    fn from(extent: i64) -> Self {
        if extent == -1 { Dim::Dynamic } else { Dim::Fixed(extent) }
    }
}

impl From<i32> for Dim {
    fn from(extent: i32) -> Self {
        i64::from(extent).into()
    }
}

impl From<&str> for Dim {
    fn from(name: &str) -> Self {
        Dim::Named(name.into())
    }
}

impl From<usize> for Dim {
    /// An extent beyond 64 bits with sign can't be; it is refused as negative.
    fn from(extent: usize) -> Self {
        Dim::Fixed(i64::try_from(extent).unwrap_or(i64::MIN))
    }
}

impl From<&i64> for Dim {
    fn from(extent: &i64) -> Self {
        (*extent).into()
    }
}

/// What an input's extents may be: anything that is iterated over, or a tuple of up to 8 numbers and names:
/// `("rows", 64)`. `M` is found by the compiler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a list of extents",
    label = "write an array `[-1, 64]`, or a tuple `(\"rows\", 64)` where numbers and names mix"
)]
pub trait IntoDims<M> {
    /// The extents, first to last.
    fn into_dims(self) -> Vec<Dim>;
}

into_list!(IntoDims, into_dims, Dim, [Into<Dim>], into);

/// Where a tensor comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Producer {
    Input(usize),
    Constant(usize),
    Layer {
        layer: LayerIndex,
        output: usize,
    },
    /// The same elements, in another type.
    Cast(TensorIndex),
}

#[derive(Clone, Debug)]
pub(crate) struct TensorNode {
    pub(crate) name: Arc<str>,
    pub(crate) dtype: DataType,
    pub(crate) shape: Vec<ShapeExpr>,
    pub(crate) producer: Producer,
}

/// A plugin in a network.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) name: Arc<str>,
    pub(crate) bound: BoundPlugin,
    /// Whether its impl or its AOT kernels run.
    pub(crate) preference: Preference,
    pub(crate) inputs: Vec<TensorIndex>,
    pub(crate) outputs: Vec<TensorIndex>,
    /// For each output, the input whose memory it shares.
    pub(crate) aliases: Vec<Option<usize>>,
    /// For each output that is a size tensor, its symbol.
    pub(crate) sizes: Vec<Option<SymbolIndex>>,
}

impl Layer {
    pub(crate) fn plugin(&self) -> &'static Plugin {
        self.bound.plugin()
    }
}

/// A network of plugins. Shapes are inferred as it is made.
#[derive(Clone, Debug)]
pub struct Network {
    id: u32,
    pub(crate) tensors: Table<TensorNode>,
    pub(crate) inputs: Vec<TensorIndex>,
    pub(crate) constants: Vec<HostTensor>,
    pub(crate) layers: Table<Layer>,
    pub(crate) outputs: Vec<(TensorIndex, Arc<str>)>,
    pub(crate) symbols: Symbols,
    binding_names: HashSet<Arc<str>>,
    layer_names: HashSet<Arc<str>>,
}

impl Default for Network {
    fn default() -> Self {
        Network::new()
    }
}

impl Network {
    /// An empty network.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Network {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            tensors: Table::new(),
            inputs: Vec::new(),
            constants: Vec::new(),
            layers: Table::new(),
            outputs: Vec::new(),
            symbols: Symbols::default(),
            binding_names: HashSet::new(),
            layer_names: HashSet::new(),
        }
    }

    /// Adds an input. An extent of -1 is dynamic: a profile gives its range; a name (`"batch"`) does the same and is
    /// equal wherever it stands.
    ///
    /// # Errors
    /// When the name is taken, an extent is below -1, or there are more than 8.
    pub fn add_input<M>(&mut self, name: &str, dtype: DataType, dims: impl IntoDims<M>) -> Result<TensorId> {
        self.check_free(name)?;
        let dims = dims.into_dims();
        if dims.len() > MAX_RANK {
            return Err(Error::invalid(format_args!(
                "input `{name}` has {} dimensions; at most {MAX_RANK} are possible",
                dims.len()
            )));
        }
        if let Some(Dim::Fixed(extent)) = dims.iter().find(|d| matches!(d, Dim::Fixed(n) if *n < 0)) {
            return Err(Error::invalid(format_args!(
                "input `{name}` has a dimension of {extent}; write -1 for a dynamic one"
            )));
        }
        let input = self.inputs.len();
        let shape = dims
            .iter()
            .enumerate()
            .map(|(axis, dim)| match dim {
                Dim::Fixed(extent) => ShapeExpr::constant(*extent),
                Dim::Dynamic => self.symbols.add_dim(format!("{name}.d{axis}"), input, axis),
                Dim::Named(dim) => self.symbols.named_dim(dim, input, axis),
            })
            .collect();
        let tensor = self.add_tensor(name.into(), dtype, shape, Producer::Input(input));
        self.inputs.push(tensor);
        self.binding_names.insert(name.into());
        Ok(self.handle(tensor))
    }

    /// Adds a constant.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn add_constant(&mut self, name: &str, value: HostTensor) -> Result<TensorId> {
        self.check_free(name)?;
        let shape = value.shape().iter().map(|&d| ShapeExpr::constant(d)).collect();
        let producer = Producer::Constant(self.constants.len());
        let tensor = self.add_tensor(name.into(), value.dtype(), shape, producer);
        self.constants.push(value);
        self.binding_names.insert(name.into());
        Ok(self.handle(tensor))
    }

    /// Adds a plugin, and infers the types and shapes of its outputs.
    ///
    /// # Errors
    /// When the plugin isn't linked, or its `register` function refuses the inputs.
    pub fn add_plugin<const N: usize>(&mut self, op: impl IntoOp<N>) -> Result<[TensorId; N]> {
        let op = op.into_op();
        let name = self.free_layer_name(op.id);
        self.add_typed(name, op)
    }

    /// As [`Network::add_plugin`], with a name for the layer.
    ///
    /// # Errors
    /// As [`Network::add_plugin`], or when another layer has this name.
    pub fn add_named_plugin<const N: usize>(&mut self, name: &str, op: impl IntoOp<N>) -> Result<[TensorId; N]> {
        self.check_layer_name(name)?;
        self.add_typed(name.into(), op.into_op())
    }

    /// Adds a plugin by its id, with attributes by name; those that have a default may be left out.
    ///
    /// # Errors
    /// When the plugin isn't linked, an input or attribute is missing, unknown or of the wrong type, or the `register`
    /// function refuses.
    pub fn add_plugin_by_id(
        &mut self,
        name: &str,
        id: &str,
        version: u32,
        inputs: &[TensorId],
        attributes: &[(&str, AttributeValue)],
    ) -> Result<Vec<TensorId>> {
        self.check_layer_name(name)?;
        let plugin = Registry::global()?.get(id, version)?;
        let values = infer::attribute_values(plugin, attributes)?;
        self.add_layer(name.into(), plugin, inputs, &values)
    }

    /// Says whether the impl or the AOT kernels of a layer run, as [`IntoOp::prefer_aot`] and the like do.
    ///
    /// # Errors
    /// When there is no layer of this name.
    pub fn set_preference(&mut self, layer: &str, preference: Preference) -> Result<()> {
        let Some(found) = self.layers.iter_mut().find(|l| &*l.name == layer) else {
            let nearest = did_you_mean(layer, self.layers.iter().map(|l| &*l.name));
            return Err(Error::invalid(format_args!("the network has no layer `{layer}`{nearest}")));
        };
        found.preference = preference;
        Ok(())
    }

    /// A tensor's elements in another type; the tensor itself where that is its own. Floats lose their fraction on the
    /// way to integers; what doesn't fit the new type becomes the nearest that does, and NaN 0 or false; what isn't
    /// zero is true.
    ///
    /// # Errors
    /// When the tensor belongs to another network.
    pub fn cast(&mut self, tensor: TensorId, dtype: DataType) -> Result<TensorId> {
        let source = self.index(tensor)?;
        let node = &self.tensors[source];
        if node.dtype == dtype {
            return Ok(tensor);
        }
        let (name, shape) = (format!("{} as {dtype}", node.name), node.shape.clone());
        let cast = self.add_tensor(name.into(), dtype, shape, Producer::Cast(source));
        Ok(self.handle(cast))
    }

    /// Makes a tensor an output of the network.
    ///
    /// # Errors
    /// When the name is taken or the tensor belongs to another network.
    pub fn mark_output(&mut self, tensor: TensorId, name: &str) -> Result<()> {
        let tensor = self.index(tensor)?;
        self.check_free(name)?;
        self.outputs.push((tensor, name.into()));
        self.binding_names.insert(name.into());
        Ok(())
    }

    /// A tensor's element type.
    ///
    /// # Errors
    /// When the tensor belongs to another network.
    pub fn dtype(&self, tensor: TensorId) -> Result<DataType> {
        Ok(self.tensors[self.index(tensor)?].dtype)
    }

    /// A tensor's shape, as expressions of the inputs' dynamic dimensions and of size tensors.
    ///
    /// # Errors
    /// When the tensor belongs to another network.
    pub fn shape(&self, tensor: TensorId) -> Result<&[ShapeExpr]> {
        Ok(&self.tensors[self.index(tensor)?].shape)
    }

    fn add_typed<const N: usize>(&mut self, name: String, op: Op) -> Result<[TensorId; N]> {
        let plugin = Registry::global()?.get(op.id, op.version)?;
        let outputs = self.add_layer(name, plugin, &op.inputs, &op.attributes)?;
        if let Some(layer) = self.layers.last_mut() {
            layer.preference = op.preference;
        }
        outputs.try_into().map_err(|outputs: Vec<TensorId>| {
            Error::invalid(format_args!("`{}` has {}, not {N}", plugin.label(), counted(outputs.len(), "output")))
        })
    }

    pub(crate) fn add_layer(
        &mut self,
        name: String,
        plugin: &'static Plugin,
        inputs: &[TensorId],
        attributes: &[AttributeValue],
    ) -> Result<Vec<TensorId>> {
        let inputs = inputs.iter().map(|&t| self.index(t)).collect::<Result<Vec<_>>>()?;
        let name: Arc<str> = name.into();
        let (bound, inferred) = infer::infer(self, &name, plugin, &inputs, attributes)?;
        let layer = self.layers.next();
        let mut outputs = Vec::with_capacity(inferred.outputs.len());
        for (output, desc) in inferred.outputs.into_iter().enumerate() {
            let label = format!("{name}.{output}").into();
            outputs.push(self.add_tensor(label, desc.0, desc.1, Producer::Layer { layer, output }));
        }
        let handles = outputs.iter().map(|&t| self.handle(t)).collect();
        self.layer_names.insert(name.clone());
        self.layers.push(Layer {
            name,
            bound,
            preference: Preference::Unspecified,
            inputs,
            outputs,
            aliases: inferred.aliases,
            sizes: inferred.sizes,
        });
        Ok(handles)
    }

    fn add_tensor(
        &mut self,
        name: Arc<str>,
        dtype: DataType,
        shape: Vec<ShapeExpr>,
        producer: Producer,
    ) -> TensorIndex {
        self.tensors.push(TensorNode { name, dtype, shape, producer })
    }

    fn handle(&self, tensor: TensorIndex) -> TensorId {
        TensorId { network: self.id, index: tensor }
    }

    fn index(&self, tensor: TensorId) -> Result<TensorIndex> {
        if tensor.network == self.id && tensor.index < self.tensors.next() {
            return Ok(tensor.index);
        }
        Err(Error::invalid("a tensor of another network was used"))
    }

    fn check_free(&self, name: &str) -> Result<()> {
        if self.binding_names.contains(name) {
            return Err(Error::invalid(format_args!(
                "the network has another input, constant or output named `{name}`"
            )));
        }
        Ok(())
    }

    fn check_layer_name(&self, name: &str) -> Result<()> {
        if self.layer_names.contains(name) {
            return Err(Error::invalid(format_args!("the network has another layer named `{name}`")));
        }
        Ok(())
    }

    fn free_layer_name(&self, id: &str) -> String {
        let base = id.rsplit("::").next().unwrap_or(id);
        let mut name = format!("{base}_{}", self.layers.len());
        while self.check_layer_name(&name).is_err() {
            name.push('_');
        }
        name
    }
}
