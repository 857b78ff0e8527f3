//! The cases. What each has to give is computed by a naive reference here, on random data, at the shapes where things go
//! wrong: none, one, odd, larger than a block.

use plugin_runtime::network::{Network, TensorId};
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use samples::add::elemwise_add_plugin;
use samples::circ_pad::circ_pad_plugin;
use samples::inplace_add::inplace_add_plugin;
use samples::non_zero::non_zero_plugin;
use samples::reference::{self, Float};

use super::{Case, On, Run};
use crate::Random;
use crate::gpu_plugins::ahead::{ahead, ahead_kept, ahead_negated};
use crate::gpu_plugins::elementwise::{add_in_place, affine, mirror, scale, split_signs};
use crate::gpu_plugins::extents::{plain_keep, plain_pairs, plain_sum};
use crate::gpu_plugins::sizes::{column_sums, keep_positive, signed_pairs, sum};
use crate::plugins::{add_channels, missing_to_three, twice};

/// Calls a macro with the names of all cases.
#[macro_export]
macro_rules! for_each_case {
    ($with:ident) => {
        $with! {
            add_f32 add_f16 add_in_place_f32 add_in_place_f16 circ_pad_f32 circ_pad_f16 circ_pad_of_one_dimension
            non_zero_f32 non_zero_f16 scale_f32 scale_f16 scale_in_another_type two_outputs scratch_memory
            attributes_of_each_kind updated_in_place_twice updated_beside_a_reader found_sizes found_sizes_used_later
            found_sizes_without_a_declaration sizes_as_outputs integers kernels_ahead_of_time
            kernels_ahead_of_time_in_half found_sizes_ahead_of_time constants casts layouts another_extent
        }
    };
}

macro_rules! all {
    ($($case:ident)*) => {
        /// Every case.
        pub fn all() -> Vec<Case> {
            vec![$($case()),*]
        }
    };
}

for_each_case!(all);

fn case(name: &'static str, network: Network, runs: Vec<Run>) -> Case {
    let on = vec![On::Cuda];
    Case { name, network, profile: None, types: Vec::new(), in_place: Vec::new(), on, waits: false, runs }
}

fn host<T: Element>(values: &[T], dims: &[i64]) -> HostTensor {
    HostTensor::from_slice(values, dims).expect("as many values as the extents say")
}

fn floats<T: Float>(seed: usize, dims: &[i64]) -> Vec<T> {
    Random::new(seed as u64).floats(dims).into_iter().map(T::narrow).collect()
}

/// A network from one dynamic input `x` to the outputs that `add` returns.
fn from_x(dtype: DataType, rank: usize, add: impl FnOnce(&mut Network, TensorId) -> Vec<TensorId>) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", dtype, vec![-1; rank]).expect("a fresh network takes it");
    let outputs = add(&mut network, x);
    for (position, output) in outputs.into_iter().enumerate() {
        network.mark_output(output, &format!("y{position}")).expect("the name is free");
    }
    network
}

