//! The suite for plugins, on plugins that are wrong in one way each, and on right ones.

mod faults;

use faults::*;
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use plugin_runtime::testing::{ConformanceReport, call, conformance};
use tests::command::{python_with, skipped};

const F32: DataType = DataType::Float32;

/// What the suite says of a plugin.
macro_rules! verdict {
    ($plugin:ident) => {
        conformance::<$plugin::Plugin>().input(F32, ["rows", "columns"]).check().unwrap_err().to_string()
    };
}

fn doubled(inputs: &[HostTensor]) -> Result<Vec<HostTensor>> {
    let values: Vec<f32> = inputs[0].as_slice::<f32>()?.iter().map(|x| x * 2.0).collect();
    Ok(vec![HostTensor::from_slice(&values, inputs[0].shape())?])
}

fn neighbours(inputs: &[HostTensor]) -> Result<Vec<HostTensor>> {
    let x = inputs[0].as_slice::<f32>()?;
    let values: Vec<f32> = (0..x.len()).map(|i| x[i] + if i > 0 { x[i - 1] } else { 0.0 }).collect();
    Ok(vec![HostTensor::from_slice(&values, inputs[0].shape())?])
}

#[test]
fn a_right_plugin_conforms() {
    let report = conformance::<right::Plugin>()
        .attributes(right::Attributes { factor: 2.0 })
        .input(F32, ("rows", 5))
        .extent("rows", 1..=20)
        .reference(doubled)
        .check()
        .unwrap();
    assert!(report.right > 20, "{report}");
    assert!(report.to_string().contains("SKIPPED"), "{report}");
}

#[test]
fn attributes_may_be_left_to_their_defaults() {
    let report = conformance::<right_by_default::Plugin>().input(F32, ["n"]).reference(doubled).check().unwrap();
    assert!(report.right > 10, "{report}");
}

#[test]
fn one_tactic_in_several_types_is_compared_with_nothing() {
    let suite = || conformance::<right::Plugin>().attributes(right::Attributes { factor: 2.0 }).input(F32, ["n"]);
    let said = |report: &ConformanceReport| report.left_out.iter().any(|what| what.contains("compared with nothing"));
    assert!(said(&suite().check().unwrap()));
    assert!(!said(&suite().reference(doubled).check().unwrap()));
}

/// Whether the suite said that it left out ONNX Runtime, and how.
fn left_out_of_onnxruntime(report: &ConformanceReport) -> Option<&String> {
    report.left_out.iter().find(|what| what.starts_with("in ONNX Runtime"))
}

fn onnxruntime_is_there() -> bool {
    std::env::var_os("ONNXRUNTIME_LIBRARY").is_some_and(|path| !path.is_empty())
        || python_with(&["onnxruntime"]).is_some()
}

#[test]
fn hosts_are_tried_or_said_to_be_left_out() {
    let suite = conformance::<right::Plugin>().attributes(right::Attributes { factor: 2.0 }).reference(doubled);
    let report = suite.input(F32, ["rows", "columns"]).check().unwrap();
    match left_out_of_onnxruntime(&report) {
        None => assert!(onnxruntime_is_there(), "{report}"),
        Some(why) => {
            assert!(!onnxruntime_is_there(), "{report}");
            assert!(why.contains("set ONNXRUNTIME_LIBRARY to the path of its library"), "{why}");
            skipped("hosts_are_tried_or_said_to_be_left_out, in ONNX Runtime", why);
        }
    }
    for host in ["TensorRT", "PyTorch", "JAX"] {
        assert!(report.to_string().contains(&format!("SKIPPED in {host}, ")), "{report}");
    }
}

#[test]
fn a_plugin_without_row_major_tensors_is_left_out_of_hosts() {
    let report = conformance::<only_packed::Plugin>().input(F32, [-1, 5, -1, 3]).check().unwrap();
    let why = left_out_of_onnxruntime(&report).expect("it can't run there");
    assert!(!onnxruntime_is_there() || why.contains("none of its combinations is LINEAR"), "{why}");
}

#[test]
fn nothing_written() {
    let verdict = verdict!(writes_nothing);
    assert!(verdict.contains("`faulty::writes_nothing` doesn't conform"), "{verdict}");
    assert!(verdict.contains("on cpu, x FP32 [5, 7]"), "{verdict}");
    assert!(verdict.contains("left 35 of 35 elements of outputs[0] unwritten, the first at 0"), "{verdict}");
}

