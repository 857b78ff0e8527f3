//! What a layer could run as: its combinations and tactics, and those that are ruled out before anything runs.

use std::collections::BTreeSet;

use super::{Combination, merge};
use crate::device::DeviceKind;
use crate::error::{Error, Result};
use crate::network::{Layer, Network};
use crate::plugin::{ImplEntry, guarded};
use crate::shape::{ShapeExpr, SymbolKind};
use crate::tensor::{DataType, Format, TensorDesc};

/// What the user allows besides the network's own types.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) types: BTreeSet<DataType>,
    /// For a plugin's id, the only tactics to try.
    pub(crate) tactics: Vec<(String, Vec<i32>)>,
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
    pub(crate) implementation: &'static ImplEntry,
    pub(crate) combinations: Vec<Combination>,
    pub(crate) candidates: Vec<Candidate>,
    /// Whether an autotune function listed them; else there is one, and it isn't run during the build.
    pub(crate) autotuned: bool,
}

pub(crate) fn enumerate(network: &Network, layer: &Layer, device: DeviceKind, rules: &Rules) -> Result<Candidates> {
    if layer.preference == crate::network::Preference::RequireAot {
        return Err(Error::invalid(format_args!(
            "it insists on ahead-of-time kernels (`aot` = 1), and builds for device `{device}` run impls only: leave `aot` out"
        )));
    }
    let implementation = layer.plugin.impl_for(device).ok_or_else(|| no_impl(layer, device))?;
    let own_types: Vec<DataType> = tensors(layer).map(|t| network.tensors[t].dtype).collect();
    let Some(autotune) = layer.plugin.autotune else {
        let candidate = Candidate { combination: 0, tactic: 0, ruled_out: None };
        return Ok(Candidates {
            implementation,
            combinations: vec![Combination::untuned(own_types)],
            candidates: vec![candidate],
            autotuned: false,
        });
    };
    let inputs = descs(network, &layer.inputs);
    let outputs = descs(network, &layer.outputs);
    let listed = guarded(|| (autotune.combinations)(&inputs, &outputs, &*layer.attributes))?;
    let combinations = merge(&listed, inputs.len(), outputs.len())?;
    let wanted = rules.tactics.iter().find(|(id, _)| id == layer.plugin.entry.id).map(|(_, tactics)| tactics);
    let mut candidates = Vec::new();
    for (index, combination) in combinations.iter().enumerate() {
        let forbidden = forbidden_combination(network, layer, combination, &own_types, rules);
        for &tactic in &combination.tactics {
            let unwanted =
                wanted.filter(|w| !w.contains(&tactic)).map(|_| "this build is limited to other tactics".into());
            let ruled_out = forbidden.clone().or(unwanted).or_else(|| unknown_tactic(implementation, tactic));
            candidates.push(Candidate { combination: index, tactic, ruled_out });
        }
    }
    Ok(Candidates { implementation, combinations, candidates, autotuned: true })
}

/// The tensors of a layer in the order of a combination's entries.
pub(crate) fn tensors(layer: &Layer) -> impl Iterator<Item = usize> {
    layer.inputs.iter().chain(&layer.outputs).copied()
}

/// Whether an expression depends on what a plugin finds when it runs.
pub(crate) fn data_dependent(expr: &ShapeExpr) -> bool {
    expr.symbols().iter().any(|symbol| symbol.kind == SymbolKind::Size)
}

/// Symbolic descs of some of a network's tensors.
pub(crate) fn descs(network: &Network, tensors: &[usize]) -> Vec<TensorDesc> {
    let desc = |(index, &tensor): (usize, &usize)| {
        let node = &network.tensors[tensor];
        TensorDesc::of_input(index, node.dtype, node.shape.clone())
    };
    tensors.iter().enumerate().map(desc).collect()
}

fn no_impl(layer: &Layer, device: DeviceKind) -> Error {
    let have: Vec<String> = layer.plugin.impls.iter().map(|i| format!("`{}`", i.device)).collect();
    let have = if have.is_empty() { "no device".into() } else { have.join(", ") };
    Error::invalid(format_args!(
        "it has no impl for device `{device}`, only for {have}; add #[impl_plugin(\"{}\", device = {device})]",
        layer.plugin.entry.id
    ))
}

fn forbidden_combination(
    network: &Network,
    layer: &Layer,
    combination: &Combination,
    own_types: &[DataType],
    rules: &Rules,
) -> Option<String> {
    let inputs = layer.inputs.len();
    let label = |position: usize| match position.checked_sub(inputs) {
        None => format!("input `{}`", layer.plugin.entry.inputs[position]),
        Some(output) => format!("output {output}"),
    };
    for (position, tensor) in tensors(layer).enumerate() {
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
                "{} has {} dimensions of {dtype}: {format} can't lay it out",
                label(position),
                node.shape.len()
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

/// Why an impl can't run a tactic.
pub(crate) fn unknown_tactic(implementation: &ImplEntry, tactic: i32) -> Option<String> {
    if tactic == 0 {
        return None;
    }
    if !implementation.takes_tactic {
        return Some(format!("the impl at {} has no `tactic` parameter", implementation.location));
    }
    match implementation.tactic_names {
        Some(names) if names(tactic).is_none() => {
            Some(format!("the impl at {} has no tactic {tactic}", implementation.location))
        }
        _ => None,
    }
}

/// `Rows`, or `3` where tactics have no names, or `default`.
pub(crate) fn tactic_name(implementation: &ImplEntry, tactic: i32) -> String {
    match implementation.tactic_names.and_then(|names| names(tactic)) {
        Some(name) => name.to_owned(),
        None if tactic == 0 => "default".into(),
        None => tactic.to_string(),
    }
}
