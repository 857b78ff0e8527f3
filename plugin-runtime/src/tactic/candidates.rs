//! The candidates of a layer: its combinations and tactics, and those that are ruled out before anything runs.

use crate::plugin::combination::Combination;
use std::collections::BTreeSet;

use crate::device::DeviceKind;
use crate::error::{Error, Result};
use crate::network::{Layer, Network, Preference, data_dependent};
use crate::plugin::{Implementation, Plugin};

use crate::tensor::{DataType, Format};
use crate::wording::counted;

/// The builder's limits: types allowed besides the network's own, and the only tactics to try.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) types: BTreeSet<DataType>,
    /// For a plugin's id, the only tactics to try.
    pub(crate) tactics: Vec<(String, Vec<i32>)>,
    /// Whether all tensors have to be LINEAR.
    pub(crate) linear: bool,
}

/// One combination and one of its tactics.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Index into the combinations.
    pub(crate) combination: usize,
    pub(crate) tactic: i32,
    /// Why it can't run, where that is known beforehand.
    pub(crate) ruled_out: Option<String>,
}

/// All candidates of one layer.
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    pub(crate) device: DeviceKind,
    pub(crate) implementation: Implementation,
    pub(crate) combinations: Vec<Combination>,
    /// Of each combination the listed tactics that only the plugin's other implementations have, a reference on another
    /// device among them.
    pub(crate) of_others: Vec<Vec<i32>>,
    pub(crate) candidates: Vec<Candidate>,
    /// Whether an autotune function listed them; else there is one candidate, which isn't timed.
    pub(crate) autotuned: bool,
}

pub(crate) fn enumerate(network: &Network, layer: &Layer, device: DeviceKind, rules: &Rules) -> Result<Candidates> {
    let implementation = implementation(layer.plugin(), layer.preference, device)?;
    let own_types: Vec<DataType> = layer.tensors().map(|t| network.tensors[t].dtype).collect();
    let wanted = rules.tactics.iter().find(|(id, _)| id == layer.plugin().entry.id).map(|(_, tactics)| tactics);
    if let (None, Some(wanted)) = (layer.plugin().autotune, wanted.filter(|wanted| !wanted.contains(&0))) {
        return Err(not_to_limit(layer, wanted));
    }
    let outputs = network.output_descs(layer);
    let Some(mut combinations) = layer.bound.combinations(&network.input_descs(layer), &outputs)? else {
        let candidate = Candidate { combination: 0, tactic: 0, ruled_out: None };
        return Ok(Candidates {
            device,
            implementation,
            combinations: vec![Combination::untuned(own_types)],
            of_others: vec![Vec::new()],
            candidates: vec![candidate],
            autotuned: false,
        });
    };
    let of_others = keep_own_tactics(layer, implementation, &mut combinations);
    let mut candidates = Vec::new();
    for (index, combination) in combinations.iter().enumerate() {
        let forbidden = forbidden_combination(network, layer, combination, &own_types, rules);
        for &tactic in &combination.tactics {
            let unwanted =
                wanted.filter(|w| !w.contains(&tactic)).map(|_| "this build is limited to other tactics".into());
            let ruled_out = forbidden.clone().or(unwanted).or_else(|| implementation.unknown_tactic(tactic));
            candidates.push(Candidate { combination: index, tactic, ruled_out });
        }
    }
    Ok(Candidates { device, implementation, combinations, of_others, candidates, autotuned: true })
}

/// One autotune function lists the tactics of all devices. Those that only the plugin's other implementations have are
/// taken out and returned, combination by combination; where none is left, the default one stays.
fn keep_own_tactics(layer: &Layer, implementation: Implementation, combinations: &mut [Combination]) -> Vec<Vec<i32>> {
    let others = Implementation::all(layer.plugin());
    let is_of_others = |tactic: &i32| {
        implementation.unknown_tactic(*tactic).is_some() && others.iter().any(|other| other.names_tactic(*tactic))
    };
    let take = |combination: &mut Combination| {
        let (of_others, own) = std::mem::take(&mut combination.tactics).into_iter().partition(is_of_others);
        combination.tactics = own;
        if combination.tactics.is_empty() {
            combination.tactics.push(0);
        }
        of_others
    };
    combinations.iter_mut().map(take).collect()
}

/// The implementation that is preferred; without a preference the impl, if there is one.
pub(crate) fn implementation(
    plugin: &'static Plugin,
    preference: Preference,
    device: DeviceKind,
) -> Result<Implementation> {
    let jit = plugin.impl_for(device).map(Implementation::Impl);
    let aot = plugin.aot.as_ref().filter(|_| runs_aot(device)).map(Implementation::Aot);
    match preference {
        Preference::RequireAot => aot.ok_or_else(|| no_aot(plugin, device)),
        Preference::RequireJit => jit.ok_or_else(|| no_impl(plugin, device)),
        Preference::PreferAot => aot.or(jit).ok_or_else(|| no_impl(plugin, device)),
        Preference::PreferJit | Preference::Unspecified => jit.or(aot).ok_or_else(|| no_impl(plugin, device)),
    }
}

