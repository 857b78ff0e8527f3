//! What a host without nodes keeps of a plugin: a call for each device, types and attributes that it was called with.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::{Call, Node, settings};
use crate::device::{Device, Stream};
use crate::error::Result;
use crate::network::{Dim, Preference};
use crate::plugin::{AttributeValue, Plugin};
use crate::tensor::DataType;

/// The calls of one plugin, by keys that the host makes of what it is called with.
pub(crate) struct Calls {
    kept: RwLock<Vec<Kept>>,
    /// Held while one is made: what is tried is tried once.
    making: Mutex<()>,
}

#[derive(Debug)]
struct Kept {
    hash: u64,
    key: Box<[u64]>,
    call: Arc<ReadyCall>,
}

/// A plugin on a device with types and attributes, ready to be called by many threads at once.
#[derive(Debug)]
pub(crate) struct ReadyCall {
    pub(crate) call: Call,
    /// Of the CPU; the stream of a GPU comes with each call.
    pub(crate) stream: Option<Stream>,
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
    /// The inputs' extents, where [`settings::extents_matter`].
    pub(crate) extents: Option<Vec<Vec<i64>>>,
}

/// So many calls are kept of a plugin; the oldest goes first.
const MOST: usize = 256;

impl Calls {
    pub(crate) const fn new() -> Calls {
        Calls { kept: RwLock::new(Vec::new()), making: Mutex::new(()) }
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
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|kept| kept.hash == hash && *kept.key == *key).map(|kept| kept.call.clone())
    }

    #[cold]
    fn make(&self, hash: u64, key: &[u64], describe: impl FnOnce() -> Result<Described>) -> Result<Arc<ReadyCall>> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(call) = self.find(hash, key) {
            return Ok(call);
        }
        let call = Arc::new(ReadyCall::new(describe()?)?);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST {
            kept.remove(0);
        }
        kept.push(Kept { hash, key: key.into(), call: call.clone() });
        Ok(call)
    }
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "Calls({kept} kept)")
    }
}

impl ReadyCall {
    fn new(described: Described) -> Result<ReadyCall> {
        let Described { name, plugin, device, types, attributes, extents } = described;
        let stream = device.gpu().is_none().then(|| device.create_stream()).transpose()?;
        let preference = Preference::Unspecified;
        let node = Node { name, plugin, attributes, device, preference, inputs: types };
        let tactics = Arc::new(settings::tactics().map_err(|error| node.failed(error))?);
        let fixed = |extents: &Vec<i64>| extents.iter().map(|extent| Dim::Fixed(*extent)).collect();
        let dims: Option<Vec<Vec<Dim>>> = extents.map(|extents| extents.iter().map(fixed).collect());
        Ok(ReadyCall { call: tactics.call(node, dims.as_deref())?, stream })
    }
}

fn hash(key: &[u64]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    key.iter().fold(key.len() as u64, |hash, word| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR))
}

thread_local! {
    static ROOM: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// Room for a key, which a thread keeps from one call to the next. It begins with the settings' number, so that calls are
/// made anew when these change.
#[derive(Debug)]
pub(crate) struct KeyRoom(Vec<u64>);

impl KeyRoom {
    #[inline]
    pub(crate) fn new() -> KeyRoom {
        let mut room = ROOM.try_with(Cell::take).unwrap_or_default();
        room.clear();
        room.push(settings::generation());
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
        let mut room = KeyRoom::new();
        room.push(7);
        room.push_bytes(b"ninebytes");
        assert_eq!(room.words().len(), 5);
        let place = room.words().as_ptr();
        drop(room);
        let room = KeyRoom::new();
        assert!(room.words().len() == 1 && room.0.as_ptr() == place);
    }

    #[test]
    fn bytes_of_other_lengths_are_other_keys() {
        let key = |bytes: &[u8]| {
            let mut room = KeyRoom::new();
            room.push_bytes(bytes);
            room.words().to_vec()
        };
        let keys = [key(b""), key(b"\0"), key(b"\0\0"), key(b"12345678"), key(b"12345678\0")];
        for (index, first) in keys.iter().enumerate() {
            assert!(keys[index + 1..].iter().all(|second| first != second && hash(first) != hash(second)));
        }
    }
}
