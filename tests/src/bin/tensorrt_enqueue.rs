//! What enqueue through TensorRT's tables costs the host, beside the engine's own: the same plugin, memory and stream, in turns.
//!
//! `tensorrt_enqueue` prints a line, `PASS` or `FAIL` first, with both medians and their ratio. The status is 0 if that holds.

#![cfg_attr(unix, expect(unsafe_code, reason = "lends streams and memory"))]

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    match bench::run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("tensorrt_enqueue: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("tensorrt_enqueue: TensorRT's tables are those of Unix");
    ExitCode::FAILURE
}

#[cfg(unix)]
mod bench {
    use std::ffi::c_void;
    use std::ptr::null_mut;
    use std::time::Instant;

    use plugin_runtime::device::cuda::DeviceTensor;
    use plugin_runtime::device::{Binding, Device, Stream};
    use plugin_runtime::engine::{Builder, ExecutionContext};
    use plugin_runtime::network::Network;
    use plugin_runtime::prelude::*;
    use plugin_runtime::tensor::HostTensor;
    use samples::add::elemwise_add_plugin;
    use tests::tensorrt::{Desc, DynamicDesc, Field, Plugin, find, log, types};

    const SHAPE: [i64; 4] = [10, 3, 32, 32];
    const BLOCK_SIZE: i32 = 256;
    const ID: &str = "sample::elemwise_add_plugin";
    /// What the tables may take, in times of the engine's own.
    const MOST: f64 = 1.05;
    const WARM_UP: usize = 20;
    const ROUNDS: usize = 201;
    /// Few enough that the driver's queue never fills up.
    const RUNS: u32 = 200;

    type Failure = Box<dyn std::error::Error>;

    /// Whether the limit is held.
    pub(super) fn run() -> std::result::Result<bool, Failure> {
        let device = Device::cuda(0)?;
        let stream = device.create_stream()?;
        let mut network = Network::new();
        let x = network.add_input("X", DataType::Float32, SHAPE)?;
        let [y] = network.add_plugin(elemwise_add_plugin::op(x, BLOCK_SIZE))?;
        network.mark_output(y, "Y")?;
        let engine = Builder::new(device).build(&network)?;
        let values: Vec<f32> = (0..SHAPE.iter().product::<i64>()).map(|value| value as f32).collect();
        let x = DeviceTensor::from_host(&stream, &HostTensor::from_slice(&values, &SHAPE)?)?;
        let mut own =
            Own { context: engine.create_context()?, y: DeviceTensor::zeros(&stream, DataType::Float32, &SHAPE)? };

        let fields = [Field::ints("block_size", &[BLOCK_SIZE])];
        let plugin = find(ID).create("add", &fields, false).ok_or_else(|| format!("{ID} isn't made: {:?}", log()))?;
        let tables = Tables::new(plugin, &x, DeviceTensor::zeros(&stream, DataType::Float32, &SHAPE)?)?;
        let [theirs, ours] = in_turns(&tables, &mut own, &x, &stream)?;
        if tables.y.to_host(&stream)?.bytes() != own.y.to_host(&stream)?.bytes() {
            return Err("the result through the tables isn't the engine's".into());
        }
        let (holds, ratio) = (theirs <= MOST * ours, theirs / ours);
        println!(
            "{} enqueue through TensorRT's tables: {theirs:.3} us, {ratio:.3} x the engine's own {ours:.3} us; at most {MOST} x",
            if holds { "PASS" } else { "FAIL" }
        );
        Ok(holds)
    }

    /// The engine with its output.
    struct Own {
        context: ExecutionContext,
        y: DeviceTensor,
    }

    impl Own {
        fn enqueue(&mut self, x: &DeviceTensor, stream: &Stream) -> Result<()> {
            self.context.enqueue(&mut [Binding::device_input(x), Binding::device_output(&mut self.y)], stream)
        }
    }

    /// A plugin as a host has it that runs it.
    struct Tables {
        plugin: Plugin,
        desc: [Desc; 1],
        inputs: [*const c_void; 1],
        outputs: [*mut c_void; 1],
        y: DeviceTensor,
    }

    impl Tables {
        fn new(plugin: Plugin, x: &DeviceTensor, y: DeviceTensor) -> std::result::Result<Tables, Failure> {
            let desc = DynamicDesc::fixed(types::FLOAT, &SHAPE);
            if plugin.output_types(&[types::FLOAT]).is_err() || plugin.configure(&[desc], &[desc]) != 0 {
                return Err(format!("{:?}", log()).into());
            }
            let plugin = plugin.attach();
            let desc = [desc.desc];
            if plugin.on_shape_change(&desc, &desc) != 0 {
                return Err(format!("{:?}", log()).into());
            }
            let place =
                |tensor: &DeviceTensor| std::ptr::with_exposed_provenance_mut::<c_void>(tensor.address() as usize);
            Ok(Tables { plugin, desc, inputs: [place(x).cast_const()], outputs: [place(&y)], y })
        }

        fn enqueue(&self, stream: *mut c_void) -> i32 {
            // SAFETY: the memory is as large as the descs say, and stays until the stream is done.
            unsafe { self.plugin.enqueue((&self.desc, &self.desc), &self.inputs, &self.outputs, null_mut(), stream) }
        }
    }

    /// Medians of one run of each, in microseconds: through the tables, then the engine's own.
    fn in_turns(
        tables: &Tables,
        own: &mut Own,
        x: &DeviceTensor,
        stream: &Stream,
    ) -> std::result::Result<[f64; 2], Failure> {
        let raw = stream.as_raw_cuda().ok_or("a GPU's stream has a handle")?;
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..WARM_UP + ROUNDS {
            // Who comes first changes from round to round.
            for turn in [round % 2, 1 - round % 2] {
                let start = Instant::now();
                for _ in 0..RUNS {
                    match turn {
                        0 if tables.enqueue(raw) != 0 => return Err(format!("{:?}", log()).into()),
                        0 => {}
                        _ => own.enqueue(x, stream)?,
                    }
                }
                let us = start.elapsed().as_secs_f64() * 1e6 / f64::from(RUNS);
                stream.synchronize()?;
                if round >= WARM_UP {
                    times[turn].push(us);
                }
            }
        }
        Ok(times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        }))
    }
}
