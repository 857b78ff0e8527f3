//! What tests of plugins ask: every tactic of one layer on made-up data, without timing for the sake of time.

use std::sync::Arc;
use std::time::Duration;

use super::candidates::{Rules, enumerate};
use super::check::{AuthorReference, Check, Source, is_alone};
use super::clock::Clock;
use super::device_bench::{DeviceBench, Site};
use super::layer_data::{Data, Given};
use super::layer_trials::LayerTrials;
use super::layer_tuning::LayerTuning;
use super::timer::Effort;
use super::timings::{Keeping, Timings};
use super::trial::{Bench, POISONS};
use super::{Trial, TrialOutcome};
use crate::device::cuda::AotCompiler;
use crate::device::{Device, Stream};
use crate::error::{Error, Result};
use crate::network::{At, Bounds, Layer, Network, Point};
use crate::plugin::Implementation;
use crate::plugin::combination::Combination;
use crate::shape::{Interval, Profile};
use crate::tensor::{DataType, HostTensor};

/// Each candidate is timed once, since nothing is to be chosen.
const QUICK: Effort = Effort { warm_up: 0, fewest: 1, most: 1, enough: Duration::ZERO, close: 0.0 };

/// How the candidates of a layer fared.
#[derive(Debug, Default)]
pub(crate) struct Proved {
    /// Those that ran.
    pub(crate) trials: Vec<Trial>,
    /// Those that can't run in this network, with the reason.
    pub(crate) ruled_out: Vec<String>,
    /// What wasn't checked, and why.
    pub(crate) notes: Vec<String>,
    /// Whether results were compared with a reference, or those of other tactics.
    pub(crate) compared: bool,
}

impl Proved {
    /// How many are neither wrong nor left out.
    pub(crate) fn right(&self) -> usize {
        self.trials.len() - self.wrong().count() - self.not_tried().count()
    }

    /// Those that there was too little memory for, with the reason.
    pub(crate) fn not_tried(&self) -> impl Iterator<Item = (&Trial, &str)> {
        self.trials.iter().filter_map(|trial| match &trial.outcome {
            TrialOutcome::NotTried(reason) => Some((trial, reason.as_str())),
            _ => None,
        })
    }

    /// Those that were found to be wrong, with the reason.
    pub(crate) fn wrong(&self) -> impl Iterator<Item = (&Trial, &str)> {
        self.trials.iter().filter_map(|trial| match &trial.outcome {
            TrialOutcome::Rejected(reason) => Some((trial, reason.as_str())),
            _ => None,
        })
    }
}

/// A network of one layer whose extents are all known, on a device.
pub(crate) struct OneLayer<'n> {
    network: &'n Network,
    layer: &'n Layer,
    point: Point,
    /// Upper bounds of extents that only the device is to know.
    withheld: Option<Vec<Interval>>,
    stream: Stream,
    compiler: AotCompiler,
    clock: Clock,
}

impl<'n> OneLayer<'n> {
    /// # Errors
    /// When the network has no layer, or its extents aren't known.
    pub(crate) fn new(network: &'n Network, device: &Device) -> Result<Self> {
        let Some(layer) = network.layers.iter().next() else {
            return Err(Error::invalid("the network has no layer"));
        };
        let point = Bounds::new(network, &Profile::new())?.point(At::Opt, network.symbols.iter())?;
        let (stream, compiler) = (device.create_stream()?, AotCompiler::new(device, &[]));
        let clock = Clock::new(&stream)?;
        Ok(OneLayer { network, layer, point, withheld: None, stream, compiler, clock })
    }

    /// The same for a network with dynamic extents: those of the profile's opt, which only the device knows; the host knows
    /// those of its max. `None` where the layer's impl doesn't cope with that, or the device is none that would.
    ///
    /// # Errors
    /// As [`OneLayer::new`], or when the profile doesn't fit.
    pub(crate) fn withheld(network: &'n Network, device: &Device, profile: &Profile) -> Result<Option<Self>> {
        let Some(layer) = network.layers.iter().next() else { return Ok(None) };
        let implementation = enumerate(network, layer, device.kind(), &Rules::default())?.implementation;
        if device.gpu().is_none()
            || !implementation.device_shape()
            || !matches!(implementation, Implementation::Impl(_))
        {
            return Ok(None);
        }
        let bounds = Bounds::new(network, profile)?;
        let point = bounds.point(At::Opt, network.symbols.iter())?;
        let most = bounds.point(At::Max, network.symbols.iter())?;
        let withheld =
            most.symbols.iter().zip(&most.ranges).map(|(most, range)| Interval { min: 0, max: range.max.max(*most) });
        let (stream, compiler) = (device.create_stream()?, AotCompiler::new(device, &[]));
        let (withheld, clock) = (Some(withheld.collect()), Clock::new(&stream)?);
        Ok(Some(OneLayer { network, layer, point, withheld, stream, compiler, clock }))
    }

