//! Kernels that lie in an engine: how they are launched, to and from what a file says.

use super::graph::Graph;
use super::images::Images;
use super::records::{KernelsRecord, LaunchRecord, ParameterRecord};
use super::wire::count;
use crate::device::cuda::{
    AotArg, AotLaunch, AotParameter, AotProgram, AotSlots, LaunchParams, ProgramLaunch, ProgramParameter,
};
use crate::engine::plan::AotPlugin;
use crate::error::{Error, Result};
use crate::shape::{ShapeExpr, decode_exprs, encode_exprs};

const INPUT: u32 = 1;
const OUTPUT: u32 = 2;
const WORKSPACE: u32 = 3;
const I32: u32 = 4;
const I64: u32 = 5;
const F32: u32 = 6;

pub(super) fn save(plugin: &AotPlugin, program: &AotProgram, images: &Images<'_>) -> Result<KernelsRecord> {
    Ok(KernelsRecord {
        tactic_name: plugin.tactic_name.clone(),
        module: images.module(&program.module)?,
        launches: program.launches.iter().map(|launch| save_launch(launch, program)).collect::<Result<_>>()?,
    })
}

fn save_launch(launch: &ProgramLaunch, program: &AotProgram) -> Result<LaunchRecord> {
    let parameter = |parameter: &ProgramParameter| {
        let mut record = ParameterRecord::default();
        let scalar = |at: usize| Ok::<_, Error>(encode_exprs(program.exprs.get(at))?);
        match *parameter {
            ProgramParameter::Input(index) => (record.kind, record.index) = (INPUT, count(index)?),
            ProgramParameter::Output(index) => (record.kind, record.index) = (OUTPUT, count(index)?),
            ProgramParameter::Workspace => record.kind = WORKSPACE,
            ProgramParameter::I32(at) => (record.kind, record.value) = (I32, scalar(at)?),
            ProgramParameter::I64(at) => (record.kind, record.value) = (I64, scalar(at)?),
            ProgramParameter::F32(value) => (record.kind, record.bits) = (F32, value.to_bits()),
        }
        Ok(record)
    };
    Ok(LaunchRecord {
        kernel: launch.kernel.to_string(),
        dimensions: encode_exprs(launch.dimensions(&program.exprs))?,
        parameters: launch.parameters.iter().map(parameter).collect::<Result<_>>()?,
    })
}

/// The kernels of a step, checked as those that a plugin describes. `check` refuses expressions whose symbols have no
/// value yet.
pub(super) fn load(
    graph: &Graph,
    record: &KernelsRecord,
    slots: AotSlots,
    check: &dyn Fn(&[ShapeExpr]) -> Result<()>,
) -> Result<AotProgram> {
    let module = graph.modules.get(record.module as usize).cloned();
    let module = module.ok_or_else(|| {
        Error::invalid(format_args!("its kernels are in module {}: there are {}", record.module, graph.modules.len()))
    })?;
    let mut launches = Vec::with_capacity(record.launches.len());
    for (position, launch) in record.launches.iter().enumerate() {
        let loaded = load_launch(graph, launch);
        launches.push(loaded.map_err(|e| e.within(format_args!("launch {position}")))?);
    }
    let program = AotProgram::new(module, &launches, slots)?;
    check(&program.exprs)?;
    Ok(program)
}

fn load_launch(graph: &Graph, record: &LaunchRecord) -> Result<AotLaunch> {
    let dimensions = decode_exprs(&record.dimensions, &graph.symbols)?;
    let dimensions = <[ShapeExpr; 7]>::try_from(dimensions)
        .map_err(|found| Error::invalid(format_args!("a launch has 7 dimensions, but {} were saved", found.len())))?;
    let [gx, gy, gz, bx, by, bz, shared_mem] = dimensions;
    let parameter = |(position, record): (usize, &ParameterRecord)| {
        parameter(graph, record).map_err(|e| e.within(format_args!("parameter {}", position + 1)))
    };
    Ok(AotLaunch {
        name: record.kernel.clone(),
        launch: LaunchParams { grid: [gx, gy, gz], block: [bx, by, bz], shared_mem },
        extra_args: Vec::new(),
        parameters: Some(record.parameters.iter().enumerate().map(parameter).collect::<Result<_>>()?),
    })
}

fn parameter(graph: &Graph, record: &ParameterRecord) -> Result<AotParameter> {
    let scalar = || {
        let mut exprs = decode_exprs(&record.value, &graph.symbols)?;
        match (exprs.pop(), exprs.is_empty()) {
            (Some(expr), true) => Ok(expr),
            _ => Err(Error::invalid("its value isn't one expression")),
        }
    };
    Ok(match record.kind {
        INPUT => AotParameter::Input(record.index as usize),
        OUTPUT => AotParameter::Output(record.index as usize),
        WORKSPACE => AotParameter::Workspace,
        I32 => AotParameter::Extra(AotArg::I32(scalar()?)),
        I64 => AotParameter::Extra(AotArg::I64(scalar()?)),
        F32 => AotParameter::Extra(AotArg::F32(f32::from_bits(record.bits))),
        other => return Err(Error::invalid(format_args!("kind {other} is unknown; 1 to {F32} are"))),
    })
}
