//! `samples inplace_add`: two additions in the caller's own buffer.

use half::f16;
use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, DeviceKind, Stream};
use plugin_runtime::engine::{Engine, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::{DataType, HostTensor};
use samples::inplace_add::inplace_add_plugin;
use samples::reference;

use crate::runner::cli::SampleArgs;
use crate::runner::data::{self, Fill};
use crate::runner::failure::{Failure, Result};
use crate::runner::output::Output;
use crate::runner::session::Session;
use crate::runner::verify;

const DELTAS: [i32; 2] = [2, 4];

/// Runs the sample on the input that the command line asks for.
///
/// # Errors
/// When something fails or the result is wrong.
pub(in crate::runner) fn inplace_add(args: &SampleArgs, out: &mut Output) -> Result<()> {
    let x = data::input(args, &[10, 3, 32, 32], Fill::Values)?;
    let mut session = Session::new(&args.build, out)?;
    let engine = session.build(&network(x.dtype(), x.shape())?, |builder| builder)?;
    let updated = run(&mut session, &engine, &x)?;
    session.save(args.output.as_deref(), &updated)
}

/// One engine for every shape of a profile.
///
/// # Errors
/// As [`inplace_add`].
pub(super) fn inplace_add_dynamic(session: &mut Session<'_>, dtype: DataType, shapes: [[i64; 3]; 3]) -> Result<()> {
    let [min, opt, max] = shapes;
    let engine = session
        .build(&network(dtype, &[-1, -1, -1])?, |builder| builder.profile(Profile::new().dims("X", min, opt, max)))?;
    for shape in shapes {
        let x = data::made_up(dtype, &shape, session.seed(), Fill::Values)?;
        run(session, &engine, &x)?;
    }
    Ok(())
}

fn network(dtype: DataType, dims: &[i64]) -> Result<Network> {
    let mut network = Network::new();
    let x = network.add_input("X", dtype, dims.iter().copied())?;
    let [first] = network.add_plugin(inplace_add_plugin::op(x, DELTAS[0]))?;
    let [second] = network.add_plugin(inplace_add_plugin::op(first, DELTAS[1]))?;
    network.mark_output(second, "Y")?;
    Ok(network)
}

/// Gives the caller's buffer as the engine leaves it.
fn run(session: &mut Session<'_>, engine: &Engine, x: &HostTensor) -> Result<HostTensor> {
    let mut context = engine.create_context()?;
    context.set_input_shape("X", x.shape())?;
    let buffer = update(&mut context, x, &session.stream()?)?;
    check(x, &buffer)?;
    session.right("inplace_add", &[("X", x)], &[("the same buffer", &buffer)])?;
    Ok(buffer)
}

/// A copy of the data, where the engine finds it, updated there and read back.
fn update(context: &mut ExecutionContext, x: &HostTensor, stream: &Stream) -> Result<HostTensor> {
    let mut enqueue = |binding: Binding<'_>| context.enqueue(&mut [binding, Binding::aliased()], stream);
    if stream.device().kind() == DeviceKind::Cuda {
        let mut buffer = DeviceTensor::from_host(stream, x)?;
        enqueue(Binding::device_in_place(&mut buffer))?;
        return Ok(buffer.to_host(stream)?);
    }
    let mut buffer = x.clone();
    match x.dtype() {
        DataType::Float32 => enqueue(Binding::in_place(buffer.as_mut_slice::<f32>()?))?,
        DataType::Float16 => enqueue(Binding::in_place(buffer.as_mut_slice::<f16>()?))?,
        other => return Err(Failure::work(format_args!("no buffer of {other}"))),
    }
    Ok(buffer)
}

fn check(x: &HostTensor, buffer: &HostTensor) -> Result<()> {
    let [first, second] = DELTAS;
    match x.dtype() {
        DataType::Float16 => {
            let between = reference::add(x.as_slice::<f16>()?, first);
            verify::equal(buffer, x.shape(), &reference::add(&between, second))
        }
        _ => {
            let between = reference::add(x.as_slice::<f32>()?, first);
            verify::equal(buffer, x.shape(), &reference::add(&between, second))
        }
    }
}
