//! Made-up inputs for trials.

use half::{bf16, f16};

use super::difference::converted;
use crate::device::cpu::for_each_chunk_mut;
use crate::error::{Error, Result};
use crate::plugin::{Sample, Values};

use crate::guard::guarded;
use crate::tensor::{DataClass, DataType, Element, HostTensor};

/// Data as an author describes it; `symbols` are the values of the network's symbols.
///
/// # Errors
/// When there is no such data, or the author's function fails.
pub(crate) fn sample(wanted: &Sample, dtype: DataType, dims: &[i64], symbols: &[i64], seed: u64) -> Result<HostTensor> {
    let tensor = match &wanted.values {
        Values::Usual => usual(dtype, dims, seed)?,
        Values::Filled(fill) => {
            let mut tensor = HostTensor::zeros(dtype, dims)?;
            guarded(|| fill(&mut tensor, seed))?;
            return unchanged(tensor, dtype, dims);
        }
        Values::Below(bound) => {
            let most = bound.evaluate(symbols)?;
            let (below, count) =
                (u64::try_from(most).unwrap_or(0), HostTensor::zeros(DataType::Bool, dims)?.bytes().len());
            if below == 0 && count > 0 {
                return Err(Error::plugin(format_args!("no whole number from 0 is below {bound}, which is {most}")));
            }
            let draw = |bits| ((u128::from(bits) * u128::from(below)) >> 64) as i64;
            converted(&filled::<i64>(dims, seed, draw)?, dtype)?
        }
        Values::Uniform { low, high } => {
            if !(low.is_finite() && high.is_finite() && low < high) {
                return Err(Error::plugin(format_args!("no number is from {low} and below {high}")));
            }
            let draw = |bits: u64| low + (high - low) * (bits >> 11) as f64 / (1u64 << 53) as f64;
            match dtype.class() {
                DataClass::Float => converted(&filled::<f32>(dims, seed, |bits| draw(bits) as f32)?, dtype)?,
                DataClass::Integer | DataClass::Bool => {
                    converted(&filled::<i64>(dims, seed, |bits| draw(bits).floor() as i64)?, dtype)?
                }
            }
        }
    };
    if wanted.sorted { sorted(tensor) } else { Ok(tensor) }
}

fn unchanged(tensor: HostTensor, dtype: DataType, dims: &[i64]) -> Result<HostTensor> {
    if (tensor.dtype(), tensor.shape()) == (dtype, dims) {
        return Ok(tensor);
    }
    let (got, extents) = (tensor.dtype(), tensor.shape());
    Err(Error::plugin(format_args!("the function of Sample::with put {got} {extents:?} in place of {dtype} {dims:?}")))
}

fn filled<T: Element>(dims: &[i64], seed: u64, value: impl Fn(u64) -> T + Sync) -> Result<HostTensor> {
    let mut tensor = HostTensor::zeros(T::DTYPE, dims)?;
    fill::<T>(&mut tensor, seed, value)?;
    Ok(tensor)
}

/// Ascending along the last dimension.
fn sorted(tensor: HostTensor) -> Result<HostTensor> {
    let Some(&row) = tensor.shape().last().filter(|&&row| row > 1) else { return Ok(tensor) };
    let (dtype, row) = (tensor.dtype(), row as usize);
    if dtype.class() == DataClass::Float {
        let mut floats = converted(&tensor, DataType::Float32)?;
        floats.as_mut_slice::<f32>()?.chunks_mut(row).for_each(|row| row.sort_unstable_by(f32::total_cmp));
        return converted(&floats, dtype);
    }
    let mut integers = converted(&tensor, DataType::Int64)?;
    integers.as_mut_slice::<i64>()?.chunks_mut(row).for_each(<[i64]>::sort_unstable);
    converted(&integers, dtype)
}

/// Data of any type: about a quarter zeros; floats between -1 and 1 that every float type holds exactly; small integers
/// that are valid as indices into most things; both booleans.
fn usual(dtype: DataType, dims: &[i64], seed: u64) -> Result<HostTensor> {
    let mut tensor = HostTensor::zeros(dtype, dims)?;
    let draw = |bits: u64| {
        if bits & 3 == 0 { 0 } else { (bits >> 8) % 8 + 1 }
    };
    match dtype {
        DataType::Float32 => fill::<f32>(&mut tensor, seed, |bits| eighths(draw(bits)))?,
        DataType::Float16 => fill::<f16>(&mut tensor, seed, |bits| f16::from_f32(eighths(draw(bits))))?,
        DataType::BFloat16 => fill::<bf16>(&mut tensor, seed, |bits| bf16::from_f32(eighths(draw(bits))))?,
        DataType::Int64 => fill::<i64>(&mut tensor, seed, |bits| draw(bits) as i64 % 8)?,
        DataType::Int32 => fill::<i32>(&mut tensor, seed, |bits| draw(bits) as i32 % 8)?,
        DataType::Int8 => fill::<i8>(&mut tensor, seed, |bits| draw(bits) as i8 % 8)?,
        DataType::UInt8 | DataType::Int4 => fill::<u8>(&mut tensor, seed, |bits| (draw(bits) % 8) as u8)?,
        DataType::Bool => fill::<u8>(&mut tensor, seed, |bits| (draw(bits) % 2) as u8)?,
        // Sign, exponent and mantissa of 0, 1/8 .. 1 in E4M3.
        DataType::Float8 => {
            const EIGHTHS: [u8; 9] = [0x00, 0x20, 0x28, 0x2c, 0x30, 0x32, 0x34, 0x36, 0x38];
            fill::<u8>(&mut tensor, seed, |bits| EIGHTHS[draw(bits) as usize % 9])?;
        }
    }
    Ok(tensor)
}

