//! The sample plugins, by every tactic, against what they should compute.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::{Network, TensorId};
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tactic::TrialOutcome;
use plugin_runtime::tensor::HostTensor;
use samples::add::elemwise_add_plugin;
use samples::circ_pad::circ_pad_plugin;
use samples::inplace_add::inplace_add_plugin;
use samples::non_zero::non_zero_plugin;
use samples::reference::{self, Float};
use tests::Random;

use crate::gpu::{gpu, quick, too_long_for_quick};
use crate::plugins::sizes::column_sums;
use crate::rig::{Rig, Twin, assert_same};

const ADD: &str = "sample::elemwise_add_plugin";
const INPLACE_ADD: &str = "sample::inplace_add_plugin";
pub(crate) const CIRC_PAD: &str = "sample::circ_pad_plugin";
pub(crate) const NON_ZERO: &str = "sample::non_zero_plugin";

/// A sample in a network: from its input to its first output.
type AddSample<'a> = &'a dyn Fn(&mut Network, TensorId) -> TensorId;

/// The tactics of a plugin's impl for GPUs, found by trying their numbers; 0 where it has none. None may give another
/// result than the CPU's impl.
pub(crate) fn tactics(
    device: &Device,
    plugin: &str,
    least: usize,
    add: impl Fn(&mut Network, TensorId) -> TensorId,
) -> Vec<i32> {
    let mut network = Network::new();
    // Of extents that aren't known, since tactics may be listed for some only.
    let x = network.add_input("x", DataType::Float32, [-1, -1]).unwrap();
    let y = add(&mut network, x);
    network.mark_output(y, "y").unwrap();
    let builder = || Builder::new(device.clone()).profile(Profile::new().dims("x", [17, 9], [17, 9], [17, 9]));
    let engine = builder().build(&network).unwrap();
    for layer in &engine.report().layers {
        let check = layer.check.as_deref().unwrap_or_default();
        assert!(check.starts_with("against the impl for cpu"), "{plugin}: {check}");
        assert!(layer.notes.is_empty(), "{plugin}: {:?}", layer.notes);
    }
    for trial in engine.report().layers.iter().flat_map(|layer| &layer.trials) {
        if let TrialOutcome::Rejected(reason) = &trial.outcome {
            assert!(reason.contains("this build doesn't allow"), "{plugin}, tactic {}: {reason}", trial.tactic);
        }
    }
    let builds = |tactic: &i32| builder().limit_tactics(plugin, [*tactic]).build(&network).is_ok();
    let found: Vec<i32> = (0..40).filter(builds).collect();
    assert!(found.len() >= least, "{plugin} has tactics {found:?}");
    found
}

/// A rig for one sample of a dynamic input, limited to one tactic, that gives what the CPU's engine gives.
fn twin(
    device: &Device,
    dtype: DataType,
    profile: [Vec<i64>; 3],
    in_place: &[(&str, &str)],
    limit: (&str, i32),
    add: AddSample<'_>,
) -> Twin {
    let [min, opt, max] = profile;
    let mut network = Network::new();
    let x = network.add_input("x", dtype, vec![-1; opt.len()]).unwrap();
    let y = add(&mut network, x);
    network.mark_output(y, "y").unwrap();
    let profile = Profile::new().dims("x", min, opt, max);
    let cpu = Builder::new(Device::cpu()).profile(profile.clone()).build(&network).unwrap().create_context().unwrap();
    let gpu = Builder::new(device.clone()).profile(profile).limit_tactics(limit.0, [limit.1]).build(&network).unwrap();
    Twin { cpu, gpu: Rig::new(gpu, in_place) }
}

fn host<T: Element>(values: &[T], dims: &[i64]) -> HostTensor {
    HostTensor::from_slice(values, dims).unwrap()
}

fn some<T: Float>(random: &mut Random, dims: &[i64]) -> Vec<T> {
    random.floats(dims).into_iter().map(T::narrow).collect()
}

/// Random extents, of about as many elements in all at any rank.
fn random_dims(random: &mut Random, rank: usize) -> Vec<i64> {
    let most = [0, 4000, 70, 17, 9, 6, 5, 4, 3][rank];
    (0..rank).map(|_| 1 + random.below(most) as i64).collect()
}

