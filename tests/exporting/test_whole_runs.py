"""Every model of a run, for use and of each fold, exported in one process and compared in onnxruntime.

Some are several networks that differ by their seed.

FULL=1: all clips of the demo and 100 of RAVDESS; else some of each.
"""

import gc
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import audonnx
import numpy as np
import onnxruntime
import psutil
import pytest
import soundfile
import soxr

import ser
from conftest import CORPORA, FULL, needs_corpora, run_stage, workplace
from dvc_clone import MODELS
from ser.exporting.audonnx_folder import write_folder
from ser.exporting.model_export import export

pytestmark = pytest.mark.verify
STEPS = ("prepare", "split", "augment", "extract prepared", "extract augmented", *MODELS, "gather_transformers", "fuse")
LENGTHS = (0.3, 0.5, 1.0, 2.7, 9.0, 20.0)  # s
TREES = ("lightgbm", "random_forest")
RATE = 16000  # Hz


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with all models, the LSTM without pitch, an ensemble that learns, and the clips of the run as files."""
    several = {
        "train_cnn__seeds": 2,
        "train_lstm__seeds": 2,
        "train_residual_keras__seeds": 3,
        "train_ml__mlp__seeds": 2,
    }
    folder = workplace(
        tmp_path_factory.mktemp("trained") / "work",
        extract__frames__groups=["mfcc", "energy"],
        fuse__method="weights",
        fuse__calibrate=True,
        fuse__powers=[0.5, 1.0],
        **several,
    )
    for command in (*STEPS, "demo clips"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def demo_clips(trained) -> list[np.ndarray]:
    files = sorted((trained / "clips").rglob("*.wav"))
    return [soundfile.read(file, dtype="float32")[0] for file in files[:: 1 if FULL else 4]]


def real_clips() -> list[np.ndarray]:
    """Return clips of RAVDESS at 16 kHz."""
    files = sorted((CORPORA / "ravdess").rglob("*.flac"))
    found = [soundfile.read(file, dtype="float32") for file in files[:: len(files) // (100 if FULL else 12)]]
    return [soxr.resample(y if y.ndim == 1 else y.mean(axis=1), sr, RATE) for y, sr in found]


def folders(trained: Path) -> list[Path]:
    """Return the folders of all models, for use and of the folds."""
    of_use = [trained / "data/models" / trainer / model for trainer, models in MODELS.items() for model in models]
    return [
        place / fold for place in [*of_use, trained / "data/models/fuse/ensemble"] for fold in ("", "fold_0", "fold_1")
    ]


def differences(trained: Path, clips: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return by folder how far the probabilities of graph and audonnx folder are from the model's, a number a clip."""
    found = {}
    for folder in folders(trained):
        loaded, exported = ser.load(folder), export(folder)
        session = onnxruntime.InferenceSession(exported.model.SerializeToString())
        with TemporaryDirectory() as place:
            write_folder(export(folder, one_clip=True), Path(place))
            other = audonnx.load(place)
        for y in clips:
            inputs = {"signal": y[None]} if "signal" in exported.inputs else loaded.features(y, RATE)
            (p,) = session.run(["probabilities"], inputs)
            expected = loaded.predict(y, RATE).probabilities
            own = max(np.abs(p[0] - expected).max(), np.abs(other(y, RATE)[0] - expected).max())
            found.setdefault(str(folder.relative_to(trained / "data/models")), []).append(own)
    return {name: np.array(values) for name, values in found.items()}


def check(found: dict[str, np.ndarray]) -> None:
    assert len(found) == 3 * 11
    for name, values in found.items():
        assert values.max() < 1e-4, (name, values.max())


def test_features_are_inside_where_there_is_no_pitch(trained):
    inside = {folder for folder in folders(trained) if "signal" in export(folder).inputs}
    assert {folder.parts[-1 if folder.name in ("lstm", "cnn") else -2] for folder in inside} == {"lstm", "cnn"}
    assert len(inside) == 6


def test_clips_of_the_run(trained, demo_clips):
    check(differences(trained, demo_clips))


@needs_corpora
def test_clips_of_real_speech(trained):
    check(differences(trained, real_clips()))


def test_clips_of_any_length(trained, demo_clips):
    together = np.concatenate(demo_clips)
    check(differences(trained, [np.resize(together, int(seconds * RATE)) for seconds in LENGTHS]))


def test_a_thousand_predictions_take_no_more_memory_than_a_hundred(trained, demo_clips):
    """Of the ensemble, by clips of any length, as the allocations of onnxruntime depend on that."""
    model, together = ser.load(trained / "data/models/fuse/ensemble"), np.concatenate(demo_clips)
    rng, used = np.random.default_rng(0), []
    for number in range(1000 if FULL else 300):
        start, seconds = rng.integers(len(together) // 2), rng.uniform(0.4, 5.0)
        model.predict(together[start : start + int(seconds * RATE)], RATE)
        if number % 100 == 99:
            gc.collect()
            used.append(psutil.Process().memory_info().rss / 2**20)
    assert used[-1] - used[0] < 10, used  # MiB; what is lost once a prediction, a clip of 2 s alone, would be 60


def test_the_card_with_the_licences_goes_along(trained, tmp_path):
    for name in ("fuse/ensemble", "train_ml/svm_rbf"):
        write_folder(export(trained / "data/models" / name, one_clip=True), tmp_path / name)
        card = (trained / "data/models" / name / "model_card.md").read_text()
        assert (tmp_path / name / "model_card.md").read_text() == card
        assert "made by this project" in card


def test_the_metadata_tells_what_goes_in(trained):
    for folder in folders(trained):
        about = {each.key: each.value for each in export(folder).model.metadata_props}
        assert json.loads(about["audio"])["sample_rate"] == RATE
        assert "synthetic speech that this project made" in about["terms"]
        assert ("functionals names" in about) == (
            "train_ml" in str(folder) or "residual" in str(folder) or "fuse" in str(folder)
        )
