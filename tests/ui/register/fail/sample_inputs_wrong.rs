use plugin_runtime::prelude::*;

#[register("ui::not_a_list", sample_inputs = Sample::new())]
fn not_a_list(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ui::empty", sample_inputs())]
fn empty(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ui::no_value", sample_inputs(x))]
fn no_value(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ui::unknown", sample_inputs(indx = Sample::below(4), other = Sample::new()))]
fn unknown(table: &TensorDesc, index: &TensorDesc) -> TensorDesc {
    table.like()
}

#[register("ui::twice", sample_inputs(x = Sample::below(4), x = Sample::new()))]
fn twice(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ui::not_a_sample", sample_inputs(x = 4))]
fn not_a_sample(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
