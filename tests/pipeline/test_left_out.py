"""Trainers that are left out: each in turn, all but one, and overrides/quick.yaml from recordings to the report."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from conftest import ROOT, environment, run_stage, set_params, workplace
from ser.settings.overrides import collect_settings

MODELS = {"train_ml": "svm_rbf", "train_lstm": "lstm", "train_residual_keras": "residual", "train_cnn": "cnn"}
FOLDERS = ("models", "predictions", "history", "importance")
PREPARED = (["prepare"], ["split"], ["augment"], ["extract", "prepared"], ["extract", "augmented"])
SCORED = (["gather_transformers"], ["fuse"], ["evaluate"], ["overview"], ["report"])
TINY = {
    "demo__speakers": 6,
    "demo__takes": 1,
    "train__importance_repeats": 1,
    "train_ml__models": ["svm_rbf"],
    "train_lstm__epochs": 1,
    "train_residual_keras__epochs": 1,
    "train_residual_keras__blocks": 1,
    "train_cnn__epochs": 1,
    "train_cnn__filters": [4],
}


def run_all(folder: Path, *commands: list[str]) -> str:
    """Run stages one after another; return what they print."""
    printed = ""
    for command in commands:
        done = run_stage(folder, *command)
        assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
        printed += done.stdout
    return printed


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder in which a model of every trainer was trained."""
    folder = workplace(tmp_path_factory.mktemp("trained") / "all", **TINY)
    run_all(folder, *PREPARED, *([trainer] for trainer in MODELS))
    return folder


def copied(trained: Path, folder: Path, left_out: set[str]) -> Path:
    """Return a copy of the folder in which some trainers were left out, and all that follows has run."""
    shutil.copytree(trained, folder, symlinks=True)
    set_params(folder, {f"{trainer}.enabled": False for trainer in left_out})
    printed = run_all(folder, *([trainer] for trainer in sorted(left_out)), *SCORED)
    assert printed.count("is left out") == len(left_out)
    return folder


@pytest.mark.parametrize("left_out", MODELS)
def test_each_in_turn(trained, tmp_path, left_out):
    folder = copied(trained, tmp_path / "copy", {left_out})
    kept = {model for trainer, model in MODELS.items() if trainer != left_out}
    assert set(json.loads((folder / "reports/metrics.json").read_text())) == {*kept, "ensemble"}
    assert set(pd.read_csv(folder / "reports/fusion.csv")["member"]) == kept
    for name in FOLDERS:
        assert [path.name for path in (folder / "data" / name / left_out).iterdir()] == ["models.json"]
    tables = {path.stem: pd.read_csv(path) for path in (folder / "reports").glob("*.csv")}
    assert [
        name for name, table in tables.items() if "model" in table and MODELS[left_out] in set(table["model"])
    ] == []
    card = (folder / "reports/model_card.md").read_text()
    assert f"`{MODELS[left_out]}`" not in card and f"`{left_out}." not in card
    page = (folder / "reports/report.html").read_text().replace("<wbr>", "")
    assert page.count(f"{left_out}.") == page.count(f"{left_out}.enabled") == 2  # in both tables of settings


def test_a_picture_says_so_with_the_same_bytes(trained, tmp_path):
    pictures = []
    for name in ("a", "b"):
        folder = shutil.copytree(trained, tmp_path / name, symlinks=True)
        set_params(folder, {"train_lstm.enabled": False})
        run_all(folder, ["train_lstm"])
        pictures.append((folder / "reports/images/networks/lstm.png").read_bytes())
    assert pictures[0] == pictures[1] != (trained / "reports/images/networks/lstm.png").read_bytes()


@pytest.mark.parametrize(
    ("alone", "method"), [("train_ml", "mean"), ("train_lstm", "weights"), ("train_cnn", "stacking")]
)
def test_a_single_model(trained, tmp_path, alone, method):
    """Its ensemble is itself; without epochs there are no learning curves, but a table of them without rows."""
    set_up = shutil.copytree(trained, tmp_path / "set up", symlinks=True)
    set_params(set_up, {"fuse.method": method})
    folder = copied(set_up, tmp_path / "copy", set(MODELS) - {alone})
    metrics = json.loads((folder / "reports/metrics.json").read_text())
    assert set(metrics) == {MODELS[alone], "ensemble"}
    assert method == "stacking" or metrics["ensemble"] == metrics[MODELS[alone]]
    if method == "mean":
        assert json.loads((folder / "reports/protocol.json").read_text())["best"] == MODELS[alone]
    assert len(pd.read_csv(folder / "reports/differences.csv")) == 1
    curves = pd.read_csv(folder / "reports/training.csv")
    assert set(curves["model"]) == ({MODELS[alone]} if alone != "train_ml" else set())
    assert (folder / "reports/images/evaluation/training_curves.png").exists() == (alone != "train_ml")
    unknown = run_stage(folder, "predict", "params.yaml", "--model", "data/models/train_residual_keras/residual")
    assert unknown.returncode == 1
    assert f"name one; there are data/models/fuse/ensemble, data/models/{alone}/{MODELS[alone]}" in unknown.stderr


def test_all_of_them_are_one_line(tmp_path):
    """Before anything is computed, not after hours."""
    folder = workplace(tmp_path / "w", **{f"{trainer}__enabled": False for trainer in MODELS})
    for stage in ("prepare", "train_cnn", "fuse"):
        done = run_stage(folder, stage)
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert done.stderr.startswith("error: params.yaml: train_ml.enabled, train_lstm.enabled, ")
        assert "nothing would be trained; allowed is at least one trainer: set one of them to true" in done.stderr


MODULES = "import runpy, sys; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__'); print(*sys.modules)"


@pytest.mark.parametrize("trainer", MODELS)
def test_no_framework_is_imported(tmp_path, trainer):
    folder = workplace(tmp_path / "w", **{f"{trainer}__enabled": False})
    command = [sys.executable, "-c", MODULES, str(ROOT / f"stages/{trainer}.py")]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    imported = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert imported.isdisjoint({"torch", "tensorflow", "keras", "sklearn", "lightgbm", "onnx", "scipy", "pandas"})


def test_quick_settings_from_recordings_to_the_report(tmp_path):
    """Emotion folders of one's own, as few clips as somebody begins with."""
    quick = collect_settings(["quick"], ROOT / "overrides")
    shorter = {key.replace(".", "__"): value for key, value in quick.items()}
    folder = workplace(tmp_path / "w", **shorter, prepare__corpora=["mine"])
    recordings = tmp_path / "recordings"
    assert run_stage(folder, "demo", str(recordings), "--speakers", "4").returncode == 0
    for clip in sorted((recordings).rglob("*.wav")):
        speaker, emotion = clip.stem.split("-")[:2]
        if emotion in ("anger", "neutral", "sadness"):
            target = folder / "data/raw/mine" / emotion / speaker / clip.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(clip, target)
    run_all(folder, *PREPARED, *([trainer] for trainer in MODELS), *SCORED)
    metrics = json.loads((folder / "reports/metrics.json").read_text())
    assert set(metrics) == {*quick["train_ml.models"], "ensemble"}
    assert metrics["ensemble"]["uar"] > 1 / 3
    assert (folder / "data/history/train_ml").is_dir()
    found = run_stage(folder, "predict", str(folder / "data/raw/mine/anger"))  # by the default model
    assert found.returncode == 0, found.stderr
