//! Files whose checksums are right and whose content isn't.

mod aot;
#[expect(unsafe_code, reason = "in the crate itself the attributes' link sections count as such")]
mod plugins;
mod runtime_kernels;

use prost::Message;

use super::container::{self, Part, SectionKind};
use super::records::{
    EngineRecord, OutputRecord, PlaceRecord, PlanRecord, SlotRecord, StepRecord, TensorRecord, WorkspaceRecord,
};
use crate::device::Device;
use crate::engine::{Builder, Engine};
use crate::network::Network;
use crate::prelude::*;
use crate::shape::{Profile, encode_exprs};
use crate::tensor::HostTensor;
use plugins::{add, keep};

/// Steps: add in place over input 0, keep, a copy of the constant, add in place over it.
fn engine() -> Engine {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let c = HostTensor::from_slice(&[1.0f32, 2.0, 3.0], &[3]).unwrap();
    let c = network.add_constant("c", c).unwrap();
    let [a] = network.add_plugin(add::op(x, 1.0)).unwrap();
    let [kept, _] = network.add_plugin(keep::op(a)).unwrap();
    let [b] = network.add_plugin(add::op(c, 1.0)).unwrap();
    for (name, tensor) in [("a", a), ("kept", kept), ("b", b)] {
        network.mark_output(tensor, name).unwrap();
    }
    let profile = Profile::new().dims("x", [1], [2], [10]);
    Builder::new(Device::cpu()).profile(profile).build(&network).unwrap()
}

fn record(engine: &Engine) -> EngineRecord {
    super::save::graph(&engine.0).unwrap()
}

fn file(record: &EngineRecord, constants: &[&[u8]]) -> Vec<u8> {
    let graph = record.encode_to_vec();
    let part = |kind, bytes| Part { kind, checksum: crc32fast::hash(bytes), bytes };
    let mut parts = vec![part(SectionKind::Graph, &graph[..])];
    parts.extend(constants.iter().map(|bytes| part(SectionKind::Constant, bytes)));
    let mut file = Vec::new();
    container::write(&parts, &mut file).unwrap();
    file
}

/// What is said of the engine's file with one thing changed.
fn said(change: impl FnOnce(&mut EngineRecord)) -> String {
    let engine = engine();
    let mut record = record(&engine);
    change(&mut record);
    match Engine::from_bytes(&file(&record, &[engine.0.constants[0].bytes()])) {
        Ok(_) => "it is loaded".into(),
        Err(error) => error.to_string().replace("the engine can't be loaded: ", ""),
    }
}

fn expr(value: i64) -> Vec<u8> {
    encode_exprs([&ShapeExpr::constant(value)]).unwrap()
}

fn step(record: &mut EngineRecord, position: usize) -> &mut StepRecord {
    &mut record.plans[0].steps[position]
}

fn slot(record: &mut EngineRecord, position: usize) -> &mut SlotRecord {
    &mut step(record, position).outputs[0]
}

#[test]
fn the_file_is_as_the_changes_take_it_to_be() {
    let engine = engine();
    let record = record(&engine);
    assert_eq!(said(|_| {}), "it is loaded");
    let layers: Vec<Option<u32>> = record.plans[0].steps.iter().map(|step| step.layer).collect();
    assert_eq!(layers, [Some(0), Some(1), None, Some(2)]);
    assert_eq!(record.plans[0].bindings, [1, 1, 0, 0]);
    assert_eq!(record.layers[0].attributes.len(), 1);
    assert_eq!((record.symbols[0].places.len(), record.symbols[1].size.is_some()), (1, true));
    assert_eq!((slot(&mut record.clone(), 0).base, slot(&mut record.clone(), 3).index), (2, 3));
}

