//! The work whose time on the GPU is taken: that of samples/peers/gpu_peers.py.

use plugin_runtime::device::Binding;
use plugin_runtime::device::cuda::{DeviceTensor, device_copy};
use plugin_runtime::network::{Network, Preference};
use plugin_runtime::tensor::{DataType, HostTensor};

use super::goals::{Kind, Work};
use super::row::Row;
use super::{Bench, Cache};
use crate::runner::bench::builds;
use crate::runner::bench::conversions::{self, Named};
use crate::runner::bench::measure::{self, in_turns};
use crate::runner::commands;
use crate::runner::data::{self, Fill};
use crate::runner::failure::Result;
use crate::runner::tuning;

const TYPES: [(DataType, &str); 2] = [(DataType::Float32, "f32"), (DataType::Float16, "f16")];

/// Extents of images, and what is put around their two last dimensions on each side.
type Padded = ([i64; 4], i32);

/// Narrow, odd and wide rows, in which tensors of convolutions come, and large images.
const IMAGES: [Padded; 7] = [
    ([64, 64, 256, 256], 1),
    ([64, 64, 64, 64], 1),
    ([8, 512, 33, 33], 1),
    ([1024, 1024, 14, 14], 1),
    ([1, 1, 4097, 4099], 1),
    ([64, 64, 128, 128], 64),
    ([16, 3, 1024, 1024], 1),
];
const SMALL_IMAGE: Padded = ([10, 3, 32, 32], 1);

/// Extents of matrices, and how many percent of their elements aren't zero.
const MATRICES: [([i64; 2], u8); 7] = [
    ([1024, 1024], 50),
    ([4096, 4096], 50),
    ([4096, 4096], 1),
    ([4096, 4096], 99),
    ([16384, 16384], 50),
    ([16384, 16384], 1),
    ([16384, 16384], 99),
];
const SMALL_MATRIX: ([i64; 2], u8) = ([128, 128], 50);

/// One of the samples on a GPU.
pub(super) struct Sample {
    dtype: (DataType, &'static str),
    does: Does,
}

enum Does {
    NonZero { shape: [i64; 2], percent: u8 },
    CircPad { shape: [i64; 4], pad: i32 },
    Add { elements: i64 },
}

/// The samples on small and large inputs.
pub(super) fn samples(quick: bool) -> Vec<Sample> {
    let (matrices, images): (&[_], &[_]) = if quick { (&[], &[]) } else { (&MATRICES, &IMAGES) };
    let mut all = Vec::new();
    for dtype in TYPES {
        let matrices = [SMALL_MATRIX].into_iter().chain(matrices.iter().copied());
        all.extend(matrices.map(|(shape, percent)| Sample { dtype, does: Does::NonZero { shape, percent } }));
    }
    for dtype in TYPES {
        let images = [SMALL_IMAGE].into_iter().chain(images.iter().copied());
        all.extend(images.map(|(shape, pad)| Sample { dtype, does: Does::CircPad { shape, pad } }));
    }
    // 1 GiB.
    let bytes: i64 = if quick { 1 << 20 } else { 1 << 30 };
    for dtype in TYPES {
        all.push(Sample { dtype, does: Does::Add { elements: bytes / i64::from(dtype.0.bits() / 8) } });
    }
    all
}

/// A change of type and layout.
pub(super) fn conversion(named: &Named) -> Work {
    let (from, to) = named.conversion.bytes();
    let (name, shape) = (named.name.clone(), named.dims.clone());
    Work { kind: Kind::Conversion, name, dtype: "-", shape, bytes: from.max(to) as u64 }
}

/// Times every change of type and layout.
///
/// # Errors
/// When one can't be run.
pub(super) fn conversions(bench: &mut Bench<'_>) -> Result<()> {
    for named in conversions::all(bench.args.quick)? {
        if !bench.wants(&named.name) {
            continue;
        }
        let (stream, conversion) = (&bench.stream, &named.conversion);
        let (from, to) = conversion.bytes();
        let zeros =
            |bytes: usize| DeviceTensor::zeros(stream, DataType::UInt8, &[i64::try_from(bytes).unwrap_or(i64::MAX)]);
        let (source, mut target) = (zeros(from)?, zeros(to)?);
        let mut convert = || conversion.enqueue(stream, &source, &mut target);
        let median_us = bench.median_us(Cache::Warm, &mut convert)?;
        let cold_us = Some(bench.median_us(Cache::Cold, &mut convert)?);
        let floor_us = (from + to) as f64 / bench.bytes_a_us;
        let copy_us = Some(bench.copy_us((from + to) as u64)?);
        bench.rows.push(Row { work: self::conversion(&named), median_us, cold_us, floor_us, copy_us });
    }
    Ok(())
}

/// Times builds of one layer, kernels compiled before; the host's time.
///
/// # Errors
/// When one can't be built.
pub(super) fn builds(bench: &mut Bench<'_>) -> Result<()> {
    let effort = if bench.args.quick { measure::Effort::QUICK } else { measure::Effort::LONG };
    for layer in builds::all(bench.args.quick)? {
        if !bench.wants(layer.name) {
            continue;
        }
        let mut tried = None;
        let mut build = || layer.build(bench.device, bench.args.build.seed, &mut tried);
        let [median_us] = in_turns([&mut build], effort)?;
        bench.tuning.extend(tried);
        let (name, shape, bytes) = (layer.name.to_owned(), layer.shape.clone(), layer.copied_bytes());
        bench.rows.push(Row {
            work: Work { kind: Kind::Build, name, dtype: "f32", shape, bytes },
            median_us,
            cold_us: None,
            floor_us: bytes as f64 / bench.bytes_a_us,
            copy_us: None,
        });
    }
    Ok(())
}

impl Sample {
    pub(super) fn work(&self) -> Work {
        let ((dtype, dtype_name), (output_type, output)) = (self.dtype, self.output());
        let bytes = |dtype: DataType, shape: &[i64]| shape.iter().product::<i64>() * i64::from(dtype.bits()) / 8;
        let (kind, name, bytes) = match self.does {
            Does::NonZero { shape, percent: 50 } => (Kind::NonZero, "non_zero".to_owned(), bytes(dtype, &shape)),
            Does::NonZero { shape, percent } => {
                (Kind::NonZero, format!("non_zero of {percent} %"), bytes(dtype, &shape))
            }
            Does::CircPad { pad: 1, .. } => (Kind::CircPad, "circ_pad".to_owned(), bytes(output_type, &output)),
            Does::CircPad { pad, .. } => (Kind::CircPad, format!("circ_pad by {pad}"), bytes(output_type, &output)),
            Does::Add { .. } => (Kind::Add, "add".to_owned(), bytes(output_type, &output)),
        };
        Work { kind, name, dtype: dtype_name, shape: self.shape(), bytes: bytes.unsigned_abs() }
    }

