//! Times of conversions between layers, and the choice of options that they lead to.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::clock::{Cache, ClockOf};
use super::cost::{Phase, TuningCost};
use super::layer_tuning::LayerOptions;
use super::record::{Key, Outcome, Subject, abridged};
use super::selection::{Factor, minimise};
use super::timer::Effort;
use super::timings::Timings;
use crate::device::cpu::reformat::reformat as on_cpu;
use crate::device::cuda::DeviceTensor;
use crate::device::cuda::reformat::reformat as on_gpu;

use crate::error::{LayerContext, Result};
use crate::network::{Bounds, Network, Producer, TensorIndex, TensorNode};
use crate::shape::Dims;
use crate::table::Table;
use crate::tensor::{DataType, Format, HostTensor, Representation};
use crate::tensor::{DeviceSlice, DeviceSliceMut};

type Laid = (DataType, Format);

/// The option of each layer, so that layers and the reformats between them take least time in all on the device. Of
/// equal ones the first is taken, so that the same timings lead to the same choice.
///
/// # Errors
/// In a locked build, when the time of a reformat is missing.
pub(super) fn select(
    network: &Network,
    tuned: &[LayerOptions],
    reformats: &mut ReformatTimes<'_>,
) -> Result<Vec<usize>> {
    let counts: Vec<usize> = tuned.iter().map(|t| t.options.len()).collect();
    let mut factors: Vec<Factor> = Vec::new();
    for (layer, tuned) in tuned.iter().enumerate() {
        factors.extend(Factor::new(vec![layer], &counts, |a| tuned.options[a[0]].seconds));
    }
    let laid_out = |layer: usize, option: usize, position: usize| -> Laid {
        let combination = tuned[layer].combination(option);
        (combination.types[position], combination.formats[position])
    };
    let mut consumers: Table<TensorNode, Vec<(usize, usize)>> = network.tensors.map(|_| Vec::new());
    for (layer, node) in network.layers.iter().enumerate() {
        node.inputs.iter().enumerate().for_each(|(position, &tensor)| consumers[tensor].push((layer, position)));
    }
    let outputs: HashSet<TensorIndex> = network.outputs.iter().map(|(tensor, _)| *tensor).collect();
    for (tensor, node) in network.tensors.entries() {
        let own = (node.dtype, Format::Linear);
        let is_output = outputs.contains(&tensor);
        let producer = match node.producer {
            Producer::Layer { layer, output } => Some((layer.position(), network.layers[layer].inputs.len() + output)),
            _ => None,
        };
        let mut conversions = |users: &[(usize, usize)], counted_output: bool| {
            let variables: BTreeSet<usize> = users.iter().chain(&producer).map(|(layer, _)| *layer).collect();
            let variables: Vec<usize> = variables.into_iter().collect();
            if variables.iter().all(|&v| counts[v] == 1) {
                return Some(());
            }
            let option = |a: &[usize], layer: usize| a[variables.iter().position(|&v| v == layer).unwrap_or(0)];
            let factor = Factor::new(variables.clone(), &counts, |a| {
                let made = producer.map_or(own, |(layer, position)| laid_out(layer, option(a, layer), position));
                let wanted = users.iter().map(|&(layer, position)| laid_out(layer, option(a, layer), position));
                let wanted: BTreeSet<Laid> = wanted.chain(counted_output.then_some(own)).collect();
                wanted.into_iter().filter(|w| *w != made).map(|w| reformats.seconds(tensor, made, w)).sum()
            });
            factor.map(|f| factors.push(f))
        };
        if conversions(&consumers[tensor], is_output).is_none() {
            // Too many users to weigh together: each as if it were alone.
            consumers[tensor].iter().for_each(|user| {
                let _ = conversions(&[*user], false);
            });
        }
    }
    reformats.all_found()?;
    Ok(minimise(&counts, factors))
}

