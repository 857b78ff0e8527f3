//! What a host without nodes keeps of a plugin: a call for each device, types and attributes that it was called with.
//!
//! Where a process forks, its child may find locks that nobody gives back, and does without them then.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

#[cfg(any(feature = "jax", feature = "tvm_ffi"))]
use super::pool::Pool;
use super::{Call, Node, Tactics};
use crate::device::{Device, Stream};
use crate::error::Result;
use crate::network::{Dim, Preference};
use crate::plugin::{AttributeValue, Plugin};
use crate::tensor::DataType;
#[cfg(any(feature = "jax", feature = "tvm_ffi"))]
use crate::tensor::HostBytes;

/// The calls of one plugin, by keys that the host makes of what it is called with.
pub(crate) struct Calls {
    kept: Mutex<Kept>,
    /// Held while one is made: what is tried is tried once.
    making: Mutex<()>,
    /// The process whose threads make them in turn; 0 before the first.
    process: AtomicU32,
}

struct Kept {
    /// Those used often before the others.
    calls: Vec<Arc<ReadyCall>>,
    /// How many of them made way for others.
    replaced: usize,
}

/// A plugin on a device with types and attributes, ready to be called by many threads at once.
#[derive(Debug)]
pub(crate) struct ReadyCall {
    hash: u64,
    key: Box<[u64]>,
    pub(crate) call: Call,
    /// Of the CPU; the stream of a GPU comes with each call.
    pub(crate) stream: Option<Stream>,
    /// Those that its host has no memory for.
    #[cfg(any(feature = "jax", feature = "tvm_ffi"))]
    workspaces: Pool<HostBytes>,
}

/// What a call is made of.
#[derive(Debug)]
pub(crate) struct Described {
    /// As errors name it.
    pub(crate) name: Arc<str>,
    pub(crate) plugin: &'static Plugin,
    pub(crate) device: Device,
    /// Of the inputs.
    pub(crate) types: Vec<DataType>,
    /// Those that have a default may be left out.
    pub(crate) attributes: Vec<(&'static str, AttributeValue)>,
    /// The inputs' extents, where [`Tactics::need_extents`].
    pub(crate) extents: Option<Vec<Vec<i64>>>,
    pub(crate) tactics: Tactics,
}

/// So many calls are kept of a plugin.
const MOST: usize = 256;

impl Calls {
    pub(crate) const fn new() -> Calls {
        Calls {
            kept: Mutex::new(Kept { calls: Vec::new(), replaced: 0 }),
            making: Mutex::new(()),
            process: AtomicU32::new(0),
        }
    }

    /// The call of a key. Allocates nothing where there is one.
    ///
    /// # Errors
    /// When it can't be described, or as [`Call::new`].
    #[inline]
    pub(crate) fn get(&self, key: &[u64], describe: impl FnOnce() -> Result<Described>) -> Result<Arc<ReadyCall>> {
        let hash = hash(key);
        match self.find(hash, key) {
            Some(call) => Ok(call),
            None => self.make(hash, key, describe),
        }
    }

    #[inline]
    fn find(&self, hash: u64, key: &[u64]) -> Option<Arc<ReadyCall>> {
        let calls = &mut soon(&self.kept)?.calls;
        let at = calls.iter().position(|kept| kept.hash == hash && *kept.key == *key)?;
        let found = calls[at].clone();
        calls.swap(at, at / 2);
        Some(found)
    }

    #[cold]
    fn make(&self, hash: u64, key: &[u64], describe: impl FnOnce() -> Result<Described>) -> Result<Arc<ReadyCall>> {
        let _turn = self.turn();
        if let Some(call) = self.find(hash, key) {
            return Ok(call);
        }
        let made = Arc::new(ReadyCall::new(hash, key, describe()?)?);
        let dropped = soon(&self.kept).and_then(|mut kept| kept.keep(made.clone()));
        drop(dropped);
        Ok(made)
    }

