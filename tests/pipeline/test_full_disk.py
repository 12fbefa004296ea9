"""A full disk and a folder that is read-only: one line with the file and the remedy, exit code 1, no half file.

Of the stages some; with FULL=1 all. Long: `make verify` runs it.
"""

import re
import shutil
import sys
from pathlib import Path

import pytest

from conftest import FULL, ROOT, run_stage, workplace
from killed_processes import ser
from refusing_disks import Refused, run_on_disk, why_not
from toy_repository import run

pytestmark = [pytest.mark.verify, pytest.mark.skipif(bool(why_not()), reason=why_not())]

EARLY = ("prepare", "split", "augment", "extract prepared", "extract augmented", "overview", "train_ml")
LATE = ("train_lstm", "train_residual_keras", "train_cnn", "gather_transformers", "fuse", "evaluate", "report")
STAGES = EARLY + LATE if FULL else EARLY
COMMANDS = {
    "predict": ("predict", "clips", "--model", "svm_rbf", "--output", "out/p.csv"),
    "timeline": ("timeline", "call.wav", "--model", "svm_rbf", "--output", "out/t.json", "--output", "out/t.png"),
    "show": ("show", "call.wav", "--model", "svm_rbf", "--output", "out/s.html"),
    "export": ("export", "svm_rbf", "--output", "out/m.onnx"),
    "audonnx": ("export", "svm_rbf", "--audonnx", "out/audonnx"),
    "demo": ("demo", "out", "--speakers", "1"),
    "audit": ("audit", "clips", "--output", "out/audit"),
    "features": ("features", "--write"),
    "corpora": ("corpora", "--write"),
}
REFUSALS = {0: "No space left on device: free some space", None: "Read-only file system: make it writable"}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    changes = {} if FULL else {"train_ml__models": ["svm_rbf"]}
    folder = workplace(tmp_path_factory.mktemp("place") / "work", compute__workers=2, **changes)
    for command in (*STAGES, "demo clips --speakers 1"):
        done = run_stage(folder, *command.split())
        assert done.returncode == 0, done.stderr
    shutil.copy(next((folder / "clips").rglob("*.wav")), folder / "call.wav")
    shutil.copy(ROOT / "dvc.yaml", folder)
    for name in ("out", "docs"):
        (folder / name).mkdir()
    shutil.rmtree(folder / "data/checkpoints/fits")  # or nothing would be trained
    (folder / "data/models/train_transformer").mkdir(exist_ok=True)
    return folder


def check(refused: Refused, free: int | None) -> None:
    assert refused.code == 1, refused
    lines = [line for line in refused.err.splitlines() if "error: " in line]
    assert len(lines) == 1 and REFUSALS[0 if free is not None else None] in lines[0], refused.err[-3000:]
    assert lines[0].startswith("error: ") and "Traceback" not in refused.err and ".tmp-" not in lines[0]
    assert re.match(r"error: (data|reports|out|docs)/", lines[0])
    # each is as it was, and was not touched, or is whole: the stages end with the same bytes
    other = {path for path, digest in refused.after.items() if refused.before.get(path) != digest}
    assert not {path for path in other if "/.tmp-" not in path and path in refused.before}, other
    assert not {path for path in other if "/.tmp-" in path}, other


@pytest.mark.parametrize("free", [0, 16384, None])
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_says_that_the_disk_takes_no_more(place, tmp_path, stage, free):
    name, *arguments = stage.split()
    if free and name in ("split", "gather_transformers"):
        pytest.skip("it writes less")
    command = [sys.executable, f"stages/{name}.py", *arguments]
    refused = run_on_disk(command, place, ("data", "reports"), tmp_path / "disk", free)
    check(refused, free)


@pytest.mark.parametrize("free", [0, None])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_that_the_disk_takes_no_more(place, tmp_path, name, free):
    refused = run_on_disk(ser(*COMMANDS[name]), place, ("out", "docs"), tmp_path / "disk", free)
    check(refused, free)


def test_after_mending_it_works(place, tmp_path):
    command = ser(*COMMANDS["predict"])
    check(run_on_disk(command, place, ("out", "docs"), tmp_path / "disk", 0), 0)
    run(place, *command)
    assert (place / "out/p.csv").read_text().startswith("file,emotion,")
