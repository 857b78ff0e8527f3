//! `samples bench`: how long the samples take.

mod builds;
mod conversions;
mod floor;
mod gpu;
mod join;
mod measure;
mod peers;
mod row;
mod spread;
mod touch;
mod workloads;

use plugin_runtime::device::{Device, DeviceKind};

use crate::runner::cli::BenchArgs;
use crate::runner::failure::{Failure, Result};
use crate::runner::output::Output;
use crate::runner::table::Table;
use conversions::Named;
use floor::Floor;
use measure::{Effort, alone, in_turns};
use row::Row;

/// Times each piece of work beside a copy of as many bytes, in turns in one run.
///
/// # Errors
/// When something fails, or the figures can't be read or written.
pub(super) fn bench(args: &BenchArgs, out: &mut Output) -> Result<()> {
    if args.goals {
        return gpu::goals(args, out);
    }
    let peers = args.peers.as_deref().map(peers::read).transpose()?;
    if cfg!(debug_assertions) {
        out.line("this is a debug build, whose times mean little: cargo run --release -p samples -- bench")?;
    }
    let device = args.build.device()?;
    if device.kind() == DeviceKind::Cuda {
        return gpu::bench(args, &device, peers.as_deref(), out);
    }
    let mut bench = Bench {
        effort: if args.quick { Effort::QUICK } else { Effort::FULL }.fastest(args.fastest),
        only: args.only.as_deref().unwrap_or_default(),
        alone: args.alone,
        quick: args.quick,
        rows: Vec::new(),
        tuning: Vec::new(),
    };
    if args.builds {
        time_builds(&mut bench, &device, args)?;
    } else if args.conversions {
        time_conversions(&mut bench, args)?;
    } else {
        workloads::run_all(&mut bench, &device, args)?;
        join::run(&mut bench)?;
        spread::run(&mut bench)?;
    }
    if bench.rows.is_empty() {
        return Err(Failure::work(format_args!("no work has '{}' in its name", bench.only)));
    }
    if args.build.verbose {
        bench.tuning.iter().try_for_each(|table| out.table(table))?;
    }
    out.table(&row::table(&bench.rows, peers.as_deref()))?;
    if let Some(path) = &args.json {
        row::write_json(path, &bench.rows)?;
        out.line(format_args!("written to {}", path.display()))?;
    }
    Ok(())
}

fn time_builds(bench: &mut Bench<'_>, device: &Device, args: &BenchArgs) -> Result<()> {
    bench.effort = if args.quick { Effort::QUICK } else { Effort::LONG }.fastest(args.fastest);
    for layer in builds::all(args.quick)? {
        if !bench.wants(layer.name) {
            continue;
        }
        let work = Work { name: layer.name, dtype: "f32", shape: &layer.shape, bytes: layer.copied_bytes() };
        let mut tried = None;
        bench.add(&work, || layer.build(device, args.build.seed, &mut tried))?;
        bench.tuning.extend(tried);
    }
    Ok(())
}

fn time_conversions(bench: &mut Bench<'_>, args: &BenchArgs) -> Result<()> {
    for named in conversions::all(args.quick)? {
        let Named { name, dims, conversion, .. } = &named;
        if !bench.wants(name) {
            continue;
        }
        let (from, to) = conversion.bytes();
        let (source, mut target) = (named.source(args.build.seed)?, named.target()?);
        let work = Work { name, dtype: "-", shape: dims, bytes: (from + to) as u64 };
        bench.add(&work, || Ok(conversion.run(source.bytes(), target.bytes_mut())?))?;
    }
    Ok(())
}

/// What a row says besides its times.
struct Work<'a> {
    name: &'a str,
    dtype: &'static str,
    shape: &'a [i64],
    /// Bytes read and written in all.
    bytes: u64,
}

/// The figures so far.
struct Bench<'a> {
    effort: Effort,
    only: &'a str,
    /// Whether each is timed by itself, so that the caches may hold what it reads and writes.
    alone: bool,
    quick: bool,
    rows: Vec<Row>,
    /// What each build tried.
    tuning: Vec<Table>,
}

impl Bench<'_> {
    fn wants(&self, name: &str) -> bool {
        name.contains(self.only)
    }

    /// Times `run` beside the faster of two copies: on one thread, and on all.
    fn add(&mut self, work: &Work<'_>, mut run: impl FnMut() -> Result<()>) -> Result<()> {
        let mut one = Floor::new(work.bytes)?;
        let mut all = Floor::new(work.bytes)?;
        let mut on_one = || {
            one.copy_on_one_thread();
            Ok(())
        };
        let mut on_all = || {
            all.copy_on_all_threads();
            Ok(())
        };
        let works: [&mut dyn FnMut() -> Result<()>; 3] = [&mut run, &mut on_one, &mut on_all];
        let timed = if self.alone { alone(works, self.effort) } else { in_turns(works, self.effort) };
        let [median_us, one_us, all_us] = timed?;
        self.rows.push(Row {
            work: work.name.to_owned(),
            dtype: work.dtype,
            shape: work.shape.to_vec(),
            median_us,
            floor_us: one_us.min(all_us),
        });
        Ok(())
    }
}
