mod machines;

use std::path::PathBuf;

use super::way::Way;
use crate::device::cpu::reformat::reformat as on_cpu;
use crate::device::numbers::Numbers;
use crate::shape::Dims;
use crate::tensor::{DataType, DataType::*, Format, Format::*, Representation};
use machines::{Emulator, Gpu, Reformatter};

fn plain(dtype: DataType, format: Format) -> Representation {
    Representation::new(dtype, format)
}

fn representations() -> impl Iterator<Item = Representation> + Clone {
    DataType::ALL.into_iter().flat_map(|dtype| {
        let formats = Format::ALL.into_iter().filter(move |&format| dtype != Int4 || format == Linear);
        formats.map(move |format| plain(dtype, format))
    })
}

/// Any bits, padding too; about half of the elements in a range that other types can hold.
fn source(from: Representation, dims: &Dims, numbers: &mut Numbers) -> Vec<u8> {
    let mut data: Vec<u8> = (0..from.bytes(dims).unwrap()).map(|_| numbers.next() as u8).collect();
    match from.dtype {
        Float32 => data.chunks_exact_mut(4).step_by(2).for_each(|bytes| {
            bytes.copy_from_slice(&((numbers.next() % 1024) as f32 / 3.0 - 170.0).to_ne_bytes());
        }),
        Int32 => data.chunks_exact_mut(4).step_by(2).for_each(|bytes| bytes[2..].fill(0)),
        Int64 => data.chunks_exact_mut(8).step_by(2).for_each(|bytes| bytes[1..].fill(0)),
        _ => {}
    }
    data
}

fn check(
    reformatter: &mut dyn Reformatter,
    from: Representation,
    to: Representation,
    dims: &[i64],
    numbers: &mut Numbers,
) {
    let dims = Dims::new(dims).unwrap();
    check_data(reformatter, from, to, &dims, &source(from, &dims, numbers), numbers);
}

fn check_data(
    reformatter: &mut dyn Reformatter,
    from: Representation,
    to: Representation,
    dims: &Dims,
    source: &[u8],
    numbers: &mut Numbers,
) {
    let wanted = expected(from, source, to, dims);
    let ways = [
        (Way::of(from, to, dims), 8 * numbers.below(2)),
        (Way::of_elements(from, to, dims), 0),
        (Way::wide(from, to, dims), 8 * numbers.below(2)),
    ];
    for (way, shift) in ways {
        let way = way.unwrap();
        agrees(reformatter, way, shift, source, &wanted, &format!("{from:?} to {to:?} {dims}"));
    }
}

/// What the CPU makes of it.
fn expected(from: Representation, source: &[u8], to: Representation, dims: &Dims) -> Vec<u8> {
    let mut wanted = vec![0xA5; to.bytes(dims).unwrap()];
    on_cpu(from, source, to, &mut wanted, dims).unwrap();
    wanted
}

fn agrees(reformatter: &mut dyn Reformatter, way: Way, shift: usize, source: &[u8], wanted: &[u8], what: &str) {
    let got = reformatter.run(way, source, &vec![0x5A; wanted.len()], shift);
    if let Some(at) = got.iter().zip(wanted).position(|(got, wanted)| got != wanted) {
        panic!("{what}: byte {at} is {:#x}, should be {:#x}; {way:?}", got[at], wanted[at]);
    }
}

const SHAPES: [&[i64]; 9] = [
    &[2, 3, 2, 3, 5],
    &[1, 1, 1, 1],
    &[3, 5, 1, 1],
    &[2, 33, 2, 2],
    &[1, 1, 4, 3, 3],
    &[1, 2, 35, 1, 3],
    &[4, 4, 4, 4],
    &[2, 0, 3, 2],
    &[2, 1, 3, 4, 2, 3],
];

fn types_and_layouts(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(1);
    for from in representations() {
        for to in representations() {
            let shape = SHAPES[numbers.below(SHAPES.len())];
            check(reformatter, from, to, shape, &mut numbers);
        }
    }
}