#[test]
fn what_a_graph_may_not_say_is_refused() {
    type Change = fn(&mut EngineRecord);
    let changes: [(Change, &str); 29] = [
        (|r| r.device = "npu".into(), "it was built for device `npu`: no device `npu`"),
        (|r| r.device = "cuda:99".into(), "it was built for device `cuda:99`: "),
        (|r| r.plugins[0].version = 2, "plugin `file_test::add` is linked at version 1, not 2"),
        (
            |r| r.plugins[1].id = "file_test::kept".into(),
            "no plugin `file_test::kept` v1 is linked; did you mean `file_test::keep`",
        ),
        (|r| r.layers[0].plugin = 2, "layer `add_0`: there is no plugin 2"),
        (|r| r.layers[0].attributes[0].name = "beta".into(), "uses the attributes [delta], but [beta] were saved"),
        (|r| r.layers[0].attributes.clear(), "uses the attributes [delta], but [] were saved"),
        (|r| r.layers[0].attributes[0].ty = 4, "attribute `delta` is f32, but type 4 was saved, not 3"),
        (|r| r.layers[0].attributes[0].value.push(0), "5 bytes are no f32 for attribute `delta`"),
        (|r| r.layers[0].in_place.push(0), "`file_test::add v1` has 1 output, but 2 were saved"),
        (
            |r| r.layers[0].in_place[0] = 2,
            "output 0 can't be updated in place over input 1: of 1 input, each is for one output",
        ),
        (|r| r.inputs[0].dims = vec![1; 9], "input 0: its extents have to be at most 8"),
        (|r| r.inputs[0].dims[0] = -2, "input 0: its extents have to be at most 8, each at least -1, not [-2]"),
        (|r| r.inputs[0].dtype = 11, "input 0: 11 is no element type"),
        (|r| r.inputs.push(r.inputs[0].clone()), "two of its inputs and outputs are named `x`"),
        (|r| r.outputs[0].name = "x".into(), "two of its inputs and outputs are named `x`"),
        (|r| r.outputs[0].shape = vec![1, 9], "output 0: it names symbol 9, but may name 2 here"),
        (|r| r.constants[0].dims[0] = 4, "constant 0: FP32 [4] takes 16 bytes, but its section has 12"),
        (|r| r.constants.clear(), "its graph has 0 constants, but 1 sections hold one"),
        (|r| r.symbols[0].places.clear(), "symbol 0: it has to be either a size tensor or a dimension of inputs"),
        (
            |r| r.symbols[0].places.push(PlaceRecord { input: 0, axis: 0 }),
            "symbol 0: dimension 0 of input 0 isn't dynamic, or is given twice",
        ),
        (|r| r.symbols[0].places[0].axis = 8, "symbol 0: dimension 8 of input 0 isn't dynamic"),
        (|r| r.symbols[1].size.as_mut().unwrap().layer = 3, "symbol 1: layer 3 has no output 1"),
        (|r| r.symbols[1].size.as_mut().unwrap().output = 2, "symbol 1: layer 1 has no output 2"),
        (
            |r| r.symbols[1].size.as_mut().unwrap().upper_bound = vec![1, 1],
            "symbol 1: it names symbol 1, but may name 1 here",
        ),
        (|r| r.symbols[1].size.as_mut().unwrap().opt.clear(), "symbol 1: one expression is needed where 0 were saved"),
        (|r| drop(r.symbols.remove(0)), "symbol 0: it names symbol 0, but may name 0 here"),
        (|r| r.plans.clear(), "it has no plan"),
        (|r| r.outputs.clear(), "it has no output"),
    ];
    for (position, (change, expected)) in changes.into_iter().enumerate() {
        let said = said(change);
        assert!(said.contains(expected), "{position}: {said}");
    }
}

#[test]
fn what_a_plan_may_not_say_is_refused() {
    type Change = fn(&mut EngineRecord);
    let changes: [(Change, &str); 30] = [
        (|r| r.plans[0].profile.clear(), "profile 0: input `x` has dynamic dimensions"),
        (|r| r.plans[0].profile[0].input = 1, "profile 0: it gives extents of input 1"),
        (|r| r.plans[0].profile[0].max = vec![0], "gives dimension 0 min 1, opt 2, max 0"),
        (|r| r.plans[0].profile[0].max = vec![i64::MAX], "needs more memory than can be addressed"),
        (|r| r.plans[0].bindings.truncate(3), "it says how 3 inputs and outputs are bound, but there are 1 and 3"),
        (|r| r.plans[0].bindings[0] = 2, "input `x` can't be used as 2 says"),
        (|r| r.plans[0].bindings[0] = 0, "output `a` can't lie in the memory of input 0: it isn't updated"),
        (|r| r.plans[0].bindings[2] = 1, "output `kept` can't lie in the memory of input 0"),
        (|r| r.plans[0].bindings[1] = 2, "output `a` can't lie in the memory of input 1"),
        (|r| r.plans[0].arena += 64, "bytes, but all that its steps write takes"),
        (|r| r.plans[0].arena = u64::MAX, "its arena"),
        (|r| r.plans[0].arena = 0, "within the arena of 0"),
        (|r| r.plans[0].steps.truncate(3), "profile 0: it runs 2 of 3 layers"),
        (|r| r.plans[0].steps.swap(0, 1), "step 0, `keep_1`: it runs layer 1, but layer 0 is next"),
        (|r| step(r, 0).layer = Some(7), "it runs layer 7, but layer 0 is next"),
        (|r| step(r, 0).tactic = 1, "has no tactic 1"),
        (|r| step(r, 1).tactic = 1, "has no `tactic` parameter"),
        (|r| step(r, 0).inputs.clear(), "`file_test::add v1` has 1 input and 1 output, but 0 and 1 were saved"),
        (|r| step(r, 1).workspace = None, "asks for workspace, which isn't what was saved"),
        (
            |r| step(r, 0).workspace = Some(WorkspaceRecord { offset: 0, size: expr(1) }),
            "asks for no workspace, which isn't what was saved",
        ),
        (
            |r| step(r, 1).workspace.as_mut().unwrap().size = expr(1 << 40),
            "its workspace: 1099511627776 bytes don't lie",
        ),
        (|r| step(r, 1).workspace.as_mut().unwrap().offset = 8, "don't lie at a multiple of 64 within the arena"),
        (|r| step(r, 1).outputs[1].dtype = 1, "output 1 is FP32 [], and can't be a size tensor"),
        (|r| slot(r, 0).base = 0, "differs from it in memory, type, layout or shape"),
        (|r| slot(r, 0).shape = expr(1), "differs from it in memory, type, layout or shape"),
        (|r| slot(r, 1).shape = vec![0; 18], "outputs[0]: it has 9 dimensions; at most 8 are possible"),
        (|r| step(r, 0).inputs[0].shape = vec![1, 1], "is needed before a layer gives it a value"),
        (|r| slot(r, 2).shape = expr(2), "a conversion has one input and one output of one shape"),
        (|r| slot(r, 2).base = 1, "12 bytes from 0 of constant 3 can't be written"),
        (|r| slot(r, 1).index = 1, "binding 1 has no memory at 0: there are 4"),
    ];
    for (position, (change, expected)) in changes.into_iter().enumerate() {
        let said = said(change);
        assert!(said.contains(expected), "{position}: {said}");
    }
}

