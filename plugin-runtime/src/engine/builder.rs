//! From a network to an engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::plan::Plan;
use super::runtime_kernels::RuntimeKernels;
use super::{BuildEvent, BuildReport, Engine, InsertedStep, input_dims};
use crate::device::cuda::Architecture;
use crate::device::{Device, DeviceKind, Stream};

use crate::device::cuda::AotCompiler;
use crate::error::{Error, Result};
use crate::network::{Bounds, Network};
use crate::plugin::Registry;
use crate::shape::Profile;
use crate::suggest::did_you_mean;
use crate::tactic::{Effort, Given, Keeping, Rules, Timings, Told, Tuned, Tuning, tune};
use crate::tensor::{DataType, HostTensor};

type Observer<'o> = Box<dyn FnMut(&BuildEvent) + 'o>;

/// Builds engines for a device.
pub struct Builder<'o> {
    device: Device,
    profiles: Vec<Profile>,
    rules: Rules,
    effort: Effort,
    seed: u64,
    keeping: Keeping,
    architectures: Vec<Architecture>,
    stream: Option<Stream>,
    checked: bool,
    given: Given,
    observer: Option<Observer<'o>>,
}

impl<'o> Builder<'o> {
    /// A builder of engines for `device`.
    pub fn new(device: Device) -> Self {
        Builder {
            device,
            profiles: Vec::new(),
            rules: Rules::default(),
            effort: Effort::default(),
            seed: 0,
            keeping: Keeping::Nothing,
            architectures: Vec::new(),
            stream: None,
            checked: true,
            given: Given::new(),
            observer: None,
        }
    }

