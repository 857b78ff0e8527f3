//! Whether there is a GPU, and how much is asked for.

use std::process::Command;

use plugin_runtime::device::Device;
use tests::command::{Run, run, skipped};

/// The GPU to test on. Says it, where there is none.
pub(crate) fn gpu(test: &str) -> Option<Device> {
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

/// The GPU to test on, for what takes too long, too much memory or a fault where small sizes are asked for.
pub(crate) fn gpu_for_long(test: &str) -> Option<Device> {
    let device = gpu(test)?;
    if quick() {
        skipped(test, "GPU_TESTS=quick");
        return None;
    }
    Some(device)
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
