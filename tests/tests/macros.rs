//! What the attributes say of plugins, as the registry and engines see it.

use plugin_runtime::device::{Device, DeviceKind};
use plugin_runtime::engine::Builder;
use plugin_runtime::network::IntoOp;
use plugin_runtime::network::Network;
use plugin_runtime::plugin::{AttributeType, AttributeValue, Plugin, Registry};
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;

/// Adds `offsets`, one after the other, to `factor` times the input.
///
/// In the end `mode` is `"negate"` or `"keep"`.
#[register("macros::affine", version = 3)]
fn affine(
    x: &TensorDesc,
    #[default([1.0, ONE])] offsets: &[f32],
    factor: f32,
    #[default("keep")] mode: &str,
) -> Result<TensorDesc> {
    if offsets.len() > 3 {
        bail!("{} offsets are too many for {mode}, {factor}", offsets.len());
    }
    Ok(x.like())
}

const ONE: f32 = 1.0;

#[derive(Clone, Copy, Tactic)]
enum AffineTactic {
    Direct = 1,
    Buffered = 7,
}

#[autotune("macros::affine")]
fn affine_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([AffineTactic::Direct, AffineTactic::Buffered])]
}

#[impl_plugin("macros::affine", device = cpu, workspace = x.numel() * 4 * offsets.len())]
fn affine_cpu(
    x: Tensor,
    offsets: &[f32],
    factor: f32,
    mode: &str,
    outputs: [TensorMut; 1],
    workspace: Workspace,
    tactic: AffineTactic,
) -> Result<()> {
    let [output] = outputs;
    let (x, output) = (x.as_slice::<f32>()?, output.into_slice::<f32>()?);
    let sign = if mode == "negate" { -1.0 } else { 1.0 };
    match tactic {
        AffineTactic::Direct => {
            for (out, x) in output.iter_mut().zip(x) {
                *out = sign * offsets.iter().fold(factor * x, |sum, offset| sum + offset);
            }
        }
        AffineTactic::Buffered => {
            let scratch = workspace.into_slice::<f32>()?;
            if scratch.len() < x.len() * offsets.len() {
                bail!("{} elements of scratch memory for {} by {}", scratch.len(), x.len(), offsets.len());
            }
            let (buffer, _) = scratch.split_at_mut(x.len());
            buffer.iter_mut().zip(x).for_each(|(b, x)| *b = factor * x);
            for offset in offsets {
                buffer.iter_mut().for_each(|b| *b += offset);
            }
            output.iter_mut().zip(buffer).for_each(|(out, b)| *out = sign * *b);
        }
    }
    Ok(())
}

#[aot_impl("macros::affine")]
fn affine_aot(x: &TensorDesc, factor: f32, outputs: &[TensorDesc; 1], tactic: AffineTactic) -> AotKernel {
    AotKernel::new(format!("affine_{}_{factor}", tactic as i32), []).extra_args([x.numel(), outputs[0].numel()])
}

fn registered() -> &'static Plugin {
    Registry::global().and_then(|registry| registry.get("macros::affine", 3)).expect("it is registered above")
}

#[test]
fn entries_hold_what_was_written() {
    let plugin = registered();
    let entry = &plugin.entry;
    assert_eq!(
        entry.description,
        "Adds `offsets`, one after the other, to `factor` times the input.\n\nIn the end `mode` is `\"negate\"` or \
         `\"keep\"`."
    );
    assert_eq!((entry.inputs, entry.outputs), (&["x"][..], 1));
    let schema: Vec<_> = entry.attributes.iter().map(|a| (a.name, a.ty, a.default.map(|default| default()))).collect();
    assert_eq!(
        schema,
        [
            ("offsets", AttributeType::Float32s, Some(AttributeValue::Float32s(vec![1.0, 1.0]))),
            ("factor", AttributeType::Float32, None),
            ("mode", AttributeType::Str, Some(AttributeValue::Str("keep".into()))),
        ]
    );
    let implementation = plugin.impl_for(DeviceKind::Cpu).expect("there is one for the CPU");
    assert_eq!(implementation.attributes, ["offsets", "factor", "mode"]);
    assert!(implementation.takes_tactic && implementation.workspace.is_some());
    let name = implementation.tactic_names.expect("its tactics have names");
    assert_eq!([1, 7, 0, 2].map(name), [Some("Direct"), Some("Buffered"), None, None]);
}

#[test]
fn locations_are_those_of_the_functions() {
    let source = include_str!("macros.rs");
    let plugin = registered();
    let locations = [
        ("affine", plugin.entry.location),
        ("affine_autotune", plugin.autotune.expect("it is written above").location),
        ("affine_cpu", plugin.impls[0].location),
        ("affine_aot", plugin.aot.expect("it is written above").location),
    ];
    for (name, location) in locations {
        let line = source.lines().nth(location.line as usize - 1).expect("the line is in the file");
        assert!(line[location.column as usize - 1..].starts_with(&format!("{name}(")), "{location}: {line}");
        assert!(location.file.ends_with("macros.rs"), "{location}");
    }
}