/// Whether a device can run kernels that were compiled ahead of time.
fn runs_aot(device: DeviceKind) -> bool {
    device == DeviceKind::Cuda
}

fn no_impl(plugin: &Plugin, device: DeviceKind) -> Error {
    let id = plugin.entry.id;
    if plugin.aot.is_some() && runs_aot(device) {
        return Error::invalid(format_args!(
            "it insists on an impl (`require_jit`, in ONNX `aot` = 0), but has AOT kernels only for device `{device}`: \
             write `prefer_jit`, or add #[impl_plugin(\"{id}\", device = {device})]"
        ));
    }
    let have: Vec<String> = plugin.impls.iter().map(|i| format!("`{}`", i.device)).collect();
    let only = match (have.as_slice(), plugin.aot) {
        ([], Some(_)) => String::new(),
        ([], None) => ", nor for another one".to_owned(),
        (have, _) => format!(", only for {}", have.join(", ")),
    };
    let aot = match plugin.aot {
        Some(_) => format!(", and its AOT kernels run on device `{}` only", DeviceKind::Cuda),
        None => String::new(),
    };
    Error::invalid(format_args!(
        "it has no impl for device `{device}`{only}{aot}; add #[impl_plugin(\"{id}\", device = {device})]"
    ))
}

/// An error for a layer whose only tactic, 0, the build's limits exclude.
fn not_to_limit(layer: &Layer, wanted: &[i32]) -> Error {
    let id = layer.plugin().entry.id;
    let wanted = match wanted {
        [] => "none".to_owned(),
        wanted => wanted.iter().map(i32::to_string).collect::<Vec<_>>().join(", "),
    };
    Error::invalid(format_args!(
        "this build is limited to some of its tactics ({wanted}), but it has no #[autotune] that lists any, and runs as \
         tactic 0: leave it out of limit_tactics, or add #[autotune(\"{id}\")]"
    ))
}

fn no_aot(plugin: &Plugin, device: DeviceKind) -> Error {
    let id = plugin.entry.id;
    let reason = match plugin.aot {
        Some(_) => format!("device `{device}` runs impls only: write `prefer_aot`"),
        None => format!("`{id}` has none: write `prefer_aot`, or add #[aot_impl(\"{id}\")]"),
    };
    Error::invalid(format_args!("it insists on ahead-of-time kernels (`require_aot`, in ONNX `aot` = 1), but {reason}"))
}

fn forbidden_combination(
    network: &Network,
    layer: &Layer,
    combination: &Combination,
    own_types: &[DataType],
    rules: &Rules,
) -> Option<String> {
    if rules.linear && !combination.is_linear() {
        return Some("tensors are LINEAR here".into());
    }
    let inputs = layer.inputs.len();
    let label = |position: usize| match position.checked_sub(inputs) {
        None => format!("input `{}`", layer.plugin().entry.inputs[position]),
        Some(output) => format!("output {output}"),
    };
    for (position, tensor) in layer.tensors().enumerate() {
        let node = &network.tensors[tensor];
        let (own, dtype, format) = (own_types[position], combination.types[position], combination.formats[position]);
        if dtype != own && dtype.class() != own.class() {
            return Some(format!("{} is {own}; it can't be converted to {dtype}", label(position)));
        }
        if dtype != own && !rules.types.contains(&dtype) {
            return Some(format!("{} is {own}, and this build doesn't allow {dtype}", label(position)));
        }
        if !format.supports(node.shape.len()) || (dtype == DataType::Int4 && format != Format::Linear) {
            return Some(format!(
                "{} has {} of {dtype}: {format} can't lay it out",
                label(position),
                counted(node.shape.len(), "dimension")
            ));
        }
        if node.shape.iter().any(data_dependent) && format != Format::Linear {
            return Some(format!(
                "{} has a data-dependent shape, which is always LINEAR, not {format}",
                label(position)
            ));
        }
    }
    for (output, alias) in layer.aliases.iter().enumerate() {
        let Some(input) = *alias else { continue };
        let out = inputs + output;
        if (combination.types[input], combination.formats[input]) != (combination.types[out], combination.formats[out])
        {
            return Some(format!(
                "{} is updated in place over {}, so both need one type and layout",
                label(out),
                label(input)
            ));
        }
    }
    None
}

#[cfg(test)]
#[expect(unsafe_code, reason = "in the crate itself the attributes' link sections count as such")]
mod tests;
