//! The pool that the whole process shares.

use std::ffi::OsStr;
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
/// number, from 1 to 1024; it is read once, and where it holds anything else, no stream for the CPU can be made. Where the
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
        Pool::new(wished().ok().flatten().unwrap_or_else(cores) - 1)
    })
}

/// Refuses a number of threads that can't be.
///
/// # Errors
/// When the environment asks for one.
pub(in crate::device) fn check_threads() -> Result<()> {
    wished().map(drop)
}

/// The number of threads that the environment asks for.
fn wished() -> Result<Option<usize>> {
    static WISHED: OnceLock<Result<Option<usize>>> = OnceLock::new();
    WISHED.get_or_init(|| wished_threads(std::env::var_os(THREADS_VARIABLE).as_deref())).clone()
}

/// An empty text asks for none.
fn wished_threads(text: Option<&OsStr>) -> Result<Option<usize>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let threads = text.to_str().and_then(|text| text.trim().parse().ok());
    match threads.filter(|threads| (1..=MOST_THREADS).contains(threads)) {
        Some(threads) => Ok(Some(threads)),
        None => Err(Error::invalid(format_args!(
            "{THREADS_VARIABLE} is a number of threads from 1 to {MOST_THREADS}, not `{}`",
            text.to_string_lossy().escape_debug()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::wished_threads;

    #[test]
    fn only_a_sensible_number_of_threads_is_taken_from_the_environment() {
        let of = |text: &str| wished_threads(Some(OsStr::new(text)));
        assert_eq!(["1", " 12 ", "1024", ""].map(|text| of(text).unwrap()), [Some(1), Some(12), Some(1024), None]);
        assert_eq!(wished_threads(None).unwrap(), None);
        for wrong in ["0", "-1", "1025", "many", "12345678901234567890", " "] {
            let error = of(wrong).unwrap_err().to_string();
            assert_eq!(error, format!("PLUGIN_RUNTIME_THREADS is a number of threads from 1 to 1024, not `{wrong}`"));
        }
    }
}
