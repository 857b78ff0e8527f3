//! Networks from ONNX models, and back.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::network::onnx::proto::{GraphProto, Message, ModelProto};
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use tests::onnx::{FLOAT, everything, float, floats, int, model, node, text, value};
use tests::tensor;

/// Takes single attributes of every type.
#[register("onnx::single")]
fn single(x: &TensorDesc, a: i32, b: i64, c: f32, d: f64, e: bool, f: &str) -> TensorDesc {
    x.like()
}

/// Takes lists of every type of integer.
#[register("onnx::whole")]
fn whole(
    x: &TensorDesc,
    g: &[u8],
    h: &[i8],
    i: &[i16],
    j: &[i32],
    k: &[i64],
    #[default([true])] p: &[bool],
) -> TensorDesc {
    x.like()
}

/// Takes lists of every type of float.
#[register("onnx::broken")]
fn broken(x: &TensorDesc, l: &[f16], m: &[bf16], n: &[f32], o: &[f64]) -> TensorDesc {
    x.like()
}

/// Copies; has an impl and kernels made ahead of time.
#[register("onnx::ahead")]
fn ahead(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("onnx::ahead", device = cpu)]
fn ahead_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.copy_from_slice(x.as_slice()?);
    Ok(())
}

#[aot_impl("onnx::ahead")]
fn ahead_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("copy", [])
}

fn import(model: &ModelProto) -> Result<Network> {
    Network::from_onnx_bytes(&model.encode_to_vec(), None)
}

fn refused(model: &ModelProto) -> String {
    import(model).unwrap_err().to_string()
}

fn run(network: &Network, x: &[f32]) -> Vec<(String, HostTensor)> {
    let n = x.len() as i64;
    let profile = Profile::new().dims("x", [1], [n], [2 * n]);
    let engine = Builder::new(Device::cpu()).profile(profile).build(network).unwrap();
    engine.create_context().unwrap().run(&[("x", &tensor(x, &[n]))]).unwrap()
}

fn assert_everything_runs(network: &Network) {
    let outputs = run(network, &[-12.0, 0.3, -10.0, 5.5]);
    let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["rounded", "count", "scaled_c", "same_w"]);
    assert_eq!(outputs[0].1.as_slice::<i32>().unwrap(), [20, 31, 20, 31]);
    assert_eq!(outputs[1].1.as_slice::<i64>().unwrap(), [4]);
    assert_eq!(outputs[2].1.as_slice::<f32>().unwrap(), [-1.0, 2.0, -4.0]);
    assert_eq!(outputs[3].1.as_slice::<f32>().unwrap(), [0.5, 1.0, 1.5, 2.0]);
}

#[test]
fn a_model_with_everything_runs() {
    assert_everything_runs(&import(&everything()).unwrap());
}

#[test]
fn a_network_survives_being_written_and_read() {
    let network = import(&everything()).unwrap();
    let written = network.to_onnx().unwrap();
    let read = Network::from_onnx_bytes(&written, None).unwrap();
    assert_everything_runs(&read);
    assert_eq!(read.to_onnx().unwrap(), written);
}

