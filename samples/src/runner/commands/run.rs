//! `samples run`: a model or an engine, on arrays from files.

mod hosts;

use std::fs;
use std::path::Path;

use clap::ValueEnum;
use plugin_runtime::engine::{Engine, PlanSummary};
use plugin_runtime::tensor::HostTensor;

use super::build::engine_of;
use crate::runner::cli::{EngineName, RunArgs};
use crate::runner::failure::{Failure, Result};
use crate::runner::named;
use crate::runner::npy;
use crate::runner::output::Output;
use crate::runner::source::{Slot, Source, check_target};
use crate::runner::table::Table;
use crate::runner::text::file_name;

/// Runs it, shows what came out, and writes it to files.
///
/// # Errors
/// When a file can't be read or written, an input is missing or doesn't fit, or something fails.
pub(in crate::runner) fn run(args: &RunArgs, out: &mut Output) -> Result<()> {
    check_engine(args)?;
    match args.engine {
        EngineName::Own => run_here(args, out),
        EngineName::Onnxruntime => hosts::onnxruntime(args, out),
        EngineName::TensorrtRtx => hosts::tensorrt_rtx(args, out),
    }
}

/// In this program's own engine.
fn run_here(args: &RunArgs, out: &mut Output) -> Result<()> {
    let source = Source::open(&args.file, args.build.device)?;
    if let Source::Engine(_) = &source {
        check_options(args)?;
    }
    let (inputs, outputs) = (source.inputs(), source.outputs());
    let given = read(args, &inputs)?;
    if let Some(folder) = &args.output {
        prepare(folder, &outputs)?;
    }
    let engine = match source {
        Source::Engine(engine) => engine,
        Source::Model(network) => {
            args.save.as_ref().map_or(Ok(()), |save| check_target(&args.file, save))?;
            let shape = |position: usize| given.get(position).map(|tensor: &HostTensor| tensor.shape().to_vec());
            let profiles = named::profiles(&args.profiles.profiles, &inputs, &shape)?;
            engine_of(&network, profiles, &args.build, out)?
        }
    };
    if let Some(path) = &args.save {
        engine.save(path)?;
        out.line(format_args!("engine saved to {}", path.display()))?;
    }
    let named: Vec<(&str, &HostTensor)> = inputs.iter().map(|slot| &*slot.name).zip(&given).collect();
    let results = engine.create_context_for(fitting_profile(&engine, &named)?)?.run(&named)?;
    show(&named, &results, args.output.as_deref(), out)
}

/// Options of one engine aren't for another.
fn check_engine(args: &RunArgs) -> Result<()> {
    use EngineName::{Onnxruntime, Own, TensorrtRtx};
    let options: [(&str, bool, &[EngineName]); 9] = [
        ("--onnxruntime", args.onnxruntime.is_some(), &[Onnxruntime]),
        ("--tensorrt-rtx", args.tensorrt_rtx.is_some(), &[TensorrtRtx]),
        ("--plugins", args.plugins.is_some(), &[TensorrtRtx]),
        ("--architecture", args.architecture.is_some(), &[TensorrtRtx]),
        ("--profile", !args.profiles.profiles.is_empty(), &[Own, TensorrtRtx]),
        ("--save", args.save.is_some(), &[Own, TensorrtRtx]),
        ("--lockfile", args.build.lockfile.is_some(), &[Own, Onnxruntime]),
        ("--without-checks", args.build.without_checks, &[Own]),
        ("--locked", args.build.locked, &[Own]),
    ];
    let wrong = options.iter().find(|(_, given, engines)| *given && !engines.contains(&args.engine));
    wrong.map_or(Ok(()), |(option, _, engines)| {
        let names = engines.iter().filter_map(|engine| Some(engine.to_possible_value()?.get_name().to_owned()));
        let names = names.collect::<Vec<_>>().join(" or ");
        Err(Failure::usage(format_args!("{option} is for --engine {names}: leave it out")))
    })
}

fn check_options(args: &RunArgs) -> Result<()> {
    let of_builds = [
        ("--profile", !args.profiles.profiles.is_empty()),
        ("--save", args.save.is_some()),
        ("--lockfile", args.build.lockfile.is_some()),
    ];
    if let Some((option, _)) = of_builds.iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format_args!(
            "{option} is for building, and {} is built already: leave it out, or give the model",
            args.file.display()
        )));
    }
    Ok(())
}