fn add<const N: usize>(network: &mut Network, op: impl plugin_runtime::network::IntoOp<N>) -> [TensorId; N] {
    network.add_plugin(op).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs on random data at each of some shapes.
fn at<T: Float>(shapes: &[&[i64]], expected: impl Fn(&[T], &[i64]) -> Vec<HostTensor>) -> Vec<Run> {
    let run = |(seed, dims): (usize, &&[i64])| {
        let x: Vec<T> = floats(seed + 1, dims);
        Run { inputs: vec![("x", host(&x, dims))], expected: expected(&x, dims) }
    };
    shapes.iter().enumerate().map(run).collect()
}

fn dynamic(min: &[i64], opt: &[i64], max: &[i64]) -> Option<Profile> {
    Some(Profile::new().dims("x", min, opt, max))
}

const LENGTHS: &[&[i64]] = &[&[0], &[1], &[7], &[7], &[256], &[4099], &[20_000], &[4099]];

fn of_vectors(name: &'static str, network: Network, runs: Vec<Run>) -> Case {
    Case { profile: dynamic(&[0], &[4099], &[20_000]), ..case(name, network, runs) }
}

const MATRICES: &[&[i64]] = &[&[0, 5], &[1, 1], &[3, 257], &[61, 67]];

fn samples_add<T: Float>(name: &'static str) -> Case {
    let network = from_x(T::DTYPE, 2, |network, x| add(network, elemwise_add_plugin::op(x, 256)).into());
    let runs = at::<T>(MATRICES, |x, dims| vec![host(&reference::add(x, 1), dims)]);
    let profile = dynamic(&[0, 1], &[61, 67], &[61, 257]);
    Case { profile, on: vec![On::Cuda, On::AheadOfTime], ..case(name, network, runs) }
}

/// `sample::elemwise_add_plugin` in single precision.
pub fn add_f32() -> Case {
    samples_add::<f32>("add_f32")
}

/// `sample::elemwise_add_plugin` in half precision.
pub fn add_f16() -> Case {
    samples_add::<f16>("add_f16")
}

fn samples_inplace_add<T: Float>(name: &'static str) -> Case {
    let network = from_x(T::DTYPE, 2, |network, x| add(network, inplace_add_plugin::op(x, 3)).into());
    let runs = at::<T>(MATRICES, |x, dims| vec![host(&reference::add(x, 3), dims)]);
    let profile = dynamic(&[0, 1], &[61, 67], &[61, 257]);
    Case { profile, in_place: vec![("y0", "x")], ..case(name, network, runs) }
}

/// `sample::inplace_add_plugin` in single precision.
pub fn add_in_place_f32() -> Case {
    samples_inplace_add::<f32>("add_in_place_f32")
}

/// `sample::inplace_add_plugin` in half precision.
pub fn add_in_place_f16() -> Case {
    samples_inplace_add::<f16>("add_in_place_f16")
}

fn samples_circ_pad<T: Float>(name: &'static str) -> Case {
    const PADS: [i32; 8] = [3, 1, 0, 2, 1, 0, 0, 0];
    let network = from_x(T::DTYPE, 4, |network, x| add(network, circ_pad_plugin::op(x, &PADS)).into());
    let runs = at::<T>(&[&[1, 1, 2, 3], &[2, 3, 17, 31], &[1, 2, 64, 129]], |x, dims| {
        let (padded, values) = reference::circ_pad(x, dims, &PADS);
        vec![host(&values, &padded)]
    });
    let profile = dynamic(&[1, 1, 2, 3], &[2, 3, 17, 31], &[2, 3, 64, 129]);
    Case { profile, on: vec![On::Cuda, On::AheadOfTime], ..case(name, network, runs) }
}

/// `sample::circ_pad_plugin` in single precision.
pub fn circ_pad_f32() -> Case {
    samples_circ_pad::<f32>("circ_pad_f32")
}

/// `sample::circ_pad_plugin` in half precision.
pub fn circ_pad_f16() -> Case {
    samples_circ_pad::<f16>("circ_pad_f16")
}

/// `sample::circ_pad_plugin` on a vector, by as much as it has.
pub fn circ_pad_of_one_dimension() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| add(network, circ_pad_plugin::op(x, &[7, 5])).into());
    let runs = at::<f32>(&[&[7], &[4099]], |x, dims| {
        let (padded, values) = reference::circ_pad(x, dims, &[7, 5]);
        vec![host(&values, &padded)]
    });
    Case { profile: dynamic(&[7], &[4099], &[5000]), ..case("circ_pad_of_one_dimension", network, runs) }
}

fn samples_non_zero<T: Float>(name: &'static str) -> Case {
    let network = from_x(T::DTYPE, 2, |network, x| add(network, non_zero_plugin::op(x)).into());
    let runs = at::<T>(MATRICES, |x, dims| {
        let positions = reference::non_zero(x, dims);
        let count = positions.len() as i64 / 2;
        vec![host(&positions, &[count, 2]), host(&[count], &[])]
    });
    Case { profile: dynamic(&[0, 1], &[61, 67], &[61, 257]), ..case(name, network, runs) }
}

