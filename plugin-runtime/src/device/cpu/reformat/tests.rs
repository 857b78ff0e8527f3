use half::{bf16, f16};

use super::super::minifloat::{e4m3_to_f32, f32_to_e4m3};
use super::*;
use crate::device::numbers::Numbers;
use crate::tensor::{DataClass, DataType::*, Format::*};

#[derive(Clone, Copy, Debug)]
enum Value {
    Float(f32),
    Integer(i64),
}

/// Where the layout's definition puts an element. LINEAR is row-major; the others are written `[N][C..][..][lanes]`.
fn naive_offset(format: Format, dims: &[i64], index: &[i64]) -> usize {
    let axes = |range: std::ops::Range<usize>| range.fold(0, |n, axis| n * dims[axis] + index[axis]);
    let rank = dims.len();
    let up = |c: i64, k: i64| (c + k - 1) / k;
    let vectors = |channel: usize, k: i64| {
        let places: i64 = dims[channel + 1..].iter().product();
        let block = axes(0..channel) * up(dims[channel], k) + index[channel] / k;
        (block * places + axes(channel + 1..rank)) * k + index[channel] % k
    };
    let last = |channel: usize, k: i64| {
        let places: i64 = dims[channel + 1..].iter().product();
        (axes(0..channel) * places + axes(channel + 1..rank)) * up(dims[channel], k) * k + index[channel]
    };
    let offset = match format {
        Linear => axes(0..rank),
        Chw2 => vectors(rank - 3, 2),
        Chw4 => vectors(rank - 3, 4),
        Chw16 => vectors(rank - 3, 16),
        Chw32 => vectors(rank - 3, 32),
        Hwc => last(rank - 3, 1),
        Hwc8 => last(rank - 3, 8),
        Hwc16 => last(rank - 3, 16),
        Dhwc => last(rank - 4, 1),
        Dhwc8 => last(rank - 4, 8),
        Cdhw32 => vectors(rank - 4, 32),
    };
    offset as usize
}

fn naive_load(data: &[u8], dtype: DataType, at: usize) -> Value {
    let two = || u16::from_ne_bytes([data[2 * at], data[2 * at + 1]]);
    match dtype {
        Float32 => Value::Float(bytemuck::pod_read_unaligned(&data[4 * at..4 * at + 4])),
        Float16 => Value::Float(f16::from_bits(two()).to_f32()),
        BFloat16 => Value::Float(bf16::from_bits(two()).to_f32()),
        Float8 => Value::Float(e4m3_to_f32(data[at])),
        Int64 => Value::Integer(bytemuck::pod_read_unaligned(&data[8 * at..8 * at + 8])),
        Int32 => Value::Integer(i64::from(bytemuck::pod_read_unaligned::<i32>(&data[4 * at..4 * at + 4]))),
        Int8 => Value::Integer(i64::from(data[at] as i8)),
        UInt8 | Bool => Value::Integer(i64::from(data[at])),
        Int4 => {
            let nibble = i64::from(data[at / 2] >> (4 * (at % 2)) & 15);
            Value::Integer(if nibble > 7 { nibble - 16 } else { nibble })
        }
    }
}

fn naive_store(data: &mut [u8], dtype: DataType, at: usize, value: Value, rounded: bool) {
    let float = match value {
        Value::Float(float) => float,
        Value::Integer(integer) => integer as f32,
    };
    let integer = |least: i64, most: i64| match value {
        Value::Integer(integer) => integer.max(least).min(most),
        Value::Float(float) if float.is_nan() => 0,
        Value::Float(float) => {
            let float = f64::from(float);
            let whole = if rounded { float.round_ties_even() } else { float.trunc() };
            if whole <= least as f64 {
                least
            } else if whole >= most as f64 {
                most
            } else {
                whole as i64
            }
        }
    };
    match dtype {
        Float32 => data[4 * at..4 * at + 4].copy_from_slice(&float.to_ne_bytes()),
        Float16 => data[2 * at..2 * at + 2].copy_from_slice(&f16::from_f32(float).to_ne_bytes()),
        BFloat16 => data[2 * at..2 * at + 2].copy_from_slice(&bf16::from_f32(float).to_ne_bytes()),
        Float8 => data[at] = f32_to_e4m3(float),
        Int64 => data[8 * at..8 * at + 8].copy_from_slice(&integer(i64::MIN, i64::MAX).to_ne_bytes()),
        Int32 => {
            let value = integer(i32::MIN.into(), i32::MAX.into()) as i32;
            data[4 * at..4 * at + 4].copy_from_slice(&value.to_ne_bytes());
        }
        Int8 => data[at] = integer(-128, 127) as u8,
        UInt8 => data[at] = integer(0, 255) as u8,
        Int4 => data[at / 2] |= ((integer(-8, 7) & 15) as u8) << (4 * (at % 2)),
        Bool => {
            data[at] = u8::from(match value {
                Value::Integer(integer) => integer != 0,
                Value::Float(float) => float != 0.0,
            });
        }
    }
}

