//! A plugin in engines: dynamic shapes, saved and loaded, from several threads, captured.

use std::sync::Arc;

use super::conformance::{Place, Suite};
use super::report::Findings;
use super::shapes::Assignment;
use super::subject::output_name;
use crate::device::cuda::DeviceTensor;
use crate::device::{Binding, Stream};
use crate::engine::{Builder, Engine, ExecutionContext};
use crate::error::{Error, Result};
use crate::network::Preference;
use crate::plugin::Compare;
use crate::shape::Profile;
use crate::tactic::{OneLayer, coarsest, difference};
use crate::tensor::{DataType, HostTensor};

/// Threads, each with a context of its own.
const THREADS: u64 = 4;
/// Runs of each.
const RUNS: usize = 8;

/// Inputs at some extents, and the outputs that are right for them.
pub(super) struct Case {
    shapes: String,
    pub(super) inputs: Arc<[HostTensor]>,
    expected: Vec<HostTensor>,
    compare: Vec<Compare>,
    /// For each output, the input that it is updated in place over.
    aliases: Vec<Option<usize>>,
}

/// Checks engines of the plugin at the shapes that it accepts.
pub(super) fn check(suite: &Suite, place: &Place<'_>, accepted: &[&Assignment], findings: &mut Findings) {
    let mut cases = Vec::new();
    for assignment in accepted {
        match case(suite, place, assignment, suite.seed) {
            Ok(case) => cases.push(case),
            Err(error) => {
                return findings.note(Err(format!("{place}, in an engine, {}: {error}", suite.shown(assignment))));
            }
        }
    }
    let engine = match engine(suite, place, accepted) {
        Ok(Some(engine)) => engine,
        Ok(None) => return,
        Err(Unbuilt::Refused(error)) => {
            return findings.leave_out(format!("{place}, dynamic shapes, which it refuses: {error}"));
        }
        Err(Unbuilt::Failed(error)) => return findings.note(Err(format!("{place}, with dynamic shapes: {error}"))),
    };
    one_after_another(&engine, &cases, &format!("{place}, in one context with dynamic shapes"), findings);
    match engine.to_bytes().and_then(|bytes| Engine::from_bytes_on(&bytes, place.device)) {
        Ok(loaded) => one_after_another(&loaded, &cases, &format!("{place}, saved and loaded"), findings),
        Err(error) => findings.note(Err(format!("{place}, saved and loaded: {error}"))),
    }
    if let Some(assignment) = accepted.first() {
        at_once(suite, place, assignment, &engine, findings);
    }
    if place.device.cuda_properties().is_some() {
        for case in &cases {
            findings.note(captured(&engine, case).map_err(|e| format!("{place}, captured, {}: {e}", case.shapes)));
        }
    }
}

/// What keeps an engine from being built.
enum Unbuilt {
    /// The plugin doesn't take such inputs.
    Refused(Error),
    /// It does, and there is no engine all the same.
    Failed(Error),
}

/// An engine for all the shapes; `None` where there is nothing dynamic and it is the same as before.
fn engine(suite: &Suite, place: &Place<'_>, accepted: &[&Assignment]) -> Result<Option<Engine>, Unbuilt> {
    let network =
        suite.subject.network(suite.inputs.iter().map(|(dtype, dims)| (*dtype, dims.clone())), place.preference);
    let network = network.map_err(Unbuilt::Refused)?;
    let fixed: Vec<Vec<(DataType, Vec<i64>)>> =
        accepted.iter().map(|assignment| assignment.fixed(suite.names, &suite.inputs, &suite.extents)).collect();
    let Some(first) = fixed.first() else { return Ok(None) };
    let mut profile = Profile::new();
    for (index, name) in suite.names.iter().enumerate() {
        let bound = |best: fn(i64, i64) -> i64| -> Vec<i64> {
            let dims = fixed.iter().map(|inputs| inputs[index].1.clone());
            dims.reduce(|a, b| a.into_iter().zip(b).map(|(a, b)| best(a, b)).collect()).unwrap_or_default()
        };
        if !suite.extents.is_empty() {
            profile = profile.dims(*name, bound(i64::min), first[index].1.clone(), bound(i64::max));
        }
    }
    let engine = Builder::new(place.device.clone()).profile(profile).without_checks().build(&network);
    engine.map(Some).map_err(Unbuilt::Failed)
}

