//! Made-up inputs for timing, and how near two results must be.

use half::{bf16, f16};

use crate::device::cpu::reformat::reformat;
use crate::error::Result;
use crate::tensor::{DataClass, DataType, HostTensor, Representation};

/// Data of any type: about a quarter zeros; floats between -1 and 1 that every float type holds exactly; small integers
/// that are valid as indices into most things; both booleans.
pub(crate) fn sample(dtype: DataType, dims: &[i64], seed: u64) -> Result<HostTensor> {
    let mut tensor = HostTensor::zeros(dtype, dims)?;
    let mut random = SplitMix(seed);
    let mut draw = || {
        let bits = random.next();
        if bits & 3 == 0 { 0 } else { (bits >> 8) % 8 + 1 }
    };
    match dtype {
        DataType::Float32 => fill::<f32>(&mut tensor, || eighths(draw()))?,
        DataType::Float16 => fill::<f16>(&mut tensor, || f16::from_f32(eighths(draw())))?,
        DataType::BFloat16 => fill::<bf16>(&mut tensor, || bf16::from_f32(eighths(draw())))?,
        DataType::Int64 => fill::<i64>(&mut tensor, || draw() as i64 % 8)?,
        DataType::Int32 => fill::<i32>(&mut tensor, || draw() as i32 % 8)?,
        DataType::Int8 => fill::<i8>(&mut tensor, || draw() as i8 % 8)?,
        DataType::UInt8 | DataType::Int4 => fill::<u8>(&mut tensor, || (draw() % 8) as u8)?,
        DataType::Bool => fill::<u8>(&mut tensor, || (draw() % 2) as u8)?,
        // Sign, exponent and mantissa of 0, 1/8 .. 1 in E4M3.
        DataType::Float8 => {
            const EIGHTHS: [u8; 9] = [0x00, 0x20, 0x28, 0x2c, 0x30, 0x32, 0x34, 0x36, 0x38];
            fill::<u8>(&mut tensor, || EIGHTHS[draw() as usize % 9])?;
        }
    }
    Ok(tensor)
}

fn eighths(drawn: u64) -> f32 {
    let sign = if drawn.is_multiple_of(2) { 1.0 } else { -1.0 };
    sign * drawn as f32 / 8.0
}

fn fill<T: crate::tensor::Element>(tensor: &mut HostTensor, mut next: impl FnMut() -> T) -> Result<()> {
    tensor.as_mut_slice::<T>()?.iter_mut().for_each(|v| *v = next());
    Ok(())
}

struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// How much two results may differ, relative to the larger of 1 and the value, when the coarsest type between them is
/// `dtype`.
fn tolerance(dtype: DataType) -> f32 {
    match dtype {
        DataType::Float8 => 0.25,
        DataType::BFloat16 => 0.05,
        DataType::Float16 => 0.01,
        _ => 1e-4,
    }
}

/// What differs between two tensors of one type, where something does. Floats may differ by the tolerance of the
/// coarsest type that either was computed in; everything else must be equal.
pub(crate) fn difference(expected: &HostTensor, got: &HostTensor, coarsest: DataType) -> Option<String> {
    if expected.dims() != got.dims() {
        return Some(format!("its shape is {:?}, not {:?}", got.dims(), expected.dims()));
    }
    if expected.bytes() == got.bytes() {
        return None;
    }
    if expected.dtype().class() != DataClass::Float {
        let bytes = expected.bytes().iter().zip(got.bytes());
        let at = bytes.enumerate().find(|(_, (e, g))| e != g)?.0;
        let element = at * 8 / expected.dtype().bits() as usize;
        return Some(format!("element {element} isn't equal"));
    }
    let (expected, got) = match (as_f32(expected), as_f32(got)) {
        (Ok(expected), Ok(got)) => (expected, got),
        (Err(e), _) | (_, Err(e)) => return Some(e.to_string()),
    };
    let (expected, got) = (expected.as_slice::<f32>().ok()?, got.as_slice::<f32>().ok()?);
    let tolerance = tolerance(coarsest);
    let near = |e: f32, g: f32| e == g || (e.is_nan() && g.is_nan()) || (e - g).abs() <= tolerance * e.abs().max(1.0);
    let (at, (e, g)) = expected.iter().zip(got).enumerate().find(|(_, (e, g))| !near(**e, **g))?;
    Some(format!("element {at} is {g}, not {e}"))
}

fn as_f32(tensor: &HostTensor) -> Result<HostTensor> {
    let mut floats = HostTensor::zeros(DataType::Float32, tensor.dims())?;
    let (from, to) = (Representation::linear(tensor.dtype()), Representation::linear(DataType::Float32));
    reformat(from, tensor.bytes(), to, floats.bytes_mut(), &tensor.extents())?;
    Ok(floats)
}

/// The type of the least precision among some.
pub(crate) fn coarsest<'a>(types: impl IntoIterator<Item = &'a DataType>) -> DataType {
    let floats = types.into_iter().copied().filter(|t| t.class() == DataClass::Float);
    floats.max_by(|a, b| tolerance(*a).total_cmp(&tolerance(*b))).unwrap_or(DataType::Float32)
}
