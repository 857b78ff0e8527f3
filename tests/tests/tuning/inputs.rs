//! What inputs look like that implementations are tried on.

use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;

use super::{builder, layer, reasons};

/// Rows of a table, found by index.
#[register("tuning::lookup", sample_inputs(index = Sample::below(table.shape_expr(0))))]
fn lookup(table: &TensorDesc, index: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([index.shape_expr(0), table.shape_expr(1)], table.dtype())
}

/// The same, without saying what an index is.
#[register("tuning::lookup_unsaid")]
fn lookup_unsaid(table: &TensorDesc, index: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([index.shape_expr(0), table.shape_expr(1)], table.dtype())
}

#[autotune("tuning::lookup")]
fn lookup_autotune(table: &TensorDesc, index: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, INT64, FP32").tactics([1, 2])]
}

#[impl_plugin("tuning::lookup", device = cpu)]
fn lookup_cpu(table: Tensor, index: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let _ = tactic;
    let [y] = outputs;
    rows(table, index, y)
}

#[impl_plugin("tuning::lookup_unsaid", device = cpu)]
fn lookup_unsaid_cpu(table: Tensor, index: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    rows(table, index, y)
}

fn rows(table: Tensor<'_>, index: Tensor<'_>, y: TensorMut<'_>) -> Result<()> {
    let width = table.shape()[1] as usize;
    let table = table.as_slice::<f32>()?;
    for (y, &row) in y.into_slice::<f32>()?.chunks_exact_mut(width).zip(index.as_slice::<i64>()?) {
        y.copy_from_slice(&table[row as usize * width..][..width]);
    }
    Ok(())
}

fn table() -> HostTensor {
    HostTensor::from_slice(&(0..32).map(|n| n as f32).collect::<Vec<_>>(), &[4, 8]).unwrap()
}

fn network(extent: i64, said: bool) -> Network {
    let mut network = Network::new();
    let table = network.add_constant("table", table()).unwrap();
    let index = network.add_input("index", DataType::Int64, [extent]).unwrap();
    let [y] = match said {
        true => network.add_named_plugin("layer", lookup::op(table, index)).unwrap(),
        false => network.add_named_plugin("layer", lookup_unsaid::op(table, index)).unwrap(),
    };
    network.mark_output(y, "y").unwrap();
    network
}

#[test]
fn indices_lie_below_another_inputs_extent() {
    let engine = builder().build(&network(16, true)).unwrap();
    assert_eq!(reasons(&engine), [("1", None), ("2", None)]);
    let error = builder().build(&network(16, false)).unwrap_err().to_string();
    assert!(error.contains("the plugin panicked: range start index"), "{error}");
}

#[test]
fn the_callers_own_tensors() {
    let indices = |n: i64| HostTensor::from_slice(&vec![3i64; n as usize], &[n]).unwrap();
    builder().sample_input("index", indices(16)).build(&network(16, false)).unwrap();

    let profile = || Profile::new().dims("index", [1], [16], [64]);
    let dynamic = network(-1, false);
    let engine = builder().profile(profile()).sample_input("index", indices(16)).build(&dynamic).unwrap();
    let note = |at: &str, extent: i64| {
        format!(
            "not checked at the profile's {at}: Builder::sample_input gives `index` as [16], but at the profile's {at} it \
             is [{extent}]"
        )
    };
    assert_eq!(layer(&engine).notes, [note("min", 1), note("max", 64)]);
    let all = [1, 16, 64].into_iter().fold(builder(), |b, n| b.sample_input("index", indices(n)));
    assert!(layer(&all.profile(profile()).build(&dynamic).unwrap()).notes.is_empty());
}

#[test]
fn a_tensor_that_does_not_fit_is_refused() {
    let given = |name: &str, tensor: HostTensor| {
        builder().sample_input(name, tensor).build(&network(16, true)).unwrap_err().to_string()
    };
    let vector = |n: i64| HostTensor::from_slice(&vec![0i64; n as usize], &[n]).unwrap();
    assert_eq!(
        given("idnex", vector(16)),
        "Builder::sample_input: the network has no tensor `idnex`; did you mean `index`?"
    );
    assert_eq!(
        given("index", table()),
        "Builder::sample_input: `index` is INT64 of 1 dimensions, but FP32 [4, 8] was given"
    );
    assert_eq!(
        given("index", vector(15)),
        "layer `layer` (tuning::lookup v1): Builder::sample_input gives `index` as [15], but at the profile's opt it is [16]"
    );
}

/// Counts distinct neighbours of a sorted vector; refuses one that isn't.
#[register("tuning::distinct", sample_inputs(x = Sample::uniform(low, 10.0).sorted()))]
fn distinct(x: &TensorDesc, low: f64) -> TensorDesc {
    TensorDesc::from_shape_expr([1], DataType::Int32)
}

#[impl_plugin("tuning::distinct", device = cpu)]
fn distinct_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let x = x.as_slice::<f32>()?;
    if !x.is_sorted() || x.iter().any(|x| *x < 0.0) {
        bail!("{x:?} isn't sorted, or holds what it shouldn't");
    }
    y.into_slice::<i32>()?[0] = x.chunk_by(|a, b| a == b).count() as i32;
    Ok(())
}

#[test]
fn sorted_ones_between_two_numbers() {
    let build = |low: f64| builder().build(&super::one_layer(DataType::Float32, 100, |x| distinct::op(x, low)));
    build(0.0).unwrap();
    let error = build(10.0).unwrap_err().to_string();
    assert!(error.ends_with("data for input `x`: no number is from 10 and below 10"), "{error}");
    assert!(build(-5.0).unwrap_err().to_string().contains("isn't sorted, or holds what it shouldn't"));
}

/// A copy of as many elements as `count` says, which are all.
#[register("tuning::counted_copy")]
fn counted_copy(x: &TensorDesc, count: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("tuning::counted_copy", device = cpu)]
fn counted_copy_cpu(x: Tensor, count: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let count = count.as_slice::<i64>()?[0] as usize;
    y.into_slice::<f32>()?[..count].copy_from_slice(&x.as_slice::<f32>()?[..count]);
    Ok(())
}

#[test]
fn a_size_tensor_holds_the_extent_that_others_have() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, count] = network.add_plugin(tests::plugins::keep_positive::op(x)).unwrap();
    let [y] = network.add_plugin(counted_copy::op(kept, count)).unwrap();
    network.mark_output(y, "y").unwrap();
    builder().profile(Profile::new().dims("x", [0], [100], [1000])).build(&network).unwrap();
}
