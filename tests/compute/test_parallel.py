"""Spreading work: the same results in the same order for any number of processes or threads."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from ser.compute.parallel import available_cores, parallel_map
from ser.errors import InputError
from ser.settings.compute_section import Compute


def slow_square(number):
    time.sleep(0.02 if number == 0 else 0)  # the first is the last to be ready
    return number * number


def product(seed):
    matrix = np.random.default_rng(seed).standard_normal((80, 80))
    return matrix @ matrix.T @ matrix


def fail_on_three(number):
    if number == 3:
        raise ValueError("three is no good")
    return number


def threads(_):
    return max((pool["num_threads"] for pool in threadpool_info()), default=1)


def process(_):
    time.sleep(0.01)
    return os.getpid()


def thread(_):
    time.sleep(0.01)
    return threading.get_ident()


def die(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def mapped(function, items, workers, backend="loky", **options):
    compute = Compute(workers=workers, backend=backend, address=None)
    return list(parallel_map(function, items, compute=compute, label="test", **options))


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_results_come_in_the_order_of_the_items(backend, workers, chunk):
    assert mapped(slow_square, range(11), workers, backend, chunk=chunk) == [n * n for n in range(11)]


@pytest.mark.parametrize(("workers", "backend"), [(2, "loky"), (2, "threading"), (1, "threading")])
def test_results_are_the_same_bytes_as_those_of_one_process(workers, backend):
    one, other = mapped(product, range(8), workers=1), mapped(product, range(8), workers, backend, chunk=3)
    assert [a.tobytes() for a in one] == [b.tobytes() for b in other]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_nothing_to_do_gives_nothing(workers):
    assert mapped(slow_square, [], workers=workers) == []


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("workers", [1, 2])
def test_exception_reaches_the_caller_as_it_is(backend, workers):
    with pytest.raises(ValueError, match="three is no good"):
        mapped(fail_on_three, range(6), workers, backend)


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("workers", [1, 2])
def test_every_call_runs_with_single_threaded_linear_algebra(backend, workers):
    assert set(mapped(threads, range(4), workers, backend)) == {1}


def test_one_worker_is_this_process():
    assert set(mapped(process, range(3), workers=1)) == {os.getpid()}


def test_two_workers_are_other_processes():
    assert os.getpid() not in mapped(process, range(6), workers=2)


def test_two_threads_are_of_this_process():
    assert set(mapped(process, range(6), 2, "threading")) == {os.getpid()}
    assert len(set(mapped(thread, range(6), 2, "threading"))) == 2


@pytest.mark.parametrize(("workers", "backend"), [(1, "loky"), (2, "threading")])
def test_number_of_threads_outside_is_as_before(workers, backend):
    before = threads(None)
    mapped(slow_square, range(3), workers, backend)
    assert threads(None) == before


def test_killed_worker_process_is_an_error_that_says_so():
    with pytest.raises(InputError, match=r"a worker process was killed.*lower compute\.workers"):
        mapped(die, range(8), workers=2)
    assert mapped(slow_square, range(3), workers=2) == [0, 1, 4]  # and the next run has new ones


def test_dask_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    compute = Compute(workers=0, backend="dask", address="tcp://127.0.0.1:8786")
    with pytest.raises(InputError, match=r"not installed: run pip install .*\[dask\]"):
        list(parallel_map(abs, [1], compute=compute, label="test"))


def test_zero_workers_use_the_cores_there_are():
    assert available_cores() >= 1
    assert mapped(slow_square, range(5), workers=0) == [0, 1, 4, 9, 16]


def test_lists_and_tuples_are_taken():
    assert mapped(slow_square, [3, 2], workers=1) == mapped(slow_square, (3, 2), workers=1) == [9, 4]


def test_progress_names_what_runs(capfd):
    mapped(slow_square, range(3), workers=1)
    assert "test: 100%" in capfd.readouterr().err
