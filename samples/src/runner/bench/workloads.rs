//! The work that is timed.

use half::f16;
use plugin_runtime::device::Device;
use plugin_runtime::engine::{Binding, Builder};
use plugin_runtime::network::Network;
use plugin_runtime::tensor::{DataType, Element, HostTensor};
use samples::add::elemwise_add_plugin;

use super::{Bench, Work, touch::touch};
use crate::runner::cli::BenchArgs;
use crate::runner::commands;
use crate::runner::data::{self, Fill};
use crate::runner::failure::Result;

const CHAIN: usize = 100;

/// Times the samples on small and large inputs, and a chain of plugins that do nearly nothing.
///
/// # Errors
/// When an engine can't be built or run.
pub(super) fn run_all(bench: &mut Bench<'_>, device: &Device, args: &BenchArgs) -> Result<()> {
    run_typed::<f32>(bench, device, args, DataType::Float32, "f32")?;
    run_typed::<f16>(bench, device, args, DataType::Float16, "f16")?;
    chain(bench, device, args)
}

fn run_typed<T: Element>(
    bench: &mut Bench<'_>,
    device: &Device,
    args: &BenchArgs,
    dtype: DataType,
    type_name: &'static str,
) -> Result<()> {
    let mut matrices = vec![[128, 128]];
    let mut images = vec![[10, 3, 32, 32]];
    let mut flat = vec![[1 << 10]];
    if !args.quick {
        matrices.push([4096, 4096]);
        images.push([16, 64, 128, 128]);
        // 64 MiB
        flat = vec![[i64::from((64 << 20) / (dtype.bits() / 8))]];
    }
    for shape in matrices.iter().filter(|_| bench.wants("non_zero")) {
        let network = commands::non_zero_network(dtype, shape)?;
        let x = data::made_up(dtype, shape, args.build.seed, Fill::HalfZeros)?;
        let y = HostTensor::zeros(DataType::Int32, &[shape.iter().product(), 2])?;
        let timed = Timed { name: "non_zero", type_name, network, x, y };
        timed.run::<T, i32>(bench, device, args)?;
    }
    for shape in images.iter().filter(|_| bench.wants("circ_pad")) {
        let network = commands::circ_pad_network(dtype, shape, &[1, 1, 1, 1])?;
        let x = data::made_up(dtype, shape, args.build.seed, Fill::Values)?;
        let [n, c, h, w] = *shape;
        let y = HostTensor::zeros(dtype, &[n, c, h + 2, w + 2])?;
        let timed = Timed { name: "circ_pad", type_name, network, x, y };
        timed.run::<T, T>(bench, device, args)?;
    }
    for shape in flat.iter().filter(|_| bench.wants("add")) {
        let mut network = Network::new();
        let x = network.add_input("X", dtype, *shape)?;
        let [y] = network.add_plugin(elemwise_add_plugin::op(x, 256))?;
        network.mark_output(y, "Y")?;
        let x = data::made_up(dtype, shape, args.build.seed, Fill::Values)?;
        let y = HostTensor::zeros(dtype, shape)?;
        let timed = Timed { name: "add", type_name, network, x, y };
        timed.run::<T, T>(bench, device, args)?;
    }
    Ok(())
}

fn chain(bench: &mut Bench<'_>, device: &Device, args: &BenchArgs) -> Result<()> {
    let name = format!("chain of {CHAIN} plugins");
    if !bench.wants(&name) {
        return Ok(());
    }
    let shape = [4];
    let mut network = Network::new();
    let mut last = network.add_input("X", DataType::Float32, shape)?;
    for _ in 0..CHAIN {
        [last] = network.add_plugin(touch::op(last))?;
    }
    network.mark_output(last, "Y")?;
    let x = data::made_up(DataType::Float32, &shape, args.build.seed, Fill::Values)?;
    let y = HostTensor::zeros(DataType::Float32, &shape)?;
    let timed = Timed { name: &name, type_name: "f32", network, x, y };
    timed.run_many::<f32, f32>(bench, device, args, CHAIN as u64)?;
    if let Some(whole) = bench.rows.last().cloned() {
        let each = |time: f64| time / CHAIN as f64;
        bench.rows.push(super::Row {
            work: format!("{name}, each"),
            median_us: each(whole.median_us),
            floor_us: each(whole.floor_us),
            ..whole
        });
    }
    Ok(())
}

/// A network of one input and one output, with the buffers it is run on.
struct Timed<'a> {
    name: &'a str,
    type_name: &'static str,
    network: Network,
    x: HostTensor,
    y: HostTensor,
}

impl Timed<'_> {
    fn run<X: Element, Y: Element>(self, bench: &mut Bench<'_>, device: &Device, args: &BenchArgs) -> Result<()> {
        self.run_many::<X, Y>(bench, device, args, 1)
    }

    /// `passes` is how often as many bytes as input and output have are read and written in all.
    fn run_many<X: Element, Y: Element>(
        mut self,
        bench: &mut Bench<'_>,
        device: &Device,
        args: &BenchArgs,
        passes: u64,
    ) -> Result<()> {
        let engine = Builder::new(device.clone()).seed(args.build.seed).build(&self.network)?;
        let mut context = engine.create_context()?;
        context.set_input_shape("X", self.x.dims())?;
        let stream = device.create_stream()?;
        let shape = self.x.dims().to_vec();
        let x = self.x.as_slice::<X>()?;
        let y = self.y.as_mut_slice::<Y>()?;
        let mut enqueue = || context.enqueue(&mut [Binding::input(x), Binding::output(y)], &stream);
        enqueue()?;
        let written = context.output_shape("Y")?.iter().product::<i64>().unsigned_abs() * size_of::<Y>() as u64;
        let bytes = passes * (size_of_val(x) as u64 + written);
        let work = Work { name: self.name, dtype: self.type_name, shape: &shape, bytes };
        bench.add(&work, || Ok(context.enqueue(&mut [Binding::input(x), Binding::output(y)], &stream)?))
    }
}
