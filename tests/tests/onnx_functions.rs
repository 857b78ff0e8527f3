//! Functions in ONNX models.

use plugin_runtime::network::Network;
use plugin_runtime::network::onnx::proto::{AttributeKind, FunctionProto, GraphProto, Message, ModelProto, NodeProto};
use plugin_runtime::prelude::*;
use tests::onnx::{FLOAT, float, floats, function, int, model, node, refer, value};

fn calling(call: NodeProto, functions: Vec<FunctionProto>) -> ModelProto {
    let graph = GraphProto {
        node: vec![call],
        input: vec![value("x", FLOAT, "N")],
        output: vec![value("y", FLOAT, "?")],
        ..GraphProto::default()
    };
    ModelProto { functions, ..model(graph) }
}

fn import(model: &ModelProto) -> Result<Network> {
    Network::from_onnx_bytes(&model.encode_to_vec(), None)
}

fn refused(model: &ModelProto) -> String {
    import(model).unwrap_err().to_string()
}

fn nodes(model: &ModelProto) -> Vec<NodeProto> {
    let written = import(model).unwrap().to_onnx().unwrap();
    ModelProto::decode(written.as_slice()).unwrap().graph.unwrap().node
}

/// Scales by its attribute `by`, which is 7 where it isn't given.
fn scale_by() -> FunctionProto {
    let scale = node("test::scale", &["a"], &["b"], &[refer("factor", "by", AttributeKind::Float)]);
    let mut function = function("ScaleBy", &["a"], &["b"], vec![scale]);
    function.attribute_proto.push(float("by", 7.0));
    function
}

#[test]
fn calls_in_one_another_are_inlined_with_their_attributes() {
    let body = vec![
        node("local::ScaleBy", &["middle"], &["out"], &[]),
        node("local::ScaleBy", &["in"], &["middle"], &[refer("by", "first", AttributeKind::Float)]),
    ];
    let mut twice = function("Twice", &["in", "unused"], &["out", "in"], body);
    twice.attribute.push("first".into());
    let call = NodeProto {
        output: vec!["y".into(), "same".into()],
        ..node("local::Twice", &["x"], &["y"], &[float("first", 3.0)])
    };
    let mut model = calling(call, vec![twice, scale_by()]);
    let graph = model.graph.as_mut().unwrap();
    graph.node.push(node("test::scale", &["same"], &["z"], &[float("factor", 5.0)]));
    let found: Vec<(String, f32, Vec<String>)> = nodes(&model)
        .into_iter()
        .map(|n| (n.name, n.attribute.iter().find(|a| a.name == "factor").unwrap().f.unwrap(), n.input))
        .collect();
    let expected = [
        ("make_y/make_middle/make_b", 3.0, "x"),
        ("make_y/make_out/make_b", 7.0, "make_y/middle"),
        ("make_z", 5.0, "x"),
    ];
    assert_eq!(found, expected.map(|(name, factor, input)| (name.to_owned(), factor, vec![input.to_owned()])));
}

#[test]
fn a_plugin_goes_before_a_function_of_its_name() {
    let mut fallback = function("scale", &["a"], &["b"], vec![node("Mul", &["a"], &["b"], &[])]);
    fallback.domain = "test".into();
    let call = node("test::scale", &["x"], &["y"], &[float("factor", 2.0)]);
    assert_eq!(nodes(&calling(call, vec![fallback]))[0].name, "make_y");
}

