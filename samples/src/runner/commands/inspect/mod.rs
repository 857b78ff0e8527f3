//! `samples inspect`: what a file holds.

mod engine;
mod json;
mod kernels;
mod lockfile;
mod network;

use plugin_runtime::device::Device;
use plugin_runtime::network::Network;
use plugin_runtime::tactic::{TimingRecord, read_lockfile};
use serde_json::Value;

use crate::runner::cli::InspectArgs;
use crate::runner::failure::{Failure, Result};
use crate::runner::output::Output;
use crate::runner::source::{Kind, load_engine};
use crate::runner::table::Table;

/// Something to show: lines and tables, or JSON.
trait Shown {
    /// For people. Each table has a title.
    fn tables(&self) -> Vec<(String, Table)>;
    /// For programs.
    fn json(&self) -> Value;
}

/// Shows it.
///
/// # Errors
/// When the file can't be read, or is no engine, model or lockfile.
pub(in crate::runner) fn inspect(args: &InspectArgs, out: &mut Output) -> Result<()> {
    let kind = Kind::of(&args.file)?;
    if kind != Kind::Engine && args.lockfile.is_some() {
        return Err(Failure::usage(format_args!(
            "--lockfile gives the times of what an engine runs, and {} isn't an engine",
            args.file.display()
        )));
    }
    let shown: Box<dyn Shown> = match kind {
        Kind::Model => Box::new(Network::from_onnx(&args.file)?.inspect()),
        Kind::Lockfile => Box::new(read_lockfile(&args.file, &Device::best()?)?),
        Kind::Engine => {
            let engine = load_engine(&args.file, None)?;
            engine.verify().map_err(|e| Failure::work(format_args!("{}: {e}", args.file.display())))?;
            let times = args.lockfile.as_ref().map(|path| read_lockfile(path, engine.device())).transpose()?;
            Box::new(engine::Inspected::new(&engine, times))
        }
    };
    if args.json {
        return out.line(format_args!("{:#}", shown.json()));
    }
    for (position, (title, table)) in shown.tables().iter().enumerate() {
        if position > 0 && table.is_empty() {
            continue;
        }
        out.line(format_args!("{}{title}", if position == 0 { "" } else { "\n" }))?;
        if !table.is_empty() {
            out.table(table)?;
        }
    }
    Ok(())
}

/// The record of a lockfile that tells about something: one for this machine, else any.
fn best<'r>(records: impl Iterator<Item = &'r TimingRecord>) -> Option<&'r TimingRecord> {
    records.max_by_key(|record| record.is_used)
}