/// Times of reformats, looked up or measured when they are first asked for.
pub(super) struct ReformatTimes<'a> {
    network: &'a Network,
    bounds: &'a Bounds,
    clock: &'a ClockOf<'a>,
    timings: &'a mut Timings,
    known: HashMap<(Dims, Laid, Laid), f64>,
    /// The missing times, which a locked build may not measure, each with its tensor.
    missing: Vec<(TensorIndex, Key)>,
    pub(super) cost: TuningCost,
}

impl<'a> ReformatTimes<'a> {
    pub(super) fn new(
        network: &'a Network,
        bounds: &'a Bounds,
        clock: &'a ClockOf<'a>,
        timings: &'a mut Timings,
    ) -> Self {
        let (known, missing, cost) = (HashMap::new(), Vec::new(), TuningCost::default());
        ReformatTimes { network, bounds, clock, timings, known, missing, cost }
    }

    fn seconds(&mut self, tensor: TensorIndex, from: Laid, to: Laid) -> f64 {
        let Ok(dims) = self.bounds.opt_dims(&self.network.tensors[tensor].shape) else { return f64::INFINITY };
        if let Some(seconds) = self.known.get(&(dims, from, to)) {
            return *seconds;
        }
        let key = self.timings.key(Subject::reformat(&dims, from, to));
        let outcome = match self.timings.find(&key) {
            Some((outcome, _)) => outcome.clone(),
            None if self.timings.locked() => {
                self.missing.push((tensor, key));
                return f64::INFINITY;
            }
            None => {
                let outcome = match self.measure(dims, from, to) {
                    Ok(time) => Outcome::Time(time),
                    Err(error) => Outcome::Rejected(abridged(error).as_ref().into()),
                };
                self.timings.note(&key, outcome.clone());
                outcome
            }
        };
        let seconds = match outcome {
            Outcome::Time(time) | Outcome::Times { warm: time, .. } => time.as_secs_f64(),
            Outcome::Checked | Outcome::Rejected(_) => f64::INFINITY,
        };
        self.known.insert((dims, from, to), seconds);
        seconds
    }

    fn measure(&mut self, dims: Dims, from: Laid, to: Laid) -> Result<Duration> {
        let (start, mut runs) = (Instant::now(), 0);
        let time = measured(self.clock, dims, (from, to), &mut runs);
        self.cost.add_runs(Phase::Timing, runs);
        self.cost.add_time_since(start, Phase::Timing);
        time
    }

    fn all_found(&self) -> Result<()> {
        let Some((tensor, key)) = self.missing.first() else { return Ok(()) };
        let name = format!("reformat of {}", self.network.tensors[*tensor].name);
        Err(self.timings.missing(key, 0).in_layer(LayerContext::new(&name, "inserted by the builder")))
    }
}

/// The time of a conversion, whose runs are counted.
fn measured(clock: &ClockOf<'_>, dims: Dims, (from, to): (Laid, Laid), runs: &mut usize) -> Result<Duration> {
    let (stream, clock) = (clock.stream(), clock.get()?);
    let representation = |(dtype, format): Laid| Representation::new(dtype, format);
    let (from, to) = (representation(from), representation(to));
    let bytes = [from.bytes(&dims)? as i64, to.bytes(&dims)? as i64];
    let mut time = |reformat: &mut dyn FnMut() -> Result<()>| {
        Effort::default().time(0, None, &mut |_: usize| {
            *runs += 1;
            clock.time(Cache::Warm, &mut *reformat)
        })
    };
    if stream.device().gpu().is_none() {
        let source = HostTensor::zeros(DataType::UInt8, &bytes[..1])?;
        let mut target = HostTensor::zeros(DataType::UInt8, &bytes[1..])?;
        return time(&mut || on_cpu(from, source.bytes(), to, target.bytes_mut(), &dims));
    }
    let source = DeviceTensor::zeros(stream, DataType::UInt8, &bytes[..1])?;
    let target = DeviceTensor::zeros(stream, DataType::UInt8, &bytes[1..])?;
    time(&mut || {
        let source = DeviceSlice::new(source.address(), source.byte_len())?;
        let target = DeviceSliceMut::new(target.address(), target.byte_len())?;
        on_gpu(stream, (from, source), (to, target), &dims, None)
    })
}