/// `sample::non_zero_plugin` in single precision.
pub fn non_zero_f32() -> Case {
    samples_non_zero::<f32>("non_zero_f32")
}

/// `sample::non_zero_plugin` in half precision.
pub fn non_zero_f16() -> Case {
    samples_non_zero::<f16>("non_zero_f16")
}

fn scaled<T: Float>(name: &'static str) -> Case {
    let network = from_x(T::DTYPE, 1, |network, x| add(network, scale::op(x, 2.5)).into());
    let runs = at::<T>(LENGTHS, |x, dims| {
        let y: Vec<T> = x.iter().map(|x| T::narrow(x.widen() * 2.5)).collect();
        vec![host(&y, dims)]
    });
    of_vectors(name, network, runs)
}

/// One multiplication.
pub fn scale_f32() -> Case {
    scaled::<f32>("scale_f32")
}

/// The same in half precision.
pub fn scale_f16() -> Case {
    scaled::<f16>("scale_f16")
}

/// A plugin that may run in half precision in a network of single precision. The values are exact in both.
pub fn scale_in_another_type() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [y] = add(network, scale::op(x, 2.0));
        add(network, scale::op(y, 0.25)).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| vec![host(&x.iter().map(|x| x * 0.5).collect::<Vec<_>>(), dims)]);
    Case { types: vec![DataType::Float16], ..of_vectors("scale_in_another_type", network, runs) }
}

/// A plugin of two outputs, one of which is used again.
pub fn two_outputs() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [positive, negative] = add(network, split_signs::op(x));
        let [scaled] = add(network, scale::op(negative, -1.0));
        vec![positive, negative, scaled]
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let part = |keep: fn(f32) -> bool, factor: f32| {
            let part: Vec<f32> = x.iter().map(|&x| if keep(x) { x } else { 0.0 } * factor).collect();
            host(&part, dims)
        };
        vec![part(|x| x > 0.0, 1.0), part(|x| x < 0.0, 1.0), part(|x| x < 0.0, -1.0)]
    });
    of_vectors("two_outputs", network, runs)
}

/// A plugin that needs scratch memory, between others that use the same.
pub fn scratch_memory() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [a] = add(network, mirror::op(x));
        add(network, mirror::op(a)).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let mirrored = |x: Vec<f32>| -> Vec<f32> { x.iter().rev().chain(&x).copied().collect() };
        vec![host(&mirrored(mirrored(x.to_vec())), &[4 * dims[0]])]
    });
    of_vectors("scratch_memory", network, runs)
}

/// Lists, numbers and truth values as attributes, two of them by default.
pub fn attributes_of_each_kind() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [a] = add(network, affine::op(x, &[2.0, -1.0, 0.5]));
        add(network, affine::op(a, &[1.0]).shift(-2).negate(true)).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let factors = [2.0, -1.0, 0.5];
        let y = x.iter().enumerate().map(|(i, x)| -(x * factors[i % 3] + 3.0 - 2.0));
        vec![host(&y.collect::<Vec<_>>(), dims)]
    });
    of_vectors("attributes_of_each_kind", network, runs)
}

/// Two updates of one memory, which is the input's.
pub fn updated_in_place_twice() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [a] = add(network, add_in_place::op(x, 1.5));
        add(network, add_in_place::op(a, -0.25)).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| vec![host(&x.iter().map(|x| x + 1.25).collect::<Vec<_>>(), dims)]);
    Case { in_place: vec![("y0", "x")], ..of_vectors("updated_in_place_twice", network, runs) }
}

/// An update of what another layer reads: it gets a copy.
pub fn updated_beside_a_reader() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [doubled] = add(network, scale::op(x, 2.0));
        let [updated] = add(network, add_in_place::op(doubled, 1.0));
        let [other] = add(network, scale::op(doubled, -1.0));
        vec![updated, other]
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let of = |f: fn(f32) -> f32| host(&x.iter().map(|&x| f(2.0 * x)).collect::<Vec<_>>(), dims);
        vec![of(|x| x + 1.0), of(|x| -x)]
    });
    of_vectors("updated_beside_a_reader", network, runs)
}

