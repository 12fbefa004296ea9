"""A stored model on the files themselves gives what the pipeline wrote for their clips."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from conftest import CORPORA, needs_corpora, run_stage, workplace


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
