"""Scores of confusion matrices and areas against scikit-learn, also without each speaker."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from ser.evaluation import confusions
from ser.evaluation.confusions import confusions_by_speaker, left_out_scores, recalls, without_each
from ser.evaluation.roc_areas import area, macro_area
from synthetic_predictions import EMOTIONS, predictions, rows_to_score

MACRO = {"average": "macro", "zero_division": 0}
REFERENCES = {
    "uar": lambda actual, predicted: recall_score(actual, predicted, labels=sorted(set(actual)), **MACRO),
    "accuracy": accuracy_score,
    "f1_macro": lambda actual, predicted: f1_score(actual, predicted, labels=sorted(set(actual)), **MACRO),
    "precision_macro": lambda actual, predicted: precision_score(
        actual, predicted, labels=sorted(set(actual)), **MACRO
    ),
}


def drawn(seed: int):
    """Return test rows and their speakers, one of whom is the only one to show an emotion."""
    table, clips = predictions(seed, skill=0.7)
    rows, speakers = rows_to_score(table), clips["speaker"].to_numpy()
    kept = (rows["emotion"] != "joy") | (speakers == "s03")
    return rows[kept].reset_index(drop=True), speakers[kept]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
@pytest.mark.parametrize("score", REFERENCES)
def test_scores_equal_scikit_learn_with_all_speakers_and_without_each(score, seed):
    rows, speakers = drawn(seed)
    counts = confusions_by_speaker(rows, speakers)
    ours, reference = getattr(confusions, score), REFERENCES[score]
    assert ours(counts.sum(axis=0)) == pytest.approx(reference(rows["emotion"], rows["predicted"]))
    expected = [
        reference(rows["emotion"][speakers != name], rows["predicted"][speakers != name])
        for name in sorted(set(speakers))
    ]
    np.testing.assert_allclose(ours(without_each(counts)), expected)


def test_the_uar_is_balanced_accuracy():
    rows, speakers = drawn(1)
    found = confusions.uar(confusions_by_speaker(rows, speakers).sum(axis=0))
    assert found == pytest.approx(balanced_accuracy_score(rows["emotion"], rows["predicted"]))


def test_counts_by_counting():
    rows, speakers = drawn(2)
    counts = confusions_by_speaker(rows, speakers)
    assert counts.sum() == len(rows)
    chosen = (speakers == "s03") & (rows["emotion"] == "joy") & (rows["predicted"] == "fear")
    assert counts[3, EMOTIONS.index("joy"), EMOTIONS.index("fear")] == chosen.sum() > 0


def test_a_class_without_clips_has_no_recall():
    rows, speakers = drawn(3)
    found = recalls(without_each(confusions_by_speaker(rows, speakers)))
    assert np.isnan(found[3, EMOTIONS.index("joy")])
    assert np.isfinite(np.delete(found, 3, axis=0)).all()


def test_without_the_only_speaker_of_a_class_a_mean_over_classes_is_another_score():
    counts = confusions_by_speaker(*drawn(4))
    found = left_out_scores(confusions.uar, counts)
    assert list(np.flatnonzero(np.isnan(found))) == [3]
    expected = confusions.uar(without_each(counts))
    np.testing.assert_array_equal(np.delete(found, 3), np.delete(expected, 3))


@given(seed=st.integers(0, 10_000), ties=st.booleans())
@settings(max_examples=10, deadline=None)
def test_areas_equal_scikit_learn_with_all_speakers_and_without_each(seed, ties):
    rows, speakers = drawn(seed)
    columns = [f"p_{emotion}" for emotion in EMOTIONS]
    if ties:
        rows[columns] = rows[columns].round(1)

    def reference(part):
        present = sorted(set(part["emotion"]))
        return np.mean([roc_auc_score(part["emotion"] == emotion, part[f"p_{emotion}"]) for emotion in present])

    found, left_out = macro_area(rows, speakers)
    assert found == pytest.approx(reference(rows))
    expected = [reference(rows[speakers != name]) if name != "s03" else np.nan for name in sorted(set(speakers))]
    np.testing.assert_allclose(left_out, expected)


def test_no_area_where_nothing_positive_is_left():
    positive, speakers = np.array([True, True, False, False]), np.array(["a", "a", "b", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, left_out = area(positive, np.array([0.9, 0.2, 0.1, 0.3]), speakers)
    assert found == 0.75
    np.testing.assert_array_equal(left_out, [np.nan, 0.5, 1.0])