fn eighths(drawn: u64) -> f32 {
    let sign = if drawn.is_multiple_of(2) { 1.0 } else { -1.0 };
    sign * drawn as f32 / 8.0
}

/// Elements made of 64 random bits each, which are the same however many threads there are.
fn fill<T: Element>(tensor: &mut HostTensor, seed: u64, value: impl Fn(u64) -> T + Sync) -> Result<()> {
    const CHUNK: usize = 1 << 16;
    for_each_chunk_mut(tensor.as_mut_slice::<T>()?, CHUNK, |index, chunk| {
        let start = (index * CHUNK) as u64;
        chunk.iter_mut().zip(start..).for_each(|(element, position)| *element = value(random(seed, position)));
    });
    Ok(())
}

/// The number at a position of the sequence that SplitMix64 gives for a seed.
fn random(seed: u64, position: u64) -> u64 {
    let mut z = seed.wrapping_add(position.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [DataType; 10] = DataType::ALL;

    fn drawn(wanted: &Sample, dtype: DataType, dims: &[i64]) -> Vec<f32> {
        let tensor = sample(wanted, dtype, dims, &[], 7).unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (dtype, dims));
        converted(&tensor, DataType::Float32).unwrap().as_slice::<f32>().unwrap().to_vec()
    }

    #[test]
    fn whole_numbers_below_a_bound() {
        for dtype in TYPES.into_iter().filter(|dtype| *dtype != DataType::Bool) {
            let values = drawn(&Sample::below(4), dtype, &[3, 101]);
            assert!((0..4).all(|v| values.contains(&(v as f32))) && values.iter().all(|v| *v < 4.0), "{dtype}");
        }
        let none = sample(&Sample::below(0), DataType::Int64, &[2], &[], 1).unwrap_err().to_string();
        assert_eq!(none, "no whole number from 0 is below 0, which is 0");
        assert!(sample(&Sample::below(0), DataType::Int64, &[0], &[], 1).is_ok());
        let large = sample(&Sample::below(i64::MAX), DataType::Int64, &[100], &[], 1).unwrap();
        assert!(large.as_slice::<i64>().unwrap().iter().all(|v| *v >= 0));
    }

    #[test]
    fn numbers_between_two_and_in_order() {
        let values = drawn(&Sample::uniform(-2.0, 3.0).sorted(), DataType::Float16, &[2, 50]);
        assert!(values.iter().all(|v| (-2.0..=3.0).contains(v)));
        assert!(values.chunks(50).all(|row| row.is_sorted()));
        let values = drawn(&Sample::uniform(-2.0, 3.0), DataType::Int32, &[100]);
        assert!((-2..3).all(|v| values.contains(&(v as f32))) && !values.contains(&3.0));
        let values = drawn(&Sample::new().sorted(), DataType::Int64, &[100]);
        assert!(values.is_sorted() && values.contains(&7.0));
        for (low, high) in [(1.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(sample(&Sample::uniform(low, high), DataType::Int32, &[1], &[], 1).is_err());
        }
    }

    #[test]
    fn the_numbers_are_those_of_splitmix64_wherever_a_thread_begins() {
        assert_eq!(
            [0, 1, 2].map(|at| random(1_234_567, at)),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
        let drawn = drawn(&Sample::below(1 << 20), DataType::Int64, &[(1 << 16) + 5]);
        let expected = |at: u64| ((u128::from(random(7, at)) << 20) >> 64) as f32;
        assert!(drawn.iter().zip(0..).all(|(value, at)| *value == expected(at)));
    }

    #[test]
    fn a_function_of_the_authors() {
        let counted = Sample::with(|tensor, seed| {
            tensor.as_mut_slice::<i32>()?.iter_mut().zip(seed as i32..).for_each(|(v, n)| *v = n);
            Ok(())
        });
        assert_eq!(drawn(&counted, DataType::Int32, &[3]), [7.0, 8.0, 9.0]);
        let grown = Sample::with(|tensor, _| {
            *tensor = HostTensor::zeros(DataType::Bool, &[9])?;
            Ok(())
        });
        let refused = |wanted: &Sample| sample(wanted, DataType::Int32, &[3], &[], 1).unwrap_err().to_string();
        assert!(refused(&grown).ends_with("put BOOL [9] in place of INT32 [3]"));
        assert_eq!(refused(&Sample::with(|_, _| panic!("no data"))), "the plugin panicked: no data");
    }
}
