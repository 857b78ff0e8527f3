//! A node of the host that runs.

use std::ffi::c_void;
use std::sync::{MutexGuard, TryLockError};

use super::abi::TensorDesc;
use super::arguments::{impossible, laid_out};
use super::instance::Instance;
use crate::device::Device;
use crate::device::cuda::current;
use crate::error::{Error, LayerContext, Result};
use crate::host::{Call, Decider, Decision, Home, Lease, Places, implementation};
use crate::network::Network;
use crate::plugin::combination::Combination;
use crate::tactic::Choice;

/// A node with types, layouts and a tactic, on a device.
#[derive(Debug)]
pub(super) struct Running {
    device: Device,
    combination: Combination,
    scales: Vec<f32>,
    tactic: i32,
    call: Call,
    kept: Home,
    /// The descs of the last run, for whose extents `kept` is; none where it may be for others.
    last: Vec<TensorDesc>,
}

impl Running {
    /// Whether this is what runs with these.
    #[inline]
    fn holds_for(&self, inputs: &[TensorDesc], outputs: &[TensorDesc], tactic: i32) -> Result<bool> {
        let Combination { types, formats, .. } = &self.combination;
        for (position, desc) in inputs.iter().chain(outputs).enumerate() {
            let (dtype, format) = desc.laid_out()?;
            if types.get(position) != Some(&dtype)
                || formats.get(position) != Some(&format)
                || self.scales.get(position) != Some(&desc.scale(dtype))
            {
                return Ok(false);
            }
        }
        Ok(self.tactic == tactic)
    }

    /// Whether a run with these is as the last one.
    #[inline]
    fn repeats(&self, inputs: &[TensorDesc], outputs: &[TensorDesc], tactic: i32) -> bool {
        let as_many = self.last.len() == inputs.len() + outputs.len();
        let Some((of_inputs, of_outputs)) = self.last.split_at_checked(inputs.len()) else { return false };
        let same = |known: &[TensorDesc], given: &[TensorDesc]| {
            known.iter().zip(given).all(|(known, given)| known.is_as(given))
        };
        self.tactic == tactic && as_many && same(of_inputs, inputs) && same(of_outputs, outputs)
    }

    /// Whether it is for the thread's GPU.
    fn is_here(&self) -> Result<bool> {
        let Some(gpu) = self.device.gpu() else { return Ok(false) };
        // A host may have made a context of its own on the same GPU.
        Ok(gpu.is_current()? || current()? == gpu.ordinal())
    }

    /// Begins a call with inputs of these extents.
    fn begin(&mut self, inputs: &[TensorDesc]) -> Result<Lease<'_>> {
        let mut lease = self.call.begin_alone(&mut self.kept);
        for (index, input) in inputs.iter().enumerate() {
            lease.set_input(index, input.dims.extents()?)?;
        }
        lease.prepare()?;
        Ok(lease)
    }
}

/// Memory and stream of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub(super) places: Places<'a>,
    pub(super) stream: *mut c_void,
}

impl Instance {
    /// Takes the shapes of the runs that follow, and does what can be done before them.
    pub(super) fn on_shape_change(&self, inputs: &[TensorDesc], outputs: &[TensorDesc]) -> Result<()> {
        let mut running = self.running()?;
        if let Some(known) = &*running
            && !known.is_here()?
        {
            *running = None;
        }
        let prepared = self.prepared(&mut running, inputs, outputs)?;
        prepared.last.clear();
        let lease = prepared.begin(inputs)?;
        for (index, (output, desc)) in lease.outputs()?.iter().zip(outputs).enumerate() {
            let (ours, theirs) = (lease.largest(index)?, desc.dims.extents()?);
            let is_open = output.data_dependent || theirs.contains(&-1);
            if !is_open && *ours != *theirs {
                return Err(impossible(format_args!("output {index} the shape {theirs:?}, which is {ours}")));
            }
        }
        Ok(())
    }

    /// Enqueues a run, on the GPU that was the thread's when its shapes were said. Where it is as the one before, nothing is
    /// allocated, loaded or waited for, and the driver is asked nothing.
    ///
    /// # Safety
    /// As [`Lease::enqueue_in`].
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    pub(super) unsafe fn enqueue(&self, inputs: &[TensorDesc], outputs: &[TensorDesc], run: &Run<'_>) -> Result<()> {
        let mut running = self.running()?;
        if let Some(known) = &mut *running
            && known.repeats(inputs, outputs, self.tactic())
        {
            // SAFETY: as the caller says.
            return unsafe { known.call.enqueue_again(&mut known.kept, &run.places, run.stream) };
        }
        let prepared = self.prepared(&mut running, inputs, outputs)?;
        prepared.last.clear();
        // SAFETY: as the caller says.
        unsafe { prepared.begin(inputs)?.enqueue_in(&run.places, run.stream)? };
        prepared.last.extend(inputs.iter().chain(outputs));
        Ok(())
    }

    fn running(&self) -> Result<MutexGuard<'_, Option<Running>>> {
        match self.running.try_lock() {
            Ok(running) => Ok(running),
            Err(TryLockError::Poisoned(poisoned)) => {
                let mut running = poisoned.into_inner();
                // What a panic left half done isn't used again.
                *running = None;
                self.running.clear_poison();
                Ok(running)
            }
            Err(TryLockError::WouldBlock) => Err(self
                .shared
                .failed(Error::invalid("two threads run it at once: each execution context has its own copy"))),
        }
    }

    #[inline]
    fn prepared<'r>(
        &self,
        running: &'r mut Option<Running>,
        inputs: &[TensorDesc],
        outputs: &[TensorDesc],
    ) -> Result<&'r mut Running> {
        let holds = match running {
            Some(running) => running.holds_for(inputs, outputs, self.tactic())?,
            None => false,
        };
        if !holds {
            *running = Some(self.prepare(inputs, outputs, Device::cuda(current()?)?)?);
        }
        running.as_mut().ok_or_else(|| Error::invalid("it isn't prepared"))
    }

    #[cold]
    fn prepare(&self, inputs: &[TensorDesc], outputs: &[TensorDesc], device: Device) -> Result<Running> {
        let shared = &self.shared;
        let tactic = self.tactic();
        let (types, formats) = laid_out(inputs.iter().chain(outputs))?;
        let scales: Vec<f32> =
            inputs.iter().chain(outputs).zip(&types).map(|(desc, &dtype)| desc.scale(dtype)).collect();
        let combination = Combination { formats, ..Combination::untuned(types) };
        let implementation = implementation(shared.plugin(), shared.preference)?;
        let choice = Choice { implementation, combination: combination.clone(), tactic };
        let decision = Decision { choice, by: Decider::Host };
        let node = shared.node(combination.types[..inputs.len()].to_vec(), device.clone());
        let choose = move |_: &Network, _: &Device| Ok(decision.clone());
        let network = self.network(&node.inputs)?;
        let call = Call::scaled(node, network, Box::new(choose), scales.clone()).map_err(|error| {
            let context = LayerContext::new(&shared.name, &shared.plugin().label());
            let shapes = Some(combination.to_string());
            if error.layer().is_some() {
                error
            } else {
                error.in_layer(context.tactic(Some(implementation.tactic_name(tactic))).shapes(shapes))
            }
        })?;
        let last = Vec::with_capacity(combination.types.len());
        Ok(Running { device, combination, scales, tactic, call, kept: Home::default(), last })
    }
}