fn shapes(random: &mut Random, rank: usize, empty: bool) -> Vec<Vec<i64>> {
    let mut shapes: Vec<Vec<i64>> = vec![vec![1; rank]];
    shapes.extend((0..if quick() { 2 } else { 8 }).map(|_| random_dims(random, rank)));
    if empty && rank > 0 {
        let mut dims = random_dims(random, rank);
        dims[random.below(rank)] = 0;
        shapes.push(dims);
    }
    if rank == 1 {
        let lengths = [2, 7, 8, 9, 31, 33, 255, 257, 1023, 1025, 4096, 65_537];
        shapes.extend(lengths.map(|n| vec![n]));
    }
    shapes
}

fn most_at(rank: usize) -> Vec<i64> {
    vec![[0, 70_000, 80, 20, 10, 7, 6, 5, 4][rank]; rank]
}

fn additions<T: Float>(device: &Device, seed: u64) {
    let mut random = Random::new(seed);
    let blocks: &[i32] = if quick() { &[256, 97] } else { &[1, 31, 32, 97, 128, 256, 512, 1000, 1024] };
    for (case, &block) in blocks.iter().enumerate() {
        let rank = case % 8 + 1;
        let add = |network: &mut Network, x| network.add_plugin(elemwise_add_plugin::op(x, block)).unwrap()[0];
        let profile = [vec![0; rank], random_dims(&mut random, rank), most_at(rank)];
        let mut twin = twin(device, T::DTYPE, profile, &[], (ADD, 0), &add);
        for dims in shapes(&mut random, rank, true) {
            let x: Vec<T> = some(&mut random, &dims);
            let input = host(&x, &dims);
            twin.agree(&[("x", &input)]);
            let expected = host(&reference::add(&x, 1), &dims);
            assert_same(&twin.gpu.run(&[("x", &input)])[0], &expected, &format!("block {block}, {dims:?}"));
        }
    }
}

#[test]
fn additions_in_single_precision() {
    let Some(device) = gpu("additions_in_single_precision") else { return };
    additions::<f32>(&device, 1);
}

#[test]
fn additions_in_half_precision() {
    let Some(device) = gpu("additions_in_half_precision") else { return };
    additions::<f16>(&device, 2);
}

#[test]
fn every_half_precision_number_is_rounded_once() {
    let Some(device) = gpu("every_half_precision_number_is_rounded_once") else { return };
    let x: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
    let n = x.len() as i64;
    let add = |network: &mut Network, x| network.add_plugin(elemwise_add_plugin::op(x, 256)).unwrap()[0];
    let mut twin = twin(&device, DataType::Float16, [vec![1], vec![n], vec![n]], &[], (ADD, 0), &add);
    let found = twin.gpu.run(&[("x", &host(&x, &[n]))]);
    let expected = reference::add(&x, 1);
    for ((x, found), expected) in x.iter().zip(found[0].as_slice::<f16>().unwrap()).zip(expected) {
        let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
        assert!(same, "{x} + 1 is {found}, not {expected}");
    }
}

fn additions_in_place<T: Float>(device: &Device, seed: u64) {
    let mut random = Random::new(seed);
    let deltas: &[i32] = if quick() { &[3, -2] } else { &[0, 1, -1, 3, 1000, -77, 60_000, i32::MAX, i32::MIN] };
    for (case, &delta) in deltas.iter().enumerate() {
        let rank = case % 8 + 1;
        let add = |network: &mut Network, x| network.add_plugin(inplace_add_plugin::op(x, delta)).unwrap()[0];
        let profile = [vec![0; rank], random_dims(&mut random, rank), most_at(rank)];
        let mut twin = twin(device, T::DTYPE, profile, &[("y", "x")], (INPLACE_ADD, 0), &add);
        for dims in shapes(&mut random, rank, true) {
            let x: Vec<T> = some(&mut random, &dims);
            let input = host(&x, &dims);
            twin.agree(&[("x", &input)]);
            let expected = host(&reference::add(&x, delta), &dims);
            assert_same(&twin.gpu.run(&[("x", &input)])[0], &expected, &format!("delta {delta}, {dims:?}"));
        }
    }
}