#[test]
fn values_become_typed_attributes_or_an_error_that_names_them() {
    let entry = &registered().entry;
    let offsets = AttributeValue::Float32s(vec![2.0]);
    let mode = AttributeValue::Str("keep".into());
    let desc = TensorDesc::from_shape_expr([2, 3], DataType::Float32);
    let make = |values: &[AttributeValue]| (entry.attributes_from_values)(values);

    let attributes = make(&[offsets.clone(), AttributeValue::Float32(2.0), mode.clone()]).expect("they fit");
    let outputs = (entry.infer)(std::slice::from_ref(&desc), &*attributes).expect("one input is right");
    assert_eq!(outputs.len(), 1);
    let message = (entry.infer)(&[], &*attributes).expect_err("no input").to_string();
    assert!(message.contains("expected 1") && message.contains("got 0"), "{message}");
    let message = (entry.infer)(std::slice::from_ref(&desc), &0_i32).expect_err("not the attributes").to_string();
    assert!(message.contains("macros::affine"), "{message}");
    let many = make(&[AttributeValue::Float32s(vec![0.0; 4]), AttributeValue::Float32(0.5), mode.clone()]);
    let message = (entry.infer)(&[desc], &*many.expect("they fit")).expect_err("4 offsets").to_string();
    assert!(message.contains("4 offsets are too many for keep, 0.5"), "{message}");

    let message = make(&[offsets.clone(), AttributeValue::Int32(2), mode]).expect_err("a wrong type").to_string();
    assert!(["factor", "macros::affine", "f32", "i32"].iter().all(|part| message.contains(part)), "{message}");
    let message = make(&[offsets]).expect_err("too few").to_string();
    assert!(message.contains("3 attributes") && message.contains("1 value"), "{message}");
}

#[test]
fn kernels_are_described_for_each_tactic() {
    let plugin = registered();
    let (entry, aot) = (&plugin.entry, plugin.aot.expect("it is written above"));
    let values = [AttributeValue::Float32s(vec![]), AttributeValue::Float32(2.0), AttributeValue::Str("keep".into())];
    let attributes = (entry.attributes_from_values)(&values).expect("they fit");
    let descs = [TensorDesc::from_shape_expr([2, 3], DataType::Float32)];
    let kernel = (aot.kernel)(&descs, &descs, &*attributes, 7).expect("7 is a tactic");
    assert_eq!(kernel.launches[0].name, "affine_7_2");
    assert_eq!(kernel.launches[0].extra_args, [6.into(), 6.into()]);
    let message = (aot.kernel)(&descs, &descs, &*attributes, 2).expect_err("2 is no tactic").to_string();
    assert!(message.contains("no tactic 2") && message.contains("1 (Direct), 7 (Buffered)"), "{message}");
}

#[test]
fn constructors_hold_defaults_until_they_are_set() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).expect("the input is right");
    let op = affine::op(x, 2.0).into_op();
    assert_eq!((op.id, op.version, op.inputs), ("macros::affine", 3, vec![x]));
    assert_eq!(
        op.attributes,
        [AttributeValue::Float32s(vec![1.0, 1.0]), AttributeValue::Float32(2.0), AttributeValue::Str("keep".into())]
    );
    let op = affine::op(x, 2.0).mode("negate").offsets(&[]).into_op();
    assert_eq!(op.attributes[0], AttributeValue::Float32s(vec![]));
    assert_eq!(op.attributes[2], AttributeValue::Str("negate".into()));
}

#[test]
fn impls_get_their_attributes_scratch_memory_and_tactic() {
    for tactic in [AffineTactic::Direct, AffineTactic::Buffered] {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [4]).expect("the input is right");
        let [y] = network.add_plugin(affine::op(x, 3.0)).expect("the plugin is right");
        let [z] = network.add_plugin(affine::op(y, 1.0).offsets(&[0.5, 0.5, 1.0]).mode("negate")).expect("and this");
        network.mark_output(z, "z").expect("the name is free");
        let builder = Builder::new(Device::cpu()).limit_tactics("macros::affine", [tactic as i32]);
        let engine = builder.build(&network).expect("it builds");
        let mut context = engine.create_context().expect("one profile");
        let input = HostTensor::from_slice(&[0.0, 1.0, -2.0, 0.25_f32], &[4]).expect("4 elements");
        let outputs = context.run(&[("x", &input)]).expect("it runs");
        assert_eq!(outputs[0].1.as_slice::<f32>().expect("FP32"), [-4.0, -7.0, 2.0, -4.75]);
    }
}
