//! Runs of elements from one type to another.
//!
//! Float to integer truncates toward zero and saturates, NaN becomes 0; integer to integer saturates; whatever isn't
//! zero is true. Where a scale takes part, INT8 is rounded to the nearest instead, ties to even.

mod half_int8;

use super::halves::{narrow_bytes, widen_bytes};
use super::minifloat::{bf16_to_f32, e4m3_to_f32, f16_to_f32, f32_to_bf16, f32_to_e4m3, f32_to_f16};
use super::vector::vectorized;
use crate::tensor::DataType;

/// Converts a whole run. Both slices hold as many elements, each of a byte or more.
type CastBytes = fn(&[u8], &mut [u8]);

/// How elements get from one type to another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cast {
    /// The bytes stay what they are.
    Copy,
    /// Type to type.
    Direct(CastBytes),
    /// By way of FP32, where values are multiplied and divided.
    Scaled(Scaled),
}

impl Cast {
    /// From one type and scale to another; a scale of 1 takes no part. INT4 stands for its elements unpacked to INT8.
    pub(super) fn new((from, multiply): (DataType, f32), (to, divide): (DataType, f32)) -> Cast {
        let unpacked = |dtype| if dtype == DataType::Int4 { DataType::Int8 } else { dtype };
        if unpacked(from) == unpacked(to) && multiply == divide {
            return Cast::Copy;
        }
        if multiply == 1.0 && divide == 1.0 {
            return Cast::Direct(direct(from, to));
        }
        Cast::Scaled(Scaled {
            load: direct(from, DataType::Float32),
            multiply,
            divide,
            round: to == DataType::Int8,
            store: direct(DataType::Float32, to),
            src_bytes: unpacked_bytes(from),
            dst_bytes: unpacked_bytes(to),
        })
    }

    /// Converts as many elements as each of the slices holds.
    #[inline]
    pub(super) fn run(&self, src: &[u8], dst: &mut [u8]) {
        match self {
            Cast::Copy => dst.copy_from_slice(src),
            Cast::Direct(run) => run(src, dst),
            Cast::Scaled(scaled) => scaled.run(src, dst),
        }
    }
}

