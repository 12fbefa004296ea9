"""The stages on a Dask cluster: the bytes of one process, also if a worker is lost. Long: `make verify` runs it."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import run_script, set_params, workplace
from ser.compute import dask_cluster as cluster
from ser.compute.job_queue import run_jobs
from ser.compute.parallel import parallel_map
from ser.errors import InputError
from ser.settings.compute_section import Compute

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")
pytestmark = pytest.mark.verify

STAGES = [["augment"], ["extract", "prepared"], ["extract", "augmented"], ["train_lstm"]]
ROWS = 1500  # clips, of which two workers have for some ten seconds


def start(folder: Path, *command: str) -> subprocess.Popen:
    """Start a part of the cluster in a folder, as the README says."""
    with (folder / "dask.log").open("a") as log:
        environment = os.environ | {"PYTHONPATH": "stages"}
        command = [sys.executable, "-m", "dask", *command, "--scheduler-file", "scheduler.json", "--no-dashboard"]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


@contextmanager
def running(folder: Path, workers: int, home: Path | None = None):
    """Run a scheduler and single-threaded workers in a folder; yield its address and the processes."""
    address = folder / "scheduler.json"
    address.unlink(missing_ok=True)
    processes = [start(folder, "scheduler", "--host", "127.0.0.1", "--port", "0")]
    try:
        wait_for(lambda: address.is_file() and address.stat().st_size > 0, processes[0])
        for _ in range(workers):
            processes.append(start(home or folder, "worker", "--nthreads", "1", "--no-nanny"))
        yield json.loads(address.read_text())["address"], processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_for(condition, process: subprocess.Popen) -> None:
    """Wait, however busy the machine is, until something is true or the process that is to make it so has ended."""
    while not condition():
        assert process.poll() is None
        time.sleep(0.02)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Clips of six speakers, with folds."""
    folder = workplace(tmp_path_factory.mktemp("dask") / "ser", demo__sentences=8)
    for stage in ("prepare", "split"):
        assert run_script(folder, stage).returncode == 0
    return folder


