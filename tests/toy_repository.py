"""A small git and DVC repository whose pipeline is one fast stage, for tests that run real experiments."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT, set_params

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


def toy_repository(folder: Path, script: str = STAGE, pipeline: str = DVC_YAML, **changes) -> Path:
    """Make the repository, reproduced and committed; ``section__key`` changes one of its parameters."""
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "clip.txt").write_text("speech, which neither git nor DVC keeps")
    (folder / "train.py").write_text(script)
    (folder / "dvc.yaml").write_text(pipeline)
    (folder / ".gitignore").write_text("/data/raw/clip.txt\n/data/model.txt\n/reports/experiments.*\n")
    (folder / "data" / "raw" / ".gitkeep").touch()
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    set_params(folder, {key.replace("__", "."): value for key, value in changes.items()})
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "git", "config", "user.name", "t")
    run(folder, "git", "config", "user.email", "t@t")
    run(folder, "dvc", "init", "-q")
    run(folder, "dvc", "config", "core.analytics", "false")
    run(folder, "dvc", "repro", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "start")
    return folder


def run(folder: Path, *command: str, code: int = 0) -> str:
    """Run a command in the repository with this Python's programs; return what it prints."""
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def tune(folder: Path, *arguments: str, code: int = 0) -> str:
    return run(folder, sys.executable, str(ROOT / "stages" / "tune.py"), *arguments, code=code)
