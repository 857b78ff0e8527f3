//! `samples non_zero`: indices of the elements that aren't zero.

use half::f16;
use plugin_runtime::network::Network;
use plugin_runtime::tensor::{DataType, HostTensor};
use samples::non_zero::non_zero_plugin;
use samples::reference;

use crate::runner::cli::SampleArgs;
use crate::runner::data::{self, Fill};
use crate::runner::failure::Result;
use crate::runner::output::Output;
use crate::runner::session::Session;
use crate::runner::verify;

/// Runs the sample on the input that the command line asks for.
///
/// # Errors
/// When something fails or the result is wrong.
pub(in crate::runner) fn non_zero(args: &SampleArgs, out: &mut Output) -> Result<()> {
    let x = data::input(args, &[128, 128], Fill::HalfZeros)?;
    let mut session = Session::new(&args.build, out)?;
    let indices = non_zero_of(&mut session, &x)?;
    session.save(args.output.as_deref(), &indices)
}

/// Builds, runs and checks.
///
/// # Errors
/// As [`non_zero`].
pub(super) fn non_zero_of(session: &mut Session<'_>, x: &HostTensor) -> Result<HostTensor> {
    let engine = session.build(&network(x.dtype(), x.shape())?, |builder| builder)?;
    let indices = session.run_one(&engine, "non_zero", x)?;
    check(x, &indices)?;
    session.right("non_zero", &[("X", x)], &[("Y", &indices)])?;
    Ok(indices)
}

/// The sample's network.
///
/// # Errors
/// When the plugin refuses the input.
pub(in crate::runner) fn network(dtype: DataType, dims: &[i64]) -> Result<Network> {
    let mut network = Network::new();
    let x = network.add_input("X", dtype, dims.iter().copied())?;
    let [indices, _count] = network.add_plugin(non_zero_plugin::op(x))?;
    network.mark_output(indices, "Y")?;
    Ok(network)
}

fn check(x: &HostTensor, indices: &HostTensor) -> Result<()> {
    let expected = match x.dtype() {
        DataType::Float16 => reference::non_zero(x.as_slice::<f16>()?, x.shape()),
        _ => reference::non_zero(x.as_slice::<f32>()?, x.shape()),
    };
    let rows = i64::try_from(expected.len() / 2).unwrap_or(i64::MAX);
    verify::equal(indices, &[rows, 2], &expected)
}
