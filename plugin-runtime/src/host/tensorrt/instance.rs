//! A plugin with its attributes, as a node of the host: what the host asks of it while it builds.

use std::ffi::CString;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::abi::{DynamicDesc, FieldCollection, Severity, TensorDesc};
use super::arguments::{dims, impossible, laid_out};
use super::attributes::{Attributes, OwnFields, of_preference};
use super::creator::Names;
use super::described::{Described, of_any_shape};
use super::log;
use super::running::Running;
use super::shapes::{Exprs, Extent};
use super::types::type_number;
use crate::device::Device;
use crate::error::{Error, LayerContext, Result};
use crate::host::{Node, implementation, only_layer};
use crate::network::{Dim, Network, Preference, SymbolSource, range};
use crate::plugin::combination::{Combination, MAX_TACTICS};
use crate::plugin::{AttributeValue, BoundPlugin, Implementation, Plugin};
use crate::shape::Interval;
use crate::tactic::{kernels_checksum, values_text};
use crate::tensor::DataType;

/// A plugin with its attributes, as a node of the host: what all copies of it share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) names: &'static Names,
    pub(super) name: Arc<str>,
    pub(super) attributes: Attributes,
    pub(super) preference: Preference,
    /// What a plan kept of shapes, where one made it.
    outline: Option<Vec<u8>>,
    /// What a plan keeps, as far as nothing is known of shapes.
    fields: OwnFields,
    pub(super) timing_cache_id: CString,
    pub(super) metadata: CString,
    /// The first tactic that has a name, or 0.
    first_tactic: i32,
}

/// What the host said so far.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// The network's own types of the inputs.
    types: Option<Vec<DataType>>,
    /// What the host was told of the outputs' types.
    outputs: Option<Vec<DataType>>,
    described: Option<Arc<Described>>,
    /// Those of the combination that the host configured last.
    tactics: Vec<i32>,
    /// What a plan keeps, the newest last; the host may still read the others.
    kept: Vec<Arc<OwnFields>>,
}

/// What a plan keeps: where something is known of shapes, the attributes that the impl reads, else all.
fn kept(
    plugin: &'static Plugin,
    attributes: &Attributes,
    preference: Preference,
    outline: Option<&[u8]>,
) -> Result<OwnFields> {
    let reads = match implementation(plugin, preference) {
        Ok(Implementation::Impl(entry)) => outline.map(|_| entry.attributes),
        // What describes kernels may read all.
        _ => None,
    };
    let preferences = of_preference(preference);
    let is_kept = |(name, _): &&(&'static str, AttributeValue)| reads.is_none_or(|reads| reads.contains(name));
    let values = attributes.iter().filter(is_kept).chain(&preferences).map(|(name, value)| (*name, value));
    OwnFields::of_values(values, outline.filter(|_| reads.is_some()))
}

/// One of the host's copies of a plugin.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) shared: Arc<Shared>,
    asked: Mutex<Asked>,
    tactic: AtomicI32,
    /// What runs where the host chose none: the first that is listed, or has a name.
    first: AtomicI32,
    /// Only one thread at a time runs it, so this is never waited for.
    pub(super) running: Mutex<Option<Running>>,
}

impl Shared {
    pub(super) fn new(
        names: &'static Names,
        name: &str,
        attributes: Attributes,
        (preference, outline): (Preference, Option<Vec<u8>>),
    ) -> Result<Shared> {
        let plugin = names.plugin;
        let fields = kept(plugin, &attributes, preference, outline.as_deref())?;
        let text = |text: String| CString::new(text.replace('\0', " ")).unwrap_or_default();
        let label = plugin.label();
        let timing_cache_id = format!(
            "{label} [{}] {preference:?} kernel={:08x} runtime={}",
            values_text(attributes.iter().map(|(name, value)| (*name, value))),
            kernels_checksum(plugin),
            env!("CARGO_PKG_VERSION")
        );
        Ok(Shared {
            names,
            name: if name.is_empty() { label.as_str() } else { name }.into(),
            attributes,
            preference,
            outline,
            fields,
            timing_cache_id: text(timing_cache_id),
            first_tactic: first_named(plugin, preference),
            metadata: text(format!("{label}{}", named_tactics(plugin))),
        })
    }

