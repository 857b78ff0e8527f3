//! Runs an engine file in a program that links no plugin: what it runs are kernels that lie in the file.
//!
//! `run_engine FILE [--input NAME=RAW].. [--shape NAME=2,3].. [--output NAME=RAW]..`: inputs are raw bytes, row-major, or
//! made up; dynamic inputs have the extents of `--shape`, or those that the engine was tuned at.

use std::collections::BTreeMap;
use std::process::ExitCode;

use plugin_runtime::engine::{BindingSummary, Engine, EngineSummary};
use plugin_runtime::plugin::Registry;
use plugin_runtime::tensor::{DataType, HostTensor};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "usage: run_engine FILE [--input NAME=RAW].. [--shape NAME=2,3].. [--output NAME=RAW]..";

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("run_engine: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Arguments {
    engine: String,
    inputs: BTreeMap<String, String>,
    shapes: BTreeMap<String, Vec<i64>>,
    outputs: BTreeMap<String, String>,
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut arguments = Arguments::default();
        while let Some(argument) = given.next() {
            if !argument.starts_with("--") {
                if !arguments.engine.is_empty() {
                    return Err(format!("a second engine, `{argument}`; {USAGE}").into());
                }
                arguments.engine = argument;
                continue;
            }
            let value = given.next().ok_or_else(|| format!("{argument} needs a value; {USAGE}"))?;
            let (name, value) = value.split_once('=').ok_or_else(|| format!("`{value}` isn't NAME=..; {USAGE}"))?;
            match argument.as_str() {
                "--input" => drop(arguments.inputs.insert(name.into(), value.into())),
                "--output" => drop(arguments.outputs.insert(name.into(), value.into())),
                "--shape" => {
                    let extents: Result<Vec<i64>, _> = value.split(',').map(str::parse).collect();
                    let extents = extents.map_err(|e| format!("--shape {name}={value}: {e}"))?;
                    arguments.shapes.insert(name.into(), extents);
                }
                _ => return Err(format!("no option `{argument}`; {USAGE}").into()),
            }
        }
        if arguments.engine.is_empty() {
            return Err(USAGE.into());
        }
        Ok(arguments)
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    println!("plugins linked: {}", Registry::global()?.plugins().len());
    let engine = Engine::load(&arguments.engine)?;
    println!("device: {}", engine.device());
    let summary = engine.inspect();
    check_names(arguments, &summary)?;
    let mut inputs = Vec::new();
    for input in &summary.inputs {
        let dims = extents(input, &summary, arguments)?;
        let (tensor, from) = match arguments.inputs.get(&input.name) {
            Some(path) => {
                let bytes = std::fs::read(path).map_err(|e| format!("`{path}` can't be read: {e}"))?;
                (HostTensor::from_bytes(input.dtype, &bytes, &dims)?, path.as_str())
            }
            None => (made_up(input.dtype, &dims)?, "made up"),
        };
        println!("input {} {} {dims:?} {from}", input.name, input.dtype);
        inputs.push((input.name.as_str(), tensor));
    }
    let inputs: Vec<(&str, &HostTensor)> = inputs.iter().map(|(name, tensor)| (*name, tensor)).collect();
    for (name, tensor) in engine.create_context()?.run(&inputs)? {
        let checksum = checksum(tensor.bytes());
        println!("output {name} {} {:?} checksum {checksum:016x}", tensor.dtype(), tensor.shape());
        if let Some(path) = arguments.outputs.get(&name) {
            std::fs::write(path, tensor.bytes()).map_err(|e| format!("`{path}` can't be written: {e}"))?;
        }
    }
    Ok(())
}

fn check_names(arguments: &Arguments, summary: &EngineSummary) -> Result<(), Failure> {
    let is_in = |known: &[BindingSummary], name: &str| known.iter().any(|binding| binding.name == name);
    if let Some(name) = arguments.inputs.keys().chain(arguments.shapes.keys()).find(|n| !is_in(&summary.inputs, n)) {
        return Err(format!("the engine has no input `{name}`").into());
    }
    match arguments.outputs.keys().find(|name| !is_in(&summary.outputs, name)) {
        Some(name) => Err(format!("the engine has no output `{name}`").into()),
        None => Ok(()),
    }
}

/// The extents of an input: those that were given, or the ones it was tuned at.
fn extents(input: &BindingSummary, summary: &EngineSummary, arguments: &Arguments) -> Result<Vec<i64>, Failure> {
    if let Some(extents) = arguments.shapes.get(&input.name) {
        return Ok(extents.clone());
    }
    let tuned = summary.plans.first().and_then(|plan| plan.profile.get(&input.name)).map(|dims| &dims.opt);
    let extent = |(axis, extent): (usize, &plugin_runtime::shape::ShapeExpr)| {
        let known = extent.constant_value().or_else(|| tuned?.get(axis).copied());
        known.ok_or_else(|| format!("input `{}` needs --shape {}=..", input.name, input.name).into())
    };
    input.shape.iter().enumerate().map(extent).collect()
}

/// Small numbers, some of them 0, of any type.
fn made_up(dtype: DataType, dims: &[i64]) -> Result<HostTensor, Failure> {
    let mut tensor = HostTensor::zeros(dtype, dims)?;
    let number = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7) % 9;
    match dtype {
        DataType::Float32 => {
            tensor.as_mut_slice::<f32>()?.iter_mut().enumerate().for_each(|(i, x)| *x = number(i) as f32 - 4.0);
        }
        DataType::Float16 => {
            // 0, 1/2, 1, 1 1/2 ..
            const HALVES: [u16; 9] = [0, 0x3800, 0x3c00, 0x3e00, 0x4000, 0xb800, 0xbc00, 0xbe00, 0xc000];
            let bytes = tensor.bytes_mut().chunks_exact_mut(2).enumerate();
            bytes.for_each(|(i, half)| half.copy_from_slice(&HALVES[number(i)].to_ne_bytes()));
        }
        DataType::Int32 => {
            tensor.as_mut_slice::<i32>()?.iter_mut().enumerate().for_each(|(i, x)| *x = number(i) as i32);
        }
        DataType::Int64 => {
            tensor.as_mut_slice::<i64>()?.iter_mut().enumerate().for_each(|(i, x)| *x = number(i) as i64);
        }
        _ => tensor.bytes_mut().iter_mut().enumerate().for_each(|(i, x)| *x = (number(i) % 2) as u8),
    }
    Ok(tensor)
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
