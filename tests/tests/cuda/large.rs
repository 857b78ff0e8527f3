//! Tensors above 4 GiB, and of more than 2^31 elements, made and checked on the GPU.

use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::Builder;
use plugin_runtime::network::{Network, TensorId};
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use samples::add::elemwise_add_plugin;
use samples::circ_pad::circ_pad_plugin;
use samples::inplace_add::inplace_add_plugin;
use samples::non_zero::non_zero_plugin;

use crate::gpu::{Gpu, gpu_alone, too_long_for_quick};
use crate::plugins::large::{PERIOD, ramp, wrong, wrong_positions};
use crate::samples::{CIRC_PAD, NON_ZERO, tactics};

/// A type and extents.
type Case<'a> = (DataType, &'a [i64]);

/// More than 2^32 bytes, and more than 2^31 elements.
const VECTORS: [Case<'_>; 2] = [(DataType::Float32, &[(1 << 30) + 3]), (DataType::Float16, &[(1 << 31) + 5])];
const MATRICES: [Case<'_>; 2] = [(DataType::Float32, &[32770, 32769]), (DataType::Float16, &[46350, 46341])];

fn large_gpu(test: &str) -> Option<Gpu> {
    let device = gpu_alone(test)?;
    (!too_long_for_quick(test)).then_some(device)
}

/// Runs what `add` makes of a ramp, and returns the INT64 outputs: counts of what is wrong, and others. Tactics are timed
/// on small extents.
fn run<const N: usize>(
    device: &Device,
    (dtype, dims): Case<'_>,
    limit: Option<(&str, i32)>,
    add: impl FnOnce(&mut Network, TensorId) -> [TensorId; N],
) -> [i64; N] {
    let rank = dims.len();
    let mut network = Network::new();
    let x = network.add_input("x", dtype, vec![-1; rank]).unwrap();
    let [filled] = network.add_plugin(ramp::op(x)).unwrap();
    let outputs = add(&mut network, filled);
    network.mark_output(filled, "ramp").unwrap();
    for (index, output) in outputs.iter().enumerate() {
        assert_eq!(network.dtype(*output).unwrap(), DataType::Int64);
        network.mark_output(*output, &format!("count {index}")).unwrap();
    }
    let profile = Profile::new().dims("x", vec![1; rank], vec![100; rank], dims);
    let mut builder = Builder::new(device.clone()).profile(profile).without_checks();
    if let Some((plugin, tactic)) = limit {
        builder = builder.limit_tactics(plugin, [tactic]);
    }
    let engine = builder.build(&network).unwrap();
    let mut context = engine.create_context().unwrap();
    let stream = device.create_stream().unwrap();
    let mut x = DeviceTensor::uninit(&stream, dtype, dims).unwrap();
    let mut counts = [(); N].map(|()| DeviceTensor::zeros(&stream, DataType::Int64, &[1]).unwrap());
    context.set_input_shape("x", dims).unwrap();
    let mut bindings = vec![Binding::device_in_place(&mut x), Binding::aliased()];
    bindings.extend(counts.iter_mut().map(Binding::device_output));
    context.enqueue(&mut bindings, &stream).unwrap();
    drop(bindings);
    counts.map(|count| count.to_host(&stream).unwrap().as_slice::<i64>().unwrap()[0])
}

#[test]
fn a_check_finds_what_is_wrong() {
    let Some(device) = large_gpu("a_check_finds_what_is_wrong") else { return };
    for case in VECTORS {
        let found = run(&device, case, None, |network, x| {
            let right = network.add_plugin(wrong::op(x, &[], 0.0)).unwrap();
            let shifted = network.add_plugin(wrong::op(x, &[], 1.0)).unwrap();
            [right[0], shifted[0]]
        });
        assert_eq!(found, [0, case.1[0]], "{case:?}");
    }
}

#[test]
fn additions() {
    let Some(device) = large_gpu("additions") else { return };
    for case in VECTORS {
        let found = run(&device, case, None, |network, x| {
            let [y] = network.add_plugin(elemwise_add_plugin::op(x, 256)).unwrap();
            network.add_plugin(wrong::op(y, &[], 1.0)).unwrap()
        });
        assert_eq!(found, [0], "add {case:?}");
        let found = run(&device, case, None, |network, x| {
            let [y] = network.add_plugin(inplace_add_plugin::op(x, 1)).unwrap();
            network.add_plugin(wrong::op(y, &[], 1.0)).unwrap()
        });
        assert_eq!(found, [0], "inplace_add {case:?}");
    }
}

#[test]
fn circular_padding_by_each_tactic() {
    let Some(device) = large_gpu("circular_padding_by_each_tactic") else { return };
    let found = tactics(&device, CIRC_PAD, 2, |network, x| {
        network.add_plugin(circ_pad_plugin::op(x, &[1, 2, 3, 4])).unwrap()[0]
    });
    for case in MATRICES {
        for &tactic in &found {
            let found = run(&device, case, Some((CIRC_PAD, tactic)), |network, x| {
                let [y] = network.add_plugin(circ_pad_plugin::op(x, &[1, 2, 3, 4])).unwrap();
                network.add_plugin(wrong::op(y, &[1, 2, 3, 4], 0.0)).unwrap()
            });
            assert_eq!(found, [0], "{case:?}, tactic {tactic}");
        }
    }
}

#[test]
fn positions_in_a_matrix_of_more_than_2_to_the_31_elements() {
    let Some(device) = large_gpu("positions_in_a_matrix_of_more_than_2_to_the_31_elements") else { return };
    let found = tactics(&device, NON_ZERO, 2, |network, x| network.add_plugin(non_zero_plugin::op(x)).unwrap()[0]);
    let (rows, columns) = (65_536, 40_000);
    for tactic in found {
        let case: Case<'_> = (DataType::Float16, &[rows, columns]);
        let found = run(&device, case, Some((NON_ZERO, tactic)), |network, x| {
            let [positions, count] = network.add_plugin(non_zero_plugin::op(x)).unwrap();
            let [wrong] = network.add_plugin(wrong_positions::op(positions, columns)).unwrap();
            [wrong, count]
        });
        let elements = rows * columns;
        assert_eq!(found, [0, elements - (elements as u64).div_ceil(PERIOD) as i64], "tactic {tactic}");
    }
}
