//! Engine files whose kernels are in them, run by a program that links no plugin.

use std::path::PathBuf;
use std::process::Command;

use plugin_runtime::device::Device;
use plugin_runtime::device::cuda::Architecture;
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use samples::add::elemwise_add_plugin;
use samples::circ_pad::circ_pad_plugin;
use tests::command::run;
use tests::{Random, tensor};

use crate::gpu::gpu;
use crate::plugins::ahead::{ahead, ahead_mistaken};
use crate::plugins::elementwise::scale;
use crate::rig::{Rig, Twin, assert_same};

fn profile() -> Profile {
    Profile::new().dims("x", [0], [1000], [5000])
}

/// Layers whose kernels all lie in the engine.
fn network() -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(ahead::op(x, 0.5)).unwrap();
    let [b] = network.add_plugin(ahead::op(a, -4.0)).unwrap();
    network.mark_output(b, "y").unwrap();
    network.mark_output(a, "half way").unwrap();
    network
}

#[test]
fn an_engine_can_hold_kernels_for_several_architectures() {
    let Some(device) = gpu("an_engine_can_hold_kernels_for_several_architectures") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [100]).unwrap();
    let [y] = network.add_plugin(ahead::op(x, 0.5)).unwrap();
    network.mark_output(y, "y").unwrap();
    let wanted = [80, 90, 100].map(Architecture::from_number);
    let engine = Builder::new(device.clone()).architectures(wanted).build(&network).unwrap();
    let engine = Engine::from_bytes(&engine.to_bytes().unwrap()).unwrap();
    let summary = engine.inspect();
    let kernels = summary.plans[0].steps[0].plugin.as_ref().unwrap().kernels.as_ref().unwrap();
    for architecture in wanted {
        assert!(kernels.images.iter().any(|image| image.architecture == Some(architecture)), "{:?}", kernels.images);
    }
    let x = tensor(&Random::new(3).floats(&[100]), &[100]);
    let found = Rig::new(engine, &[]).run(&[("x", &x)]);
    let expected: Vec<f32> = x.as_slice::<f32>().unwrap().iter().rev().map(|x| 2.0 * x + 0.5).collect();
    assert_same(&found[0], &tensor(&expected, &[100]), "y");
}

/// The program that runs engine files: beside this one, or where it was built.
fn run_engine() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let beside = program.with_file_name("run_engine");
    if beside.is_file() { beside } else { env!("CARGO_BIN_EXE_run_engine").into() }
}

#[test]
fn a_program_without_plugins_runs_the_file() {
    let Some(device) = gpu("a_program_without_plugins_runs_the_file") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let engine = Builder::new(device.clone()).profile(profile()).build(&network()).unwrap();
    engine.save(path("engine")).unwrap();
    let x = tensor(&Random::new(4).floats(&[1234]), &[1234]);
    std::fs::write(path("x"), x.bytes()).unwrap();

    let mut command = Command::new(run_engine());
    // Neither the compiler nor what it made before is there.
    command.env("NVRTC_LIBRARY", "/nonexistent/libnvrtc.so.13").env("PLUGIN_RUNTIME_CACHE", "");
    command.args([path("engine"), "--shape".into(), "x=1234".into()]);
    command.args(["--input".into(), format!("x={}", path("x")), "--output".into(), format!("y={}", path("y"))]);
    let child = run(&mut command);
    assert_eq!(child.status, Some(0), "{}\n{}", child.stdout, child.stderr);
    assert!(child.stdout.starts_with("plugins linked: 0\ndevice: cuda:0\n"), "{}", child.stdout);
    assert!(child.stdout.contains("output y FP32 [1234] checksum "), "{}", child.stdout);
    let expected = Rig::new(engine, &[]).run(&[("x", &x)]);
    assert_eq!(std::fs::read(path("y")).unwrap(), expected[0].bytes());

    let mut made_up = Command::new(run_engine());
    let child = run(made_up.arg(path("engine")));
    assert_eq!(child.status, Some(0), "{}\n{}", child.stdout, child.stderr);
    assert!(child.stdout.contains("input x FP32 [1000] made up"), "{}", child.stdout);
}

#[test]
fn an_engine_with_an_impl_needs_its_plugin() {
    let Some(device) = gpu("an_engine_with_an_impl_needs_its_plugin") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine");
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [100]).unwrap();
    let [a] = network.add_plugin(ahead::op(x, 0.5)).unwrap();
    let [y] = network.add_plugin(scale::op(a, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    Builder::new(device.clone()).build(&network).unwrap().save(&path).unwrap();
    let child = run(Command::new(run_engine()).arg(&path));
    assert_eq!(child.status, Some(1), "{}", child.stdout);
    assert!(child.stderr.contains("gpu::scale"), "{}", child.stderr);
}

#[test]
fn the_samples_kernels_give_what_their_impls_give() {
    let Some(device) = gpu("the_samples_kernels_give_what_their_impls_give") else { return };
    for dtype in [DataType::Float32, DataType::Float16] {
        let mut network = Network::new();
        let x = network.add_input("x", dtype, [-1, 3, -1, -1]).unwrap();
        let [a] = network.add_plugin(elemwise_add_plugin::op(x, 256).prefer_aot()).unwrap();
        let [b] = network.add_plugin(circ_pad_plugin::op(a, &[1, 2, 3, 0]).prefer_aot()).unwrap();
        network.mark_output(b, "y").unwrap();
        let profile = Profile::new().dims("x", [1, 3, 1, 1], [2, 3, 16, 16], [4, 3, 70, 70]);
        let mut twin = Twin::new(&device, &network, &profile, &[]);
        let layers = &twin.gpu.engine.report().layers;
        assert!(layers.iter().all(|layer| layer.trials.iter().all(|t| t.tactic.starts_with("AOT "))), "{layers:?}");
        let mut random = Random::new(5);
        for dims in [[1, 3, 1, 1], [4, 3, 70, 70], [2, 3, 15, 33]] {
            let x = random.floats(&dims);
            let x = match dtype {
                DataType::Float16 => {
                    let halves: Vec<f16> = x.iter().map(|x| f16::from_f32(*x)).collect();
                    plugin_runtime::tensor::HostTensor::from_slice(&halves, &dims).unwrap()
                }
                _ => tensor(&x, &dims),
            };
            twin.agree(&[("x", &x)]);
        }
    }
}

fn refusal(device: &Device, mistake: &str) -> String {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y] = network.add_named_plugin("mistaken", ahead_mistaken::op(x, mistake)).unwrap();
    network.mark_output(y, "y").unwrap();
    let ran = Builder::new(device.clone()).build(&network).and_then(|engine| {
        let x = tensor(&[1.0; 4], &[4]);
        engine.create_context()?.run(&[("x", &x)]).map(|_| ())
    });
    let error = ran.unwrap_err().to_string();
    assert!(error.contains("mistaken") && error.contains("gpu::ahead_mistaken"), "{error}");
    error
}

#[test]
fn mistakes_of_a_kernels_description() {
    let Some(device) = gpu("mistakes_of_a_kernels_description") else { return };
    let error = refusal(&device, "name");
    assert!(error.contains("`ahead_doubled`"), "{error}");
    let error = refusal(&device, "parameters");
    assert!(error.contains("`ahead_double`") && error.contains("8, 8, 8") && error.contains("8, 8, 4"), "{error}");
    let error = refusal(&device, "block");
    assert!(error.contains("`ahead_tall`") && error.contains("4000"), "{error}");
    let error = refusal(&device, "image");
    assert!(error.contains("`ahead_first`") || error.contains("PTX"), "{error}");
}
