//! Kernels that an engine holds, on a GPU.

use plugin_runtime::device::Device;
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use tests::{Random, tensor};

use crate::gpu::{gpu, is_child, passes_in_child};
use crate::plugins::ahead::{ahead, ahead_counted, ahead_kept, ahead_negated, ahead_ptx, ahead_tall, first_plus};
use crate::plugins::elementwise::scale;
use crate::plugins::sizes::keep_positive;
use crate::rig::{Twin, assert_same};

fn profile(most: i64) -> Profile {
    Profile::new().dims("x", [0], [1000], [most])
}

fn vector(random: &mut Random, n: i64) -> HostTensor {
    tensor(&random.floats(&[n]), &[n])
}

/// Two layers whose kernels an engine holds where it is for a GPU.
fn network() -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(ahead::op(x, 1.0).prefer_aot()).unwrap();
    let [b] = network.add_plugin(ahead::op(a, -3.5).prefer_aot()).unwrap();
    network.mark_output(b, "y").unwrap();
    network
}

fn build(device: &Device, network: &Network) -> Engine {
    Builder::new(device.clone()).profile(profile(70_000)).build(network).unwrap()
}

#[test]
fn an_engines_own_kernels_give_what_the_cpu_gives() {
    let Some(device) = gpu("an_engines_own_kernels_give_what_the_cpu_gives") else { return };
    let mut twin = Twin::new(&device, &network(), &profile(5000), &[]);
    let trials = &twin.gpu.engine.report().layers[0].trials;
    assert!(trials.iter().any(|trial| trial.chosen && trial.tactic.starts_with("AOT ")), "{trials:?}");
    let mut random = Random::new(1);
    for n in [0, 1, 63, 64, 65, 255, 257, 1000, 4999, 5000, 0, 3] {
        let x = vector(&mut random, n);
        twin.agree(&[("x", &x)]);
    }
}

#[test]
fn impls_and_an_engines_own_kernels_run_one_after_another() {
    let Some(device) = gpu("impls_and_an_engines_own_kernels_run_one_after_another") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, count] = network.add_plugin(keep_positive::op(x, true)).unwrap();
    let [squares] = network.add_plugin(ahead_counted::op(kept, count).prefer_aot()).unwrap();
    let [half] = network.add_plugin(scale::op(squares, 0.5)).unwrap();
    network.mark_output(half, "y").unwrap();
    network.mark_output(count, "count").unwrap();
    let mut twin = Twin::new(&device, &network, &profile(3000), &[]);
    let mut random = Random::new(2);
    for n in [0, 1, 700, 3000] {
        let x = vector(&mut random, n);
        twin.agree(&[("x", &x)]);
    }
}

#[test]
fn an_engines_own_kernels_are_replayed() {
    let Some(device) = gpu("an_engines_own_kernels_are_replayed") else { return };
    let mut twin = Twin::new(&device, &network(), &profile(5000), &[]);
    let mut random = Random::new(3);
    let x = vector(&mut random, 777);
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    twin.gpu.fill(&mut buffers, &[("x", &x)]);
    let rig = &mut twin.gpu;
    rig.context.capture(&mut buffers.bindings(), &rig.stream).unwrap();
    for _ in 0..3 {
        let x = vector(&mut random, 777);
        let expected = twin.expected(&[("x", &x)]);
        twin.gpu.fill(&mut buffers, &[("x", &x)]);
        twin.gpu.enqueue(&mut buffers);
        assert_same(&twin.gpu.outputs(&buffers)[0], &expected[0], "replayed");
    }
}

#[test]
fn a_saved_engine_runs_without_a_compiler() {
    const TEST: &str = "aot::a_saved_engine_runs_without_a_compiler";
    const FILE: &str = "GPU_TESTS_ENGINE";
    let Some(device) = gpu(TEST) else { return };
    let mut random = Random::new(4);
    let x = vector(&mut random, 1234);
    if is_child() {
        let engine = Engine::load(std::env::var(FILE).unwrap()).unwrap();
        let found = engine.create_context().unwrap().run(&[("x", &x)]).unwrap();
        let cpu = build(&Device::cpu(), &network()).create_context().unwrap().run(&[("x", &x)]).unwrap();
        assert_same(&found[0].1, &cpu[0].1, "loaded");
        // What has to be compiled can't be, here.
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [4]).unwrap();
        let [y] = network.add_plugin(ahead_tall::op(x)).unwrap();
        network.mark_output(y, "y").unwrap();
        let message = Builder::new(device.clone()).build(&network).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("layer `ahead_tall_0`") && message.contains("NVRTC"), "{message}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ahead.engine");
    let built = build(&device, &network());
    built.save(&path).unwrap();
    let loaded = Engine::load(&path).unwrap();
    assert_eq!(loaded.to_bytes().unwrap(), built.to_bytes().unwrap());
    let step = &loaded.inspect().plans[0].steps[0];
    let kernels = step.plugin.as_ref().unwrap().kernels.as_ref().unwrap();
    assert_eq!(kernels.launches.len(), 2);
    let (path, empty) = (path.to_str().unwrap(), folder.path().join("cache"));
    let nowhere =
        [(FILE, path), ("NVRTC_LIBRARY", "/nowhere/libnvrtc.so"), ("PLUGIN_RUNTIME_CACHE", empty.to_str().unwrap())];
    passes_in_child(TEST, &nowhere);
}

