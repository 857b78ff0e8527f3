use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::chunks::for_each_chunk_on;
use super::compact::compact_on;
use super::pool::{Pool, alone};
use super::stream_into;
use crate::Error;

const WORKERS: [usize; 3] = [0, 1, 3];

fn counters(n: usize) -> Vec<AtomicUsize> {
    (0..n).map(|_| AtomicUsize::new(0)).collect()
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<String>().map_or("?", String::as_str)
}

#[test]
fn every_task_runs_once_whatever_their_number() {
    for pool in WORKERS.map(Pool::new) {
        for tasks in (0..40).chain([1000]) {
            let calls = counters(tasks);
            pool.run(tasks, &|i| {
                calls[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(calls.iter().all(|c| c.load(Ordering::Relaxed) == 1));
        }
    }
}

#[test]
fn tasks_run_on_several_threads_at_once() {
    let pool = Pool::new(2);
    let all_here = Barrier::new(3);
    for _ in 0..200 {
        pool.run(3, &|_| {
            all_here.wait();
        });
    }
}

#[test]
fn parked_workers_wake_up() {
    let pool = Pool::new(1);
    let both_here = Barrier::new(2);
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(2));
        pool.run(2, &|_| {
            both_here.wait();
        });
    }
}

#[test]
fn a_job_inside_a_task_and_a_job_of_another_thread_run_too() {
    let pool = Pool::new(2);
    let calls = AtomicUsize::new(0);
    let nested = || {
        pool.run(8, &|_| {
            pool.run(8, &|_| {
                calls.fetch_add(1, Ordering::Relaxed);
            });
        });
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| (0..50).for_each(|_| nested())))));
    assert_eq!(calls.into_inner(), 4 * 50 * 64);
}

#[test]
fn work_done_alone_stays_on_its_thread() {
    let pool = Pool::new(2);
    let caller = std::thread::current().id();
    alone(|| pool.run(100, &|_| assert_eq!(std::thread::current().id(), caller)));
    let both_here = Barrier::new(3);
    let raised = catch_unwind(|| alone(|| panic!("alone")));
    assert!(raised.is_err());
    pool.run(3, &|_| {
        both_here.wait();
    });
}

#[test]
fn a_panic_reaches_the_caller_once_all_have_stopped_and_the_pool_goes_on() {
    for pool in WORKERS.map(Pool::new) {
        for bad in 0..20 {
            let running = AtomicUsize::new(0);
            let raised = catch_unwind(AssertUnwindSafe(|| {
                pool.run(20, &|i| {
                    running.fetch_add(1, Ordering::SeqCst);
                    std::thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    assert!(i != bad, "task {i}");
                });
            }));
            assert_eq!(message_of(&*raised.unwrap_err()), format!("task {bad}"));
            assert_eq!(running.into_inner(), 0);
        }
        let raised = catch_unwind(AssertUnwindSafe(|| pool.run(20, &|i| panic!("task {i}"))));
        assert!(message_of(&*raised.unwrap_err()).starts_with("task "));
        let calls = counters(20);
        pool.run(20, &|i| {
            calls[i].fetch_add(1, Ordering::Relaxed);
        });
        assert!(calls.iter().all(|c| c.load(Ordering::Relaxed) == 1));
    }
}

#[test]
fn chunks_cover_the_slice_once() {
    for pool in WORKERS.map(Pool::new) {
        for (len, chunk_len) in [(0, 4), (1, 4), (4, 4), (5, 4), (103, 7), (3, 0), (5, usize::MAX)] {
            let mut out = vec![0; len];
            for_each_chunk_on(&pool, &mut out, chunk_len, |index, chunk| {
                for (i, value) in chunk.iter_mut().enumerate() {
                    *value += 1 + index * chunk_len.max(1) + i;
                }
            });
            assert!(out.iter().enumerate().all(|(i, &value)| value == i + 1));
        }
    }
}

/// Block `b` writes `counts[b]` times `b`.
fn compacted(pool: &Pool, counts: &[usize], room: usize) -> (crate::Result<usize>, Vec<usize>) {
    let mut out = vec![usize::MAX; room];
    let total = compact_on(pool, counts.len(), &mut out, |block, claim| {
        if let Some(part) = claim.take(counts[block]) {
            part.fill(block);
        }
        Ok(())
    });
    (total, out)
}

#[test]
fn compaction_keeps_the_order_of_the_blocks() {
    for pool in WORKERS.map(Pool::new) {
        for blocks in [0, 1, 2, 3, 50, 1000] {
            let counts: Vec<usize> = (0..blocks).map(|b| (b * 7919) % 5).collect();
            let expected: Vec<usize> = (0..blocks).flat_map(|b| vec![b; counts[b]]).collect();
            let (total, out) = compacted(&pool, &counts, expected.len() + 3);
            assert_eq!(total.unwrap(), expected.len());
            assert_eq!(out[..expected.len()], expected);
            assert_eq!(out[expected.len()..], [usize::MAX; 3]);
        }
    }
}

