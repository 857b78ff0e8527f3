//! `samples build`: from a model to an engine file.

use plugin_runtime::engine::Engine;
use plugin_runtime::network::Network;
use plugin_runtime::shape::Profile;

use crate::runner::cli::{BuildArgs, BuildModelArgs};
use crate::runner::device::shown_device;
use crate::runner::failure::{Failure, Result};
use crate::runner::named;
use crate::runner::output::Output;
use crate::runner::session::Session;
use crate::runner::source::{Source, check_target};
use crate::runner::text::count;

/// Builds the engine and saves it.
///
/// # Errors
/// When the model can't be read or built, or the engine can't be written.
pub(in crate::runner) fn build(args: &BuildModelArgs, out: &mut Output) -> Result<()> {
    let source = Source::open(&args.file, None)?;
    check_target(&args.file, &args.save)?;
    let inputs = source.inputs();
    let Source::Model(network) = source else {
        return Err(Failure::work(format_args!("{} is an engine; expected an ONNX model", args.file.display())));
    };
    let profiles = named::profiles(&args.profiles.profiles, &inputs, &|_| None)?;
    let engine = engine_of(&network, profiles, &args.build, out)?;
    engine.save(&args.save)?;
    let steps: usize = engine.inspect().plans.iter().map(|plan| plan.steps.len()).sum();
    out.line(format_args!(
        "engine saved to {}: {} in {}, for {}",
        args.save.display(),
        count(steps, "step"),
        count(engine.profiles(), "profile"),
        shown_device(engine.device())
    ))
}

/// # Errors
/// When the network can't be built.
pub(super) fn engine_of(
    network: &Network,
    profiles: Vec<Profile>,
    args: &BuildArgs,
    out: &mut Output,
) -> Result<Engine> {
    let mut session = Session::new(args, out)?;
    session.build(network, |builder| profiles.into_iter().fold(builder, |builder, profile| builder.profile(profile)))
}