/// Made-up inputs at some extents, with what is right for them: the reference's outputs, or those of a run on the CPU, or of
/// one on this device.
pub(super) fn case(suite: &Suite, place: &Place<'_>, assignment: &Assignment, seed: u64) -> Result<Case> {
    let network = suite.network(assignment, place.preference)?;
    let inputs = OneLayer::new(&network, place.device)?.made_up_inputs(seed)?;
    let compare = comparisons(suite, &network)?;
    let aliases = network.layers.iter().next().map(|layer| layer.aliases.clone()).unwrap_or_default();
    let expected = match &suite.reference {
        Some(reference) => reference.outputs(&inputs)?,
        None => {
            let cpu = crate::device::Device::cpu();
            let is_there = suite.subject.plugin.impl_for(cpu.kind()).is_some();
            let on_cpu = Place { device: &cpu, preference: Preference::RequireJit };
            let by = if is_there { &on_cpu } else { place };
            let network = suite.network(assignment, by.preference)?;
            let engine = Builder::new(by.device.clone()).without_checks().build(&network)?;
            run(&mut engine.create_context()?, suite.names, &inputs)?
        }
    };
    Ok(Case { shapes: suite.shown(assignment), inputs, expected, compare, aliases })
}

fn comparisons(suite: &Suite, network: &crate::network::Network) -> Result<Vec<Compare>> {
    let outputs = suite.subject.plugin.entry.outputs;
    let usual = || vec![Compare::new(); outputs];
    let Some(layer) = network.layers.iter().next() else { return Ok(usual()) };
    Ok(layer.bound.comparisons(&network.input_descs(layer))?.unwrap_or_else(usual))
}

fn run(context: &mut ExecutionContext, names: &[&str], inputs: &[HostTensor]) -> Result<Vec<HostTensor>> {
    let bound: Vec<(&str, &HostTensor)> = names.iter().copied().zip(inputs).collect();
    Ok(context.run(&bound)?.into_iter().map(|(_, tensor)| tensor).collect())
}

/// The first output that isn't as expected.
pub(super) fn judge(case: &Case, outputs: &[HostTensor]) -> Result<(), String> {
    if outputs.len() != case.expected.len() {
        return Err(format!("there are {} outputs, and the reference gives {}", outputs.len(), case.expected.len()));
    }
    let types: Vec<DataType> = case.inputs.iter().chain(outputs).map(HostTensor::dtype).collect();
    let coarsest = coarsest(&types);
    for (index, ((expected, got), compare)) in case.expected.iter().zip(outputs).zip(&case.compare).enumerate() {
        if expected.dtype() != got.dtype() {
            return Err(format!("outputs[{index}] is {}, and the reference's {}", got.dtype(), expected.dtype()));
        }
        if let Some(how) = difference(expected, got, compare, coarsest) {
            return Err(format!("outputs[{index}]: {how}"));
        }
    }
    Ok(())
}

fn names(engine: &Engine) -> Vec<&str> {
    engine.inputs().map(|(name, _)| name).collect()
}

/// Every case in one context, and the first once more, since what the others left mustn't matter.
fn one_after_another(engine: &Engine, cases: &[Case], what: &str, findings: &mut Findings) {
    let mut context = match engine.create_context() {
        Ok(context) => context,
        Err(error) => return findings.note(Err(format!("{what}: {error}"))),
    };
    for case in cases.iter().chain(cases.first()) {
        let outcome = run(&mut context, &names(engine), &case.inputs).map_err(|e| e.to_string());
        let outcome = outcome.and_then(|outputs| judge(case, &outputs));
        findings.note(outcome.map_err(|how| format!("{what}, {}: {how}", case.shapes)));
    }
}