    /// The turn to make one, which may be a while in coming; `None` where the thread that has it stayed behind in the process
    /// that this one forked from.
    fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        const PAUSE: Duration = Duration::from_millis(1);
        let own = std::process::id();
        let _ = self.process.compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed);
        loop {
            match self.making.try_lock() {
                Ok(turn) => {
                    self.process.store(own, Ordering::Relaxed);
                    return Some(turn);
                }
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if self.process.load(Ordering::Relaxed) != own => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
    }
}

impl Kept {
    /// Keeps one, in the place of another where there are many: of those not used often, each in turn. Gives that back.
    fn keep(&mut self, made: Arc<ReadyCall>) -> Option<Arc<ReadyCall>> {
        if self.calls.len() < MOST {
            self.calls.push(made);
            return None;
        }
        let place = MOST / 2 + self.replaced % (MOST / 2);
        self.replaced = self.replaced.wrapping_add(1);
        Some(std::mem::replace(&mut self.calls[place], made))
    }
}

/// What a lock holds that is never held for long, unless another thread has it for so long that a fork must have left it
/// behind.
#[inline]
fn soon<T>(lock: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    const TURNS: usize = 10_000;
    for _ in 0..TURNS {
        match lock.try_lock() {
            Ok(held) => return Some(held),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept = soon(&self.kept).map_or(0, |kept| kept.calls.len());
        write!(f, "Calls({kept} kept)")
    }
}

impl ReadyCall {
    fn new(hash: u64, key: &[u64], described: Described) -> Result<ReadyCall> {
        let Described { name, plugin, device, types, attributes, extents, tactics } = described;
        let stream = device.gpu().is_none().then(|| device.create_stream()).transpose()?;
        let preference = Preference::Unspecified;
        let node = Node { name, plugin, attributes, device, preference, inputs: types };
        let fixed = |extents: &Vec<i64>| extents.iter().map(|extent| Dim::Fixed(*extent)).collect();
        let dims: Option<Vec<Vec<Dim>>> = extents.map(|extents| extents.iter().map(fixed).collect());
        let call = Arc::new(tactics).call(node, dims.as_deref())?;
        Ok(ReadyCall {
            hash,
            key: key.into(),
            call,
            stream,
            #[cfg(any(feature = "jax", feature = "tvm_ffi"))]
            workspaces: Pool::new(),
        })
    }

    /// Host memory of at least so many bytes. Allocates none where [`ReadyCall::give_back`] gave as much before.
    ///
    /// # Errors
    /// When there isn't as much.
    #[cfg(any(feature = "jax", feature = "tvm_ffi"))]
    pub(crate) fn workspace(&self, bytes: usize) -> Result<Box<HostBytes>> {
        let known = self.workspaces.take().filter(|known| known.len() >= bytes);
        known.map_or_else(|| HostBytes::zeroed(bytes).map(Box::new), Ok)
    }

    #[cfg(any(feature = "jax", feature = "tvm_ffi"))]
    pub(crate) fn give_back(&self, workspace: Box<HostBytes>) {
        self.workspaces.give(workspace);
    }
}

fn hash(key: &[u64]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    key.iter().fold(key.len() as u64, |hash, word| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR))
}

thread_local! {
    static ROOM: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// Room for a key, which a thread keeps from one call to the next.
#[derive(Debug)]
pub(crate) struct KeyRoom(Vec<u64>);

impl KeyRoom {
    #[inline]
    pub(crate) fn new(first: u64) -> KeyRoom {
        let mut room = ROOM.try_with(Cell::take).unwrap_or_default();
        room.clear();
        room.push(first);
        KeyRoom(room)
    }

    #[inline]
    pub(crate) fn push(&mut self, word: u64) {
        self.0.push(word);
    }

    /// Bytes, and how many.
    #[inline]
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        self.0.push(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        self.0.extend(words.iter().map(|word| u64::from_ne_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.0.push(u64::from_ne_bytes(last));
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }
}

impl Drop for KeyRoom {
    #[inline]
    fn drop(&mut self) {
        let room = std::mem::take(&mut self.0);
        let _ = ROOM.try_with(|kept| kept.set(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_used_again() {
        let mut room = KeyRoom::new(0);
        room.push(7);
        room.push_bytes(b"ninebytes");
        assert_eq!(room.words().len(), 5);
        let place = room.words().as_ptr();
        drop(room);
        let room = KeyRoom::new(0);
        assert!(room.words().len() == 1 && room.0.as_ptr() == place);
    }

    #[test]
    fn bytes_of_other_lengths_are_other_keys() {
        let key = |bytes: &[u8]| {
            let mut room = KeyRoom::new(0);
            room.push_bytes(bytes);
            room.words().to_vec()
        };
        let keys = [key(b""), key(b"\0"), key(b"\0\0"), key(b"12345678"), key(b"12345678\0")];
        for (index, first) in keys.iter().enumerate() {
            assert!(keys[index + 1..].iter().all(|second| first != second && hash(first) != hash(second)));
        }
    }
}