/// Calls `visit` with the index of every element.
fn for_each_index(dims: &Dims, mut visit: impl FnMut(&[i64])) {
    let mut index = vec![0; dims.len()];
    for element in 0..dims.numel().unwrap() {
        let mut rest = element as i64;
        for (i, &extent) in index.iter_mut().zip(dims.iter()).rev() {
            *i = rest % extent;
            rest /= extent;
        }
        visit(&index);
    }
}

fn naive(src: &[u8], from: Representation, to: Representation, dims: &Dims) -> Vec<u8> {
    let mut dst = vec![0; to.bytes(dims).unwrap()];
    let scaled = from.scale != 1.0 || to.scale != 1.0;
    for_each_index(dims, |index| {
        let mut value = naive_load(src, from.dtype, naive_offset(from.format, dims, index));
        if scaled && (from.dtype, from.scale) != (to.dtype, to.scale) {
            let float = match value {
                Value::Float(float) => float,
                Value::Integer(integer) => integer as f32,
            };
            value = Value::Float(float * from.scale / to.scale);
        }
        naive_store(&mut dst, to.dtype, naive_offset(to.format, dims, index), value, scaled && to.dtype == Int8);
    });
    dst
}

/// Bytes as a tensor of the type may hold them, padding not zero.
fn source(from: Representation, dims: &Dims, numbers: &mut Numbers) -> Vec<u8> {
    let mut data: Vec<u8> = (0..from.bytes(dims).unwrap()).map(|_| numbers.next() as u8).collect();
    match from.dtype {
        Bool => data.iter_mut().for_each(|byte| *byte &= 1),
        // Half of them in a range that other types can hold.
        Float32 => data.chunks_exact_mut(4).step_by(2).for_each(|bytes| {
            bytes.copy_from_slice(&((numbers.next() % 1024) as f32 / 3.0 - 170.0).to_ne_bytes());
        }),
        Int32 => data.chunks_exact_mut(4).step_by(2).for_each(|bytes| bytes[2..].fill(0)),
        Int64 => data.chunks_exact_mut(8).step_by(2).for_each(|bytes| bytes[1..].fill(0)),
        _ => {}
    }
    data
}

/// A NaN is as good as any other.
fn canonical(mut data: Vec<u8>, dtype: DataType) -> Vec<u8> {
    let is_nan = |data: &[u8], at| matches!(naive_load(data, dtype, at), Value::Float(float) if float.is_nan());
    if dtype.class() == DataClass::Float {
        let size = unpacked_bytes(dtype);
        for at in 0..data.len() / size {
            if is_nan(&data, at) {
                data[at * size..][..size].fill(0xFF);
            }
        }
    }
    data
}

fn check(from: Representation, to: Representation, dims: &[i64], numbers: &mut Numbers) {
    const GUARD: usize = 13;
    let dims = Dims::new(dims).unwrap();
    let src = source(from, &dims, numbers);
    let bytes = to.bytes(&dims).unwrap();
    let wanted = canonical(naive(&src, from, to, &dims), to.dtype);
    let reformat = Reformat::new(from, to, &dims).unwrap();
    let through_caches = |dst: &mut [u8]| reformat.run(&src, dst).unwrap();
    let past_caches = |dst: &mut [u8]| match &reformat.way {
        Way::Blocked(blocked) if !dst.is_empty() => blocked.run_by(&src, dst, true),
        Way::Crossed(crossed) if !dst.is_empty() => crossed.run_by(&src, dst, true),
        _ => reformat.run(&src, dst).unwrap(),
    };
    for run in [&through_caches as &dyn Fn(&mut [u8]), &past_caches] {
        let mut out = vec![0xA5; bytes + 2 * GUARD];
        run(&mut out[GUARD..GUARD + bytes]);
        assert!(out[..GUARD].iter().chain(&out[GUARD + bytes..]).all(|&byte| byte == 0xA5), "{from:?} {to:?} {dims}");
        let got = canonical(out[GUARD..GUARD + bytes].to_vec(), to.dtype);
        if let Some(at) = got.iter().zip(&wanted).position(|(got, wanted)| got != wanted) {
            panic!("{from:?} to {to:?} {dims}: byte {at} is {:#x}, should be {:#x}", got[at], wanted[at]);
        }
    }
}