    /// The layer's inputs as the author's samples describe them.
    ///
    /// # Errors
    /// When there is no such data, or the author's function fails.
    pub(crate) fn made_up_inputs(&self, seed: u64) -> Result<Arc<[HostTensor]>> {
        Data { given: &Given::new(), seed }.inputs(self.network, self.layer, &self.point, &self.point.symbols)
    }

    /// Runs each combination with each tactic, in whatever types, and checks the results: against the author's reference
    /// where there is one.
    ///
    /// # Errors
    /// When there is no impl for the device, tactics disagree and nothing says which is right, or there is no data.
    pub(crate) fn prove(&self, seed: u64, reference: Option<&AuthorReference>) -> Result<Proved> {
        let OneLayer { network, layer, .. } = *self;
        let device = self.stream.device();
        let rules = Rules { types: DataType::ALL.into(), ..Rules::default() };
        let candidates = enumerate(network, layer, device.kind(), &rules)?;
        let mut check = Check::of(network, layer, device.kind(), candidates.implementation, &candidates.combinations)?;
        if let Some(reference) = reference {
            check.source = Source::Author(reference.clone());
            check.text = "against the test's reference".into();
        }
        let compared = !matches!(check.source, Source::Agreement) || !is_alone(&candidates.combinations);
        let ruled_out = candidates.candidates.iter().filter_map(|candidate| {
            let combination = &candidates.combinations[candidate.combination];
            let name = candidates.implementation.tactic_name(candidate.tactic);
            candidate.ruled_out.as_ref().map(|reason| format!("{combination}, tactic {name}: {reason}"))
        });
        let mut proved = Proved { ruled_out: ruled_out.collect(), compared, ..Proved::default() };
        let runs: Vec<bool> = candidates.candidates.iter().map(|candidate| candidate.ruled_out.is_none()).collect();
        let timings = Timings::open(Keeping::Nothing, device, &mut |_| {})?;
        let points = std::slice::from_ref(&self.point);
        let mut tuning = LayerTuning::new(network, layer, candidates, points, Some(Arc::new(check)), &timings)?;
        let bench = self.bench(tuning.implementation(), &Data { given: &Given::new(), seed })?;
        let bench = match &self.withheld {
            Some(ranges) => bench.withholding(ranges.clone()),
            None => bench,
        };
        let benches: [Box<dyn Bench + '_>; 1] = [Box::new(bench)];
        LayerTrials::new(&mut tuning, &benches, &QUICK, &mut |_| {}).run()?;
        proved.trials = tuning.trials().into_iter().zip(runs).filter_map(|(trial, ran)| ran.then_some(trial)).collect();
        proved.notes = tuning.notes;
        Ok(proved)
    }

    /// Runs one tactic once on given inputs, in types and layouts of the combination's, or the network's own. The outputs
    /// are row-major, in the types that they were made in.
    ///
    /// # Errors
    /// When there is no impl for the device, it fails, or it writes to memory that isn't its own.
    pub(crate) fn run(
        &self,
        inputs: &[HostTensor],
        combination: Option<Combination>,
        tactic: i32,
    ) -> Result<Vec<HostTensor>> {
        let device = self.stream.device().kind();
        let implementation = enumerate(self.network, self.layer, device, &Rules::default())?.implementation;
        let names = self.layer.inputs.iter().map(|&tensor| self.network.tensors[tensor].name.clone());
        let given: Given = names.zip(inputs.iter().cloned()).collect();
        let bench = self.bench(implementation, &Data { given: &given, seed: 0 })?;
        let mut combination = combination.unwrap_or_else(|| bench.own_combination());
        combination.tactics = vec![tactic];
        let mut laid_out = bench.lay_out(&combination)?;
        Ok(laid_out.run_poisoned(tactic, POISONS[0])?.outputs)
    }

    fn bench(&self, implementation: Implementation, data: &Data<'_>) -> Result<DeviceBench<'_>> {
        let site = Site { network: self.network, compiler: &self.compiler, stream: &self.stream, clock: &self.clock };
        DeviceBench::new(site, self.layer, implementation, &self.point, data)
    }
}
