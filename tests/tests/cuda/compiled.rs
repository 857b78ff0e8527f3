//! The kernels of these tests, compiled where there is NVRTC, with or without a GPU.

use std::collections::BTreeMap;

use plugin_runtime::device::cuda::{Architecture, KERNELS, KernelEntry, compile_report};
use tests::command::skipped;

use crate::plugins::elementwise::ELEMENTWISE;

/// Their mistakes are what they are for.
const MISTAKEN: [&str; 2] = ["broken.cu", "mismatched.cu"];

#[test]
fn the_kernels_of_these_tests_compile_as_declared() {
    let architecture = Architecture::from_number(90);
    if let Err(error) = compile_report(&ELEMENTWISE, architecture) {
        assert!(!error.to_string().contains("doesn't compile"), "{error}");
        return skipped("the_kernels_of_these_tests_compile_as_declared", &error.to_string());
    }
    let mut sources: BTreeMap<&str, Vec<&KernelEntry>> = BTreeMap::new();
    let own = KERNELS.iter().filter(|kernel| {
        ["cuda/plugins/", "gpu_plugins/"].iter().any(|folder| kernel.source.rust_file.contains(folder))
    });
    for kernel in own.filter(|kernel| !MISTAKEN.contains(&kernel.source.name)) {
        sources.entry(kernel.source.name).or_default().push(kernel);
    }
    assert!(sources.len() >= 3, "{:?}", sources.keys());
    for kernels in sources.values() {
        let report = compile_report(kernels[0].source, architecture).unwrap();
        kernels.iter().for_each(|kernel| report.check(kernel).unwrap());
    }
}