#[test]
fn compaction_that_does_not_fit_says_what_was_needed() {
    for pool in WORKERS.map(Pool::new) {
        let (total, out) = compacted(&pool, &[2, 3, 1, 4], 5);
        assert_eq!(out, [0, 0, 1, 1, 1]);
        assert_eq!(total.unwrap_err().to_string(), "10 elements were to be written, but the output holds 5");
        assert!(compacted(&pool, &[1, usize::MAX, usize::MAX, 0, 1], 8).0.is_err());
    }
}

#[test]
fn a_block_without_a_claim_holds_nobody_up() {
    for pool in WORKERS.map(Pool::new) {
        let mut out = [0; 4];
        let total = compact_on(&pool, 9, &mut out, |block, claim| {
            if block % 3 == 2 {
                claim.take(1).into_iter().flatten().for_each(|value| *value = block);
            }
            Ok(())
        });
        assert_eq!((total.unwrap(), out), (3, [2, 5, 8, 0]));
        let raised = catch_unwind(AssertUnwindSafe(|| {
            compact_on(&pool, 9, &mut out, |block, claim| {
                assert!(block != 4, "block {block}");
                claim.take(0);
                Ok(())
            })
        }));
        assert_eq!(message_of(&*raised.unwrap_err()), "block 4");
        let failed = compact_on(&pool, 9, &mut out, |block, _| match block {
            4 => Err(Error::plugin("block 4")),
            _ => Ok(()),
        });
        assert_eq!(failed.unwrap_err().to_string(), "block 4");
    }
}

/// Guards around a part of a buffer that starts `offset` elements behind its start.
fn guarded<T: Copy + PartialEq + std::fmt::Debug>(
    offset: usize,
    len: usize,
    guard: T,
    fill: impl FnOnce(&mut [T]),
) -> Vec<T> {
    let mut buffer = vec![guard; offset + len + 40];
    fill(&mut buffer[offset..offset + len]);
    assert!(buffer[..offset].iter().chain(&buffer[offset + len..]).all(|&value| value == guard));
    buffer[offset..offset + len].to_vec()
}

#[test]
fn a_stream_arrives_whole_wherever_it_starts_and_however_it_is_cut() {
    for offset in 0..36 {
        for len in [0, 1, 7, 15, 16, 17, 100, 1023, 1024, 1025, 5000] {
            let values: Vec<u16> = (0..len as u16).collect();
            for cut in [1, 3, 31, 64, 130, 4096] {
                let written = guarded(offset, len, u16::MAX, |out| {
                    stream_into(out, |writer| {
                        values.chunks(cut).for_each(|part| writer.write(part));
                        Ok(())
                    })
                    .unwrap();
                });
                assert_eq!(written, values);
                let written = guarded(offset, len, u16::MAX, |out| {
                    stream_into(out, |writer| {
                        for (i, part) in values.chunks(cut.min(512)).enumerate() {
                            if i % 2 == 0 {
                                writer.spare(part.len())[..part.len()].copy_from_slice(part);
                                writer.commit(part.len());
                            } else {
                                part.iter().for_each(|&value| writer.push(value));
                            }
                        }
                        Ok(())
                    })
                    .unwrap();
                });
                assert_eq!(written, values);
            }
        }
    }
}

#[test]
fn a_stream_of_elements_that_do_not_divide_a_line() {
    let values: Vec<[u8; 12]> = (0..1000u32).map(|i| std::array::from_fn(|k| (i * 13 + k as u32) as u8)).collect();
    let written = guarded(5, values.len(), [255; 12], |out| {
        stream_into(out, |writer| {
            values.iter().for_each(|&value| writer.push(value));
            Ok(())
        })
        .unwrap();
    });
    assert_eq!(written, values);
}

#[test]
fn a_stream_of_another_length_than_its_output_is_an_error_and_stays_inside() {
    for (len, count) in [(0, 1), (10, 9), (10, 11), (10, 100_000), (3000, 3001), (3000, 0)] {
        let written = guarded(3, len, 7, |out| {
            let error = stream_into(out, |writer| {
                writer.write(&vec![1; count]);
                Ok(())
            });
            let expected = format!("{count} elements were written to an output of {len}");
            assert_eq!(error.unwrap_err().to_string(), expected);
        });
        let arrived = count.min(len);
        assert!(written[..arrived].iter().all(|&v| v == 1) && written[arrived..].iter().all(|&v| v == 7));
    }
}
