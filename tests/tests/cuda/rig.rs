//! Engines run on buffers with guards, and beside the CPU's.

use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, Device, Stream};
use plugin_runtime::engine::{Builder, Engine, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;

/// Elements behind each buffer.
const GUARD: usize = 64;
/// What outputs and their guards hold before a run.
const POISON: u8 = 0xa5;
/// What is behind inputs: no number.
const BEHIND: u8 = 0xff;

/// Named inputs of one run.
pub(crate) type Inputs<'a> = [(&'a str, &'a HostTensor)];

/// A tensor in device memory with a guard behind it.
struct Guarded {
    tensor: DeviceTensor,
    /// All that was put into it.
    content: Vec<u8>,
    /// Bytes before the guard.
    len: usize,
}

impl Guarded {
    fn new(stream: &Stream, dtype: DataType, len: usize) -> Guarded {
        let element = dtype.bits() as usize / 8;
        let elements = len / element + GUARD;
        let tensor = DeviceTensor::uninit(stream, dtype, &[elements as i64]).unwrap();
        Guarded { tensor, content: vec![POISON; elements * element], len }
    }

    fn poison(&mut self, stream: &Stream) {
        self.content.fill(POISON);
        self.tensor.fill(stream, POISON).unwrap();
    }

    fn upload(&mut self, stream: &Stream, bytes: &[u8]) {
        assert_eq!(bytes.len(), self.len);
        self.content[..self.len].copy_from_slice(bytes);
        self.content[self.len..].fill(BEHIND);
        let host = HostTensor::from_bytes(self.tensor.dtype(), &self.content, self.tensor.shape()).unwrap();
        self.tensor.copy_from_host(stream, &host).unwrap();
    }

    /// What is in it, once the guard was checked.
    fn download(&self, stream: &Stream, what: &str) -> Vec<u8> {
        let mut bytes = self.tensor.to_host(stream).unwrap().bytes().to_vec();
        let written = bytes[self.len..].iter().zip(&self.content[self.len..]).position(|(a, b)| a != b);
        assert_eq!(written, None, "{what}: bytes behind the end were written");
        bytes.truncate(self.len);
        bytes
    }
}

/// The memory for an engine's inputs and outputs at the shapes that a context was given.
pub(crate) struct Buffers {
    inputs: Vec<Guarded>,
    /// `None` for one that lies in an input's memory.
    outputs: Vec<Option<Guarded>>,
    /// For each output, the input that it lies in the memory of.
    aliases: Vec<Option<usize>>,
}

impl Buffers {
    /// One binding for each input, then for each output.
    pub(crate) fn bindings(&mut self) -> Vec<Binding<'_>> {
        let aliases = &self.aliases;
        let inputs =
            self.inputs.iter_mut().enumerate().map(|(position, input)| match aliases.contains(&Some(position)) {
                true => Binding::device_in_place(&mut input.tensor),
                false => Binding::device_input(&input.tensor),
            });
        let outputs = self.outputs.iter_mut().map(|output| match output {
            Some(output) => Binding::device_output(&mut output.tensor),
            None => Binding::aliased(),
        });
        inputs.chain(outputs).collect()
    }
}

/// An engine, a context of it, and a stream.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) context: ExecutionContext,
    pub(crate) stream: Stream,
    /// (output, input) where an output lies in an input's memory.
    in_place: Vec<(String, String)>,
}

impl Rig {
    pub(crate) fn new(engine: Engine, in_place: &[(&str, &str)]) -> Rig {
        let context = engine.create_context().unwrap();
        let stream = engine.device().create_stream().unwrap();
        let owned = |&(output, input): &(&str, &str)| (output.to_owned(), input.to_owned());
        Rig { engine, context, stream, in_place: in_place.iter().map(owned).collect() }
    }

    /// Sets the shapes, and makes buffers for them.
    pub(crate) fn buffers(&mut self, inputs: &Inputs<'_>) -> Buffers {
        for (name, tensor) in inputs {
            self.context.set_input_shape(name, tensor.shape()).unwrap();
        }
        let names: Vec<String> = self.engine.inputs().map(|(name, _)| name.to_owned()).collect();
        let bytes_of = |name: &str| inputs.iter().find(|(n, _)| *n == name).expect("it is given").1.bytes().len();
        let guarded = |(name, dtype)| Guarded::new(&self.stream, dtype, bytes_of(name));
        let mut buffers =
            Buffers { inputs: self.engine.inputs().map(guarded).collect(), outputs: Vec::new(), aliases: Vec::new() };
        for (name, dtype) in self.engine.outputs() {
            let source = self.in_place.iter().find(|(output, _)| output == name).map(|(_, input)| input);
            buffers.aliases.push(source.map(|input| names.iter().position(|n| n == input).expect("it is an input")));
            let dims = self.context.max_output_shape(name).unwrap();
            let len = HostTensor::zeros(dtype, &dims).unwrap().bytes().len();
            buffers.outputs.push(source.is_none().then(|| Guarded::new(&self.stream, dtype, len)));
        }
        buffers
    }

