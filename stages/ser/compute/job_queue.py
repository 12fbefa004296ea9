"""Jobs of which some are known only when others have ended, done where ``compute.backend`` says."""

import concurrent.futures
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, TypeVar

from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import BrokenProcessPool
from threadpoolctl import threadpool_limits

from ser.compute.dask_cluster import connected
from ser.compute.parallel import WORKER_KILLED, available_cores, call_each, progress_bar
from ser.errors import InputError
from ser.settings.compute_section import Compute

# before a worker loads what would start as many threads as there are cores; `call_each` limits them in every case
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
IDLE = 300  # s that a worker waits for the next job before it ends

JobType = TypeVar("JobType")


class Pool(NamedTuple):
    """Workers: how they are given a job, how one waits for the first of some to end, how many there are."""

    submit: Callable
    wait: Callable
    size: int


def run_jobs(
    function: Callable[[JobType], object], queue: deque[JobType], *, compute: Compute, label: str, unit: str
) -> Iterator[tuple[JobType, object]]:
    """Yield jobs and their results, ``function(job)``, as they end, until the queue is empty.

    A worker that is free takes the leftmost job. Whoever takes the results may put more jobs into the queue: those on
    its left are next. The workers stay the same, so that each imports what it needs once.

    Parameters
    ----------
    function : callable
        See `ser.compute.parallel.parallel_map`.
    queue : deque
    compute : Compute
        The ``compute`` section of the parameters.
    label, unit : str
        What the progress bar says.

    Raises
    ------
    InputError
        If a worker process was killed, or there is no Dask cluster to work with.
    """
    call = partial(call_each, function, compute.backend, os.getpid())
    under_way: dict = {}
    with _pool(compute, len(queue)) as pool, progress_bar(len(queue), label, unit) as bar:
        while queue or under_way:
            while queue and len(under_way) < pool.size:
                job = queue.popleft()
                under_way[pool.submit(call, [job])] = job
            for ended in pool.wait(list(under_way)).done:
                yield under_way.pop(ended), ended.result()[0]
                bar.total = bar.n + 1 + len(under_way) + len(queue)
                bar.update()


@contextmanager
def _pool(compute: Compute, jobs: int) -> Iterator[Pool]:
    if compute.backend == "dask":
        with connected(compute.address) as client:
            import distributed

            def wait_for_one(futures: list) -> NamedTuple:
                with client.as_current():
                    return distributed.wait(futures, return_when="FIRST_COMPLETED")

            yield Pool(partial(client.submit, pure=False), wait_for_one, sum(client.nthreads().values()))
        return
    wait = partial(concurrent.futures.wait, return_when=concurrent.futures.FIRST_COMPLETED)
    workers = min(compute.workers or available_cores(), max(jobs, 1))
    if compute.backend == "threading":
        # the limit that threads share is lifted when the last of them is done
        with threadpool_limits(1), concurrent.futures.ThreadPoolExecutor(workers) as threads:
            yield Pool(threads.submit, wait, workers)
    elif workers == 1:
        yield Pool(_done_here, wait, workers)
    else:
        processes = get_reusable_executor(workers, timeout=IDLE, env=ONE_THREAD)
        try:
            yield Pool(processes.submit, wait, workers)
        except BrokenProcessPool:
            raise InputError(WORKER_KILLED) from None
        except BaseException:
            processes.shutdown(kill_workers=True)  # what they still do nobody waits for
            raise


def _done_here(function: Callable, *arguments: object) -> concurrent.futures.Future:
    """Call a function in this process; return its result as a future that is done."""
    future: concurrent.futures.Future = concurrent.futures.Future()
    future.set_result(function(*arguments))
    return future