#[test]
fn half_written() {
    let verdict = verdict!(writes_half);
    assert!(verdict.contains("left 18 of 35 elements of outputs[0] unwritten, the first at 17"), "{verdict}");
}

#[test]
fn one_element_past_the_end() {
    let verdict = verdict!(writes_beyond);
    let expected = "it wrote to memory that isn't its own: past the end of `outputs[0]`, bytes 0 to 3 after it";
    assert!(verdict.contains(expected), "{verdict}");
}

#[test]
fn a_wrong_tail() {
    let suite = conformance::<wrong_tail::Plugin>().input(F32, ["rows", "columns"]).reference(doubled);
    let verdict = suite.check().unwrap_err().to_string();
    assert!(verdict.contains("x FP32 [5, 7]") && verdict.contains("element 32 is "), "{verdict}");
}

#[test]
fn scratch_that_contexts_race_for() {
    let suite = conformance::<shared_scratch::Plugin>().input(F32, ["rows", "columns"]).reference(doubled);
    let verdict = suite.check().unwrap_err().to_string();
    assert!(verdict.contains("from 4 threads at once"), "{verdict}");
}

#[test]
fn a_tactic_that_differs_in_half_precision_only() {
    let verdict = conformance::<wrong_half::Plugin>().input(F32, ["n"]).reference(doubled).check().unwrap_err();
    let verdict = verdict.to_string();
    assert!(verdict.contains("FP16, FP16 (LINEAR), tactic Careless"), "{verdict}");
    assert!(!verdict.contains("FP32, FP32 (LINEAR), tactic Careless"), "{verdict}");
    assert!(!verdict.contains("tactic Careful"), "{verdict}");
}

#[test]
fn wrong_under_a_second_shape() {
    let suite = conformance::<remembers_length::Plugin>().input(F32, ["n"]).reference(doubled);
    let verdict = suite.check().unwrap_err().to_string();
    assert!(verdict.contains("x FP32 [33]") && verdict.contains("unwritten"), "{verdict}");
}

#[test]
fn in_place_and_read_after_it_was_written() {
    let suite = conformance::<reads_after_writing::Plugin>().input(F32, ["n"]).reference(neighbours);
    let verdict = suite.check().unwrap_err().to_string();
    assert!(verdict.contains("against") || verdict.contains("element "), "{verdict}");
}

#[test]
fn a_register_function_that_panics() {
    let verdict = verdict!(panics);
    assert!(verdict.contains("panicked"), "{verdict}");
}

#[test]
fn what_is_missing_is_said() {
    let no_attributes = conformance::<right::Plugin>().input(F32, ["n"]).check().unwrap_err().to_string();
    assert!(no_attributes.contains(".attributes(right::Attributes { factor: .. })"), "{no_attributes}");
    let no_inputs = conformance::<writes_nothing::Plugin>().check().unwrap_err().to_string();
    assert!(no_inputs.contains("add .input(DataType::Float32"), "{no_inputs}");
    let strange = conformance::<writes_nothing::Plugin>().input(F32, ["n"]).extent("m", 1..=2).check();
    assert!(strange.unwrap_err().to_string().contains("the free extents are n"));
}

#[test]
fn one_run_on_given_tensors() {
    let x = HostTensor::from_slice(&[1.0f32, 2.0, 3.0], &[3]).unwrap();
    let run = call::<right::Plugin>().attributes(right::Attributes { factor: 0.5 });
    assert_eq!(run.run(&[&x]).unwrap()[0].as_slice::<f32>().unwrap(), [0.5, 1.0, 1.5]);
    let halves = run.combination(AutoTuneCombination::new("FP16")).run(&[&x]).unwrap();
    assert_eq!(halves[0].as_slice::<f16>().unwrap(), [0.5, 1.0, 1.5].map(f16::from_f32));
    let error = call::<writes_beyond::Plugin>().run(&[&x]).unwrap_err().to_string();
    assert!(error.contains("past the end of `outputs[0]`"), "{error}");
    let careless = call::<wrong_half::Plugin>().tactic(Care::Careless).run(&[&x]).unwrap();
    assert_eq!(careless[0].as_slice::<f32>().unwrap(), [2.0, 4.0, 6.0]);
}
