"""The pipeline as a whole: `dvc repro` in a clone, and dvc.yaml against the code."""

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import recall_score

from conftest import ROOT, SMALL, run_script, run_stage, set_params
from ser.audit import audio_digests
from ser.folds import shared_between_parts
from ser.shards import Ragged

STAGES = ROOT / "stages"
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
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(["dvc", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=540)


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


@pytest.fixture(scope="module")
def repro(tmp_path_factory) -> Path:
    """A clone in which the whole pipeline has run on a tiny demo corpus."""
    folder = clone(tmp_path_factory.mktemp("clone"))
    set_params(folder, SMALL)
    run = dvc(folder, "repro")
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def recordings(repro, tmp_path_factory) -> Path:
    """Demo speech of one speaker, and a file that is none."""
    folder = tmp_path_factory.mktemp("recordings") / "wavs"
    assert run_stage(repro, "demo", str(folder), "--speakers", "1").returncode == 0
    (folder / "text.wav").write_text("no audio")
    return folder


def test_nothing_is_left_to_do(repro):
    assert "up to date" in dvc(repro, "status").stdout


def test_git_sees_only_results(repro):
    """What the run wrote is either a result that is meant for git, or ignored."""
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=repro, capture_output=True, text=True).stdout
    paths = [line[3:] for line in changed.splitlines()]
    assert all(path.startswith("reports/") or path in ("dvc.lock", "params.yaml") for path in paths), changed


@pytest.mark.parametrize(
    ("trainer", "model"), [(t, m) for t, models in MODELS.items() for m in models] + [("fuse", "ensemble")]
)
def test_predictions_keep_the_contract(repro, trainer, model):
    clips = pd.read_csv(repro / "data/prepared/clips.csv")
    folds = pd.read_csv(repro / "data/folds.csv").set_index("clip")
    table = pd.read_csv(repro / f"data/predictions/{trainer}/{model}.csv")
    assert sorted(table.loc[table["part"] == "test", "clip"]) == sorted(clips["clip"])
    for row in table.itertuples():
        assert folds.loc[row.clip, f"fold_{row.fold}"] == row.part
    truth = table["clip"].map(clips.set_index("clip")["emotion"])
    assert (truth == table["emotion"]).all()
    probabilities = table[[f"p_{emotion}" for emotion in sorted(set(clips["emotion"]))]]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-3)


def test_metrics_are_those_of_the_predictions(repro):
    metrics = json.loads((repro / "reports/metrics.json").read_text())
    assert sorted(metrics) == sorted([*sum(MODELS.values(), []), "ensemble"])
    for path in (repro / "data/predictions").glob("*/*.csv"):
        table = pd.read_csv(path).query("part == 'test'")
        predicted = table.filter(like="p_").idxmax(axis=1).str.removeprefix("p_")
        uar = recall_score(table["emotion"], predicted, average="macro")
        assert metrics[path.stem]["uar"] == pytest.approx(uar, abs=1e-4)


def test_no_two_parts_of_a_fold_share_a_speaker_or_audio(repro):
    clips = pd.read_csv(repro / "data/prepared/clips.csv", keep_default_na=False)
    folds = pd.read_csv(repro / "data/folds.csv")
    digests = audio_digests(Ragged.open(repro / "data/prepared/audio"))
    assert len(clips) == len(digests) > 0
    assert shared_between_parts(clips, folds, digests).empty


def test_no_copy_is_outside_its_parents_part(repro):
    """Every fold's model has learnt from its training clips and their copies: their number says so in its folder."""
    folds = pd.read_csv(repro / "data/folds.csv")
    copies = pd.read_csv(repro / "data/augmented/clips.csv")
    assert set(copies["parent"]) == set(folds["clip"])
    descriptions = sorted((repro / "data/models").glob("*/*/fold_*/model.json"))
    assert len(descriptions) == len(sum(MODELS.values(), [])) * 2
    for path in descriptions:
        train = folds["clip"][folds[path.parent.name] == "train"]
        description = json.loads(path.read_text())
        assert description["training_clips"] == len(train)
        assert description["training_examples"] == len(train) + copies["parent"].isin(train).sum()


