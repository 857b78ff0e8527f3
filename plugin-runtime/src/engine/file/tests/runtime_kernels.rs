//! Engines that hold the runtime's own kernels too. Nothing of them runs here, where there needn't be a GPU.

use std::sync::Arc;

use super::super::records::RuntimeKernelsRecord;
use super::aot::{choose, file, parse};
use super::plugins::{PTX, add, copy, fill};
use super::record;
use crate::device::Device;
use crate::device::cuda::{Architecture, compile_report, runtime};

use crate::device::cuda::{AotBinary, AotCompiler, AotModule};
use crate::engine::plan::Plan;
use crate::engine::runtime_kernels::{RuntimeKernels, needed};
use crate::engine::{BuildReport, Engine};
use crate::network::{Bounds, Network};
use crate::plugin::combination::Combination;
use crate::prelude::*;
use crate::shape::Profile;
use crate::table::Index;
use crate::tensor::Format;

/// As far as it is looked at without a GPU, what `settle.cu` becomes.
const SETTLE_PTX: &str = "
.version 7.0
.target sm_80
.address_size 64
.visible .entry set_symbols(.param .u64 table, .param .u32 first, .param .u32 n, .param .align 8 .b8 values[512]) { ret; }
.visible .entry settle(.param .u64 words, .param .u64 table, .param .u32 slots_at, .param .u32 out_at, .param .align 8 .b8 s[104]) { ret; }
";

/// A copy of each tensor in a type and layout of its own, and the plan for it.
fn copies(extents: &[i64], largest: &[i64], runs_in: &[(DataType, Format)]) -> (Network, Plan) {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, extents.to_vec()).unwrap();
    for _ in runs_in {
        let [y] = network.add_plugin(copy::op(x).require_aot()).unwrap();
        network.mark_output(y, &format!("y{}", network.outputs.len())).unwrap();
    }
    let least: Vec<i64> = extents.iter().map(|extent| extent.abs()).collect();
    let profile = match extents.contains(&-1) {
        true => Profile::new().dims("x", &*least, &*least, largest),
        false => Profile::new(),
    };
    let mut choices = choose(&network);
    for (choice, &(dtype, format)) in choices.iter_mut().zip(runs_in) {
        let (types, formats) = (vec![dtype; 2], vec![format; 2]);
        choice.combination = Combination { types, formats, tactics: vec![0], references: Vec::new() };
    }
    let bounds = Bounds::new(&network, &profile).unwrap();
    let compiler = AotCompiler::new(&Device::cpu(), &[]);
    let plan = Plan::new(&network, &profile, &bounds, &choices, &compiler).unwrap();
    (network, plan)
}

fn sources_of(plan: Plan) -> Vec<&'static str> {
    needed(&[plan]).unwrap().into_iter().map(|source| source.name).collect()
}

#[test]
fn an_engine_needs_the_kernels_of_what_it_converts() {
    use DataType::{Float16, Float32};
    let of = |extents: &[i64], largest: &[i64], runs_in| sources_of(copies(extents, largest, &[runs_in]).1);
    let small = [1, 8, 4, 4];
    assert!(of(&small, &small, (Float32, Format::Linear)).is_empty());
    assert_eq!(of(&small, &small, (Float16, Format::Linear)), ["reformat_flat.cu"]);
    assert_eq!(of(&small, &small, (Float32, Format::Chw4)), ["reformat_any.cu"]);
    let image = [8, 64, 56, 56];
    assert_eq!(of(&image, &image, (Float32, Format::Chw4)), ["reformat_transpose.cu"]);
    assert_eq!(of(&image, &image, (Float16, Format::Chw4)), ["reformat_cast_2.cu", "reformat_cast_4.cu"]);
    let large = [1 << 16, 64, 32, 32];
    assert_eq!(of(&large, &large, (Float32, Format::Chw4)), ["reformat_wide.cu"]);
    // Extents that move bytes alone at the largest have to be told from others.
    let dynamic = [-1, 8, 1, 1];
    assert!(of(&dynamic, &[3, 8, 1, 1], (Float32, Format::Linear)).is_empty());
    let any_layout = ["any", "flat", "tiles", "transpose"].map(|name| format!("reformat_{name}.cu"));
    assert_eq!(of(&dynamic, &[3, 8, 1, 1], (Float32, Format::Chw4)), any_layout);
    let with_cast = ["any", "flat", "tiles", "cast_2", "cast_4"].map(|name| format!("reformat_{name}.cu"));
    assert_eq!(of(&dynamic, &[3, 8, 1, 1], (Float16, Format::Chw4)), with_cast);
    let wide = [&any_layout[..], &["reformat_wide.cu".into()]].concat();
    assert_eq!(of(&[-1, 64, 32, 32], &large, (Float32, Format::Chw4)), wide);
    assert_eq!(of(&[-1, 64, 32, 32], &large, (Float16, Format::Linear)), ["reformat_flat.cu"]);
}

