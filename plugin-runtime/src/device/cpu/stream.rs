//! Writing outputs that are too large for the caches.
//!
//! An ordinary store first reads its cache line from memory. Whole lines can be written without that, so what is
//! written goes through a small buffer that is handed on line by line.

use std::marker::PhantomData;

use bytemuck::Pod;

use crate::error::{Error, Result};

const LINE: usize = 64;
/// Small enough to stay in the first-level cache beside what is read.
const STAGE: usize = 64 * LINE;

/// Calls `write` with a writer that fills `out` from its start to its end past the caches, and returns what `write`
/// returned.
///
/// Worth it for an output that is larger than the caches; a smaller one would be missed there by its reader.
///
/// # Errors
/// What `write` returned, or when it wrote more or fewer elements than `out` holds.
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
    /// What has not been handed on yet.
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
        let mut bytes: &[u8] = bytemuck::cast_slice(values);
        self.written = self.written.saturating_add(values.len());
        while bytes.len() > STAGE - self.filled {
            let (fits, more) = bytes.split_at(STAGE - self.filled);
            self.stage.0[self.filled..].copy_from_slice(fits);
            self.filled = STAGE;
            self.hand_on_lines();
            bytes = more;
        }
        self.stage.0[self.filled..self.filled + bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }

    /// Room for elements that are written in place, `wanted` of them or more, but never more than 2 KiB on request.
    /// They count once they are committed; what the room holds before is unspecified.
    #[inline]
    pub fn spare(&mut self, wanted: usize) -> &mut [T] {
        let wanted = wanted.saturating_mul(size_of::<T>()).min(STAGE / 2);
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
    /// Hands on the full lines of the stage and keeps what is behind them.
    fn hand_on_lines(&mut self) {
        let full = self.filled / LINE * LINE;
        if full > 0 {
            self.hand_on(full);
            self.stage.0.copy_within(full..self.filled, 0);
            self.filled -= full;
        }
    }

    /// Hands on the first `bytes` of the stage, as far as there is room for them.
    fn hand_on(&mut self, bytes: usize) {
        let staged = &self.stage.0[std::mem::take(&mut self.skip)..bytes];
        let staged = &staged[..staged.len().min(self.rest.len())];
        let (to, rest) = std::mem::take(&mut self.rest).split_at_mut(staged.len());
        copy_past_caches(staged, to);
        self.rest = rest;
    }
}

impl<T> Drop for StreamWriter<'_, T> {
    fn drop(&mut self) {
        self.hand_on(self.filled);
        wait_for_stores();
    }
}

/// Copies `from` over `to`, which is as long. The caller is to call [`wait_for_stores`] before anyone looks at `to`.
#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(unsafe_code, reason = "stores past the caches exist as intrinsics on pointers only")]
fn copy_past_caches(from: &[u8], to: &mut [u8]) {
    use std::arch::x86_64::{__m128i, _mm_stream_si128};

    let head = to.as_ptr().align_offset(LINE).min(to.len());
    let ((from_head, from), (to_head, to)) = (from.split_at(head), to.split_at_mut(head));
    to_head.copy_from_slice(from_head);
    let (from_lines, from_tail) = from.as_chunks::<LINE>();
    let (to_lines, to_tail) = to.as_chunks_mut::<LINE>();
    for (from, to) in from_lines.iter().zip(to_lines) {
        let parts: [__m128i; LINE / 16] = bytemuck::cast(*from);
        let to = to.as_mut_ptr().cast::<__m128i>();
        for (i, part) in parts.into_iter().enumerate() {
            // SAFETY: `to` is a line of 4 parts, aligned to 64 bytes behind the head. Nobody else reads or writes it
            // while it is borrowed, and `stream_into` waits for the stores before that ends.
            unsafe { _mm_stream_si128(to.add(i), part) };
        }
    }
    to_tail.copy_from_slice(from_tail);
}

#[cfg(not(target_arch = "x86_64"))]
fn copy_past_caches(from: &[u8], to: &mut [u8]) {
    to.copy_from_slice(from);
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the fence exists as an intrinsic only")]
fn wait_for_stores() {
    // SAFETY: every x86-64 processor has the fence.
    unsafe { std::arch::x86_64::_mm_sfence() };
}

#[cfg(not(target_arch = "x86_64"))]
fn wait_for_stores() {}
