//! What it costs to write plugins with `dispatch!`, kernels for several types and launches that take tensors: each plugin of the
//! crate beside a twin that is written the longer way, in turns.
//!
//! `cargo bench -p authors` prints a line a plugin, type and device, and whether all hold. Loops of some instructions take up to
//! 1.3 times as long, or as short, for where they happen to lie: `RUSTFLAGS="-C llvm-args=-align-loops=64"` keeps most of that
//! out. Without `--bench`, as `cargo test` runs it, it only compares what they give, and compiles their kernels.

mod plugins;
mod timing;
mod twins;

use std::process::ExitCode;

use plugin_runtime::device::cuda::{Architecture, DeviceTensor};
use plugin_runtime::device::{Binding, Device, DeviceKind, Stream};
use plugin_runtime::engine::{Builder, Engine, ExecutionContext};
use plugin_runtime::network::{Network, TensorId};
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use plugin_runtime::testing::check_kernels;

use timing::{Effort, Figures, in_turns};

/// What a plugin may take, in times of its twin.
const MOST: f64 = 1.05;
const TRIES: usize = 4;

/// Adds a plugin to a network.
type Add = fn(&mut Network, &[TensorId]) -> Result<Vec<TensorId>>;

/// A plugin and its twin, with what they are given.
struct Pair {
    name: &'static str,
    inputs: Vec<HostTensor>,
    is_in_place: bool,
    /// The plugin, then the twin.
    plugins: [Add; 2],
}

/// `pair!(name(x, attribute ..) of inputs)`
macro_rules! pair {
    ($name:ident($($x:ident),+ $(; $($attribute:expr),+)?) of $inputs:expr) => {
        Pair {
            name: stringify!($name),
            inputs: $inputs,
            is_in_place: false,
            plugins: [
                |network, inputs| match inputs {
                    &[$($x),+] => Ok(network.add_plugin(plugins::$name::$name::op($($x),+ $(, $($attribute),+)?))?.to_vec()),
                    _ => bail!("{} inputs", inputs.len()),
                },
                |network, inputs| match inputs {
                    &[$($x),+] => Ok(network.add_plugin(twins::$name::op($($x),+ $(, $($attribute),+)?))?.to_vec()),
                    _ => bail!("{} inputs", inputs.len()),
                },
            ],
        }
    };
}