fn layouts_and_shapes(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(2);
    for (from, to) in Format::ALL.into_iter().flat_map(|from| Format::ALL.map(|to| (from, to))) {
        for (src, dst) in [(Int32, Int32), (UInt8, UInt8), (Float32, Float16), (Int64, Int64)] {
            let least = from.spatial_dims().max(to.spatial_dims()).map_or(0, |spatial| spatial + 1);
            let rank = least + numbers.below(6 - least);
            let dims: Vec<i64> = (0..rank).map(|_| 1 + numbers.below(5) as i64).collect();
            check(reformatter, plain(src, from), plain(dst, to), &dims, &mut numbers);
        }
        for shape in SHAPES {
            check(reformatter, plain(Float32, from), plain(Float32, to), shape, &mut numbers);
        }
    }
}

/// Shapes whose elements fill tiles.
fn tiles(reformatter: &mut dyn Reformatter) {
    const TYPES: [(DataType, DataType); 6] =
        [(Float32, Float16), (Float16, Float16), (Int8, Int8), (Int64, Int64), (Int64, Float8), (UInt8, Int64)];
    let mut numbers = Numbers(3);
    let pairs = Format::ALL.into_iter().flat_map(|from| Format::ALL.map(|to| (from, to)));
    for (index, (from, to)) in pairs.filter(|(from, to)| from != to).enumerate() {
        let mut extent = |most: usize| 1 + numbers.below(most) as i64;
        let channels = [4 * extent(17), extent(70)];
        let (outer, width) = (extent(2), 30 + extent(20));
        let deep = from.spatial_dims().max(to.spatial_dims()) == Some(3);
        for (channels, (src, dst)) in channels.into_iter().zip(TYPES.into_iter().cycle().skip(2 * index)) {
            let dims: &[i64] = if deep { &[outer, channels, 2, 7, width] } else { &[outer, channels, 7, width] };
            check(reformatter, plain(src, from), plain(dst, to), dims, &mut numbers);
        }
    }
}

/// Shapes whose rows are whole words, with the bits as they are.
fn transpositions(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(6);
    let (mut transposed, mut in_pairs) = (0, 0);
    let pairs = Format::ALL.into_iter().flat_map(|from| Format::ALL.map(|to| (from, to)));
    for (from, to) in pairs.filter(|(from, to)| from != to) {
        let deep = from.spatial_dims().max(to.spatial_dims()) == Some(3);
        for dtype in [Float32, Float16, Int8] {
            let mut extent = |most: usize| 1 + numbers.below(most) as i64;
            let (few, some, many, large) = (extent(8), 4 * extent(20), extent(140), 64 + extent(900));
            let (outer, width) = (extent(2), 4 * extent(60));
            let places = [(few, 16 * width), (some, width), (many, width), (large, 4 * extent(6))];
            for (channels, width) in places {
                let dims: &[i64] = if deep { &[outer, channels, 2, 3, width] } else { &[outer, channels, 3, width] };
                let (dims, from, to) = (Dims::new(dims).unwrap(), plain(dtype, from), plain(dtype, to));
                let way = Way::of(from, to, &dims).unwrap();
                let by_words = matches!(way, Way::Transpose(_));
                transposed += usize::from(by_words);
                in_pairs += usize::from(by_words && from.dtype == Int8 && (from.format == Chw2 || to.format == Chw2));
                let (source, shift) = (source(from, &dims, &mut numbers), 8 * numbers.below(2));
                let wanted = expected(from, &source, to, &dims);
                agrees(reformatter, way, shift, &source, &wanted, &format!("{from:?} to {to:?} {dims}"));
            }
        }
    }
    assert!(transposed > 500 && in_pairs > 40, "{transposed}, of them {in_pairs} in pairs, only");
}