fn plain(dtype: DataType, format: Format) -> Representation {
    Representation { dtype, format, scale: 1.0 }
}

fn representations() -> impl Iterator<Item = Representation> + Clone {
    DataType::ALL.into_iter().flat_map(|dtype| {
        Format::ALL
            .into_iter()
            .filter(move |&format| dtype != Int4 || format == Linear)
            .map(move |format| plain(dtype, format))
    })
}

const SHAPES: [&[i64]; 8] = [
    &[2, 3, 2, 3, 5],
    &[1, 1, 1, 1],
    &[3, 5, 1, 1],
    &[2, 33, 2, 2],
    &[1, 1, 4, 3, 3],
    &[1, 2, 35, 1, 3],
    &[4, 4, 4, 4],
    &[2, 0, 3, 2],
];

#[test]
fn every_pair_of_types_and_layouts_agrees_with_the_definition() {
    let mut numbers = Numbers(1);
    for from in representations() {
        for to in representations() {
            let shape = SHAPES[numbers.below(SHAPES.len())];
            check(from, to, shape, &mut numbers);
        }
    }
}

#[test]
fn every_pair_of_layouts_agrees_for_any_shape() {
    let mut numbers = Numbers(2);
    let layouts = Format::ALL.into_iter().flat_map(|from| Format::ALL.map(|to| (from, to)));
    for (from, to) in layouts {
        for (src, dst) in [(Int32, Int32), (UInt8, UInt8), (Float32, Float16), (Int64, Int64)] {
            let least = from.spatial_dims().max(to.spatial_dims()).map_or(0, |spatial| spatial + 1);
            let rank = least + numbers.below(6 - least);
            let dims: Vec<i64> = (0..rank).map(|_| 1 + numbers.below(5) as i64).collect();
            check(plain(src, from), plain(dst, to), &dims, &mut numbers);
        }
        let wide = [1 + numbers.below(2) as i64, 1 + numbers.below(70) as i64, 1, 1 + numbers.below(90) as i64, 3];
        check(plain(Float16, from), plain(Float16, to), &wide, &mut numbers);
        for shape in SHAPES {
            check(plain(Float32, from), plain(Float32, to), shape, &mut numbers);
        }
    }
}

#[test]
fn many_channels_and_int4_agree_at_odd_and_even_places() {
    let mut numbers = Numbers(5);
    for dims in [[1, 300, 17, 6], [2, 67, 9, 130], [1, 35, 3, 7], [2, 5, 2, 600]] {
        for format in Format::ALL {
            for dtype in [Float32, Float16, Int8, Int64] {
                check(plain(Int4, Linear), plain(dtype, format), &dims, &mut numbers);
                check(plain(dtype, format), plain(Int4, Linear), &dims, &mut numbers);
                check(plain(dtype, format), plain(dtype, Hwc), &dims, &mut numbers);
                check(plain(dtype, Linear), plain(dtype, format), &dims, &mut numbers);
            }
        }
    }
}

#[test]
fn places_of_many_channels_become_places_of_others() {
    let mut numbers = Numbers(8);
    let shapes: [&[i64]; 5] = [&[2, 67, 9, 61], &[1, 300, 17, 6], &[3, 24, 5, 7], &[1, 64, 2, 600], &[1, 290, 2, 700]];
    let near = Format::ALL.into_iter().filter(|format| format.spatial_dims() == Some(2));
    for (from, to) in near.clone().flat_map(|from| near.clone().map(move |to| (from, to))) {
        for (src, dst) in [(Float16, Int8), (Int8, Float16), (Float32, UInt8), (Int8, Int64), (Int32, Int32)] {
            check(plain(src, from), plain(dst, to), shapes[numbers.below(shapes.len())], &mut numbers);
        }
    }
    let scaled = Representation { scale: 0.037, ..plain(Int8, Chw32) };
    check(plain(Float16, Hwc8), scaled, shapes[0], &mut numbers);
    check(scaled, plain(Float16, Hwc8), shapes[0], &mut numbers);
    for other in [scaled, plain(UInt8, Hwc8), plain(Float16, Chw32), plain(BFloat16, Hwc)] {
        for dims in shapes {
            check(other, plain(Int4, Linear), dims, &mut numbers);
            check(plain(Int4, Linear), other, dims, &mut numbers);
        }
    }
}

