//! Threads of a host, used instead of our own while its calls run.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::pool::{alone, is_inside_task};

/// Whoever has threads to lend.
pub(crate) trait Lender {
    /// Calls `work` up to `times` times, at once as far as there are threads for it, the caller's included, and returns when
    /// all calls have returned. `work` may be called just once: it then does everything.
    fn lend(&self, times: usize, work: &(dyn Fn() + Sync));
}

thread_local! {
    static LENDER: Cell<Option<NonNull<dyn Lender>>> = const { Cell::new(None) };
}

/// Runs `work`; what it would spread over threads of ours, it spreads over those that are lent.
#[inline]
pub(crate) fn with_threads_of<R>(lender: &dyn Lender, work: impl FnOnce() -> R) -> R {
    // SAFETY: only the lifetime changes: what is put down here is taken away before the borrow ends, by `Restored`, also when
    // the work panics.
    #[expect(unsafe_code, reason = "lends a borrow to the calls inside")]
    let lender = unsafe { std::mem::transmute::<NonNull<dyn Lender + '_>, NonNull<dyn Lender>>(NonNull::from(lender)) };
    let _restored = Restored(LENDER.replace(Some(lender)));
    work()
}

struct Restored(Option<NonNull<dyn Lender>>);

impl Drop for Restored {
    fn drop(&mut self) {
        LENDER.set(self.0);
    }
}

/// How many threads may be lent; `None` where there is no lender.
pub(super) fn threads() -> Option<usize> {
    static CORES: OnceLock<usize> = OnceLock::new();
    LENDER.get().map(|_| *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from)))
}

/// Calls `task` once with each of `0..tasks` on lent threads, in order, and returns when all calls have returned; `false`
/// where there is no lender.
///
/// A task may wait for earlier ones. So the lender isn't given the tasks, in whatever order it has, but work that takes one
/// task after another.
pub(super) fn run(tasks: usize, task: &(dyn Fn(usize) + Sync)) -> bool {
    let Some(lender) = LENDER.get() else { return false };
    if tasks < 2 || is_inside_task() {
        (0..tasks).for_each(task);
        return true;
    }
    let next = AtomicUsize::new(0);
    let panic: Mutex<Option<Box<dyn Any + Send>>> = Mutex::new(None);
    let work = || {
        let all = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= tasks {
                    return;
                }
                task(number);
            }
        };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| alone(all))) {
            next.store(tasks, Ordering::Relaxed);
            let mut first = panic.lock().unwrap_or_else(PoisonError::into_inner);
            match &*first {
                None => *first = Some(payload),
                // Dropping a payload may panic again, here where nobody could catch it.
                Some(_) => std::mem::forget(payload),
            }
        }
    };
    // SAFETY: the lender is borrowed for as long as it is put down.
    #[expect(unsafe_code, reason = "a borrow that outlives this call")]
    let lender = unsafe { lender.as_ref() };
    lender.lend(tasks.min(threads().unwrap_or(1)), &work);
    // Where the lender had no thread at all.
    work();
    if let Some(payload) = panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
        resume_unwind(payload);
    }
    true
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::{compact, parallel_for, threads};
    use super::{Lender, with_threads_of};

    /// Lends as many threads of its own, the caller's not included.
    struct Threads(usize, AtomicUsize);

    impl Lender for Threads {
        fn lend(&self, times: usize, work: &(dyn Fn() + Sync)) {
            self.1.fetch_add(1, Ordering::Relaxed);
            std::thread::scope(|scope| (0..times.min(self.0)).for_each(|_| drop(scope.spawn(work))));
        }
    }

    #[test]
    fn work_is_spread_over_what_is_lent() {
        for lent in [0, 1, 3] {
            let lender = Threads(lent, AtomicUsize::new(0));
            let done = Mutex::new(Vec::new());
            with_threads_of(&lender, || {
                assert!(threads() > 0);
                parallel_for(100, |task| {
                    // What a task would spread, it does itself.
                    parallel_for(2, |part| done.lock().unwrap().push((task, part)));
                });
            });
            let mut done = done.into_inner().unwrap();
            done.sort_unstable();
            assert_eq!(done, (0..100).flat_map(|task| [(task, 0), (task, 1)]).collect::<Vec<_>>());
            assert_eq!(lender.1.into_inner(), 1);
        }
    }

    #[test]
    fn tasks_may_wait_for_earlier_ones() {
        let lender = Threads(3, AtomicUsize::new(0));
        let mut out = [0; 64];
        let total = with_threads_of(&lender, || {
            compact(64, &mut out, |block, claim| {
                if let Some(part) = claim.take(1) {
                    part[0] = block;
                }
                Ok(())
            })
        });
        assert_eq!((total.unwrap(), out), (64, std::array::from_fn(|index| index)));
    }

    #[test]
    fn a_panic_of_a_task_goes_on_in_the_caller_and_the_lender_is_gone_after() {
        let lender = Threads(2, AtomicUsize::new(0));
        let run = || with_threads_of(&lender, || parallel_for(9, |task| assert_ne!(task, 5, "five")));
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
        assert!(payload.downcast_ref::<String>().unwrap().contains("five"));
        parallel_for(2, |_| ());
        assert_eq!(lender.1.into_inner(), 1);
    }
}
