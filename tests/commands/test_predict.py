"""A stored model on the files themselves gives what the pipeline wrote for their clips."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from conftest import CORPORA, needs_corpora, run_stage, set_params, workplace


def run_to_train_ml(folder):
    for command in ("prepare", "split", "augment", "extract prepared", "extract augmented", "train_ml"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_ravdess):
    folder = workplace(
        tmp_path_factory.mktemp("predict") / "work",
        raw__path=str(small_ravdess),
        prepare__corpora=["ravdess"],
        train_ml__models=["logistic_regression", "lightgbm"],
    )
    run_to_train_ml(folder)
    return folder


@pytest.mark.parametrize("model", ["logistic_regression", "lightgbm"])
@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_predict_gives_the_probabilities_of_the_pipeline(trained, small_ravdess, model, suffix):
    output = trained / f"out.{suffix}"
    folder = f"data/models/train_ml/{model}/fold_0"
    run = run_stage(trained, "predict", str(small_ravdess), "--model", folder, "--output", str(output))
    assert run.returncode == 0, run.stderr
    table = pd.read_csv(output) if suffix == "csv" else pd.read_json(output)
    table["clip"] = "ravdess/" + table["file"].str.rsplit("/", n=1).str[1].str.removesuffix(".wav")
    expected = pd.read_csv(trained / f"data/predictions/train_ml/{model}.csv").query("fold == 0")
    both = expected.merge(table, on="clip", suffixes=("_expected", ""))
    assert len(both) == len(expected) > 0
    for column in expected.filter(like="p_"):
        np.testing.assert_allclose(both[column], both[f"{column}_expected"], atol=1e-5)
    assert (both[sorted(expected.filter(like="p_"))].idxmax(axis=1) == "p_" + both["emotion"]).all()


def test_a_bad_file_is_named_and_the_others_go_on(trained, small_ravdess):
    good = next(small_ravdess.rglob("*.wav"))
    folder = "data/models/train_ml/lightgbm"
    run = run_stage(trained, "predict", "missing.wav", str(good), "params.yaml", "--model", folder)
    assert run.returncode == 1
    assert "missing.wav: No such file or directory" in run.stderr
    assert "params.yaml: not readable as audio" in run.stderr
    assert "Traceback" not in run.stderr
    assert good.name in run.stdout


@pytest.fixture(scope="module")
def by_speaker(trained, tmp_path_factory):
    """The same models, trained on inputs that are normalised by speaker."""
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("speaker") / "work", symlinks=True)
    set_params(folder, {"train.normalization": "speaker"})
    run = run_stage(folder, "train_ml")
    assert run.returncode == 0, run.stderr
    assert "takes the emotion away" not in run.stdout
    return folder


def assert_as_predicted(folder, table, model="logistic_regression"):
    """Compare what predict wrote with the predictions of fold 0."""
    table = table.assign(clip="ravdess/" + table["file"].str.rsplit("/", n=1).str[1].str.removesuffix(".wav"))
    expected = pd.read_csv(folder / f"data/predictions/train_ml/{model}.csv").query("fold == 0")
    both = expected.merge(table, on="clip", suffixes=("_expected", ""))
    assert len(both) == len(expected) > 0
    for column in expected.filter(like="p_"):
        np.testing.assert_allclose(both[column], both[f"{column}_expected"], atol=1e-5)


def test_a_model_normalised_by_speaker_takes_a_folder_for_a_speaker(by_speaker, small_ravdess):
    place = "data/models/train_ml/lightgbm/fold_0"
    run = run_stage(by_speaker, "predict", str(small_ravdess), "--model", place, "--output", "out.csv")
    assert run.returncode == 0, run.stderr
    assert "few to know a voice by" not in run.stderr
    assert_as_predicted(by_speaker, pd.read_csv(by_speaker / "out.csv"), "lightgbm")


def test_a_table_says_who_speaks(by_speaker, small_ravdess, tmp_path):
    """All files in one folder, in an order in which the speakers alternate."""
    for file in small_ravdess.rglob("*.wav"):
        shutil.copy(file, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    speakers = [name.removesuffix(".wav")[-2:] for name in names]
    pd.DataFrame({"file": names, "speaker": speakers}).to_csv(tmp_path / "who.csv", index=False)
    arguments = [str(tmp_path), "--model", "data/models/train_ml/logistic_regression/fold_0", "--output", "out.csv"]
    run = run_stage(by_speaker, "predict", *arguments, "--speakers", str(tmp_path / "who.csv"))
    assert run.returncode == 0, run.stderr
    table = pd.read_csv(by_speaker / "out.csv")
    assert table["file"].tolist() == [str(tmp_path / name) for name in names]
    assert_as_predicted(by_speaker, table)
    assert run_stage(by_speaker, "predict", *arguments).returncode == 0
    with pytest.raises(AssertionError):
        assert_as_predicted(by_speaker, pd.read_csv(by_speaker / "out.csv"))  # taken for one speaker


def test_few_clips_of_a_speaker_are_warned_of(by_speaker, trained, small_ravdess):
    files = sorted(map(str, small_ravdess.rglob("*.wav")))[:2]
    arguments = [*files, "--model", "data/models/train_ml/logistic_regression"]
    run = run_stage(by_speaker, "predict", *arguments)
    assert run.returncode == 0
    assert "warning: 2 clips of the speaker" in run.stderr
    run = run_stage(trained, "predict", *arguments, "--speakers", "none.csv")
    assert run.returncode == 0
    assert "few to know a voice by" not in run.stderr
    assert "--speakers is not used" in run.stderr


def test_speakers_of_one_emotion_are_warned_of(by_speaker, tmp_path):
    folder = shutil.copytree(by_speaker, tmp_path / "work", symlinks=True)
    clips = pd.read_csv(folder / "data/prepared/clips.csv", dtype=str)
    clips["speaker"] += clips["emotion"]
    clips.to_csv(folder / "data/prepared/clips.csv", index=False)
    copies = pd.read_csv(folder / "data/augmented/clips.csv", dtype=str)
    copies.assign(speaker=copies["speaker"] + copies["emotion"]).to_csv(
        folder / "data/augmented/clips.csv", index=False
    )
    set_params(folder, {"train_ml.models": ["logistic_regression"]})
    assert "48 of 48 clips are of speakers who show one emotion only" in run_stage(folder, "train_ml").stdout


@needs_corpora
def test_real_speech_is_recognised_far_above_chance(tmp_path):
    """EMO-DB, speakers held out, no augmentation: chance is 0.14, means of MFCC, chroma and mel reach 0.53."""
    folder = workplace(
        tmp_path / "work",
        raw__path=str(CORPORA),
        prepare__corpora=["emodb"],
        split__folds=5,
        augment__copies=0,
        train_ml__models=["logistic_regression"],
    )
    run_to_train_ml(folder)
    table = pd.read_csv(folder / "data/predictions/train_ml/logistic_regression.csv").query("part == 'test'")
    assert len(table) == 535
    predicted = table.filter(like="p_").idxmax(axis=1).str.removeprefix("p_")
    assert 0.45 < recall_score(table["emotion"], predicted, average="macro") < 0.9
