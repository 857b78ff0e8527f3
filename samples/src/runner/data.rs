//! Inputs: made up from a seed, or read from a file.

use half::f16;
use plugin_runtime::tensor::{DataType, HostTensor};

use super::cli::SampleArgs;
use super::failure::{Failure, Result};
use super::npy;

/// The most bytes that are made up.
const MOST_BYTES: u64 = 4 << 30;

/// What made-up elements look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fill {
    /// Multiples of 1/16 from -8 up to 8, which f32 and f16 both hold exactly.
    Values,
    /// The same, about half of them replaced by zero.
    HalfZeros,
    /// The same, about so many of a hundred of them not replaced by zero.
    NonZeros { percent: u8 },
}

/// The input that the command line asks for.
///
/// # Errors
/// When the file can't be read, holds another type than asked for, or the shape is too large to make up.
pub(super) fn input(args: &SampleArgs, default_shape: &[i64], fill: Fill) -> Result<HostTensor> {
    let Some(path) = &args.input else {
        let shape = args.shape.as_ref().map_or(default_shape, |shape| &shape.0);
        let dtype = args.dtype.map_or(DataType::Float32, |dtype| dtype.data_type());
        return made_up(dtype, shape, args.build.seed, fill);
    };
    let tensor = npy::read(path)?;
    let expected = match args.dtype {
        Some(dtype) => vec![dtype.data_type()],
        None => vec![DataType::Float32, DataType::Float16],
    };
    if !expected.contains(&tensor.dtype()) {
        let names: Vec<&str> = expected.iter().map(|dtype| dtype.name()).collect();
        return Err(Failure::work(format_args!(
            "{} holds {} elements; expected {}: convert it, e.g. x.astype('{}')",
            path.display(),
            tensor.dtype(),
            names.join(" or "),
            if expected.first() == Some(&DataType::Float16) { "<f2" } else { "<f4" },
        )));
    }
    Ok(tensor)
}

/// A tensor whose elements follow from the seed.
///
/// # Errors
/// Above [`MOST_BYTES`], or for a type other than FP32 and FP16.
pub(super) fn made_up(dtype: DataType, shape: &[i64], seed: u64, fill: Fill) -> Result<HostTensor> {
    let too_large = || {
        Failure::work(format_args!(
            "an input of {dtype} {shape:?} is more than {} GiB, the most that is made up; give one with --input",
            MOST_BYTES >> 30
        ))
    };
    let numel = if shape.contains(&0) {
        0
    } else {
        shape.iter().try_fold(1u64, |n, &d| n.checked_mul(u64::try_from(d).ok()?)).ok_or_else(too_large)?
    };
    dtype.bytes_for(numel).filter(|bytes| *bytes <= MOST_BYTES).ok_or_else(too_large)?;
    let mut state = seed;
    let values = std::iter::repeat_with(|| value(splitmix64(&mut state), fill)).take(numel as usize);
    let tensor = match dtype {
        DataType::Float32 => HostTensor::from_slice(&values.collect::<Vec<f32>>(), shape),
        DataType::Float16 => HostTensor::from_slice(&values.map(f16::from_f32).collect::<Vec<f16>>(), shape),
        other => return Err(Failure::work(format_args!("inputs of {other} can't be made up"))),
    };
    Ok(tensor?)
}

fn value(random: u64, fill: Fill) -> f32 {
    let is_zero = match fill {
        Fill::Values => false,
        Fill::HalfZeros => random & 1 == 0,
        Fill::NonZeros { percent } => random % 100 >= u64::from(percent),
    };
    if is_zero {
        return 0.0;
    }
    // The high 8 bits: whole numbers that f32 holds.
    ((random >> 56) as f32 - 128.0) / 16.0
}

/// The generator SplitMix64.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_data_follows_from_the_seed() {
        let make = |seed| made_up(DataType::Float32, &[64, 64], seed, Fill::HalfZeros).unwrap();
        let (first, again, other) = (make(1), make(1), make(2));
        let elements = |tensor: &HostTensor| tensor.as_slice::<f32>().unwrap().to_vec();
        assert_eq!(elements(&first), elements(&again));
        assert_ne!(elements(&first), elements(&other));
        let zeros = elements(&first).iter().filter(|v| **v == 0.0).count();
        assert!((1600..2500).contains(&zeros), "{zeros}");

        let halves = made_up(DataType::Float16, &[64, 64], 1, Fill::HalfZeros).unwrap();
        let widened: Vec<f32> = halves.as_slice::<f16>().unwrap().iter().map(|v| v.to_f32()).collect();
        assert_eq!(widened, elements(&first));
    }

    #[test]
    fn too_much_is_refused_before_memory_is_taken() {
        for shape in [&[1 << 20, 1 << 20][..], &[i64::MAX, 3]] {
            assert!(made_up(DataType::Float32, shape, 0, Fill::Values).unwrap_err().to_string().contains("--input"));
        }
        assert_eq!(made_up(DataType::Float32, &[0, i64::MAX], 0, Fill::Values).unwrap().shape(), [0, i64::MAX]);
    }
}
