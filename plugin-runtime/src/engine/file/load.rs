//! From what a file says to an engine. Nothing in it is believed: whatever indexes, sizes or addresses is checked here,
//! so that no run has to.

use std::sync::{Arc, Mutex};

use prost::Message;

use super::container::{self, Section, SectionKind};
use super::graph::Graph;
use super::records::EngineRecord;
use super::{LARGEST_GRAPH, images, load_plan, runtime_kernels};
use crate::device::{Device, FileBytes};
use crate::engine::plan::{Plan, PlannedStep, PlannedWork};
use crate::engine::{BuildReport, Engine, EngineInner, InsertedStep};
use crate::error::{Error, Result};
use crate::plugin::combination::Combination;
use crate::tactic::{LayerReport, Trial, TrialOutcome, TuningCost};

pub(super) fn engine(file: FileBytes, find: &dyn Fn(&str) -> Result<Device>) -> Result<Engine> {
    let file = Arc::new(file);
    let sections = container::parse(&file).map_err(Error::invalid)?;
    let Some((graph, rest)) = sections.split_first() else {
        return Err(Error::invalid("it has no section"));
    };
    let (constants, images) = rest.split_at(rest.partition_point(|s| s.kind == SectionKind::Constant));
    if graph.kind != SectionKind::Graph || images.iter().any(|s| s.kind != SectionKind::Image) {
        return Err(Error::invalid("its sections aren't a graph, then constants, then images"));
    }
    let record = record(&file, graph)?;
    let device =
        find(&record.device).map_err(|e| e.within(format_args!("it was built for device `{}`", record.device)))?;
    let modules = images::modules(&file, &record, images)?;
    let runtime_kernels = runtime_kernels::load(&record.runtime, &modules)?;
    let graph = Graph::new(&file, &record, constants, modules, device.kind())?;
    if record.plans.is_empty() {
        return Err(Error::invalid("it has no plan: at least one is needed"));
    }
    if graph.outputs.is_empty() {
        return Err(Error::invalid("it has no output: at least one is needed"));
    }
    let mut report = BuildReport::default();
    let mut plans = Vec::with_capacity(record.plans.len());
    for (profile, plan) in record.plans.iter().enumerate() {
        let plan = load_plan::plan(&graph, plan).map_err(|e| e.within(format_args!("profile {profile}")))?;
        add_to_report(&mut report, profile, &plan);
        plans.push(plan);
    }
    let Graph { inputs, outputs, constants, definitions, .. } = graph;
    Ok(Engine(Arc::new(EngineInner {
        device,
        inputs,
        outputs,
        constants,
        on_device: Mutex::default(),
        symbols: definitions,
        plans,
        runtime_kernels,
        report,
    })))
}

fn record(file: &FileBytes, section: &Section) -> Result<EngineRecord> {
    let bytes = file.get(section.range.clone()).unwrap_or_default();
    if bytes.len() > LARGEST_GRAPH {
        let len = bytes.len();
        return Err(Error::invalid(format_args!("its graph takes {len} bytes; at most {LARGEST_GRAPH} are read")));
    }
    container::compare("graph", crc32fast::hash(bytes), section.checksum).map_err(Error::invalid)?;
    EngineRecord::decode(bytes).map_err(|e| Error::invalid(format_args!("its graph can't be read: {e}")))
}

fn add_to_report(report: &mut BuildReport, profile: usize, plan: &Plan) {
    report.layers.extend(plan.steps.iter().filter_map(|step| chosen(step, profile)));
    report.inserted.extend(plan.inserted().map(|name| InsertedStep { name: name.clone(), profile }));
    report.arena_bytes.push(plan.arena);
}

/// The one trial of a layer that is in the file: the chosen one.
fn chosen(step: &PlannedStep, profile: usize) -> Option<LayerReport> {
    let number = match &step.work {
        PlannedWork::Impl { tactic, .. } => *tactic,
        PlannedWork::Kernels { plugin, .. } => plugin.tactic,
        PlannedWork::Reformat => return None,
    };
    let (inputs, outputs) = (step.memory.inputs().iter().map(|input| &input.tensor), step.memory.outputs());
    let laid_out = inputs.chain(outputs).map(|tensor| (tensor.info.dtype, tensor.info.format));
    let (types, formats) = laid_out.unzip();
    let combination = Combination { types, formats, tactics: vec![number], references: Vec::new() }.to_string();
    let tactic = step.tactic.clone().unwrap_or_default();
    let trials = vec![Trial { combination, tactic, outcome: TrialOutcome::NotTimed, locked: false, chosen: true }];
    let (layer, plugin) = (step.name.clone(), step.label.clone());
    Some(LayerReport { layer, plugin, profile, check: None, notes: Vec::new(), trials, cost: TuningCost::default() })
}