#[test]
fn attributes_of_every_type_survive_being_written_and_read() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float16, [-1]).unwrap();
    let [y] = network.add_plugin(single::op(x, -7, 1 << 40, 0.1, 0.1, true, "a\n\"b")).unwrap();
    let op = whole::op(y, &[0, 255], &[-128], &[-300, 300], &[], &[i64::MIN]);
    let [y] = network.add_named_plugin("whole", op.p(&[true, false])).unwrap();
    let op = broken::op(y, &[f16::from_f32(0.1)], &[bf16::from_f32(3.0)], &[1e-40], &[1e300, 2.0]);
    let [y] = network.add_plugin(op).unwrap();
    let bits = network.add_constant("bits", HostTensor::from_bytes(DataType::Int4, &[0x21, 3], &[3]).unwrap()).unwrap();
    let wide = network.cast(bits, DataType::Int8).unwrap();
    for (tensor, name) in [(y, "y"), (y, "again"), (x, "same"), (bits, "bits out"), (wide, "wide")] {
        network.mark_output(tensor, name).unwrap();
    }
    let written = network.to_onnx().unwrap();
    let read = Network::from_onnx_bytes(&written, None).unwrap();
    assert_eq!(read.to_onnx().unwrap(), written);

    let graph = ModelProto::decode(written.as_slice()).unwrap().graph.unwrap();
    let values = |node: usize, name: &str| graph.node[node].attribute.iter().find(|a| a.name == name).unwrap().clone();
    assert_eq!(values(1, "i").ints, [-300, 300]);
    assert_eq!(values(0, "c").f, Some(0.1));
    assert_eq!(values(0, "d").t.unwrap().raw_data.unwrap(), 0.1f64.to_le_bytes().to_vec());
    assert_eq!(values(0, "plugin_version").s.unwrap(), b"1".to_vec());
    let dims = |v: usize| graph.output[v].r#type.as_ref().unwrap().tensor_type.clone().unwrap().shape.unwrap().dim;
    assert_eq!(dims(0)[0].dim_param.as_deref(), Some("x.d0"));
    assert_eq!(dims(4)[0].dim_value, Some(3));
}

#[test]
fn casts_convert_and_leave_their_source_alone() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let whole = network.cast(x, DataType::Int32).unwrap();
    let again = network.cast(whole, DataType::Float32).unwrap();
    let truth = network.cast(x, DataType::Bool).unwrap();
    let [moved] = network.add_plugin(tests::plugins::add_in_place::op(again, 0.5)).unwrap();
    assert_eq!(network.cast(moved, DataType::Float32).unwrap(), moved);
    for (tensor, name) in [(whole, "whole"), (again, "again"), (truth, "truth"), (moved, "moved")] {
        network.mark_output(tensor, name).unwrap();
    }
    let outputs = run(&network, &[-1.75, 0.0, 0.25, 1e12]);
    assert_eq!(outputs[0].1.as_slice::<i32>().unwrap(), [-1, 0, 0, i32::MAX]);
    assert_eq!(outputs[1].1.as_slice::<f32>().unwrap(), [-1.0, 0.0, 0.0, 2147483648.0]);
    assert_eq!(outputs[2].1.bytes(), [1, 0, 1, 1]);
    assert_eq!(outputs[3].1.as_slice::<f32>().unwrap(), [-0.5, 0.5, 0.5, 2147483648.0]);
}

#[test]
fn what_is_both_input_and_initializer_is_a_constant() {
    let graph = GraphProto {
        node: vec![node("test::scale", &["x"], &["y"], &[float("factor", 3.0)])],
        input: vec![value("x", FLOAT, "2"), value("unused", FLOAT, "N")],
        initializer: vec![floats("x", &[2], &[1.0, 2.0])],
        output: vec![value("y", FLOAT, "2"), value("c", FLOAT, "2")],
        ..GraphProto::default()
    };
    let mut model = model(graph);
    let c = tests::onnx::tensor("value", floats("", &[2], &[5.0, 6.0]));
    model.graph.as_mut().unwrap().node.push(node("Constant", &[], &["c"], &[c]));
    let network = import(&model).unwrap();
    let profile = Profile::new().dims("unused", [1], [1], [1]);
    let engine = Builder::new(Device::cpu()).profile(profile).build(&network).unwrap();
    assert_eq!(engine.inputs().map(|(name, _)| name).collect::<Vec<_>>(), ["unused"]);
    let outputs = engine.create_context().unwrap().run(&[("unused", &tensor(&[0.0], &[1]))]).unwrap();
    assert_eq!(outputs[0].1.as_slice::<f32>().unwrap(), [3.0, 6.0]);
    assert_eq!(outputs[1].1.as_slice::<f32>().unwrap(), [5.0, 6.0]);
}

/// y = 2 * x, with more said of the node.
fn scaled(change: impl FnOnce(&mut GraphProto)) -> ModelProto {
    let mut graph = GraphProto {
        node: vec![node("test::scale", &["x"], &["y"], &[float("factor", 2.0)])],
        input: vec![value("x", FLOAT, "N,4")],
        output: vec![value("y", FLOAT, "N,4")],
        ..GraphProto::default()
    };
    change(&mut graph);
    model(graph)
}

