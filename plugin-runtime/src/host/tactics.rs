//! What decides how the nodes of a host run.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::node::only_layer;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
use super::{Call, Node};
use super::{Decider, Decision};
use crate::device::Device;
use crate::error::{Error, Result};
#[cfg(any(feature = "onnxruntime", feature = "python"))]
use crate::network::Dim;
use crate::network::Network;
use crate::tactic::{Keeping, Recorded, first_listed, tried};

/// What decides how the nodes of a session run: a tuning lockfile, or trying each tactic when the session is made; otherwise
/// the first one listed runs.
#[derive(Debug)]
pub(crate) struct Tactics {
    lockfile: Option<PathBuf>,
    tune: bool,
    /// Whether nodes are still made, so that trying them keeps no run waiting.
    making: AtomicBool,
}

/// What a program said of the tactics of its calls, where it isn't the environment that decides.
#[cfg(feature = "python")]
#[derive(Clone, Default, Debug)]
pub(crate) struct Said {
    /// The path of a tuning lockfile.
    pub(crate) lockfile: Option<String>,
    pub(crate) tune: Option<bool>,
}

#[cfg(feature = "python")]
impl Said {
    /// What decides, with what it doesn't say from the environment.
    ///
    /// # Errors
    /// As [`Tactics::new`].
    pub(crate) fn tactics(&self) -> Result<Tactics> {
        Tactics::new(&|key| match key {
            _ if key == LOCKFILE.key => self.lockfile.clone(),
            _ if key == TUNE.key => self.tune.map(|tune| if tune { "1".into() } else { "0".into() }),
            _ => None,
        })
    }
}

impl Decision {
    /// The first that is listed.
    ///
    /// # Errors
    /// As [`first_listed`].
    pub(crate) fn in_order(network: &Network, device: &Device) -> Result<Decision> {
        Ok(Decision { choice: first_listed(network, only_layer(network)?, device)?, by: Decider::Order })
    }
}

/// An option of a session, or else of the environment.
struct Setting {
    key: &'static str,
    variable: &'static str,
}

const LOCKFILE: Setting = Setting { key: "plugin_runtime.lockfile", variable: "PLUGIN_RUNTIME_LOCKFILE" };
const TUNE: Setting = Setting { key: "plugin_runtime.tune", variable: "PLUGIN_RUNTIME_TUNE" };

impl Setting {
    /// What is set, if it isn't empty.
    fn read(&self, option: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        option(self.key).or_else(|| std::env::var(self.variable).ok()).filter(|value| !value.is_empty())
    }
}

impl Tactics {
    /// `option` gives a session's option by its key.
    ///
    /// # Errors
    /// When an option is neither 0 nor 1.
    pub(crate) fn new(option: &dyn Fn(&str) -> Option<String>) -> Result<Tactics> {
        let tune = match TUNE.read(option).as_deref() {
            None | Some("0") => false,
            Some("1") => true,
            Some(other) => {
                return Err(Error::invalid(format_args!(
                    "option `{}` (or {}) is 0 or 1, not `{}`",
                    TUNE.key,
                    TUNE.variable,
                    other.escape_debug()
                )));
            }
        };
        let lockfile = LOCKFILE.read(option).map(PathBuf::from);
        Ok(Tactics { lockfile, tune, making: AtomicBool::new(true) })
    }

    /// Whether the inputs' extents matter to what is chosen.
    #[cfg(feature = "python")]
    pub(crate) fn need_extents(&self) -> bool {
        self.tune || self.lockfile.is_some()
    }

    /// The call of a node whose inputs have these dimensions, as far as they are known. Tactics are tried while it is made, and
    /// not later.
    ///
    /// # Errors
    /// As [`Call::new`].
    #[cfg(any(feature = "onnxruntime", feature = "python"))]
    pub(crate) fn call(self: &Arc<Tactics>, node: Node, dims: Option<&[Vec<Dim>]>) -> Result<Call> {
        let choose = self.clone();
        let call = Call::new(node, dims, Box::new(move |network, device| choose.decide(network, device)))?;
        self.making.store(false, Ordering::Release);
        Ok(call)
    }

    /// What the only layer of a network runs as.
    ///
    /// # Errors
    /// When the lockfile can't be read; when nothing that is listed fits or works.
    pub(crate) fn decide(&self, network: &Network, device: &Device) -> Result<Decision> {
        let layer = only_layer(network)?;
        if self.tune && self.making.load(Ordering::Acquire) && is_settled(network) {
            let keeping = self.lockfile.clone().map_or(Keeping::Nothing, Keeping::Lockfile);
            return Ok(Decision { choice: tried(network, device, keeping)?, by: Decider::Trial });
        }
        if let Some(path) = &self.lockfile
            && let Some(choice) = records(path, device)?.choose(network, layer, device)?
        {
            return Ok(Decision { choice, by: Decider::Lockfile(path.clone()) });
        }
        Decision::in_order(network, device)
    }

    /// Why a node wasn't tried although that was asked for.
    #[cfg(any(feature = "onnxruntime", test))]
    pub(crate) fn left_untried(&self, decision: Option<&Decision>) -> Option<&'static str> {
        let tried = decision.is_some_and(|decision| decision.by == Decider::Trial);
        (self.tune && !tried).then_some("its inputs' extents aren't all known when the session is made")
    }
}

/// Whether all extents of the inputs are fixed.
fn is_settled(network: &Network) -> bool {
    network.inputs.iter().all(|&input| network.tensors[input].shape.iter().all(|e| e.constant_value().is_some()))
}

/// A lockfile as it was read last, with what tells whether it changed since.
struct Kept {
    path: PathBuf,
    device: Device,
    state: (u64, Option<SystemTime>),
    records: Arc<Recorded>,
}

/// The records of a lockfile, read once for all nodes.
fn records(path: &Path, device: &Device) -> Result<Arc<Recorded>> {
    static LAST: Mutex<Option<Kept>> = Mutex::new(None);
    let state = path.metadata().map(|metadata| (metadata.len(), metadata.modified().ok())).unwrap_or_default();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = last.as_ref().filter(|kept| kept.path == path && kept.device == *device && kept.state == state)
    {
        return Ok(kept.records.clone());
    }
    let records = Arc::new(Recorded::read(path, device)?);
    *last = Some(Kept { path: path.into(), device: device.clone(), state, records: records.clone() });
    Ok(records)
}
