"""Whose code runs: the stages of an experiment in a copy import the library of that copy, not the installed one."""

import subprocess
from pathlib import Path

import pytest

from conftest import environment, set_params
from dvc_clone import clone, dvc

pytestmark = pytest.mark.verify
LINE = 'print("this library was changed")\n'
LOUD = {"demo.speakers": 4, "demo.takes": 1, "demo.sentences": 1, "compute.workers": 2}


@pytest.fixture
def place(tmp_path) -> Path:
    folder = clone(tmp_path / "ser")
    set_params(folder, LOUD)
    commit(folder, "small")
    assert dvc(folder, "repro", "prepare").returncode == 0
    commit(folder, "prepared")
    return folder


def commit(folder: Path, message: str) -> None:
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", message], cwd=folder, check=True
    )


def change(folder: Path, line: str = LINE) -> Path:
    """Let a module print when it is imported, in the stage's process and in its workers'."""
    module = folder / "stages/ser/audio/cleaning.py"
    module.write_text(module.read_text() + line)
    return module


def installed() -> str:
    """Return where a process imports the library from that runs elsewhere: an environment may have it installed."""
    elsewhere = {key: value for key, value in environment().items() if key != "PYTHONPATH"}
    code = "import ser; print(ser.__file__)"
    return subprocess.run(["python", "-c", code], cwd="/", env=elsewhere, capture_output=True, text=True).stdout


def run(folder: Path, *arguments: str) -> str:
    """Run DVC with the library installed and no PYTHONPATH, as somebody has it who followed the README."""
    there = {key: value for key, value in environment().items() if key != "PYTHONPATH"}
    done = subprocess.run(["dvc", *arguments], cwd=folder, env=there, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_library_is_installed_and_is_not_the_copys():
    assert "stages/ser/__init__.py" in installed(), "install it: pip install -e ."


def test_a_change_that_is_not_committed_runs_in_the_copy(place):
    change(place)
    assert "this library was changed" in run(place, "exp", "run", "--temp", "-S", "prepare.min_seconds=0.2", "prepare")


def test_a_queued_experiment_runs_the_code_it_was_queued_with(place):
    module = change(place)
    run(place, "exp", "run", "--queue", "--name", "queued", "-S", "prepare.min_seconds=0.2", "prepare")
    subprocess.run(["git", "restore", str(module)], cwd=place, check=True)
    run(place, "queue", "start")
    assert "this library was changed" in run(place, "queue", "logs", "queued", "--follow")


def test_what_was_committed_and_changed_back_does_not_run(place):
    before = (place / "stages/ser/audio/cleaning.py").read_text()
    module = change(place)
    commit(place, "changed")
    module.write_text(before)
    runs = (0.2, "--temp"), (0.25, "--queue", "--name", "back")  # two settings: none is cached
    for seconds, *how in runs:
        said = run(place, "exp", "run", *how, "-S", f"prepare.min_seconds={seconds}", "prepare")
        if "--queue" in how:
            run(place, "queue", "start")
            said = run(place, "queue", "logs", "back", "--follow")
        assert "Running stage 'prepare'" in said
        assert "this library was changed" not in said
