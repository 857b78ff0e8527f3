//! A fixed set of threads that runs one indexed job at a time and allocates nothing once it is started.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::place::{Place, current_core};

/// The gate's low half counts the workers inside the job.
const INSIDE: u64 = (1 << 32) - 1;
/// Workers may enter the job.
const OPEN: u64 = 1 << 32;
/// The workers are to end.
const STOP: u64 = 1 << 33;
/// The rest numbers the jobs, so that no worker enters one twice.
const NEXT_JOB: u64 = 1 << 34;

/// How often an idle worker looks for a job before it parks: some 50 microseconds.
const LOOKS_BEFORE_PARKING: u32 = 1500;
/// How often a caller looks whether the workers are done before it offers its core to others.
const LOOKS_BEFORE_YIELDING: u32 = 200;

thread_local! {
    static INSIDE_TASK: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; what it would spread over a pool, it does on the calling thread.
pub(super) fn alone<R>(work: impl FnOnce() -> R) -> R {
    let _restored = Restored(INSIDE_TASK.replace(true));
    work()
}

/// Whether the calling thread runs a task.
#[cfg(any(feature = "onnxruntime", test))]
pub(super) fn is_inside_task() -> bool {
    INSIDE_TASK.get()
}

/// Puts the mark of a thread inside a task back to what it was, also when the work in between panics.
struct Restored(bool);

impl Drop for Restored {
    fn drop(&mut self) {
        INSIDE_TASK.set(self.0);
    }
}

/// What work can be spread over.
pub(super) trait Spread {
    /// Calls `task` once with each of `0..tasks`, and returns when all calls have returned. Tasks start in order.
    fn spread(&self, tasks: usize, task: &(dyn Fn(usize) + Sync));
}

impl Spread for Pool {
    fn spread(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        self.run(tasks, task);
    }
}

/// The threads. Dropping it ends them.
pub(super) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    gate: Padded<AtomicU64>,
    next_task: Padded<AtomicUsize>,
    busy: AtomicBool,
    /// The core from which the workers were last woken; `usize::MAX` where that isn't known.
    caller_core: AtomicUsize,
    job: UnsafeCell<Option<Job>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    parked: Box<[AtomicBool]>,
}

#[repr(align(128))]
struct Padded<T>(T);

#[derive(Clone, Copy)]
struct Job {
    tasks: usize,
    run: &'static (dyn Fn(usize) + Sync),
}

// SAFETY: all fields but `job` are Sync, and `job` holds only a Sync reference. It is written by the thread that holds
// `busy` while the gate is closed and empty, and read by workers counted by the gate: never both at once.
#[expect(unsafe_code, reason = "`job` is guarded by the gate, which the compiler can't see")]
unsafe impl Sync for Shared {}

