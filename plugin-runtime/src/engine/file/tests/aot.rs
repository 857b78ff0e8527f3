//! Files of engines that hold their kernels: nothing of them runs here, where there needn't be a GPU.

use prost::Message;

use super::super::container::{self, Part, SectionKind};
use super::super::load;
use super::super::records::{EngineRecord, KernelsRecord, ParameterRecord};
use super::plugins::{PTX, copy, fill, total};
use super::{expr, record, slot, step};
use crate::device::{Device, DeviceKind, FileBytes};

use crate::device::cuda::AotCompiler;
use crate::engine::plan::Plan;
use crate::engine::{BuildReport, Engine};
use crate::error::Result;
use crate::network::{Bounds, Layer, Network};
use crate::plugin::Implementation;
use crate::prelude::*;
use crate::shape::{Profile, encode_exprs};
use crate::table::Table;
use crate::tactic::Choice;

use crate::plugin::combination::Combination;

/// Layers: `total` of two launches with scratch memory, then `fill` with a size tensor, which launches as far as that may
/// reach. As a build for a GPU would plan them.
fn engine() -> Engine {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1, 3]).unwrap();
    let [sums] = network.add_plugin(total::op(x, 0.5).prefer_aot()).unwrap();
    let [filled, _] = network.add_plugin(fill::op(sums).require_aot()).unwrap();
    network.mark_output(filled, "filled").unwrap();
    let profile = Profile::new().dims("x", [1, 3], [2, 3], [1000, 3]);
    let bounds = Bounds::new(&network, &profile).unwrap();
    let choices = choose(&network);
    let compiler = AotCompiler::new(&Device::cpu(), &[]);
    let plan = Plan::new(&network, &profile, &bounds, &choices, &compiler).unwrap();
    Engine::new(Device::cpu(), &network, vec![plan], Vec::new(), BuildReport::default())
}

/// Each layer in the types that the network has, as it would run on a GPU.
pub(super) fn choose(network: &Network) -> Table<Layer, Choice> {
    let choice = |layer: &crate::network::Layer| Choice {
        implementation: match &layer.plugin().aot {
            Some(entry) => Implementation::Aot(entry),
            None => Implementation::Impl(layer.plugin().impl_for(DeviceKind::Cpu).unwrap()),
        },
        combination: Combination::untuned(
            layer.inputs.iter().chain(&layer.outputs).map(|&tensor| network.tensors[tensor].dtype),
        ),
        tactic: if layer.plugin().entry.id == "file_test::total" { 0 } else { 2 },
    };
    network.layers.iter().map(choice).collect()
}

/// Loads without bringing the kernels to a device.
pub(super) fn parse(bytes: &[u8]) -> Result<Engine> {
    load::engine(FileBytes::copy(bytes)?, &|_| Ok(Device::cpu()))
}

pub(super) fn file(record: &EngineRecord, images: &[&[u8]]) -> Vec<u8> {
    let graph = record.encode_to_vec();
    let part = |kind, bytes| Part { kind, checksum: crc32fast::hash(bytes), bytes };
    let mut parts = vec![part(SectionKind::Graph, &graph[..])];
    parts.extend(images.iter().map(|bytes| part(SectionKind::Image, bytes)));
    let mut file = Vec::new();
    container::write(&parts, &mut file).unwrap();
    file
}

#[test]
fn kernels_are_saved_once_and_read_back() {
    let engine = engine();
    let bytes = engine.to_bytes().unwrap();
    let record = record(&engine);
    assert_eq!((record.images.len(), record.modules.len()), (1, 1));
    assert_eq!((record.images[0].major, record.images[0].minor), (8, 0));
    assert!(record.layers.iter().all(|layer| layer.attributes.is_empty() && layer.aot.is_some()));
    let loaded = parse(&bytes).unwrap();
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
    assert_eq!(bytes, file(&record, &[format!("{PTX}\0").as_bytes()]));
    for engine in [engine, loaded] {
        let summary = engine.inspect();
        let steps = &summary.plans[0].steps;
        let plugin = |step: usize| steps[step].plugin.as_ref().unwrap();
        assert_eq!(
            (&*plugin(0).id, plugin(0).version, &*plugin(0).tactic_name),
            ("file_test::total", 1, "AOT default")
        );
        assert_eq!((plugin(1).tactic, &*plugin(1).tactic_name), (2, "AOT Forwards"));
        let kernels = plugin(0).kernels.as_ref().unwrap();
        assert_eq!(kernels.images[0].to_string(), "PTX for sm_80");
        let launches: Vec<_> = kernels.launches.iter().map(|l| (&*l.kernel, l.launch.grid[0].to_string())).collect();
        assert_eq!(launches, [("sums", "(3*x.d0 + 255)/256".into()), ("total", "x.d0".into())]);
        assert_eq!(kernels.launches[1].parameters[4], AotParameter::Extra(AotArg::F32(0.5)));
        assert_eq!(steps[0].workspace.as_ref().unwrap().bytes, 12 * 4);
        assert_eq!(steps[0].inputs[0].name, "x");
    }
}

