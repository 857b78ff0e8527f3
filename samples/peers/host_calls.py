"""The host's time of calls from Python, for the scripts beside it."""

import statistics
import sys
import time

CALLS, TURNS = 200, 60


def timed(calls, wait):
    """Microseconds of each of some calls, by name: the median of the quicker turns; all of them are timed in turns."""
    times = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(2 * CALLS):
            call()
    wait()
    for _ in range(TURNS):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter() - start) / CALLS * 1e6)
            wait()
    return {name: statistics.median(sorted(own)[: TURNS // 3]) for name, own in times.items()}


def main(all_parts):
    """Runs the parts that the command line names, or those of all that can run; fails where one is over its limit."""
    fine = True
    for name in sys.argv[2:] or all_parts:
        try:
            fine &= all_parts[name]()
        except (ImportError, AssertionError, RuntimeError) as error:
            if sys.argv[2:]:
                raise
            print(f"SKIPPED {name}: {error}", flush=True)
    sys.exit(not fine)
