//! Writing outputs that are too large for the caches.
//!
//! An ordinary store first reads its cache line from memory. Whole lines can be written without that, so short writes
//! are gathered in a small buffer and handed on line by line.

use std::marker::PhantomData;

use bytemuck::Pod;

use super::lines::{LINE, copy_past_caches, wait_for_stores};
use crate::error::{Error, Result};

/// Handing on fewer lines than the processor can queue lets it go on meanwhile.
const STAGE: usize = 24 * LINE;

/// Calls `write` with a writer that fills `out` from its start to its end past the caches.
///
/// Worth it for an output that is larger than the caches; a smaller one would be missed there by its reader.
///
/// # Errors
/// The error that `write` returned; or when it wrote more or fewer elements than `out` holds.
#[inline]
pub fn stream_into<T: Pod>(out: &mut [T], write: impl FnOnce(&mut StreamWriter<'_, T>) -> Result<()>) -> Result<()> {
    let len = out.len();
    let mut writer = StreamWriter::new(out);
    write(&mut writer)?;
    let written = writer.written;
    if written != len {
        return Err(Error::plugin(format_args!("{written} elements were written to an output of {len}")));
    }
    Ok(())
}

/// Writes a contiguous run of elements front to back; see [`stream_into`].
pub struct StreamWriter<'a, T> {
    stage: Stage,
    /// Bytes of `stage` in use. The first `skip` of them stand for what lies before the output in its first line.
    filled: usize,
    skip: usize,
    /// The part of the output that was not handed on yet.
    rest: &'a mut [u8],
    /// Elements offered so far, whether they fitted or not.
    written: usize,
    /// Not Send: the thread that stores past the caches is the one that has to wait for it in the end.
    element: PhantomData<*mut T>,
}

#[repr(C, align(64))]
struct Stage([u8; STAGE]);

impl<T> std::fmt::Debug for StreamWriter<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamWriter").field("written", &self.written).finish()
    }
}

impl<'a, T: Pod> StreamWriter<'a, T> {
    fn new(out: &'a mut [T]) -> Self {
        let rest: &mut [u8] = bytemuck::cast_slice_mut(out);
        let skip = rest.as_ptr().addr() % LINE;
        StreamWriter { stage: Stage([0; STAGE]), filled: skip, skip, rest, written: 0, element: PhantomData }
    }

    /// Writes one element.
    #[inline]
    pub fn push(&mut self, value: T) {
        let bytes = bytemuck::bytes_of(&value);
        match self.stage.0.get_mut(self.filled..self.filled + bytes.len()) {
            Some(to) => {
                to.copy_from_slice(bytes);
                self.filled += bytes.len();
                self.written += 1;
            }
            None => self.write(&[value]),
        }
    }

    /// Writes elements.
    #[inline]
    pub fn write(&mut self, values: &[T]) {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        self.written = self.written.saturating_add(values.len());
        match self.stage.0.get_mut(self.filled..self.filled + bytes.len()) {
            Some(to) => {
                to.copy_from_slice(bytes);
                self.filled += bytes.len();
            }
            None => self.write_long(bytes),
        }
    }

    /// Room for elements that are written in place: `wanted` of them or more, but no more than 1 KiB on request. They
    /// count once they are committed; what the room holds before is unspecified.
    #[inline]
    pub fn spare(&mut self, wanted: usize) -> &mut [T] {
        let wanted = wanted.saturating_mul(size_of::<T>()).min(STAGE - LINE);
        if STAGE - self.filled < wanted {
            self.hand_on_lines();
        }
        let room = (STAGE - self.filled) / size_of::<T>().max(1) * size_of::<T>();
        bytemuck::try_cast_slice_mut(&mut self.stage.0[self.filled..self.filled + room]).unwrap_or_default()
    }

    /// Counts the first `elements` of the [spare](Self::spare) room as written, at most all of it.
    #[inline]
    pub fn commit(&mut self, elements: usize) {
        let elements = elements.min((STAGE - self.filled) / size_of::<T>().max(1));
        self.filled += elements * size_of::<T>();
        self.written = self.written.saturating_add(elements);
    }
}

impl<T> StreamWriter<'_, T> {
    /// Completes the line begun in the stage, copies whole lines from `bytes` itself, and begins the next line.
    fn write_long(&mut self, bytes: &[u8]) {
        let missing = (self.filled.next_multiple_of(LINE) - self.filled).min(bytes.len());
        let (to_stage, bytes) = bytes.split_at(missing);
        self.stage.0[self.filled..self.filled + missing].copy_from_slice(to_stage);
        self.filled += missing;
        if bytes.is_empty() {
            return;
        }
        self.hand_on_lines();
        let (lines, tail) = bytes.split_at(bytes.len() / LINE * LINE);
        store(&mut self.rest, lines);
        self.stage.0[..tail.len()].copy_from_slice(tail);
        self.filled = tail.len();
    }

    /// Hands on the full lines of the stage and keeps what is behind them.
    fn hand_on_lines(&mut self) {
        let full = self.filled / LINE * LINE;
        if full > 0 {
            store(&mut self.rest, &self.stage.0[std::mem::take(&mut self.skip)..full]);
            if let Some(&begun) = self.stage.0[full..].first_chunk::<LINE>() {
                self.stage.0[..LINE].copy_from_slice(&begun);
            }
            self.filled -= full;
        }
    }
}

impl<T> Drop for StreamWriter<'_, T> {
    fn drop(&mut self) {
        store(&mut self.rest, &self.stage.0[self.skip..self.filled]);
        wait_for_stores();
    }
}

/// Moves `bytes` to the start of `rest`, as far as there is room for them.
fn store(rest: &mut &mut [u8], bytes: &[u8]) {
    let fits = bytes.len().min(rest.len());
    let (to, behind) = std::mem::take(rest).split_at_mut(fits);
    copy_past_caches(&bytes[..fits], to);
    *rest = behind;
}