    /// Adds an optimization profile: minimum, optimum and maximum of the dynamic dimensions. An engine can have several;
    /// a context runs under one of them.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profiles.push(profile);
        self
    }

    /// Types that layers may run in although the network has another one of the same class (float or integer) there.
    /// Tensors are cast where they need it.
    #[must_use]
    pub fn allow_types(mut self, types: impl IntoIterator<Item = DataType>) -> Self {
        self.rules.types.extend(types);
        self
    }

    /// Tries only these tactics of a plugin. One without an autotune function has no tactic but 0: a build that is
    /// limited to others is refused.
    #[must_use]
    pub fn limit_tactics(mut self, id: &str, tactics: impl IntoIterator<Item = i32>) -> Self {
        self.rules.tactics.retain(|(other, _)| other != id);
        self.rules.tactics.push((id.into(), tactics.into_iter().collect()));
        self
    }

    /// Compiles AOT kernels for these architectures too, besides that of the device: the engine's file then loads on
    /// GPUs of each of them. Kernels that come as PTX or cubins have to be for all of them. Where all layers run AOT
    /// kernels, the runtime's own that the engine needs, for conversions and size tensors, are compiled for them as well.
    #[must_use]
    pub fn architectures(mut self, architectures: impl IntoIterator<Item = Architecture>) -> Self {
        self.architectures.extend(architectures);
        self
    }

    /// Times tactics and conversions in this stream; in one of the builder's own if not called.
    #[must_use]
    pub fn stream(mut self, stream: Stream) -> Self {
        self.stream = Some(stream);
        self
    }

    /// Seeds the data that tactics are timed on; 0 if not called.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Gives a tensor of the network, by its name, this data where layers that read it are tried. Its extents are those
    /// that the tensor has at the profile's opt; with another call, those at its min or max, where layers are checked
    /// too. At one of these that no call gives, they aren't checked then, and the report says so.
    #[must_use]
    pub fn sample_input(mut self, name: impl Into<Arc<str>>, tensor: HostTensor) -> Self {
        self.given.push((name.into(), tensor));
        self
    }

    /// Doesn't check results. Without this, each implementation that the engine may run is run on made-up data (see
    /// [`Sample`](crate::plugin::Sample)), at the profile's min, opt and max: what it leaves unwritten, or what differs
    /// from the reference, is left out. The reference is the plugin's impl for the CPU, for those of other devices;
    /// else the tactic marked with
    /// [`AutoTuneCombination::reference`](crate::plugin::combination::AutoTuneCombination::reference); else all have to
    /// agree. Plugins without `#[autotune]` aren't run at all then. Times aren't kept in a lockfile, though those that
    /// it has are used.
    #[must_use]
    pub fn without_checks(mut self) -> Self {
        self.checked = false;
        self
    }

    /// Keeps timings in a lockfile: a text, sorted, one decision per line, to be reviewed and kept with the sources. What
    /// it holds for this device is taken from it; what it lacks is timed and added when the build ends, also when it
    /// ends with an error. It is made if it isn't there, and written whole or not at all. Of two builds that time the
    /// same at once, the first to write it is kept; one that has to wait for another to write for more than a second says
    /// so with [`BuildEvent::Waits`]. Replaces an earlier call of this or of [`Builder::locked`].
    ///
    /// A record is found by the plugin's id, version and attributes, the types and extents of its tensors, the
    /// combination and tactic, how results were checked, whether the build is optimized, and the device; not by the
    /// seed or by what inputs and constants hold.
    ///
    /// On a GPU its driver counts too, and the text of the plugin's CUDA sources: those that are declared in the Rust
    /// file of its `#[impl_plugin]` or `#[aot_impl]`, or in the folder of that name without `.rs`. A plugin that has
    /// none there depends on all sources in the program. What an `#[aot_impl]` gives as PTX or machine code doesn't
    /// count: change the plugin's version with it.
    #[must_use]
    pub fn lockfile(mut self, path: impl Into<PathBuf>) -> Self {
        self.keeping = Keeping::Lockfile(path.into());
        self
    }

    /// Takes all timings from a lockfile that [`Builder::lockfile`] made. Nothing is run; the same lockfile leads to
    /// the same choices each time. A timing that is missing is an error. Replaces an earlier call of this or of
    /// [`Builder::lockfile`].
    #[must_use]
    pub fn locked(mut self, path: impl Into<PathBuf>) -> Self {
        self.keeping = Keeping::Locked(path.into());
        self
    }

    /// Calls `observer` with each event of the build.
    #[must_use]
    pub fn observe(mut self, observer: impl FnMut(&BuildEvent) + 'o) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Times the tactics, chooses, and plans memory.
    ///
    /// # Errors
    /// When the network has no output, a profile doesn't fit it, a plugin has no impl for the device, or none of its
    /// combinations and tactics works: the error lists each with its reason. Before anything is timed, when a lockfile
    /// can't be read, isn't valid (the line is named) or couldn't be written, and when it is to be
    /// [locked](Builder::locked) and lacks a timing (the layer, plugin and tactic are named, and what the record would
    /// be).
    pub fn build(mut self, network: &Network) -> Result<Engine> {
        if network.outputs.is_empty() {
            return Err(Error::invalid("the network has no output: mark one with mark_output"));
        }
        // A limit for a plugin that isn't in the network is harmless, one for a plugin that isn't linked a typo.
        for (id, _) in &self.rules.tactics {
            let registry = Registry::global()?;
            if !registry.plugins().iter().any(|p| p.entry.id == id) {
                registry.get(id, 1)?;
            }
        }
        self.check_given(network)?;
        let stream = match self.stream.take() {
            Some(stream) if *stream.device() != self.device => {
                return Err(Error::invalid(format_args!(
                    "the builder's stream belongs to `{}`, but the engine is built for `{}`",
                    stream.device(),
                    self.device
                )));
            }
            Some(stream) => stream,
            None => self.device.create_stream()?,
        };
        if self.profiles.is_empty() {
            self.profiles.push(Profile::new());
        }
        let mut timings = Timings::open(std::mem::take(&mut self.keeping), &self.device, &mut |path| {
            waits(&mut self.observer, path)
        })?;
        let planned = self.plan(network, &stream, &mut timings);
        let saved = timings.save(&mut |path| waits(&mut self.observer, path));
        let (plans, kernels, report) = planned?;
        saved?;
        let engine = Engine::new(self.device, network, plans, kernels, report);
        engine.0.provide_runtime_kernels()?;
        Ok(engine)
    }

    /// Whether the caller's samples are for tensors of the network.
    fn check_given(&self, network: &Network) -> Result<()> {
        for (name, given) in &self.given {
            let names = || network.tensors.iter().map(|tensor| &*tensor.name);
            let Some(tensor) = network.tensors.iter().find(|tensor| tensor.name == *name) else {
                return Err(Error::invalid(format_args!(
                    "Builder::sample_input: the network has no tensor `{name}`{}",
                    did_you_mean(name, names())
                )));
            };
            if tensor.dtype != given.dtype() || tensor.shape.len() != given.shape().len() {
                return Err(Error::invalid(format_args!(
                    "Builder::sample_input: `{name}` is {} of {} dimensions, but {} {:?} was given",
                    tensor.dtype,
                    tensor.shape.len(),
                    given.dtype(),
                    given.shape()
                )));
            }
        }
        Ok(())
    }

    /// One plan per profile, and the runtime's own kernels that they need.
    fn plan(
        &mut self,
        network: &Network,
        stream: &Stream,
        timings: &mut Timings,
    ) -> Result<(Vec<Plan>, Vec<RuntimeKernels>, BuildReport)> {
        let mut plans = Vec::with_capacity(self.profiles.len());
        let mut report = BuildReport::default();
        let compiler = AotCompiler::new(&self.device, &self.architectures);
        for (index, profile) in self.profiles.iter().enumerate() {
            profile.validate(&input_dims(network))?;
            let bounds = Bounds::new(network, profile)?;
            let tuning = Tuning {
                stream,
                compiler: &compiler,
                rules: &self.rules,
                effort: &self.effort,
                seed: self.seed,
                checked: self.checked,
                given: &self.given,
            };
            let observer = &mut self.observer;
            let Tuned { choices, reports, conversions } =
                tune(network, &bounds, index, &tuning, timings, &mut |layer, told, done, total| {
                    let Some(observer) = observer else { return };
                    let layer = layer.name.clone();
                    observer(&match told {
                        Told::Begins { phase, trial, of } => {
                            BuildEvent::Begins { layer, phase, trial, of, done, total }
                        }
                        Told::Ended(trial) => BuildEvent::Trial { layer, trial: trial.clone(), done, total },
                    });
                })?;
            let plan = Plan::new(network, profile, &bounds, &choices, &compiler)?;
            report.layers.extend(reports);
            report.conversions += conversions;
            report.inserted.extend(plan.inserted().map(|name| InsertedStep { name: name.clone(), profile: index }));
            report.arena_bytes.push(plan.arena);
            plans.push(plan);
        }
        let kernels = match self.device.kind() {
            DeviceKind::Cuda => RuntimeKernels::of(&plans, &compiler)?,
            DeviceKind::Cpu => Vec::new(),
        };
        Ok((plans, kernels, report))
    }
}

/// Tells the observer of a wait for another build.
fn waits(observer: &mut Option<Observer<'_>>, lockfile: &Path) {
    if let Some(observer) = observer {
        observer(&BuildEvent::Waits { lockfile: lockfile.into() });
    }
}

impl std::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("device", &self.device)
            .field("profiles", &self.profiles)
            .finish_non_exhaustive()
    }
}
