//! `samples add`: x + 1.

use half::f16;
use plugin_runtime::network::{IntoOp, Network, Preference};
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::{DataType, HostTensor};
use samples::add::elemwise_add_plugin;
use samples::reference;

use super::{check_aot, preference};
use crate::runner::cli::AddArgs;
use crate::runner::data::{self, Fill};
use crate::runner::failure::{Failure, Result};
use crate::runner::output::Output;
use crate::runner::session::Session;
use crate::runner::verify;

const BLOCK_SIZE: i32 = 256;

/// Runs the sample on the input that the command line asks for.
///
/// # Errors
/// When something fails or the result is wrong.
pub(in crate::runner) fn add(args: &AddArgs, out: &mut Output) -> Result<()> {
    check_aot(args.aot, &args.sample.build.device()?)?;
    let x = data::input(&args.sample, &[10, 3, 32, 32], Fill::Values)?;
    let mut session = Session::new(&args.sample.build, out)?;
    // In half precision a sum is off by at most half a unit in the last place of each of its three roundings.
    let half_precision = args.autotune && x.dtype() == DataType::Float32;
    let engine = session.build(&network(x.dtype(), x.shape(), preference(args.aot))?, |builder| {
        if args.autotune { builder.allow_types([DataType::Float16]) } else { builder }
    })?;
    let y = session.run_one(&engine, "add", &x)?;
    check(&x, &y, half_precision)?;
    session.right("add", &[("X", &x)], &[("Y", &y)])?;
    session.save(args.sample.output.as_deref(), &y)
}

/// One engine for every shape of a profile.
///
/// # Errors
/// As [`add`].
pub(super) fn add_dynamic(session: &mut Session<'_>, dtype: DataType, shapes: [[i64; 3]; 3]) -> Result<()> {
    let [min, opt, max] = shapes;
    let engine = session.build(&network(dtype, &[-1, -1, -1], Preference::Unspecified)?, |builder| {
        builder.profile(Profile::new().dims("X", min, opt, max))
    })?;
    for shape in shapes {
        let x = data::made_up(dtype, &shape, session.seed(), Fill::Values)?;
        let y = session.run_one(&engine, "add", &x)?;
        check(&x, &y, false)?;
        session.right("add", &[("X", &x)], &[("Y", &y)])?;
    }
    Ok(())
}

/// The sample's network.
///
/// # Errors
/// When the plugin refuses the input.
pub(in crate::runner) fn network(dtype: DataType, dims: &[i64], preference: Preference) -> Result<Network> {
    let mut network = Network::new();
    let x = network.add_input("X", dtype, dims.iter().copied())?;
    let [y] = network.add_plugin(elemwise_add_plugin::op(x, BLOCK_SIZE).with_preference(preference))?;
    network.mark_output(y, "Y")?;
    Ok(network)
}

fn check(x: &HostTensor, y: &HostTensor, half_precision: bool) -> Result<()> {
    match x.dtype() {
        DataType::Float16 => verify::equal(y, x.shape(), &reference::add(x.as_slice::<f16>()?, 1)),
        DataType::Float32 => {
            let expected = reference::add(x.as_slice::<f32>()?, 1);
            if half_precision {
                return verify::matching(y, x.shape(), &expected, close_in_half_precision);
            }
            verify::equal(y, x.shape(), &expected)
        }
        other => Err(Failure::work(format_args!("no reference for {other}"))),
    }
}

fn close_in_half_precision(got: &f32, expected: &f32) -> bool {
    let rounding = f16::EPSILON.to_f32();
    got == expected
        || (got.is_nan() && expected.is_nan())
        || (got - expected).abs() <= 2.0 * rounding * expected.abs().max(1.0)
}