#[test]
fn an_engine_is_loaded_on_a_device_of_its_kind_alone() {
    let engine = engine();
    let bytes = engine.to_bytes().unwrap();
    assert_eq!(Engine::from_bytes_on(&bytes, &Device::cpu()).unwrap().to_bytes().unwrap(), bytes);
    let path = std::env::temp_dir().join(format!("plugin-runtime-on-{}.engine", std::process::id()));
    engine.save(&path).unwrap();
    let loaded = Engine::load_on(&path, &Device::cpu()).map(|loaded| loaded.to_bytes().unwrap() == bytes);
    std::fs::remove_file(&path).unwrap();
    assert!(loaded.unwrap());
    let mut record = record(&engine);
    record.device = "cuda".into();
    let cuda = file(&record, &[engine.0.constants[0].bytes()]);
    let message = Engine::from_bytes_on(&cuda, &Device::cpu()).map(|_| ()).unwrap_err().to_string();
    let expected = "the engine can't be loaded: it was built for device `cuda`: it can't be loaded on `cpu`: load it";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn headers_and_tables_that_lie_are_refused() {
    let whole = engine().to_bytes().unwrap();
    let said = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = whole.clone();
        change(&mut file);
        let table = 64..64 + 32 * 2;
        let sums = [(24, crc32fast::hash(&file[table])), (60, 0)];
        sums.into_iter().for_each(|(at, sum)| file[at..at + 4].copy_from_slice(&sum.to_le_bytes()));
        let header = crc32fast::hash(&file[..60]);
        file[60..64].copy_from_slice(&header.to_le_bytes());
        Engine::from_bytes(&file).map(|_| ()).unwrap_err().to_string()
    };
    let put = |file: &mut Vec<u8>, at: usize, value: u64| file[at..at + 8].copy_from_slice(&value.to_le_bytes());
    type Change<'c> = &'c dyn Fn(&mut Vec<u8>);
    let cases: [(Change<'_>, &str); 8] = [
        (&|f| f[12] = 200, "can't hold the table of its 200 sections"),
        (&|f| f[15] = 0xff, "can't hold the table"),
        (&|f| f[64] = 2, "its sections aren't a graph, then constants, then images"),
        (&|f| f[64] = 9, "section 0 is of kind 9, which this program doesn't know"),
        (&|f| put(f, 72, 0), "section 0 can't lie at"),
        (&|f| put(f, 80, u64::MAX), "section 0 can't lie at 18446744073709551615 bytes from 128"),
        (&|f| put(f, 112, 11), "its last section ends at"),
        (&|f| put(f, 16, 1 << 60), "it is cut short: it has"),
    ];
    for (position, (change, expected)) in cases.into_iter().enumerate() {
        let said = said(change);
        assert!(said.contains(expected), "{position}: {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_constant_is_not_read_when_it_is_loaded() {
    const LEN: u64 = 1 << 30;
    let large = TensorRecord { name: String::new(), dtype: 8, dims: vec![LEN as i64] };
    let record = EngineRecord {
        device: "cpu".into(),
        outputs: vec![OutputRecord { name: "y".into(), dtype: 8, shape: expr(1) }],
        constants: vec![large],
        plans: vec![PlanRecord { bindings: vec![0], ..Default::default() }],
        ..Default::default()
    };
    let graph = record.encode_to_vec();
    let sizes = [(SectionKind::Graph, crc32fast::hash(&graph), graph.len() as u64), (SectionKind::Constant, 0, LEN)];
    let (mut bytes, offsets) = container::head(&sizes).unwrap();
    bytes.resize(offsets[0] as usize, 0);
    bytes.extend(graph);
    let path = std::env::temp_dir().join(format!("plugin-runtime-{}.engine", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(offsets[1] + LEN).unwrap();
    let engine = Engine::load(&path);
    std::fs::remove_file(&path).unwrap();
    let engine = engine.unwrap();
    assert_eq!(engine.0.constants[0].bytes().len() as u64, LEN);
    engine.create_context().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    let peak: u64 = peak.unwrap();
    assert!(peak < LEN >> 10, "{peak} kB were used at most");
}