#[test]
fn additions_in_place_in_single_precision() {
    let Some(device) = gpu("additions_in_place_in_single_precision") else { return };
    additions_in_place::<f32>(&device, 3);
}

#[test]
fn additions_in_place_in_half_precision() {
    let Some(device) = gpu("additions_in_place_in_half_precision") else { return };
    additions_in_place::<f16>(&device, 4);
}

/// Zeros of both signs, no numbers, infinities and the smallest numbers among others.
fn sparse<T: Float>(random: &mut Random, n: usize, zeros_of_16: usize) -> Vec<T> {
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 6e-8, -6e-8, -1.0, 65504.0];
    let mut value = || match random.below(16) {
        drawn if drawn < zeros_of_16 => [0.0, -0.0][random.below(2)],
        _ if random.below(8) == 0 => special[random.below(special.len())],
        _ => 1.0 + random.below(1000) as f32,
    };
    (0..n).map(|_| T::narrow(value())).collect()
}

fn positions<T: Float>(device: &Device, seed: u64) {
    let add = |network: &mut Network, x| network.add_plugin(non_zero_plugin::op(x)).unwrap()[0];
    let mut random = Random::new(seed);
    let mut shapes = vec![[0, 0], [0, 5], [5, 0], [1, 1], [1, 4001], [4001, 1], [33, 31], [128, 128], [7, 1024]];
    shapes.extend((0..if quick() { 2 } else { 12 }).map(|_| [0; 2].map(|_| 1 + random.below(300) as i64)));
    if !quick() {
        // Small ones end at 128 x 1024 elements.
        shapes.extend([[1, 70_001], [70_001, 1], [1024, 128], [1025, 128], [700, 701], [2001, 1503], [3, 1_000_003]]);
    }
    for tactic in tactics(device, NON_ZERO, 2, add) {
        for dims in &shapes {
            let max = if dims.iter().all(|&n| n <= 400) { [400, 400] } else { *dims };
            let profile = [vec![0, 0], max.map(|n| n.min(300)).to_vec(), max.to_vec()];
            let mut twin = twin(device, T::DTYPE, profile, &[], (NON_ZERO, tactic), &add);
            for zeros in [0, 8, 15, 16] {
                let x: Vec<T> = sparse(&mut random, (dims[0] * dims[1]) as usize, zeros);
                let input = host(&x, dims);
                let what = format!("{dims:?}, {zeros} of 16 are 0, tactic {tactic}");
                let expected = reference::non_zero(&x, dims);
                let expected = host(&expected, &[expected.len() as i64 / 2, 2]);
                assert_same(&twin.gpu.run(&[("x", &input)])[0], &expected, &what);
                let run = twin.gpu.context.run(&[("x", &input)]).unwrap();
                assert_same(&run[0].1, &expected, &what);
                assert_same(&twin.expected(&[("x", &input)])[0], &expected, &what);
            }
        }
    }
}

#[test]
fn positions_in_single_precision() {
    let Some(device) = gpu("positions_in_single_precision") else { return };
    positions::<f32>(&device, 5);
}

#[test]
fn positions_in_half_precision() {
    let Some(device) = gpu("positions_in_half_precision") else { return };
    positions::<f16>(&device, 6);
}

/// So many elements that a block writes several tiles, at once where it finds little in them.
#[test]
fn positions_in_many_tiles() {
    const NAME: &str = "positions_in_many_tiles";
    let Some(device) = gpu(NAME) else { return };
    if too_long_for_quick(NAME) {
        return;
    }
    let add = |network: &mut Network, x| network.add_plugin(non_zero_plugin::op(x)).unwrap()[0];
    let mut random = Random::new(12);
    let tactics = tactics(&device, NON_ZERO, 2, add);
    // Ranges of a tile each, and of several.
    for (dims, tactic) in
        [[4001, 4003], [9001, 8193]].into_iter().flat_map(|dims| tactics.iter().map(move |&t| (dims, t)))
    {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float16, dims).unwrap();
        let y = add(&mut network, x);
        network.mark_output(y, "y").unwrap();
        let builder = Builder::new(device.clone()).without_checks().limit_tactics(NON_ZERO, [tactic]);
        let mut rig = Rig::new(builder.build(&network).unwrap(), &[]);
        // Few, many, and few here and many there.
        let n = dims.iter().product::<i64>() as usize;
        let [few, many]: [Vec<f16>; 2] = [15, 8].map(|zeros| sparse(&mut random, (1 << 20) + 13, zeros));
        for pattern in [few.clone(), many.clone(), [few.repeat(3), many].concat()] {
            let x: Vec<f16> = pattern.iter().copied().cycle().take(n).collect();
            let expected = reference::non_zero(&x, &dims);
            let expected = host(&expected, &[expected.len() as i64 / 2, 2]);
            assert_same(&rig.run(&[("x", &host(&x, &dims))])[0], &expected, &format!("{dims:?}, tactic {tactic}"));
        }
    }
}

