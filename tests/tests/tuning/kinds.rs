//! Outputs of every type, layout and kind are looked at.

use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;

use super::{builder, layer, one_layer, reasons};

/// Bytes of the input, as the type that is asked for; the second tactic leaves out the last byte.
#[register("tuning::bytes")]
fn bytes(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("tuning::bytes")]
fn bytes_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let every = "FP32|FP16|BF16|FP8|INT64|INT32|INT8|UINT8|INT4|BOOL";
    vec![AutoTuneCombination::new(format!("{every}, {every}")).tactics([1, 2])]
}

#[impl_plugin("tuning::bytes", device = cpu)]
fn bytes_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    let (x, y) = (x.bytes()?, y.into_bytes()?);
    let written = if tactic == 1 { x.len() } else { x.len().saturating_sub(1) };
    y[..written].copy_from_slice(&x[..written]);
    Ok(())
}

#[test]
fn a_byte_that_is_missing_is_found_in_every_type() {
    for dtype in DataType::ALL {
        let engine = builder().build(&one_layer(dtype, 10, bytes::op)).unwrap();
        let right = |reason: &Option<&str>| reason.is_none();
        let of_type: Vec<_> = reasons(&engine)
            .into_iter()
            .map(|(_, reason)| reason)
            .filter(|reason| {
                reason.is_none_or(|reason| !reason.contains("can't be converted") && !reason.contains("doesn't allow"))
            })
            .collect();
        assert_eq!(of_type.len(), 2, "{dtype}: {of_type:?}");
        let (count, first) = if dtype == DataType::Int4 { (2, 8) } else { (1, 9) };
        let reason = format!("left {count} of 10 elements of outputs[0] unwritten, the first at {first}");
        assert!(right(&of_type[0]) && of_type[1] == Some(reason.as_str()), "{dtype}: {of_type:?}");
    }
}

/// A copy in layouts with padding, which the first tactic leaves as it is; the second leaves a channel.
#[register("tuning::padded")]
fn padded(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("tuning::padded")]
fn padded_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP16, FP16").layouts("LINEAR, HWC8").tactics([1, 2])]
}

#[impl_plugin("tuning::padded", device = cpu)]
fn padded_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    let &[_, channels, height, width] = x.shape() else { bail!("four dimensions") };
    let (channels, places) = (channels as usize, (height * width) as usize);
    let (x, y) = (x.as_slice::<f16>()?, y.into_slice::<f16>()?);
    for channel in 0..channels - (tactic as usize - 1) {
        for place in 0..places {
            y[place * 8 + channel] = x[channel * places + place];
        }
    }
    Ok(())
}

#[test]
fn padding_need_not_be_written() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float16, [1, 3, 2, 2]).unwrap();
    let [y] = network.add_named_plugin("layer", padded::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = builder().build(&network).unwrap();
    let left = "left 4 of 12 elements of outputs[0] unwritten, the first at 8";
    assert_eq!(reasons(&engine), [("1", None), ("2", Some(left))]);
}

/// Adds in place; the second tactic does nothing.
#[register("tuning::add_to")]
fn add_to(x: &TensorDesc) -> TensorDesc {
    x.aliased()
}

#[autotune("tuning::add_to")]
fn add_to_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([1, 2]).reference(1)]
}

#[impl_plugin("tuning::add_to", device = cpu)]
fn add_to_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let _ = x;
    let [y] = outputs;
    if tactic == 1 {
        y.into_slice::<f32>()?.iter_mut().for_each(|y| *y += 1.0);
    }
    Ok(())
}

#[test]
fn what_is_updated_in_place_is_restored_before_each_run() {
    let network = one_layer(DataType::Float32, 8, add_to::op);
    let engine = builder().build(&network).unwrap();
    let found = reasons(&engine);
    assert_eq!(found[0], ("1", None));
    assert!(found[1].1.is_some_and(|reason| reason.starts_with("outputs[0] differs from the reference")), "{found:?}");
}

/// The even and the odd numbers, and a scalar: their sum.
#[register("tuning::parted")]
fn parted(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc, TensorDesc, SizeTensorDesc, TensorDesc) {
    let size = || size_tensor(x.numel() / 2, x.numel());
    let (even, odd) = (size(), size());
    let values = |size: &SizeTensorDesc| TensorDesc::from_shape_expr([size.expr()], x.dtype());
    (values(&even), even, values(&odd), odd, TensorDesc::from_shape_expr(<[ShapeExpr; 0]>::default(), x.dtype()))
}

#[impl_plugin("tuning::parted", device = cpu)]
fn parted_cpu(x: Tensor, outputs: [TensorMut; 5]) -> Result<()> {
    let [even, evens, odd, odds, sum] = outputs;
    let x = x.as_slice::<i32>()?;
    let part = |to: TensorMut<'_>, count: TensorMut<'_>, rest: i32| {
        let found: Vec<i32> = x.iter().copied().filter(|x| x % 2 == rest).collect();
        to.into_slice::<i32>()?[..found.len()].copy_from_slice(&found);
        count.write_size(found.len())
    };
    part(even, evens, 0)?;
    part(odd, odds, 1)?;
    sum.into_slice::<i32>()?[0] = x.iter().sum();
    Ok(())
}

#[test]
fn several_sizes_scalars_and_nothing_at_all() {
    let network = one_layer(DataType::Int32, -1, parted::op);
    let engine = builder().profile(Profile::new().dims("x", [0], [100], [1000])).build(&network).unwrap();
    assert!(layer(&engine).notes.is_empty(), "{:?}", layer(&engine).notes);
    let engine = builder().build(&one_layer(DataType::Int32, 0, parted::op)).unwrap();
    assert!(layer(&engine).notes.is_empty());
}

/// What the author says of trials panics.
#[register("tuning::panics", compare = panicking(), sample_inputs(x = Sample::new()))]
fn panics(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn panicking() -> Compare {
    panic!("no comparison")
}

#[impl_plugin("tuning::panics", device = cpu)]
fn panics_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.copy_from_slice(x.as_slice()?);
    Ok(())
}

#[test]
fn a_panic_of_the_authors_is_an_error() {
    let error = builder().build(&one_layer(DataType::Float32, 8, panics::op)).unwrap_err().to_string();
    assert_eq!(error, "layer `layer` (tuning::panics v1): the plugin panicked: no comparison");
}
