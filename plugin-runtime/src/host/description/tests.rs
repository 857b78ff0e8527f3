//! What a library says of itself.

#![expect(unsafe_code, reason = "asks by pointers, and in the crate itself link sections count as unsafe")]

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use super::json::Json;
use super::{
    OutputsRequest, RequestedAttribute, RequestedInput, plugin_runtime_free, plugin_runtime_outputs,
    plugin_runtime_plugins,
};
use crate::prelude::*;

/// Keeps "some" rows.
#[register("described::keep", crate = crate)]
fn keep(
    x: &TensorDesc,
    y: &TensorDesc,
    pads: &[i32],
    #[default(0.1)] share: f32,
    #[default(true)] is_kept: bool,
) -> Result<(TensorDesc, SizeTensorDesc, TensorDesc)> {
    if x.rank() != 2 {
        bail!("x has to be a matrix, but is {x}");
    }
    let upper = x.shape_expr(0) * x.shape_expr(1);
    let count = size_tensor(upper.ceil_div(2), upper);
    let pads: i64 = pads.iter().map(|pad| i64::from(*pad)).sum();
    let shape = [count.expr(), (x.shape_expr(1) + pads).max(3) * 2];
    let _ = (share, is_kept);
    Ok((TensorDesc::from_shape_expr(shape, DataType::Int64), count, y.aliased()))
}

#[impl_plugin("described::keep", device = cpu, crate = crate)]
fn keep_cpu(x: Tensor, y: Tensor, pads: &[i32], share: f32, is_kept: bool, outputs: [TensorMut; 3]) -> Result<()> {
    let _ = (x, y, pads, share, is_kept, outputs);
    bail!("it isn't run")
}

fn taken(text: *mut c_char) -> String {
    // SAFETY: the library gave it, and it isn't used afterwards.
    unsafe {
        let found = CStr::from_ptr(text).to_str().unwrap().to_owned();
        plugin_runtime_free(text);
        found
    }
}

/// What it says of inputs of these extents and attributes: integers by name.
fn outputs(id: &str, inputs: &[(&str, &[i64])], attributes: &[(&str, i32, &[i64])]) -> String {
    let text = |text: &&str| CString::new(*text).unwrap();
    let types: Vec<CString> = inputs.iter().map(|(dtype, _)| text(dtype)).collect();
    let names: Vec<CString> = attributes.iter().map(|(name, ..)| text(name)).collect();
    let id = text(&id);
    let inputs: Vec<RequestedInput> = inputs
        .iter()
        .zip(&types)
        .map(|((_, extents), dtype)| RequestedInput {
            dtype: dtype.as_ptr(),
            extents: extents.as_ptr(),
            rank: extents.len(),
        })
        .collect();
    let attributes: Vec<RequestedAttribute> = attributes
        .iter()
        .zip(&names)
        .map(|((_, kind, values), name)| RequestedAttribute {
            name: name.as_ptr(),
            kind: *kind,
            count: values.len(),
            data: values.as_ptr().cast(),
        })
        .collect();
    let request = OutputsRequest {
        id: id.as_ptr(),
        version: 0,
        inputs: inputs.as_ptr(),
        input_count: inputs.len(),
        attributes: attributes.as_ptr(),
        attribute_count: attributes.len(),
    };
    // SAFETY: all of it lives until the end of this function.
    taken(unsafe { plugin_runtime_outputs(&raw const request) })
}

#[test]
fn plugins_are_listed() {
    let listed = taken(plugin_runtime_plugins());
    assert!(listed.starts_with("{\"plugins\": [{"), "{listed}");
    let expected = "{\"id\": \"described::keep\", \"namespace\": \"described\", \"name\": \"keep\", \"version\": 1, \
        \"doc\": \"Keeps \\\"some\\\" rows.\", \"inputs\": [\"x\", \"y\"], \"attributes\": [\
        {\"name\": \"pads\", \"type\": \"&[i32]\", \"kind\": \"ints\", \"min\": -2147483648, \"max\": 2147483647}, \
        {\"name\": \"share\", \"type\": \"f32\", \"kind\": \"float\", \"default\": 0.1}, \
        {\"name\": \"is_kept\", \"type\": \"bool\", \"kind\": \"bool\", \"default\": true}], \
        \"outputs\": 3, \"aliases\": [null, null, 1], \"sizes\": [false, true, false], \"answered\": true, \
        \"devices\": [\"cpu\"]}";
    assert!(listed.contains(expected), "{listed}");
}

