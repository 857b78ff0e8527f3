//! The cases. The expected outputs of each are computed by a naive reference here, on random data, at the shapes where
//! things go wrong: none, one, odd, larger than a block.

mod ahead;
mod edges;
mod elements;
mod found;
mod kinds;
mod random;
mod samples;

pub use self::ahead::*;
pub use self::edges::*;
pub use self::elements::*;
pub use self::found::*;
pub use self::kinds::*;
pub use self::random::*;
pub use self::samples::*;

use ::samples::reference::Float;
use plugin_runtime::network::{IntoOp, Network, TensorId};
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;

use super::{Case, On, Run};
use crate::Random;

/// Calls a macro with the names of all cases.
#[macro_export]
macro_rules! for_each_case {
    ($with:ident) => {
        $with! {
            add_f32 add_f16 add_in_place_f32 add_in_place_f16 circ_pad_f32 circ_pad_f16 circ_pad_of_one_dimension
            non_zero_f32 non_zero_f16 scale_f32 scale_f16 scale_bf16 scale_in_another_type two_outputs scratch_memory
            attributes_of_each_kind attributes_of_text_and_bytes updated_in_place_twice updated_beside_a_reader
            found_sizes found_sizes_used_later found_sizes_used_later_wide found_sizes_without_a_declaration
            sizes_as_outputs sizes_that_no_output_needs many_sizes integers kernels_ahead_of_time kernels_ahead_of_time_in_half found_sizes_ahead_of_time
            constants casts layouts another_extent random_shapes random_matrices random_padding random_lengths
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

fn add<const N: usize>(network: &mut Network, op: impl IntoOp<N>) -> [TensorId; N] {
    network.add_plugin(op).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs on random data at each of some shapes.
fn at<T: Float>(shapes: &[impl AsRef<[i64]>], expected: impl Fn(&[T], &[i64]) -> Vec<HostTensor>) -> Vec<Run> {
    let run = |(seed, dims): (usize, &[i64])| {
        let x: Vec<T> = floats(seed + 1, dims);
        Run { inputs: vec![("x", host(&x, dims))], expected: expected(&x, dims) }
    };
    shapes.iter().map(AsRef::as_ref).enumerate().map(run).collect()
}

fn dynamic(min: &[i64], opt: &[i64], max: &[i64]) -> Option<Profile> {
    Some(Profile::new().dims("x", min, opt, max))
}

const LENGTHS: &[&[i64]] = &[&[0], &[1], &[7], &[7], &[255], &[256], &[257], &[4099], &[20_000], &[4099]];

fn of_vectors(name: &'static str, network: Network, runs: Vec<Run>) -> Case {
    Case { profile: dynamic(&[0], &[4099], &[20_000]), ..case(name, network, runs) }
}

const MATRICES: &[&[i64]] = &[&[0, 5], &[1, 1], &[3, 257], &[61, 67]];