    pub(super) fn plugin(&self) -> &'static Plugin {
        self.names.plugin
    }

    /// How many inputs and outputs it has.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.plugin().entry.inputs.len(), self.plugin().entry.outputs)
    }

    /// The node with inputs of these types.
    pub(super) fn node(&self, inputs: Vec<DataType>, device: Device) -> Node {
        Node {
            name: self.name.clone(),
            plugin: self.plugin(),
            attributes: self.attributes.clone(),
            device,
            preference: self.preference,
            inputs,
        }
    }

    /// Says of an error that it is this node's.
    pub(super) fn failed(&self, error: Error) -> Error {
        match error.layer() {
            Some(_) => error,
            None => error.in_layer(LayerContext::new(&self.name, &self.plugin().label())),
        }
    }
}

fn first_named(plugin: &'static Plugin, preference: Preference) -> i32 {
    let Ok(implementation) = implementation(plugin, preference) else { return 0 };
    let most = i32::try_from(MAX_TACTICS).unwrap_or(i32::MAX);
    (1..=most).find(|&tactic| implementation.names_tactic(tactic)).unwrap_or(0)
}

/// `: tactics 1 = Element, 2 = Rows` of what runs on a GPU.
fn named_tactics(plugin: &'static Plugin) -> String {
    let all = Implementation::all(plugin).into_iter();
    let of_gpu = all
        .filter(|runs| !matches!(runs, Implementation::Impl(entry) if entry.device != crate::device::DeviceKind::Cuda));
    let most = i32::try_from(MAX_TACTICS).unwrap_or(i32::MAX);
    let named = of_gpu.flat_map(|runs| {
        let names = (1..=most)
            .filter(move |&tactic| runs.names_tactic(tactic))
            .map(move |tactic| (tactic, runs.tactic_name(tactic)));
        names.collect::<Vec<_>>()
    });
    let named: Vec<String> = named.map(|(tactic, name)| format!("{tactic} = {name}")).collect();
    if named.is_empty() { String::new() } else { format!(": tactics {}", named.join(", ")) }
}

impl Instance {
    pub(super) fn new(shared: Arc<Shared>) -> Instance {
        let first = AtomicI32::new(shared.first_tactic);
        Instance { shared, asked: Mutex::default(), tactic: AtomicI32::new(0), first, running: Mutex::default() }
    }

