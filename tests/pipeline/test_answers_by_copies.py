"""Answers that are the mean over a clip and changed copies of it: the same in training, predictions and exports."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import soundfile

import ser
from conftest import run_stage, set_params, workplace
from ser.errors import InputError
from ser.exporting.model_export import export
from ser.probabilities.copy_mean import mean_over_copies
from ser.probabilities.logit_adjustment import adjust
from ser.storage.clip_tables import read_clips

COPIES = ["speed 0.92", "pitch +1.5"]
NAMES = ("train_ml/logistic_regression", "train_ml/svm_rbf", "fuse/ensemble")
STEPS = ("prepare", "split", "augment", "extract prepared", "extract augmented")
FITS = ("train_ml", "train_lstm", "train_residual_keras", "train_cnn", "gather_transformers", "fuse")
RESULTS = ("scores", "temperature", "certainty")  # of a model.json: they come from predictions


def ran(folder: Path, *commands: str) -> Path:
    for command in commands:
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, small_ravdess) -> Path:
    """A workplace with the features of all clips and copies; anger is half as frequent, so that there are factors."""
    changes = {f"{trainer}__enabled": False for trainer in ("train_lstm", "train_residual_keras", "train_cnn")}
    folder = workplace(
        tmp_path_factory.mktemp("copies") / "work",
        raw__path=str(small_ravdess),
        prepare__corpora=["ravdess"],
        prepare__rename={"neutral": "sadness"},
        augment__answers=COPIES,
        extract__functionals__groups=["mfcc", "energy", "pitch", "level"],
        train_ml__models=["logistic_regression", "svm_rbf"],
        train_ml__balance="none",
        train__logit_adjustment=0.5,
        **changes,
    )
    return ran(folder, *STEPS)


@pytest.fixture(scope="module", params=["train", "speaker"])
def place(request, prepared, tmp_path_factory) -> Path:
    """The workplace, trained with each normalisation."""
    return trained_anew(prepared, tmp_path_factory.mktemp(request.param) / "work", request.param)


@pytest.fixture(scope="module")
def plain(prepared, tmp_path_factory) -> Path:
    """The workplace, trained with statistics of the training clips."""
    return trained_anew(prepared, tmp_path_factory.mktemp("plain") / "work", "train")


def trained_anew(prepared: Path, folder: Path, normalization: str) -> Path:
    shutil.copytree(prepared, folder, symlinks=True)
    set_params(folder, {"train.normalization": normalization})
    return ran(folder, *FITS)


def files_of(folder: Path, raw: Path) -> tuple[pd.DataFrame, list[Path]]:
    clips = read_clips(folder / "data/prepared/clips.csv")
    return clips, [raw / source for source in clips["source"]]


def stored(folder: Path) -> dict[str, bytes | dict]:
    """Return all that a run's models are, without their results."""
    found: dict[str, bytes | dict] = {}
    for path in sorted((folder / "data/models/train_ml").rglob("model.*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".json":
            description = json.loads(path.read_text())
            found[name] = {key: value for key, value in description.items() if key not in RESULTS}
        else:
            found[name] = path.read_bytes()
    return found


def predictions(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"data/predictions/{name}.csv").set_index(["part", "clip"]).filter(like="p_")


# --- what training and predicting have in common


def test_the_features_of_the_copies_are_the_same_bytes(plain, small_ravdess):
    clips, files = files_of(plain, small_ravdess)
    model = ser.load(plain / "data/models/train_ml/svm_rbf")
    rows, copies = (np.load(plain / f"data/features/{part}/functionals.npy") for part in ("prepared", "augmented"))
    table = read_clips(plain / "data/augmented/clips.csv")
    copies = copies[(table["use"] == "answering").to_numpy()]
    found = np.stack([model.features(file)["functionals"] for file in files])
    assert found.shape == (len(clips), 1 + len(COPIES), rows.shape[1])
    for version, wanted in enumerate([rows, *np.split(copies, len(COPIES))]):
        assert found[:, version].tobytes() == wanted.tobytes()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fold", [0, 1])
def test_training_predicts_what_a_user_gets(place, small_ravdess, name, fold):
    """To the last of the six digits that a table holds; of an ensemble, whose members are read from one, nearly."""
    clips, files = files_of(place, small_ravdess)
    model = ser.load(place / f"data/models/{name}/fold_{fold}")
    assert model.description["copies"] == COPIES
    if not name.startswith("fuse"):
        assert len(set(model.description["class_factors"])) == 2
    answers = dict(zip(clips["clip"], model.predict_many(files, speakers=list(clips["speaker"])), strict=True))
    table = pd.read_csv(place / f"data/predictions/{name}.csv").query("fold == @fold")
    assert len(table) > len(clips) / 2
    for clip, *wanted in table[["clip", *(f"p_{emotion}" for emotion in model.emotions)]].itertuples(index=False):
        found = [float(f"{value:.6g}") for value in answers[clip].probabilities]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 if name.startswith("fuse") else 0)


def test_the_answer_is_the_mean_of_the_answers_for_recording_and_copies(plain, small_ravdess):
    _, files = files_of(plain, small_ravdess)
    model = ser.load(plain / "data/models/train_ml/svm_rbf")
    session = onnxruntime.InferenceSession(str(model.folder / "model.onnx"))
    for file in files[::9]:
        rows = model.features(file)["functionals"]
        each = [session.run(["probabilities"], {"functionals": row[None]})[0] for row in rows]
        each = [adjust(answer, model.description["class_factors"]) for answer in each]
        np.testing.assert_allclose(model.predict(file).probabilities, np.mean(each, axis=0)[0], atol=1e-6)
        assert np.abs(each[0] - each[1]).max() > 1e-4


def test_a_mean_does_not_depend_on_how_many_are_answered_at_a_time():
    answers = list(np.random.default_rng(0).dirichlet(np.ones(5), (9, 300)).astype(np.float32))
    together = mean_over_copies(answers)
    assert together.dtype == np.float32
    for row in range(300):
        np.testing.assert_array_equal(mean_over_copies([answer[row : row + 1] for answer in answers])[0], together[row])
    assert mean_over_copies(answers[:1]) is answers[0]


# --- what may be learnt from


def test_nothing_is_learnt_from_what_is_to_answer_by(prepared, plain, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "work", symlinks=True)
    path = folder / "data/features/augmented/functionals.npy"
    table, values = read_clips(folder / "data/augmented/clips.csv"), np.load(path)
    values[(table["use"] == "answering").to_numpy()] *= 1.5
    np.save(path, values)
    ran(folder, "train_ml")
    assert stored(folder) == stored(plain)
    for name in NAMES[:2]:
        assert np.abs(predictions(folder, name) - predictions(plain, name)).to_numpy().max() > 1e-3


def test_test_clips_and_their_copies_change_no_model(prepared, plain, tmp_path):
    """Nor an answer for another clip."""
    folder = shutil.copytree(prepared, tmp_path / "work", symlinks=True)
    tested = pd.read_csv(folder / "data/folds.csv").query("fold_0 == 'test'")["clip"]
    for part, column in (("prepared", "clip"), ("augmented", "parent")):
        path = folder / f"data/features/{part}/functionals.npy"
        values = np.load(path)
        values[read_clips(folder / f"data/{part}/clips.csv")[column].isin(tested).to_numpy()] *= 1.5
        np.save(path, values)
    ran(folder, "train_ml")
    here, there = stored(folder), stored(plain)
    of_fold = [name for name in here if "/fold_0/" in name]
    assert len(of_fold) == 4 and all(here[name] == there[name] for name in of_fold)
    for name in NAMES[:2]:
        one, other = (
            pd.read_csv(place / f"data/predictions/{name}.csv").query("fold == 0 and part == 'validation'")
            for place in (folder, plain)
        )
        pd.testing.assert_frame_equal(one, other)


def test_importance_is_measured_on_clips_alone(prepared, plain, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "work", symlinks=True)
    table = pd.read_csv(folder / "data/augmented/clips.csv", dtype=str, keep_default_na=False)
    rows = np.load(folder / "data/features/augmented/functionals.npy")
    learning = (table["use"] == "learning").to_numpy()
    table[learning].drop(columns="use").to_csv(folder / "data/augmented/clips.csv", index=False)
    np.save(folder / "data/features/augmented/functionals.npy", rows[learning])
    ran(folder, "train_ml")
    for name in NAMES[:2]:
        of_importance = (place / f"data/importance/{name}.csv" for place in (folder, plain))
        assert len({path.read_bytes() for path in of_importance}) == 1
    without, with_copies = (
        {name: value for name, value in stored(place).items() if name.endswith(".onnx")} for place in (folder, plain)
    )
    assert without == with_copies


def test_copies_to_answer_by_of_other_clips_are_refused(prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "work", symlinks=True)
    path = folder / "data/augmented/clips.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[table.index[-2:], "parent"] = table["parent"].iloc[[-1, -2]].to_numpy()
    table.to_csv(path, index=False)
    run = run_stage(folder, "train_ml")
    assert run.returncode != 0 and "lists copies to answer by of other clips: run `dvc repro`" in run.stderr


# --- all else that answers


@pytest.mark.parametrize("name", NAMES)
def test_an_exported_graph_answers_the_same(place, small_ravdess, name):
    clips, files = files_of(place, small_ravdess)
    folder, speakers = place / f"data/models/{name}", list(clips["speaker"])
    model, exported = ser.load(folder), export(folder)
    about = {each.key: each.value for each in exported.model.metadata_props}
    assert about["copies"].startswith("the answer is the mean over the recording and its copies (speed 0.92, pitch")
    assert "functionals: float32 of shape (3, columns), recording and copies; from ser.load(model)" in about["input"]
    session = onnxruntime.InferenceSession(exported.model.SerializeToString())
    features, answers = model.features_many(files, speakers=speakers), model.predict_many(files, speakers=speakers)
    for own, answer in zip(features, answers, strict=True):
        assert own["functionals"].shape[0] == 3
        np.testing.assert_allclose(session.run(None, own)[0], answer.probabilities[None], atol=1e-6)


def test_an_export_without_copies_answers_for_the_recording_alone(plain, small_ravdess, tmp_path):
    _, files = files_of(plain, small_ravdess)
    folder = plain / "data/models/train_ml/svm_rbf"
    model = ser.load(folder)
    run = run_stage(tmp_path, "export", str(folder), "--without-copies")
    assert run.returncode == 0, run.stderr
    assert "copies: left out (speed 0.92, pitch +1.5): the answer is for the recording alone" in run.stdout
    assert "float32 of shape (clips, columns)" in run.stdout
    session = onnxruntime.InferenceSession(str(tmp_path / "svm_rbf.onnx"))
    rows = model.features(files[0])["functionals"]
    found = session.run(None, {"functionals": rows})[0]  # any number of clips, none of which is a copy to this graph
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found.mean(axis=0), model.predict(files[0]).probabilities, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_timelines_files_and_arrays_get_the_same_answer(plain, small_ravdess, name):
    _, files = files_of(plain, small_ravdess)
    model = ser.load(plain / f"data/models/{name}")
    y, sr = soundfile.read(files[0], dtype="float32")
    np.testing.assert_array_equal(model.predict(files[0]).probabilities, model.predict(y, sr).probabilities)
    y, sr = y[::3], sr // 3
    (segment,) = (each for each in model.timeline(y, sr).channels[0].segments if each.speech)
    alone = model.predict(y[round(segment.start * sr) : round(segment.end * sr)], sr)
    np.testing.assert_array_equal(segment.probabilities, alone.probabilities)
    live = model.live(sr)
    live.feed(y)
    (heard,) = (each for each in live.finish().channels[0].segments if each.speech)
    np.testing.assert_array_equal(heard.probabilities, alone.probabilities)


def test_what_is_unfamiliar_is_told_of_the_recording_itself(plain, small_ravdess, tmp_path):
    _, files = files_of(plain, small_ravdess)
    folder = shutil.copytree(plain / "data/models/train_ml/svm_rbf", tmp_path / "svm")
    description = json.loads((folder / "model.json").read_text())
    with_copies = [ser.load(folder).predict(file).unfamiliar for file in files]
    (folder / "model.json").write_text(json.dumps(description | {"copies": []}))
    assert [ser.load(folder).predict(file).unfamiliar for file in files] == with_copies


def test_the_card_tells_of_the_copies(plain):
    for name in NAMES:
        card = (plain / f"data/models/{name}/model_card.md").read_text()
        assert "the mean over the recording and changed copies of it" in card and "speed 0.92, pitch +1.5." in card


@pytest.mark.parametrize("use", [ser.load, export], ids=["load", "export"])
@pytest.mark.parametrize("copies", [["speed 9"], ["gain 3"], "speed 0.92", None])
def test_a_folder_with_other_copies_is_one_line(plain, tmp_path, copies, use):
    folder = shutil.copytree(plain / "data/models/train_ml/svm_rbf", tmp_path / "svm")
    description = json.loads((folder / "model.json").read_text()) | {"copies": copies}
    (folder / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="model.json has .*cop.*: `dvc pull` or train the model again"):
        use(folder)


def test_members_have_the_same_copies(plain, tmp_path):
    folder = shutil.copytree(plain / "data/models/fuse/ensemble", tmp_path / "ensemble")
    path = folder / "members/svm_rbf/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"copies": COPIES[:1]}))
    for use in (ser.load, export):
        with pytest.raises(InputError, match="svm_rbf was trained on other copies than the other members"):
            use(folder)