/// Layers: `fill` with a size tensor, then a copy in FP16 of what that made.
fn engine(kernels: impl FnOnce(&[Plan]) -> Vec<RuntimeKernels>) -> Engine {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [filled, _] = network.add_plugin(fill::op(x).require_aot()).unwrap();
    let [copied] = network.add_plugin(copy::op(filled).require_aot()).unwrap();
    network.mark_output(copied, "copied").unwrap();
    let profile = Profile::new().dims("x", [1], [2], [1000]);
    let mut choices = choose(&network);
    choices[Index::new(1)].combination = Combination::untuned([DataType::Float16; 2]);
    let bounds = Bounds::new(&network, &profile).unwrap();
    let compiler = AotCompiler::new(&Device::cpu(), &[]);
    let plans = vec![Plan::new(&network, &profile, &bounds, &choices, &compiler).unwrap()];
    let kernels = kernels(&plans);
    Engine::new(Device::cpu(), &network, plans, kernels, BuildReport::default())
}

/// The same with PTX in place of what has to be compiled.
fn by_hand() -> Engine {
    engine(|_| {
        let module = AotModule::new(vec![AotBinary::new(SETTLE_PTX.as_bytes()).unwrap()]).unwrap();
        vec![RuntimeKernels::new(runtime::extents_source(), Arc::new(module))]
    })
}

fn names(engine: &Engine) -> Vec<&'static str> {
    engine.0.runtime_kernels.iter().map(|kernels| kernels.source().name).collect()
}

#[test]
fn an_engine_needs_the_kernels_of_size_tensors() {
    engine(|plans| {
        let names: Vec<_> = needed(plans).unwrap().into_iter().map(|source| source.name).collect();
        assert_eq!(names, ["reformat_flat.cu", "settle.cu"]);
        // Where nothing can be compiled, the engine is made without.
        assert!(RuntimeKernels::of(plans, &AotCompiler::new(&Device::cpu(), &[])).unwrap().is_empty());
        Vec::new()
    });
}

#[test]
fn an_engine_with_layers_that_are_compiled_when_they_run_holds_none() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [a] = network.add_plugin(add::op(x, 1.0)).unwrap();
    let [b] = network.add_plugin(copy::op(a).require_aot()).unwrap();
    network.mark_output(b, "b").unwrap();
    let mut choices = choose(&network);
    choices[Index::new(1)].combination = Combination::untuned([DataType::Float16; 2]);
    let (profile, compiler) = (Profile::new(), AotCompiler::new(&Device::cpu(), &[]));
    let bounds = Bounds::new(&network, &profile).unwrap();
    let plan = Plan::new(&network, &profile, &bounds, &choices, &compiler).unwrap();
    assert_eq!(plan.inserted().count(), 2);
    assert!(sources_of(plan).is_empty());
}

#[test]
fn the_runtimes_kernels_are_saved_and_read_back() {
    let engine = by_hand();
    let (bytes, record) = (engine.to_bytes().unwrap(), record(&engine));
    assert_eq!((record.images.len(), record.modules.len()), (2, 2));
    let checksum = runtime::extents_source().checksum();
    assert_eq!(record.runtime, [RuntimeKernelsRecord { source: "settle.cu".into(), checksum, module: 1 }]);
    let loaded = parse(&bytes).unwrap();
    assert_eq!((loaded.to_bytes().unwrap() == bytes, names(&loaded)), (true, vec!["settle.cu"]));
    let summary = loaded.inspect();
    let [kernels] = &*summary.runtime_kernels else { panic!("{summary:?}") };
    assert_eq!((&*kernels.source, kernels.images[0].to_string()), ("settle.cu", "PTX for sm_80".into()));
}

