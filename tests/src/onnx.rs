//! ONNX models made by hand, and one that has a bit of everything.

use plugin_runtime::network::onnx::proto::{
    AttributeKind, AttributeProto, DimensionProto, FunctionProto, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};

/// ONNX's number for FP32.
pub const FLOAT: i32 = 1;
/// ONNX's number for INT32.
pub const INT32: i32 = 6;
/// ONNX's number for INT64.
pub const INT64: i32 = 7;

/// A tensor's name and type. `"2,N,?"` has three dimensions: a fixed, a named and an unnamed one.
pub fn value(name: &str, elem_type: i32, dims: &str) -> ValueInfoProto {
    let dim = |text: &str| DimensionProto {
        dim_value: text.parse().ok(),
        dim_param: (text != "?" && text.parse::<i64>().is_err()).then(|| text.into()),
    };
    let dim = dims.split(',').filter(|d| !d.is_empty()).map(dim).collect();
    let tensor_type = TensorTypeProto { elem_type: Some(elem_type), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

/// A node of `namespace::op`, or of one of ONNX's own operators, that is named after its first output.
pub fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[AttributeProto]) -> NodeProto {
    let (domain, op_type) = op.split_once("::").unwrap_or(("", op));
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    NodeProto {
        input: names(inputs),
        output: names(outputs),
        name: outputs.first().map(|name| format!("make_{name}")).unwrap_or_default(),
        op_type: op_type.into(),
        domain: domain.into(),
        attribute: attributes.to_vec(),
        ..NodeProto::default()
    }
}

/// An attribute without a value yet.
pub fn attribute(name: &str, kind: AttributeKind) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: kind as i32, ..AttributeProto::default() }
}

/// An INT.
pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { i: Some(i), ..attribute(name, AttributeKind::Int) }
}

/// A FLOAT.
pub fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { f: Some(f), ..attribute(name, AttributeKind::Float) }
}

/// A STRING.
pub fn text(name: &str, s: &str) -> AttributeProto {
    AttributeProto { s: Some(s.as_bytes().to_vec().into()), ..attribute(name, AttributeKind::Text) }
}

/// INTS.
pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { ints: ints.to_vec(), ..attribute(name, AttributeKind::Ints) }
}

/// A TENSOR.
pub fn tensor(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto { t: Some(Box::new(tensor)), ..attribute(name, AttributeKind::Tensor) }
}

/// In a function: an attribute with the value of one of the function's.
pub fn refer(name: &str, to: &str, kind: AttributeKind) -> AttributeProto {
    AttributeProto { ref_attr_name: to.into(), ..attribute(name, kind) }
}

/// A tensor of FLOAT, its data raw.
pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let (name, dims, data_type) = (name.into(), dims.to_vec(), Some(FLOAT));
    TensorProto { name, dims, data_type, raw_data: Some(raw.into()), ..TensorProto::default() }
}

/// A tensor of FLOAT, its data in a file.
pub fn external(name: &str, dims: &[i64], entries: &[(&str, &str)]) -> TensorProto {
    let entry = |(key, value): &(&str, &str)| StringStringEntryProto { key: (*key).into(), value: (*value).into() };
    TensorProto {
        data_location: Some(1),
        external_data: entries.iter().map(entry).collect(),
        raw_data: None,
        ..floats(name, dims, &[])
    }
}

/// A function in the domain `local`.
pub fn function(name: &str, inputs: &[&str], outputs: &[&str], node: Vec<NodeProto>) -> FunctionProto {
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    let (input, output, name) = (names(inputs), names(outputs), name.into());
    FunctionProto { name, input, output, node, domain: "local".into(), ..FunctionProto::default() }
}

/// A whole model.
pub fn model(graph: GraphProto) -> ModelProto {
    let opset = |domain: &str| OperatorSetIdProto { domain: Some(domain.into()), version: Some(1) };
    ModelProto {
        ir_version: Some(10),
        opset_import: ["", "test", "sample", "local"].map(opset).to_vec(),
        graph: Some(GraphProto { name: Some("graph".into()), ..graph }),
        ..ModelProto::default()
    }
}

/// One with a bit of everything: plugins by domain and by attribute, a size tensor, symbolic dimensions, an initializer,
/// Constant, Identity and Cast nodes, a function with attributes, declared types, nodes that aren't in order.
pub fn everything() -> ModelProto {
    let by_attribute = NodeProto { domain: String::new(), ..node("test::scale", &["w"], &["scaled_w"], &[]) };
    let reserved = [text("plugin_namespace", "test"), text("plugin_version", "1"), float("factor", 0.5)];
    let constant = floats("", &[3], &[1.0, -2.0, 4.0]);
    let body = vec![
        node("test::scale", &["shifted"], &["y"], &[refer("factor", "by", AttributeKind::Float)]),
        node("test::add_in_place", &["x"], &["shifted"], &[refer("delta", "shift", AttributeKind::Float)]),
    ];
    let mut shift_and_scale = function("ShiftAndScale", &["x"], &["y"], body);
    shift_and_scale.attribute = vec!["by".into()];
    shift_and_scale.attribute_proto = vec![float("shift", 10.0)];
    let graph = GraphProto {
        node: vec![
            node("Cast", &["kept"], &["rounded"], &[int("to", INT32.into())]),
            node("test::keep_positive", &["both"], &["kept", "count"], &[]),
            node("test::twice", &["moved"], &["both"], &[]),
            node("local::ShiftAndScale", &["x"], &["moved"], &[float("by", 2.0)]),
            node("Constant", &[], &["c"], &[tensor("value", constant)]),
            node("test::scale", &["c"], &["scaled_c"], &[float("factor", -1.0)]),
            NodeProto { attribute: reserved.to_vec(), ..by_attribute },
            node("Identity", &["scaled_w"], &["same_w"], &[]),
        ],
        initializer: vec![floats("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0])],
        input: vec![value("x", FLOAT, "N")],
        output: vec![
            value("rounded", INT32, "?"),
            value("count", INT64, ""),
            value("scaled_c", FLOAT, "3"),
            value("same_w", FLOAT, "2,2"),
        ],
        value_info: vec![value("both", FLOAT, "M")],
        ..GraphProto::default()
    };
    ModelProto { functions: vec![shift_and_scale], ..model(graph) }
}