#[test]
fn an_engine_of_kernels_needs_no_plugin_but_a_device() {
    let engine = engine();
    let mut record = record(&engine);
    for plugin in &mut record.plugins {
        plugin.id = plugin.id.replace("file_test", "nobody");
    }
    let bytes = file(&record, &[PTX.as_bytes()]);
    let loaded = parse(&bytes).unwrap();
    assert_eq!(loaded.inspect().plans[0].steps[1].plugin.as_ref().unwrap().id, "nobody::fill");
    assert_eq!(loaded.report().layers[0].plugin, "nobody::total v1");
    let message = loaded.create_context().map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("layer `total_0` (nobody::total v1, tactic AOT default)"), "{message}");
    let message = Engine::from_bytes(&bytes).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("layer `total_0`") && message.contains("device `cpu` can't run AOT kernels"), "{message}");
}

/// What is said of the engine's file with one thing changed.
fn said(change: impl FnOnce(&mut EngineRecord)) -> String {
    let mut record = record(&engine());
    change(&mut record);
    match parse(&file(&record, &[PTX.as_bytes()])) {
        Ok(_) => "it is loaded".into(),
        Err(error) => error.to_string(),
    }
}

fn kernels(record: &mut EngineRecord, position: usize) -> &mut KernelsRecord {
    step(record, position).kernels.as_mut().unwrap()
}

fn parameter(record: &mut EngineRecord, launch: usize, position: usize) -> &mut ParameterRecord {
    &mut kernels(record, 0).launches[launch].parameters[position]
}

/// Lets kernels that cope with extents that the device alone knows take a scalar.
fn copes_with(record: &mut EngineRecord, scalar: Vec<u8>) {
    record.layers[0].aot.as_mut().unwrap().device_shape = true;
    parameter(record, 0, 2).value = scalar;
}

#[test]
fn a_file_keeps_whether_kernels_cope_with_extents_that_the_device_alone_knows() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [filled, _] = network.add_plugin(fill::op(x).require_aot()).unwrap();
    let [copied] = network.add_plugin(copy::op(filled).require_aot()).unwrap();
    network.mark_output(copied, "copied").unwrap();
    let profile = Profile::new().dims("x", [1], [2], [1000]);
    let bounds = Bounds::new(&network, &profile).unwrap();
    let plan =
        Plan::new(&network, &profile, &bounds, &choose(&network), &AotCompiler::new(&Device::cpu(), &[])).unwrap();
    let engine = Engine::new(Device::cpu(), &network, vec![plan], Vec::new(), BuildReport::default());
    let awaited = |engine: &Engine| {
        let steps = &engine.0.plans[0].steps;
        steps.iter().map(|step| step.awaited.clone()).collect::<Vec<_>>()
    };
    assert_eq!(awaited(&engine), [vec![], vec![1]], "`copy` doesn't say that it copes");
    let loaded = parse(&engine.to_bytes().unwrap()).unwrap();
    assert_eq!(awaited(&loaded), awaited(&engine));
    let mut record = record(&engine);
    record.layers[1].aot.as_mut().unwrap().device_shape = true;
    let loaded = parse(&file(&record, &[PTX.as_bytes()])).unwrap();
    assert_eq!(awaited(&loaded), [vec![], vec![]]);
    let again = parse(&loaded.to_bytes().unwrap()).unwrap();
    assert_eq!(awaited(&again), awaited(&loaded));
}

