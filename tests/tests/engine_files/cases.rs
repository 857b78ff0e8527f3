//! Networks with what an engine file has to hold: constants, in-place updates, several profiles, extents that depend on
//! data, scratch memory, layouts, casts, named tactics.

use plugin_runtime::device::Device;
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use tests::plugins::{
    add_channels, add_in_place, keep_positive, misbehave, missing_to_three, refuse_nan, scale, twice,
};
use tests::{Random, tensor};

/// A network, what it is built with, and inputs to run it on, for each profile.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    network: Network,
    profiles: Vec<Profile>,
    types: Vec<DataType>,
    pub(crate) inputs: Vec<Vec<(&'static str, HostTensor)>>,
}

impl Case {
    fn new(name: &'static str, network: Network) -> Self {
        Case { name, network, profiles: Vec::new(), types: Vec::new(), inputs: Vec::new() }
    }

    pub(crate) fn build(&self) -> Engine {
        self.build_with(|builder| builder)
    }

    pub(crate) fn build_with(&self, configure: impl FnOnce(Builder<'_>) -> Builder<'_>) -> Engine {
        let builder = self.profiles.iter().cloned().fold(Builder::new(Device::cpu()), Builder::profile);
        configure(builder.allow_types(self.types.iter().copied())).build(&self.network).unwrap()
    }
}

fn scaled_constant() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2, 3]).unwrap();
    let weights = network.add_constant("weights", tensor(&[1.0, -2.0, 3.5], &[3])).unwrap();
    let empty = network.add_constant("empty", tensor(&[], &[0])).unwrap();
    let [a] = network.add_plugin(scale::op(x, 2.5)).unwrap();
    let [b] = network.add_plugin(add_in_place::op(weights, 1.0)).unwrap();
    let [c] = network.add_plugin(twice::op(weights)).unwrap();
    let [d] = network.add_plugin(scale::op(empty, 1.0)).unwrap();
    for (name, tensor) in [("a", a), ("b", b), ("c", c), ("d", d), ("weights again", weights)] {
        network.mark_output(tensor, name).unwrap();
    }
    let inputs = vec![vec![("x", tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]))]];
    Case { types: vec![DataType::Float16], inputs, ..Case::new("scaled_constant", network) }
}

pub(crate) fn in_place() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(add_in_place::op(x, 2.0)).unwrap();
    let [b] = network.add_plugin(add_in_place::op(a, 4.0)).unwrap();
    network.mark_output(b, "y").unwrap();
    let inputs = vec![vec![("x", tensor(&[0.0, 1.0, 2.0], &[3]))], vec![("x", tensor(&[0.5; 7], &[7]))]];
    let profiles = vec![Profile::new().dims("x", [1], [3], [4]), Profile::new().dims("x", [5], [7], [9])];
    Case { profiles, inputs, ..Case::new("in_place", network) }
}

fn data_dependent() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, ["n"]).unwrap();
    let other = network.add_input("other", DataType::Float32, ["n"]).unwrap();
    let [kept, count] = network.add_plugin(keep_positive::op(x)).unwrap();
    let [scaled] = network.add_plugin(scale::op(kept, 2.0)).unwrap();
    let [double] = network.add_plugin(twice::op(scaled)).unwrap();
    let [again, _] = network.add_plugin(keep_positive::op(double)).unwrap();
    let [rest] = network.add_plugin(missing_to_three::op(kept)).unwrap();
    let [summed] = network.add_plugin(add_in_place::op(double, 1.0)).unwrap();
    let half = network.cast(kept, DataType::Float16).unwrap();
    let [checked] = network.add_plugin(refuse_nan::op(other)).unwrap();
    let outputs =
        [("count", count), ("summed", summed), ("again", again), ("rest", rest), ("checked", checked), ("half", half)];
    for (name, tensor) in outputs {
        network.mark_output(tensor, name).unwrap();
    }
    let [x, other] = [[1.0, -1.0, 0.5, 0.0, 2.0], [1.0; 5]].map(|data| tensor(&data, &[5]));
    let profile = |max: i64| Profile::new().dims("x", [0], [5], [max]).dims("other", [0], [5], [max]);
    let inputs = vec![vec![("x", x.clone()), ("other", other.clone())], vec![("x", x), ("other", other)]];
    Case { profiles: vec![profile(8), profile(100)], inputs, ..Case::new("data_dependent", network) }
}

fn layouts() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2, 5, 3, 2]).unwrap();
    let [a] = network.add_plugin(add_channels::op(x)).unwrap();
    let [b] = network.add_plugin(add_channels::op(a)).unwrap();
    network.mark_output(b, "y").unwrap();
    network.mark_output(a, "a").unwrap();
    let inputs = vec![vec![("x", tensor(&Random::new(5).floats(&[2, 5, 3, 2]), &[2, 5, 3, 2]))]];
    Case { inputs, ..Case::new("layouts", network) }
}

pub(crate) fn named_tactics() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y, n] = network.add_plugin(misbehave::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    network.mark_output(n, "n").unwrap();
    let inputs = vec![vec![("x", tensor(&[1.0, 2.0, 3.0, 4.0], &[4]))]];
    Case { inputs, ..Case::new("named_tactics", network) }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![scaled_constant(), in_place(), data_dependent(), layouts(), named_tactics()]
}

pub(crate) type Outputs = Vec<(String, Vec<i64>, Vec<u8>)>;

pub(crate) fn run(engine: &Engine, profile: usize, inputs: &[(&str, HostTensor)]) -> plugin_runtime::Result<Outputs> {
    let inputs: Vec<(&str, &HostTensor)> = inputs.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let found = engine.create_context_for(profile)?.run(&inputs)?;
    Ok(found.into_iter().map(|(name, t)| (name, t.shape().to_vec(), t.bytes().to_vec())).collect())
}