def digests(folder: Path, *names: str) -> dict[str, str]:
    files = [path for name in names for path in sorted((folder / name).rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def results(folder: Path, workers: int, backend: str, address: str | None = None) -> dict[str, str]:
    set_params(folder, {"compute.workers": workers, "compute.backend": backend, "compute.address": address})
    shutil.rmtree(folder / "data/checkpoints", ignore_errors=True)  # fits that would be taken over
    for stage in STAGES:
        run = run_script(folder, *stage)
        assert run.returncode == 0, run.stderr[-3000:]
    return digests(folder, "data/augmented", "data/features", "data/models", "data/predictions")


def test_every_backend_gives_the_bytes_of_one_process(folder):
    alone = results(folder, 1, "loky")
    assert {Path(name).name for name in alone} >= {"clips.csv", "functionals.npy", "shard_000.npy", "lstm.csv"}
    assert results(folder, 2, "loky") == alone
    assert results(folder, 2, "threading") == alone
    with running(folder, workers=2) as (address, _):
        assert results(folder, 0, "dask", address) == alone


def repeat_clips(folder: Path, rows: int) -> None:
    """Let data/prepared list its clips again and again; the audio is there once."""
    prepared = folder / "data/prepared"
    clips = pd.read_csv(prepared / "clips.csv", dtype=str, keep_default_na=False)
    index = np.load(prepared / "audio/index.npy")
    chosen = np.arange(rows) % len(clips)
    table = clips.iloc[chosen].assign(clip=[f"demo/{row:06d}" for row in range(rows)])
    table.to_csv(prepared / "clips.csv", index=False)
    np.save(prepared / "audio/index.npy", index[chosen])


def test_a_killed_worker_is_survived(folder):
    repeat_clips(folder, ROWS)
    features, growing = "data/features/prepared", folder / "data/features/prepared/.tmp-functionals.npy"
    set_params(folder, {"compute.workers": 1, "compute.backend": "loky", "compute.address": None})
    assert run_script(folder, "extract", "prepared").returncode == 0
    undisturbed = digests(folder, features)
    size = (folder / features / "functionals.npy").stat().st_size

    with running(folder, workers=2) as (address, processes):
        set_params(folder, {"compute.backend": "dask", "compute.address": address})
        command = [sys.executable, "stages/extract.py", "prepared"]
        run = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: growing.is_file() and growing.stat().st_size > 0.1 * size, run)
        processes[1].send_signal(signal.SIGKILL)
        assert growing.stat().st_size < 0.5 * size  # it was half-way
        _, errors = run.communicate()
        assert run.returncode == 0, errors[-3000:]
        assert processes[1].wait() == -signal.SIGKILL
    assert digests(folder, features) == undisturbed


# --- a cluster that cannot work


def mapped(address: str, function=abs, items=range(4)) -> list:
    compute = Compute(workers=0, backend="dask", address=address)
    return list(parallel_map(function, items, compute=compute, label="test"))


@pytest.fixture
def here(folder, monkeypatch) -> Path:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(cluster, "TIMEOUT", 2)
    return folder


def test_one_worker_is_enough_and_an_exception_reaches_the_caller(here, monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 20)
    with running(here, workers=1) as (address, _):
        assert mapped(address, abs, range(-20, 0)) == list(range(20, 0, -1))
        assert os.getpid() not in mapped(address, lambda _: os.getpid())
        with pytest.raises(ZeroDivisionError):
            mapped(address, lambda number: 1 / number)


def test_jobs_that_follow_from_others_are_done_by_workers(here, monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 20)
    with running(here, workers=2) as (address, _):
        compute, queue, done = Compute(workers=0, backend="dask", address=address), deque([-1, -2, -3]), {}
        for job, result in run_jobs(abs, queue, compute=compute, label="test", unit="job"):
            done[job] = result
            queue.extend([-10, -20] if job == -1 else [])
        assert done == {job: -job for job in (-1, -2, -3, -10, -20)}
        with pytest.raises(ZeroDivisionError):
            list(run_jobs(lambda job: 1 / job, deque([1, 0]), compute=compute, label="test", unit="job"))


def test_no_scheduler_is_named(here):
    with pytest.raises(InputError, match=r"no Dask scheduler answers at compute\.address tcp://127\.0\.0\.1:9"):
        mapped("tcp://127.0.0.1:9")


def test_no_worker_is_named(here):
    with running(here, workers=0) as (address, _), pytest.raises(InputError, match="has no workers: start some with"):
        mapped(address)


def test_worker_in_another_folder_is_named(here, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 20)
    (tmp_path / "stages").symlink_to(here / "stages")
    (tmp_path / "scheduler.json").symlink_to(here / "scheduler.json")
    with (
        running(here, workers=1, home=tmp_path) as (address, _),
        pytest.raises(InputError, match="runs in another folder: start it in"),
    ):
        mapped(address)


def test_worker_without_the_library_is_named(here, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 20)
    (tmp_path / "stages").mkdir()  # what make wrote into the environment is as good as not there
    forget = "import sys\nsys.path[:] = [path for path in sys.path if not path.endswith('stages')]\n"
    (tmp_path / "stages/sitecustomize.py").write_text(forget)
    (tmp_path / "scheduler.json").symlink_to(here / "scheduler.json")
    with (
        running(here, workers=1, home=tmp_path) as (address, _),
        pytest.raises(InputError, match="cannot import ser: start it in"),
    ):
        mapped(address)


def test_worker_with_other_code_is_named(here, monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 20)
    monkeypatch.setattr(cluster, "CODE", "that of an older checkout")
    with (
        running(here, workers=1) as (address, _),
        pytest.raises(InputError, match="loaded another version of stages/ser: start it again"),
    ):
        mapped(address)


def test_lost_scheduler_is_named(here, monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 20)
    with running(here, workers=1) as (address, processes), pytest.raises(InputError, match="lost the Dask scheduler"):
        compute = Compute(workers=0, backend="dask", address=address)
        for _ in parallel_map(time.sleep, [0.1] * 200, compute=compute, label="test"):
            processes[0].kill()
