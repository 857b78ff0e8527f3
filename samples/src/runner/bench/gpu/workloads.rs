//! The work whose time on the GPU is taken: that of samples/peers/gpu_peers.py.

use plugin_runtime::device::Binding;
use plugin_runtime::device::cuda::{DeviceTensor, device_copy};
use plugin_runtime::network::{Network, Preference};
use plugin_runtime::tensor::{DataType, HostTensor};

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

/// Times the samples on small and large inputs.
///
/// # Errors
/// When an engine can't be built or run.
pub(super) fn run_all(bench: &mut Bench<'_>) -> Result<()> {
    let quick = bench.args.quick;
    let (matrices, images): (&[_], &[_]) = if quick { (&[], &[]) } else { (&MATRICES, &IMAGES) };
    for (dtype, name) in TYPES {
        for &(shape, percent) in [SMALL_MATRIX].iter().chain(matrices) {
            non_zero(bench, (dtype, name), shape, percent)?;
        }
    }
    for (dtype, name) in TYPES {
        for &image in [SMALL_IMAGE].iter().chain(images) {
            circ_pad(bench, (dtype, name), image)?;
        }
    }
    // 1 GiB.
    let bytes: i64 = if quick { 1 << 20 } else { 1 << 30 };
    for (dtype, name) in TYPES {
        add(bench, dtype, name, [bytes / i64::from(dtype.bits() / 8)])?;
    }
    Ok(())
}

/// Times every change of type and layout.
///
/// # Errors
/// When one can't be run.
pub(super) fn conversions(bench: &mut Bench<'_>) -> Result<()> {
    for Named { name, dims, conversion } in conversions::all(bench.args.quick)? {
        if !bench.wants(&name) {
            continue;
        }
        let stream = &bench.stream;
        let (from, to) = conversion.bytes();
        let zeros =
            |bytes: usize| DeviceTensor::zeros(stream, DataType::UInt8, &[i64::try_from(bytes).unwrap_or(i64::MAX)]);
        let (source, mut target) = (zeros(from)?, zeros(to)?);
        let mut convert = || conversion.enqueue(stream, &source, &mut target);
        let median_us = bench.median_us(Cache::Warm, &mut convert)?;
        let cold_us = Some(bench.median_us(Cache::Cold, &mut convert)?);
        let floor_us = (from + to) as f64 / bench.bytes_a_us;
        bench.rows.push(Row { work: name, dtype: "-", shape: dims, median_us, cold_us, floor_us });
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
        bench.rows.push(Row {
            work: layer.name.to_owned(),
            dtype: "f32",
            shape: layer.shape.clone(),
            median_us,
            cold_us: None,
            floor_us: layer.copied_bytes() as f64 / bench.bytes_a_us,
        });
    }
    Ok(())
}

fn non_zero(bench: &mut Bench<'_>, dtype: (DataType, &'static str), shape: [i64; 2], percent: u8) -> Result<()> {
    let name = if percent == 50 { "non_zero".to_owned() } else { format!("non_zero of {percent} %") };
    let timed = Timed {
        name: &name,
        dtype,
        shape: &shape,
        output: (DataType::Int32, &[shape.iter().product(), 2]),
        fill: Fill::NonZeros { percent },
        floor: Floor::Bandwidth,
    };
    timed.run(bench, || commands::non_zero_network(dtype.0, &shape))
}

fn circ_pad(bench: &mut Bench<'_>, dtype: (DataType, &'static str), (shape, pad): Padded) -> Result<()> {
    let [n, c, h, w] = shape;
    let around = 2 * i64::from(pad);
    let name = if pad == 1 { "circ_pad".to_owned() } else { format!("circ_pad by {pad}") };
    let timed = Timed {
        name: &name,
        dtype,
        shape: &shape,
        output: (dtype.0, &[n, c, h + around, w + around]),
        fill: Fill::Values,
        floor: Floor::Bandwidth,
    };
    timed.run(bench, || commands::circ_pad_network(dtype.0, &shape, &[pad; 4], Preference::Unspecified))
}

fn add(bench: &mut Bench<'_>, dtype: DataType, name: &'static str, shape: [i64; 1]) -> Result<()> {
    let timed = Timed {
        name: "add",
        dtype: (dtype, name),
        shape: &shape,
        output: (dtype, &shape),
        fill: Fill::Values,
        floor: Floor::CopyOfInput,
    };
    timed.run(bench, || commands::add_network(dtype, &shape, Preference::Unspecified))
}

/// The least that some work can take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Floor {
    /// Each byte of the input read once and each byte of the output written once, as fast as a large copy does that.
    Bandwidth,
    /// A copy of the input to the output, timed.
    CopyOfInput,
}

/// A network of one input and one output.
struct Timed<'a> {
    name: &'a str,
    dtype: (DataType, &'static str),
    shape: &'a [i64],
    /// Type and largest extents.
    output: (DataType, &'a [i64]),
    fill: Fill,
    floor: Floor,
}

impl Timed<'_> {
    fn run(self, bench: &mut Bench<'_>, network: impl FnOnce() -> Result<Network>) -> Result<()> {
        let (_, type_name) = self.dtype;
        if !bench.wants(self.name) {
            return Ok(());
        }
        let engine = bench.args.build.builder(bench.device.clone()).build(&network()?)?;
        bench.tuning.push(tuning::table(engine.report()));
        let mut context = engine.create_context()?;
        context.set_input_shape("X", self.shape)?;
        let stream = &bench.stream;
        let x = self.input(bench)?;
        let mut y = DeviceTensor::uninit(stream, self.output.0, self.output.1)?;
        context.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], stream)?;
        let written = context.output_shape("Y")?.numel().unwrap_or(0) * u64::from(self.output.0.bits() / 8);
        let mut enqueue = || context.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], stream);
        let median_us = bench.median_us(Cache::Warm, &mut enqueue)?;
        let cold_us = bench.median_us(Cache::Cold, &mut enqueue)?;
        let floor_us = match self.floor {
            Floor::Bandwidth => (x.byte_len() as u64 + written) as f64 / bench.bytes_a_us,
            Floor::CopyOfInput => bench.median_us(Cache::Warm, || device_copy(stream, &x, &mut y))?,
        };
        bench.rows.push(Row {
            work: self.name.to_owned(),
            dtype: type_name,
            shape: self.shape.to_vec(),
            median_us,
            cold_us: Some(cold_us),
            floor_us,
        });
        Ok(())
    }

    fn input(&self, bench: &Bench<'_>) -> Result<DeviceTensor> {
        let x: HostTensor = data::made_up(self.dtype.0, self.shape, bench.args.build.seed, self.fill)?;
        Ok(DeviceTensor::from_host(&bench.stream, &x)?)
    }
}