fn positive(x: &[f32]) -> Vec<f32> {
    x.iter().copied().filter(|x| *x > 0.0).collect()
}

fn pairs(x: &[f32]) -> Vec<f32> {
    std::iter::once(x.len() as f32).chain(x.iter().flat_map(|x| [*x, -x])).collect()
}

fn vector(x: &[f32]) -> HostTensor {
    host(x, &[x.len() as i64])
}

/// An output whose extent is found.
pub fn found_sizes() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, _] = add(network, keep_positive::op(x, true));
        vec![kept]
    });
    let runs = at::<f32>(LENGTHS, |x, _| vec![vector(&positive(x))]);
    of_vectors("found_sizes", network, runs)
}

/// Layers after one that finds an extent: by element, by more elements, a reduction, and one that finds again.
pub fn found_sizes_used_later() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, _] = add(network, keep_positive::op(x, false));
        let [scaled] = add(network, scale::op(kept, 2.0));
        let [paired] = add(network, signed_pairs::op(scaled));
        let [total] = add(network, sum::op(scaled));
        let [again, _] = add(network, keep_positive::op(paired, true));
        vec![paired, total, again]
    });
    let runs = at::<f32>(LENGTHS, |x, _| {
        let scaled: Vec<f32> = positive(x).iter().map(|x| x * 2.0).collect();
        let paired = pairs(&scaled);
        let total = scaled.iter().fold(0.0, |sum, x| sum + x);
        vec![vector(&paired), vector(&[total]), vector(&positive(&paired))]
    });
    of_vectors("found_sizes_used_later", network, runs)
}

/// The same by plugins that don't say that they cope with extents that only the device knows.
pub fn found_sizes_without_a_declaration() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, _] = add(network, plain_keep::op(x));
        let [paired] = add(network, plain_pairs::op(kept));
        let [total] = add(network, plain_sum::op(kept));
        vec![paired, total]
    });
    let runs = at::<f32>(LENGTHS, |x, _| {
        let kept = positive(x);
        vec![vector(&pairs(&kept)), vector(&[kept.iter().fold(0.0, |sum, x| sum + x)])]
    });
    Case { waits: true, ..of_vectors("found_sizes_without_a_declaration", network, runs) }
}

/// Size tensors of both types as outputs of the network.
pub fn sizes_as_outputs() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [_, wide] = add(network, keep_positive::op(x, true));
        let [_, narrow] = add(network, keep_positive::op(x, false));
        vec![wide, narrow]
    });
    let runs = at::<f32>(LENGTHS, |x, _| {
        let count = positive(x).len();
        vec![host(&[count as i64], &[]), host(&[count as i32], &[])]
    });
    of_vectors("sizes_as_outputs", network, runs)
}

/// Sums of integers, into a wider type.
pub fn integers() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Int32, [-1, -1]).expect("a fresh network takes it");
    let [y] = add(&mut network, column_sums::op(x));
    network.mark_output(y, "y").expect("the name is free");
    let run = |(seed, dims): (u64, &&[i64])| {
        let mut random = Random::new(seed);
        let x: Vec<i32> = (0..dims[0] * dims[1]).map(|_| random.below(1 << 30) as i32 - (1 << 29)).collect();
        let mut sums = vec![0i64; dims[1] as usize];
        x.chunks_exact(sums.len()).for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += i64::from(*x)));
        Run { inputs: vec![("x", host(&x, dims))], expected: vec![host(&sums, &dims[1..])] }
    };
    let runs = (1..).zip(MATRICES).map(run).collect();
    Case { profile: dynamic(&[0, 1], &[61, 67], &[61, 257]), ..case("integers", network, runs) }
}

/// Kernels that an engine can hold: two launches with scratch memory between them.
pub fn kernels_ahead_of_time() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| add(network, ahead::op(x, 0.5)).into());
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let y: Vec<f32> = x.iter().rev().map(|x| 2.0 * x + 0.5).collect();
        vec![host(&y, dims)]
    });
    Case { on: vec![On::AheadOfTime], ..of_vectors("kernels_ahead_of_time", network, runs) }
}