/// As [`transpositions`], to every type that a word has elements of, and with a scale.
fn cast_transpositions(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(7);
    let mut cast = [[0; 3]; 3];
    let narrow = |representation: &Representation| representation.dtype.bits() <= 32;
    let sides: Vec<Representation> = representations().filter(narrow).collect();
    for (index, from) in sides.iter().enumerate() {
        for to in sides.iter().cycle().skip(index % 5).step_by(5).take(sides.len() / 5) {
            if from.format == to.format {
                continue;
            }
            let deep = from.format.spatial_dims().max(to.format.spatial_dims()) == Some(3);
            let mut extent = |most: usize| 1 + numbers.below(most) as i64;
            let (outer, channels, width) =
                (extent(2), [1, 8][extent(2) as usize - 1] * extent(9), [2, 4, 8][extent(3) as usize - 1] * extent(30));
            let dims: &[i64] = if deep { &[outer, channels, 2, 3, width] } else { &[outer, channels, 3, width] };
            let scaled = to.dtype == Int8 && numbers.below(2) == 0;
            let to = Representation { scale: if scaled { 0.125 } else { 1.0 }, ..*to };
            if let Way::Cast(run) = Way::of(*from, to, &Dims::new(dims).unwrap()).unwrap() {
                cast[run.bytes.source as usize / 2][run.bytes.target as usize / 2] += 1;
            }
            check(reformatter, *from, to, dims, &mut numbers);
        }
    }
    assert!(cast.iter().flatten().all(|&times| times > 15), "{cast:?} only");
}

/// Between FP16, INT8 and INT4 in every layout: whole words of places, and rows that end within one.
fn shorts(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(9);
    let mut by_words = 0;
    for (index, format) in Format::ALL.into_iter().enumerate() {
        let deep = format.spatial_dims() == Some(3);
        let others =
            Format::ALL.into_iter().filter(|other| *other != Linear && deep == (other.spatial_dims() == Some(3)));
        let others: Vec<Format> = others.collect();
        for width in [8, 64, 20, 30, 130].into_iter().cycle().skip(index).take(3) {
            let channels = 1 + numbers.below(70) as i64;
            let dims: &[i64] = if deep { &[2, channels, 2, 2, width] } else { &[2, channels, 2, width] };
            let other = others[numbers.below(others.len())];
            for (from, to) in [
                (plain(Int8, format), plain(Int4, Linear)),
                (plain(Float16, format), plain(Int4, Linear)),
                (plain(Float16, format), plain(Int8, other)),
                (plain(Float16, other), plain(Int8, format)),
            ] {
                for (from, to) in [(from, to), (to, from)] {
                    let way = Way::of(from, to, &Dims::new(dims).unwrap()).unwrap();
                    by_words += usize::from(matches!(way, Way::Short(_)));
                    check(reformatter, from, to, dims, &mut numbers);
                }
            }
        }
    }
    assert!(by_words > 80, "{by_words} only");
}

/// Eight channels of one dimension and eight of another, with the bits as they are.
fn eight_by_eight(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(10);
    for dtype in [Int8, UInt8, Float16, BFloat16, Float32, Int32] {
        for (from, to) in [(Hwc8, Dhwc8), (Dhwc8, Hwc8), (Hwc, Dhwc8), (Dhwc, Hwc)] {
            for _ in 0..3 {
                let mut extent = |most: usize| 1 + numbers.below(most) as i64;
                let dims = Dims::new(&[extent(3), 8 * extent(5), 8 * extent(5), extent(5), extent(9)]).unwrap();
                let (from, to) = (plain(dtype, from), plain(dtype, to));
                assert!(matches!(Way::of(from, to, &dims), Ok(Way::Cross(_))), "{from:?} to {to:?} {dims}");
                let data = source(from, &dims, &mut numbers);
                check_data(reformatter, from, to, &dims, &data, &mut numbers);
            }
        }
    }
}