#[test]
fn what_a_file_says_of_the_runtimes_kernels_is_checked() {
    let with = |change: &dyn Fn(&mut Vec<RuntimeKernelsRecord>), ptx: &str| {
        let mut record = record(&by_hand());
        change(&mut record.runtime);
        parse(&file(&record, &[PTX.as_bytes(), ptx.as_bytes()])).map(|engine| names(&engine).len())
    };
    assert_eq!(with(&|_| {}, SETTLE_PTX).unwrap(), 1);
    // Another version of the runtime has no use for them.
    assert_eq!(with(&|r| r[0].checksum ^= 1, SETTLE_PTX).unwrap(), 0);
    assert_eq!(with(&|r| r[0].source = "settled.cu".into(), SETTLE_PTX).unwrap(), 0);
    assert_eq!(with(&|r| r[0].source = "reformat_flat.cu".into(), SETTLE_PTX).unwrap(), 0);
    assert_eq!(with(&|r| r.clear(), SETTLE_PTX).unwrap(), 0);

    type Change<'c> = &'c dyn Fn(&mut Vec<RuntimeKernelsRecord>);
    let same: Change<'_> = &|_| {};
    let (narrow, renamed) = (SETTLE_PTX.replace("[104]", "[96]"), SETTLE_PTX.replace("set_symbols", "get_symbols"));
    let cases: [(Change<'_>, &str, &str); 6] = [
        (&|r| r[0].module = 2, SETTLE_PTX, "the runtime's own kernels are in module 2: there are 2"),
        (&|r| (r[0].module, r[0].checksum) = (u32::MAX, 0), SETTLE_PTX, "are in module 4294967295: there are 2"),
        (&|r| r.push(r[0].clone()), SETTLE_PTX, "the runtime's own kernels of `settle.cu` are there twice"),
        (&|r| r[0].module = 0, SETTLE_PTX, "the runtime's own kernel `set_symbols`: the image has no such kernel"),
        (same, &renamed, "own kernel `set_symbols`: the image has no such kernel; did you mean `get_symbols`"),
        (same, &narrow, "own kernel `settle`: in the image it takes parameters of [8, 8, 4, 4, 96] bytes"),
    ];
    for (position, (change, ptx, expected)) in cases.into_iter().enumerate() {
        let message = with(change, ptx).unwrap_err().to_string();
        assert!(message.contains(expected), "{position}: {message}");
    }
}

#[test]
fn a_mutated_file_ends_in_an_engine_or_an_error() {
    let whole = record(&by_hand());
    let mut state = 11u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut kept = 0;
    for _ in 0..500 {
        let (mut record, mut image) = (whole.clone(), SETTLE_PTX.as_bytes().to_vec());
        match random(3) {
            0 => record.runtime[0].checksum ^= 1 << random(32),
            1 => record.runtime[0].module = random(4) as u32,
            _ => drop(record.runtime[0].source.pop()),
        }
        if random(2) == 0 {
            record.runtime.push(whole.runtime[0].clone());
        }
        if random(2) == 0 {
            let at = random(image.len());
            image[at] ^= 1 << random(8);
        }
        if let Ok(engine) = parse(&file(&record, &[PTX.as_bytes(), &image])) {
            kept += names(&engine).len();
            let again = engine.to_bytes().unwrap();
            assert_eq!(parse(&again).unwrap().to_bytes().unwrap(), again);
        }
    }
    assert!(kept > 0 && kept < 500, "{kept}");
}

/// Says on the terminal, whatever the test harness captures, that a test is left out.
fn nvrtc_is_there(test: &str) -> bool {
    use std::io::Write;
    let Err(error) = compile_report(runtime::extents_source(), Architecture { major: 9, minor: 0 }) else {
        return true;
    };
    let asked_for = std::env::var_os("NVRTC_LIBRARY").is_some_and(|path| !path.is_empty());
    assert!(!asked_for, "{error}");
    writeln!(std::io::stderr(), "\nSKIPPED {test}: {error}\n").unwrap();
    false
}

#[test]
fn the_runtimes_kernels_are_compiled_for_each_architecture() {
    if !nvrtc_is_there("the_runtimes_kernels_are_compiled_for_each_architecture") {
        return;
    }
    let [ampere, hopper, unknown] = [80, 90, 999].map(Architecture::from_number);
    let compiler = AotCompiler::new(&Device::cpu(), &[ampere, hopper]);
    let made = engine(|plans| RuntimeKernels::of(plans, &compiler).unwrap());
    assert_eq!(names(&made), ["reformat_flat.cu", "settle.cu"]);
    for kernels in &made.0.runtime_kernels {
        for architecture in [ampere, hopper] {
            let image = &kernels.module().binary_for(architecture).unwrap().image;
            assert_eq!(image.architecture(), Some(architecture));
        }
    }
    let bytes = made.to_bytes().unwrap();
    let loaded = parse(&bytes).unwrap();
    assert_eq!((names(&loaded), loaded.to_bytes().unwrap() == bytes), (names(&made), true));

    engine(|plans| {
        let compiler = AotCompiler::new(&Device::cpu(), &[hopper, unknown]);
        let message = RuntimeKernels::of(plans, &compiler).map(|_| ()).unwrap_err().to_string();
        let expected = "the engine needs the runtime's own kernels between its layers: CUDA source";
        assert!(message.contains(expected) && message.contains("can't be compiled for sm_999"), "{message}");
        Vec::new()
    });
}
