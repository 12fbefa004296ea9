"""The tested model learns from the validation speakers too; what is learnt after it, from inner models' predictions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_kept_fits import MODELS, train, work  # noqa: F401

from ser.errors import InputError
from ser.settings.all_sections import load_params
from ser.training.dataset import open_dataset
from ser.training.fit_rows import Job, inner_groups, inner_jobs, rows_of_job

FOLDS = ("fold_0", "fold_1")


def settings(**changes):
    return load_params().train.model_copy(update={"refit": True} | changes)


def test_a_refit_learns_from_all_that_is_not_tested_and_its_inner_model_from_the_training_part(work):  # noqa: F811
    data = open_dataset("functionals")
    for fold in FOLDS:
        part = data.folds[fold].to_numpy()
        tested = rows_of_job(data, Job("mlp", fold, 3), settings())
        assert (tested.learnt == (part != "test")).all() and (tested.test == (part == "test")).all()
        assert tested.validation is None
        assert inner_jobs(data, "mlp", fold, settings()) == [Job("mlp", fold, inner=0)]
        inner = rows_of_job(data, Job("mlp", fold, inner=0), settings())
        assert (inner.learnt == (part == "train")).all() and (inner.validation == (part == "validation")).all()
        assert inner.test is None
        held_out = rows_of_job(data, Job("mlp", fold), settings(refit=False))
        assert (held_out.learnt == inner.learnt).all() and (held_out.test == tested.test).all()
        assert inner_jobs(data, "mlp", fold, settings(refit=False)) == []
    assert rows_of_job(data, Job("mlp", None, 3), settings()).learnt.all()


@pytest.mark.parametrize("count", [2, 3, 100])
def test_a_cross_fit_leaves_out_every_speaker_that_is_not_tested_just_once(work, count):  # noqa: F811
    data = open_dataset("functionals")
    speakers = data.clips["speaker"].to_numpy()
    for fold in FOLDS:
        rest = (data.folds[fold] != "test").to_numpy()
        jobs = inner_jobs(data, "mlp", fold, settings(inner_models=count))
        assert len(jobs) == min(count, len(set(speakers[rest])))
        times = np.zeros(len(rest), dtype=int)
        for job in jobs:
            rows = rows_of_job(data, job, settings(inner_models=count))
            assert not set(speakers[rows.learnt]) & set(speakers[rows.validation])
            assert (rows.learnt | rows.validation)[rest].all() and not (rows.learnt | rows.validation)[~rest].any()
            times += rows.validation
        assert (times[rest] == 1).all()


def test_the_groups_of_a_cross_fit_are_those_of_the_speakers_whatever_clips_are_called(work):  # noqa: F811
    data = open_dataset("functionals")
    groups = inner_groups(data, "fold_0", settings(inner_models=3))
    renamed = data._replace(clips=data.clips.assign(clip=[f"z{n:03d}" for n in range(len(groups))][::-1]))
    assert (inner_groups(renamed, "fold_0", settings(inner_models=3)) == groups).all()
    assert (inner_groups(data, "fold_0", settings(inner_models=3, seed=9)) != groups).any()


def test_without_speakers_clips_are_dealt_and_never_into_more_groups_than_can_be(work):  # noqa: F811
    data = open_dataset("functionals")
    data = data._replace(clips=data.clips.assign(speaker=""))
    rest = (data.folds["fold_0"] != "test").to_numpy()
    groups = inner_groups(data, "fold_0", settings(inner_models=100))
    assert (groups[rest] >= 0).all() and (groups[~rest] == -1).all()
    most = data.clips["emotion"][rest].value_counts().iloc[0]
    assert len(set(groups[rest])) == most < 100


def test_a_group_that_holds_all_of_an_emotion_is_refused(work):  # noqa: F811
    data = open_dataset("functionals")
    rare = data.clips["emotion"].where(data.clips["speaker"] != "s7", "fear")
    data = data._replace(clips=data.clips.assign(emotion=rare), classes=["anger", "fear", "neutral"])
    with pytest.raises(InputError, match="has no clip of fear to learn from; take 1"):
        inner_groups(data, "fold_0", settings(inner_models=3))


@pytest.mark.parametrize("inner_models", [1, 3])
def test_what_a_refit_leaves_is_complete(work, inner_models):  # noqa: F811
    outputs, fitted = train(train__refit=True, train__inner_models=inner_models)
    assert len(fitted) == len(MODELS) * (1 + 2 + 2 * inner_models)
    assert not any(".tmp" in path for path in outputs)
    folds = pd.read_csv("data/folds.csv", dtype=str)
    for model in MODELS:
        table = pd.read_csv(f"data/predictions/train_ml/{model}.csv", dtype={"clip": str})
        for fold in range(2):
            parts = folds.set_index("clip")[f"fold_{fold}"]
            rows = table[table["fold"] == fold]
            wanted = parts.index[parts == "validation"] if inner_models == 1 else parts.index[parts != "test"]
            assert sorted(rows.loc[rows["part"] == "validation", "clip"]) == sorted(wanted)
            assert sorted(rows.loc[rows["part"] == "test", "clip"]) == sorted(parts.index[parts == "test"])
        of_fold = pd.read_json(f"data/models/train_ml/{model}/fold_1/model.json", typ="series")
        assert of_fold["learnt_from"]["clips"] == 36 and set(of_fold["scores"]) == {"test_uar", "validation_uar"}
        importance = pd.read_csv(f"data/importance/train_ml/{model}.csv")
        assert set(importance["fold"]) == {0, 1}
    history = pd.read_csv("data/history/train_ml/mlp.csv")
    assert set(history["fold"]) == {0, 1} and history["validation_uar"].notna().all()
    again, fitted = train()
    assert again == outputs and fitted == []


def test_a_refit_takes_as_many_epochs_as_its_inner_models_have_shown(work):  # noqa: F811
    train(train__refit=True, train__inner_models=3, train_ml__models=["mlp"], train_ml__mlp__epochs=9)
    kept = [pd.read_json(f"data/models/train_ml/mlp/{fold}/model.json", typ="series")["epochs"] for fold in FOLDS]
    for_use = pd.read_json("data/models/train_ml/mlp/model.json", typ="series")["epochs"]
    assert all(1 <= epochs <= 9 for epochs in kept) and for_use == int(np.median(kept))


@pytest.mark.parametrize("inner_models", [1, 3])
def test_no_test_clip_reaches_a_model_nor_a_validation_row(work, inner_models):  # noqa: F811
    """Every value and label of a fold's test clips is replaced: its model and what is learnt after it stay."""
    before, _ = train(train__refit=True, train__inner_models=inner_models)
    folds = pd.read_csv("data/folds.csv", dtype=str)
    test = (folds["fold_0"] == "test").to_numpy()
    for part in ("prepared", "augmented"):
        path = Path(f"data/features/{part}/functionals.npy")
        values = np.load(path)
        values[test] = 1e3 * np.random.default_rng(5).standard_normal(values[test].shape)
        np.save(path, values)
        table = pd.read_csv(f"data/{part}/clips.csv", dtype=str, keep_default_na=False)
        table.loc[test, "emotion"] = table.loc[test, "emotion"].map({"anger": "neutral", "neutral": "anger"})
        table.to_csv(f"data/{part}/clips.csv", index=False)
    after, fitted = train()
    assert len(fitted) == len(MODELS) * (3 + 2 * inner_models)
    for model in MODELS:
        assert (
            after[f"data/models/train_ml/{model}/fold_0/model.onnx"]
            == before[f"data/models/train_ml/{model}/fold_0/model.onnx"]
        )
        assert (
            after[f"data/models/train_ml/{model}/fold_1/model.onnx"]
            != before[f"data/models/train_ml/{model}/fold_1/model.onnx"]
        )
        of_fold = [
            [line for line in outputs[f"data/predictions/train_ml/{model}.csv"].decode().splitlines()
             if ",0,validation," in line]
            for outputs in (before, after)
        ]  # fmt: skip
        assert of_fold[0] == of_fold[1] and len(of_fold[0]) == (12 if inner_models == 1 else 36)


def test_several_inner_models_without_a_refit_are_refused():
    with pytest.raises(ValueError, match="several need train.refit true"):
        type(load_params().train)(**load_params().train.model_dump() | {"inner_models": 3})