#[test]
fn the_number_of_positions_stays_on_the_gpu() {
    let Some(device) = gpu("the_number_of_positions_stays_on_the_gpu") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1, -1]).unwrap();
    let [found, _] = network.add_plugin(non_zero_plugin::op(x)).unwrap();
    let [sums] = network.add_plugin(column_sums::op(found)).unwrap();
    network.mark_output(sums, "sums").unwrap();
    let profile = Profile::new().dims("x", [0, 0], [100, 100], [200, 300]);
    let mut twin = Twin::new(&device, &network, &profile, &[]);
    let mut random = Random::new(7);
    for dims in [[200, 300], [1, 1], [0, 7], [33, 100], [200, 1]] {
        let x: Vec<f32> = sparse(&mut random, (dims[0] * dims[1]) as usize, 8);
        let input = host(&x, &dims);
        twin.agree(&[("x", &input)]);
        let mut buffers = twin.gpu.buffers(&[("x", &input)]);
        twin.gpu.context.capture(&mut buffers.bindings(), &twin.gpu.stream).unwrap();
        for zeros in [0, 16, 5] {
            let x: Vec<f32> = sparse(&mut random, (dims[0] * dims[1]) as usize, zeros);
            let input = host(&x, &dims);
            twin.gpu.fill(&mut buffers, &[("x", &input)]);
            twin.gpu.enqueue(&mut buffers);
            assert_same(&twin.gpu.outputs(&buffers)[0], &twin.expected(&[("x", &input)])[0], "replayed");
        }
    }
}

/// Pads of some of the last dimensions: none, small, or larger than the extent.
fn random_pads(random: &mut Random, rank: usize) -> Vec<i32> {
    let padded = random.below(rank + 1);
    (0..2 * padded).map(|_| [0, 1, 2, 3, 9][random.below(5)]).collect()
}

fn padding<T: Float>(device: &Device, seed: u64) {
    let mut random = Random::new(seed);
    let add_small = |network: &mut Network, x| network.add_plugin(circ_pad_plugin::op(x, &[1, 2])).unwrap()[0];
    for tactic in tactics(device, CIRC_PAD, 2, add_small) {
        let cases = if quick() { 4 } else { 24 };
        for case in 0..cases {
            let rank = case % 8 + 1;
            let pads = random_pads(&mut random, rank);
            let add = |network: &mut Network, x| network.add_plugin(circ_pad_plugin::op(x, &pads)).unwrap()[0];
            let limit = (CIRC_PAD, tactic);
            let profile = [vec![1; rank], random_dims(&mut random, rank), most_at(rank)];
            let mut twin = twin(device, T::DTYPE, profile, &[], limit, &add);
            for _ in 0..if quick() { 2 } else { 5 } {
                let dims = random_dims(&mut random, rank);
                let n = dims.iter().product::<i64>() as usize;
                let x: Vec<T> = sparse(&mut random, n, 2);
                let input = host(&x, &dims);
                let (padded, values) = reference::circ_pad(&x, &dims, &pads);
                let what = format!("{dims:?} padded by {pads:?}, tactic {tactic}");
                let expected = host(&values, &padded);
                assert_same(&twin.gpu.run(&[("x", &input)])[0], &expected, &what);
                assert_same(&twin.expected(&[("x", &input)])[0], &expected, &what);
            }
        }
        fixed_padding::<T>(device, tactic, &mut random);
    }
}

