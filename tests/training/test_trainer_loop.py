"""The loop around every trainer, and what a model may learn from."""

import numpy as np
import pandas as pd
import pytest

from ser.settings.all_sections import load_params
from ser.storage.shards import Ragged
from ser.training.dataset import Dataset, examples
from ser.training.fit_rows import Job, rows_of_job
from ser.training.result_tables import print_summary
from ser.training.trainer_loop import last_job, patience_of
from synthetic_predictions import collapsed_in, predictions

EMOTIONS = ["anger", "neutral"]


def training_rows(data: Dataset, fold: str | None) -> np.ndarray:
    return rows_of_job(data, Job("any", fold), load_params().train).learnt


@pytest.fixture
def data() -> Dataset:
    """Six speakers with four clips each, two copies of every clip; an input is the number of its clip."""
    clips = pd.DataFrame(
        [(f"c{s}{n}", f"s{s}", EMOTIONS[n % 2]) for s in range(6) for n in range(4)],
        columns=["clip", "speaker", "emotion"],
    )
    copies = clips.loc[clips.index.repeat(2)].rename(columns={"clip": "parent"}).reset_index(drop=True)
    copies["clip"] = copies["parent"] + "#" + (copies.index % 2 + 1).astype(str)
    parts = np.repeat(["test", "validation", "train", "train", "train", "train"], 4)
    folds = pd.DataFrame({"clip": clips["clip"], "fold_0": parts, "fold_1": np.roll(parts, 4)})
    inputs = np.arange(len(clips), dtype=float)[:, None]
    copy_inputs = copies["parent"].map(dict(zip(clips["clip"], inputs[:, 0], strict=True))).to_numpy()[:, None] + 0.5
    recordings = np.zeros((len(clips), 1), dtype=np.float32)
    return Dataset(clips, copies, folds, EMOTIONS, inputs, copy_inputs, {}, inputs, recordings, {})


def test_copies_follow_their_parents_into_training_and_nowhere_else(data):
    for fold in ("fold_0", "fold_1"):
        train = examples(data, training_rows(data, fold), with_copies=True)
        of_train = np.flatnonzero(data.folds[fold] == "train")
        assert sorted(train.inputs[:, 0]) == sorted([*of_train, *(of_train + 0.5), *(of_train + 0.5)])
        outside = set(data.clips["speaker"][data.folds[fold] != "train"])
        assert not outside & set(train.speakers)


def test_labels_belong_to_their_inputs(data):
    train = examples(data, training_rows(data, "fold_0"), with_copies=True)
    of_clip = data.clips["emotion"].to_numpy()[train.inputs[:, 0].astype(int)]
    assert [EMOTIONS[label] for label in train.labels] == list(of_clip)


def test_other_parts_have_no_copies(data):
    validation = examples(data, (data.folds["fold_0"] == "validation").to_numpy(), with_copies=False)
    assert sorted(validation.inputs[:, 0]) == [4, 5, 6, 7]


def test_without_copies_there_are_just_clips(data):
    bare = data._replace(copies=data.copies[:0], copy_inputs=data.copy_inputs[:0])
    assert len(examples(bare, training_rows(bare, "fold_0"), with_copies=True).labels) == 16


def test_sequences_are_chosen_like_vectors(data):
    def ragged(values):
        return Ragged(
            [values],
            np.stack([0 * np.arange(len(values)), np.arange(len(values)), np.ones(len(values))], 1).astype(int),
        )

    sequences = data._replace(inputs=ragged(data.inputs), copy_inputs=ragged(data.copy_inputs))
    rows = training_rows(data, "fold_1")
    of_vectors = examples(data, rows, with_copies=True)
    of_sequences = examples(sequences, rows, with_copies=True)
    assert [float(item[0, 0]) for item in of_sequences.inputs] == list(of_vectors.inputs[:, 0])
    assert list(of_sequences.labels) == list(of_vectors.labels)


def test_the_model_for_use_learns_from_all_but_a_final_holdout(data):
    assert training_rows(data, None).all()
    holdout = data._replace(folds=data.folds[["clip", "fold_0"]])
    assert list(training_rows(holdout, None)) == list(data.folds["fold_0"] != "test")


def test_the_model_for_use_trains_as_its_settings_say_or_as_the_median_fold():
    params = load_params()

    lstm, stopped = params.train_lstm, params.train_lstm.model_copy(update={"patience": 3})
    assert last_job("lstm", None, {"settings": lstm}) == Job("lstm", None, lstm.epochs)
    assert last_job("lstm", None, {"settings": stopped}) is None
    assert last_job("lstm", None, {"settings": stopped}, (4, 9, 2)) == Job("lstm", None, 4)
    for model, known in {"logistic_regression": True, "svm_rbf": True, "mlp": False, "lightgbm": False}.items():
        job = last_job(model, None, {"settings": params.train_ml.of_model(model), "name": model})
        assert job == (Job(model, None, None) if known else None)


@pytest.mark.parametrize(("stopped_early", "words"), [(True, "best epochs 4, 9"), (False, "kept the last epochs 4, 9")])
def test_the_log_says_which_epochs_were_kept(stopped_early, words, capsys):
    table, _ = predictions(1, folds=2)
    print_summary("lstm", table, pd.DataFrame(), (4, 9), (1.0, 1.0), stopped_early=stopped_early)
    printed = capsys.readouterr().out
    assert printed.endswith(f"2 s in 2 fits, {words}\n")
    print_summary("svm_rbf", table, pd.DataFrame(), (None, None), (1.0, 1.0), stopped_early=False, taken_over=1)
    assert capsys.readouterr().out.endswith("2 s in 2 fits (1 of them earlier)\n")


def test_patience_is_that_of_the_model_itself():
    params = load_params()
    of_ml = {model: patience_of({"settings": params.train_ml, "name": model}) for model in ("mlp", "svm_rbf")}
    assert of_ml == {"mlp": params.train_ml.mlp.patience, "svm_rbf": None}
    assert patience_of({"settings": params.train_lstm}) is params.train_lstm.patience is None


def test_a_model_that_collapsed_in_a_fold_is_told_at_once(capsys):
    table, _ = predictions(1)
    print_summary("lstm", collapsed_in(table, 2), pd.DataFrame(), (3,) * 4, (1.0,) * 4, stopped_early=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    told = (
        "  warning: lstm collapsed in fold 2: it says anger for 100 % of the test clips, UAR 0.250; no epochs tell more"
    )
    assert lines[1].startswith(told)