    /// A copy: it knows what the host said so far, and has memory of its own to run.
    pub(super) fn copy(&self) -> Instance {
        Instance {
            shared: self.shared.clone(),
            asked: Mutex::new(self.asked().clone()),
            tactic: AtomicI32::new(self.tactic.load(Ordering::Relaxed)),
            first: AtomicI32::new(self.first.load(Ordering::Relaxed)),
            running: Mutex::default(),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn node(&self, inputs: Vec<DataType>) -> Node {
        self.shared.node(inputs, Device::cpu())
    }

    /// The outputs' types in the host's numbers, for inputs of these types.
    pub(super) fn output_types(&self, inputs: Vec<DataType>) -> Result<Vec<i32>> {
        let network = match self.known(&inputs) {
            Some(described) => Some(described.network.clone()),
            None => of_any_shape(&self.node(inputs.clone())),
        };
        let outputs = match network {
            Some(network) => output_types(&network)?,
            // What is wrong is said when the shapes are known.
            None => vec![inputs.first().copied().unwrap_or(DataType::Float32); self.shared.counts().1],
        };
        let types = outputs.iter().map(|&dtype| type_number(dtype)).collect::<Result<_>>()?;
        let mut asked = self.asked();
        if asked.types.as_ref() != Some(&inputs) {
            *asked = Asked { types: Some(inputs), ..Asked::default() };
        }
        asked.outputs = Some(outputs);
        Ok(types)
    }

    fn known(&self, inputs: &[DataType]) -> Option<Arc<Described>> {
        let asked = self.asked();
        asked.described.clone().filter(|_| asked.types.as_deref() == Some(inputs))
    }

    /// The input that an output shares its memory with.
    pub(super) fn aliased_input(&self, output: usize) -> Result<Option<usize>> {
        let Asked { types, described, .. } = self.asked().clone();
        let aliases = match (described, types) {
            (Some(described), _) => described.layer()?.aliases.clone(),
            (None, Some(types)) => match of_any_shape(&self.node(types)) {
                Some(network) => only_layer(&network)?.aliases.clone(),
                None => vec![None; self.shared.counts().1],
            },
            (None, None) => return Err(Error::invalid("its inputs' types aren't known yet")),
        };
        let alias = aliases.get(output).copied();
        alias.ok_or_else(|| impossible(format_args!("output {output} to a plugin with {}", aliases.len())))
    }

    /// The outputs' extents, for inputs of these extents.
    pub(super) fn output_shapes(&self, inputs: &[Vec<Extent>], exprs: Exprs) -> Result<Vec<Vec<Extent>>> {
        let Asked { types, outputs, .. } = self.asked().clone();
        let types = types.ok_or_else(|| Error::invalid("its inputs' types aren't known yet"))?;
        let described = Arc::new(Described::new(&self.node(types), named(self.shared.plugin(), inputs)?)?);
        check_told(outputs.as_deref(), &output_types(&described.network)?)?;
        let (network, layer) = (&described.network, described.layer()?);
        let mut symbols = vec![None; network.symbols.len()];
        for (index, def) in network.symbols.iter().enumerate() {
            symbols[index] = Some(match &def.source {
                SymbolSource::Dim(places) => {
                    let place = places.first().and_then(|&(input, axis)| inputs.get(input)?.get(axis));
                    *place.ok_or_else(|| Error::invalid("an extent belongs to no input"))?
                }
                SymbolSource::Size { output, opt, upper_bound, .. } => {
                    let (opt, upper) = (exprs.build(opt, &symbols)?, exprs.build(upper_bound, &symbols)?);
                    exprs.declare_size(*output, opt, upper)?
                }
            });
        }
        let mut shapes = Vec::with_capacity(layer.outputs.len());
        for (output, &tensor) in layer.outputs.iter().enumerate() {
            shapes.push(match layer.aliases[output].and_then(|input| inputs.get(input)) {
                Some(input) => input.clone(),
                None => {
                    let shape = &network.tensors[tensor].shape;
                    let extents = shape.iter().map(|extent| exprs.build(extent, &symbols));
                    extents.collect::<Result<_>>().map_err(|error| error.within(format_args!("output {output}")))?
                }
            });
        }
        self.asked().described = Some(described);
        Ok(shapes)
    }

    /// What the plugin says for inputs that the host describes so.
    fn described(&self, inputs: &[DynamicDesc]) -> Result<Arc<Described>> {
        let dims = dims(inputs)?;
        let Asked { types, described, .. } = self.asked().clone();
        if let Some(described) = described.filter(|described| described.holds_for(&dims)) {
            return Ok(described);
        }
        let types = match types {
            Some(types) => types,
            None => laid_out(inputs.iter().map(|input| &input.desc))?.0,
        };
        let described = Arc::new(Described::new(&self.node(types), dims)?);
        self.asked().described = Some(described.clone());
        Ok(described)
    }

    /// Whether a combination begins with the types and layouts up to a position.
    pub(super) fn supports(&self, position: usize, tensors: &[DynamicDesc]) -> Result<bool> {
        let Some(given) = tensors.get(..=position) else {
            return Err(impossible(format_args!("position {position} of {} tensors", tensors.len())));
        };
        let inputs = tensors.get(..self.shared.counts().0).unwrap_or_default();
        let described = self.described(inputs)?;
        // The host offers types and layouts of other processors too.
        let Ok((types, formats)) = laid_out(given.iter().map(|tensor| &tensor.desc)) else { return Ok(false) };
        Ok(described.begins(&types, &formats))
    }

    /// Takes the types and layouts that the host settled on.
    pub(super) fn configure(&self, inputs: &[DynamicDesc], outputs: &[DynamicDesc]) -> Result<()> {
        let described = self.described(inputs)?;
        let combination = self.combination(&described, inputs, outputs)?;
        let names = combination.tactics.iter().map(|&tactic| described.implementation.tactic_name(tactic));
        log::write(
            Severity::Verbose,
            &format!(
                "layer `{}` ({}) runs as {combination}, tactics {}",
                self.shared.name,
                self.shared.plugin().label(),
                names.collect::<Vec<_>>().join(", ")
            ),
        );
        let shared = &self.shared;
        let outline = described.network.outline()?;
        let kept = Arc::new(kept(shared.plugin(), &shared.attributes, shared.preference, Some(&outline))?);
        self.first.store(combination.tactics.first().copied().unwrap_or(0), Ordering::Relaxed);
        let mut asked = self.asked();
        asked.tactics.clone_from(&combination.tactics);
        asked.kept.push(kept);
        Ok(())
    }

    /// What a plan keeps, as long as this lives.
    pub(super) fn fields(&self) -> *const FieldCollection {
        self.asked().kept.last().map_or(self.shared.fields.raw(), |kept| kept.raw())
    }

    /// The network of the layer with inputs of these types, as far as the host described it, or a plan kept it.
    pub(super) fn network(&self, types: &[DataType]) -> Result<Option<Network>> {
        let described = self.asked().described.clone();
        let shared = &self.shared;
        match (described, &shared.outline) {
            (Some(described), _) => Ok(Some(described.network.clone())),
            (None, Some(outline)) => {
                let values = shared.attributes.iter().map(|(_, value)| value.clone()).collect();
                let bound = BoundPlugin::new(shared.plugin(), values)?;
                Network::of_outline(outline, &shared.name, bound, types, shared.preference).map(Some)
            }
            (None, None) => Ok(None),
        }
    }

    fn combination<'d>(
        &self,
        described: &'d Described,
        inputs: &[DynamicDesc],
        outputs: &[DynamicDesc],
    ) -> Result<&'d Combination> {
        let (types, formats) = laid_out(inputs.iter().chain(outputs).map(|tensor| &tensor.desc))?;
        described.combination(&types, &formats).ok_or_else(|| {
            let given = Combination { formats, ..Combination::untuned(types) };
            let listed = described.combinations.iter().take(8).map(ToString::to_string).collect::<Vec<_>>().join("; ");
            Error::invalid(format_args!("it doesn't run as {given}; its combinations are: {listed}"))
        })
    }

