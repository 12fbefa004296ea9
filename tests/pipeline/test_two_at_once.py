"""Two at once, and a clone that was moved: what a person sees, and that the results are right."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from conftest import environment
from toy_repository import run, toy_repository

SLOW = """
import sys, time
from pathlib import Path
Path("begun").touch()
while not Path("go").exists():
    time.sleep(0.02)
time.sleep(0.2)
Path("data").mkdir(exist_ok=True)
Path("data/model.txt").write_text(Path("params.yaml").read_text())
"""
PIPELINE = """
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [train_ml.svm_rbf]
    outs: [data/model.txt]
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    (folder / "go").touch()
    return toy_repository(folder, SLOW, PIPELINE)


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        ["dvc", "repro"], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_second_repro_is_refused_and_the_first_ends_well(repository, tmp_path):
    folder = shutil.copytree(repository, tmp_path / "two", symlinks=True)
    for name in ("begun", "go"):
        (folder / name).unlink()
    (folder / "params.yaml").write_text((folder / "params.yaml").read_text().replace("C: 5.0", "C: 6.0"))
    first = start(folder)
    while not (folder / "begun").exists():
        assert first.poll() is None
        time.sleep(0.05)
    second = start(folder)
    said = second.communicate()[0]
    assert second.returncode != 0
    assert "train.py' is busy" in said or "data/model.txt' is busy" in said or "Unable to acquire lock" in said
    (folder / "go").touch()
    said = first.communicate()[0]
    assert first.returncode == 0, said
    assert "C: 6.0" in (folder / "data/model.txt").read_text()
    assert "up to date" in run(folder, "dvc", "status")


def test_a_clone_that_was_moved_is_up_to_date(repository, tmp_path):
    before = shutil.copytree(repository, tmp_path / "before", symlinks=True)
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    os.rename(before, moved)
    assert "up to date" in run(moved, "dvc", "status")
    assert "didn't change" in run(moved, "dvc", "repro")
    assert run(moved, "git", "status", "--porcelain", "--untracked-files=no") == ""
