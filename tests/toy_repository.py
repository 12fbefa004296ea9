"""A small git and DVC repository whose pipeline is one fast stage, for tests that run real experiments.

Also DVC and the project's own commands in any repository, without a process of their own.
"""

import contextlib
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from dvc.cli import main
from dvc.repo import Repo

from conftest import ROOT, environment, run_stage, set_params

# the validation UAR has its peak at C = 10, gamma = 0.01; the test UAR has it at the other end of the space
STAGE = """
import json, math, sys, time
from pathlib import Path
from ruamel.yaml import YAML

svm = YAML(typ="safe", pure=True).load(Path("params.yaml"))["train_ml"]["svm_rbf"]
assert isinstance(svm["C"], float), svm
gamma = 0.001 if svm["gamma"] == "scale" else svm["gamma"]
if svm["C"] > 50:
    sys.exit("error: C is too high")
Path("data").mkdir(exist_ok=True)
Path("data/model.txt").write_text(f"{svm}")
time.sleep(0.5)
distance = abs(math.log10(svm["C"]) - 1) / 2 + abs(math.log10(gamma) + 2) / 4
validation, test = round(0.9 - 0.3 * distance, 4), round(0.5 + 0.3 * distance, 4)
Path("reports").mkdir(exist_ok=True)
Path("reports/validation.json").write_text(json.dumps({"validation": {"svm_rbf": validation}}))
Path("reports/metrics.json").write_text(json.dumps({"svm_rbf": {"uar": test}}))
Path("reports/scores.csv").write_text(
    f"model,score,value,low,high\\nsvm_rbf,uar,{test},{test - 0.05:.4f},{test + 0.05:.4f}\\n"
)
"""
DVC_YAML = """
stages:
  train:
    cmd: python train.py
    deps: [train.py, data/raw]
    params: [train_ml.svm_rbf]
    outs: [data/model.txt]
    metrics:
      - reports/metrics.json: {cache: false}
      - reports/validation.json: {cache: false}
      - reports/scores.csv: {cache: false}
"""
LEFT_OUT = {"train_ml.grid": {}, "train_ml.models": ["svm_rbf"]}  # an experiment's DVC reads params.yaml thirty times


def toy_repository(folder: Path, script: str = STAGE, pipeline: str = DVC_YAML, **changes) -> Path:
    """Make the repository, reproduced and committed; ``section__key`` changes one of its parameters."""
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "clip.txt").write_text("speech, which neither git nor DVC keeps")
    (folder / "train.py").write_text(script)
    (folder / "dvc.yaml").write_text(pipeline)
    (folder / ".gitignore").write_text("/data/raw/clip.txt\n/data/model.txt\n/reports/experiments.*\n")
    (folder / "data" / "raw" / ".gitkeep").touch()
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    set_params(folder, LEFT_OUT | {key.replace("__", "."): value for key, value in changes.items()})
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "git", "config", "user.name", "t")
    run(folder, "git", "config", "user.email", "t@t")
    init_dvc(folder)
    dvc(folder, "repro")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "start")
    return folder


def init_dvc(folder: Path, *options: str) -> None:
    """Run ``dvc init`` in a git repository, or with ``--subdir`` in a folder of one.

    DVC's commands there do without the two that each would start as it ends: one that reports how DVC is used, and one
    that asks for a newer version of it.
    """
    dvc(folder, "init", *options)
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")


def dvc(folder: Path, *command: str) -> None:
    """Run a DVC command in the repository, in this process: a new one would import DVC for longer than most run.

    Quietly, because one that may print lets all that uses DVC in this process print from then on.
    """
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the libraries that DVC uses
        for name in ("PATH", "PYTHONPATH"):
            patch.setenv(name, environment()[name])
        patch.setenv("DVC_NO_ANALYTICS", "1")  # before there is a configuration
        assert main([*command, "--quiet"]) == 0


def experiments(folder: Path) -> list[str]:
    """Return the names that ``dvc exp list`` prints."""
    with Repo(str(folder)) as repo:
        return [name for listed in repo.experiments.ls().values() for name, _ in listed]


def run(folder: Path, *command: str, code: int = 0) -> str:
    """Run a command in the repository with this Python's programs; return what it prints."""
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def call(folder: Path, command: str, *arguments: str, code: int = 0) -> str:
    """Run a command of this project in the repository, in this process; return what it prints."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}  # some set others
    try:
        done = run_stage(folder, command, *arguments)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def tune(folder: Path, *arguments: str, code: int = 0) -> str:
    return run(folder, sys.executable, "-m", "ser.commands", "tune", *arguments, code=code)
