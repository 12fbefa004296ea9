"""A stage killed anywhere and run again ends with the bytes of an undisturbed run. Long: `make verify` runs it.

Each stage is killed once and a training twice; with FULL=1 five and ten times: at drawn moments of its writing, in its
own process, in a worker and in DVC's, at once, in order and in the middle of a file.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from conftest import FULL, SMALL, set_params
from dvc_clone import DVC_YAML, clone, dvc
from killed_processes import Kill, drawn, events, start, was_killed

pytestmark = pytest.mark.verify

STAGES = [f"{name}@{item}" for name in DVC_YAML for item in DVC_YAML[name].get("foreach", [])] + [
    name
    for name in DVC_YAML
    if not {"foreach", "matrix"} & set(DVC_YAML[name])  # no matrix has entries by default
]


@pytest.fixture(scope="module")
def repro(tmp_path_factory) -> Path:
    folder = clone(tmp_path_factory.mktemp("clone"))
    set_params(folder, SMALL | {"compute.workers": 2})  # they outlive their stage for a while
    set_constant(folder / "stages/ser/networks/checkpoints.py", "SECONDS")  # so short a training writes no state
    set_constant(folder / "stages/ser/training/trainer_loop.py", "START")  # nor has workers
    pipeline = folder / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("-X utf8 -Es", "-X utf8"))  # which would not read what kills them
    run = dvc(folder, "repro")
    assert run.returncode == 0, run.stderr[-4000:]
    for command in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "reproduced"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def set_constant(module: Path, name: str) -> None:
    """Make a number of a module of the clone 0."""
    code, count = re.subn(rf"^{name} = [0-9.]+", f"{name} = 0.0", module.read_text(), flags=re.MULTILINE)
    assert count == 1
    module.write_text(code)


def digests(folder: Path) -> dict[str, str]:
    """Return the MD5 of every result.

    Checkpoints are none, nor is a file that was being written: where DVC still has all outputs of a killed stage in its
    cache it does not run it again, and they wait for the next run. Git and DVC ignore them, and no stage reads them.
    """
    files = [folder / "dvc.lock", *(path for place in ("data", "reports") for path in (folder / place).rglob("*"))]
    kept = [path for path in files if folder / "data/checkpoints" not in path.parents]
    results = [path for path in kept if path.is_file() and ".tmp-" not in str(path)]
    return {str(path): hashlib.md5(path.read_bytes()).hexdigest() for path in results}


def forget_fits(folder: Path) -> None:
    """Delete the fits that finished runs have kept: who takes them over trains nothing that could be killed."""
    shutil.rmtree(folder / "data/checkpoints/fits", ignore_errors=True)


def kills_of(stage: str, log: Path) -> list[Kill]:
    """Draw the moments at which a stage dies, of those that its undisturbed run has noted."""
    rng = np.random.default_rng(zlib.crc32(stage.encode()))
    counts = {role: len(events(log, role)) for role in ("stage", "worker", "dvc")}
    roles = ["stage", "worker" if counts["worker"] else "stage", "stage", "dvc", "stage"]
    # no one knows how workers share the work
    return [drawn(rng, role, counts[role] // (3 if role == "worker" else 1) or 1) for role in roles[: 5 if FULL else 1]]


def continued(folder: Path) -> subprocess.CompletedProcess:
    """Run the pipeline on, as docs/reproducing.md says where DVC itself was killed as it wrote one of its own files."""
    again = dvc(folder, "repro", "--no-run-cache")
    if again.returncode and "rwlock" in again.stderr:
        (folder / ".dvc/tmp/rwlock").unlink()
        again = dvc(folder, "repro", "--no-run-cache")
    if again.returncode and "dvc.lock" in again.stderr:
        subprocess.run(["git", "restore", "dvc.lock"], cwd=folder, check=True)
        again = dvc(folder, "repro", "--no-run-cache")
    return again


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_stage_leaves_nothing_that_changes_the_next_run(repro, stage, tmp_path):
    undisturbed, log = digests(repro), tmp_path / "log"
    forced = ["dvc", "repro", "--single-item", "--force", "--no-run-cache", stage]
    forget_fits(repro)
    run = start(forced, repro, log)
    assert run.wait() == 0
    assert digests(repro) == undisturbed
    for kill in kills_of(stage, log):
        forget_fits(repro)
        run = start(forced, repro, log, kill)
        run.wait()
        assert was_killed(log), kill
        print(f"killed {stage}: {kill}")
        again = continued(repro)
        assert again.returncode == 0, (kill, again.stderr[-2000:])
        assert digests(repro) == undisturbed, kill
        assert subprocess.run(["git", "status", "--porcelain"], cwd=repro, capture_output=True).stdout == b"", kill


@pytest.mark.parametrize("stage", ["train_lstm", "train_residual_keras"])
def test_a_training_killed_several_times_ends_with_the_same_bytes(repro, stage):
    set_params(repro, {f"{stage}.epochs": 40, "train.importance_repeats": 0})
    forced = ["repro", "--single-item", "--force", "--no-run-cache", stage]
    assert dvc(repro, *forced).returncode == 0
    undisturbed = {path: digest for path, digest in digests(repro).items() if stage in path}
    forget_fits(repro)

    def last_kept() -> int:
        checkpoints = (repro / "data/checkpoints" / stage).glob("[!.]*")
        return max((path.stat().st_mtime_ns for path in checkpoints), default=0)

    resumed = []
    for further in np.random.default_rng(2026).uniform(0, 0.5, 10 if FULL else 2):
        before = last_kept()
        run = subprocess.Popen(["dvc", *forced], cwd=repro, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while run.poll() is None and last_kept() <= before:  # however busy the machine is
            time.sleep(0.01)
        time.sleep(further)
        kill_scripts(repro)
        run.wait()
        resumed.append(len(list((repro / "data/checkpoints" / stage).glob("[!.]*"))))
    assert dvc(repro, *forced).returncode == 0
    assert max(resumed) > 0  # some of the kills came in the middle of a training
    assert {path: digest for path, digest in digests(repro).items() if stage in path} == undisturbed
    assert not (repro / "data/checkpoints" / stage).exists()


def kill_scripts(folder: Path) -> None:
    """Kill the stage that runs in a folder. Its workers live on for a while, as they would for a user."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            if (process / "cwd").resolve() == folder.resolve() and any(part.startswith(b"stages/") for part in command):
                os.kill(int(process.name), signal.SIGKILL)
        except (OSError, ValueError):
            continue  # it ended by itself
