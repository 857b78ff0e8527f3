//! Ordered compaction: blocks whose output size is only known when they were read, written without gaps.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::chunks::Parts;
use super::pool::{Spread, pause};
use super::threads::{All, FirstError};
use crate::error::{Error, Result};

/// Writes the outputs of `0..blocks` one behind the other into `out`, in the order of the blocks, on all threads of
/// the pool, and returns how many elements that were in all.
///
/// `block` gets a block's index and a [`Claim`]. It finds out how many elements the block has, claims as many, and
/// writes them. A claim waits until all earlier blocks have made theirs, so the counting should come before it and the
/// writing behind it. A block that drops its claim has no output.
///
/// # Errors
/// The first error that a block returned. Else, when the claims sum up to more than `out` has room for; the message names
/// both numbers.
///
/// # Panics
/// As [`parallel_for`](super::parallel_for).
pub fn compact<T: Send>(
    blocks: usize,
    out: &mut [T],
    block: impl for<'a> Fn(usize, Claim<'a, T>) -> Result<()> + Sync,
) -> Result<usize> {
    compact_on(&All, blocks, out, block)
}

pub(super) fn compact_on<T: Send>(
    threads: &impl Spread,
    blocks: usize,
    out: &mut [T],
    block: impl for<'a> Fn(usize, Claim<'a, T>) -> Result<()> + Sync,
) -> Result<usize> {
    let room = out.len();
    let queue = Queue { out: Parts::new(out), turn: AtomicUsize::new(0), total: AtomicUsize::new(0) };
    let error = FirstError::default();
    threads.spread(blocks, &|index| {
        let turn = Turn { queue: &queue, index, over: Cell::new(false) };
        error.note(block(index, Claim { turn: &turn }));
    });
    error.into_result()?;
    let total = queue.total.into_inner();
    if total > room {
        return Err(Error::plugin(format_args!("{total} elements were to be written, but the output holds {room}")));
    }
    Ok(total)
}

/// A block's right to a part of the output; see [`compact`].
pub struct Claim<'a, T> {
    turn: &'a Turn<'a, T>,
}

impl<T> std::fmt::Debug for Claim<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim").field("block", &self.turn.index).finish()
    }
}

impl<'a, T> Claim<'a, T> {
    /// Waits for the earlier blocks' claims and takes the `count` elements behind theirs. `None` if there is no room
    /// for them; then [`compact`] errs.
    pub fn take(self, count: usize) -> Option<&'a mut [T]> {
        let start = self.turn.take(count)?;
        let end = start.checked_add(count)?;
        let out = &self.turn.queue.out;
        if end > out.len {
            return None;
        }
        #[expect(unsafe_code, reason = "claims are disjoint, which the compiler can't see")]
        // SAFETY: `end` is in bounds. A claim is used up by taking, each block has one, and each starts where the one
        // before it ended: `total` only grows, and once it saturates every end is out of bounds.
        let part = unsafe { out.part(start, count) };
        Some(part)
    }
}

struct Queue<'a, T> {
    out: Parts<'a, T>,
    /// The block whose claim is next.
    turn: AtomicUsize,
    /// The sum of all claims so far; written by the block whose turn it is.
    total: AtomicUsize,
}

/// A block's place in the queue. When it goes, so does the block's turn, also when the block panics.
struct Turn<'a, T> {
    queue: &'a Queue<'a, T>,
    index: usize,
    over: Cell<bool>,
}

impl<T> Turn<'_, T> {
    /// Adds `count` to the total when it is this block's turn, and returns the total before. `None` when its turn is
    /// over.
    fn take(&self, count: usize) -> Option<usize> {
        if self.over.replace(true) {
            return None;
        }
        let mut looks = 0;
        while self.queue.turn.load(Ordering::Acquire) != self.index {
            pause(&mut looks);
        }
        let start = self.queue.total.load(Ordering::Relaxed);
        self.queue.total.store(start.saturating_add(count), Ordering::Relaxed);
        self.queue.turn.store(self.index + 1, Ordering::Release);
        Some(start)
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        self.take(0);
    }
}
