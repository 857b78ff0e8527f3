//! Whether what a tactic gives is right: what it has to be compared with, and how.

use crate::plugin::combination::Combination;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use super::candidates::Candidates;
use super::record::abridged;
use super::results::{Outputs, Results};
use super::room::{NoRoomForResults, of_results};
use super::trial::{POISONS, Trials};
use crate::device::DeviceKind;
use crate::error::{Error, ErrorKind, Result};
#[cfg(any(feature = "testing", test))]
use crate::guard::guarded_in;
use crate::network::{Layer, Network, SymbolIndex};
use crate::plugin::{Compare, ImplEntry, Implementation, Plugin};

use crate::tensor::DataType;
use crate::tensor::HostTensor;

/// What a test's author says is right: outputs for inputs.
#[cfg(any(feature = "testing", test))]
#[derive(Clone)]
pub(crate) struct AuthorReference(Arc<ReferenceFunction>);

#[cfg(any(feature = "testing", test))]
type ReferenceFunction = dyn Fn(&[HostTensor]) -> Result<Vec<HostTensor>> + Send + Sync;

#[cfg(any(feature = "testing", test))]
impl AuthorReference {
    pub(crate) fn new(function: impl Fn(&[HostTensor]) -> Result<Vec<HostTensor>> + Send + Sync + 'static) -> Self {
        AuthorReference(Arc::new(function))
    }

    /// # Errors
    /// What the function returns, or that it panicked.
    pub(crate) fn outputs(&self, inputs: &[HostTensor]) -> Result<Vec<HostTensor>> {
        guarded_in("the test's reference", || (self.0)(inputs))
    }
}

#[cfg(any(feature = "testing", test))]
impl std::fmt::Debug for AuthorReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a test's reference")
    }
}

/// The reference that results are compared with.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A function of a test.
    #[cfg(any(feature = "testing", test))]
    Author(AuthorReference),
    /// The plugin's impl for the CPU, for tactics of another device.
    Cpu(&'static ImplEntry),
    /// The tactic that the author marked with `.reference(..)`, and the index of its combination.
    Marked { combination: usize, tactic: i32 },
    /// No reference: all tactics have to agree.
    Agreement,
}

/// How the results of a layer's candidates are checked.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(super) source: Source,
    /// One per output.
    pub(super) compare: Arc<[Compare]>,
    /// The check in words, as report and lockfile have it.
    pub(super) text: Arc<str>,
}

/// How layers are checked, kept by plugin, and whether it has a single tactic, where it is the same for all of a plugin's layers.
#[derive(Debug, Default)]
pub(super) struct Checks(HashMap<(*const Plugin, bool), Arc<Check>>);

impl Checks {
    /// # Errors
    /// As [`Check::of`].
    pub(super) fn of(&mut self, network: &Network, layer: &Layer, candidates: &Candidates) -> Result<Arc<Check>> {
        let Candidates { device, implementation, combinations, .. } = candidates;
        let make = || Check::of(network, layer, *device, *implementation, combinations).map(Arc::new);
        if layer.plugin().entry.compare.is_some() || combinations.iter().any(|c| !c.references.is_empty()) {
            return make();
        }
        let of = (std::ptr::from_ref(layer.plugin()), is_alone(combinations));
        match self.0.get(&of) {
            Some(known) => Ok(known.clone()),
            None => Ok(self.0.entry(of).or_insert(make()?).clone()),
        }
    }
}

impl Check {
    /// # Errors
    /// When the author's function fails.
    pub(super) fn of(
        network: &Network,
        layer: &Layer,
        device: DeviceKind,
        implementation: Implementation,
        combinations: &[Combination],
    ) -> Result<Check> {
        let compare = layer.bound.comparisons(&network.input_descs(layer))?;
        let compare = compare.unwrap_or_else(|| vec![Compare::new(); layer.outputs.len()]);
        // Everything that follows depends on what a size tensor holds.
        let sized = |(compare, size): (Compare, &Option<SymbolIndex>)| match size {
            Some(_) if compare.skipped.is_none() => Compare::new(),
            _ => compare,
        };
        let compare: Arc<[Compare]> = compare.into_iter().zip(&layer.sizes).map(sized).collect();
        let on_cpu = layer.plugin().impl_for(DeviceKind::Cpu).filter(|_| device != DeviceKind::Cpu);
        let source = match (on_cpu, marked(network, layer, implementation, combinations)) {
            (Some(entry), _) => Source::Cpu(entry),
            (None, Some((combination, tactic))) => Source::Marked { combination, tactic },
            (None, None) => Source::Agreement,
        };
        let mut text = match &source {
            Source::Cpu(_) => "against the impl for cpu".to_owned(),
            Source::Marked { tactic, .. } => format!("against tactic {}", implementation.tactic_name(*tactic)),
            Source::Agreement if is_alone(combinations) => "nothing to compare with".to_owned(),
            Source::Agreement => "tactics agree".to_owned(),
            #[cfg(any(feature = "testing", test))]
            Source::Author(_) => "against the test's reference".to_owned(),
        };
        for (output, compare) in compare.iter().enumerate().filter(|(_, compare)| **compare != Compare::new()) {
            // To write to a String can't fail.
            let _ = write!(text, "; outputs[{output}] {compare}");
        }
        Ok(Check { source, compare, text: abridged(text) })
    }
}

