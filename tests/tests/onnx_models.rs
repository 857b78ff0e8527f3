//! Models as exporters write them: names of their own, values left out, integers for floats, extents of -1.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::network::onnx::proto::{AttributeKind, AttributeProto, GraphProto, Message, ModelProto, NodeProto};
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use tests::onnx::{FLOAT, attribute, float, int, model, node, text, value};
use tests::tensor;

/// Every element times `factor`, plus `axis`, so that both can be seen.
#[register("case::Scale", onnx = ["com.example::Scale", "com.example.v2::Rescale", "ai.onnx::Scale"])]
fn scale(x: &TensorDesc, #[default(1.0)] factor: f32, #[default(0)] axis: i64) -> TensorDesc {
    x.like()
}

#[impl_plugin("case::Scale", device = cpu)]
fn scale_cpu(x: Tensor, factor: f32, axis: i64, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    for (y, x) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?) {
        *y = x * factor + axis as f32;
    }
    Ok(())
}

mod second {
    use plugin_runtime::prelude::*;

    /// The only version that other makers' models find.
    #[register("case::Double", version = 2, onnx = "com.example::Double")]
    fn double(x: &TensorDesc) -> TensorDesc {
        x.like()
    }

    #[impl_plugin("case::Double", device = cpu, plugin = Double)]
    fn double_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
        let [y] = outputs;
        for (y, x) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?) {
            *y = 2.0 * x;
        }
        Ok(())
    }
}

/// Has no name of its own in ONNX.
#[register("case::plain")]
fn plain(x: &TensorDesc) -> TensorDesc {
    x.like()
}

/// `Y = op(X)`
fn with(extents: &str, op: &str, attributes: &[AttributeProto]) -> ModelProto {
    model(GraphProto {
        node: vec![NodeProto { name: "scale".into(), ..node(op, &["X"], &["Y"], attributes) }],
        input: vec![value("X", FLOAT, extents)],
        output: vec![value("Y", FLOAT, extents)],
        ..GraphProto::default()
    })
}

fn import(model: &ModelProto) -> Result<Network> {
    Network::from_onnx_bytes(&model.encode_to_vec(), None)
}

/// What a network makes of 1, 2, 3, 4.
fn run(network: &Network, profile: Profile) -> Vec<f32> {
    let engine = Builder::new(Device::cpu()).profile(profile).build(network).unwrap();
    let outputs = engine.create_context().unwrap().run(&[("X", &tensor(&[1.0, 2.0, 3.0, 4.0], &[4]))]).unwrap();
    outputs[0].1.as_slice::<f32>().unwrap().to_vec()
}

fn imported(op: &str, attributes: &[AttributeProto]) -> Vec<f32> {
    run(&import(&with("4", op, attributes)).unwrap(), Profile::new())
}

fn refused(op: &str, attributes: &[AttributeProto]) -> String {
    import(&with("4", op, attributes)).unwrap_err().to_string()
}

