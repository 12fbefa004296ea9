"""Spreading work over processes, threads or the machines of a Dask cluster."""

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import cache, partial

import joblib
from joblib.externals.loky.process_executor import BrokenProcessPool
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ser.compute.dask_cluster import cluster_map
from ser.errors import InputError, end_with
from ser.settings.compute_section import Compute

_die_with = cache(end_with)
WORKER_KILLED = "a worker process was killed, most often because memory ran out: lower compute.workers"


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return joblib.cpu_count()


def parallel_map(
    function: Callable, items: Sequence, *, compute: Compute, label: str, unit: str = "clip", chunk: int = 1
) -> Iterator:
    """Yield ``function(item)`` for all items, in their order, computed where ``compute.backend`` says.

    Every call runs with single-threaded linear algebra, so that its result is the same wherever it runs. Only a few
    chunks a worker are under way at any time: the memory taken does not grow with the number of items.

    Parameters
    ----------
    function : callable
        Is sent to other processes; with several threads in a process it must stand being called by two at a time.
    items : sequence
    compute : Compute
        The ``compute`` section of the parameters.
    label, unit : str
        What the progress bar says.
    chunk : int
        Number of items sent at a time; more than 1 for items that take milliseconds.

    Raises
    ------
    InputError
        If a worker process was killed, or there is no Dask cluster to work with.
    """
    chunks = (items[start : start + chunk] for start in range(0, len(items), chunk))
    call = partial(call_each, function, compute.backend, os.getpid())
    if compute.backend == "dask":
        parts = cluster_map(call, chunks, address=compute.address)
    else:
        workers = min(compute.workers or available_cores(), max(-(-len(items) // chunk), 1))
        parts = _local_map(call, chunks, workers=workers, backend=compute.backend)
    with progress_bar(len(items), label, unit) as bar:
        for part in parts:
            for result in part:
                yield result
                bar.update()


def progress_bar(total: int, label: str, unit: str) -> tqdm:
    """Return a progress bar: a line a minute where no terminal shows it moving, as in CI logs."""
    interval = 0.5 if sys.stderr.isatty() else 60.0
    return tqdm(total=total, desc=label, unit=unit, mininterval=interval, maxinterval=interval)


def _local_map(function: Callable, items: Iterable, *, workers: int, backend: str) -> Iterator:
    # where the run ends early everybody sees it
    warnings.filterwarnings("ignore", "[0-9]+ tasks which were still being processed", UserWarning)
    parallel = joblib.Parallel(workers, backend=backend, return_as="generator", pre_dispatch="2*n_jobs")
    # the limit that threads share is lifted when the last of them is done
    with threadpool_limits(1) if backend == "threading" else nullcontext():
        try:
            yield from parallel(joblib.delayed(function)(item) for item in items)
        except BrokenProcessPool:
            raise InputError(WORKER_KILLED) from None


def call_each(function: Callable, backend: str, parent: int, items: Sequence) -> list:
    """Return ``function(item)`` of each item, computed with single-threaded linear algebra; runs in a worker.

    Parameters
    ----------
    function : callable
    backend : {"loky", "threading", "dask"}
    parent : int
        The process that hands out the work.
    items : sequence
    """
    if backend != "loky":
        # No context: it would lift the limit of the whole process while other threads still compute.
        threadpool_limits(1)
        return [function(item) for item in items]
    if os.getpid() != parent:
        _die_with(parent)  # a killed stage's workers would go on writing into the next run's
    with threadpool_limits(1):
        return [function(item) for item in items]
