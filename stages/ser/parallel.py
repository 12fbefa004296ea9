"""Spreading work over processes."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import joblib
from threadpoolctl import threadpool_limits
from tqdm import tqdm

PARENT_CHECK = 0.2  # s


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return joblib.cpu_count()


def parallel_map(
    function: Callable, items: Sequence, *, workers: int, label: str, unit: str = "clip", chunk: int = 1
) -> Iterator:
    """Yield ``function(item)`` for all items, in their order, computed by several processes.

    Every call runs with single-threaded linear algebra, so that its result is the same for any number of workers.

    Parameters
    ----------
    function : callable
        Must be importable, as it is sent to other processes.
    items : sequence
    workers : int
        Number of processes; 0 for one a core. With 1 everything runs in this process.
    label, unit : str
        What the progress bar says.
    chunk : int
        Number of items sent at a time; more than 1 for items that take milliseconds.
    """
    chunks = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    workers = min(workers or available_cores(), max(len(chunks), 1))
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator", pre_dispatch="2*n_jobs")
    results = parallel(joblib.delayed(_call)(function, part, os.getpid()) for part in chunks)
    # one line a minute where no terminal shows the bar moving, as in CI logs
    interval = 0.5 if sys.stderr.isatty() else 60.0
    with tqdm(total=len(items), desc=label, unit=unit, mininterval=interval, maxinterval=interval) as bar:
        for part in results:
            for result in part:
                yield result
                bar.update()


def _call(function: Callable, items: Sequence, parent: int) -> list:
    if os.getpid() != parent:
        _die_with(parent)
    with threadpool_limits(1):
        return [function(item) for item in items]


@cache
def _die_with(parent: int) -> None:
    """End this worker when its parent is gone: a killed stage's workers would go on writing into the next run's."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