#[test]
fn which_plugin_a_node_is() {
    for attribute in [int("plugin_version", 1), text("plugin_version", "1"), text("plugin_namespace", "test")] {
        assert!(import(&scaled(|g| g.node[0].attribute.push(attribute))).is_ok());
    }
    for (attribute, expected) in [
        (int("plugin_version", 3), "plugin `test::scale` is linked at version 1, not 3"),
        (text("plugin_version", "one"), "attribute `plugin_version`: a version number is expected"),
        (int("plugin_version", -1), "a version number is expected"),
        (
            text("plugin_namespace", "tset"),
            "\"tset::scale\", which isn't linked; did you mean `test::scale` or `gpu::scale`?",
        ),
        (int("plugin_namespace", 1), "attribute `plugin_namespace`: it is INT; STRING is expected"),
        (int("aot", 1), "it insists on ahead-of-time kernels (`aot` = 1), but `test::scale` has none"),
        (int("aot", 2), "attribute `aot`: 0 or 1 is expected"),
        (int("aot_preferred", 1), "attribute `aot_preferred`: it says nothing without the attribute `aot`"),
        (int("factr", 2), "plugin `test::scale v1` has no attribute \"factr\"; did you mean `factor`?"),
        (int("factor", 2), "it has two attributes \"factor\""),
    ] {
        let message = refused(&scaled(|g| g.node[0].attribute.push(attribute)));
        assert!(message.contains(expected) && message.contains("make_y"), "{expected} isn't in {message}");
    }
    assert!(import(&scaled(|g| g.node[0].attribute.push(int("aot", 0)))).is_ok());
    let message = refused(&scaled(|g| g.node[0].attribute.clear()));
    assert_eq!(message, "node \"make_y\" (\"scale\"): plugin `test::scale v1` needs the attribute `factor` (f32)");
    let message = refused(&scaled(|g| g.node[0].attribute[0] = text("factor", "2")));
    assert!(message.contains("attribute `factor`: it is a string; `f32` takes FLOAT, or an INT"), "{message}");
}