/// Contexts of one engine in several threads, each with data of its own.
fn at_once(suite: &Suite, place: &Place<'_>, assignment: &Assignment, engine: &Engine, findings: &mut Findings) {
    let cases: Result<Vec<Case>> =
        (0..THREADS).map(|thread| case(suite, place, assignment, suite.seed ^ (thread + 1))).collect();
    let what = format!("{place}, from {THREADS} threads at once");
    let cases = match cases {
        Ok(cases) => cases,
        Err(error) => return findings.note(Err(format!("{what}: {error}"))),
    };
    let start = std::sync::Barrier::new(cases.len());
    let work = |case: &Case| -> Result<(), String> {
        let context = engine.create_context();
        start.wait();
        let mut context = context.map_err(|e| e.to_string())?;
        for _ in 0..RUNS {
            let outputs = run(&mut context, &names(engine), &case.inputs).map_err(|e| e.to_string())?;
            judge(case, &outputs)?;
        }
        Ok(())
    };
    let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = cases.iter().map(|case| scope.spawn(|| work(case))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))).collect()
    });
    for outcome in outcomes {
        findings.note(outcome.map_err(|how| format!("{what}, {}: {how}", suite.shown(assignment))));
    }
}

/// Inputs and outputs in a GPU's memory; an output that is updated in place has none of its own.
struct OnDevice {
    inputs: Vec<DeviceTensor>,
    outputs: Vec<Option<DeviceTensor>>,
}

impl OnDevice {
    fn new(context: &mut ExecutionContext, case: &Case, stream: &Stream) -> Result<Self> {
        let inputs = case.inputs.iter().map(|input| DeviceTensor::from_host(stream, input)).collect::<Result<_>>()?;
        let mut outputs = Vec::new();
        for (index, (expected, alias)) in case.expected.iter().zip(&case.aliases).enumerate() {
            let dims = context.max_output_shape(&output_name(index))?;
            let own = || DeviceTensor::uninit(stream, expected.dtype(), &dims);
            outputs.push(if alias.is_none() { Some(own()?) } else { None });
        }
        Ok(OnDevice { inputs, outputs })
    }

    /// The bindings, for as long as `work` has them.
    fn bound(&mut self, case: &Case, work: impl FnOnce(&mut [Binding<'_>]) -> Result<()>) -> Result<()> {
        let inputs =
            self.inputs.iter_mut().enumerate().map(|(index, input)| match case.aliases.contains(&Some(index)) {
                true => Binding::device_in_place(input),
                false => Binding::device_input(input),
            });
        let outputs = self.outputs.iter_mut().map(|output| match output {
            Some(output) => Binding::device_output(output),
            None => Binding::aliased(),
        });
        work(&mut inputs.chain(outputs).collect::<Vec<_>>())
    }

    fn outputs(&self, context: &mut ExecutionContext, case: &Case, stream: &Stream) -> Result<Vec<HostTensor>> {
        let mut found = Vec::new();
        for (index, (output, alias)) in self.outputs.iter().zip(&case.aliases).enumerate() {
            let dims = context.output_shape(&output_name(index))?;
            let shared = alias.and_then(|input| self.inputs.get(input));
            let tensor = output.as_ref().or(shared);
            let tensor = tensor.ok_or_else(|| Error::invalid("an output has no memory"))?;
            found.push(tensor.to_host(stream)?.truncated(dims)?);
        }
        Ok(found)
    }
}

/// A run on device memory that is recorded, and replayed.
fn captured(engine: &Engine, case: &Case) -> Result<(), String> {
    let replay = || -> Result<Vec<HostTensor>> {
        let stream = engine.device().create_stream()?;
        let mut context = engine.create_context()?;
        for (name, input) in names(engine).into_iter().zip(case.inputs.iter()) {
            context.set_input_shape(name, input.shape())?;
        }
        let mut memory = OnDevice::new(&mut context, case, &stream)?;
        memory.bound(case, |bindings| {
            context.enqueue(bindings, &stream)?;
            context.capture(bindings, &stream)
        })?;
        for (tensor, input) in memory.inputs.iter_mut().zip(case.inputs.iter()) {
            tensor.copy_from_host(&stream, input)?;
        }
        memory.bound(case, |bindings| context.enqueue(bindings, &stream))?;
        stream.synchronize()?;
        memory.outputs(&mut context, case, &stream)
    };
    replay().map_err(|e| e.to_string()).and_then(|outputs| judge(case, &outputs))
}
