"""A trained model in Python: files and samples in, probabilities with names out, errors as exceptions."""

import io
import json
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
import soundfile

import ser
from conftest import run_stage, set_params, workplace
from ser.audio.recordings import UnusableAudioError
from ser.errors import InputError
from ser.exporting.audonnx_folder import write_folder
from ser.exporting.model_export import export
from ser.probabilities.temperature import scale

STEPS = ("prepare", "split", "augment", "extract prepared", "extract augmented", "train_ml", "gather_transformers")
LEFT_OUT = ("train_lstm", "train_residual_keras", "train_cnn")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with two classical models and their ensemble, and demo speech of one speaker in clips/."""
    folder = workplace(
        tmp_path_factory.mktemp("trained") / "work",
        train_ml__models=["logistic_regression", "svm_rbf"],
        **{f"{trainer}__enabled": False for trainer in LEFT_OUT},
    )
    for command in (*STEPS, *LEFT_OUT, "fuse", "demo clips --speakers 1"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def model(trained):
    return ser.load(trained / "data/models/fuse/ensemble")


@pytest.fixture
def clip(trained):
    return min((trained / "clips").rglob("*.wav"))


def test_a_model_is_found_by_path_by_name_and_as_the_default(trained, monkeypatch):
    monkeypatch.chdir(trained)
    assert ser.load("svm_rbf").folder == ser.load("data/models/train_ml/svm_rbf").folder
    assert ser.load("ensemble").description["members"] == ["logistic_regression", "svm_rbf"]
    assert ser.load("svm_rbf/fold_1").description["fold"] == "fold_1"
    best = json.loads((trained / "data/models/default.json").read_text())
    assert ser.load().folder.as_posix() == f"data/models/{best['folder']}"


def test_of_a_call_it_is_said_that_two_people_are_mixed(model, trained, tmp_path):
    one, other = (soundfile.read(file)[0] for file in sorted((trained / "clips").rglob("*.wav"))[:2])
    y = np.zeros((len(one) + len(other), 2))
    y[: len(one), 0], y[len(one) :, 1] = one, other
    soundfile.write(tmp_path / "call.wav", y, 16000)
    remark = "channels 1 and 2 carry different speech, and are mixed here: `ser timeline` keeps them apart"
    for answer in (model.predict(tmp_path / "call.wav"), model.predict(y.T, 16000)):
        assert answer.unfamiliar.startswith(remark)
    assert remark not in model.predict(np.stack([one, one]), 16000).unfamiliar


@pytest.mark.parametrize("name", ["svm", "", "data/models", "../work", "*", "/", "a b"])
def test_what_is_no_model_is_an_error_that_lists_those_there_are(trained, monkeypatch, name):
    monkeypatch.chdir(trained)
    with pytest.raises(InputError, match="is no model folder: name one; there are data/models/fuse/ensemble, "):
        ser.load(name)


def test_without_models_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="data/models/default.json names no model: train some with `dvc repro`"):
        ser.load()


def test_two_models_of_one_name_are_asked_for_by_their_folders(trained, tmp_path, monkeypatch):
    for trainer in ("train_ml", "mine"):
        shutil.copytree(trained / "data/models/train_ml/svm_rbf", tmp_path / "data/models" / trainer / "svm_rbf")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="several models are called svm_rbf: data/models/mine/svm_rbf, "):
        ser.load("svm_rbf")


def test_a_prediction_names_its_probabilities(model, clip):
    answer = model.predict(clip)
    assert answer.emotions == model.emotions == ("anger", "neutral", "sadness")
    assert answer.probabilities.dtype == np.float32 and answer.probabilities.shape == (3,)
    assert answer.emotion == answer.emotions[answer.probabilities.argmax()]
    assert answer.certainty == answer.probabilities.max()
    assert answer.as_dict() == dict(zip(answer.emotions, answer.probabilities.tolist(), strict=True))
    assert 0.5 < answer.seconds <= soundfile.info(clip).duration
    assert answer.unfamiliar == ""


def test_files_streams_and_samples_of_any_kind_give_the_same(model, clip, tmp_path):
    samples, sr = soundfile.read(clip)
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, samples, sr, subtype="PCM_16")
    y, _ = soundfile.read(clip, dtype="int16")
    expected = model.predict(clip).probabilities
    whole = y.astype(np.float32) / 2**15
    both = np.stack([whole, whole])
    wide, unsigned = y.astype(np.int32) * 2**16, (y.astype(np.int32) + 2**15).astype(np.uint16)
    for samples in (y, wide, unsigned, whole, whole.astype(np.float64), whole[None], both):
        np.testing.assert_array_equal(model.predict(samples, sr).probabilities, expected)
    np.testing.assert_array_equal(model.predict(str(clip)).probabilities, expected)
    np.testing.assert_array_equal(model.predict(io.BytesIO(clip.read_bytes())).probabilities, expected)
    (among_others,) = model.predict_many([clip])
    np.testing.assert_array_equal(among_others.probabilities, expected)


@pytest.mark.parametrize(
    ("samples", "rate", "error", "reason"),
    [
        (np.zeros((16000, 2), np.float32), 16000, ValueError, r"wanted is \(samples,\) or \(channels, samples\)"),
        (np.zeros((2, 2, 16000), np.float32), 16000, ValueError, "the shape"),
        (np.ones(16000, dtype=complex), 16000, ValueError, "of the type complex128"),
        (np.ones(16000, np.float32), None, TypeError, "samples need their sampling_rate"),
        (np.zeros(16000, np.float32), 16000, UnusableAudioError, "silent"),
        (np.full(16000, np.nan, np.float32), 16000, UnusableAudioError, "NaN"),
        (np.ones(0, np.float32), 16000, UnusableAudioError, "no samples"),
        (np.ones((0, 5), np.float32), 16000, ValueError, "the shape"),
        (np.full(16000, 1e300), 16000, UnusableAudioError, "infinite"),
        ([0.1, 0.2], 16000, TypeError, "of the type list: wanted is a path, an open file, or samples in an array"),
        (None, None, TypeError, "of the type NoneType"),
        (b"RIFF", None, TypeError, "of the type bytes"),
        (np.ones(16000, np.float32), 100, UnusableAudioError, "a sample rate of 100 Hz"),
        (np.ones(31 * 4000, np.float32), 4000, UnusableAudioError, "longer than 30 s"),
    ],
)
def test_samples_that_are_none_say_why(model, samples, rate, error, reason):
    with pytest.raises(error, match=reason):
        model.predict(samples, rate)


def test_a_file_has_no_rate_of_its_own_to_be_told(model, clip):
    with pytest.raises(TypeError, match="a file says its own"):
        model.predict(clip, 16000)


@pytest.mark.parametrize("seconds", [0.3, 0.5, 0.95, 1.5])
def test_short_clips_are_answered_and_marked(model, clip, seconds):
    """Also of a model that wants longer ones to learn from."""
    y, sr = soundfile.read(clip, dtype="float32")
    start = len(y) // 3
    answer = model.predict(y[start : start + int(seconds * sr)], sr)
    assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert ("of sound, which is short" in answer.unfamiliar) == (answer.seconds < 1)
    with pytest.raises(UnusableAudioError, match="too short: 0.25 s, at least 0.3 s wanted"):
        model.predict(y[: sr // 4], sr)


def test_the_shortest_length_of_the_training_data_is_not_asked_of_users(trained, tmp_path, clip):
    folder = shutil.copytree(trained / "data/models/train_ml/svm_rbf", tmp_path / "svm")
    description = json.loads((folder / "model.json").read_text())
    description["input"]["audio"]["min_seconds"] = 5.0
    (folder / "model.json").write_text(json.dumps(description))
    assert ser.load(folder).predict(clip).emotion


def test_calibration_and_certainty(model, clip):
    raw, calibrated = model.predict(clip), model.predict(clip, calibrated=True)
    expected = scale(raw.probabilities[None].astype(float), model.description["temperature"])[0]
    np.testing.assert_allclose(calibrated.probabilities, expected, atol=1e-6)
    assert calibrated.emotion == raw.emotion
    assert model.predict(clip, certainty=raw.certainty - 0.01).emotion == raw.emotion
    unsure = model.predict(clip, certainty=raw.certainty + 0.001)
    assert unsure.emotion == "unsure"
    np.testing.assert_array_equal(unsure.probabilities, raw.probabilities)
    with pytest.raises(ValueError, match="certainty is 2: allowed are 0 to 1"):
        model.predict(clip, certainty=2)


def test_of_many_files_one_that_is_none_is_raised_or_returned(model, clip, tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    files, done = [clip, tmp_path / "text.wav", tmp_path / "none.wav", clip], []
    with pytest.raises(UnusableAudioError, match="not readable as audio"):
        model.predict_many(files)
    answers = model.predict_many(files, return_errors=True, progress=lambda: done.append(1))
    assert [type(answer).__name__ for answer in answers[1:3]] == ["UnusableAudioError", "FileNotFoundError"]
    np.testing.assert_array_equal(answers[0].probabilities, answers[3].probabilities)
    assert len(done) == 4
    assert model.predict_many([]) == []


def test_many_files_come_as_any_iterable_but_not_as_one(model, clip):
    assert len(model.predict_many(file for file in [clip])) == 1
    assert len(model.predict_many({clip: "anna"})) == 1
    with pytest.raises(TypeError, match="wanted are several recordings, such as "):
        model.predict_many(str(clip))
    with pytest.raises(ValueError, match="2 speakers for 1 recordings"):
        model.predict_many([clip], speakers=["anna", "ben"])
    answers = model.predict_many([clip, "a\0b", None], return_errors=True)
    assert [type(answer).__name__ for answer in answers] == ["Prediction", "ValueError", "TypeError"]


def test_other_processes_load_it_from_its_folder(model, clip):
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(clip).probabilities, model.predict(clip).probabilities)


def test_nothing_is_printed(model, clip, capfd):
    model.predict(clip)
    model.predict_many([clip, "none.wav"], return_errors=True)
    assert capfd.readouterr() == ("", "")


def test_what_a_model_learnt_from_is_told(model):
    assert model.learnt_from["speakers"] == 6
    assert model.learnt_from["corpora"]["demo"]["synthetic"]
    assert model.knows_synthetic_speech_only
    assert not model.by_speaker


def test_features_are_what_the_graph_takes(model, clip):
    y, sr = soundfile.read(clip, dtype="float32")
    (name, values), *others = model.features(y, sr).items()
    assert (name, others) == ("functionals", [])
    names = json.loads((model.folder / "members/svm_rbf/model.json").read_text())["input"]["names"]
    assert values.shape == (1, len(names))


def test_eight_threads_give_the_bytes_of_one(model, trained):
    files = sorted((trained / "clips").rglob("*.wav")) * 6
    alone = [answer.probabilities for answer in model.predict_many(files)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda file: model.predict(file).probabilities, files))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("model.json", "{", "is no model folder"),
        ("model.json", "[]", "is no model folder"),
        ("model.json", '{"trainer": "fuse", "format": 6}', "has no classes, normalization, fold, learnt_from, "),
        ("members/svm_rbf/model.onnx", "no graph", "no model that can be loaded"),
        ("members/svm_rbf/model.json", '{"trainer": "evil", "format": 6}', "unknown trainer evil"),
        ("members/svm_rbf/model.json", '{"trainer": "train_ml", "format": 3}', "has format 3, .*: train the model"),
        ("members/svm_rbf/model.json", '{"trainer": "train_ml"}', "older than the numbers of formats, .*: train"),
        ("members/svm_rbf/model.json", '{"trainer": "train_ml", "format": 7}', "format 7, .*: update the package"),
    ],
)
def test_a_damaged_or_older_folder_is_one_line(trained, tmp_path, name, content, reason):
    folder = shutil.copytree(trained / "data/models/fuse/ensemble", tmp_path / "ensemble")
    (folder / name).write_text(content)
    with pytest.raises(InputError, match=reason) as caught:
        ser.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("classes",), None, "has no classes"),
        (("classes",), ["anger"], "has fewer than two classes"),
        (("normalization",), None, "has no normalization"),
        (("temperature",), 0, "has the temperature 0"),
        (("temperature",), "warm", "has something of another type"),
        (("class_factors",), [1.0], "has class_factors for other classes"),
        (("usual",), None, "has no usual"),
        (("learnt_from", "corpora"), None, "has no corpora"),
        (("certainty", "calibrated"), None, "has no calibrated"),
        (("input", "audio"), None, "has something of another type"),
        (("input", "audio", "trim_db"), None, "has no trim_db in input.audio"),
        (("input", "extract", "n_fft"), None, "has no n_fft in input"),
        (("input", "names"), None, "has no names in input"),
    ],
)
@pytest.mark.parametrize("use", [ser.load, export], ids=["load", "export"])
def test_what_a_damaged_description_lacks_is_named(trained, tmp_path, path, value, reason, use):
    folder = shutil.copytree(trained / "data/models/train_ml/svm_rbf", tmp_path / "svm")
    description = json.loads((folder / "model.json").read_text())
    place = description
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    if value is None:
        del place[path[-1]]
    (folder / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match=f"{folder}/model.json {reason}"):
        use(folder)


@pytest.mark.parametrize("content", [None, b"", b"no graph"])
def test_a_graph_that_is_damaged_or_missing_is_not_exported(trained, tmp_path, content):
    folder = shutil.copytree(trained / "data/models/train_ml/svm_rbf", tmp_path / "svm")
    (folder / "model.onnx").unlink()
    if content is not None:
        (folder / "model.onnx").write_bytes(content)
    with pytest.raises(InputError, match="model.onnx: no model that can be exported"):
        export(folder)


def test_an_ensemble_whose_rule_is_damaged_is_one_line(trained, tmp_path):
    folder = shutil.copytree(trained / "data/models/fuse/ensemble", tmp_path / "ensemble")
    description = json.loads((folder / "model.json").read_text())
    wrong = ({"weights": "all"}, {"weights": [1.0]}, {"temperatures": [1.0]}, {"power": 2})
    for rule in ({}, {"method": "vote"}, *(description["rule"] | part for part in wrong)):
        (folder / "model.json").write_text(json.dumps(description | {"rule": rule}))
        for use in (ser.load, export):
            with pytest.raises(InputError, match="no ensemble .*: run `dvc repro fuse`"):
                use(folder)


def test_an_ensemble_of_calibrated_members_answers_as_its_rule_says(trained, tmp_path, clip):
    folder = shutil.copytree(trained / "data/models/fuse/ensemble", tmp_path / "ensemble")
    description = json.loads((folder / "model.json").read_text())
    rule = {"method": "weights", "weights": [0.3, 0.7], "temperatures": [2.0, 0.5], "power": 0.5}
    (folder / "model.json").write_text(json.dumps(description | {"rule": description["rule"] | rule}))
    members = [ser.load(folder / "members" / name).predict(clip).probabilities for name in description["members"]]
    first, second = members[0].astype(float) ** 0.5, members[1].astype(float) ** 2
    expected = (0.3 * (first / first.sum()) ** 0.5 + 0.7 * (second / second.sum()) ** 0.5) ** 2
    model = ser.load(folder)
    answer = model.predict(clip).probabilities
    np.testing.assert_allclose(answer, expected / expected.sum(), atol=1e-5)
    exported = onnxruntime.InferenceSession(export(folder).model.SerializeToString())
    (found,) = exported.run(["probabilities"], model.features(clip))
    np.testing.assert_allclose(found[0], answer, atol=1e-6)


def test_members_that_read_something_else_are_refused(trained, tmp_path):
    """What several members read is computed once: by the settings of one, the others would be wrong without a word."""
    folder = shutil.copytree(trained / "data/models/fuse/ensemble", tmp_path / "ensemble")
    place = folder / "members/svm_rbf/model.json"
    description = json.loads(place.read_text())
    own = description["input"]
    others = {
        "classes": description | {"classes": ["anger", "neutral", "fear"]},
        "audio": description | {"input": own | {"audio": own["audio"] | {"peak_db": -3.0}}},
        "functionals": description | {"input": own | {"extract": own["extract"] | {"hop_length": 80}}},
    }
    for name, other in others.items():
        place.write_text(json.dumps(other))
        for use in (ser.load, export):
            with pytest.raises(InputError, match=f"svm_rbf was trained on other {name} than the other members"):
                use(folder)


# --- models that normalise by speaker


@pytest.fixture(scope="module")
def by_speaker(trained, tmp_path_factory):
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("speaker") / "work", symlinks=True)
    set_params(folder, {"train.normalization": "speaker"})
    for command in ("train_ml", "fuse"):
        run = run_stage(folder, command)
        assert run.returncode == 0, run.stderr
    return folder


def test_a_single_clip_is_refused_or_marked(by_speaker, clip):
    model = ser.load(by_speaker / "data/models/fuse/ensemble")
    for refuses in (model.predict, model.features):
        with pytest.raises(InputError, match="it wants several clips of one, use (predict|features)_many"):
            refuses(clip)
    (alone,) = model.predict_many([clip])
    assert alone.unfamiliar.startswith("the only clip of its speaker")


@pytest.mark.parametrize("name", ["train_ml/svm_rbf", "fuse/ensemble"])
def test_its_export_takes_normalised_features(by_speaker, name, tmp_path):
    folder, files = by_speaker / "data/models" / name, sorted((by_speaker / "clips").rglob("*.wav"))
    model, exported = ser.load(folder), export(folder)
    session = onnxruntime.InferenceSession(exported.model.SerializeToString())
    about = {each.key: each.value for each in exported.model.metadata_props}
    assert "features_many(recordings), which normalises those of each speaker" in about["input"]
    answers = model.predict_many(files)
    for answer, features in zip(answers, model.features_many(files), strict=True):
        np.testing.assert_allclose(session.run(None, features)[0][0], answer.probabilities, atol=1e-5)
    with pytest.raises(InputError, match="by speaker wants several clips of one"):
        write_folder(exported, tmp_path)
