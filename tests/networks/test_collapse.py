"""Which folds a model collapsed in, and the likely reason."""

import numpy as np
import pandas as pd
import pytest

from ser.networks.collapse import COLUMNS, collapsed_folds
from synthetic_predictions import EMOTIONS, collapsed_in, predictions

NO_HISTORY = pd.DataFrame()


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return predictions(1)[0]


def history(loss: list[float], accuracy: list[float], fold: int = 2) -> pd.DataFrame:
    return pd.DataFrame({"fold": fold, "epoch": range(1, len(loss) + 1), "loss": loss, "accuracy": accuracy})


def test_one_fold_of_four_is_found_though_the_pooled_uar_hides_it(table):
    found = collapsed_folds(collapsed_in(table, 2, "fear"), NO_HISTORY)
    assert list(found.columns) == COLUMNS
    assert found[["fold", "emotion", "share", "uar"]].to_numpy().tolist() == [[2, "fear", 1.0, 0.25]]
    assert "too few clips, inputs out of range" in found["reason"][0]


def test_a_model_that_tells_emotions_apart_has_none(table):
    found = collapsed_folds(table, NO_HISTORY)
    assert found.empty and list(found.columns) == COLUMNS


def test_nearly_all_clips_are_enough_and_a_tenth_of_others_is_not(table):
    collapsed, columns = collapsed_in(table, 2), [f"p_{emotion}" for emotion in EMOTIONS]
    rows = collapsed.index[(collapsed["fold"] == 2) & (collapsed["part"] == "test")]
    for others, count in ((0.04, 1), (0.1, 0)):
        some = collapsed.copy()
        some.loc[rows[: int(others * len(rows))], columns] = [0.0, 0.0, 0.0, 1.0]
        assert len(collapsed_folds(some, NO_HISTORY)) == count


def test_who_calls_all_the_same_where_nearly_all_are_is_no_collapse(table):
    rows = collapsed_in(table, 2)
    fold = (rows["fold"] == 2) & (rows["part"] == "test")
    few = rows.index[fold][:2]
    rows.loc[fold, "emotion"] = "anger"
    assert collapsed_folds(rows, NO_HISTORY).empty  # one emotion: nothing to tell apart
    rows.loc[few, "emotion"] = "joy"
    assert collapsed_folds(rows, NO_HISTORY).empty


def test_a_handful_of_clips_is_not_judged(table):
    rows = collapsed_in(table, 2)
    fold = rows.index[(rows["fold"] == 2) & (rows["part"] == "test")]
    assert collapsed_folds(rows.drop(fold[9:]), NO_HISTORY).empty
    assert len(collapsed_folds(rows.drop(fold[10:]), NO_HISTORY)) == 1


@pytest.mark.parametrize(
    ("loss", "accuracy", "words"),
    [
        ([1.4, 1.39, 1.38], [0.25, 0.3, 0.45], "it learnt next to nothing (training loss 1.38"),
        ([1.4, 0.6, 2.1], [0.3, 0.8, 0.25], "it learnt next to nothing (training loss 2.10"),  # it fell apart
        ([1.4, 1.0, 0.5], [0.3, 0.6, 0.85], "it learnt (training accuracy 0.85), but unseen clips look different"),
    ],
)
def test_the_history_of_the_fold_tells_the_reason(table, loss, accuracy, words):
    others = history([1.4, 0.1], [0.3, 1.0], fold=0)
    found = collapsed_folds(collapsed_in(table, 2), pd.concat([others, history(loss, accuracy)]))
    assert found["reason"][0].startswith(words)


def test_to_know_how_frequent_emotions_are_is_not_to_have_learnt():
    """Nine of ten clips are neutral: a loss far below ln(2) is had without telling anything apart."""
    emotion = np.where(np.arange(100) % 10, "neutral", "anger")
    table = pd.DataFrame({"clip": range(100), "fold": 2, "part": "test", "emotion": emotion})
    table = table.assign(p_anger=0.1, p_neutral=0.9)
    found = collapsed_folds(table, history([0.6, 0.33], [0.8, 0.9]))
    assert found["reason"][0].startswith("it learnt next to nothing (training loss 0.33, guessing has 0.33;")


def test_a_single_mistake_where_nearly_all_clips_are_alike_is_no_collapse():
    for others, count in ((1, 0), (5, 1)):
        emotions = ["neutral"] * 9 * others + ["anger"] * others
        table = pd.DataFrame({"clip": range(len(emotions)), "fold": 0, "part": "test", "emotion": emotions})
        assert len(collapsed_folds(table.assign(p_anger=0.1, p_neutral=0.9), NO_HISTORY)) == count