impl Pool {
    /// A pool that runs jobs on its caller and `workers` threads, or on as many as could be started.
    pub(super) fn new(workers: usize) -> Pool {
        let shared = Arc::new(Shared {
            gate: Padded(AtomicU64::new(0)),
            next_task: Padded(AtomicUsize::new(0)),
            busy: AtomicBool::new(false),
            caller_core: AtomicUsize::new(usize::MAX),
            job: UnsafeCell::new(None),
            panic: Mutex::new(None),
            parked: (0..workers).map(|_| AtomicBool::new(false)).collect(),
        });
        let spawn = |index| {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("plugin-runtime-{}", index + 1));
            builder.spawn(move || shared.work(index)).ok()
        };
        let workers = (0..workers).map_while(spawn).collect();
        Pool { shared, workers }
    }

    /// The threads that a job runs on, the caller's included.
    pub(super) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `task` once with each of `0..tasks`, and returns when all calls have returned. Tasks start in order.
    ///
    /// If the pool is at work for another thread, or if this is called from inside a task, all tasks run on the caller.
    /// If a task panics, tasks that have not started yet are left out and the panic goes on in the caller.
    pub(super) fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let not_shared = tasks < 2 || self.workers.is_empty() || INSIDE_TASK.get();
        if not_shared || self.shared.busy.swap(true, Ordering::Acquire) {
            (0..tasks).for_each(task);
            return;
        }
        self.shared.caller_core.store(current_core().unwrap_or(usize::MAX), Ordering::Relaxed);
        let job = self.shared.publish(tasks, task);
        self.wake(tasks - 1);
        alone(|| self.shared.take_tasks(job));
        let panic = self.shared.close();
        self.shared.busy.store(false, Ordering::Release);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    fn wake(&self, wanted: usize) {
        for (worker, parked) in self.workers.iter().zip(&self.shared.parked).take(wanted) {
            if parked.swap(false, Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.gate.0.fetch_or(STOP, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches what its tasks raise, so there is no outcome to look at.
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// Opens the gate to a job. Only for the holder of `busy`, who has to call `close` before `task`'s lifetime ends.
    #[expect(unsafe_code, reason = "a borrowed closure is lent to other threads")]
    fn publish(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) -> Job {
        // SAFETY: only the lifetime changes. Workers use the reference between entering and leaving the gate, and
        // `close` returns when none is inside and none can enter any more; `Pool::run` always gets there, because
        // `take_tasks` catches panics.
        let run = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(task) };
        let job = Job { tasks, run };
        // SAFETY: this thread holds `busy` and the gate is closed and empty, so nobody else reads or writes `job`.
        unsafe { *self.job.get() = Some(job) };
        self.next_task.0.store(0, Ordering::Relaxed);
        let closed = self.gate.0.load(Ordering::Relaxed);
        self.gate.0.store(closed.wrapping_add(NEXT_JOB) | OPEN, Ordering::SeqCst);
        job
    }

    /// Keeps further workers out, waits for those inside, and returns what a task has raised.
    fn close(&self) -> Option<Box<dyn Any + Send>> {
        let mut gate = self.gate.0.fetch_and(!OPEN, Ordering::AcqRel);
        let mut looks = 0;
        while gate & INSIDE != 0 {
            pause(&mut looks);
            gate = self.gate.0.load(Ordering::Acquire);
        }
        self.panic.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn work(&self, index: usize) {
        let mut last_job = 0;
        let mut place = Place::default();
        while let Some(gate) = self.wait_for_job(index, last_job, &mut place) {
            last_job = gate / NEXT_JOB;
            if let Some(job) = self.enter(gate) {
                alone(|| self.take_tasks(job));
                self.gate.0.fetch_sub(1, Ordering::Release);
            }
        }
    }

    /// The gate, open to a job other than the last one; `None` when the pool ends.
    fn wait_for_job(&self, index: usize, last_job: u64, place: &mut Place) -> Option<u64> {
        let mut looks = 0;
        loop {
            let gate = self.gate.0.load(Ordering::SeqCst);
            if gate & STOP != 0 {
                return None;
            }
            if gate & OPEN != 0 && gate / NEXT_JOB != last_job {
                self.parked[index].store(false, Ordering::Relaxed);
                return Some(gate);
            }
            if looks < LOOKS_BEFORE_PARKING {
                looks += 1;
                std::hint::spin_loop();
            } else if self.parked[index].swap(true, Ordering::SeqCst) {
                thread::park();
            } else {
                place.exclude(Some(self.caller_core.load(Ordering::Relaxed)));
            }
            // Having set the flag it looks once more: whoever publishes later sees the flag and unparks.
        }
    }

    /// Counts this worker in, unless the job seen at the gate is over.
    #[expect(unsafe_code, reason = "`job` is guarded by the gate, which the compiler can't see")]
    fn enter(&self, mut seen: u64) -> Option<Job> {
        let job_number = seen / NEXT_JOB;
        while seen & OPEN != 0 && seen / NEXT_JOB == job_number {
            match self.gate.0.compare_exchange_weak(seen, seen + 1, Ordering::Acquire, Ordering::Relaxed) {
                // SAFETY: the gate was open, so the job was written before (the exchange acquires that write), and it
                // isn't written again until this worker has left.
                Ok(_) => return unsafe { *self.job.get() },
                Err(now) => seen = now,
            }
        }
        None
    }

    /// Runs tasks until none is left.
    fn take_tasks(&self, job: Job) {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let task = self.next_task.0.fetch_add(1, Ordering::Relaxed);
                if task >= job.tasks {
                    return;
                }
                (job.run)(task);
            }
        }));
        if let Err(payload) = ended {
            self.next_task.0.store(job.tasks, Ordering::Relaxed);
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            match &*first {
                None => *first = Some(payload),
                // Dropping a payload may panic again, here where nobody could catch it.
                Some(_) => std::mem::forget(payload),
            }
        }
    }
}

/// Waits a moment: first by spinning, then by offering the core to other threads.
pub(super) fn pause(looks: &mut u32) {
    if *looks < LOOKS_BEFORE_YIELDING {
        *looks += 1;
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}
