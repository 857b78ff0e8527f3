//! Every linked kernel, compiled without a GPU.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use crate::device::cuda::{
    Architecture, CompileReport, KERNELS, KernelEntry, SOURCES, Source, compile_report, find_nvrtc,
};
use crate::error::{Error, Result};

/// Compiles every kernel that is linked into the test for architectures, those that engines hold too, and compares each
/// with its declaration. No GPU is needed. One line in a test:
///
/// ```no_run
/// # use plugin_runtime::device::cuda::Architecture;
/// # use plugin_runtime::prelude::*;
/// # use plugin_runtime::testing::check_kernels;
/// # fn kernels() -> Result<()> {
/// check_kernels([Architecture::from_number(80), Architecture::from_number(90)]).map(drop)
/// # }
/// ```
///
/// It gives a report a source and architecture: registers, spills, shared memory. Where there is no NVRTC, it says SKIPPED
/// to the standard error and compares only what is compiled already, `image`s, unless `NVRTC_LIBRARY` is set.
///
/// # Errors
/// Every kernel that doesn't compile or isn't as declared, with what the compiler says.
pub fn check_kernels(architectures: impl IntoIterator<Item = Architecture>) -> Result<Vec<CompileReport>> {
    let compiler = find_nvrtc();
    if let Err(error) = &compiler {
        if std::env::var_os("NVRTC_LIBRARY").is_some_and(|path| !path.is_empty()) {
            return Err(error.clone());
        }
        let _ = writeln!(std::io::stderr(), "SKIPPED check_kernels, but for images: {error}");
    }
    let is_checked = |source: &Source| !is_own(source) && (compiler.is_ok() || source.image.is_some());
    let mut sources: BTreeMap<usize, (&'static Source, Vec<&'static KernelEntry>)> = BTreeMap::new();
    let key = |source: &'static Source| std::ptr::from_ref(source).addr();
    for &source in SOURCES.iter().filter(|source| is_checked(source)) {
        sources.entry(key(source)).or_insert((source, Vec::new()));
    }
    for kernel in KERNELS.iter().filter(|kernel| is_checked(kernel.source)) {
        sources.entry(key(kernel.source)).or_insert((kernel.source, Vec::new())).1.push(kernel);
    }
    let (mut reports, mut mistakes) = (Vec::new(), Vec::new());
    for architecture in architectures {
        for (source, kernels) in sources.values() {
            match compile_report(source, architecture) {
                Err(error) => mistakes.push(error.to_string()),
                Ok(report) => {
                    let wrong = kernels.iter().filter_map(|kernel| report.check(kernel).err());
                    mistakes.extend(wrong.map(|error| format!("{architecture}: {error}")));
                    reports.push(report);
                }
            }
        }
    }
    if mistakes.is_empty() { Ok(reports) } else { Err(Error::plugin(mistakes.join("\n"))) }
}

/// Whether a source is the runtime's.
fn is_own(source: &Source) -> bool {
    let sources = Path::new(file!()).parent().and_then(Path::parent);
    sources.is_some_and(|sources| Path::new(source.rust_file).starts_with(sources))
}
