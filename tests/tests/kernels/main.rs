//! Every CUDA kernel that is linked, compiled for several architectures without a GPU.

mod aot;
mod messages;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use plugin_runtime::device::cuda::{Architecture, KERNELS, KernelEntry, Source, compile_report};
use plugin_runtime::prelude::*;
use samples as _;
use tests::command::skipped;

const ARCHITECTURES: [Architecture; 3] =
    [Architecture::from_number(80), Architecture::from_number(90), Architecture::from_number(100)];

/// Says it, where kernels can't be compiled.
fn nvrtc_is_there(test: &str) -> bool {
    const EMPTY: Source = Source {
        name: "empty.cu",
        text: "",
        rust_file: file!(),
        headers: &[],
        options: &[],
        image: None,
        instances: &[],
    };
    let Err(error) = compile_report(&EMPTY, ARCHITECTURES[0]) else { return true };
    let asked_for = std::env::var_os("NVRTC_LIBRARY").is_some_and(|path| !path.is_empty());
    assert!(!asked_for, "{error}");
    skipped(test, &error.to_string());
    false
}

kernels! {
    source HALVES = "halves.cu", headers ["common.cuh"], options ["--use_fast_math"];
    /// Every element times a factor.
    fn scale_halves(x: DeviceSlice<f16>, out: DeviceSliceMut<f16>, n: u64, factor: f32);
}

kernels! {
    image FIRST = "../../src/gpu_plugins/ahead.ptx";
    /// The first element plus a number, as PTX.
    fn ahead_first(x: DeviceSlice<f32>, delta: f32, y: DeviceSliceMut<f32>);
}

#[test]
fn every_linked_kernel_compiles_as_declared_and_without_spills() {
    if !nvrtc_is_there("every_linked_kernel_compiles_as_declared_and_without_spills") {
        return;
    }
    let mut sources: BTreeMap<String, Vec<&KernelEntry>> = BTreeMap::new();
    for kernel in KERNELS {
        let mut source = kernel.source.path().display().to_string();
        kernel.source.options.iter().for_each(|option| source += &format!(" {option}"));
        sources.entry(source).or_default().push(kernel);
    }
    assert!(sources.contains_key("tests/tests/kernels/halves.cu --use_fast_math"), "{:?}", sources.keys());

    let mut table = format!(
        "{:<40} {:<7} {:>9} {:>12} {:>11} {:>6} {:>7}\n",
        "kernel", "for", "registers", "spill stores", "spill loads", "stack", "shared"
    );
    let mut mistakes = Vec::new();
    for (source, kernels) in &mut sources {
        kernels.sort_by_key(|kernel| kernel.name);
        writeln!(table, "{source}").unwrap();
        let kernels = &*kernels;
        let reports = std::thread::scope(|scope| {
            let started = ARCHITECTURES.map(|architecture| scope.spawn(move || report(kernels, architecture)));
            started.map(|thread| thread.join().expect("it reports whatever is wrong"))
        });
        for report in reports {
            match report {
                Ok((rows, wrong)) => {
                    table += &rows;
                    mistakes.extend(wrong);
                }
                Err(error) => mistakes.push(error.to_string()),
            }
        }
    }
    // Not by println, which the test harness keeps to itself.
    let _ = writeln!(std::io::stderr(), "{table}");
    assert!(mistakes.is_empty(), "{table}\n{}", mistakes.join("\n"));
}

/// Rows of the table, and what is wrong with the kernels of one source.
fn report(declared: &[&KernelEntry], architecture: Architecture) -> Result<(String, Vec<String>)> {
    let report = compile_report(declared[0].source, architecture)?;
    let (mut table, mut mistakes) = (String::new(), Vec::new());
    for kernel in declared {
        mistakes.extend(report.check(kernel).err().map(|error| format!("{architecture}: {error}")));
        if kernel.source.image.is_none() && report.kernel(kernel.name).is_none() {
            mistakes.push(format!("{architecture}: nothing is told of what `{}` uses", kernel.name));
        }
    }
    for used in report.kernels() {
        let (stores, loads) = (used.spill_store_bytes, used.spill_load_bytes);
        let note = if declared.iter().any(|kernel| kernel.name == used.name) { "" } else { "  not declared" };
        writeln!(
            table,
            "  {:<38} {architecture:<7} {:>9} {stores:>12} {loads:>11} {:>6} {:>7}{note}",
            used.name, used.registers, used.stack_bytes, used.shared_bytes
        )
        .unwrap();
        if stores > 0 || loads > 0 {
            mistakes.push(format!("{architecture}: `{}` spills: stores {stores} bytes, loads {loads}", used.name));
        }
    }
    Ok((table, mistakes))
}
