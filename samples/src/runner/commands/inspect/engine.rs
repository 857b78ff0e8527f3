//! What an engine holds.

use plugin_runtime::device::DeviceKind;
use plugin_runtime::engine::{BindingSummary, Engine, EngineSummary, Place, PlacedSummary, PlanSummary, StepSummary};
use plugin_runtime::shape::{Profile, display_shape};
use plugin_runtime::tactic::TimingRecord;
use plugin_runtime::tensor::Format;
use serde_json::{Map, Value, json};

use super::lockfile::{device, tactic_text};
use super::network::attributes;
use super::{Shown, best, json, kernels};
use crate::runner::table::Table;
use crate::runner::text::count;
use crate::runner::tuning::{microseconds, outcome_text};

/// An engine, with what a lockfile says of its times.
pub(super) struct Inspected {
    device: DeviceKind,
    summary: EngineSummary,
    times: Option<Vec<TimingRecord>>,
}

impl Inspected {
    pub(super) fn new(engine: &Engine, times: Option<Vec<TimingRecord>>) -> Self {
        Inspected { device: engine.device().kind(), summary: engine.inspect(), times }
    }

    fn record(&self, step: &StepSummary) -> Option<&TimingRecord> {
        best(self.times.iter().flatten().filter(|record| step.is_timed_by(&record.subject)))
    }

    fn time(&self, step: &StepSummary) -> String {
        match self.record(step) {
            None => String::new(),
            Some(record) if record.is_used => outcome_text(&record.outcome),
            Some(record) => format!("{} on {}", outcome_text(&record.outcome), device(record)),
        }
    }

    fn total(&self, plan: &PlanSummary) -> String {
        let times: Vec<_> = plan.steps.iter().filter_map(|step| self.record(step)?.outcome.time()).collect();
        if times.is_empty() {
            return String::new();
        }
        format!(
            "; {} of {} steps were timed, {} in all",
            times.len(),
            plan.steps.len(),
            microseconds(times.iter().sum())
        )
    }

    fn steps(&self, plan: &PlanSummary) -> Table {
        let header = ["step", "plugin", "attributes", "tactic", "inputs", "outputs"];
        let cells = |step: &StepSummary| {
            let plugin = step.plugin.as_ref();
            [
                step.name.clone(),
                plugin.map_or_else(|| "inserted".into(), |plugin| format!("{} v{}", plugin.id, plugin.version)),
                plugin.map(|plugin| attributes(&plugin.attributes)).unwrap_or_default(),
                plugin.map(|plugin| tactic_text(plugin.tactic, &plugin.tactic_name)).unwrap_or_default(),
                tensors(&step.inputs),
                tensors(&step.outputs),
            ]
        };
        if self.times.is_none() {
            let mut table = Table::new(header);
            plan.steps.iter().for_each(|step| table.row(cells(step)));
            return table;
        }
        let [a, b, c, d, e, f] = header;
        let mut table = Table::new([a, b, c, d, e, f, "time"]);
        for step in &plan.steps {
            let [a, b, c, d, e, f] = cells(step);
            table.row([a, b, c, d, e, f, self.time(step)]);
        }
        table
    }

    fn step_json(&self, step: &StepSummary) -> Value {
        let plugin = step.plugin.as_ref().map(|plugin| {
            json!({
                "id": plugin.id,
                "version": plugin.version,
                "attributes": json::attributes(&plugin.attributes),
                "tactic": { "number": plugin.tactic, "name": plugin.tactic_name },
                "kernels": plugin.kernels.as_ref().map(kernels::json),
            })
        });
        let workspace = step.workspace.as_ref().map(|workspace| {
            json!({ "offset": workspace.offset, "size": json::extent(&workspace.size), "bytes": workspace.bytes })
        });
        let placed = |tensors: &[PlacedSummary]| tensors.iter().map(placed_json).collect::<Vec<_>>();
        let timing = self.record(step).map(|record| {
            json!({ "this_machine": record.is_used, "device": record.device, "outcome": json::outcome(&record.outcome) })
        });
        json!({
            "name": step.name,
            "plugin": plugin,
            "combination": step.combination,
            "inputs": placed(&step.inputs),
            "outputs": placed(&step.outputs),
            "workspace": workspace,
            "timing": timing,
        })
    }
}