/// One array an input.
fn read(args: &RunArgs, inputs: &[Slot]) -> Result<Vec<HostTensor>> {
    let files = named::one_each("--input", &args.inputs, inputs)?;
    let missing: Vec<String> =
        inputs.iter().zip(&files).filter(|(_, file)| file.is_none()).map(|(slot, _)| slot.to_string()).collect();
    if !missing.is_empty() {
        return Err(Failure::work(format_args!(
            "no file was given for {}: give one with --input NAME=FILE.npy",
            missing.join(", ")
        )));
    }
    let mut given = Vec::with_capacity(inputs.len());
    for (slot, file) in inputs.iter().zip(files.into_iter().flatten()) {
        let tensor = npy::read(Path::new(file))?;
        if tensor.dtype() != slot.dtype {
            let convert = npy::numpy_name(slot.dtype).map(|name| format!(": convert it, e.g. x.astype('{name}')"));
            return Err(Failure::work(format_args!(
                "input {slot} needs {} elements, but {file} holds {} {:?}{}",
                slot.dtype,
                tensor.dtype(),
                tensor.shape(),
                convert.unwrap_or_else(|| "; numpy has no such type, so the input can't come from a file".into())
            )));
        }
        given.push(tensor);
    }
    Ok(given)
}

/// Makes the folder of the outputs, before anything takes long.
fn prepare(folder: &Path, outputs: &[Slot]) -> Result<()> {
    if let Some(slot) = outputs.iter().find(|slot| npy::numpy_name(slot.dtype).is_none()) {
        return Err(Failure::work(format_args!(
            "output {slot} can't be written as .npy: numpy has no such type; leave --output out, or cast it in the model"
        )));
    }
    fs::create_dir_all(folder)
        .map_err(|e| Failure::work(format_args!("can't make the folder {}: {e}", folder.display())))
}

/// The first profile that the inputs fit; where there is one only, that one.
fn fitting_profile(engine: &Engine, given: &[(&str, &HostTensor)]) -> Result<usize> {
    let plans = engine.inspect().plans;
    let fits = |plan: &PlanSummary| {
        given.iter().all(|(name, tensor)| {
            plan.profile.get(name).is_none_or(|range| {
                range.min.len() == tensor.shape().len()
                    && (range.min.iter().zip(tensor.shape())).all(|(min, extent)| min <= extent)
                    && (range.max.iter().zip(tensor.shape())).all(|(max, extent)| extent <= max)
            })
        })
    };
    match plans.iter().position(fits) {
        Some(profile) => Ok(profile),
        None if plans.len() <= 1 => Ok(0),
        None => {
            let shapes: Vec<String> =
                given.iter().map(|(name, tensor)| format!("{name} {:?}", tensor.shape())).collect();
            let ranges = plans.iter().map(|plan| {
                let ranges = plan.profile.iter().map(|(name, range)| format!("{name} {} to {}", range.min, range.max));
                ranges.collect::<Vec<_>>().join(", ")
            });
            Err(Failure::work(format_args!(
                "the shapes {} fit none of the profiles: {}",
                shapes.join(", "),
                ranges.collect::<Vec<_>>().join("; ")
            )))
        }
    }
}

fn show(
    given: &[(&str, &HostTensor)],
    results: &[(String, HostTensor)],
    folder: Option<&Path>,
    out: &mut Output,
) -> Result<()> {
    let mut table = Table::new(["", "name", "type", "shape", "file"]);
    for (name, tensor) in given {
        row(&mut table, "input", name, tensor, String::new());
    }
    for (position, (name, tensor)) in results.iter().enumerate() {
        let file = folder.map(|folder| folder.join(format!("{}.npy", file_name(name, position))));
        if let Some(path) = &file {
            npy::write(path, tensor)?;
        }
        row(&mut table, "output", name, tensor, file.map(|path| path.display().to_string()).unwrap_or_default());
    }
    out.table(&table)
}

fn row(table: &mut Table, role: &str, name: &str, tensor: &HostTensor, file: String) {
    table.row([role.into(), name.into(), tensor.dtype().to_string(), format!("{:?}", tensor.shape()), file]);
}
