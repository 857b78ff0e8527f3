//! The work whose time on the GPU is taken: that of samples/peers/gpu_peers.py.

use plugin_runtime::device::Binding;
use plugin_runtime::device::cuda::{DeviceTensor, device_copy};
use plugin_runtime::network::{Network, Preference};
use plugin_runtime::tensor::{DataType, HostTensor};

use super::row::Row;
use super::{Bench, Cache};
use crate::runner::commands;
use crate::runner::data::{self, Fill};
use crate::runner::failure::Result;
use crate::runner::tuning;

const TYPES: [(DataType, &str); 2] = [(DataType::Float32, "f32"), (DataType::Float16, "f16")];

/// Times the samples on small and large inputs.
///
/// # Errors
/// When an engine can't be built or run.
pub(super) fn run_all(bench: &mut Bench<'_>) -> Result<()> {
    let quick = bench.args.quick;
    let (mut matrices, mut images) = (vec![[128, 128]], vec![[10, 3, 32, 32]]);
    if !quick {
        matrices.extend([[4096, 4096], [16384, 16384]]);
        images.push([64, 64, 256, 256]);
    }
    // 1 GiB.
    let bytes: i64 = if quick { 1 << 20 } else { 1 << 30 };
    for shape in matrices {
        non_zero(bench, shape)?;
    }
    for (dtype, name) in TYPES {
        for &shape in &images {
            circ_pad(bench, dtype, name, shape)?;
        }
    }
    for (dtype, name) in TYPES {
        add(bench, dtype, name, [bytes / i64::from(dtype.bits() / 8)])?;
    }
    Ok(())
}

fn non_zero(bench: &mut Bench<'_>, shape: [i64; 2]) -> Result<()> {
    let dtype = DataType::Float32;
    let timed = Timed {
        name: "non_zero",
        dtype: (dtype, "f32"),
        shape: &shape,
        output: (DataType::Int32, &[shape.iter().product(), 2]),
        fill: Fill::HalfZeros,
        floor: Floor::Bandwidth,
    };
    timed.run(bench, || commands::non_zero_network(dtype, &shape))
}

fn circ_pad(bench: &mut Bench<'_>, dtype: DataType, name: &'static str, shape: [i64; 4]) -> Result<()> {
    let [n, c, h, w] = shape;
    let timed = Timed {
        name: "circ_pad",
        dtype: (dtype, name),
        shape: &shape,
        output: (dtype, &[n, c, h + 2, w + 2]),
        fill: Fill::Values,
        floor: Floor::Bandwidth,
    };
    timed.run(bench, || commands::circ_pad_network(dtype, &shape, &[1, 1, 1, 1], Preference::Unspecified))
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
    name: &'static str,
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