#[test]
fn bytes_that_two_channels_share_agree() {
    let mut numbers = Numbers(7);
    let shapes: [&[i64]; 6] =
        [&[3, 35, 3, 7], &[2, 67, 9, 61], &[1, 3, 1, 1031], &[5, 3, 1, 1], &[1, 1, 15, 17], &[2, 3, 3, 5, 225]];
    for dims in shapes {
        for format in Format::ALL.into_iter().filter(|format| format.supports(dims.len())) {
            for dtype in [Int8, Float16] {
                check(plain(dtype, format), plain(Int4, Linear), dims, &mut numbers);
                check(plain(Int4, Linear), plain(dtype, format), dims, &mut numbers);
            }
        }
    }
    check(plain(Float32, Hwc8), plain(Int4, Linear), &[3, 35, 61, 31], &mut numbers);
    check(plain(Int4, Linear), plain(Int4, Linear), &[3, 5], &mut numbers);
}

#[test]
fn channels_in_different_dimensions_agree_for_many_of_both() {
    let mut numbers = Numbers(6);
    let shapes: [&[i64]; 6] = [
        &[1, 70, 37, 3, 7],
        &[2, 3, 130, 2, 5],
        &[1, 300, 2, 1, 3],
        &[33, 35, 3, 7],
        &[1, 1, 9, 4, 40],
        &[1, 9, 1, 4, 40],
    ];
    let near = Format::ALL.into_iter().filter(|format| format.spatial_dims() == Some(2));
    let far = Format::ALL.into_iter().filter(|format| format.spatial_dims() == Some(3));
    for (near, far) in near.flat_map(|near| far.clone().map(move |far| (near, far))) {
        for (from, to) in [(near, far), (far, near)] {
            for (src, dst) in [(UInt8, UInt8), (Float16, Int8), (Int32, Float32), (UInt8, Int64), (Int64, Int64)] {
                check(plain(src, from), plain(dst, to), shapes[numbers.below(shapes.len())], &mut numbers);
            }
        }
    }
}

#[test]
fn work_for_many_threads_agrees_too() {
    let mut numbers = Numbers(3);
    let cases: [(Format, Format, &[i64]); 10] = [
        (Linear, Chw4, &[2, 35, 41, 37]),
        (Linear, Hwc, &[1, 3, 230, 230]),
        (Chw16, Linear, &[37, 35, 7, 11]),
        (Hwc8, Linear, &[1, 35, 60, 70]),
        (Hwc8, Linear, &[1, 2, 190, 190]),
        (Chw32, Hwc, &[2, 35, 41, 37]),
        (Hwc16, Chw2, &[37, 35, 7, 11]),
        (Hwc, Hwc, &[1, 3, 230, 230]),
        (Hwc8, Dhwc8, &[2, 35, 9, 20, 31]),
        (Cdhw32, Chw4, &[2, 35, 9, 20, 31]),
    ];
    for (from, to, dims) in cases {
        check(plain(Float32, from), plain(Float32, to), dims, &mut numbers);
        check(plain(Int64, from), plain(Float16, to), dims, &mut numbers);
    }
    for (from, to) in [(Float32, Float16), (Int64, Int32), (Int4, Float32), (Float32, Int4)] {
        check(plain(from, Linear), plain(to, Linear), &[3, 50_001], &mut numbers);
    }
    check(plain(Int8, Linear), plain(Int4, Linear), &[400_001], &mut numbers);
}

#[test]
fn scales_multiply_and_divide() {
    let mut numbers = Numbers(4);
    let sides = |dtype, scales: &[f32]| -> Vec<Representation> {
        scales.iter().map(|&scale| Representation { scale, ..plain(dtype, Chw4) }).collect()
    };
    let all = [
        sides(Int8, &[1.0, 0.5, 0.037]),
        sides(Float8, &[1.0, 3.0]),
        sides(Float32, &[1.0]),
        sides(Float16, &[1.0]),
        sides(Int32, &[1.0]),
        sides(Bool, &[1.0]),
    ]
    .concat();
    for &from in &all {
        for &to in &all {
            check(from, to, &[2, 5, 13, 11], &mut numbers);
            check(Representation { format: Linear, ..from }, to, &[2, 3, 1, 300], &mut numbers);
        }
    }
}

