//! A plugin with its attributes, as a node of the host: what the host asks of it while it builds.

use std::ffi::CString;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::abi::{DynamicDesc, FieldCollection, Severity, TensorDesc};
use super::arguments::{dims, impossible, laid_out};
use super::attributes::{Attributes, OwnFields, of_preference};
use super::creator::Names;
use super::described::{Described, of_any_shape, of_ranks};
use super::log;
use super::object::Family;
use super::quick::Lent;
use super::running::Running;
use super::types::type_number;
use crate::device::Device;
use crate::error::{Error, LayerContext, Result};
use crate::host::{Node, implementation, only_layer};
use crate::network::{Network, Preference};
use crate::plugin::combination::{Combination, MAX_TACTICS};
use crate::plugin::{AttributeValue, BoundPlugin, Implementation, Plugin};
use crate::tactic::{kernels_checksum, values_text};
use crate::tensor::DataType;

/// A plugin with its attributes, as a node of the host: what all copies of it share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) names: &'static Names,
    pub(super) family: Family,
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
pub(super) struct Asked {
    /// The network's own types of the inputs.
    pub(super) types: Option<Vec<DataType>>,
    /// What the host was told of the outputs' types.
    pub(super) outputs: Option<Vec<DataType>>,
    pub(super) described: Option<Arc<Described>>,
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
    /// What the host was lent, as long as this lives.
    pub(super) lent: Mutex<Lent>,
}

impl Shared {
    pub(super) fn new(
        names: &'static Names,
        name: &str,
        attributes: Attributes,
        (family, preference, outline): (Family, Preference, Option<Vec<u8>>),
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
            family,
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
        Instance {
            shared,
            asked: Mutex::default(),
            tactic: AtomicI32::new(0),
            first,
            running: Mutex::default(),
            lent: Mutex::default(),
        }
    }

    /// A copy: it knows what the host said so far, and has memory of its own to run.
    pub(super) fn copy(&self) -> Instance {
        Instance {
            shared: self.shared.clone(),
            asked: Mutex::new(self.asked().clone()),
            tactic: AtomicI32::new(self.tactic.load(Ordering::Relaxed)),
            first: AtomicI32::new(self.first.load(Ordering::Relaxed)),
            running: Mutex::default(),
            lent: Mutex::default(),
        }
    }

    pub(super) fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn node(&self, inputs: Vec<DataType>) -> Node {
        self.shared.node(inputs, Device::cpu())
    }

    /// The outputs' types in the host's numbers, for inputs of these types, and of these ranks where the host tells them.
    pub(super) fn output_types(&self, inputs: Vec<DataType>, ranks: Option<&[usize]>) -> Result<Vec<i32>> {
        let network = match self.known(&inputs) {
            Some(described) => Some(described.network.clone()),
            None => {
                let node = self.node(inputs.clone());
                ranks.and_then(|ranks| of_ranks(&node, ranks)).or_else(|| of_any_shape(&node))
            }
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

    /// What the plugin says for inputs that the host describes so.
    pub(super) fn described(&self, inputs: &[DynamicDesc]) -> Result<Arc<Described>> {
        self.described_as(inputs.iter().map(|input| &input.desc))
    }

    /// As [`Instance::described`].
    pub(super) fn described_as<'d>(
        &self,
        inputs: impl Iterator<Item = &'d TensorDesc> + Clone,
    ) -> Result<Arc<Described>> {
        let dims = dims(inputs.clone())?;
        let Asked { types, described, .. } = self.asked().clone();
        if let Some(described) = described.filter(|described| described.holds_for(&dims)) {
            return Ok(described);
        }
        let types = match types {
            Some(types) => types,
            None => laid_out(inputs)?.0,
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
        let combination = self.combination(&described, inputs.iter().chain(outputs).map(|tensor| &tensor.desc))?;
        if self.shared.family == Family::QuickJit && self.workspace_bytes(inputs, outputs)? > 0 {
            return Err(Error::invalid(
                "it needs scratch memory, which TensorRT gives no quick plugin: take its creator of kind V3ONE",
            ));
        }
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

    /// The combination of the types and layouts of the inputs, then of the outputs.
    pub(super) fn combination<'d, 't>(
        &self,
        described: &'d Described,
        tensors: impl Iterator<Item = &'t TensorDesc>,
    ) -> Result<&'d Combination> {
        let (types, formats) = laid_out(tensors)?;
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

    /// The tactic to run.
    #[inline]
    pub(super) fn tactic(&self) -> i32 {
        match self.tactic.load(Ordering::Relaxed) {
            0 => self.first.load(Ordering::Relaxed),
            tactic => tactic,
        }
    }

    /// What the tactic to run is called.
    pub(super) fn tactic_name(&self) -> Option<String> {
        let implementation = implementation(self.shared.plugin(), self.shared.preference).ok()?;
        Some(implementation.tactic_name(self.tactic()))
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

pub(super) fn output_types(network: &Network) -> Result<Vec<DataType>> {
    Ok(only_layer(network)?.outputs.iter().map(|&tensor| network.tensors[tensor].dtype).collect())
}

impl TensorDesc {
    /// The quantisation scale: 1 for what has none, where the host leaves it open.
    pub(super) fn scale(&self, dtype: DataType) -> f32 {
        let quantised = matches!(dtype, DataType::Int8 | DataType::Float8);
        if quantised && self.scale.is_finite() && self.scale > 0.0 { self.scale } else { 1.0 }
    }
}