    fn shape(&self) -> Vec<i64> {
        match self.does {
            Does::NonZero { shape, .. } => shape.into(),
            Does::CircPad { shape, .. } => shape.into(),
            Does::Add { elements } => vec![elements],
        }
    }

    /// Type and largest extents.
    fn output(&self) -> (DataType, Vec<i64>) {
        let (dtype, _) = self.dtype;
        match self.does {
            Does::NonZero { shape, .. } => (DataType::Int32, vec![shape.iter().product(), 2]),
            Does::CircPad { shape: [n, c, h, w], pad } => {
                let around = 2 * i64::from(pad);
                (dtype, vec![n, c, h + around, w + around])
            }
            Does::Add { elements } => (dtype, vec![elements]),
        }
    }

    fn network(&self) -> Result<Network> {
        let (dtype, _) = self.dtype;
        match self.does {
            Does::NonZero { shape, .. } => commands::non_zero_network(dtype, &shape),
            Does::CircPad { shape, pad } => {
                commands::circ_pad_network(dtype, &shape, &[pad; 4], Preference::Unspecified)
            }
            Does::Add { elements } => commands::add_network(dtype, &[elements], Preference::Unspecified),
        }
    }

    /// Times it beside the least that it can take: each byte of the input read once and each of the output written once, as
    /// fast as a large copy does that; for an addition a copy of the input.
    ///
    /// # Errors
    /// When an engine can't be built or run.
    pub(super) fn time(&self, bench: &mut Bench<'_>) -> Result<()> {
        let work = self.work();
        if !bench.wants(&work.name) {
            return Ok(());
        }
        let engine = bench.args.build.builder(bench.device.clone()).build(&self.network()?)?;
        bench.tuning.push(tuning::table(engine.report()));
        let mut context = engine.create_context()?;
        context.set_input_shape("X", &work.shape)?;
        let stream = &bench.stream;
        let x = self.input(bench, &work.shape)?;
        let (output_type, output) = self.output();
        let mut y = DeviceTensor::uninit(stream, output_type, &output)?;
        context.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], stream)?;
        let written = context.output_shape("Y")?.numel().unwrap_or(0) * u64::from(output_type.bits() / 8);
        let mut enqueue = || context.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], stream);
        let median_us = bench.median_us(Cache::Warm, &mut enqueue)?;
        let cold_us = Some(bench.median_us(Cache::Cold, &mut enqueue)?);
        let moved = x.byte_len() as u64 + written;
        let (floor_us, copy_us) = match self.does {
            Does::Add { .. } => (bench.median_us(Cache::Warm, || device_copy(stream, &x, &mut y))?, None),
            _ => (moved as f64 / bench.bytes_a_us, Some(bench.copy_us(moved)?)),
        };
        bench.rows.push(Row { work, median_us, cold_us, floor_us, copy_us });
        Ok(())
    }

    fn input(&self, bench: &Bench<'_>, shape: &[i64]) -> Result<DeviceTensor> {
        let fill = match self.does {
            Does::NonZero { percent, .. } => Fill::NonZeros { percent },
            _ => Fill::Values,
        };
        let x: HostTensor = data::made_up(self.dtype.0, shape, bench.args.build.seed, fill)?;
        Ok(DeviceTensor::from_host(&bench.stream, &x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that one of them doesn't time stands in the table without its peers, and nothing says so.
    #[test]
    fn the_script_for_peers_times_the_same_work() {
        let script = include_str!("../../../../peers/gpu_peers.py");
        let tuple = |shape: &[i64]| shape.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let pairs: String = script.lines().filter(|line| line.starts_with("MATRICES = ")).collect();
        for ([rows, _], percent) in MATRICES.into_iter().chain([SMALL_MATRIX]) {
            assert!(pairs.contains(&format!("({rows}, {percent})")), "{rows} {percent}");
        }
        assert_eq!(pairs.matches('(').count() - 1, MATRICES.len() + 1);
        assert!(script.contains(&format!("IMAGE = ({})", tuple(&SMALL_IMAGE.0))));
        let images = script.split("IMAGES = (").nth(1).and_then(|rest| rest.split("\n)").next()).unwrap();
        for (shape, pad) in IMAGES {
            assert!(images.contains(&format!("(({}), {pad})", tuple(&shape))), "{shape:?} {pad}");
        }
        assert_eq!(images.lines().filter(|line| line.trim_start().starts_with('(')).count(), IMAGES.len() + 1);
    }
}
