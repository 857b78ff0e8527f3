//! What it costs to spread work over the threads of the CPU.

use std::hint::{black_box, spin_loop};
use std::time::{Duration, Instant};

use plugin_runtime::device::cpu;

use super::Bench;
use super::row::Row;
use crate::runner::failure::{Failure, Result};

/// How long a task takes, and how many there are for each thread: together about as long as a tensor of some megabytes
/// takes. What a thread comes late, the others do meanwhile.
const TASK: Duration = Duration::from_micros(20);
const TASKS: usize = 10;
/// Long enough for idle threads to give up their cores.
const PAUSE: Duration = Duration::from_millis(2);

/// Times equally long tasks where the threads have just been at work, and where they have been idle for a while. The
/// floor is what each thread does of them.
///
/// # Errors
/// None.
pub(super) fn run(bench: &mut Bench<'_>) -> Result<()> {
    for (name, pause) in [("spread over busy threads", None), ("spread over idle threads", Some(PAUSE))] {
        if !bench.wants(name) {
            continue;
        }
        let rounds = if bench.quick { 3 } else { 501 };
        let times: Vec<f64> = (0..rounds).map(|_| one_round(pause)).collect();
        let floor_us = TASK.as_secs_f64() * 1e6 * TASKS as f64;
        let shape = vec![i64::try_from(cpu::threads()).map_err(Failure::work)?];
        bench.rows.push(Row {
            work: name.to_owned(),
            dtype: "-",
            shape,
            median_us: bench.effort.summary(times),
            floor_us,
        });
    }
    Ok(())
}

/// Microseconds.
fn one_round(pause: Option<Duration>) -> f64 {
    match pause {
        Some(pause) => std::thread::sleep(pause),
        None => cpu::parallel_for(cpu::threads(), |task| {
            black_box(task);
        }),
    }
    let start = Instant::now();
    cpu::parallel_for(TASKS * cpu::threads(), |_| {
        let begin = Instant::now();
        while begin.elapsed() < TASK {
            spin_loop();
        }
    });
    start.elapsed().as_secs_f64() * 1e6
}
