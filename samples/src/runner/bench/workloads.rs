//! The work that is timed.

use half::f16;
use plugin_runtime::device::{Binding, Device};
use plugin_runtime::network::{Network, Preference};
use plugin_runtime::tensor::{DataType, Element, HostTensor};

use super::row::Row;
use super::touch::touch;
use super::{Bench, Work};
use crate::runner::cli::BenchArgs;
use crate::runner::commands;
use crate::runner::data::{self, Fill};
use crate::runner::failure::Result;
use crate::runner::tuning;

const CHAIN: usize = 100;

/// What all work has in common.
struct Run<'a> {
    device: &'a Device,
    args: &'a BenchArgs,
}

/// Times the samples on small and large inputs, and a chain of plugins that do nearly nothing.
///
/// # Errors
/// When an engine can't be built or run.
pub(super) fn run_all(bench: &mut Bench<'_>, device: &Device, args: &BenchArgs) -> Result<()> {
    let run = Run { device, args };
    run.samples::<f32>(bench, DataType::Float32)?;
    run.samples::<f16>(bench, DataType::Float16)?;
    run.chain(bench)
}

impl Run<'_> {
    fn samples<T: Element>(&self, bench: &mut Bench<'_>, dtype: DataType) -> Result<()> {
        let (mut matrices, mut images, mut vectors) = (vec![[128, 128]], vec![[10, 3, 32, 32]], vec![[1 << 10]]);
        if !self.args.quick {
            matrices.push([4096, 4096]);
            images.push([16, 64, 128, 128]);
            // 64 MiB.
            vectors = vec![[(64 << 20) / i64::from(dtype.bits() / 8)]];
        }
        for shape in matrices {
            self.non_zero::<T>(bench, dtype, shape)?;
        }
        for shape in images {
            self.circ_pad::<T>(bench, dtype, shape)?;
        }
        for shape in vectors {
            self.add::<T>(bench, dtype, shape)?;
        }
        Ok(())
    }

    fn input(&self, dtype: DataType, shape: &[i64], fill: Fill) -> Result<HostTensor> {
        data::made_up(dtype, shape, self.args.build.seed, fill)
    }

    fn non_zero<T: Element>(&self, bench: &mut Bench<'_>, dtype: DataType, shape: [i64; 2]) -> Result<()> {
        let name = "non_zero";
        if !bench.wants(name) {
            return Ok(());
        }
        let network = commands::non_zero_network(dtype, &shape)?;
        let x = self.input(dtype, &shape, Fill::HalfZeros)?;
        let y = HostTensor::zeros(DataType::Int32, &[shape.iter().product(), 2])?;
        Timed { name, network, x, y, passes: 1 }.run::<T, i32>(bench, self)
    }

    fn circ_pad<T: Element>(&self, bench: &mut Bench<'_>, dtype: DataType, shape: [i64; 4]) -> Result<()> {
        let name = "circ_pad";
        if !bench.wants(name) {
            return Ok(());
        }
        let network = commands::circ_pad_network(dtype, &shape, &[1, 1, 1, 1], Preference::Unspecified)?;
        let x = self.input(dtype, &shape, Fill::Values)?;
        let [n, c, h, w] = shape;
        let y = HostTensor::zeros(dtype, &[n, c, h + 2, w + 2])?;
        Timed { name, network, x, y, passes: 1 }.run::<T, T>(bench, self)
    }

    fn add<T: Element>(&self, bench: &mut Bench<'_>, dtype: DataType, shape: [i64; 1]) -> Result<()> {
        let name = "add";
        if !bench.wants(name) {
            return Ok(());
        }
        let network = commands::add_network(dtype, &shape, Preference::Unspecified)?;
        let x = self.input(dtype, &shape, Fill::Values)?;
        let y = HostTensor::zeros(dtype, &shape)?;
        Timed { name, network, x, y, passes: 1 }.run::<T, T>(bench, self)
    }

    fn chain(&self, bench: &mut Bench<'_>) -> Result<()> {
        let name = format!("chain of {CHAIN} plugins");
        if !bench.wants(&name) {
            return Ok(());
        }
        let (dtype, shape) = (DataType::Float32, [4]);
        let mut network = Network::new();
        let mut last = network.add_input("X", dtype, shape)?;
        for _ in 0..CHAIN {
            [last] = network.add_plugin(touch::op(last))?;
        }
        network.mark_output(last, "Y")?;
        let x = self.input(dtype, &shape, Fill::Values)?;
        let y = HostTensor::zeros(dtype, &shape)?;
        Timed { name: &name, network, x, y, passes: CHAIN as u64 }.run::<f32, f32>(bench, self)?;
        if let Some(whole) = bench.rows.last().cloned() {
            let each = |time: f64| time / CHAIN as f64;
            bench.rows.push(Row {
                work: format!("{name}, each"),
                median_us: each(whole.median_us),
                floor_us: each(whole.floor_us),
                ..whole
            });
        }
        Ok(())
    }
}

/// A network of one input and one output, with the buffers it is run on.
struct Timed<'a> {
    name: &'a str,
    network: Network,
    x: HostTensor,
    y: HostTensor,
    /// How often as many bytes as input and output have are read and written in all.
    passes: u64,
}

impl Timed<'_> {
    fn run<X: Element, Y: Element>(mut self, bench: &mut Bench<'_>, run: &Run<'_>) -> Result<()> {
        let engine = run.args.build.builder(run.device.clone()).build(&self.network)?;
        bench.tuning.push(tuning::table(engine.report()));
        let mut context = engine.create_context()?;
        context.set_input_shape("X", self.x.shape())?;
        let stream = run.device.create_stream()?;
        let shape = self.x.shape().to_vec();
        let x = self.x.as_slice::<X>()?;
        let y = self.y.as_mut_slice::<Y>()?;
        let mut enqueue = || context.enqueue(&mut [Binding::input(x), Binding::output(y)], &stream);
        enqueue()?;
        let written = context.output_shape("Y")?.numel().unwrap_or(0) * size_of::<Y>() as u64;
        let bytes = self.passes * (size_of_val(x) as u64 + written);
        let work = Work { name: self.name, dtype: type_name(self.x.dtype()), shape: &shape, bytes };
        bench.add(&work, || Ok(context.enqueue(&mut [Binding::input(x), Binding::output(y)], &stream)?))
    }
}

/// As on the command line.
fn type_name(dtype: DataType) -> &'static str {
    match dtype {
        DataType::Float16 => "f16",
        _ => "f32",
    }
}
