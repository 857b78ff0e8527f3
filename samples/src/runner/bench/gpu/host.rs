//! What a run costs the host, beside the driver's own calls for the same work.

use std::time::Instant;

use plugin_runtime::device::Binding;
use plugin_runtime::device::cuda::{BareLaunches, DeviceTensor};
use plugin_runtime::engine::{Engine, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::tensor::DataType;
use samples::add::elemwise_add_plugin;

use super::Bench;
use super::goals::{Kind, Work};
use super::row::Row;
use crate::runner::bench::measure::median;
use crate::runner::data::{self, Fill};
use crate::runner::failure::{Failure, Result};

const SHAPE: [i64; 4] = [10, 3, 32, 32];
const DTYPE: DataType = DataType::Float32;
const CHAIN: usize = 20;
const BLOCK_SIZE: i32 = 256;

/// Times one plugin beside a launch of its kernel, and a recorded chain of plugins beside a launch of as long a graph.
///
/// # Errors
/// When an engine can't be built or run.
pub(super) fn run_all(bench: &mut Bench<'_>) -> Result<()> {
    for (work, plugins) in all() {
        if bench.wants(&work.name) {
            run(bench, work, plugins)?;
        }
    }
    Ok(())
}

/// What is timed, with the number of plugins.
pub(super) fn all() -> [(Work, usize); 2] {
    let bytes = SHAPE.iter().product::<i64>().unsigned_abs() * u64::from(DTYPE.bits() / 8);
    let work = |kind, name| Work { kind, name, dtype: "f32", shape: SHAPE.to_vec(), bytes };
    [
        (work(Kind::Enqueue, "enqueue of 1 plugin".to_owned()), 1),
        (work(Kind::Replay, format!("replay of {CHAIN} plugins")), CHAIN),
    ]
}

/// As many additions in a row. Several are recorded, one isn't.
fn run(bench: &mut Bench<'_>, work: Work, plugins: usize) -> Result<()> {
    let engine = bench.args.build.builder(bench.device.clone()).build(&network(plugins)?)?;
    let x = data::made_up(DTYPE, &SHAPE, bench.args.build.seed, Fill::Values)?;
    let x = DeviceTensor::from_host(&bench.stream, &x)?;
    let mut y = DeviceTensor::uninit(&bench.stream, DTYPE, &SHAPE)?;
    let mut bare_y = DeviceTensor::uninit(&bench.stream, DTYPE, &SHAPE)?;

    // Everything is compiled and loaded before something is recorded.
    let mut context = run_once(&engine, &x, &mut y, bench)?;
    let mut bare_context = run_once(&engine, &x, &mut bare_y, bench)?;
    let mut bindings = [Binding::device_input(&x), Binding::device_output(&mut bare_y)];
    let bare = bare_context.bare_launches(&mut bindings, &bench.stream)?;
    if bare.kernels() != plugins {
        return Err(Failure::work(format_args!(
            "{}: the engine launches {} kernels for {plugins} plugins; expected as many",
            work.name,
            bare.kernels()
        )));
    }
    let (count, graph) = match plugins {
        1 => (bench.effort.kernels_a_round, false),
        _ => (bench.effort.graphs_a_round, true),
    };
    if graph {
        context.capture(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], &bench.stream)?;
    }
    let mut times = (Vec::new(), Vec::new());
    for round in 0..bench.effort.warm_up + bench.effort.host_rounds {
        // Who comes first changes from round to round.
        let mut both = [0.0; 2];
        for turn in [round % 2, 1 - round % 2] {
            both[turn] = match turn {
                0 => own_us(&mut context, &x, &mut y, bench, count)?,
                _ => bare_us(&bare, graph, count)?,
            };
            bench.stream.synchronize()?;
        }
        if round >= bench.effort.warm_up {
            times.0.push(both[0]);
            times.1.push(both[1]);
        }
    }
    bench.rows.push(Row { work, median_us: median(times.0), cold_us: None, floor_us: median(times.1), copy_us: None });
    Ok(())
}

fn network(plugins: usize) -> Result<Network> {
    let mut network = Network::new();
    let mut last = network.add_input("X", DTYPE, SHAPE)?;
    for _ in 0..plugins {
        [last] = network.add_plugin(elemwise_add_plugin::op(last, BLOCK_SIZE))?;
    }
    network.mark_output(last, "Y")?;
    Ok(network)
}

fn run_once(engine: &Engine, x: &DeviceTensor, y: &mut DeviceTensor, bench: &Bench<'_>) -> Result<ExecutionContext> {
    let mut context = engine.create_context()?;
    context.enqueue(&mut [Binding::device_input(x), Binding::device_output(y)], &bench.stream)?;
    bench.stream.synchronize()?;
    Ok(context)
}

/// The host's time of one of `count` runs.
fn own_us(
    context: &mut ExecutionContext,
    x: &DeviceTensor,
    y: &mut DeviceTensor,
    bench: &Bench<'_>,
    count: u32,
) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..count {
        context.enqueue(&mut [Binding::device_input(x), Binding::device_output(y)], &bench.stream)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(count))
}

/// The same of the driver's call alone.
fn bare_us(bare: &BareLaunches<'_>, graph: bool, count: u32) -> Result<f64> {
    let time = if graph { bare.host_time_of_graph(count)? } else { bare.host_time_of_kernel(count)? };
    Ok(time.as_secs_f64() * 1e6)
}
