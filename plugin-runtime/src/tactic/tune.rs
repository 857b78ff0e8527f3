//! Times every candidate of a network's layers and chooses one for each.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::Combination;
use super::candidates::{Candidates, Rules, enumerate, tactic_name};
use super::sample_data::coarsest;
use super::selection::{Factor, minimise};
use super::timer::Effort;
use super::trial::{Bench, Outputs};
use crate::device::Device;
use crate::device::cpu::reformat::reformat;
use crate::engine::{Bounds, LayerReport, Trial, TrialOutcome};
use crate::error::{Error, Result};
use crate::network::{Layer, Network, Producer};
use crate::plugin::ImplEntry;
use crate::shape::Dims;
use crate::tensor::{DataType, Format, HostTensor, Representation};

/// What a layer runs as.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) implementation: &'static ImplEntry,
    pub(crate) combination: Combination,
    pub(crate) tactic: i32,
}

/// How to tune.
pub(crate) struct Tuning<'a> {
    pub(crate) device: &'a Device,
    pub(crate) rules: &'a Rules,
    pub(crate) effort: &'a Effort,
    pub(crate) seed: u64,
}

/// A combination of a layer that works, with its quickest tactic.
struct Viable {
    combination: usize,
    tactic: i32,
    seconds: f64,
}

struct Tuned {
    candidates: Candidates,
    options: Vec<Viable>,
}

/// One choice a layer, and what was tried for each. `observe` is told of each trial.
pub(crate) fn tune(
    network: &Network,
    bounds: &Bounds,
    profile: usize,
    tuning: &Tuning<'_>,
    observe: &mut dyn FnMut(&Layer, &Trial, usize, usize),
) -> Result<(Vec<Choice>, Vec<LayerReport>)> {
    let in_layer = |layer: &Layer| {
        let (name, label) = (layer.name.clone(), layer.plugin.label());
        move |e: Error| e.in_layer(&name, &label)
    };
    let mut all = Vec::with_capacity(network.layers.len());
    for layer in &network.layers {
        all.push(enumerate(network, layer, tuning.device.kind(), tuning.rules).map_err(in_layer(layer))?);
    }
    let total = all.iter().map(|c| c.candidates.len()).sum();
    let mut done = 0;
    let mut tuned = Vec::with_capacity(all.len());
    let mut reports = Vec::with_capacity(all.len());
    for (index, (layer, candidates)) in network.layers.iter().zip(all).enumerate() {
        let mut run = LayerRun { layer, candidates: &candidates, outcomes: vec![None; candidates.candidates.len()] };
        let options = if candidates.autotuned {
            let seed = tuning.seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let stream = tuning.device.create_stream()?;
            let bench = Bench::new(network, layer, candidates.implementation, bounds, stream, seed);
            let bench = bench.map_err(in_layer(layer))?;
            run.options(&bench, tuning.effort, &mut |trial| {
                done += 1;
                observe(layer, trial, done, total);
            })
        } else {
            run.outcomes[0] = Some(TrialOutcome::NotTimed);
            done += 1;
            observe(layer, &run.trial(0), done, total);
            vec![Viable { combination: 0, tactic: 0, seconds: 0.0 }]
        };
        if options.is_empty() {
            return Err(in_layer(layer)(run.none_left()));
        }
        let trials = (0..candidates.candidates.len()).map(|c| run.trial(c)).collect();
        reports.push(LayerReport { layer: layer.name.clone(), plugin: layer.plugin.label(), profile, trials });
        tuned.push(Tuned { candidates, options });
    }

    let chosen = select(network, bounds, &tuned)?;
    let mut choices = Vec::with_capacity(tuned.len());
    for ((tuned, option), report) in tuned.into_iter().zip(chosen).zip(&mut reports) {
        let option = &tuned.options[option];
        for (candidate, trial) in tuned.candidates.candidates.iter().zip(&mut report.trials) {
            trial.chosen = (candidate.combination, candidate.tactic) == (option.combination, option.tactic);
        }
        choices.push(Choice {
            implementation: tuned.candidates.implementation,
            combination: tuned.candidates.combinations[option.combination].clone(),
            tactic: option.tactic,
        });
    }
    Ok((choices, reports))
}