/// Eights of lanes of INT8 and rows of INT4: channels that end within them and without, places that end within a tile.
fn eight_lanes(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(11);
    for format in [Chw16, Chw32, Hwc8, Hwc16, Dhwc8, Cdhw32, Hwc] {
        for round in 0..6 {
            let mut extent = |most: usize| 1 + numbers.below(most) as i64;
            let channels = match format {
                Hwc | Hwc8 | Dhwc8 => [8, 16 * extent(3), 64 * extent(2)][round % 3],
                _ if round % 2 == 0 => 8 * extent(9),
                _ => extent(70),
            };
            // Of the last lanes some are padding.
            let channels = match format {
                Hwc8 | Dhwc8 if round > 2 => channels - extent(7),
                _ => channels,
            };
            let (outer, height, width) = (extent(3), extent(5), 8 * extent([3, 30][round / 3]));
            let deep = format.spatial_dims() == Some(3);
            let dims: &[i64] =
                if deep { &[outer, channels, 2, height, width] } else { &[outer, channels, height, width] };
            let (int8, int4) = (plain(Int8, format), plain(Int4, Linear));
            for (from, to) in [(int8, int4), (int4, int8)] {
                let way = Way::of(from, to, &Dims::new(dims).unwrap()).unwrap();
                assert!(matches!(way, Way::Eights(_)), "{from:?} to {to:?} {dims:?}: {way:?}");
                check(reformatter, from, to, dims, &mut numbers);
            }
        }
    }
}

/// Channels in different dimensions, some of them in as many as a warp takes.
fn crossings(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(8);
    let flat = || Format::ALL.into_iter().filter(|format| format.spatial_dims() == Some(2));
    let deep = || Format::ALL.into_iter().filter(|format| format.spatial_dims() == Some(3));
    let pairs = flat().flat_map(|flat| deep().flat_map(move |deep| [(flat, deep), (deep, flat)]));
    for (from, to) in pairs {
        for (src, dst) in [(Float16, Float16), (Int8, Float32), (Int64, BFloat16)] {
            let mut extent = |most: usize| 1 + numbers.below(most) as i64;
            let (channels, depth) =
                ([1, 8][extent(2) as usize - 1] * extent(3), [1, 8][extent(2) as usize - 1] * extent(3));
            let dims = [extent(2), channels, depth, extent(5), [1, 4][extent(2) as usize - 1] * extent(3)];
            check(reformatter, plain(src, from), plain(dst, to), &dims, &mut numbers);
            check(reformatter, plain(src, from), plain(dst, to), &[2, 16, 24, 3, 8], &mut numbers);
        }
    }
}

fn casts(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(4);
    let all = |bytes: usize| -> Vec<u8> { (0..=u16::MAX).flat_map(|n| n.to_ne_bytes()[..bytes].to_vec()).collect() };
    let edges = (0..=u16::MAX).flat_map(|n| [0, 1, 0xFFFF, 0x8000, 0x7FFF, 0x1000, 0x0FFF, 0x1001].map(|low| (n, low)));
    let floats: Vec<u8> = edges.flat_map(|(high, low)| (u32::from(high) << 16 | low).to_ne_bytes()).collect();
    for to in DataType::ALL {
        for from in [Float16, BFloat16] {
            check_data(
                reformatter,
                plain(from, Linear),
                plain(to, Linear),
                &Dims::new(&[1 << 16]).unwrap(),
                &all(2),
                &mut numbers,
            );
        }
        for from in [Float8, Int8, UInt8, Bool] {
            check_data(
                reformatter,
                plain(from, Linear),
                plain(to, Linear),
                &Dims::new(&[1 << 16]).unwrap(),
                &all(1),
                &mut numbers,
            );
        }
        check_data(
            reformatter,
            plain(Float32, Linear),
            plain(to, Linear),
            &Dims::new(&[1 << 19]).unwrap(),
            &floats,
            &mut numbers,
        );
        for from in DataType::ALL {
            for elements in [0, 1, 7, 8, 9, 2047, 2049, 4096, 5003, 9001] {
                check(reformatter, plain(from, Linear), plain(to, Linear), &[elements], &mut numbers);
            }
        }
    }
}