    /// The tactics to time, where the combination that was configured has any.
    pub(super) fn tactics(&self) -> Vec<i32> {
        let mut tactics = self.asked().tactics.clone();
        // 0 stands for the one that is there where none is listed.
        tactics.retain(|tactic| *tactic > 0);
        tactics
    }

    /// How many combinations there are, as far as inputs were described.
    pub(super) fn combination_limit(&self) -> i32 {
        let described = self.asked().described.clone();
        described.map_or(0, |described| i32::try_from(described.combinations.len()).unwrap_or(i32::MAX))
    }

    /// Bytes of scratch memory at the largest extents of the profile.
    pub(super) fn workspace_bytes(&self, inputs: &[DynamicDesc], outputs: &[DynamicDesc]) -> Result<usize> {
        let described = self.described(inputs)?;
        let combination = self.combination(&described, inputs, outputs)?;
        let (network, layer) = (&described.network, described.layer()?);
        let (in_descs, out_descs) = network.laid_out_descs(layer, combination);
        let exprs = match described.implementation {
            Implementation::Impl(entry) => vec![layer.bound.workspace(entry, &in_descs, &out_descs)?],
            Implementation::Aot(entry) => {
                let of = |&tactic: &i32| layer.bound.kernels_workspace(entry, (&in_descs, &out_descs), tactic);
                combination.tactics.iter().map(of).collect::<Result<_>>()?
            }
        };
        let mut ranges: Vec<Interval> = Vec::new();
        for def in network.symbols.iter() {
            ranges.push(match &def.source {
                SymbolSource::Dim(places) => of_profile(inputs, places)?,
                SymbolSource::Size { upper_bound, .. } => Interval { min: 0, max: range(upper_bound, &ranges)?.max },
            });
        }
        let mut most = 0;
        for expr in exprs.iter().flatten() {
            let bytes = range(expr, &ranges)?.max.max(0);
            most = most.max(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        match most > MOST_WORKSPACE {
            true => Err(Error::invalid(format_args!("its workspace, {most} bytes, is more than any device has"))),
            false => Ok(most),
        }
    }

    /// The tactic to run.
    #[inline]
    pub(super) fn tactic(&self) -> i32 {
        match self.tactic.load(Ordering::Relaxed) {
            0 => self.first.load(Ordering::Relaxed),
            tactic => tactic,
        }
    }

    /// Takes the tactic that the host chose; 0 where it chose none.
    ///
    /// # Errors
    /// For a tactic that it doesn't have.
    pub(super) fn set_tactic(&self, tactic: i32) -> Result<()> {
        let implementation = implementation(self.shared.plugin(), self.shared.preference)?;
        if let Some(reason) = implementation.unknown_tactic(tactic) {
            return Err(Error::invalid(reason));
        }
        self.tactic.store(tactic, Ordering::Relaxed);
        Ok(())
    }
}

fn output_types(network: &Network) -> Result<Vec<DataType>> {
    Ok(only_layer(network)?.outputs.iter().map(|&tensor| network.tensors[tensor].dtype).collect())
}

/// What the host was told of types before it told the shapes has to be what they are.
fn check_told(told: Option<&[DataType]>, found: &[DataType]) -> Result<()> {
    let Some(told) = told.filter(|told| *told != found) else { return Ok(()) };
    let listed = |types: &[DataType]| types.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(", ");
    Err(Error::invalid(format_args!(
        "its outputs are {} for inputs of these shapes, but {} for others: TensorRT asks for types before it tells ranks, so \
         that they mustn't depend on these",
        listed(found),
        listed(told)
    )))
}

/// 64 TiB.
const MOST_WORKSPACE: usize = 1 << 46;

/// The range that an optimization profile gives an extent of inputs.
fn of_profile(inputs: &[DynamicDesc], places: &[(usize, usize)]) -> Result<Interval> {
    let mut found = Interval { min: 0, max: i64::MAX };
    for &(input, axis) in places {
        let Some(desc) = inputs.get(input) else { continue };
        let at = |extents: &[i64]| extents.get(axis).copied().unwrap_or(-1);
        let fixed = at(desc.desc.dims.extents()?);
        let (min, max) = match fixed {
            -1 => (at(desc.min.extents()?), at(desc.max.extents()?)),
            _ => (fixed, fixed),
        };
        if min < 0 || max < min {
            return Err(impossible(format_args!("an extent of {min} to {max}")));
        }
        found = Interval { min: found.min.max(min), max: found.max.min(max) };
    }
    Ok(Interval { min: found.min.min(found.max), ..found })
}

/// Names for the extents that aren't known: what is one expression in the host has one name.
fn named(plugin: &Plugin, inputs: &[Vec<Extent>]) -> Result<Vec<Vec<Dim>>> {
    let mut known: Vec<(Extent, String)> = Vec::new();
    let mut all = Vec::with_capacity(inputs.len());
    for (name, extents) in plugin.entry.inputs.iter().zip(inputs) {
        let mut dims = Vec::with_capacity(extents.len());
        for (axis, &extent) in extents.iter().enumerate() {
            dims.push(match (extent.constant()?, known.iter().find(|(other, _)| *other == extent)) {
                (Some(value), _) if value >= 0 => Dim::Fixed(value),
                (Some(value), _) => return Err(impossible(format_args!("an extent of {value}"))),
                (None, Some((_, name))) => Dim::Named(name.clone()),
                (None, None) => {
                    let name = format!("{name}.d{axis}");
                    known.push((extent, name.clone()));
                    Dim::Named(name)
                }
            });
        }
        all.push(dims);
    }
    Ok(all)
}

impl TensorDesc {
    /// The quantisation scale: 1 for what has none, where the host leaves it open.
    pub(super) fn scale(&self, dtype: DataType) -> f32 {
        let quantised = matches!(dtype, DataType::Int8 | DataType::Float8);
        if quantised && self.scale.is_finite() && self.scale > 0.0 { self.scale } else { 1.0 }
    }
}