#[test]
fn outputs_are_expressions_over_the_inputs_extents() {
    let found = outputs("described::keep", &[("FP32", &[-1, -1]), ("FP16", &[5])], &[("pads", 3, &[1, 2])]);
    let expected = "{\"nodes\": [[\"size\", 0], [\"dim\", 0, 1], [\"int\", 3], [\"+\", 1, 2], [\"max\", 3, 2], [\"int\", 2], \
        [\"*\", 5, 4], [\"int\", 5], [\"dim\", 0, 0], [\"*\", 8, 1], [\"int\", 1], [\"+\", 9, 10], [\"//\", 11, 5]], \
        \"outputs\": [{\"dtype\": \"INT64\", \"shape\": [0, 6], \"alias\": null, \"size\": null, \"data_dependent\": true}, \
        {\"dtype\": \"INT32\", \"shape\": [], \"alias\": null, \"size\": 0, \"data_dependent\": false}, \
        {\"dtype\": \"FP16\", \"shape\": [7], \"alias\": 1, \"size\": null, \"data_dependent\": false}], \
        \"sizes\": [{\"output\": 1, \"opt\": 12, \"upper_bound\": 9}]}";
    assert_eq!(found, expected);
    let one = outputs("described::keep", &[("FP32", &[-2, -2]), ("FP16", &[5])], &[("pads", 3, &[])]);
    assert!(one.contains("[\"dim\", 0, 0]") && !one.contains("[\"dim\", 0, 1]"), "{one}");
}

#[test]
fn what_is_wrong_is_said() {
    let matrix: (&str, &[i64]) = ("FP32", &[-1, -1]);
    let cases = [
        (outputs("described::kep", &[], &[]), "described::keep"),
        (outputs("described::keep", &[matrix, matrix], &[]), "attribute `pads`"),
        (outputs("described::keep", &[matrix], &[("pads", 3, &[1])]), "it is given 1 input, but takes 2: x, y"),
        (outputs("described::keep", &[matrix, matrix], &[("pad", 3, &[1])]), "did you mean `pads`?"),
        (
            outputs("described::keep", &[matrix, matrix], &[("pads", 0, &[1])]),
            "it is the integer 1; `&[i32]` takes a list of ints",
        ),
        (outputs("described::keep", &[matrix, matrix], &[("pads", 3, &[1 << 40])]), "isn't in the range of i32"),
        (outputs("described::keep", &[matrix, matrix], &[("pads", 9, &[1])]), "kind 9"),
        (outputs("described::keep", &[("FP32", &[3]), matrix], &[("pads", 3, &[])]), "x has to be a matrix"),
        (
            outputs("described::keep", &[("FP33", &[3]), matrix], &[("pads", 3, &[])]),
            "no type `FP33`; did you mean `FP32`?",
        ),
        (outputs("described::keep", &[("FP32", &[1; 9]), matrix], &[("pads", 3, &[])]), "9 dimensions"),
        // SAFETY: null is refused.
        (taken(unsafe { plugin_runtime_outputs(ptr::null()) }), "no request"),
    ];
    for (found, expected) in cases {
        assert!(found.starts_with("{\"error\": \""), "{found}");
        assert!(found.contains(expected), "{found} doesn't say {expected}");
    }
    // SAFETY: null is nothing.
    unsafe { plugin_runtime_free(ptr::null_mut()) };
}

#[test]
fn texts_and_floats_are_written_as_json() {
    let floats = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1.0, 1e300].map(Json::float);
    assert_eq!(Json::list(floats).to_string(), "[NaN, Infinity, -Infinity, -0.0, 1.0, 1e300]");
    assert_eq!(Json::text("a\"\\\n\0ü").to_string(), "\"a\\\"\\\\\\u000a\\u0000ü\"");
}
