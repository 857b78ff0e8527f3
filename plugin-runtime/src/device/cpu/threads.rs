//! The pool that the whole process shares.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::pool::{Pool, Spread, alone};
use crate::error::{Error, Result};

/// Limits the number of threads.
const THREADS_VARIABLE: &str = "PLUGIN_RUNTIME_THREADS";
/// The most threads that the variable can ask for.
const MOST_THREADS: usize = 1024;

/// Bytes read and written in all from which more than one thread pays.
pub const PARALLEL_BYTES: usize = 512 << 10;

/// Bytes from which an output is worth being written past the caches, by [`stream_into`](super::stream_into).
pub const STREAM_BYTES: usize = 8 << 20;

/// The number of threads that [`parallel_for`] uses, the caller's included; at least 1.
///
/// It is the number of cores that the process may use. The environment variable `PLUGIN_RUNTIME_THREADS` sets another
/// number, from 1 to 1024; it is read once, when the pool starts, and ignored if it holds anything else. Where the
/// system refuses to start as many threads, the pool has as many as it could get.
pub fn threads() -> usize {
    #[cfg(any(feature = "onnxruntime", test))]
    if let Some(threads) = super::lent::threads() {
        return threads;
    }
    pool().threads()
}

/// Calls `task` once with each of `0..tasks`, on all threads of the pool, and returns when all calls have returned.
///
/// The caller works too. Tasks start in order and are handed out one by one, so they may differ in length. When the
/// pool is at work for another thread, or when this is called from inside a task, the caller runs all tasks itself.
///
/// # Panics
/// When a task panics: after the others have stopped, with the first task's panic. Tasks that haven't started by then
/// are left out.
pub fn parallel_for(tasks: usize, task: impl Fn(usize) + Sync) {
    All.spread(tasks, &task);
}

/// Runs `work` with the whole pool if it reads and writes [`PARALLEL_BYTES`] or more, and else on the caller alone.
pub fn parallel_from<R>(bytes: usize, work: impl FnOnce() -> R) -> R {
    if bytes < PARALLEL_BYTES { alone(work) } else { work() }
}

/// The first error of several tasks.
#[derive(Default)]
pub(super) struct FirstError(Mutex<Option<Error>>);

impl FirstError {
    pub(super) fn note(&self, result: Result<()>) {
        if let Err(error) = result {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    pub(super) fn into_result(self) -> Result<()> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// The threads that a host lends, or else our own.
pub(super) struct All;

impl Spread for All {
    fn spread(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        #[cfg(any(feature = "onnxruntime", test))]
        if super::lent::run(tasks, task) {
            return;
        }
        pool().run(tasks, task);
    }
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let wished = std::env::var(THREADS_VARIABLE).ok();
        Pool::new(wished_threads(wished.as_deref()).unwrap_or_else(cores) - 1)
    })
}

fn wished_threads(text: Option<&str>) -> Option<usize> {
    text?.trim().parse().ok().filter(|threads| (1..=MOST_THREADS).contains(threads))
}

#[cfg(test)]
mod tests {
    use super::wished_threads;

    #[test]
    fn only_a_sensible_number_of_threads_is_taken_from_the_environment() {
        let of = |text| wished_threads(Some(text));
        assert_eq!([of("1"), of(" 12 "), of("1024")], [Some(1), Some(12), Some(1024)]);
        assert_eq!([of("0"), of("-1"), of("1025"), of("many"), of(""), wished_threads(None)], [None; 6]);
    }
}