/// The trials of one layer, as they come in.
struct LayerRun<'a> {
    layer: &'a Layer,
    candidates: &'a Candidates,
    outcomes: Vec<Option<TrialOutcome>>,
}

impl LayerRun<'_> {
    fn trial(&self, candidate: usize) -> Trial {
        let Candidates { implementation, combinations, candidates, .. } = self.candidates;
        let picked = &candidates[candidate];
        Trial {
            combination: combinations[picked.combination].to_string(),
            tactic: tactic_name(implementation, picked.tactic),
            outcome: self.outcomes[candidate].clone().unwrap_or(TrialOutcome::NotTimed),
            chosen: false,
        }
    }

    /// Runs and times every candidate; the first that works, those in the network's own types first, is the reference.
    fn options(&mut self, bench: &Bench<'_>, effort: &Effort, ended: &mut dyn FnMut(&Trial)) -> Vec<Viable> {
        let own = bench.own_combination();
        let mut order: Vec<usize> = (0..self.candidates.combinations.len()).collect();
        order.sort_by_key(|&c| {
            let combination = &self.candidates.combinations[c];
            (combination.types != own.types, combination.formats != own.formats)
        });
        let mut reference: Option<(Outputs, DataType)> = None;
        let mut options = Vec::new();
        for combination in order {
            let timed = self.time(bench, effort, combination, &mut reference);
            for candidate in self.candidates_of(combination) {
                let time = timed.as_ref().map(|timed| timed.iter().find(|(c, _)| *c == candidate));
                match time {
                    Ok(Some((_, time))) => self.outcomes[candidate] = Some(TrialOutcome::Time(*time)),
                    Ok(None) => {}
                    Err(error) => {
                        self.outcomes[candidate].get_or_insert_with(|| TrialOutcome::Rejected(error.to_string()));
                    }
                }
                ended(&self.trial(candidate));
            }
            if let Some((candidate, time)) = timed.into_iter().flatten().min_by_key(|(_, time)| *time) {
                let tactic = self.candidates.candidates[candidate].tactic;
                options.push(Viable { combination, tactic, seconds: time.as_secs_f64() });
            }
        }
        options
    }

    fn candidates_of(&self, combination: usize) -> Vec<usize> {
        let of_it = |&c: &usize| self.candidates.candidates[c].combination == combination;
        (0..self.candidates.candidates.len()).filter(of_it).collect()
    }

    /// Times the tactics of one combination that give the right result; of the others it notes the reason.
    fn time(
        &mut self,
        bench: &Bench<'_>,
        effort: &Effort,
        combination: usize,
        reference: &mut Option<(Outputs, DataType)>,
    ) -> Result<Vec<(usize, Duration)>> {
        let mut right = Vec::new();
        for candidate in self.candidates_of(combination) {
            match &self.candidates.candidates[candidate].ruled_out {
                Some(reason) => self.outcomes[candidate] = Some(TrialOutcome::Rejected(reason.clone())),
                None => right.push(candidate),
            }
        }
        if right.is_empty() {
            return Ok(Vec::new());
        }
        let types = &self.candidates.combinations[combination];
        let coarsest_here = coarsest(&types.types);
        let mut laid_out = bench.lay_out(types)?;
        right.retain(|&candidate| {
            let tactic = self.candidates.candidates[candidate].tactic;
            let result = laid_out.run(tactic).and_then(|_| laid_out.outputs());
            let wrong = match (result, &*reference) {
                (Err(error), _) => Some(error.to_string()),
                (Ok(outputs), None) => {
                    *reference = Some((outputs, coarsest_here));
                    None
                }
                (Ok(outputs), Some((expected, of))) => outputs.differ_from(expected, coarsest([of, &coarsest_here])),
            };
            self.outcomes[candidate] = wrong.map(TrialOutcome::Rejected);
            self.outcomes[candidate].is_none()
        });
        let tactics: Vec<i32> = right.iter().map(|&c| self.candidates.candidates[c].tactic).collect();
        let mut measure = |tactic: usize| laid_out.run(tactics[tactic]);
        let mut times = Vec::with_capacity(right.len());
        for (position, &candidate) in right.iter().enumerate() {
            times.push(match effort.time(position, &mut measure) {
                Ok(time) => Some(time),
                Err(error) => {
                    self.outcomes[candidate] = Some(TrialOutcome::Rejected(error.to_string()));
                    None
                }
            });
        }
        effort.run_off(&mut times, &mut measure)?;
        Ok(right.into_iter().zip(times).filter_map(|(candidate, time)| Some((candidate, time?))).collect())
    }

    fn none_left(&self) -> Error {
        let lines = (0..self.outcomes.len()).map(|c| {
            let trial = self.trial(c);
            let reason = match trial.outcome {
                TrialOutcome::Rejected(reason) => reason,
                other => format!("{other:?}"),
            };
            format!("\n  {}, tactic {}: {reason}", trial.combination, trial.tactic)
        });
        let (device, lines) = (self.candidates.implementation.device, lines.collect::<String>());
        let plugin = self.layer.plugin.entry.id;
        Error::invalid(format_args!("no combination and tactic of `{plugin}` works on device `{device}`:{lines}"))
    }
}

