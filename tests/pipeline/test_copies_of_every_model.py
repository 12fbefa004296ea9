"""Answers by copies of every kind of input and trainer: as trained, so predicted, and so exported."""

from pathlib import Path

import audonnx
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import soundfile

import ser
from conftest import FULL, run_stage, workplace
from ser.exporting.audonnx_folder import write_folder
from ser.exporting.model_export import SIGNAL, export
from ser.storage.clip_tables import read_clips
from ser.storage.shards import Ragged

pytestmark = pytest.mark.verify
COPIES = ["speed 0.92", "speed 1.08", "pitch -1.5", "pitch +1.5"] if FULL else ["speed 1.08", "pitch -1.5"]
NAMES = {
    "train_ml/logistic_regression": "functionals",
    "train_ml/lightgbm": "functionals",
    "train_lstm/lstm": "frames",
    "train_residual_keras/residual": "functionals",
    "train_cnn/cnn": "logmel",
    "fuse/ensemble": "",
}
STEPS = ("prepare", "split", "augment", "extract prepared", "extract augmented")
FITS = ("train_ml", "train_lstm", "train_residual_keras", "train_cnn", "gather_transformers", "fuse")


@pytest.fixture(scope="module", params=["train", "speaker"])
def place(request, tmp_path_factory, small_ravdess) -> Path:
    """A workplace in which all trainers have run; the LSTM reads no pitch, so that its graph could take samples."""
    folder = workplace(
        tmp_path_factory.mktemp(request.param) / "work",
        raw__path=str(small_ravdess),
        prepare__corpora=["ravdess"],
        augment__answers=COPIES,
        extract__frames__groups=["mfcc", "energy"],
        train__normalization=request.param,
        train_ml__models=["logistic_regression", "lightgbm"],
    )
    for command in (*STEPS, *FITS):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def clips(place) -> pd.DataFrame:
    return read_clips(place / "data/prepared/clips.csv")


@pytest.fixture
def files(clips, small_ravdess) -> list[Path]:
    return [small_ravdess / source for source in clips["source"]]


@pytest.mark.parametrize("name", [name for name, kind in NAMES.items() if kind])
def test_what_is_read_of_copies_is_the_same_bytes(place, clips, files, name):
    model, kind = ser.load(place / f"data/models/{name}"), NAMES[name]
    if model.by_speaker:
        return  # of these, features are normalised
    inputs = [
        np.load(folder / "functionals.npy") if kind == "functionals" else Ragged.open(folder / kind)
        for folder in (place / "data/features/prepared", place / "data/features/augmented")
    ]
    first = len(inputs[1]) - len(COPIES) * len(clips)
    for row, file in enumerate(files):
        wanted = [inputs[0][row], *(inputs[1][first + row + at * len(clips)] for at in range(len(COPIES)))]
        found = model.features(file)
        if kind == "functionals":
            assert found[kind].tobytes() == np.stack(wanted).tobytes()
        else:
            assert list(found) == [kind, *(f"{kind}_copy_{number}" for number in range(1, 1 + len(COPIES)))]
            assert [each.tobytes() for each in found.values()] == [np.asarray(each).tobytes() for each in wanted]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fold", [0, 1])
def test_training_predicts_what_a_user_gets(place, clips, files, name, fold):
    model = ser.load(place / f"data/models/{name}/fold_{fold}")
    answers = dict(zip(clips["clip"], model.predict_many(files, speakers=list(clips["speaker"])), strict=True))
    table = pd.read_csv(place / f"data/predictions/{name}.csv").query("fold == @fold")
    assert len(table) > len(clips) / 2
    for clip, *wanted in table[["clip", *(f"p_{emotion}" for emotion in model.emotions)]].itertuples(index=False):
        found = [float(f"{value:.6g}") for value in answers[clip].probabilities]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 if name.startswith("fuse") else 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_answers_as_the_model_does(place, clips, files, name):
    folder, speakers = place / f"data/models/{name}", list(clips["speaker"])
    model, exported = ser.load(folder), export(folder)
    session = onnxruntime.InferenceSession(exported.model.SerializeToString())
    features, answers = model.features_many(files, speakers=speakers), model.predict_many(files, speakers=speakers)
    for own, answer in zip(features, answers, strict=True):
        assert {each.name for each in session.get_inputs()} == {*own}
        np.testing.assert_allclose(session.run(None, own)[0], answer.probabilities[None], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_for_audonnx_does_too(place, files, name, tmp_path):
    folder = place / f"data/models/{name}"
    model = ser.load(folder)
    if model.by_speaker:
        return  # which audonnx cannot
    write_folder(export(folder, one_clip=True), tmp_path)
    other = audonnx.load(str(tmp_path))
    assert "the mean over the recording and changed copies" in (tmp_path / "model_card.md").read_text()
    for file in files[::16]:
        y, sr = soundfile.read(file, dtype="float32")
        np.testing.assert_allclose(other(y, sr).reshape(-1), model.predict(y, sr).probabilities, atol=1e-5)


@pytest.mark.parametrize("name", ["train_lstm/lstm", "train_cnn/cnn"])
def test_without_copies_a_graph_that_can_takes_samples(place, files, name, tmp_path):
    folder = place / f"data/models/{name}"
    model = ser.load(folder)
    exported = export(folder, one_clip=True, without_copies=True)
    about = {each.key: each.value for each in exported.model.metadata_props}
    assert about["copies"].startswith("left out (")
    if model.by_speaker:
        return
    assert list(exported.inputs) == [SIGNAL] and SIGNAL not in export(folder).inputs
    write_folder(exported, tmp_path)
    assert "changed copies" not in (tmp_path / "model_card.md").read_text()
    session = onnxruntime.InferenceSession(exported.model.SerializeToString())
    rate = model.sample_rate
    y = soundfile.read(files[0], dtype="float32")[0][::3]
    of_clip = next(iter(model.features(y, rate).values()))
    alone = onnxruntime.InferenceSession(str(folder / "model.onnx")).run(None, {NAMES[name]: of_clip})[0]
    np.testing.assert_allclose(session.run(None, {SIGNAL: y[None]})[0], alone, atol=1e-4)