/// Bytes of one element, INT4 unpacked.
pub(super) const fn unpacked_bytes(dtype: DataType) -> usize {
    dtype.bits().div_ceil(8) as usize
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Scaled {
    load: CastBytes,
    multiply: f32,
    divide: f32,
    round: bool,
    store: CastBytes,
    src_bytes: usize,
    dst_bytes: usize,
}

impl Scaled {
    fn run(&self, src: &[u8], dst: &mut [u8]) {
        let mut values = [0f32; STEP];
        for (src, dst) in src.chunks(STEP * self.src_bytes).zip(dst.chunks_mut(STEP * self.dst_bytes)) {
            let values = &mut values[..src.len() / self.src_bytes];
            (self.load)(src, bytemuck::must_cast_slice_mut(values));
            vectorized(|| self.scale(values));
            (self.store)(bytemuck::must_cast_slice(values), dst);
        }
    }

    #[inline(always)]
    fn scale(&self, values: &mut [f32]) {
        values.iter_mut().for_each(|value| *value = *value * self.multiply / self.divide);
        if self.round {
            values.iter_mut().for_each(|value| *value = round_for_int8(*value));
        }
    }
}

/// Elements that go from one step of a conversion to the next at a time.
const STEP: usize = 256;

/// The nearest integer, ties to even, of what INT8 can hold.
fn round_for_int8(value: f32) -> f32 {
    /// Floats of this size are one apart.
    const ONE_APART: f32 = 12_582_912.0;
    value.clamp(-128.0, 127.0) + ONE_APART - ONE_APART
}

/// A type as it is stored and as it is computed with.
trait Stored {
    type Bytes: bytemuck::Pod;
    type Value: Copy;
    fn load(bytes: Self::Bytes) -> Self::Value;
    fn store(value: Self::Value) -> Self::Bytes;
}

macro_rules! stored {
    ($($name:ident: $value:ty = $bytes:literal, $load:expr, $store:expr;)*) => {$(
        struct $name;

        impl Stored for $name {
            type Bytes = [u8; $bytes];
            type Value = $value;

            #[inline(always)]
            fn load(bytes: [u8; $bytes]) -> $value {
                $load(bytes)
            }

            #[inline(always)]
            fn store(value: $value) -> [u8; $bytes] {
                $store(value)
            }
        }
    )*};
}

stored! {
    Fp32: f32 = 4, f32::from_ne_bytes, f32::to_ne_bytes;
    Fp16: f32 = 2, |b| f16_to_f32(u16::from_ne_bytes(b)), |v| f32_to_f16(v).to_ne_bytes();
    Bf16: f32 = 2, |b| bf16_to_f32(u16::from_ne_bytes(b)), |v| f32_to_bf16(v).to_ne_bytes();
    Fp8: f32 = 1, |[b]: [u8; 1]| e4m3_to_f32(b), |v| [f32_to_e4m3(v)];
    I64: i64 = 8, i64::from_ne_bytes, i64::to_ne_bytes;
    I32: i32 = 4, i32::from_ne_bytes, i32::to_ne_bytes;
    I8: i8 = 1, i8::from_ne_bytes, i8::to_ne_bytes;
    U8: u8 = 1, u8::from_ne_bytes, u8::to_ne_bytes;
    Boolean: bool = 1, |[b]: [u8; 1]| b != 0, |v| [u8::from(v)];
}

/// As `value as i32`, of which the compiler doesn't make vector instructions.
#[inline(always)]
fn f32_to_i32(value: f32) -> i32 {
    /// The largest one below 2^31.
    const LARGEST: f32 = 2_147_483_520.0;
    let inside = bounded(value, i32::MIN as f32, LARGEST);
    if value > LARGEST { i32::MAX } else { inside }
}

/// The value without its fraction, or the nearest bound. NaN is 0. The bounds are from -2^31 to the largest FP32 below
/// 2^31.
#[inline(always)]
fn bounded(value: f32, least: f32, most: f32) -> i32 {
    let number = if value.is_nan() { 0.0 } else { value };
    let inside = number.max(least).min(most);
    #[expect(unsafe_code, reason = "the compiler doesn't see that the value fits")]
    // SAFETY: not NaN, and within bounds that fit.
    unsafe {
        inside.to_int_unchecked()
    }
}

trait Convert<To> {
    fn convert(self) -> To;
}

macro_rules! convert {
    ($value:ident: $($from:ty => $($to:ty = $result:expr),+;)*) => {$($(
        impl Convert<$to> for $from {
            #[inline(always)]
            fn convert(self) -> $to {
                let $value = self;
                $result
            }
        }
    )+)*};
}

convert! { v:
    f32 => f32 = v, i64 = v as i64, i32 = f32_to_i32(v), i8 = bounded(v, -128.0, 127.0) as i8,
           u8 = bounded(v, 0.0, 255.0) as u8, bool = v != 0.0;
    i64 => f32 = v as f32, i64 = v, i32 = v.clamp(i32::MIN.into(), i32::MAX.into()) as i32,
           i8 = v.clamp(-128, 127) as i8, u8 = v.clamp(0, 255) as u8, bool = v != 0;
    i32 => f32 = v as f32, i64 = v.into(), i32 = v, i8 = v.clamp(-128, 127) as i8, u8 = v.clamp(0, 255) as u8,
           bool = v != 0;
    i8 => f32 = v.into(), i64 = v.into(), i32 = v.into(), i8 = v, u8 = v.max(0) as u8, bool = v != 0;
    u8 => f32 = v.into(), i64 = v.into(), i32 = v.into(), i8 = v.min(127) as i8, u8 = v, bool = v != 0;
    bool => f32 = u8::from(v).into(), i64 = v.into(), i32 = v.into(), i8 = v.into(), u8 = v.into(), bool = v;
}

fn run<S: Stored, D: Stored>(src: &[u8], dst: &mut [u8])
where
    S::Value: Convert<D::Value>,
{
    let src: &[S::Bytes] = bytemuck::cast_slice(src);
    let dst: &mut [D::Bytes] = bytemuck::cast_slice_mut(dst);
    vectorized(|| {
        for (to, &from) in dst.iter_mut().zip(src) {
            *to = D::store(S::load(from).convert());
        }
    });
}

/// From FP16 by way of FP32, since processors have an instruction for that.
fn run_from_half<D: Stored>(src: &[u8], dst: &mut [u8])
where
    f32: Convert<D::Value>,
{
    let mut values = [[0u8; 4]; STEP];
    for (src, dst) in src.chunks(STEP * 2).zip(dst.chunks_mut(STEP * size_of::<D::Bytes>())) {
        let values = &mut values[..src.len() / 2];
        widen_bytes(bytemuck::cast_slice(src), values);
        run::<Fp32, D>(bytemuck::must_cast_slice(values), dst);
    }
}

macro_rules! half_casts {
    ($($name:ident: $run_rest:ident, $from:literal to $to:literal;)*) => {$(
        fn $name(src: &[u8], dst: &mut [u8]) {
            let done = half_int8::$name(src, dst);
            if done * $from < src.len() {
                $run_rest::<I8>(&src[done * $from..], &mut dst[done * $to..]);
            }
        }
    )*};
}

half_casts! {
    halves_to_int8: run_from_half, 2 to 1;
    halves_to_int4: run_from_half, 2 to 1;
    int8_to_halves: run_to_half, 1 to 2;
    int4_to_halves: run_to_half, 1 to 2;
}

/// To FP16 by way of FP32, from which each type would be rounded anyway.
fn run_to_half<S: Stored>(src: &[u8], dst: &mut [u8])
where
    S::Value: Convert<f32>,
{
    let mut values = [[0u8; 4]; STEP];
    for (src, dst) in src.chunks(STEP * size_of::<S::Bytes>()).zip(dst.chunks_mut(STEP * 2)) {
        let values = &mut values[..dst.len() / 2];
        run::<S, Fp32>(src, bytemuck::must_cast_slice_mut(values));
        narrow_bytes(values, bytemuck::cast_slice_mut(dst));
    }
}

/// `$then!($marker)` for the marker of a type.
macro_rules! with_marker {
    ($dtype:expr, $marker:ident => $then:expr) => {
        match $dtype {
            DataType::Float32 => {
                type $marker = Fp32;
                $then
            }
            DataType::Float16 => {
                type $marker = Fp16;
                $then
            }
            DataType::BFloat16 => {
                type $marker = Bf16;
                $then
            }
            DataType::Float8 => {
                type $marker = Fp8;
                $then
            }
            DataType::Int64 => {
                type $marker = I64;
                $then
            }
            DataType::Int32 => {
                type $marker = I32;
                $then
            }
            DataType::Int8 | DataType::Int4 => {
                type $marker = I8;
                $then
            }
            DataType::UInt8 => {
                type $marker = U8;
                $then
            }
            DataType::Bool => {
                type $marker = Boolean;
                $then
            }
        }
    };
}

fn direct(from: DataType, to: DataType) -> CastBytes {
    match (from, to) {
        (DataType::Float16, DataType::Float32) => {
            return |src, dst| widen_bytes(bytemuck::cast_slice(src), bytemuck::cast_slice_mut(dst));
        }
        (DataType::Float32, DataType::Float16) => {
            return |src, dst| narrow_bytes(bytemuck::cast_slice(src), bytemuck::cast_slice_mut(dst));
        }
        (DataType::Float16, DataType::Int8) => return halves_to_int8,
        (DataType::Float16, DataType::Int4) => return halves_to_int4,
        (DataType::Int8, DataType::Float16) => return int8_to_halves,
        (DataType::Int4, DataType::Float16) => return int4_to_halves,
        (DataType::Float16, _) => return with_marker!(to, To => run_from_half::<To>),
        (_, DataType::Float16) => return with_marker!(from, From => run_to_half::<From>),
        _ => {}
    }
    with_marker!(from, From => with_marker!(to, To => run::<From, To>))
}
