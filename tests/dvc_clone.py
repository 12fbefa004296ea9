"""The repository as a test clones it, and DVC in such a clone."""

import shutil
import subprocess
from pathlib import Path

import yaml

from conftest import ROOT, environment

DVC_YAML = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
MODELS = {
    "train_ml": [
        "discriminant_analysis",
        "lightgbm",
        "logistic_regression",
        "mlp",
        "random_forest",
        "svm_poly",
        "svm_rbf",
    ],
    "train_lstm": ["lstm"],
    "train_residual_keras": ["residual"],
    "train_cnn": ["cnn"],
}


def dvc(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["dvc", *arguments], cwd=folder, env=environment(), capture_output=True, text=True)


def clone(folder: Path) -> Path:
    """Copy what git has, or would have, of the working tree into a new repository."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder
