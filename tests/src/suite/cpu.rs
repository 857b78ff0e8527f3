//! The embedded CPU device, as it is built and as it is loaded from a file.

use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::{Builder, Engine, ExecutionContext};
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;

use super::{Case, Run, Runtime, assert_same};

/// The CPU.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    /// Whether the engine is saved and loaded again before.
    pub saved_and_loaded: bool,
}

impl Runtime for Cpu {
    fn name(&self) -> &'static str {
        if self.saved_and_loaded { "cpu saved and loaded" } else { "cpu" }
    }

    fn leaves_out(&self, _: &Case) -> Option<String> {
        None
    }

    fn run(&mut self, case: &Case) -> Result<Vec<Vec<HostTensor>>> {
        let mut engine = built(case, Device::cpu())?;
        if self.saved_and_loaded {
            engine = Engine::from_bytes(&engine.to_bytes()?)?;
        }
        let mut context = engine.create_context()?;
        let run = |run: &Run| {
            let found = run_guarded(&engine, &mut context, case, run)?;
            assert_same(&run_by_name(&mut context, run)?, &found, &format!("{}, run by name", case.name));
            Ok(found)
        };
        case.runs.iter().map(run).collect()
    }
}

/// The outputs of a run that gets its inputs by name, in memory of its own.
///
/// # Errors
/// When it fails.
pub fn run_by_name(context: &mut ExecutionContext, run: &Run) -> Result<Vec<HostTensor>> {
    Ok(context.run(&run.inputs())?.into_iter().map(|(_, tensor)| tensor).collect())
}

/// A case's engine.
///
/// # Errors
/// When it can't be built.
pub fn built(case: &Case, device: Device) -> Result<Engine> {
    let builder = case.profile.iter().cloned().fold(Builder::new(device), Builder::profile);
    builder.allow_types(case.types.iter().copied()).build(&case.network)
}

/// Bytes behind each buffer.
const GUARD: usize = 64;
/// What outputs and what is behind them hold before a run.
const POISON: u8 = 0xa5;

/// Memory for a tensor, with a guard behind it.
struct Guarded {
    words: Vec<u128>,
    dtype: DataType,
    len: usize,
}

impl Guarded {
    fn new(dtype: DataType, len: usize) -> Guarded {
        let mut memory = Guarded { words: vec![0; (len + GUARD).div_ceil(16)], dtype, len };
        memory.all().fill(POISON);
        memory
    }

    fn of(tensor: &HostTensor) -> Guarded {
        let mut memory = Guarded::new(tensor.dtype(), tensor.bytes().len());
        memory.all()[..tensor.bytes().len()].copy_from_slice(tensor.bytes());
        memory
    }

    fn all(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words)
    }

    /// What is in it, once the guard was checked.
    fn checked(&mut self, what: &str) -> &[u8] {
        let len = self.len;
        let written = self.all()[len..].iter().position(|byte| *byte != POISON);
        assert_eq!(written, None, "{what}: bytes behind the end were written");
        &self.all()[..len]
    }

    fn bound(&mut self, role: Role) -> Binding<'_> {
        fn typed<T: Element>(bytes: &mut [u8], role: Role) -> Binding<'_> {
            let elements = bytemuck::cast_slice_mut::<u8, T>(bytes);
            match role {
                Role::Input => Binding::input(elements),
                Role::InPlace => Binding::in_place(elements),
                Role::Output => Binding::output(elements),
            }
        }
        let (dtype, size) = (self.dtype, self.len.next_multiple_of(8) + GUARD / 2);
        let bytes = &mut self.all()[..size];
        match dtype {
            DataType::Float32 => typed::<f32>(bytes, role),
            DataType::Float16 => typed::<f16>(bytes, role),
            DataType::BFloat16 => typed::<bf16>(bytes, role),
            DataType::Int64 => typed::<i64>(bytes, role),
            DataType::Int32 => typed::<i32>(bytes, role),
            other => panic!("no case has {other}"),
        }
    }
}

#[derive(Clone, Copy)]
enum Role {
    Input,
    InPlace,
    Output,
}

fn run_guarded(engine: &Engine, context: &mut ExecutionContext, case: &Case, run: &Run) -> Result<Vec<HostTensor>> {
    for (name, tensor) in run.inputs() {
        context.set_input_shape(name, tensor.shape())?;
    }
    let given = |name: &str| &run.inputs.iter().find(|(n, _)| *n == name).expect("it is given").1;
    let names: Vec<&str> = engine.inputs().map(|(name, _)| name).collect();
    let mut inputs: Vec<Guarded> = names.iter().map(|name| Guarded::of(given(name))).collect();
    let source = |output: &str| case.in_place.iter().find(|(name, _)| *name == output).map(|(_, input)| *input);
    let mut outputs = Vec::new();
    for (name, dtype) in engine.outputs() {
        let len = HostTensor::zeros(dtype, &context.max_output_shape(name)?)?.bytes().len();
        outputs.push(source(name).is_none().then(|| Guarded::new(dtype, len)));
    }
    let mut bindings = Vec::new();
    for (name, input) in names.iter().zip(&mut inputs) {
        let updated = case.in_place.iter().any(|(_, input)| input == name);
        bindings.push(input.bound(if updated { Role::InPlace } else { Role::Input }));
    }
    bindings.extend(outputs.iter_mut().map(|o| o.as_mut().map_or_else(Binding::aliased, |o| o.bound(Role::Output))));
    context.enqueue(&mut bindings, &engine.device().create_stream()?)?;
    drop(bindings);
    let mut found = Vec::new();
    for ((name, dtype), output) in engine.outputs().zip(&mut outputs) {
        let dims = context.output_shape(name)?;
        let len = HostTensor::zeros(dtype, &dims)?.bytes().len();
        let memory = match (output, source(name)) {
            (Some(output), _) => output,
            (None, input) => &mut inputs[names.iter().position(|n| Some(*n) == input).expect("it is an input")],
        };
        found.push(HostTensor::from_bytes(dtype, &memory.checked(name)[..len], &dims)?);
    }
    for (name, input) in names.iter().zip(&mut inputs) {
        let updated = case.in_place.iter().any(|(_, input)| input == name);
        let bytes = input.checked(name);
        assert!(updated || bytes == given(name).bytes(), "input `{name}` was changed");
    }
    Ok(found)
}