/// Shapes like those of images, odd rows, and what is empty and isn't padded.
fn fixed_padding<T: Float>(device: &Device, tactic: i32, random: &mut Random) {
    let mut cases: Vec<(Vec<i64>, Vec<i32>)> = vec![
        (vec![2, 3, 16, 16], vec![1, 1, 1, 1]),
        (vec![2, 2, 5, 257], vec![1, 1, 1, 1]),
        (vec![1, 1, 1, 1], vec![5, 5, 5, 5]),
        (vec![3, 7], vec![0, 0, 2, 0]),
        (vec![4, 0, 6], vec![0, 0, 0, 0, 1, 1]),
        (vec![0], vec![]),
        (vec![9], vec![100, 50]),
    ];
    if !quick() {
        cases.extend([
            (vec![8, 16, 64, 64], vec![1, 1, 1, 1]),
            (vec![3, 1000, 1003], vec![3, 2, 1, 0]),
            (vec![1 << 20], vec![7, 9]),
            (vec![5, 200_001], vec![0, 3]),
            (vec![64, 33, 33], vec![1, 1, 1, 1]),
            (vec![200, 14, 14], vec![1, 1, 1, 1]),
            (vec![3, 2, 128, 128], vec![64, 64, 64, 64]),
            (vec![65, 4099], vec![1, 1, 1, 1]),
            (vec![9, 510], vec![1, 1]),
            (vec![9, 511], vec![1, 1]),
        ]);
    }
    for (dims, pads) in cases {
        let mut network = Network::new();
        let x = network.add_input("x", T::DTYPE, vec![-1; dims.len()]).unwrap();
        let [y] = network.add_plugin(circ_pad_plugin::op(x, &pads)).unwrap();
        network.mark_output(y, "y").unwrap();
        let profile = Profile::new().dims("x", dims.clone(), dims.clone(), dims.clone());
        let builder = Builder::new(device.clone()).profile(profile).limit_tactics(CIRC_PAD, [tactic]);
        let engine = builder.build(&network).unwrap();
        let x: Vec<T> = sparse(random, dims.iter().product::<i64>() as usize, 2);
        let (padded, values) = reference::circ_pad(&x, &dims, &pads);
        let found = Rig::new(engine, &[]).run(&[("x", &host(&x, &dims))]);
        assert_same(&found[0], &host(&values, &padded), &format!("{dims:?} padded by {pads:?}, tactic {tactic}"));
    }
}

#[test]
fn padding_in_single_precision() {
    let Some(device) = gpu("padding_in_single_precision") else { return };
    padding::<f32>(&device, 8);
}

#[test]
fn padding_in_half_precision() {
    let Some(device) = gpu("padding_in_half_precision") else { return };
    padding::<f16>(&device, 9);
}

#[test]
fn the_samples_after_one_another() {
    let Some(device) = gpu("the_samples_after_one_another") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1, -1]).unwrap();
    let [padded] = network.add_plugin(circ_pad_plugin::op(x, &[2, 1, 1, 3])).unwrap();
    let [one_more] = network.add_plugin(elemwise_add_plugin::op(padded, 128)).unwrap();
    let [less] = network.add_plugin(inplace_add_plugin::op(one_more, -3)).unwrap();
    let [found, count] = network.add_plugin(non_zero_plugin::op(less)).unwrap();
    for (tensor, name) in [(less, "less"), (found, "found"), (count, "count")] {
        network.mark_output(tensor, name).unwrap();
    }
    let profile = Profile::new().dims("x", [1, 1], [50, 50], [150, 150]);
    let mut twin = Twin::new(&device, &network, &profile, &[]);
    let mut random = Random::new(10);
    for dims in [[1, 1], [150, 150], [3, 149], [64, 64]] {
        let x: Vec<f32> = (0..dims[0] * dims[1]).map(|_| random.below(5) as f32).collect();
        twin.agree(&[("x", &host(&x, &dims))]);
    }
}

#[test]
fn a_block_size_that_no_gpu_has_is_refused() {
    let Some(device) = gpu("a_block_size_that_no_gpu_has_is_refused") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [10]).unwrap();
    let [y] = network.add_plugin(elemwise_add_plugin::op(x, 1025)).unwrap();
    network.mark_output(y, "y").unwrap();
    let error = Builder::new(device.clone()).build(&network).unwrap_err().to_string();
    assert!(error.contains("`block_size` is 1025"), "{error}");
}