/// Kernels that run in half precision only.
pub fn kernels_ahead_of_time_in_half() -> Case {
    let network = from_x(DataType::Float16, 1, |network, x| add(network, ahead_negated::op(x)).into());
    let runs = at::<f16>(LENGTHS, |x, dims| vec![host(&x.iter().map(|x| -*x).collect::<Vec<f16>>(), dims)]);
    Case { on: vec![On::AheadOfTime], ..of_vectors("kernels_ahead_of_time_in_half", network, runs) }
}

/// Kernels that find an extent.
pub fn found_sizes_ahead_of_time() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, count] = add(network, ahead_kept::op(x));
        vec![kept, count]
    });
    let runs = at::<f32>(LENGTHS, |x, _| {
        let kept = positive(x);
        vec![vector(&kept), host(&[kept.len() as i64], &[])]
    });
    Case { on: vec![On::AheadOfTime], ..of_vectors("found_sizes_ahead_of_time", network, runs) }
}

/// A constant as an input, as an output, and updated: it stays as it is.
pub fn constants() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).expect("a fresh network takes it");
    let values = [1.0f32, -2.0, 0.0, 3.5];
    let weights = network.add_constant("weights", host(&values, &[4])).expect("the name is free");
    let [updated] = add(&mut network, add_in_place::op(weights, 1.0));
    let [scaled] = add(&mut network, scale::op(x, 2.0));
    for (name, tensor) in [("y0", updated), ("y1", weights), ("y2", scaled)] {
        network.mark_output(tensor, name).expect("the name is free");
    }
    let runs = at::<f32>(&[&[3], &[3], &[0]], |x, _| {
        let scaled: Vec<f32> = x.iter().map(|x| x * 2.0).collect();
        vec![vector(&values.map(|value| value + 1.0)), vector(&values), vector(&scaled)]
    });
    of_vectors("constants", network, runs)
}

/// Casts between floats and integers, of what is found too.
pub fn casts() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let mut cast = |tensor, dtype| network.cast(tensor, dtype).expect("it is of this network");
        let (half, whole) = (cast(x, DataType::Float16), cast(x, DataType::Int32));
        let back = cast(whole, DataType::Float32);
        let [kept, _] = add(network, keep_positive::op(x, true));
        let kept = network.cast(kept, DataType::Float16).expect("it is of this network");
        vec![half, whole, back, kept]
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let half = |x: &[f32]| x.iter().map(|&x| f16::from_f32(x)).collect::<Vec<_>>();
        let whole: Vec<i32> = x.iter().map(|&x| x as i32).collect();
        let back: Vec<f32> = whole.iter().map(|&x| x as f32).collect();
        let kept = half(&positive(x));
        let found = [kept.len() as i64];
        vec![host(&half(x), dims), host(&whole, dims), host(&back, dims), host(&kept, &found)]
    });
    of_vectors("casts", network, runs)
}

/// A plugin that runs in other layouts than row-major, of an odd number of channels.
pub fn layouts() -> Case {
    let mut network = Network::new();
    let dims = [2, 5, 3, 2];
    let x = network.add_input("x", DataType::Float32, dims).expect("a fresh network takes it");
    let [a] = add(&mut network, add_channels::op(x));
    let [b] = add(&mut network, add_channels::op(a));
    network.mark_output(b, "y").expect("the name is free");
    let runs = at::<f32>(&[&dims], |x, dims| vec![host(&x.iter().map(|x| x + 2.0).collect::<Vec<_>>(), dims)]);
    Case { on: Vec::new(), ..case("layouts", network, runs) }
}

/// Extents that are computed from the input's, one of them to nothing.
pub fn another_extent() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [missing] = add(network, missing_to_three::op(x));
        let [double] = add(network, twice::op(x));
        vec![missing, double]
    });
    let runs = at::<f32>(&[&[0], &[1], &[3]], |x, _| vec![vector(&vec![0.0; 3 - x.len()]), vector(&[x, x].concat())]);
    let profile = dynamic(&[0], &[2], &[3]);
    Case { profile, on: Vec::new(), ..case("another_extent", network, runs) }
}
