//! What is kept of calls, for the next that are alike.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use super::arguments::{Arguments, device_of};
use crate::device::dlpack::DLDevice;
use crate::device::{Device, Stream};
use crate::error::Result;
use crate::host::pool::Pool;
use crate::host::{Call, Node, Said};
use crate::network::{Dim, Preference};
use crate::plugin::Plugin;
use crate::tensor::HostBytes;

/// A node for calls with the same device, types and attributes.
#[derive(Debug)]
pub(super) struct Kept {
    hash: u64,
    words: Box<[u64]>,
    pub(super) call: Call,
    /// Of the CPU; the stream of a GPU comes with each call.
    pub(super) stream: Option<Stream>,
    /// Workspaces in host memory.
    pub(super) workspaces: Pool<HostBytes>,
}

/// The nodes that one function has made, those used often before the others.
#[derive(Debug)]
pub(super) struct Nodes {
    plugin: &'static Plugin,
    said: Said,
    extents_matter: bool,
    kept: Mutex<Vec<Arc<Kept>>>,
}

impl Nodes {
    /// # Errors
    /// When an option of the environment can't be.
    pub(super) fn new(plugin: &'static Plugin, said: Said) -> Result<Nodes> {
        let extents_matter = said.tactics()?.need_extents();
        Ok(Nodes { plugin, said, extents_matter, kept: Mutex::new(Vec::new()) })
    }

    /// The node for a call like this.
    ///
    /// # Errors
    /// When there is no such device, or the plugin refuses.
    #[inline]
    pub(super) fn node(&self, arguments: &Arguments<'_>) -> Result<Arc<Kept>> {
        let device = arguments.device()?;
        let mut hash = FIRST;
        arguments.words(device, self.extents_matter, &mut |word| {
            hash = (hash ^ word).wrapping_mul(PRIME).rotate_left(23);
            true
        });
        match self.find(arguments, device, hash) {
            Some(kept) => Ok(kept),
            None => self.make(arguments, device, hash),
        }
    }

    #[inline]
    fn find(&self, arguments: &Arguments<'_>, device: DLDevice, hash: u64) -> Option<Arc<Kept>> {
        let mut kept = self.lock()?;
        let is_same = |kept: &Arc<Kept>| {
            let mut known = kept.words.iter();
            kept.hash == hash
                && arguments.words(device, self.extents_matter, &mut |word| known.next() == Some(&word))
                && known.len() == 0
        };
        let at = kept.iter().position(is_same)?;
        let found = kept[at].clone();
        kept.swap(at, at / 2);
        Some(found)
    }

    #[cold]
    fn make(&self, arguments: &Arguments<'_>, device: DLDevice, hash: u64) -> Result<Arc<Kept>> {
        let mut words = Vec::new();
        arguments.words(device, self.extents_matter, &mut |word| {
            words.push(word);
            true
        });
        let device = device_of(device)?;
        let call = self.call(arguments, &device)?;
        let stream = device.gpu().is_none().then(|| device.create_stream()).transpose()?;
        let made = Arc::new(Kept { hash, words: words.into(), call, stream, workspaces: Pool::new() });
        if let Some(mut kept) = self.lock() {
            let dropped = if kept.len() >= MOST { kept.pop() } else { None };
            kept.push(made.clone());
            drop(kept);
            drop(dropped);
        }
        Ok(made)
    }

    fn call(&self, arguments: &Arguments<'_>, device: &Device) -> Result<Call> {
        let id = self.plugin.entry.id;
        let node = Node {
            name: id.rsplit("::").next().unwrap_or(id).into(),
            plugin: self.plugin,
            attributes: arguments.attributes()?,
            device: device.clone(),
            preference: Preference::Unspecified,
            inputs: arguments.dtypes()?,
        };
        let extents =
            |input| arguments.input(input).map(|input| input.extents.iter().map(|&e| Dim::Fixed(e)).collect());
        let fixed: Option<Vec<Vec<Dim>>> = match self.extents_matter {
            true => Some((0..node.inputs.len()).map(extents).collect::<Result<_>>()?),
            false => None,
        };
        Arc::new(self.said.tactics()?).call(node, fixed.as_deref())
    }

    /// The nodes, unless another thread has them for so long that it must be one that a fork left behind.
    #[inline]
    fn lock(&self) -> Option<MutexGuard<'_, Vec<Arc<Kept>>>> {
        const TURNS: usize = 10_000;
        for _ in 0..TURNS {
            match self.kept.try_lock() {
                Ok(kept) => return Some(kept),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }
}

/// How many nodes a function keeps.
const MOST: usize = 256;

/// Of the hash FNV-1a.
const FIRST: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;
