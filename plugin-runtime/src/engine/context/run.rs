//! Running an engine on tensors in host memory.

use super::gpu::GpuState;
use super::state::in_step;
use super::{Care, ExecutionContext};
use crate::device::cuda::DeviceTensor;
use crate::device::{Binding, BindingRule, BindingUse};
use crate::error::{Error, Result};
use crate::tensor::HostTensor;

impl ExecutionContext {
    /// Runs the engine on tensors by name, and returns every output at its true extents.
    ///
    /// # Errors
    /// When an input is missing, unknown, of another type, or as [`ExecutionContext::set_input_shape`] and
    /// [`ExecutionContext::enqueue`].
    pub fn run(&mut self, inputs: &[(&str, &HostTensor)]) -> Result<Vec<(String, HostTensor)>> {
        let engine = self.engine.clone();
        let mut given: Vec<Option<&HostTensor>> = vec![None; engine.inputs.len()];
        for (name, tensor) in inputs {
            let position = engine.input(name)?;
            let input = &engine.inputs[position];
            if tensor.dtype() != input.dtype {
                return Err(Error::invalid(format_args!(
                    "input `{name}` is {}, but {} was given",
                    input.dtype,
                    tensor.dtype()
                )));
            }
            if given[position].replace(tensor).is_some() {
                return Err(Error::invalid(format_args!("input `{name}` was given twice")));
            }
            self.set_input_shape(name, tensor.shape())?;
        }
        let missing = engine.inputs.iter().zip(&given).find(|(_, tensor)| tensor.is_none());
        if let Some((input, _)) = missing {
            return Err(Error::invalid(format_args!("input `{}` is missing", input.name)));
        }
        self.prepare()?;
        let given: Vec<&HostTensor> = given.into_iter().flatten().collect();
        match self.gpu {
            Some(_) => self.run_on_gpu(&given),
            None => self.run_given(&given),
        }
    }

    fn run_given(&mut self, given: &[&HostTensor]) -> Result<Vec<(String, HostTensor)>> {
        let (inputs, outputs) = self.bindings.split_at(given.len());
        let mut updated = Vec::new();
        for (rule, tensor) in inputs.iter().zip(given) {
            updated.push((rule.usage == BindingUse::Update).then(|| (*tensor).clone()));
        }
        let mut fresh = Vec::new();
        for (rule, dims) in outputs.iter().zip(&self.output_capacity) {
            let owned = !matches!(rule.usage, BindingUse::Aliases(_));
            fresh.push(owned.then(|| HostTensor::zeros(rule.dtype, dims)).transpose()?);
        }
        let rules = self.bindings.clone();
        let stream = self.engine.device.create_stream()?;
        let mut bindings = Vec::with_capacity(rules.len());
        for (tensor, updated) in given.iter().zip(&mut updated) {
            bindings.push(match updated {
                Some(copy) => Binding::in_place_bytes(copy.bytes_mut()),
                None => Binding::input_tensor(tensor),
            });
        }
        for tensor in &mut fresh {
            bindings.push(tensor.as_mut().map_or_else(Binding::aliased, |t| Binding::output_bytes(t.bytes_mut())));
        }
        self.enqueue(&mut bindings, &stream)?;
        drop(bindings);
        let mut results = Vec::with_capacity(fresh.len());
        for ((rule, tensor), dims) in rules[given.len()..].iter().zip(fresh).zip(&self.output_dims) {
            let tensor = match (tensor, rule.usage) {
                (Some(tensor), _) => tensor.truncated(*dims)?,
                (None, BindingUse::Aliases(input)) => updated
                    .get(input)
                    .cloned()
                    .flatten()
                    .ok_or_else(|| Error::invalid(format_args!("output `{}` has no memory", rule.name)))?,
                (None, _) => return Err(Error::invalid(format_args!("output `{}` has no memory", rule.name))),
            };
            results.push((rule.name.to_string(), tensor));
        }
        Ok(results)
    }

    /// As [`ExecutionContext::run_given`], by way of the GPU's memory.
    fn run_on_gpu(&mut self, given: &[&HostTensor]) -> Result<Vec<(String, HostTensor)>> {
        let stream = match &self.own_stream {
            Some(stream) => stream.clone(),
            None => self.own_stream.insert(self.engine.device.create_stream()?).clone(),
        };
        let rules = self.bindings.clone();
        let (inputs, outputs) = rules.split_at(given.len());
        let in_tensor = |rule: &BindingRule, kind: &str, error: Error| {
            error.within(format_args!("{kind} `{}` ({} bytes)", rule.name, rule.bytes))
        };
        let mut read = Vec::with_capacity(inputs.len());
        for (rule, tensor) in inputs.iter().zip(given) {
            let copy = DeviceTensor::from_host(&stream, tensor);
            read.push(copy.map_err(|e| in_tensor(rule, "input", e))?);
        }
        let mut fresh = Vec::with_capacity(outputs.len());
        for (rule, dims) in outputs.iter().zip(&self.output_capacity) {
            let owned = !matches!(rule.usage, BindingUse::Aliases(_));
            let tensor = owned.then(|| DeviceTensor::uninit(&stream, rule.dtype, dims)).transpose();
            fresh.push(tensor.map_err(|e| in_tensor(rule, "output", e))?);
        }
        let mut bindings = Vec::with_capacity(rules.len());
        for (rule, tensor) in inputs.iter().zip(&mut read) {
            bindings.push(match rule.usage {
                BindingUse::Update => Binding::device_in_place(tensor),
                _ => Binding::device_input(tensor),
            });
        }
        bindings.extend(fresh.iter_mut().map(|t| t.as_mut().map_or_else(Binding::aliased, Binding::device_output)));
        self.enqueue_with(&mut bindings, &stream, Care::Traced)?;
        drop(bindings);
        stream.synchronize().map_err(|error| self.failed_on_gpu(error))?;
        self.take_sizes()?;
        let mut results = Vec::with_capacity(fresh.len());
        for ((rule, tensor), dims) in outputs.iter().zip(&fresh).zip(&self.output_dims) {
            let tensor = match rule.usage {
                BindingUse::Aliases(input) => read.get(input),
                _ => tensor.as_ref(),
            };
            let tensor = tensor.ok_or_else(|| Error::invalid(format_args!("output `{}` has no memory", rule.name)))?;
            results.push((rule.name.to_string(), tensor.to_host_truncated(&stream, dims)?));
        }
        Ok(results)
    }

    /// Adds the layer in which a traced run failed.
    fn failed_on_gpu(&mut self, error: Error) -> Error {
        let plan = &self.engine.plans[self.profile];
        let position = self.gpu.as_ref().map_or(0, GpuState::steps_done);
        let error = match plan.steps.get(position) {
            Some(step) => in_step(step, Some(&self.state.memories[position]), error),
            None => error,
        };
        self.failed(error)
    }
}