/// Whether one tactic is all there is, if in several types: these are the same function.
pub(super) fn is_alone(combinations: &[Combination]) -> bool {
    let mut tactics = combinations.iter().flat_map(|combination| &combination.tactics);
    let first = tactics.next();
    tactics.all(|tactic| Some(tactic) == first)
}

/// The tactic that the author marked as the reference, of those that the implementation has; the one in the network's own
/// types, where several are marked.
fn marked(
    network: &Network,
    layer: &Layer,
    implementation: Implementation,
    combinations: &[Combination],
) -> Option<(usize, i32)> {
    let known = |tactic: &&i32| implementation.unknown_tactic(**tactic).is_none();
    let marked = combinations.iter().enumerate();
    let mut marked = marked.filter_map(|(index, c)| Some((index, *c.references.iter().find(known)?))).peekable();
    let first = *marked.peek()?;
    let own: Vec<DataType> = layer.tensors().map(|t| network.tensors[t].dtype).collect();
    Some(marked.find(|(index, _)| combinations[*index].types == own).unwrap_or(first))
}

/// Why a tactic has no results, or wrong ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    pub(super) reason: String,
    pub(super) lack: Lack,
}

/// Whether there was too little memory, which says nothing about a tactic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lack {
    Nothing,
    /// Of memory that the tactic itself needs.
    Memory,
    /// Of memory to look at results.
    MemoryOfCheck,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let lack = match error.kind() {
            ErrorKind::OutOfMemory if error.downcast_ref::<NoRoomForResults>().is_some() => Lack::MemoryOfCheck,
            ErrorKind::OutOfMemory => Lack::Memory,
            _ => Lack::Nothing,
        };
        Failure { reason: error.to_string(), lack }
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Failure { reason, lack: Lack::Nothing }
    }
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

impl Failure {
    /// The same, said of a place: `at the profile's max: ..`.
    pub(super) fn at(self, place: &str) -> Self {
        Failure { reason: format!("{place}{}", self.reason), ..self }
    }
}

/// A tactic whose results are to be checked.
#[derive(Clone, Copy)]
pub(super) struct Checked<'a> {
    pub(super) tactic: i32,
    pub(super) check: &'a Check,
    /// The network's own types of the outputs.
    pub(super) types: &'a [DataType],
    /// The type of least precision that it computes in.
    pub(super) coarsest: DataType,
}

impl Checked<'_> {
    /// Runs it on poisoned outputs, and returns what it wrote, or `None` if that is what is expected, bit for bit; or why it
    /// is wrong by itself: it failed, left elements unwritten, or gives other results in each run. `count` is increased by the
    /// number of runs.
    pub(super) fn results(
        &self,
        laid_out: &mut dyn Trials,
        expected: Option<&Outputs>,
        count: &mut usize,
    ) -> Result<Option<Outputs>, Failure> {
        let mut run = |laid_out: &mut dyn Trials, poison: u8, expected: Option<&[HostTensor]>| {
            *count += 1;
            match expected {
                Some(expected) => laid_out.run_expecting(self.tactic, poison, expected),
                None => laid_out.run_poisoned(self.tactic, poison).map(Some),
            }
        };
        let mut runs = Vec::with_capacity(POISONS.len());
        match (run(laid_out, POISONS[0], expected.map(Outputs::tensors))?, expected) {
            (Some(first), _) => match run(laid_out, POISONS[1], Some(&first.outputs))? {
                // Both wrote the same over different poison, so everything was written.
                None => return Ok(Some(first.in_types(self.types).map_err(of_results)?)),
                Some(again) => runs.extend([first, again]),
            },
            (None, Some(expected)) => match run(laid_out, POISONS[1], Some(expected.tensors()))? {
                None => return Ok(None),
                Some(again) => {
                    runs.extend([Results { outputs: expected.tensors().to_vec(), poison: POISONS[0] }, again]);
                }
            },
            (None, None) => return Err("it wasn't run".into()),
        }
        let in_place = laid_out.in_place();
        if Results::unwritten(&runs, &in_place).is_some() {
            // Elements that differ from run to run may equal the poison by chance.
            for poison in &POISONS[2..] {
                runs.extend(run(laid_out, *poison, None)?);
            }
            if let Some(unwritten) = Results::unwritten(&runs, &in_place) {
                return Err(unwritten.to_string().into());
            }
        }
        self.agreeing(runs).map(Some)
    }

    /// The first of two runs, if they gave the same.
    fn agreeing(&self, runs: Vec<Results>) -> Result<Outputs, Failure> {
        let mut runs = runs.into_iter().take(2).map(|run| run.in_types(self.types).map_err(of_results));
        let (Some(first), Some(again)) = (runs.next().transpose()?, runs.next().transpose()?) else {
            return Err("it wasn't run".into());
        };
        match again.differ_from(&first, &self.check.compare, self.coarsest) {
            None => Ok(first),
            Some((output, how)) => Err(Failure::from(format!(
                "outputs[{output}] differs from run to run: {how}; it may read memory that nothing was written to. If that \
                 is as it should be, say so: #[register(.., compare = Compare::skip(\"reason\"))]"
            ))),
        }
    }
}