    /// Fills the inputs with data and the outputs with poison.
    pub(crate) fn fill(&self, buffers: &mut Buffers, inputs: &Inputs<'_>) {
        for ((name, _), buffer) in self.engine.inputs().zip(&mut buffers.inputs) {
            let tensor = inputs.iter().find(|(n, _)| *n == name).expect("it is given").1;
            buffer.upload(&self.stream, tensor.bytes());
        }
        buffers.outputs.iter_mut().flatten().for_each(|output| output.poison(&self.stream));
    }

    /// Enqueues a run.
    pub(crate) fn enqueue(&mut self, buffers: &mut Buffers) {
        self.context.enqueue(&mut buffers.bindings(), &self.stream).unwrap();
    }

    /// The outputs at their true extents. Guards, and inputs that aren't updated, have to be as they were.
    pub(crate) fn outputs(&mut self, buffers: &Buffers) -> Vec<HostTensor> {
        let inputs: Vec<Vec<u8>> = buffers.inputs.iter().map(|i| i.download(&self.stream, "an input")).collect();
        for (position, (bytes, input)) in inputs.iter().zip(&buffers.inputs).enumerate() {
            let updated = buffers.aliases.contains(&Some(position));
            assert!(updated || *bytes == input.content[..input.len], "input {position} was changed");
        }
        let names: Vec<(String, DataType)> =
            self.engine.outputs().map(|(name, dtype)| (name.to_owned(), dtype)).collect();
        let mut found = Vec::new();
        for (position, (name, dtype)) in names.into_iter().enumerate() {
            let bytes = match (&buffers.outputs[position], buffers.aliases[position]) {
                (Some(output), _) => output.download(&self.stream, &name),
                (None, input) => inputs[input.expect("it has memory")].clone(),
            };
            let dims = self.context.output_shape(&name).unwrap();
            let len = HostTensor::zeros(dtype, &dims).unwrap().bytes().len();
            found.push(HostTensor::from_bytes(dtype, &bytes[..len], &dims).unwrap());
        }
        found
    }

    /// Runs once in fresh buffers.
    pub(crate) fn run(&mut self, inputs: &Inputs<'_>) -> Vec<HostTensor> {
        let mut buffers = self.buffers(inputs);
        self.fill(&mut buffers, inputs);
        self.enqueue(&mut buffers);
        self.outputs(&buffers)
    }
}

/// Both have the same type, extents and bits.
#[track_caller]
pub(crate) fn assert_same(found: &HostTensor, expected: &HostTensor, what: &str) {
    assert_eq!((found.dtype(), found.shape()), (expected.dtype(), expected.shape()), "{what}");
    let differs = found.bytes().iter().zip(expected.bytes()).position(|(a, b)| a != b);
    if let Some(byte) = differs {
        let element = byte * 8 / found.dtype().bits() as usize;
        panic!(
            "{what}: element {element} of {} {:?} differs: {}",
            found.dtype(),
            found.shape(),
            shown(found, expected, element)
        );
    }
}

fn shown(found: &HostTensor, expected: &HostTensor, element: usize) -> String {
    fn pair<T: Element + std::fmt::Debug>(found: &HostTensor, expected: &HostTensor, element: usize) -> String {
        let of = |tensor: &HostTensor| tensor.as_slice::<T>().unwrap()[element];
        format!("it is {:?}, not {:?}", of(found), of(expected))
    }
    match found.dtype() {
        DataType::Float32 => pair::<f32>(found, expected, element),
        DataType::Float16 => pair::<f16>(found, expected, element),
        DataType::BFloat16 => pair::<bf16>(found, expected, element),
        DataType::Int32 => pair::<i32>(found, expected, element),
        DataType::Int64 => pair::<i64>(found, expected, element),
        other => format!("{other}"),
    }
}

/// The same network built for the CPU and for a GPU.
pub(crate) struct Twin {
    pub(crate) cpu: ExecutionContext,
    pub(crate) gpu: Rig,
}

impl Twin {
    pub(crate) fn new(device: &Device, network: &Network, profile: &Profile, in_place: &[(&str, &str)]) -> Twin {
        let build = |device: Device| Builder::new(device).profile(profile.clone()).build(network).unwrap();
        let cpu = build(Device::cpu()).create_context().unwrap();
        Twin { cpu, gpu: Rig::new(build(device.clone()), in_place) }
    }

    /// What the CPU finds.
    pub(crate) fn expected(&mut self, inputs: &Inputs<'_>) -> Vec<HostTensor> {
        self.cpu.run(inputs).unwrap().into_iter().map(|(_, tensor)| tensor).collect()
    }

    /// Runs both ways of running on the GPU; both have to give what the CPU gives.
    #[track_caller]
    pub(crate) fn agree(&mut self, inputs: &Inputs<'_>) {
        let expected = self.expected(inputs);
        let names: Vec<String> = self.gpu.engine.outputs().map(|(name, _)| name.to_owned()).collect();
        let enqueued = self.gpu.run(inputs);
        let run = self.gpu.context.run(inputs).unwrap();
        let shapes: Vec<&[i64]> = inputs.iter().map(|(_, tensor)| tensor.shape()).collect();
        for (position, (name, expected)) in names.iter().zip(&expected).enumerate() {
            assert_same(&enqueued[position], expected, &format!("`{name}` enqueued at {shapes:?}"));
            assert_eq!(&run[position].0, name);
            assert_same(&run[position].1, expected, &format!("`{name}` run at {shapes:?}"));
        }
    }
}
