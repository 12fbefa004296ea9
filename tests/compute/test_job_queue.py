"""Jobs that follow from others, on processes and threads."""

import os
import sys
import threading
import time
from collections import deque

import pytest
from test_parallel import die, fail_on_three, process, thread, threads

from ser.compute.job_queue import run_jobs
from ser.errors import InputError
from ser.settings.compute_section import Compute

KINDS = [("loky", 1), ("loky", 2), ("threading", 1), ("threading", 2)]


def done(function, jobs, workers, backend="loky", follow=lambda job: []):
    """Return jobs and results in the order in which they ended; `follow` says what comes next when a job has ended."""
    queue, results = deque(jobs), []
    compute = Compute(workers=workers, backend=backend, address=None)
    for job, result in run_jobs(function, queue, compute=compute, label="test", unit="job"):
        results.append((job, result))
        queue.extendleft(follow(job))
    return results


def square(number):
    return number * number


def wait(seconds):
    time.sleep(seconds)
    return os.getpid()


def imports(name):
    """Return the process, and whether it had a module of the standard library before this job."""
    was_there = name in sys.modules
    __import__(name)
    time.sleep(0.05)
    return os.getpid(), was_there


@pytest.mark.parametrize(("backend", "workers"), KINDS)
def test_all_jobs_are_done_once(backend, workers):
    assert sorted(done(square, range(7), workers, backend)) == [(n, n * n) for n in range(7)]
    assert done(square, [], workers, backend) == []


@pytest.mark.parametrize(("backend", "workers"), KINDS)
def test_what_follows_from_a_job_is_next(backend, workers):
    followers = {0: [10], 10: [20, 21]}
    results = done(square, range(4), workers, backend, lambda job: followers.get(job, []))
    assert sorted(results) == [(n, n * n) for n in (0, 1, 2, 3, 10, 20, 21)]
    if workers == 1:
        assert [job for job, _ in results] == [0, 10, 21, 20, 1, 2, 3]


def test_a_long_job_holds_no_other_up():
    assert [job for job, _ in done(wait, [0.6, 0.01, 0.02, 0.03], 2)][-1] == 0.6


def test_workers_stay_for_all_jobs():
    results = done(imports, ["sndhdr" if sys.version_info < (3, 13) else "netrc"] * 6, 2, follow=lambda job: [])
    of_process = {}
    for _, (pid, was_there) in results:
        of_process.setdefault(pid, []).append(was_there)
    assert len(of_process) <= 2 and os.getpid() not in of_process
    assert all(all(later) for _, *later in of_process.values())


def test_one_worker_is_this_process_and_threads_are_too():
    assert {pid for _, pid in done(process, range(3), 1)} == {os.getpid()}
    assert len({ident for _, ident in done(thread, range(6), 2, "threading")}) == 2
    assert threading.get_ident() not in {ident for _, ident in done(thread, range(2), 2, "threading")}


@pytest.mark.parametrize(("backend", "workers"), KINDS)
def test_every_job_runs_with_single_threaded_linear_algebra(backend, workers):
    before = threads(None)
    assert {number for _, number in done(threads, range(4), workers, backend)} == {1}
    assert threads(None) == before


@pytest.mark.parametrize(("backend", "workers"), KINDS)
def test_exception_reaches_the_caller_as_it_is(backend, workers):
    with pytest.raises(ValueError, match="three is no good"):
        done(fail_on_three, range(6), workers, backend)


def test_killed_worker_process_is_an_error_that_says_so():
    with pytest.raises(InputError, match=r"a worker process was killed.*lower compute\.workers"):
        done(die, range(8), 2)
    assert sorted(done(square, range(3), 2)) == [(0, 0), (1, 1), (2, 4)]  # and the next run has new ones


def test_who_takes_no_more_results_waits_for_none():
    compute = Compute(workers=2, backend="loky", address=None)
    results = run_jobs(wait, deque([0.01, 60, 60]), compute=compute, label="test", unit="job")
    next(results)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 30


def test_progress_counts_what_is_added(capfd):
    done(square, range(2), 1, follow=lambda job: [10] if job == 1 else [])
    assert "3/3" in capfd.readouterr().err
