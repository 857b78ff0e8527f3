//! Which of impl and AOT kernels runs, and what is said of kernels that can't.

use super::*;
use crate::device::cuda::AotCompiler;
use crate::device::{Device, DeviceKind};
use crate::network::Preference;
use crate::plugin::{DescribedKernels, Implementation};
use crate::prelude::*;
use crate::table::Index;
use crate::tactic::candidates::{Candidates, Rules, enumerate};

const PTX: &str = ".version 7.0\n.target sm_70\n.visible .entry one(.param .u64 x, .param .u64 y) { ret; }";

/// Without kernels of its own, to have one error more.
#[register("aot_test::both", crate = crate)]
fn both(x: &TensorDesc, #[default(0)] mistake: i32) -> TensorDesc {
    x.like()
}

#[autotune("aot_test::both", crate = crate)]
fn both_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16").tactics([Threads::Many, Threads::All])]
}

#[derive(Tactic, Clone, Copy)]
#[tactic(crate = crate)]
enum Threads {
    Many = 21,
    All = 22,
}

#[impl_plugin("aot_test::both", device = cpu, crate = crate)]
fn both_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

#[impl_plugin("aot_test::both", device = cuda, crate = crate)]
fn both_cuda(x: Tensor, outputs: [TensorMut; 1]) {}

#[aot_impl("aot_test::both", crate = crate)]
fn both_aot(x: &TensorDesc, mistake: i32, outputs: &[TensorDesc; 1], tactic: Threads) -> Result<AotKernel> {
    let threads = match tactic {
        Threads::Many => 256,
        Threads::All => 1024,
    };
    let kernel = AotKernel::new("one", PTX).grid([x.numel().ceil_div(threads)]).block([threads]);
    Ok(match mistake {
        1 => AotKernel::new("two", PTX),
        2 => AotKernel::new("one", []),
        3 => AotKernel::new("one", PTX).parameters([AotParameter::Input(1), AotParameter::Output(0)]),
        4 => AotKernel::new("one", PTX).extra_args([1]),
        5 => AotKernel::new("one", PTX).grid([x.shape_expr(5)]),
        6 => AotKernel::new("one", PTX).workspace(x.shape_expr(5)),
        7 => bail!("{} isn't for me", x.dtype()),
        8 => AotKernel::new("one", PTX).extra_args([1]).parameters([AotParameter::Input(0)]),
        9 => AotKernel::new("one", PTX).block([2048]),
        10 => AotKernel::new("one", b"\x7fELF".as_slice()),
        11 => AotKernel::sequence(PTX, []),
        12 => AotKernel::new("one", PTX).parameters([AotParameter::Input(0), AotParameter::Workspace]),
        13 => panic!("kernels, kernels"),
        _ => kernel,
    })
}

#[register("aot_test::only", crate = crate)]
fn only(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[aot_impl("aot_test::only", crate = crate)]
fn only_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("one", PTX)
}

#[register("aot_test::none", crate = crate)]
fn none(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("aot_test::none", device = cuda, crate = crate)]
fn none_cuda(x: Tensor, outputs: [TensorMut; 1]) {}

fn network_of<T: IntoOp<1>>(op: impl FnOnce(crate::network::TensorId) -> T) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1, 4]).unwrap();
    let [y] = network.add_plugin(op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    network
}

fn candidates(network: &Network, device: DeviceKind) -> Result<Candidates> {
    enumerate(network, &network.layers[Index::new(0)], device, &Rules::default())
}

