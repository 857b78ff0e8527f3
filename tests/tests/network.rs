//! What a network refuses, and how it says so.

use plugin_runtime::network::Network;
use plugin_runtime::plugin::AttributeValue;
use plugin_runtime::prelude::*;
use tests::plugins::{keep_positive, scale};

/// Every mistake that a shape function can make, one a case.
#[register("network::mistakes")]
fn mistakes(x: &TensorDesc, y: &TensorDesc, case: &str) -> Result<(TensorDesc, TensorDesc)> {
    let n = x.shape_expr(0);
    let own = size_tensor(n.clone(), n.clone());
    let of = |dim: ShapeExpr| TensorDesc::from_shape_expr([dim], DataType::Float32);
    let first = match case {
        "no size tensor" => of(own.expr()),
        "arithmetic on a size tensor" => of(own.expr() * 2),
        "rank" => of(x.shape_expr(5)),
        "negative" => of(3 - ShapeExpr::constant(5)),
        "overflow" => of(ShapeExpr::constant(i64::MAX) * 2 + n),
        "division" => of(n / 0),
        "nine dimensions" => TensorDesc::from_shape_expr([1; 9], DataType::Float32),
        "alias changed" => x.aliased().with_dtype(DataType::Float16),
        "alias resized" => {
            let mut out = x.aliased();
            *out.shape_expr_mut(0)? += 2;
            out
        }
        "alias twice" => return Ok((y.aliased(), y.aliased())),
        "refusal" => bail!("x and y don't go together"),
        _ => panic!("case `{case}`"),
    };
    Ok((first, x.like()))
}

/// A size tensor of a type that can't hold sizes.
#[register("network::float_size")]
fn float_size(x: &TensorDesc) -> SizeTensorDesc {
    size_tensor(1, x.numel()).dtype(DataType::Float32)
}

fn refused(case: &str) -> String {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1, 4]).unwrap();
    let y = network.add_input("y", DataType::Float32, [2]).unwrap();
    let error = network.add_named_plugin("bad", mistakes::op(x, y, case)).unwrap_err().to_string();
    let place = "layer `bad` (network::mistakes v1, x: FP32 [x.d0, 4], y: FP32 [2]): ";
    assert!(error.starts_with(place), "{error}");
    // A refused layer leaves nothing behind.
    network.add_named_plugin("bad", scale::op(x, 1.0)).unwrap();
    error[place.len()..].into()
}

#[test]
fn mistakes_of_a_shape_function_are_told_apart() {
    let cases = [
        (
            "no size tensor",
            "dimension 0 of output 0 uses a size tensor that isn't one of the plugin's outputs: return it too",
        ),
        ("rank", "dimension 0 of output 0: dimension 5 of a tensor with 2 was asked for"),
        ("negative", "dimension 0 of output 0 would be -2"),
        ("nine dimensions", "output 0 has 9 dimensions; at most 8 are possible"),
        ("alias resized", "an aliased output shares its input's memory, so its type and shape can't be changed"),
        ("alias changed", "output 0 is aliased to input 0, but differs from it in type or shape"),
        ("alias twice", "outputs 0 and 1 are both aliased to input 1"),
        ("refusal", "x and y don't go together"),
        ("anything else", "the plugin panicked: case `anything else`"),
    ];
    for (case, expected) in cases {
        assert_eq!(refused(case), expected, "{case}");
    }
    for (case, part) in
        [("arithmetic on a size tensor", "size tensor"), ("overflow", "64-bit"), ("division", "divides by zero")]
    {
        let said = refused(case);
        assert!(said.starts_with("dimension 0 of output 0: ") && said.contains(part), "{case}: {said}");
    }
}

#[test]
fn a_size_tensor_is_an_integer() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let error = network.add_plugin(float_size::op(x)).unwrap_err().to_string();
    assert!(error.ends_with("output 0 is a size tensor of FP32; it must be INT32 or INT64"), "{error}");
}

#[test]
fn plugins_added_by_id_are_checked_like_typed_ones() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let factor = |value| [("factor", value)];
    let mut add = |name: &str, id: &str, version, inputs: &[_], attributes: &[(&str, AttributeValue)]| {
        network.add_plugin_by_id(name, id, version, inputs, attributes).map(|o| o.len()).map_err(|e| e.to_string())
    };
    let two = AttributeValue::Float32(2.0);
    assert_eq!(add("a", "test::scale", 1, &[x], &factor(two.clone())), Ok(1));
    let cases = [
        (add("a", "test::scale", 1, &[x], &factor(two.clone())), "the network has another layer named `a`"),
        (add("b", "test::scale", 7, &[x], &[]), "plugin `test::scale` is linked at version 1, not 7"),
        (add("b", "test::scale", 1, &[x], &[]), "plugin `test::scale v1` needs the attribute `factor` (f32)"),
        (
            add("b", "test::scale", 1, &[x], &[("facto", two.clone())]),
            "plugin `test::scale v1` has no attribute `facto`; did you mean `factor`?",
        ),
        (
            add("b", "test::scale", 1, &[x], &factor(AttributeValue::Int32(2))),
            "attribute `factor` of plugin `test::scale v1` is f32, but i32 was given",
        ),
        (
            add("b", "test::scale", 1, &[x], &[("factor", two.clone()), ("factor", two.clone())]),
            "attribute `factor` of plugin `test::scale v1` was given twice",
        ),
        (
            add("b", "test::scale", 1, &[x, x], &factor(two.clone())),
            "layer `b` (test::scale v1, x: FP32 [4]): 2 inputs were given, but it takes 1: x",
        ),
    ];
    for (got, expected) in cases {
        assert_eq!(got.unwrap_err(), expected);
    }
    let unknown = add("b", "test::scales", 1, &[x], &[]).unwrap_err();
    assert!(unknown.starts_with("no plugin `test::scales` v1 is linked; did you mean `test::scale`?"), "{unknown}");
}

#[test]
fn names_and_handles_are_checked() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let said = |result: Result<_>| result.map(|_: ()| ()).unwrap_err().to_string();
    assert_eq!(
        said(network.add_input("x", DataType::Float32, [4]).map(|_| ())),
        "the network has another input, constant or output named `x`"
    );
    assert_eq!(
        said(network.add_input("y", DataType::Float32, [-2]).map(|_| ())),
        "input `y` has a dimension of -2; write -1 for a dynamic one"
    );
    assert_eq!(
        said(network.add_input("y", DataType::Float32, [1; 9]).map(|_| ())),
        "input `y` has 9 dimensions; at most 8 are possible"
    );
    let mut other = Network::new();
    assert_eq!(said(other.mark_output(x, "out")), "a tensor of another network was used");
    assert_eq!(said(other.add_plugin(keep_positive::op(x)).map(|_| ())), "a tensor of another network was used");
}
