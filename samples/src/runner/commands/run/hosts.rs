//! Whole models in other engines, with the linked plugins among their operators.

use std::env;
use std::path::PathBuf;

use plugin_runtime::tensor::HostTensor;

use super::{prepare, read, show};
use crate::runner::cli::RunArgs;
use crate::runner::device::DeviceName;
use crate::runner::failure::{Failure, Result};
use crate::runner::named;
use crate::runner::onnxruntime;
use crate::runner::output::Output;
use crate::runner::source::{Kind, Slot};
use crate::runner::tensorrt_rtx::{Model, Request};

/// In ONNX Runtime.
pub(super) fn onnxruntime(args: &RunArgs, out: &mut Output) -> Result<()> {
    check_model(args, "onnxruntime")?;
    let library = onnxruntime::library(args.onnxruntime.as_deref())?;
    let session = onnxruntime::session(&library, &args.file, &args.build)?;
    let slots = |slots: &[onnxruntime::ModelSlot]| slots.iter().map(Slot::of_model).collect::<Vec<Slot>>();
    let (inputs, outputs) = (slots(session.inputs()), slots(session.outputs()));
    let given = read(args, &inputs)?;
    if let Some(folder) = &args.output {
        prepare(folder, &outputs)?;
    }
    let named: Vec<(&str, &HostTensor)> = inputs.iter().map(|slot| &*slot.name).zip(&given).collect();
    let results = session.run(&named)?;
    show(&named, &results, args.output.as_deref(), out)
}

/// In TensorRT-RTX: builds it, and runs it where the GPU is one that it supports.
pub(super) fn tensorrt_rtx(args: &RunArgs, out: &mut Output) -> Result<()> {
    check_model(args, "tensorrt-rtx")?;
    if args.build.device.is_some_and(|device| device == DeviceName::Cpu) {
        return Err(Failure::usage("TensorRT-RTX runs on a GPU: leave --device cpu out"));
    }
    let plugins = args.plugins.clone().map_or_else(own_plugins, Ok)?;
    let mut model = Model::read(&args.file, &plugins, args.tensorrt_rtx.as_deref(), args.build.verbose)?;
    let architecture = model.architecture(args.architecture.as_deref())?;
    let cannot_run = model.cannot_run(&architecture);
    let (inputs, outputs) = (model.inputs.clone(), model.outputs.clone());
    // What is only built needs no data, as long as its shapes are known.
    let given = if cannot_run.is_some() && args.inputs.is_empty() { Vec::new() } else { read(args, &inputs)? };
    if let Some(folder) = &args.output {
        prepare(folder, &outputs)?;
    }
    let shape = |position: usize| given.get(position).map(|tensor: &HostTensor| tensor.shape().to_vec());
    let profiles = named::profiles(&args.profiles.profiles, &inputs, &shape)?;
    let named: Vec<(&str, &HostTensor)> = inputs.iter().map(|slot| &*slot.name).zip(&given).collect();
    let built = model.build(&Request {
        profiles: &profiles,
        architecture: &architecture,
        save: args.save.as_deref(),
        inputs: cannot_run.is_none().then_some(&named),
    })?;
    let (bytes, seconds) = (built.bytes, built.seconds);
    out.line(format_args!("TensorRT-RTX built it for {architecture} in {seconds:.1} s: {bytes} bytes"))?;
    if let Some(path) = &args.save {
        out.line(format_args!("plan saved to {}", path.display()))?;
    }
    match cannot_run {
        None => show(&named, &built.results, args.output.as_deref(), out),
        Some(why) if args.save.is_some() => out.line(format_args!("not run: {why}")),
        Some(why) => Err(Failure::work(format_args!(
            "it can't run here: {why}; keep the plan with --save FILE, and run it where there is a GPU of {architecture}"
        ))),
    }
}

fn check_model(args: &RunArgs, engine: &str) -> Result<()> {
    match Kind::of(&args.file)? {
        Kind::Model => Ok(()),
        _ => Err(Failure::work(format_args!(
            "{} isn't an ONNX model, which --engine {engine} takes",
            args.file.display()
        ))),
    }
}

/// The library of this program's plugins, which cargo builds beside it.
fn own_plugins() -> Result<PathBuf> {
    let name = format!("{}samples{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.join(&name)));
    beside.filter(|library| library.exists()).ok_or_else(|| {
        Failure::work(format_args!(
            "the plugins' library {name} isn't beside this program: build it with `cargo build -p samples`, or name one with \
             --plugins FILE"
        ))
    })
}