#[test]
fn a_node_says_whether_it_insists_on_kernels_made_ahead_of_time() {
    for (aot, preferred, builds) in [
        (None, None, true),
        (Some(0), None, true),
        (Some(1), None, false),
        (Some(0), Some(1), true),
        (Some(1), Some(1), true),
    ] {
        let aot_attribute = aot.map(|aot| int("aot", aot));
        let attributes: Vec<_> = aot_attribute.into_iter().chain(preferred.map(|p| int("aot_preferred", p))).collect();
        let network = import(&scaled(|g| g.node[0] = node("onnx::ahead", &["x"], &["y"], &attributes))).unwrap();
        let written = ModelProto::decode(network.to_onnx().unwrap().as_slice()).unwrap().graph.unwrap();
        let said = |name: &str| written.node[0].attribute.iter().find(|a| a.name == name).and_then(|a| a.i);
        assert_eq!((said("aot"), said("aot_preferred")), (aot, preferred));
        let profile = Profile::new().dims("x", [1, 4], [2, 4], [3, 4]);
        let built = Builder::new(Device::cpu()).profile(profile).build(&network);
        assert_eq!(built.is_ok(), builds);
        if let Err(error) = built {
            let message = error.to_string();
            let expected = "it insists on ahead-of-time kernels (`require_aot`, in ONNX `aot` = 1), but device `cpu` runs \
                            impls only: write `prefer_aot`";
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[test]
fn everything_that_cant_run_here_is_named_at_once() {
    let message = refused(&scaled(|g| {
        g.node.push(node("Relu", &["y"], &["a"], &[]));
        g.node.push(node("ai.onnx::Relu", &["a"], &["b"], &[]));
        g.node.push(node("If", &["b"], &["c\u{1b}"], &[]));
        g.node.push(node("com.microsoft::Gelu", &["b"], &["d"], &[]));
        g.node.push(node("test::scall", &["b"], &["e"], &[]));
        g.node[3].output[0] = "c".into();
        g.node[3].name.clear();
    }));
    let (nodes, advice) = message.split_once("\n").unwrap();
    assert_eq!(nodes, "5 nodes can't be run here:");
    let lines: Vec<&str> = advice.lines().collect();
    assert_eq!(lines[0], "  operator \"Relu\": \"make_a\", \"make_b\"");
    assert_eq!(lines[1], "  operator \"If\": \"If_3\"");
    assert_eq!(lines[2], "  \"com.microsoft::Gelu\", which isn't linked: \"make_d\"");
    assert_eq!(lines[3], "  \"test::scall\", which isn't linked; did you mean `test::scale`?: \"make_e\"");
    assert!(lines[4].contains("add `use the_crate as _;`"), "{message}");
    assert!(lines[5].contains("A full model runs in a host engine"), "{message}");
    assert_eq!(lines.len(), 6);
}

#[test]
fn graphs_that_contradict_themselves_are_refused() {
    type Change = fn(&mut GraphProto);
    let cases: [(Change, &str); 27] = [
        (|g| g.node[0].input[0] = "why".into(), "its input 0, \"why\", is made by no node and is no input"),
        (|g| g.node[0].input[0] = String::new(), "its input 0, `x`, is left out, but plugins need every input"),
        (|g| g.node[0].input.push("x".into()), "2 inputs were given, but it takes 1: x"),
        (|g| g.node[0].output.push("z".into()), "it has 2 outputs, but plugin `test::scale` has 1"),
        (|g| g.node[0].input[0] = "y".into(), "node \"make_y\" needs its own output"),
        (
            |g| {
                g.node.push(node("test::scale", &["y"], &["z"], &[float("factor", 1.0)]));
                g.node[0].input[0] = "z".into();
            },
            "these nodes need each other's outputs in a circle: \"make_z\", \"make_y\"",
        ),
        (
            |g| g.node.push(node("test::scale", &["x"], &["y"], &[])),
            "node \"make_y\" (\"scale\") makes the value \"y\", which node \"make_y\" (\"scale\") already is or makes",
        ),
        (|g| g.node[0].output[0] = "x".into(), "makes the value \"x\", which an input already is"),
        (
            |g| {
                g.node.push(node("test::scale", &["x"], &["z"], &[float("factor", 1.0)]));
                g.node[1].name = "make_y".into();
            },
            "two nodes are named \"make_y\"",
        ),
        (|g| g.input.push(value("x", FLOAT, "N")), "two inputs named \"x\""),
        (|g| g.initializer = vec![floats("w", &[0], &[]), floats("w", &[0], &[])], "two initializers named \"w\""),
        (|g| g.output.push(value("y", FLOAT, "N,4")), "graph output \"y\": the network has another"),
        (|g| g.output.push(value("z", FLOAT, "N,4")), "graph output \"z\": no node makes it"),
        (|g| g.output.push(value("x", FLOAT, "N,4")), "graph output \"x\": it is an input too"),
        (|g| g.output.clear(), "its graph has no output"),
        (
            |g| g.output[0] = value("y", INT64, "N,4"),
            "\"y\", made by node \"make_y\" (\"scale\"): it is FLOAT, but the",
        ),
        (|g| g.output[0] = value("y", FLOAT, "N,5"), "it has the shape [N, 4], but the model declares [N, 5]"),
        (|g| g.value_info = vec![value("y", FLOAT, "N")], "it has the shape [N, 4], but the model declares [N]"),
        (|g| g.value_info = vec![value("y", FLOAT, "N,-4")], "dimension 1 is -4"),
        (|g| g.input[0] = value("x", FLOAT, "-3,4"), "graph input \"x\": dimension 0 is -3; a dynamic one has a name"),
        (|g| g.input[0] = value("x", 11, "N,4"), "graph input \"x\": DOUBLE isn't supported"),
        (|g| g.input[0] = value("x", FLOAT, "1,1,1,1,1,1,1,1,1"), "it has 9 dimensions"),
        (|g| g.input[0].r#type = None, "graph input \"x\": it has no type"),
        (|g| g.input[0].r#type = Some(Default::default()), "its type isn't a tensor's"),
        (|g| g.input[0] = value("x", FLOAT, "a\nb"), "dimension 0: the name \"a\\nb\" holds the control character"),
        (|g| g.node[0].name = "a\nb".into(), "the name \"a\\nb\" holds the control character '\\n'"),
        (|g| g.sparse_initializer = vec![vec![].into()], "sparse initializers"),
    ];
    for (change, expected) in cases {
        let message = refused(&scaled(change));
        assert!(message.contains(expected), "{expected} isn't in {message}");
    }
}

const INT64: i32 = tests::onnx::INT64;

#[test]
fn the_few_operators_understood_are_checked() {
    for (bad, expected) in [
        (node("Cast", &["y"], &["z"], &[]), "its attribute `to`, the element type, is missing"),
        (node("Cast", &["y"], &["z"], &[int("to", 11)]), "attribute `to`: DOUBLE isn't supported"),
        (node("Cast", &["y"], &["z"], &[int("to", 1 << 40)]), "which ONNX doesn't define"),
        (node("Cast", &["y"], &["z"], &[int("to", 17), int("saturate", 0)]), "`saturate` is 1"),
        (node("Identity", &["y", "x"], &["z"], &[]), "it has 2 inputs; one is expected"),
        (node("Identity", &[""], &["z"], &[]), "its input is left out"),
        (node("Identity", &["y"], &[], &[]), "it has to have one output"),
        (node("Constant", &[], &["z"], &[]), "it has 0 attributes; one is expected, of: value, value_int"),
        (node("Constant", &[], &["z"], &[text("value_string", "s")]), "\"value_string\": it isn't supported"),
        (node("Constant", &[], &["z"], &[int("value", 1)]), "\"value\": it is INT, which doesn't fit it"),
        (
            node("Constant", &[], &["z"], &[tests::onnx::tensor("value", floats("", &[9], &[1.0]))]),
            "attribute \"value\": FP32 [9] takes 36 bytes, but 4 were given",
        ),
    ] {
        let message = refused(&scaled(|g| g.node.push(bad)));
        assert!(message.contains(expected), "{expected} isn't in {message}");
    }
}

#[test]
fn what_isnt_a_model_is_refused() {
    let whole = everything().encode_to_vec();
    let message = |bytes: &[u8]| Network::from_onnx_bytes(bytes, None).unwrap_err().to_string();
    assert_eq!(message(&[]), "it has no graph: this isn't an ONNX model");
    assert!(message(b"#!/bin/sh\nexit 1\n").starts_with("it isn't an ONNX model, or a damaged one: "));
    assert!(message(&whole[..whole.len() - 1]).starts_with("it isn't an ONNX model, or a damaged one: "));
    let nowhere = Network::from_onnx("no/such/model.onnx").unwrap_err().to_string();
    assert!(nowhere.starts_with("no/such/model.onnx: it can't be read: "), "{nowhere}");
    let folder = Network::from_onnx(".").unwrap_err().to_string();
    assert!(folder.starts_with(".: it can't be read: "), "{folder}");
    let damaged = |bytes: &[u8]| assert!(message(bytes).contains("damaged"), "{}", message(bytes));
    damaged(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0x07]); // A graph of 2 GiB.
    damaged(&[0x93, 0x03].repeat(100_000)); // Groups of an unknown field in one another.
    damaged(&[0x3a, 0x03, 0x12, 0x01, 0xff]); // A graph whose name isn't UTF-8.
}

#[test]
fn ten_thousand_nodes_in_reverse_are_put_in_order() {
    let count = 10_000;
    let name = |i: usize| format!("v{i}");
    let add = |i: usize| node("test::scale", &[&name(i)], &[&name(i + 1)], &[float("factor", 1.0)]);
    let graph = GraphProto {
        node: (0..count).rev().map(add).collect(),
        input: vec![value("v0", FLOAT, "N")],
        output: vec![value(&name(count), FLOAT, "N")],
        ..GraphProto::default()
    };
    let network = import(&model(graph)).unwrap();
    let graph = ModelProto::decode(network.to_onnx().unwrap().as_slice()).unwrap().graph.unwrap();
    assert_eq!(graph.node.len(), count);
    assert!(graph.node.iter().enumerate().all(|(i, node)| node.name == format!("make_v{}", i + 1)));
}