#[test]
fn there_and_back_is_the_same() {
    let mut numbers = Numbers(5);
    let dims = Dims::new(&[2, 19, 3, 5]).unwrap();
    let start = plain(Float16, Linear);
    let src = canonical(source(start, &dims, &mut numbers), Float16);
    for middle in Format::ALL.into_iter().flat_map(|format| [plain(Float32, format), plain(Float16, format)]) {
        let mut there = vec![0xA5; middle.bytes(&dims).unwrap()];
        let mut back = vec![0xA5; src.len()];
        Reformat::new(start, middle, &dims).unwrap().run(&src, &mut there).unwrap();
        Reformat::new(middle, start, &dims).unwrap().run(&there, &mut back).unwrap();
        assert!(canonical(back, Float16) == src, "{middle:?}");
    }
}

#[test]
fn known_values() {
    let cast = |from, src: &[u8], to, count: i64| {
        let dims = Dims::new(&[count]).unwrap();
        let mut dst = vec![0xA5; plain(to, Linear).bytes(&dims).unwrap()];
        Reformat::new(plain(from, Linear), plain(to, Linear), &dims).unwrap().run(src, &mut dst).unwrap();
        dst
    };
    let floats = [1.9f32, -1.9, f32::NAN, f32::INFINITY, -1e9, -0.0, 448.1, 7.5];
    let floats = bytemuck::cast_slice(&floats);
    assert_eq!(cast(Float32, floats, Int8, 8), [1, 0xFF, 0, 127, 0x80, 0, 127, 7]);
    assert_eq!(cast(Float32, floats, UInt8, 8), [1, 0, 0, 255, 0, 0, 255, 7]);
    assert_eq!(cast(Float32, floats, Bool, 8), [1, 1, 1, 1, 1, 0, 1, 1]);
    assert_eq!(cast(Float32, floats, Float8, 8), [0x3F, 0xBF, 0x7F, 0x7E, 0xFE, 0x80, 0x7E, 0x4F]);
    assert_eq!(cast(Float32, &floats[..28], Int4, 7), [0xF1, 0x70, 0x08, 0x07]);
    assert_eq!(cast(Int4, &[0xF1, 0x08], Int8, 3), [1, 0xFF, 0xF8]);
    assert_eq!(cast(Bool, &[0, 1], Float16, 2), [0, 0, 0, 0x3C]);
    assert_eq!(cast(Int64, bytemuck::cast_slice(&[300i64, i64::MIN]), Int32, 2), [0x2C, 1, 0, 0, 0, 0, 0, 0x80]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |from, to, dims: &[i64]| Reformat::new(from, to, &Dims::new(dims).unwrap()).unwrap_err().to_string();
    let fp32 = plain(Float32, Linear);
    assert_eq!(refused(fp32, plain(Float32, Hwc), &[2, 2]), "[2, 2] has 2 dimensions, but HWC needs at least 3");
    assert_eq!(refused(fp32, plain(Int4, Chw2), &[2, 2, 2]), "INT4 data is LINEAR, but CHW2 was asked for");
    assert!(refused(fp32, fp32, &[2, -1]).contains("negative"));
    assert!(refused(fp32, fp32, &[i64::MAX, 4]).contains("needs more memory than can be addressed"));
    assert!(refused(plain(Float32, Chw4), fp32, &[i64::MAX, 1, 1]).contains("needs more memory than can be addressed"));
    let scaled = |dtype, scale| Representation { scale, ..plain(dtype, Linear) };
    assert!(refused(scaled(Float32, 2.0), fp32, &[1]).contains("only INT8 and FP8"));
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(refused(fp32, scaled(Int8, scale), &[1]).contains("positive and finite"));
    }
    let dims = Dims::new(&[3]).unwrap();
    let reformat = Reformat::new(fp32, plain(Int8, Linear), &dims).unwrap();
    let error = reformat.run(&[0; 11], &mut [0; 3]).unwrap_err().to_string();
    assert_eq!(error, "a reformat from 12 to 3 bytes was given 11 and 3");
}