#[test]
fn a_plugin_is_found_by_the_domains_and_operators_that_it_names() {
    for op in ["case::Scale", "com.example::Scale", "com.example.v2::Rescale", "ai.onnx::Scale", "Scale"] {
        assert_eq!(imported(op, &[float("factor", 2.0)]), [2.0, 4.0, 6.0, 8.0], "{op}");
    }
    let in_namespace = [float("factor", 2.0), text("plugin_namespace", "com.example")];
    assert_eq!(imported("other::Scale", &in_namespace), [2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn the_only_version_of_such_a_name_needs_no_version() {
    assert_eq!(imported("com.example::Double", &[]), [2.0, 4.0, 6.0, 8.0]);
    assert_eq!(imported("com.example::Double", &[int("plugin_version", 2)]), [2.0, 4.0, 6.0, 8.0]);
    let message = refused("com.example::Double", &[int("plugin_version", 1)]);
    let expected = "plugin `case::Double` (here \"com.example::Double\") is linked at version 2, not 1";
    assert!(message.ends_with(expected), "{message}");
    let message = refused("case::Double", &[]);
    let expected = "is linked at version 2, not 1; without the attribute `plugin_version`, 1 is meant";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn a_model_is_written_with_the_plugins_id() {
    let network = import(&with("4", "com.example::Scale", &[float("factor", 2.0)])).unwrap();
    let written = network.to_onnx().unwrap();
    let node = &ModelProto::decode(written.as_slice()).unwrap().graph.unwrap().node[0];
    assert_eq!((node.domain.as_str(), node.op_type.as_str()), ("case", "Scale"));
    assert_eq!(run(&Network::from_onnx_bytes(&written, None).unwrap(), Profile::new()), [2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn a_node_that_names_no_namespace_is_told_of_the_plugin_it_may_mean() {
    let unnamed = [text("plugin_version", "1"), text("plugin_namespace", "")];
    for (op, attributes, expected) in [
        (
            "plain",
            &unnamed[..],
            "operator \"plain\"; the plugin `case::plain` is linked: give the node the domain \"case\", or the attribute \
             `plugin_namespace` = \"case\", or write #[register(\"case::plain\", onnx = \"ai.onnx::plain\")]: \"scale\"",
        ),
        (
            "Plain",
            &[],
            "or the attribute `plugin_namespace` = \"case\" and the operator \"plain\", or write #[register(",
        ),
        (
            "org.elsewhere.ops::plain",
            &[],
            "\"org.elsewhere.ops::plain\", which isn't linked; the plugin `case::plain` is linked: give the node the domain \
             \"case\", or the attribute `plugin_namespace` = \"case\", or write #[register(\"case::plain\", onnx = \
             \"org.elsewhere.ops::plain\")]: \"scale\"",
        ),
        ("com.example::Scala", &[], "which isn't linked; did you mean `com.example::Scale`"),
    ] {
        let message = refused(op, attributes);
        assert!(message.contains(expected), "{expected} isn't in {message}");
        assert!(!message.contains("Only plugins, Identity"), "{message}");
    }
    assert!(refused("Relu", &[]).contains("Only plugins, Identity"));
}

#[test]
fn a_zero_that_a_writer_left_out_is_zero() {
    let factor = attribute("factor", AttributeKind::Float);
    assert_eq!(imported("case::Scale", &[attribute("axis", AttributeKind::Int)]), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(imported("case::Scale", &[factor]), [0.0; 4]);
    assert_eq!(imported("case::Scale", &[attribute("plugin_namespace", AttributeKind::Text)]), [1.0, 2.0, 3.0, 4.0]);
    let impl_only = imported("case::Scale", &[attribute("aot", AttributeKind::Int)]);
    assert_eq!(impl_only, [1.0, 2.0, 3.0, 4.0]);
    let contradicted = AttributeProto { f: Some(1.0), ..attribute("axis", AttributeKind::Int) };
    let message = refused("case::Scale", &[contradicted]);
    assert!(message.ends_with("attribute `axis`: it is marked INT, but holds a FLOAT"), "{message}");
}

#[test]
fn an_integer_is_a_float_where_that_is_exact() {
    assert_eq!(imported("case::Scale", &[int("factor", 2)]), [2.0, 4.0, 6.0, 8.0]);
    let message = refused("case::Scale", &[int("factor", (1 << 24) + 1)]);
    let expected = "attribute `factor`: it is the integer 16777217, which f32 doesn't hold exactly";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn an_extent_of_minus_one_is_dynamic() {
    let network = import(&with("-1", "case::Scale", &[float("factor", 2.0)])).unwrap();
    let profile = Profile::new().dims("X", [1], [4], [8]);
    assert_eq!(run(&network, profile), [2.0, 4.0, 6.0, 8.0]);
    let message = import(&with("-2", "case::Scale", &[])).unwrap_err().to_string();
    assert!(
        message.contains("dimension 0 is -2; a dynamic one has a name (dim_param), or is -1 or left out"),
        "{message}"
    );
}