#[test]
fn what_kernels_may_not_say_is_refused() {
    assert_eq!(said(|_| {}), "it is loaded");
    let size = |index: u32| {
        let kind = crate::shape::SymbolKind::Size;
        let symbol = crate::shape::Symbol { kind, index, name: "n".into() };
        encode_exprs([&ShapeExpr::symbol(symbol)]).unwrap()
    };
    let dimensions = |grid: i64| {
        let exprs = [grid, 1, 1, 1, 1, 1, 0].map(ShapeExpr::constant);
        encode_exprs(&exprs).unwrap()
    };
    type Change<'c> = &'c dyn Fn(&mut EngineRecord);
    let changes: [(Change<'_>, &str); 32] = [
        (&|r| r.images.clear(), "its graph has 0 images, but 1 sections hold one"),
        (&|r| r.images[0].major = 9, "image 0: it is a PTX for sm_80, but was saved as of sm_90"),
        (&|r| r.modules.clear(), "its kernels are in module 0: there are 0"),
        (&|r| r.modules[0].images = vec![1], "module 0: there is no image 1: there are 1"),
        (&|r| r.modules[0].images.clear(), "module 0: it has no image"),
        (&|r| kernels(r, 1).module = 7, "its kernels are in module 7: there are 1"),
        (&|r| r.layers[0].aot = None, "`file_test::total v1` has no impl for device `cpu`"),
        (&|r| r.layers[0].plugin = 9, "layer `total_0`: there is no plugin 9"),
        (&|r| r.layers[0].attributes.push(Default::default()), "but attributes were saved"),
        (&|r| r.layers[0].in_place[0] = 2, "output 0 can't be updated in place over input 1"),
        (&|r| r.layers[0].aot.as_mut().unwrap().inputs.clear(), "has 0 inputs and 1 output, but 1 and 1 were saved"),
        (&|r| step(r, 0).kernels = None, "its layer runs kernels, but none were saved"),
        (&|r| step(r, 0).workspace = None, "kernel `sums`: parameter 2: there is no workspace"),
        (&|r| kernels(r, 0).launches.clear(), "it launches no kernel"),
        (&|r| kernels(r, 0).launches[0].kernel.clear(), "kernel ``: this can't be a kernel's name"),
        (&|r| kernels(r, 0).launches[0].kernel = "a\0".into(), "this can't be a kernel's name"),
        (&|r| kernels(r, 0).launches[0].kernel = "sum".into(), "has no such kernel; did you mean `sums`"),
        (&|r| kernels(r, 0).launches[0].dimensions = expr(1), "a launch has 7 dimensions, but 1 were saved"),
        (&|r| kernels(r, 0).launches[0].dimensions = dimensions(-1), "kernel `sums`: grid.x would be -1"),
        (&|r| kernels(r, 0).launches[0].dimensions = dimensions(1 << 31), "grid.x would be 2147483648: 0 to"),
        (&|r| parameter(r, 0, 0).kind = 7, "launch 0: parameter 1: kind 7 is unknown"),
        (&|r| parameter(r, 0, 0).index = 1, "kernel `sums`: parameter 1: there is no input 1: there are 1"),
        (&|r| parameter(r, 1, 1).index = u32::MAX, "there is no output 4294967295: there are 1"),
        (&|r| parameter(r, 0, 2).value.clear(), "parameter 3: its value isn't one expression"),
        (&|r| parameter(r, 0, 2).value = expr(1 << 40), "doesn't fit 32 bits"),
        (&|r| parameter(r, 0, 2).value = size(9), "may name 2 here"),
        (&|r| parameter(r, 0, 2).value = size(1), "`fill_1.1` is needed before a layer gives it a value"),
        (&|r| copes_with(r, size(1)), "depends on the size tensor `fill_1.1`, whose value the device alone knows"),
        (&|r| parameter(r, 0, 2).kind = 5, "takes parameters of [8, 8, 4] bytes, but [8, 8, 8] are given"),
        (&|r| drop(kernels(r, 0).launches[0].parameters.pop()), "the numbers of parameters differ"),
        (&|r| kernels(r, 0).launches[0].dimensions = kernels(r, 1).launches[0].dimensions.clone(), "is needed before"),
        (&|r| slot(r, 0).base = 1, "can't be written"),
    ];
    for (position, (change, expected)) in changes.into_iter().enumerate() {
        let said = said(change);
        assert!(said.contains(expected), "{position}: {said}");
    }
}

#[test]
fn images_that_are_none_are_refused() {
    let record = record(&engine());
    let zeros = vec![0; 100];
    let long = [PTX.as_bytes(), &vec![b' '; crate::device::cuda::LARGEST_IMAGE]].concat();
    let cases: [(&[u8], &str); 5] = [
        (b"", "image 0: its image is empty"),
        (&zeros, "no CUDA image"),
        (b"\x7fELF", "no whole cubin"),
        (b".version 7.0\n.target sm_80", "kernel `sums`: the image has no such kernel"),
        (&long, "at most 67108864 are possible"),
    ];
    for (image, expected) in cases {
        let message = parse(&file(&record, &[image])).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let mut damaged = file(&record, &[PTX.as_bytes()]);
    let at = damaged.len() - 3;
    damaged[at] ^= 1;
    let message = parse(&damaged).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("image 0: its code is damaged"), "{message}");
}

#[test]
fn a_mutated_file_ends_in_an_engine_or_an_error() {
    let mutants = std::env::var("MUTATIONS").map_or(2000, |n| n.parse().unwrap());
    let graph = record(&engine()).encode_to_vec();
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut loaded = 0;
    for _ in 0..mutants {
        let (mut graph, mut image) = (graph.clone(), PTX.as_bytes().to_vec());
        for _ in 0..=random(3) {
            let bytes = if random(4) == 0 { &mut image } else { &mut graph };
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] ^= 1 << random(8),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random(256) as u8),
            }
        }
        let part = |kind, bytes| Part { kind, checksum: crc32fast::hash(bytes), bytes };
        let mut file = Vec::new();
        let parts = [part(SectionKind::Graph, &graph[..]), part(SectionKind::Image, &image[..])];
        container::write(&parts, &mut file).unwrap();
        if let Ok(engine) = parse(&file) {
            loaded += 1;
            engine.inspect();
            let again = engine.to_bytes().unwrap();
            assert_eq!(parse(&again).unwrap().to_bytes().unwrap(), again);
            assert!(engine.create_context().is_err());
        }
    }
    assert!(loaded > 0 && loaded < mutants, "{loaded} of {mutants}");
}