type Laid = (DataType, Format);

/// The option of each layer, so that layers and the reformats between them take least time in all.
fn select(network: &Network, bounds: &Bounds, tuned: &[Tuned]) -> Result<Vec<usize>> {
    let counts: Vec<usize> = tuned.iter().map(|t| t.options.len()).collect();
    let mut factors: Vec<Factor> = Vec::new();
    for (layer, tuned) in tuned.iter().enumerate() {
        factors.extend(Factor::new(vec![layer], &counts, |a| tuned.options[a[0]].seconds));
    }
    let mut reformats = ReformatTimes { network, bounds, known: HashMap::new() };
    let laid_out = |layer: usize, option: usize, position: usize| -> Laid {
        let combination = &tuned[layer].candidates.combinations[tuned[layer].options[option].combination];
        (combination.types[position], combination.formats[position])
    };
    let mut consumers: Vec<Vec<(usize, usize)>> = vec![Vec::new(); network.tensors.len()];
    for (layer, node) in network.layers.iter().enumerate() {
        node.inputs.iter().enumerate().for_each(|(position, &tensor)| consumers[tensor].push((layer, position)));
    }
    for (tensor, node) in network.tensors.iter().enumerate() {
        let own = (node.dtype, Format::Linear);
        let is_output = network.outputs.iter().any(|(t, _)| *t == tensor);
        let producer = match node.producer {
            Producer::Layer { layer, output } => Some((layer, network.layers[layer].inputs.len() + output)),
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
    Ok(minimise(&counts, factors))
}

/// Times of reformats, measured when they are first asked for.
struct ReformatTimes<'a> {
    network: &'a Network,
    bounds: &'a Bounds,
    known: HashMap<(Dims, Laid, Laid), f64>,
}

impl ReformatTimes<'_> {
    fn seconds(&mut self, tensor: usize, from: Laid, to: Laid) -> f64 {
        let Ok(dims) = self.bounds.opt_dims(&self.network.tensors[tensor].shape) else { return f64::INFINITY };
        *self.known.entry((dims, from, to)).or_insert_with(|| measure_reformat(dims, from, to).unwrap_or(f64::INFINITY))
    }
}

fn measure_reformat(dims: Dims, from: Laid, to: Laid) -> Result<f64> {
    let representation = |(dtype, format): Laid| Representation::new(dtype, format);
    let (from, to) = (representation(from), representation(to));
    let source = HostTensor::zeros(DataType::UInt8, &[from.bytes(&dims)? as i64])?;
    let mut target = HostTensor::zeros(DataType::UInt8, &[to.bytes(&dims)? as i64])?;
    let mut run = |_: usize| {
        let start = Instant::now();
        reformat(from, source.bytes(), to, target.bytes_mut(), &dims)?;
        Ok(start.elapsed())
    };
    Ok(Effort::default().time(0, &mut run)?.as_secs_f64())
}
