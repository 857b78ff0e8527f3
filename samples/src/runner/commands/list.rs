//! `samples list`: every linked plugin.

use plugin_runtime::plugin::{AttributeSchema, ImplEntry, Plugin, Registry};

use crate::runner::failure::{Failure, Result};
use crate::runner::output::Output;

/// The highest tactic number that is looked for a name.
const LAST_TACTIC: i32 = 1024;

/// Prints them, by id and version.
///
/// # Errors
/// When the linked plugins contradict each other.
pub(in crate::runner) fn list(out: &mut Output) -> Result<()> {
    let registry = Registry::global().map_err(Failure::work)?;
    for plugin in registry.plugins() {
        describe(plugin, out)?;
    }
    match registry.plugins().len() {
        1 => out.line("1 plugin is linked"),
        count => out.line(format_args!("{count} plugins are linked")),
    }
}

fn describe(plugin: &Plugin, out: &mut Output) -> Result<()> {
    let entry = &plugin.entry;
    out.line(plugin.label())?;
    for line in entry.description.lines().filter(|line| !line.trim().is_empty()) {
        out.line(format_args!("  {}", line.trim()))?;
    }
    out.line(format_args!("  inputs      {}", entry.inputs.join(", ")))?;
    let attributes: Vec<String> = entry.attributes.iter().map(attribute).collect();
    if !attributes.is_empty() {
        out.line(format_args!("  attributes  {}", attributes.join(", ")))?;
    }
    out.line(format_args!("  outputs     {}", entry.outputs))?;
    if !entry.onnx.is_empty() {
        out.line(format_args!("  in ONNX     {}", entry.onnx.join(", ")))?;
    }
    for implementation in &plugin.impls {
        out.line(format_args!("  on {:<8} {}", implementation.device.name(), tactics(implementation)))?;
    }
    if plugin.impls.is_empty() {
        out.line("  no impl")?;
    }
    out.line(format_args!("  autotune    {}", if plugin.autotune.is_some() { "yes" } else { "no" }))?;
    out.line(format_args!("  aot         {}", if plugin.aot.is_some() { "yes" } else { "no" }))?;
    out.line(format_args!("  written at  {}", entry.location))?;
    out.line("")
}

fn attribute(schema: &AttributeSchema) -> String {
    let default = schema.default.map(|value| format!(" = {}", value())).unwrap_or_default();
    format!("{}: {}{default}", schema.name, schema.ty.name())
}

fn tactics(implementation: &ImplEntry) -> String {
    match implementation.tactic_names {
        Some(name_of) => {
            let names: Vec<String> =
                (1..=LAST_TACTIC).filter_map(|id| Some(format!("{} ({id})", name_of(id)?))).collect();
            format!("tactics {}", names.join(", "))
        }
        None if implementation.takes_tactic => "tactics by number".into(),
        None => "one tactic".into(),
    }
}
