//! What the samples' `#[aot_impl]` functions say, against what the compiler makes of their sources.

use plugin_runtime::device::cuda::{KernelEntry, Parameter, compile_report};
use plugin_runtime::plugin::{AttributeValue, Registry};
use plugin_runtime::prelude::*;

use super::{ARCHITECTURES, nvrtc_is_there};

fn described(
    id: &str,
    attributes: &[AttributeValue],
    inputs: &[TensorDesc],
    outputs: &[TensorDesc],
    tactic: i32,
) -> Result<AotKernel> {
    let plugin = Registry::global()?.get(id, 1)?;
    let attributes = (plugin.entry.attributes_from_values)(attributes)?;
    (plugin.aot.expect("it has AOT kernels").kernel)(inputs, outputs, &*attributes, tactic)
}

fn desc(extents: &[i64], dtype: DataType) -> TensorDesc {
    TensorDesc::from_shape_expr(extents.iter().copied(), dtype)
}

fn add(block_size: i32, dtype: DataType) -> AotKernel {
    let descs = [desc(&[10, 3, 32, 32], dtype)];
    described("sample::elemwise_add_plugin", &[AttributeValue::Int32(block_size)], &descs, &descs, 0).unwrap()
}

fn circ_pad(pads: &[i32], extents: [&[i64]; 2], dtype: DataType, tactic: i32) -> Result<AotKernel> {
    let [inputs, outputs] = extents.map(|extents| [desc(extents, dtype)]);
    described("sample::circ_pad_plugin", &[AttributeValue::Int32s(pads.to_vec())], &inputs, &outputs, tactic)
}

/// Grid, block, and the integers of the one launch.
fn launched(kernel: &AotKernel) -> (i64, i64, Vec<i64>) {
    let [launch] = &*kernel.launches else { panic!("{kernel:?}") };
    let value = |expr: &ShapeExpr| expr.constant_value().unwrap();
    let integer = |argument: &AotArg| match argument {
        AotArg::I32(expr) => value(expr),
        other => panic!("{other:?}"),
    };
    (value(&launch.launch.grid[0]), value(&launch.launch.block[0]), launch.extra_args.iter().map(integer).collect())
}

#[test]
fn the_samples_launch_an_element_a_thread() {
    assert_eq!(launched(&add(100, DataType::Float32)), (308, 100, vec![30_720]));
    let extents = [&[2, 3, 4, 5][..], &[2, 3, 9, 8]];
    for (tactic, threads) in [(21, 256), (22, 1024)] {
        let kernel = circ_pad(&[1, 2, 2, 3], extents, DataType::Float16, tactic).unwrap();
        let arguments = vec![0, 0, 2, 1, 2, 3, 4, 5, 3, 9, 8, 120, 432];
        assert_eq!(launched(&kernel), ((432 + threads - 1) / threads, threads, arguments));
        assert_eq!(kernel.launches[0].name, "circ_pad_aot_f16");
    }
    let message = circ_pad(&[1, 1], [&[5], &[7]], DataType::Float32, 21).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("pad 4 dimensions, not 1"), "{message}");
    assert!(circ_pad(&[], extents, DataType::Float32, 1).is_err(), "tactic 1 is the CPU's");
}

#[test]
fn the_samples_kernels_take_what_they_are_given() {
    if !nvrtc_is_there("the_samples_kernels_take_what_they_are_given") {
        return;
    }
    let dtypes = [DataType::Float32, DataType::Float16];
    check(&dtypes.map(|dtype| add(256, dtype)));
    let pads = |dtype| circ_pad(&[1, 1], [&[1, 1, 1, 3], &[1, 1, 1, 5]], dtype, 21).unwrap();
    check(&dtypes.map(pads));
}

/// Compares what kernels of one source, each with one input and one output, are given with what they were compiled to.
fn check(kernels: &[AotKernel]) {
    let AotImage::Source(source) = kernels[0].image else { panic!("{:?}", kernels[0].image) };
    let parameter = |ty: &'static str, bytes: usize| Parameter { name: ty, ty, bytes };
    for architecture in ARCHITECTURES {
        let report = compile_report(source, architecture).unwrap();
        for launch in kernels.iter().flat_map(|kernel| &kernel.launches) {
            let mut parameters = vec![parameter("input", 8)];
            parameters.extend(launch.extra_args.iter().map(|argument| match argument {
                AotArg::I64(_) => parameter("i64", 8),
                AotArg::I32(_) => parameter("i32", 4),
                AotArg::F32(_) => parameter("f32", 4),
                other => panic!("{other:?}"),
            }));
            parameters.push(parameter("output", 8));
            let name: &'static str = launch.name.clone().leak();
            report.check(&KernelEntry { source, name, parameters: parameters.leak() }).unwrap();
            let used = report.kernel(name).expect("what it uses is told");
            assert_eq!((used.spill_store_bytes, used.spill_load_bytes), (0, 0), "{name} spills for {architecture}");
        }
    }
}
