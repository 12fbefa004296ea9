"""The package as somebody installs it who only predicts: a wheel in an environment of its own, on each Python.

Needs the package index, so it is no part of `make test`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from conftest import ROOT, run_stage, workplace
from dvc_clone import MODELS

pytestmark = pytest.mark.verify
ALL_MODELS = [f"{trainer}/{model}" for trainer, models in MODELS.items() for model in models] + ["fuse/ensemble"]
PYTHONS = ["3.11", "3.12", "3.13"]


def python(version: str) -> str:
    """Return an interpreter of a version, or skip."""
    found = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}*/bin/python")]
    found += Path(os.environ.get("PYENV_ROOT", "/nowhere")).glob(f"versions/{version}*/bin/python")
    for each in filter(None, found):
        if subprocess.run([each, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0:
            return str(each)
    pytest.skip(f"no Python {version} is installed")


def run(*command: str, folder: Path, code: int = 0) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(list(map(str, command)), cwd=folder, env=clean, capture_output=True, text=True)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with models, the recordings of their demo corpus, and what the pipeline said of these."""
    folder = workplace(tmp_path_factory.mktemp("trained") / "work")
    steps = ["prepare", "split", "augment", "extract prepared", "extract augmented"]
    for step in [*steps, *MODELS, "gather_transformers", "fuse", "demo clips"]:
        done = run_stage(folder, *step.split())
        assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_holds_the_library_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"ser", f"reproducible_ser-{wheel.name.split('-')[1]}.dist-info"}
    assert {
        "ser/py.typed",
        "ser/reporting/model_card.md",
        "ser/settings/all_sections.yaml",
        "ser/serving/page/index.html",
        "ser/serving/static/static.js",
    } <= {*names}
    suffixes = {Path(name).suffix for name in names if not name.split("/")[0].endswith("dist-info")}
    assert suffixes <= {".py", ".typed", ".yaml", ".md", ".html", ".css", ".js", ".svg", ".txt"}, suffixes
    assert not [name for name in names if "test" in name.lower() or name.startswith("ser/data")]


@pytest.mark.parametrize("version", PYTHONS)
def test_every_model_predicts_and_is_exported_from_another_folder(version, wheel, trained, tmp_path):
    run(python(version), "-m", "venv", "environment", folder=tmp_path)
    bin = tmp_path / "environment/bin"
    run(bin / "python", "-m", "pip", "install", "--quiet", wheel, folder=tmp_path)
    installed = {each["name"] for each in json.loads(run(bin / "pip", "list", "--format=json", folder=tmp_path))}
    heavy = {"tensorflow", "torch", "dvc", "pandas", "scikit-learn", "lightgbm", "keras", "skl2onnx"}
    assert installed.isdisjoint(heavy)
    assert run(bin / "ser", "--version", folder=tmp_path).startswith("ser 0.")
    for place in ALL_MODELS:
        model = place.split("/")[1]
        shutil.copytree(trained / f"data/models/{place}/fold_0", tmp_path / model)
        run(bin / "ser", "predict", trained / "clips", "--model", model, "--output", f"{model}.csv", folder=tmp_path)
        found = pd.read_csv(tmp_path / f"{model}.csv")
        found["clip"] = found["file"].str.removeprefix(f"{trained}/clips/").str.removesuffix(".wav")
        expected = pd.read_csv(trained / f"data/predictions/{place}.csv").query("fold == 0 and part == 'test'")
        both = expected.merge(found, on="clip", suffixes=("", "_found"))
        assert len(both) == len(expected) > 0
        for column in expected.filter(like="p_"):
            assert (both[column] - both[f"{column}_found"]).abs().max() < 1e-4
        run(bin / "ser", "export", model, folder=tmp_path)
        assert (tmp_path / f"{model}_fold_0.onnx").stat().st_size > 1000
    python_code = (
        "import ser, sys; answer = ser.load('svm_rbf').predict(sys.argv[1]); "
        "assert abs(answer.probabilities.sum() - 1) < 1e-5; assert 'pandas' not in sys.modules"
    )
    run(bin / "python", "-c", python_code, next((trained / "clips").rglob("*.wav")), folder=tmp_path)
    said = run(bin / "ser", "audit", trained / "clips", folder=tmp_path, code=1)
    assert "is not installed: pip install -e '.[train]'" in said
    said = run(bin / "ser", "gate", folder=tmp_path, code=2)  # nothing was compared
    assert said == "error: nothing compared: this is no clone of the project: change to its root, where dvc.yaml is\n"


@pytest.mark.parametrize("version", PYTHONS)
def test_timelines_pictures_and_the_service_take_their_extras(version, wheel, trained, tmp_path):
    run(python(version), "-m", "venv", "environment", folder=tmp_path)
    bin = tmp_path / "environment/bin"
    model, clip = trained / "data/models/train_ml/svm_rbf", min((trained / "clips").rglob("*.wav"))
    run(bin / "python", "-m", "pip", "install", "--quiet", wheel, folder=tmp_path)
    timeline = ("timeline", clip, "--model", model)
    assert " s is speech" in run(bin / "ser", *timeline, "--output", "a.TextGrid", folder=tmp_path)
    assert "pip install" in run(bin / "ser", *timeline, "--output", "a.png", folder=tmp_path, code=1)
    show = ("show", clip, "--model", model, "--output", "a.html")
    assert "is not installed: pip install -e '.[plots]'" in run(bin / "ser", *show, folder=tmp_path, code=1)
    assert "of the features" in run(bin / "ser", "explain", model, clip, folder=tmp_path)
    many = clip.parents[1] / "many"
    for number in range(20):
        many.mkdir(exist_ok=True)
        shutil.copy(clip, many / f"{number}.wav")
    assert "adapted to 20 recordings" in run(bin / "ser", "adapt", model, many, folder=tmp_path)
    assert "pip install" in run(bin / "ser", "serve", "--model", model, folder=tmp_path, code=1)
    run(bin / "python", "-m", "pip", "install", "--quiet", f"{wheel}[serve,plots]", folder=tmp_path)
    run(bin / "ser", *timeline, "--output", "a.png", folder=tmp_path)
    run(bin / "ser", *show, folder=tmp_path)
    command = [bin / "ser", "serve", "--model", model, "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as served:
        try:
            address = next(filter(None, (re.search(r"http://127\.0\.0\.1:\d+", line) for line in served.stdout)))[0]
            request = urllib.request.Request(f"{address}/timeline", clip.read_bytes(), {"Content-Type": "audio/wav"})
            answer = json.load(urllib.request.urlopen(request, timeout=60))
        finally:
            served.terminate()
    assert answer["channels"][0]["segments"] and answer["model"] == "train_ml/svm_rbf"