fn scales(reformatter: &mut dyn Reformatter) {
    let mut numbers = Numbers(5);
    let sides = |dtype, scales: &[f32]| -> Vec<Representation> {
        scales.iter().map(|&scale| Representation { scale, ..plain(dtype, Linear) }).collect()
    };
    let scaled = [sides(Int8, &[1.0, 0.5, 0.037, 1e-30]), sides(Float8, &[1.0, 3.0, 1e30])].concat();
    let others = DataType::ALL.into_iter().filter(|dtype| !matches!(dtype, Int8 | Float8));
    let all: Vec<Representation> = others.map(|dtype| plain(dtype, Linear)).chain(scaled).collect();
    for &from in &all {
        for &to in &all {
            check(reformatter, from, to, &[2003], &mut numbers);
            if from.dtype != Int4 && to.dtype != Int4 {
                check(reformatter, from, Representation { format: Chw4, ..to }, &[2, 5, 13, 11], &mut numbers);
                check(reformatter, Representation { format: Hwc8, ..from }, to, &[2, 33, 4, 20], &mut numbers);
            }
        }
    }
}

/// Runs the cases in turn, in one emulator.
fn on_an_emulator(test: &str, cases: &[fn(&mut dyn Reformatter)]) {
    if let Some(mut emulator) = Emulator::start(test) {
        for case in cases {
            case(&mut emulator);
        }
    }
}

#[test]
fn layouts_change_on_an_emulator_as_on_the_cpu() {
    let cases: [fn(&mut dyn Reformatter); 5] = [layouts_and_shapes, tiles, transpositions, crossings, eight_by_eight];
    on_an_emulator("layouts_change_on_an_emulator_as_on_the_cpu", &cases);
}

#[test]
fn types_change_on_an_emulator_as_on_the_cpu() {
    let cases: [fn(&mut dyn Reformatter); 6] =
        [types_and_layouts, cast_transpositions, shorts, eight_lanes, casts, scales];
    on_an_emulator("types_change_on_an_emulator_as_on_the_cpu", &cases);
}

macro_rules! on_a_gpu {
    ($($test:ident: $case:ident;)*) => {$(
        #[test]
        fn $test() {
            if let Some(mut gpu) = Gpu::start(stringify!($test)) {
                $case(&mut gpu);
            }
        }
    )*};
}

on_a_gpu! {
    types_and_layouts_on_a_gpu: types_and_layouts;
    layouts_and_shapes_on_a_gpu: layouts_and_shapes;
    tiles_on_a_gpu: tiles;
    transpositions_on_a_gpu: transpositions;
    cast_transpositions_on_a_gpu: cast_transpositions;
    crossings_on_a_gpu: crossings;
    shorts_on_a_gpu: shorts;
    eight_by_eight_on_a_gpu: eight_by_eight;
    eight_lanes_on_a_gpu: eight_lanes;
    casts_on_a_gpu: casts;
    scales_on_a_gpu: scales;
}

#[test]
fn the_sources_are_where_the_compiler_looks() {
    for source in super::all_sources() {
        let path: PathBuf = source.path();
        assert!(path.to_string_lossy().replace('\\', "/").contains("device/cuda/reformat"), "{path:?}");
        assert!(source.headers.iter().any(|header| source.text.contains(header.0)));
        let files = std::iter::once((source.name, source.text)).chain(source.headers.iter().copied());
        let mut included = files.flat_map(|(_, text)| text.lines()).filter_map(|line| line.strip_prefix("#include "));
        assert!(included.all(|name| source.headers.iter().any(|header| format!("\"{}\"", header.0) == name)));
    }
}