#[test]
fn functions_that_dont_fit_their_calls_are_refused() {
    let call = |attributes: &[_]| node("local::ScaleBy", &["x"], &["y"], attributes);
    let relu = function("ScaleBy", &["a"], &["b"], vec![node("Relu", &["a"], &["b"], &[])]);
    let itself = function("ScaleBy", &["a"], &["b"], vec![node("local::ScaleBy", &["a"], &["b"], &[])]);
    let no_output = function("ScaleBy", &["a"], &["c"], vec![]);
    let outside = function("ScaleBy", &["a"], &["b"], vec![node("test::scale", &["x"], &["b"], &[])]);
    let unknown = refer("factor", "buy", AttributeKind::Float);
    let unknown = function("ScaleBy", &["a"], &["b"], vec![node("test::scale", &["a"], &["b"], &[unknown])]);
    let mut required = scale_by();
    required.attribute_proto.clear();
    required.attribute.push("by".into());
    let left_out = node("local::ScaleBy", &[""], &["y"], &[]);
    for (call, functions, expected) in [
        (call(&[]), vec![relu], "operator \"Relu\": \"make_y/make_b\""),
        (call(&[]), vec![itself], "function \"ScaleBy\" calls itself"),
        (call(&[]), vec![no_output], "function \"ScaleBy\": its output \"c\" is made by no node"),
        (call(&[]), vec![outside], "\"make_y/make_b\" (\"scale\"): its input 0, \"x\", is made by no node"),
        (call(&[]), vec![unknown], "attribute \"factor\" refers to \"buy\", which the function doesn't have"),
        (call(&[]), vec![required], "needs the attribute `factor`"),
        (call(&[]), vec![scale_by(), scale_by()], "the model has two functions \"ScaleBy\" in the domain \"local\""),
        (call(&[int("by", 1)]), vec![scale_by()], "refers to \"by\", which is given with another type"),
        (call(&[float("bye", 1.0)]), vec![scale_by()], "no attribute \"bye\"; did you mean `by`?"),
        (left_out, vec![scale_by()], "its input 0, `x`, is left out"),
        (node("local::ScaleBy", &["x", "x"], &["y"], &[]), vec![scale_by()], "2 inputs are given"),
        (node("local::ScaleBy", &["x"], &["y", "z"], &[]), vec![scale_by()], "2 outputs are given"),
        (
            node("test::scale", &["x"], &["y"], &[refer("factor", "by", AttributeKind::Float)]),
            vec![],
            "attribute \"factor\" refers to \"by\", but it isn't in a function",
        ),
    ] {
        let message = refused(&calling(call, functions));
        assert!(message.contains(expected), "{expected} isn't in {message}");
    }
}

/// Each function calls the next one `width` times, in a chain.
fn tower(height: usize, width: usize, last: NodeProto) -> ModelProto {
    let chain = |to: usize| {
        let step = |i: usize| {
            let (from, into) = (format!("v{i}"), if i + 1 == width { "b".into() } else { format!("v{}", i + 1) });
            let from = if i == 0 { "a" } else { from.as_str() };
            node(&format!("local::F{to}"), &[from], &[&into], &[])
        };
        (0..width).map(step).collect()
    };
    let mut functions: Vec<FunctionProto> =
        (0..height - 1).map(|level| function(&format!("F{level}"), &["a"], &["b"], chain(level + 1))).collect();
    functions.push(function(&format!("F{}", height - 1), &["a"], &["b"], vec![last]));
    calling(node("local::F0", &["x"], &["y"], &[]), functions)
}

#[test]
fn small_models_that_inline_to_large_ones_are_refused() {
    let scale = || node("test::scale", &["a"], &["b"], &[float("factor", 1.0)]);
    assert_eq!(nodes(&tower(5, 3, scale())).len(), 81);
    assert!(import(&tower(32, 1, scale())).is_ok());
    let message = refused(&tower(33, 1, scale()));
    assert!(message.contains("more than 32 calls in one another"), "{message}");
    for (width, height) in [(2, 30), (50, 10)] {
        let message = refused(&tower(height, width, scale()));
        assert!(message.contains("called so often") && message.matches("node ").count() == 1, "{message}");
    }
    let long = tests::onnx::text("long", &"x".repeat(1 << 20));
    let message = refused(&tower(5, 5, node("test::scale", &["a"], &["b"], &[long])));
    assert!(message.contains("called so often"), "{message}");
}

#[test]
fn constants_in_functions_are_one_however_often_these_are_called() {
    let big = tests::onnx::tensor("value", floats("", &[1 << 18], &vec![1.0; 1 << 18]));
    let constant = node("Constant", &[], &["c"], &[big]);
    let scale = node("test::scale", &["c"], &["b"], &[float("factor", 1.0)]);
    let uses = function("Uses", &["a"], &["b"], vec![constant, scale]);
    let mut model = calling(node("local::Uses", &["x"], &["y"], &[]), vec![uses]);
    let graph = model.graph.as_mut().unwrap();
    for i in 0..999 {
        graph.node.push(node("local::Uses", &["x"], &[&format!("y{i}")], &[]));
    }
    let network = import(&model).unwrap();
    let graph = ModelProto::decode(network.to_onnx().unwrap().as_slice()).unwrap().graph.unwrap();
    assert_eq!((graph.initializer.len(), graph.node.len()), (1, 1000));
}
