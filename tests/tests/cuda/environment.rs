//! Machines without a GPU, a driver, or the compiler.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use tests::command::skipped;
use tests::tensor;

use crate::gpu::{gpu, is_child, passes_in_child};
use crate::plugins::elementwise::counted;

/// Runs a plugin that has no tactics to time.
fn run_on(device: &Device) -> Result<()> {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [3]).unwrap();
    let [y] = network.add_named_plugin("doubled", counted::op(x, 2.0, "environment")).unwrap();
    network.mark_output(y, "y").unwrap();
    let mut context = Builder::new(device.clone()).without_checks().build(&network)?.create_context()?;
    let found = context.run(&[("x", &tensor(&[1.0, 2.0, 3.0], &[3]))])?;
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [2.0, 4.0, 6.0]);
    Ok(())
}

#[test]
fn without_a_gpu_the_cpu_is_the_best_device_and_the_error_says_what_is_missing() {
    const TEST: &str = "without_a_gpu_the_cpu_is_the_best_device_and_the_error_says_what_is_missing";
    let Err(error) = Device::cuda(0) else { return skipped(TEST, "there is a GPU") };
    let error = error.to_string();
    assert!(error.starts_with("device `cuda` isn't available: "), "{error}");
    assert!(error.ends_with("; or use device `cpu`"), "{error}");
    let missing = ["looked for libcuda.so, libcuda.so.1", "the CUDA driver is there, but no GPU", "driver"];
    assert!(missing.iter().any(|what| error.contains(what)), "{error}");
    for name in ["cuda", "cuda:0", "cuda:3"] {
        assert_eq!(name.parse::<Device>().unwrap_err().to_string(), error, "{name}");
    }
    let best = Device::best().unwrap();
    assert_eq!(best, Device::cpu());
    assert!(best.cuda_properties().is_none() && best.cuda_memory().unwrap().is_none());
    run_on(&best).unwrap();
}

#[test]
fn with_a_gpu_it_is_the_best_device() {
    let Some(device) = gpu("with_a_gpu_it_is_the_best_device") else { return };
    assert_eq!(Device::best().unwrap(), *device);
    assert_eq!("cuda".parse::<Device>().unwrap(), *device);
    assert_eq!("cuda:0".parse::<Device>().unwrap(), *device);
    assert_eq!(device.to_string(), "cuda:0");
    let properties = device.cuda_properties().unwrap();
    assert!(properties.multiprocessors > 0 && properties.max_threads_per_block >= 1024, "{properties:?}");
    let (free, total) = device.cuda_memory().unwrap().unwrap();
    assert!(free <= total && total <= properties.total_bytes, "{free} {total} {properties:?}");
    let error = Device::cuda(99).unwrap_err().to_string();
    assert!(error.starts_with("there is no device `cuda:99`: the driver shows "), "{error}");
    run_on(&device).unwrap();
}

#[test]
fn a_gpu_that_is_hidden() {
    if is_child() {
        assert_eq!(Device::best().unwrap(), Device::cpu());
        let told = "device `cuda` isn't available: the CUDA driver is there, but no GPU; or use device `cpu`";
        assert_eq!(Device::cuda(0).unwrap_err().to_string(), told);
        assert_eq!("cuda:1".parse::<Device>().unwrap_err().to_string(), told);
        return run_on(&Device::cpu()).unwrap();
    }
    if let Some(_gpu) = gpu("a_gpu_that_is_hidden") {
        passes_in_child("environment::a_gpu_that_is_hidden", &[("CUDA_VISIBLE_DEVICES", "")]);
    }
}

#[test]
fn without_the_compiler_the_error_says_what_was_looked_for() {
    if is_child() {
        let device = Device::cuda(0).unwrap();
        for _ in 0..2 {
            let error = run_on(&device).unwrap_err().to_string();
            let start = "layer `doubled` (gpu::counted v1, tactic default, x FP32 [3] -> FP32 [3]): NVRTC_LIBRARY names \
                         `/nonexistent/libnvrtc.so.13`, which can't be used as NVRTC: ";
            assert!(error.starts_with(start), "{error}");
        }
        return run_on(&Device::cpu()).unwrap();
    }
    if let Some(_gpu) = gpu("without_the_compiler_the_error_says_what_was_looked_for") {
        let cache = tempfile::tempdir().unwrap();
        let cache = cache.path().to_str().unwrap();
        passes_in_child(
            "environment::without_the_compiler_the_error_says_what_was_looked_for",
            &[("NVRTC_LIBRARY", "/nonexistent/libnvrtc.so.13"), ("PLUGIN_RUNTIME_CACHE", cache)],
        );
    }
}

/// Names, times of the last change and lengths of the files in a folder.
fn files(folder: &Path) -> BTreeMap<String, (SystemTime, u64)> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let file = |entry: std::fs::DirEntry| {
        let metadata = entry.metadata().unwrap();
        (entry.file_name().into_string().unwrap(), (metadata.modified().unwrap(), metadata.len()))
    };
    entries.map(file).collect()
}

#[test]
fn kernels_are_kept_on_disk() {
    if is_child() {
        return run_on(&Device::cuda(0).unwrap()).unwrap();
    }
    let Some(_gpu) = gpu("kernels_are_kept_on_disk") else { return };
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().to_str().unwrap();
    let run = || passes_in_child("environment::kernels_are_kept_on_disk", &[("PLUGIN_RUNTIME_CACHE", cache)]);
    run();
    let kept = files(folder.path());
    assert!(!kept.is_empty());
    run();
    assert_eq!(files(folder.path()), kept, "nothing was compiled again");
    let without_compiler = [("PLUGIN_RUNTIME_CACHE", cache), ("NVRTC_LIBRARY", "/nonexistent/libnvrtc.so.13")];
    passes_in_child("environment::kernels_are_kept_on_disk", &without_compiler);
    assert_eq!(files(folder.path()), kept, "nor is the compiler needed");

    for name in kept.keys() {
        let path = folder.path().join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        std::fs::write(&path, bytes).unwrap();
    }
    run();
    let mended = files(folder.path());
    assert!(mended.keys().eq(kept.keys()), "{mended:?}");
    assert!(mended.iter().all(|(name, file)| file.1 == kept[name].1), "what was damaged was made again");
}