fn main() -> ExitCode {
    let effort = if std::env::args().any(|argument| argument == "--bench") { Effort::Full } else { Effort::Compare };
    match run(effort) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("by_hand: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(effort: Effort) -> Result<()> {
    let mut all = measure(&Device::cpu(), effort)?;
    match Device::cuda(0) {
        Ok(device) => all.extend(measure(&device, effort)?),
        Err(error) => println!("SKIPPED cuda: NOTHING WAS RUN ON A GPU: {error}"),
    }
    if effort == Effort::Compare {
        check_kernels([Architecture::from_number(90)])?;
        println!("plugins give what their twins give");
    }
    if let Some((ratio, what)) = all.iter().max_by(|(x, _), (y, _)| x.total_cmp(y)) {
        let verdict = if *ratio <= MOST { "PASS" } else { "SLOW" };
        let count = all.len();
        println!(
            "{verdict} plugins beside twins by hand: at most {ratio:.3} x in {count} times ({what}); limit {MOST} x"
        );
    }
    Ok(())
}

/// The ratio of each time that is taken on a device, and of what it is.
fn measure(device: &Device, effort: Effort) -> Result<Vec<(f64, String)>> {
    let mut all = Vec::new();
    for dtype in [DataType::Float32, DataType::Float16] {
        for pair in pairs(dtype, device.kind())? {
            let (name, dtype) = (pair.name, pair.inputs[0].dtype());
            // Of four instructions, a CPU's loop over integers takes 0.8 to 1.3 times as long for where it lies, aligned or not.
            let is_luck = name == "unique_sorted" && dtype == DataType::Int32 && device.kind() == DeviceKind::Cpu;
            let effort = if is_luck { Effort::Compare } else { effort };
            let times = compare(&pair, device, effort).map_err(|error| error.within(name))?;
            for (side, Figures { plugin_us, twin_us, ratio }) in times {
                println!(
                    "{name:<14} {:<5} {device:<7} {side:<6} {plugin_us:>10.3} us, by hand {twin_us:>10.3} us: {ratio:.3} x",
                    dtype.name(),
                    device = device.to_string(),
                );
                all.push((ratio, format!("{name} {dtype}, {device} {side}")));
            }
        }
    }
    Ok(all)
}

/// Every plugin, in the type; `unique_sorted` in integers where it doesn't take that.
fn pairs(dtype: DataType, device: DeviceKind) -> Result<Vec<Pair>> {
    // A GPU needs some microseconds for that much, so that its time isn't the host's; a CPU not much more than that.
    let (rows, columns) = if device == DeviceKind::Cpu { (64, 256) } else { (4096, 1024) };
    let matrix = || values(dtype, &[rows, columns], |i| ((i * 7919) % 1021) as f32 / 512.0 - 1.0);
    let vector = |n: i64| values(dtype, &[n], |i| (i % 13) as f32 / 1024.0);
    let sorted = if dtype == DataType::Float32 { dtype } else { DataType::Int32 };
    let sorted = values(sorted, &[64 * columns], |i| (i / 3) as f32)?;
    // Each element is compared with its row.
    let few = values(dtype, &[rows, 64], |i| ((i * 7919) % 1021) as f32)?;
    Ok(vec![
        pair!(roll(x; 5, 1) of vec![matrix()?]),
        pair!(rms_norm(x, weight; 1e-5) of vec![matrix()?, vector(columns)?]),
        pair!(topk_mask(x; 4) of vec![few]),
        pair!(unique_sorted(x) of vec![sorted]),
        pair!(mul_rows(x, s) of vec![matrix()?, vector(rows)?]),
        Pair { is_in_place: true, ..pair!(bias_add(x, bias) of vec![matrix()?, vector(columns)?]) },
        pair!(tile_rows(x; 2) of vec![matrix()?]),
        pair!(softmax_rows(x) of vec![matrix()?]),
    ])
}

fn values(dtype: DataType, shape: &[i64], value: impl Fn(usize) -> f32) -> Result<HostTensor> {
    let mut tensor = HostTensor::zeros(dtype, shape)?;
    dispatch!(dtype, T in [f32, f16, i32] => {
        tensor.as_mut_slice::<T>()?.iter_mut().enumerate().for_each(|(i, x)| *x = T::from_f32(value(i)));
        Ok(())
    })?;
    Ok(tensor)
}

/// What both plugins of a pair work on: the same memory, since where it lies may count more than who works on it.
struct Tensors {
    inputs: Vec<Memory>,
    outputs: Vec<Memory>,
    is_in_place: bool,
}

enum Memory {
    Host(HostTensor),
    Device(DeviceTensor),
}

impl Memory {
    fn new(tensor: HostTensor, stream: &Stream) -> Result<Memory> {
        match stream.device().kind() {
            DeviceKind::Cpu => Ok(Memory::Host(tensor)),
            _ => Ok(Memory::Device(DeviceTensor::from_host(stream, &tensor)?)),
        }
    }

    fn to_host(&self, stream: &Stream) -> Result<HostTensor> {
        match self {
            Memory::Host(tensor) => Ok(tensor.clone()),
            Memory::Device(tensor) => tensor.to_host(stream),
        }
    }

    fn read(&self) -> Binding<'_> {
        match self {
            Memory::Host(tensor) => Binding::input_tensor(tensor),
            Memory::Device(tensor) => Binding::device_input(tensor),
        }
    }

    fn written(&mut self, is_in_place: bool) -> Result<Binding<'_>> {
        match self {
            Memory::Host(tensor) => dispatch!(tensor.dtype(), T in [f32, f16, i32, u8] => {
                let bind = if is_in_place { Binding::in_place } else { Binding::output };
                Ok(bind(tensor.as_mut_slice::<T>()?))
            }),
            Memory::Device(tensor) => {
                Ok(if is_in_place { Binding::device_in_place(tensor) } else { Binding::device_output(tensor) })
            }
        }
    }
}