/// `aot`, `jit`, or the error.
fn implementation(network: &Network, device: DeviceKind) -> String {
    match candidates(network, device) {
        Ok(Candidates { implementation: Implementation::Aot(_), .. }) => "aot".into(),
        Ok(Candidates { implementation: Implementation::Impl(entry), .. }) => {
            assert_eq!(entry.device, device);
            "jit".into()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_preference_decides_where_there_is_a_choice_and_insisting_where_there_is_none() {
    let insists = "it insists on ahead-of-time kernels (`require_aot`, in ONNX `aot` = 1), but";
    let cases = [
        (network_of(both::op), ["jit", "jit"]),
        (network_of(|x| both::op(x).prefer_jit()), ["jit", "jit"]),
        (network_of(|x| both::op(x).prefer_aot()), ["aot", "jit"]),
        (network_of(|x| both::op(x).require_jit()), ["jit", "jit"]),
        (
            network_of(|x| both::op(x).mistake(1).require_aot()),
            ["aot", &format!("{insists} device `cpu` runs impls only: write `prefer_aot`")],
        ),
        (
            network_of(only::op),
            [
                "aot",
                "it has no impl for device `cpu`, and its AOT kernels run on device `cuda` only; add \
                 #[impl_plugin(\"aot_test::only\", device = cpu)]",
            ],
        ),
        (network_of(|x| only::op(x).prefer_jit()), ["aot", "it has no impl for device `cpu`"]),
        (
            network_of(|x| only::op(x).require_jit()),
            [
                "it insists on an impl (`require_jit`, in ONNX `aot` = 0), but has AOT kernels only for device `cuda`: write \
                 `prefer_jit`, or add #[impl_plugin(\"aot_test::only\", device = cuda)]",
                "it has no impl for device `cpu`",
            ],
        ),
        (network_of(|x| none::op(x).prefer_aot()), ["jit", "it has no impl for device `cpu`, only for `cuda`; add"]),
        (
            network_of(|x| none::op(x).require_aot()),
            [
                &format!(
                    "{insists} `aot_test::none` has none: write `prefer_aot`, or add #[aot_impl(\"aot_test::none\")]"
                ),
                insists,
            ],
        ),
    ];
    for (position, (network, [on_cuda, on_cpu])) in cases.into_iter().enumerate() {
        for (device, expected) in [(DeviceKind::Cuda, on_cuda), (DeviceKind::Cpu, on_cpu)] {
            let said = implementation(&network, device);
            assert!(said.starts_with(expected), "{position}, {device}: {said}");
        }
    }
}

#[test]
fn a_layers_preference_is_set_by_its_name() {
    let mut network = network_of(both::op);
    network.set_preference("both_0", Preference::PreferAot).unwrap();
    assert_eq!(implementation(&network, DeviceKind::Cuda), "aot");
    let message = network.set_preference("both_1", Preference::PreferAot).unwrap_err().to_string();
    assert_eq!(message, "the network has no layer `both_1`; did you mean `both_0`?");
}

#[test]
fn tactics_are_those_of_the_kernels_and_named_so() {
    let network = network_of(|x| both::op(x).prefer_aot());
    let found = candidates(&network, DeviceKind::Cuda).unwrap();
    let named: Vec<_> =
        found.candidates.iter().map(|c| (found.implementation.tactic_name(c.tactic), c.ruled_out.is_none())).collect();
    assert_eq!(named[..2], [("AOT Many".into(), true), ("AOT All".into(), true)]);
    assert_eq!(Implementation::tactic_name(found.implementation, 0), "AOT default");
}

fn described(mistake: i32, tactic: i32) -> Result<DescribedKernels> {
    let network = network_of(|x| both::op(x).mistake(mistake).prefer_aot());
    let found = candidates(&network, DeviceKind::Cuda)?;
    let Implementation::Aot(entry) = found.implementation else { panic!("an impl was chosen") };
    let compiler = AotCompiler::new(&Device::cpu(), &[]);
    let layer = &network.layers[Index::new(0)];
    let (inputs, outputs) = network.laid_out_descs(layer, &found.combinations[0]);
    layer.bound.kernels(entry, (&inputs, &outputs), tactic, &compiler)
}

#[test]
fn each_tactic_has_its_own_kernels() {
    let threads = [21, 22].map(|tactic| {
        let step = described(0, tactic).unwrap();
        let values: Vec<i64> = step.program.exprs.iter().map(|e| e.evaluate(&[1000]).unwrap()).collect();
        let config = step.program.launches[0].config(&step.program.exprs, &values).unwrap();
        (config.grid[0], config.block[0])
    });
    assert_eq!(threads, [(16, 256), (4, 1024)]);
}

#[test]
fn what_an_author_gets_wrong_is_said_when_the_engine_is_built() {
    let mistakes = [
        (1, "kernel `two`: the image has no such kernel; it has `one`: in C++, write extern \"C\" __global__"),
        (2, "kernel `one`: its image is empty"),
        (3, "kernel `one`: parameter 1: there is no input 1: there are 1, counted from 0"),
        (
            4,
            "kernel `one`: in the image it takes parameters of [8, 8] bytes, but [8, 4, 8] are given: parameter 2 differs",
        ),
        (5, "kernel `one`: grid.x: dimension 5 of a tensor with 2 was asked for"),
        (6, "its workspace: dimension 5 of a tensor with 2 was asked for"),
        (7, "FP32 isn't for me"),
        (8, "it has a list of all parameters and extra arguments besides"),
        (9, "kernel `one`: block.x would be 2048: 1 to 1024 are possible"),
        (10, "kernel `one`: an ELF file that is no whole cubin"),
        (11, "it launches no kernel"),
        (12, "kernel `one`: parameter 2: there is no workspace: say how large with AotKernel::workspace(bytes)"),
        (13, "kernels, kernels"),
    ];
    for (mistake, expected) in mistakes {
        let said = described(mistake, 21).map(|_| ()).unwrap_err().to_string();
        assert!(said.contains(expected), "{mistake}: {said}");
    }
    assert!(described(0, 23).map(|_| ()).unwrap_err().to_string().contains("no tactic 23"));
}