impl Shown for Inspected {
    fn tables(&self) -> Vec<(String, Table)> {
        let EngineSummary { inputs, outputs, constants, plans, runtime_kernels, .. } = &self.summary;
        let title = format!(
            "engine for device {}: {}, {}",
            self.device,
            count(plans.len(), "profile"),
            count(constants.len(), "constant")
        );
        let mut bindings = Table::new(["", "name", "type", "shape"]);
        let mut row = |role: &str, name: String, dtype: String, shape: String| {
            bindings.row([role.into(), name, dtype, shape]);
        };
        let mut bound = |role: &str, binding: &BindingSummary| {
            row(role, binding.name.clone(), binding.dtype.to_string(), display_shape(&binding.shape).to_string());
        };
        inputs.iter().for_each(|binding| bound("input", binding));
        outputs.iter().for_each(|binding| bound("output", binding));
        for (index, (dtype, dims)) in constants.iter().enumerate() {
            row("constant", index.to_string(), dtype.to_string(), dims.to_string());
        }
        let mut tables = vec![(title, bindings)];
        for (index, plan) in plans.iter().enumerate() {
            tables.push((format!("profile {index}"), profile(&plan.profile)));
            tables.push((format!("steps of profile {index}{}", self.total(plan)), self.steps(plan)));
            if let Some(kernels) = kernels::table(plan) {
                tables.push((format!("kernels in the engine, of profile {index}"), kernels));
            }
            tables.push((format!("memory of profile {index}: an arena of {} bytes", plan.arena_bytes), memory(plan)));
        }
        if let Some(kernels) = kernels::runtime_table(runtime_kernels) {
            tables.push(("the runtime's own kernels in the engine".into(), kernels));
        }
        tables
    }

    fn json(&self) -> Value {
        let EngineSummary { inputs, outputs, constants, plans, runtime_kernels, .. } = &self.summary;
        let bindings = |bindings: &[BindingSummary]| {
            bindings.iter().map(|b| json::tensor(&b.name, b.dtype, &b.shape)).collect::<Vec<_>>()
        };
        let plan = |plan: &PlanSummary| {
            json!({
                "profile": profile_json(&plan.profile),
                "arena_bytes": plan.arena_bytes,
                "steps": plan.steps.iter().map(|step| self.step_json(step)).collect::<Vec<_>>(),
            })
        };
        let constant = |(dtype, dims): &(plugin_runtime::tensor::DataType, plugin_runtime::shape::Dims)| json!({ "dtype": dtype.name(), "shape": dims.to_vec() });
        json!({
            "kind": "engine",
            "device": self.device.name(),
            "inputs": bindings(inputs),
            "outputs": bindings(outputs),
            "constants": constants.iter().map(constant).collect::<Vec<_>>(),
            "plans": plans.iter().map(plan).collect::<Vec<_>>(),
            "runtime_kernels": runtime_kernels.iter().map(kernels::runtime_json).collect::<Vec<_>>(),
        })
    }
}

/// `inp0 FP32 CHW4 [batch, 3], ..`
fn tensors(tensors: &[PlacedSummary]) -> String {
    let tensor = |tensor: &PlacedSummary| {
        let format = if tensor.format == Format::Linear { String::new() } else { format!(" {}", tensor.format) };
        format!("{} {}{format} {}", tensor.name, tensor.dtype, display_shape(&tensor.shape))
    };
    tensors.iter().map(tensor).collect::<Vec<_>>().join(", ")
}

fn profile(profile: &Profile) -> Table {
    let mut table = Table::new(["input", "min", "opt", "max"]);
    for (name, range) in profile.iter() {
        table.row([name.into(), range.min.to_string(), range.opt.to_string(), range.max.to_string()]);
    }
    table
}

fn profile_json(profile: &Profile) -> Value {
    let range = |(name, range): (&str, &plugin_runtime::shape::ProfileDims)| {
        let dims = json!({ "min": range.min.to_vec(), "opt": range.opt.to_vec(), "max": range.max.to_vec() });
        (name.to_owned(), dims)
    };
    profile.iter().map(range).collect::<Map<_, _>>().into()
}

fn memory(plan: &PlanSummary) -> Table {
    let mut table = Table::new(["step", "tensor", "where", "bytes at most"]);
    for step in &plan.steps {
        for tensor in step.inputs.iter().chain(&step.outputs) {
            table.row([step.name.clone(), tensor.name.clone(), place(&tensor.place), tensor.bytes.to_string()]);
        }
        if let Some(workspace) = &step.workspace {
            let place = place(&Place::Arena(workspace.offset));
            table.row([
                step.name.clone(),
                format!("workspace, {}", workspace.size),
                place,
                workspace.bytes.to_string(),
            ]);
        }
    }
    table
}

fn place(place: &Place) -> String {
    match place {
        Place::Arena(offset) => format!("arena, from {offset}"),
        Place::Constant(index) => format!("constant {index}"),
        Place::Input(name) => format!("input {name}"),
        Place::Output(name) => format!("output {name}"),
        _ => String::new(),
    }
}

fn placed_json(tensor: &PlacedSummary) -> Value {
    let mut value = json::tensor(&tensor.name, tensor.dtype, &tensor.shape);
    value["format"] = tensor.format.to_string().into();
    value["bytes"] = tensor.bytes.into();
    value["place"] = match &tensor.place {
        Place::Arena(offset) => json!({ "in": "arena", "offset": offset }),
        Place::Constant(index) => json!({ "in": "constant", "index": index }),
        Place::Input(name) => json!({ "in": "input", "name": name }),
        Place::Output(name) => json!({ "in": "output", "name": name }),
        _ => Value::Null,
    };
    value
}
