//! Running the command `samples`, and Python where there is one.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The workspace's folder.
///
/// # Panics
/// Never: the package lies in it.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests' package lies in the workspace")
}

/// The command `samples`, built as this test was.
///
/// # Panics
/// When it doesn't build.
pub fn samples_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built().join(format!("samples{}", std::env::consts::EXE_SUFFIX)))
}

/// The library that a package of the workspace is to other engines, built as this test was; or the one in the folder that
/// the variable PLUGIN_LIBRARIES names, where there is no cargo.
///
/// # Panics
/// When it doesn't build.
pub fn library(package: &str) -> PathBuf {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let file = format!("{prefix}{}{suffix}", package.replace('-', "_"));
    match std::env::var_os("PLUGIN_LIBRARIES") {
        Some(folder) => Path::new(&folder).join(file),
        None => built().join(file),
    }
}

/// The folder of what the workspace builds to. It is there already after `cargo test` of the whole workspace, but not where
/// it is looked for.
fn built() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("a running program has a path");
        let folder = test.ancestors().nth(2).expect("test programs lie in <profile>/deps");
        let mut build = Command::new(env!("CARGO"));
        // The same features as there: a test turns on those of the packages that only tests depend on. The macros as a package
        // asked for, instead of as one depended on, would have all that uses them built anew.
        let same = ["--workspace", "--exclude", "plugin-macros", "--lib", "--bin", "samples", "--test", "macros"];
        build.args(["build", "--quiet", "--offline"]).args(same).current_dir(workspace());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo starts").success(), "the workspace doesn't build");
        folder.to_owned()
    })
}

/// Runs cargo, without symbols, on a crate outside the workspace. They share what they build of
/// other packages.
///
/// # Panics
/// When it doesn't start, or prints something else than UTF-8.
pub fn cargo_outside(folder: &Path, arguments: &[&str]) -> Run {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(folder);
    run(cargo.env("CARGO_TARGET_DIR", target_outside()).env("CARGO_PROFILE_DEV_DEBUG", "0"))
}

/// Where [`cargo_outside`] builds.
pub fn target_outside() -> PathBuf {
    workspace().join("target/readme")
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Run {
    /// Its exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Runs a program to its end.
///
/// # Panics
/// When it doesn't start, or prints something else than UTF-8.
pub fn run(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?} doesn't start: {e}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is UTF-8");
    Run { status: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// Tells on the terminal, whatever the test harness captures, that a test was left out.
///
/// # Panics
/// When stderr is closed.
pub fn skipped(test: &str, why: &str) {
    let mut terminal = std::io::stderr();
    writeln!(terminal, "\nSKIPPED {test}: {why}\n").expect("stderr can be written");
}

/// The Python that the variable PYTHON names, else `python3`, if it has the modules.
pub fn python_with(modules: &[&str]) -> Option<OsString> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    // A folder of that name where the tests run isn't a module.
    let import = format!("import sys; sys.path = [p for p in sys.path if p]; import {}", modules.join(", "));
    let output = Command::new(&python).args(["-c", &import]).output();
    output.is_ok_and(|output| output.status.success()).then_some(python)
}

/// Whether the variable PYTHON asks for the tests that need Python, so that none may be left out.
pub fn python_is_asked_for() -> bool {
    std::env::var_os("PYTHON").is_some()
}