/// Layers in FP16 between others in FP32, then one with a size tensor that the last reads: the runtime's own kernels run
/// between them.
fn converting() -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [negated] = network.add_plugin(ahead_negated::op(x)).unwrap();
    let [kept, count] = network.add_plugin(ahead_kept::op(negated)).unwrap();
    let [squares] = network.add_plugin(ahead_counted::op(kept, count)).unwrap();
    for (tensor, name) in [(negated, "negated"), (count, "count"), (squares, "squares")] {
        network.mark_output(tensor, name).unwrap();
    }
    network
}

fn build_converting(device: &Device) -> Engine {
    let builder = Builder::new(device.clone()).profile(profile(5000)).allow_types([DataType::Float16]);
    builder.build(&converting()).unwrap()
}

#[test]
fn conversions_and_sizes_need_no_compiler_either() {
    const TEST: &str = "aot::conversions_and_sizes_need_no_compiler_either";
    const FILE: &str = "GPU_TESTS_ENGINE";
    let Some(device) = gpu(TEST) else { return };
    let agrees = |engine: &Engine| {
        let mut cpu = build_converting(&Device::cpu()).create_context().unwrap();
        let mut context = engine.create_context().unwrap();
        let mut random = Random::new(6);
        for n in [1234, 0, 1, 5000] {
            let x = vector(&mut random, n);
            let (found, expected) = (context.run(&[("x", &x)]).unwrap(), cpu.run(&[("x", &x)]).unwrap());
            for ((name, found), (_, expected)) in found.iter().zip(&expected) {
                assert_same(found, expected, &format!("`{name}` of {n} elements"));
            }
        }
    };
    if is_child() {
        let path = std::env::var(FILE).unwrap();
        agrees(&Engine::load(&path).unwrap());
        agrees(&Engine::load_on(&path, &device).unwrap());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("converting.engine");
    let built = build_converting(&device);
    let summary = built.inspect();
    let sources: Vec<&str> = summary.runtime_kernels.iter().map(|kernels| &*kernels.source).collect();
    assert_eq!(sources, ["reformat_flat.cu", "settle.cu"]);
    assert!(summary.plans[0].steps.iter().any(|step| step.plugin.is_none() && step.combination.contains("FP16")));
    agrees(&built);
    built.save(&path).unwrap();
    assert_eq!(Engine::load(&path).unwrap().to_bytes().unwrap(), built.to_bytes().unwrap());
    let (path, empty) = (path.to_str().unwrap(), folder.path().join("cache"));
    let nowhere =
        [(FILE, path), ("NVRTC_LIBRARY", "/nowhere/libnvrtc.so"), ("PLUGIN_RUNTIME_CACHE", empty.to_str().unwrap())];
    passes_in_child(TEST, &nowhere);
}

#[test]
fn an_engine_is_loaded_on_a_device_of_its_kind_alone() {
    let Some(device) = gpu("an_engine_is_loaded_on_a_device_of_its_kind_alone") else { return };
    let bytes = build(&device, &network()).to_bytes().unwrap();
    assert_eq!(*Engine::from_bytes_on(&bytes, &device).unwrap().device(), *device);
    let message = Engine::from_bytes_on(&bytes, &Device::cpu()).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("it was built for device `cuda`: it can't be loaded on `cpu`"), "{message}");
}

#[test]
fn a_grid_that_grows_too_large_is_an_error_and_the_context_goes_on() {
    let Some(device) = gpu("a_grid_that_grows_too_large_is_an_error_and_the_context_goes_on") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [y] = network.add_named_plugin("tall", ahead_tall::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    let builder = Builder::new(device.clone()).profile(profile(70_000)).without_checks();
    let mut context = builder.build(&network).unwrap().create_context().unwrap();
    let mut random = Random::new(5);
    for (n, works) in [(65_535, true), (65_536, false), (100, true)] {
        let x = vector(&mut random, n);
        match context.run(&[("x", &x)]) {
            Ok(found) => assert!(works && found[0].1.bytes() == x.bytes()),
            Err(error) => {
                let message = error.to_string();
                let expected = "kernel `ahead_tall`: grid.y, x.d0, would be 65536: 0 to 65535 are possible";
                assert!(!works && message.contains("layer `tall`") && message.contains(expected), "{message}");
            }
        }
    }
}

#[test]
fn ptx_of_an_author_is_launched_by_an_impl() {
    let Some(device) = gpu("ptx_of_an_author_is_launched_by_an_impl") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [3]).unwrap();
    let [y] = network.add_plugin(first_plus::op(x, 0.5)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(device.clone()).build(&network).unwrap();
    let found = engine.create_context().unwrap().run(&[("x", &tensor(&[2.0, 7.0, 8.0], &[3]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [2.5]);
}

#[test]
fn ptx_of_an_author_runs_where_it_is_for_the_gpu() {
    let Some(device) = gpu("ptx_of_an_author_runs_where_it_is_for_the_gpu") else { return };
    let built = |target: &str| {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [1]).unwrap();
        let [y] = network.add_named_plugin("ptx", ahead_ptx::op(x, target)).unwrap();
        network.mark_output(y, "y").unwrap();
        Builder::new(device.clone()).build(&network)
    };
    let found = built("sm_80").unwrap().create_context().unwrap().run(&[("x", &tensor(&[2.0], &[1]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [2.25]);
    let (major, minor) = device.cuda_properties().unwrap().compute_capability;
    let message = built("sm_999").map(|_| ()).unwrap_err().to_string();
    let expected = format!("kernel `ahead_first`: no image runs on sm_{major}{minor}: there is PTX for sm_999");
    assert!(message.contains("layer `ptx` (gpu::ahead_ptx v1") && message.contains(&expected), "{message}");
}
