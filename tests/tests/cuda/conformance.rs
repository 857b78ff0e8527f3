//! The suite for plugins, on kernels that are wrong in one way each.

use plugin_runtime::prelude::*;
use plugin_runtime::testing::{Conformance, conformance};

use crate::gpu::{gpu, too_long_for_quick};
use crate::plugins::faulty::{beyond, row_index, row_sum};

fn row_sums(waits: bool) -> Conformance<row_sum::Plugin> {
    let suite = conformance().attributes(row_sum::Attributes { waits });
    suite.input(DataType::Float32, ["rows", "columns"]).extent("columns", 0..=256)
}

fn row_indices(reads_extents: bool) -> Conformance<row_index::Plugin> {
    let suite = conformance().attributes(row_index::Attributes { reads_extents });
    suite.input(DataType::Float32, ["rows", "columns"])
}

#[test]
fn shared_memory_that_is_not_waited_for() {
    let Some(_gpu) = gpu("shared_memory_that_is_not_waited_for") else { return };
    row_sums(true).check().unwrap();
    // A race is what compute-sanitizer is to find in the others.
    if too_long_for_quick("shared_memory_that_is_not_waited_for") {
        return;
    }
    let verdict = row_sums(false).check().unwrap_err().to_string();
    assert!(verdict.contains("on cuda:0, x FP32") && verdict.contains("element "), "{verdict}");
}

#[test]
fn shape_in_place_of_the_extents_on_the_device() {
    let Some(_gpu) = gpu("shape_in_place_of_the_extents_on_the_device") else { return };
    row_indices(true).check().unwrap();
    let verdict = row_indices(false).check().unwrap_err().to_string();
    assert!(verdict.contains("known to the device alone"), "{verdict}");
}

#[test]
fn one_element_past_the_end() {
    let Some(_gpu) = gpu("one_element_past_the_end") else { return };
    let suite = conformance::<beyond::Plugin>().input(DataType::Float32, ["n"]);
    let verdict = suite.check().unwrap_err().to_string();
    assert!(verdict.contains("on cuda:0, x FP32") && verdict.contains("past the end of `outputs[0]`"), "{verdict}");
}
