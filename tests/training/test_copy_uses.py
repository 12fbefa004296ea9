"""Copies to learn from and copies to answer by, kept apart where a trainer opens its data."""

import numpy as np
import pandas as pd
import pytest

from ser.errors import InputError
from ser.settings.all_sections import load_params
from ser.storage.shards import Ragged
from ser.training.copy_uses import by_use
from ser.training.dataset import Dataset, data_digest, examples
from ser.training.fit_rows import Job, rows_of_job
from ser.training.model_fits import predict_rows

EMOTIONS = ["anger", "neutral"]
RECIPES = ["speed 0.92", "pitch +1.5"]


@pytest.fixture
def clips() -> pd.DataFrame:
    rows = [(f"c{s}{n}", f"s{s}", EMOTIONS[n % 2]) for s in range(4) for n in range(2)]
    return pd.DataFrame(rows, columns=["clip", "speaker", "emotion"])


@pytest.fixture
def copies(clips) -> pd.DataFrame:
    """One to learn from and two to answer by of each clip, as stage augment lists them."""
    own = clips.rename(columns={"clip": "parent"})
    tables = [own.assign(clip=own["parent"] + "#1", recipe="gain -3.0 dB", use="learning")]
    tables += [
        own.assign(clip=own["parent"] + f"#a{n}", recipe=recipe, use="answering")
        for n, recipe in enumerate(RECIPES, start=1)
    ]
    return pd.concat(tables, ignore_index=True)


def ragged(values: np.ndarray) -> Ragged:
    rows = np.arange(len(values))
    return Ragged([values], np.stack([0 * rows, rows, np.ones_like(rows)], axis=1))


def arrays_of(inputs: np.ndarray | Ragged) -> list[float]:
    return [float(np.ravel(inputs[row])[0]) for row in range(len(inputs))]


@pytest.mark.parametrize("wrap", [np.asarray, ragged])
def test_each_use_has_its_rows(clips, copies, wrap):
    inputs = wrap(np.arange(24.0)[:, np.newaxis])
    learning, of_learning, answering = by_use(copies, inputs, clips)
    assert list(learning["clip"]) == [f"{clip}#1" for clip in clips["clip"]]
    assert arrays_of(of_learning) == list(range(8))
    assert list(answering) == RECIPES
    assert [arrays_of(own) for own in answering.values()] == [list(range(8, 16)), list(range(16, 24))]


def test_a_mapped_table_is_not_read(clips, copies, tmp_path):
    np.save(tmp_path / "rows.npy", np.zeros((24, 3)))
    _, of_learning, answering = by_use(copies, np.load(tmp_path / "rows.npy", mmap_mode="r"), clips)
    assert all(isinstance(own, np.memmap) for own in (of_learning, *answering.values()))


def test_without_a_use_all_are_to_learn_from(clips, copies):
    own, inputs = copies[:8].drop(columns="use"), np.arange(8.0)[:, np.newaxis]
    assert by_use(own, inputs, clips) == (own, inputs, {})


def test_copies_to_answer_by_alone(clips, copies):
    learning, of_learning, answering = by_use(copies[8:], np.arange(16.0)[:, np.newaxis], clips)
    assert len(learning) == len(of_learning) == 0 and list(answering) == RECIPES


def test_not_every_clip_has_to_have_one_to_learn_from(clips, copies):
    learning, of_learning, answering = by_use(copies[1:].reset_index(drop=True), np.zeros((23, 1)), clips)
    assert len(learning) == len(of_learning) == 7 and list(answering) == RECIPES


@pytest.mark.parametrize("order", [[*range(23)], [*range(9), 10, 9, *range(11, 24)], [*range(16), *range(17, 24), 16]])
def test_other_tables_are_refused(clips, copies, order):
    with pytest.raises(InputError, match="lists copies to answer by of other clips: run `dvc repro`"):
        by_use(copies.iloc[order].reset_index(drop=True), np.zeros((len(order), 1)), clips)


@pytest.fixture
def data(clips, copies) -> Dataset:
    parts = np.repeat(["test", "validation", "train", "train"], 2)
    folds = pd.DataFrame({"clip": clips["clip"], "fold_0": parts})
    inputs = np.arange(8.0)[:, np.newaxis]
    learning, of_learning, answering = by_use(copies, 100 + np.arange(24.0)[:, np.newaxis], clips)
    found = (folds, EMOTIONS, inputs, of_learning, {}, inputs, np.zeros((8, 1), np.float32), {}, "")
    return Dataset(clips, learning, *found, answering)


def test_a_fit_learns_from_none_of_them(data):
    rows = rows_of_job(data, Job("any", "fold_0"), load_params().train)
    train = examples(data, rows.learnt, with_copies=True)
    assert sorted(train.inputs[:, 0]) == [4, 5, 6, 7, 104, 105, 106, 107]


def test_an_answer_is_the_mean_over_a_clip_and_its_own(data):
    asked = []

    def predict_proba(inputs: np.ndarray) -> np.ndarray:
        asked.append(inputs[:, 0].tolist())
        shares = (inputs / 1000).astype(np.float32)
        return np.concatenate([shares, 1 - shares], axis=1)

    rows = rows_of_job(data, Job("any", "fold_0"), load_params().train)
    parts = [
        predict_rows(predict_proba, data, 0, part, of)
        for part, of in (("test", rows.test), ("validation", rows.validation))
    ]
    table = pd.concat(parts, ignore_index=True)
    assert asked == [[0, 1], [108, 109], [116, 117], [2, 3], [110, 111], [118, 119]]
    assert list(table["clip"]) == ["c00", "c01", "c10", "c11"]
    np.testing.assert_allclose(table["p_anger"], np.array([0 + 108 + 116, 1 + 109 + 117, 230, 233]) / 3000, rtol=1e-6)
    np.testing.assert_allclose(table["p_anger"] + table["p_neutral"], 1, rtol=1e-6)


@pytest.mark.parametrize("wrap", [np.asarray, ragged])
def test_a_fit_is_of_other_data_where_they_are_others(data, clips, copies, wrap):
    def digest(values: np.ndarray, names: list[str]) -> str:
        _, of_learning, answering = by_use(copies, wrap(values), clips)
        named = dict(zip(names, answering.values(), strict=True))
        return data_digest(data._replace(copy_inputs=of_learning, answer_copies=named))

    values = np.arange(24.0)[:, np.newaxis]
    other = values.copy()
    other[-1] += 1
    found = [digest(values, RECIPES), digest(other, RECIPES), digest(values, ["speed 0.9", RECIPES[1]])]
    assert len({*found, data_digest(data._replace(answer_copies={}))}) == 4
    assert digest(values, RECIPES) == found[0]
