//! `samples circ_pad`: circular padding of the last dimensions.

mod artifacts;

use half::f16;
use plugin_runtime::engine::Engine;
use plugin_runtime::network::{IntoOp, Network, Preference};
use plugin_runtime::plugin::combination::Tactic;
use plugin_runtime::tensor::{DataType, HostTensor};
use samples::circ_pad::{CircPadAotTactic, CircPadCudaTactic, CircPadTactic, circ_pad_plugin};
use samples::reference;

use super::{check_aot, preference};
use crate::runner::cli::{CircPadArgs, Mode};
use crate::runner::data::{self, Fill};
use crate::runner::failure::{Failure, Result};
use crate::runner::output::Output;
use crate::runner::session::Session;
use crate::runner::verify;

const PLUGIN: &str = "sample::circ_pad_plugin";
/// The tactics that are there without `--multi_tactic`: one for each way of running the plugin.
fn one_tactic() -> [i32; 3] {
    [CircPadTactic::Rows.id(), CircPadCudaTactic::Vectors.id(), CircPadAotTactic::Block256.id()]
}

/// Which tactics the builder chooses from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tactics {
    One,
    All,
}

/// Runs the sample on the input that the command line asks for.
///
/// # Errors
/// When an option asks for what isn't there, something fails, or the result is wrong.
pub(in crate::runner) fn circ_pad(args: &CircPadArgs, out: &mut Output) -> Result<()> {
    check_options(args)?;
    if let (true, Some(folder)) = (args.load_engine, &args.artifacts_dir) {
        return artifacts::run_saved(folder, args.sample.build.device, out);
    }
    let x = data::input(&args.sample, &[10, 3, 32, 32], Fill::Values)?;
    let mut network = network(x.dtype(), x.shape(), &args.pads, preference(args.aot))?;
    if let (Some(Mode::Onnx), Some(folder)) = (args.mode, &args.artifacts_dir) {
        network = artifacts::through_onnx(&network, folder, out)?;
    }
    let mut session = Session::new(&args.sample.build, out)?;
    let tactics = if args.multi_tactic { Tactics::All } else { Tactics::One };
    let (engine, y) = build_and_run(&mut session, &network, &x, &args.pads, tactics)?;
    session.save(args.sample.output.as_deref(), &y)?;
    match &args.artifacts_dir {
        Some(folder) if args.save_engine => artifacts::save(&engine, folder, out),
        _ => Ok(()),
    }
}

/// Builds, runs and checks.
///
/// # Errors
/// As [`circ_pad`].
pub(super) fn circ_pad_of(
    session: &mut Session<'_>,
    x: &HostTensor,
    pads: &[i32],
    tactics: Tactics,
) -> Result<HostTensor> {
    let (_, y) =
        build_and_run(session, &network(x.dtype(), x.shape(), pads, Preference::Unspecified)?, x, pads, tactics)?;
    Ok(y)
}

fn build_and_run(
    session: &mut Session<'_>,
    network: &Network,
    x: &HostTensor,
    pads: &[i32],
    tactics: Tactics,
) -> Result<(Engine, HostTensor)> {
    let engine = session.build(network, |builder| match tactics {
        Tactics::One => builder.limit_tactics(PLUGIN, one_tactic()),
        Tactics::All => builder,
    })?;
    let sample = match tactics {
        Tactics::One => "circ_pad (one tactic)",
        Tactics::All => "circ_pad (all tactics)",
    };
    let y = session.run_one(&engine, sample, x)?;
    check(x, &y, pads)?;
    session.right(sample, &[("X", x)], &[("Y", &y)])?;
    Ok((engine, y))
}

/// The sample's network.
///
/// # Errors
/// When the plugin refuses the input or the pads.
pub(in crate::runner) fn network(
    dtype: DataType,
    dims: &[i64],
    pads: &[i32],
    preference: Preference,
) -> Result<Network> {
    let mut network = Network::new();
    let x = network.add_input("X", dtype, dims.iter().copied())?;
    let [y] = network.add_plugin(circ_pad_plugin::op(x, pads).with_preference(preference))?;
    network.mark_output(y, "Y")?;
    Ok(network)
}

fn check_options(args: &CircPadArgs) -> Result<()> {
    if args.save_engine && args.load_engine {
        return Err(Failure::usage("--save_engine and --load_engine exclude each other: give one of them"));
    }
    if args.mode.is_none() && !args.load_engine {
        return Err(Failure::usage("--mode is missing: give --mode inetdef (or onnx), or load an engine"));
    }
    if args.mode == Some(Mode::Onnx) && args.artifacts_dir.is_none() && !args.load_engine {
        return Err(Failure::usage("--mode onnx needs --artifacts_dir, the folder of the ONNX file"));
    }
    if (args.save_engine || args.load_engine) && args.artifacts_dir.is_none() {
        return Err(Failure::usage("--save_engine and --load_engine need --artifacts_dir, the engine's folder"));
    }
    if let Some(folder) = &args.artifacts_dir
        && !folder.is_dir()
    {
        return Err(Failure::usage(format_args!("--artifacts_dir {} isn't a folder that exists", folder.display())));
    }
    if args.load_engine { Ok(()) } else { check_aot(args.aot, &args.sample.build.device()?) }
}

fn check(x: &HostTensor, y: &HostTensor, pads: &[i32]) -> Result<()> {
    match x.dtype() {
        DataType::Float16 => {
            let (dims, expected) = reference::circ_pad(x.as_slice::<f16>()?, x.shape(), pads);
            verify::equal(y, &dims, &expected)
        }
        _ => {
            let (dims, expected) = reference::circ_pad(x.as_slice::<f32>()?, x.shape(), pads);
            verify::equal(y, &dims, &expected)
        }
    }
}