def test_histories_and_networks(repro):
    for trainer, model in (("train_lstm", "lstm"), ("train_residual_keras", "residual"), ("train_cnn", "cnn")):
        history = pd.read_csv(repro / f"data/history/{trainer}/{model}.csv")
        assert {"fold", "epoch", "loss", "accuracy", "validation_uar"} <= set(history.columns)
        assert set(history["fold"]) == {0, 1}
        assert (repro / f"reports/images/networks/{model}.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("trainer", "model"),
    [("train_ml", "svm_rbf"), ("train_lstm", "lstm"), ("train_cnn", "cnn"), ("train_residual_keras", "residual")],
)
def test_predict_works_on_files_with_every_kind_of_model(repro, recordings, tmp_path, trainer, model):
    folder, output = f"data/models/{trainer}/{model}", tmp_path / "out.csv"
    run = run_stage(repro, "predict", str(recordings), "--model", folder, "--output", str(output))
    assert run.returncode == 1
    assert f"{recordings}/text.wav: not readable as audio" in run.stderr
    assert "Traceback" not in run.stderr
    table = pd.read_csv(output)
    assert len(table) == 3 * 2 * 2
    np.testing.assert_allclose(table.filter(like="p_").sum(axis=1), 1, atol=1e-3)


def test_another_worker_count_gives_the_same_bytes(repro):
    """The classical trainer and the features anew in two processes, compared with what one process wrote."""
    before = {path: path.read_bytes() for path in outputs(repro)}
    set_params(repro, {"compute.workers": 2})
    try:
        for command in (["augment"], ["extract", "augmented"], ["train_ml"]):
            run = run_script(repro, *command)
            assert run.returncode == 0, run.stderr[-2000:]
    finally:
        set_params(repro, {"compute.workers": 1})
    assert outputs(repro) == sorted(before)
    assert [str(path) for path in before if path.read_bytes() != before[path]] == []


def outputs(folder: Path) -> list[Path]:
    folders = ("data/augmented", "data/features", "data/models/train_ml", "data/predictions/train_ml")
    return sorted(path for name in folders for path in (folder / name).rglob("*") if path.is_file())


def test_a_cached_run_comes_back_without_running(repro):
    """Going to another parameter and back restores the results from the run-cache."""
    metrics = (repro / "reports/metrics.json").read_bytes()
    set_params(repro, {"fuse.members": ["lstm", "cnn"]})
    assert dvc(repro, "repro", "evaluate").returncode == 0
    assert (repro / "reports/metrics.json").read_bytes() != metrics
    set_params(repro, {"fuse.members": []})
    run = dvc(repro, "repro", "evaluate")
    assert "is cached - skipping run" in run.stdout
    assert (repro / "reports/metrics.json").read_bytes() == metrics


def modules_of(script: Path) -> set[str]:
    """Return the files of ser that a script imports, directly or not."""
    seen, todo = set(), [script]
    while todo:
        for node in ast.walk(ast.parse(todo.pop().read_text())):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                for file in files_of(name):
                    if file not in seen:
                        seen.add(file)
                        todo.append(file)
    siblings = {file.with_suffix(suffix) for file in seen for suffix in (".html", ".md")}
    templates = {file for file in siblings if file.is_file()}
    code = {file for file in seen if len(ast.parse(file.read_text()).body) > 1}
    return {str(file.relative_to(ROOT)) for file in code | templates}


def files_of(name: str) -> list[Path]:
    """Return the files that importing a dotted name of ser reads; an empty package has no influence."""
    parts = name.split(".")
    if parts[0] != "ser":
        return []
    places = [STAGES.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
    candidates = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [file for file in candidates if file.is_file()]


@pytest.mark.parametrize("stage", DVC_YAML)
def test_deps_are_the_modules_that_a_script_imports(stage):
    """DVC doesn't follow imports: a module that is missing here would not make the stage run again."""
    definition = DVC_YAML[stage].get("do", DVC_YAML[stage])
    script = definition["cmd"].split()[1]
    listed = {dep for dep in definition["deps"] if dep.startswith("stages/")}
    assert listed == modules_of(ROOT / script) | {script}


@pytest.mark.parametrize("stage", DVC_YAML)
def test_params_of_a_stage_are_the_sections_it_reads(stage):
    """A section that the script reads and DVC does not know would not make the stage run again."""
    definition = DVC_YAML[stage].get("do", DVC_YAML[stage])
    read = set()
    for node in ast.walk(ast.parse((ROOT / definition["cmd"].split()[1]).read_text())):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner in ("params", "load_params()"):
                read.add(node.attr)
    listed = {param.split(".")[0] for param in definition.get("params", [])}
    through_data = {"compute"}  # the number of workers changes no result
    assert read - through_data == listed


def test_the_committed_lock_is_of_the_committed_code():
    """Otherwise a fresh clone would end with another dvc.lock."""
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    deps = {dep["path"]: dep["md5"] for stage in lock.values() for dep in stage["deps"]}
    code = {path: md5 for path, md5 in deps.items() if path.startswith("stages/")}
    assert len(code) > 30
    assert {path: hashlib.md5((ROOT / path).read_bytes()).hexdigest() for path in code} == code
