//! The benchmark on a GPU: time there by events, and the host's time beside bare launches.

mod goals;
mod host;
mod row;
mod workloads;

use plugin_runtime::device::cuda::{DeviceTensor, GpuTimer, device_copy};
use plugin_runtime::device::{Device, Stream};
use plugin_runtime::tensor::DataType;

use super::conversions;
use super::measure::median;
use super::peers::Peer;
use crate::runner::cli::BenchArgs;
use crate::runner::device::shown_device;
use crate::runner::failure::{Failure, Result};
use crate::runner::output::Output;
use crate::runner::table::Table;
use goals::Work;
use row::Row;

/// How often things are run.
#[derive(Clone, Copy, Debug)]
struct Effort {
    warm_up: usize,
    rounds: usize,
    /// Of bare launches and our own, in turns.
    host_rounds: usize,
    /// Launches of a kernel a round. So few that the queue doesn't fill: then the host would wait for the GPU.
    kernels_a_round: u32,
    /// Launches of a graph a round.
    graphs_a_round: u32,
}

const FULL: Effort = Effort { warm_up: 10, rounds: 50, host_rounds: 200, kernels_a_round: 200, graphs_a_round: 20 };
const QUICK: Effort = Effort { warm_up: 1, rounds: 3, host_rounds: 3, kernels_a_round: 10, graphs_a_round: 2 };

/// What all work has in common, and the figures so far.
struct Bench<'a> {
    args: &'a BenchArgs,
    device: &'a Device,
    stream: Stream,
    timer: GpuTimer,
    effort: Effort,
    /// What a device copy reads and writes in a microsecond.
    bytes_a_us: f64,
    rows: Vec<Row>,
    /// What each build tried.
    tuning: Vec<Table>,
}

/// Times each piece of work beside the least that it can take.
///
/// # Errors
/// When something fails, or the figures can't be written.
pub(super) fn bench(args: &BenchArgs, device: &Device, peers: Option<&[Peer]>, out: &mut Output) -> Result<()> {
    let stream = device.create_stream()?;
    let mut bench = Bench {
        args,
        device,
        timer: GpuTimer::new(&stream)?,
        stream,
        effort: if args.quick { QUICK } else { FULL },
        bytes_a_us: f64::NAN,
        rows: Vec::new(),
        tuning: Vec::new(),
    };
    bench.measure_copy()?;
    out.line(format_args!(
        "on {}, driver for CUDA {}; a device copy reads and writes {:.0} GB/s in all",
        shown_device(device),
        device.cuda_properties().map_or("-", |properties| &properties.driver),
        bench.bytes_a_us / 1e3
    ))?;
    out.flush()?;
    if args.builds {
        workloads::builds(&mut bench)?;
    } else if args.conversions {
        workloads::conversions(&mut bench)?;
    } else {
        workloads::samples(args.quick).iter().try_for_each(|sample| sample.time(&mut bench))?;
        host::run_all(&mut bench)?;
    }
    if bench.rows.is_empty() {
        let only = args.only.as_deref().unwrap_or_default();
        return Err(Failure::work(format_args!("no work has '{only}' in its name")));
    }
    if args.build.verbose {
        bench.tuning.iter().try_for_each(|table| out.table(table))?;
    }
    out.table(&row::table(&bench.rows, peers))?;
    out.line(
        "µs: the median of runs one after the other, so the cache holds what fits it. cold: with nothing of it there. a \
         copy's: × floor, too, of a device copy of as many bytes, timed as µs are.",
    )?;
    if peers.is_some() {
        out.line("of other software: its µs, and how many times as long that is.")?;
    }
    out.line(row::verdict(&bench.rows, peers))?;
    if let Some(path) = &args.json {
        row::write_json(path, &bench.rows, peers)?;
        out.line(format_args!("written to {}", path.display()))?;
    }
    Ok(())
}

/// Shows what would be timed and has a goal. Needs no GPU.
///
/// # Errors
/// When it can't be written.
pub(super) fn goals(args: &BenchArgs, out: &mut Output) -> Result<()> {
    let mut work: Vec<Work> = match (args.builds, args.conversions) {
        (true, _) => Vec::new(),
        (_, true) => conversions::all(args.quick)?.iter().map(workloads::conversion).collect(),
        _ => {
            let samples = workloads::samples(args.quick);
            samples.iter().map(workloads::Sample::work).chain(host::all().map(|(work, _)| work)).collect()
        }
    };
    work.retain(|work| work.name.contains(args.only.as_deref().unwrap_or_default()));
    out.table(&goals::table(&work))?;
    if let Some(path) = &args.json {
        goals::write_json(path, &work)?;
        out.line(format_args!("written to {}", path.display()))?;
    }
    Ok(())
}

impl Bench<'_> {
    fn wants(&self, name: &str) -> bool {
        name.contains(self.args.only.as_deref().unwrap_or_default())
    }

    /// The ceiling that the floors are computed from.
    fn measure_copy(&mut self) -> Result<()> {
        let bytes: i64 = if self.args.quick { 16 << 20 } else { 1 << 30 };
        let from = DeviceTensor::zeros(&self.stream, DataType::UInt8, &[bytes])?;
        let mut to = DeviceTensor::zeros(&self.stream, DataType::UInt8, &[bytes])?;
        let time = self.median_us(Cache::Warm, || device_copy(&self.stream, &from, &mut to))?;
        self.bytes_a_us = 2.0 * bytes as f64 / time;
        Ok(())
    }

    /// What a device copy takes that reads and writes so many bytes in all.
    fn copy_us(&self, bytes: u64) -> Result<f64> {
        let extent = i64::try_from(bytes.div_ceil(2)).unwrap_or(i64::MAX);
        let from = DeviceTensor::zeros(&self.stream, DataType::UInt8, &[extent])?;
        let mut to = DeviceTensor::zeros(&self.stream, DataType::UInt8, &[extent])?;
        self.median_us(Cache::Warm, || device_copy(&self.stream, &from, &mut to))
    }

    /// The median GPU time.
    fn median_us(&self, cache: Cache, mut work: impl FnMut() -> plugin_runtime::Result<()>) -> Result<f64> {
        for _ in 0..self.effort.warm_up {
            work()?;
        }
        self.stream.synchronize()?;
        let mut times = Vec::with_capacity(self.effort.rounds);
        for _ in 0..self.effort.rounds {
            let time = match cache {
                Cache::Warm => self.timer.time(&mut work)?,
                Cache::Cold => self.timer.time_cold(&mut work)?,
            };
            times.push(time.as_secs_f64() * 1e6);
        }
        Ok(median(times))
    }
}

/// What the cache holds before a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cache {
    /// What the run before left.
    Warm,
    /// Nothing that is read.
    Cold,
}
