//! The streams that use a piece of memory, so that none writes or frees it while another one uses it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::driver::relaxed;
use super::queue::Queue;
use super::stream::CudaStream;
use crate::error::{ErrorKind, Result};

/// With more readers than this, those that are done are dropped.
const MANY: usize = 16;

/// Added to a queue's address, which is even: no other stream uses the memory.
const ALONE: usize = 1;

/// The streams whose work may use a piece of memory. To use it in the stream that used it last costs a comparison;
/// another stream is ordered after those before it by events, which the host doesn't wait for.
#[derive(Debug)]
pub(super) struct Uses {
    /// The queue of the last use, by its address. It is one of `streams`, so that no other queue has this address.
    last: AtomicUsize,
    streams: Mutex<Streams>,
}

#[derive(Debug)]
struct Streams {
    /// The stream of the last write.
    writer: Arc<Queue>,
    /// The streams that read since, each ordered after the writer.
    readers: Vec<Arc<Queue>>,
}

fn address(queue: &Arc<Queue>) -> usize {
    Arc::as_ptr(queue).addr()
}

impl Uses {
    /// For memory that was allocated in the order of a stream.
    pub(super) fn new(stream: &CudaStream) -> Self {
        let writer = stream.queue().clone();
        Uses {
            last: AtomicUsize::new(address(&writer) | ALONE),
            streams: Mutex::new(Streams { writer, readers: Vec::new() }),
        }
    }

    /// Orders a stream for work that reads the memory.
    ///
    /// # Errors
    /// When the driver can't order the stream after that of the last write.
    #[inline]
    pub(super) fn read(&self, stream: &CudaStream) -> Result<()> {
        if self.last.load(Ordering::Acquire) & !ALONE == stream.queue_address() {
            return Ok(());
        }
        self.read_elsewhere(stream.queue())
    }

    /// Orders a stream for work that writes the memory.
    ///
    /// # Errors
    /// When the driver can't order the stream after those that use the memory.
    #[inline]
    pub(super) fn write(&mut self, stream: &CudaStream) -> Result<()> {
        if *self.last.get_mut() == stream.queue_address() | ALONE {
            return Ok(());
        }
        self.write_elsewhere(stream.queue())
    }

    /// Orders a stream for work that reads the memory and that the caller waits for.
    ///
    /// # Errors
    /// As [`Uses::read`].
    pub(super) fn read_at_once(&self, stream: &CudaStream) -> Result<()> {
        if self.last.load(Ordering::Acquire) & !ALONE == stream.queue_address() {
            return Ok(());
        }
        let streams = self.streams();
        after(stream.queue(), &streams.writer)
    }

    /// Orders a stream for freeing the memory. Returns whether it may be freed.
    pub(super) fn free(&mut self, stream: &CudaStream) -> bool {
        if *self.last.get_mut() == stream.queue_address() | ALONE {
            return true;
        }
        let queue = stream.queue();
        let streams = self.streams.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut users = streams.readers.iter().chain([&streams.writer]);
        users.all(|user| after(queue, user).or_else(|_| user.synchronize()).is_ok())
    }

    /// Waits until no work uses the memory. Whether that is so.
    pub(super) fn finish(&mut self) -> bool {
        let streams = self.streams.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut users = streams.readers.iter().chain([&streams.writer]);
        users.all(|user| match relaxed(|| user.synchronize()) {
            Ok(()) => true,
            Err(error) => error.kind() == ErrorKind::DeviceLost,
        })
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn read_elsewhere(&self, queue: &Arc<Queue>) -> Result<()> {
        let mut streams = self.streams();
        let Streams { writer, readers } = &mut *streams;
        if !Arc::ptr_eq(queue, writer) && !readers.iter().any(|reader| Arc::ptr_eq(reader, queue)) {
            after(queue, writer)?;
            if readers.len() >= MANY {
                readers.retain(|reader| !reader.is_over());
            }
            readers.push(queue.clone());
        }
        let alone = Arc::ptr_eq(queue, writer) && readers.is_empty();
        self.last.store(address(queue) | if alone { ALONE } else { 0 }, Ordering::Release);
        Ok(())
    }

    #[cold]
    fn write_elsewhere(&mut self, queue: &Arc<Queue>) -> Result<()> {
        let streams = self.streams.get_mut().unwrap_or_else(PoisonError::into_inner);
        for user in streams.readers.iter().chain([&streams.writer]) {
            after(queue, user)?;
        }
        streams.readers.clear();
        streams.writer = queue.clone();
        *self.last.get_mut() = address(queue) | ALONE;
        Ok(())
    }
}

/// Orders later work in a queue after what is in another now.
fn after(queue: &Arc<Queue>, other: &Arc<Queue>) -> Result<()> {
    if Arc::ptr_eq(queue, other) { Ok(()) } else { queue.wait_for(other) }
}