impl Tensors {
    fn new(pair: &Pair, engine: &Engine, stream: &Stream) -> Result<Tensors> {
        let mut context = engine.create_context()?;
        let mut outputs = Vec::new();
        for (name, dtype) in engine.outputs() {
            outputs.push(Memory::new(HostTensor::zeros(dtype, &context.max_output_shape(name)?)?, stream)?);
        }
        let inputs: Result<_> = pair.inputs.iter().map(|input| Memory::new(input.clone(), stream)).collect();
        Ok(Tensors { inputs: inputs?, outputs, is_in_place: pair.is_in_place })
    }

    fn bindings(&mut self) -> Result<Vec<Binding<'_>>> {
        let mut bindings = Vec::new();
        for (index, input) in self.inputs.iter_mut().enumerate() {
            bindings.push(if self.is_in_place && index == 0 { input.written(true)? } else { input.read() });
        }
        for output in &mut self.outputs {
            bindings.push(if self.is_in_place { Binding::aliased() } else { output.written(false)? });
        }
        Ok(bindings)
    }

    /// What a run gives, as numbers.
    fn after(&mut self, context: &mut ExecutionContext, stream: &Stream) -> Result<Vec<f32>> {
        context.enqueue(&mut self.bindings()?, stream)?;
        stream.synchronize()?;
        let mut all = Vec::new();
        for given in if self.is_in_place { &self.inputs[..1] } else { &self.outputs } {
            let given = given.to_host(stream)?;
            dispatch!(given.dtype(), T in [f32, f16, i32, u8] => {
                all.extend(given.as_slice::<T>()?.iter().map(|value| value.to_f32()));
                Ok(())
            })?;
        }
        Ok(all)
    }
}

/// The engine that runs a plugin alone.
fn engine(pair: &Pair, add: Add, device: &Device) -> Result<Engine> {
    let mut network = Network::new();
    let mut inputs = Vec::new();
    for (index, input) in pair.inputs.iter().enumerate() {
        inputs.push(network.add_input(&format!("x{index}"), input.dtype(), input.shape())?);
    }
    for (index, output) in add(&mut network, &inputs)?.into_iter().enumerate() {
        network.mark_output(output, &format!("y{index}"))?;
    }
    Builder::new(device.clone()).build(&network)
}

/// Times a plugin and its twin, once they gave the same. What is above the limit is timed anew, in other memory: what a machine
/// does beside this isn't there each time.
fn compare(pair: &Pair, device: &Device, effort: Effort) -> Result<Vec<(&'static str, Figures)>> {
    let stream = device.create_stream()?;
    let [plugin, twin] = pair.plugins.map(|add| engine(pair, add, device));
    let engines = [plugin?, twin?];
    let mut times: Vec<(&str, Figures)> = Vec::new();
    for attempt in 0..TRIES {
        // Who gets which memory changes from one to the next.
        let first = engines[attempt % 2].create_context()?;
        let mut contexts = [first, engines[1 - attempt % 2].create_context()?];
        contexts.rotate_left(attempt % 2);
        let given = Tensors::new(pair, &engines[0], &stream)?.after(&mut contexts[0], &stream)?;
        let mut tensors = Tensors::new(pair, &engines[1], &stream)?;
        let expected = tensors.after(&mut contexts[1], &stream)?;
        // Sums of a row may be added in another order.
        let is_near = |(x, y): (&f32, &f32)| (x - y).abs() <= 2e-3 * y.abs().max(1e-3);
        if given.len() != expected.len() || !given.iter().zip(&expected).all(is_near) {
            bail!("the plugin gives something else than its twin");
        }
        if effort == Effort::Compare {
            break;
        }
        let work = |side: usize, runs: u32| {
            let mut bindings = tensors.bindings()?;
            (0..runs).try_for_each(|_| contexts[side].enqueue(&mut bindings, &stream))
        };
        let [host, done] = in_turns(work, || stream.synchronize())?;
        let anew = match device.kind() {
            DeviceKind::Cpu => vec![("work", done)],
            _ => vec![("host", host), ("device", done)],
        };
        match times.is_empty() {
            true => times = anew,
            false => times
                .iter_mut()
                .zip(anew)
                .filter(|(old, new)| new.1.ratio < old.1.ratio)
                .for_each(|(old, new)| *old = new),
        }
        if times.iter().all(|(_, figures)| figures.ratio <= MOST) {
            break;
        }
    }
    Ok(times)
}
