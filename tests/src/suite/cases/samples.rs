//! The sample plugins.

use plugin_runtime::prelude::*;
use samples::add::elemwise_add_plugin;
use samples::circ_pad::circ_pad_plugin;
use samples::inplace_add::inplace_add_plugin;
use samples::non_zero::non_zero_plugin;
use samples::reference::{self, Float};

use super::{MATRICES, add, at, case, dynamic, from_x, host};
use crate::suite::{Case, On};

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
