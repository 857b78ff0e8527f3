//! Whether there is a GPU, and how much is asked for.

use std::ops::Deref;
use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use plugin_runtime::device::Device;
use tests::command::{Run, run, skipped};

/// Tests run side by side, except those that measure the GPU's memory or need much of it.
static TURNS: RwLock<()> = RwLock::new(());

/// The GPU to test on, for as long as this lives.
pub(crate) struct Gpu {
    device: Device,
    _turn: Turn,
}

#[expect(dead_code, reason = "held for what it keeps away")]
enum Turn {
    BesideOthers(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

impl Deref for Gpu {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.device
    }
}

/// The GPU to test on. Says it, where there is none.
pub(crate) fn gpu(test: &str) -> Option<Gpu> {
    let device = find(test)?;
    let turn = TURNS.read().unwrap_or_else(PoisonError::into_inner);
    Some(Gpu { device, _turn: Turn::BesideOthers(turn) })
}

/// The GPU, which no other test of this program uses at the same time.
pub(crate) fn gpu_alone(test: &str) -> Option<Gpu> {
    let device = find(test)?;
    let turn = TURNS.write().unwrap_or_else(PoisonError::into_inner);
    Some(Gpu { device, _turn: Turn::Alone(turn) })
}

fn find(test: &str) -> Option<Device> {
    match Device::cuda(0) {
        Ok(device) => Some(device),
        Err(error) => {
            assert!(!asked_for("require"), "{test}: {error}");
            skipped(test, &error.to_string());
            None
        }
    }
}

/// Whether sizes and counts are to be small.
pub(crate) fn quick() -> bool {
    asked_for("quick")
}

/// Whether sizes and counts are to be small. Says that a test is left out then.
pub(crate) fn too_long_for_quick(test: &str) -> bool {
    if quick() {
        skipped(test, "GPU_TESTS=quick");
    }
    quick()
}

fn asked_for(word: &str) -> bool {
    std::env::var("GPU_TESTS").is_ok_and(|words| words.split(',').any(|w| w.trim() == word))
}

/// What tells a test that it runs in a process of its own.
const CHILD: &str = "GPU_TESTS_CHILD";

/// Whether this process was started by [`in_child`].
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs a test of this program again, alone in a process with these variables.
pub(crate) fn in_child(test: &str, variables: &[(&str, &str)]) -> Run {
    let program = std::env::current_exe().expect("a running program has a path");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    command.envs(variables.iter().copied());
    run(&mut command)
}

/// The same, for a test that has to pass there.
pub(crate) fn passes_in_child(test: &str, variables: &[(&str, &str)]) {
    let child = in_child(test, variables);
    assert_eq!(child.status, Some(0), "{}\n{}", child.stdout, child.stderr);
    assert!(child.stdout.contains("1 passed"), "{}", child.stdout);
}
