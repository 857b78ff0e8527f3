//! Plugins that count their runs, and what the tests have in common.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use plugin_runtime::device::Device;
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::tactic::TrialOutcome;
use tempfile::TempDir;

/// How often each tactic ran in each test, by the test's name.
pub(crate) static RUNS: Mutex<BTreeMap<(String, i32), usize>> = Mutex::new(BTreeMap::new());
/// The tactics that `copy` lists in each test; 1 and 2 unless it says otherwise.
pub(crate) static TACTICS: Mutex<BTreeMap<String, Vec<i32>>> = Mutex::new(BTreeMap::new());
/// The tactics that fail in each test.
pub(crate) static FAILING: Mutex<BTreeMap<String, Vec<i32>>> = Mutex::new(BTreeMap::new());

pub(crate) fn runs_of(test: &str) -> BTreeMap<i32, usize> {
    let runs = RUNS.lock().unwrap();
    runs.iter().filter(|((name, _), _)| name == test).map(|((_, tactic), count)| (*tactic, *count)).collect()
}

fn run(x: Tensor<'_>, y: TensorMut<'_>, test: &str, tactic: i32) -> Result<()> {
    *RUNS.lock().unwrap().entry((test.into(), tactic)).or_default() += 1;
    if FAILING.lock().unwrap().get(test).is_some_and(|failing| failing.contains(&tactic)) {
        bail!("no\nluck with \"{tactic}\" of \u{202e}{test}");
    }
    match x.dtype() {
        DataType::Float16 => y.into_slice::<f16>()?.copy_from_slice(x.as_slice()?),
        _ => y.into_slice::<f32>()?.copy_from_slice(x.as_slice()?),
    }
    Ok(())
}

/// Copies, and counts.
#[register("lock::copy")]
pub(crate) fn copy(x: &TensorDesc, test: &str) -> TensorDesc {
    x.like()
}

#[autotune("lock::copy")]
fn copy_autotune(x: &TensorDesc, test: &str, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let tactics = TACTICS.lock().unwrap().get(test).cloned().unwrap_or_else(|| vec![1, 2]);
    vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16").tactics(tactics)]
}

#[impl_plugin("lock::copy", device = cpu)]
fn copy_cpu(x: Tensor, test: &str, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    run(x, y, test, tactic)
}

/// The same, as another plugin; its runs are counted as those of tactic 0.
#[register("lock::other")]
pub(crate) fn other(x: &TensorDesc, test: &str) -> TensorDesc {
    x.like()
}

#[autotune("lock::other")]
fn other_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32")]
}

#[impl_plugin("lock::other", device = cpu)]
fn other_cpu(x: Tensor, test: &str, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    run(x, y, test, 0)
}

/// `copy`, `other`, `copy` of a vector.
pub(crate) fn network(test: &str) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [256]).unwrap();
    let [a] = network.add_plugin(copy::op(x, test)).unwrap();
    let [b] = network.add_plugin(other::op(a, test)).unwrap();
    let [c] = network.add_plugin(copy::op(b, test)).unwrap();
    network.mark_output(c, "y").unwrap();
    network
}

pub(crate) fn builder<'o>() -> Builder<'o> {
    Builder::new(Device::cpu()).allow_types([DataType::Float16])
}

pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    (folder, path)
}

pub(crate) fn files(folder: &TempDir) -> Vec<String> {
    fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// What each trial came to: layer, combination, tactic, outcome, whether it was chosen.
pub(crate) fn choices(engine: &Engine) -> Vec<(String, String, String, TrialOutcome, bool)> {
    let layers = engine.report().layers.iter();
    let trials = layers.flat_map(|l| l.trials.iter().map(move |t| (l, t)));
    let owned = trials
        .map(|(l, t)| (l.layer.to_string(), t.combination.clone(), t.tactic.clone(), t.outcome.clone(), t.chosen));
    owned.collect()
}

/// Replaces the time of each record; `None` leaves a rejected one.
pub(crate) fn set_times(path: &Path, mut time: impl FnMut(&str) -> Option<u64>) {
    let text = fs::read_to_string(path).unwrap();
    let edited = text.lines().map(|line| match (line.rsplit_once(" nanoseconds="), time(line)) {
        (Some((key, _)), Some(time)) => format!("{key} nanoseconds={time}\n"),
        _ => format!("{line}\n"),
    });
    fs::write(path, edited.collect::<String>()).unwrap();
}
