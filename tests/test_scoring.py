"""Scores against independent computations and against their own properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, classification_report, roc_auc_score

from ser.errors import InputError
from ser.scoring import (
    MACRO,
    confusion,
    expected_calibration_error,
    per_class,
    predicted_emotions,
    roc_points,
    scores,
    speaker_dependence,
    validation_sharing_speakers,
)

EMOTIONS = ["anger", "fear", "joy", "neutral"]


def predictions(seed: int, rows: int = 200, emotions: list[str] = EMOTIONS) -> pd.DataFrame:
    """Return a table of test rows with random probabilities that lean to the truth; the classes are unbalanced."""
    rng = np.random.default_rng(seed)
    weights = np.arange(1, len(emotions) + 1) / np.arange(1, len(emotions) + 1).sum()
    actual = np.concatenate([np.arange(len(emotions)), rng.choice(len(emotions), rows - len(emotions), p=weights)])
    odds = np.exp(rng.normal(size=(rows, len(emotions))) + 1.2 * np.eye(len(emotions))[actual])
    table = pd.DataFrame({"clip": [f"c/{i:04d}" for i in range(rows)], "fold": np.arange(rows) % 3, "part": "test"})
    table["emotion"] = np.array(emotions)[actual]
    return table.join(pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=[f"p_{e}" for e in emotions]))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_scores_equal_independent_computations(seed):
    table = predictions(seed)
    p = table[[f"p_{e}" for e in EMOTIONS]].to_numpy()
    predicted = np.array(EMOTIONS)[p.argmax(axis=1)]
    report = classification_report(table["emotion"], predicted, output_dict=True, zero_division=0)
    found = scores(table, bins=10)
    assert found["uar"] == pytest.approx(balanced_accuracy_score(table["emotion"], predicted), abs=1e-4)
    assert found["accuracy"] == pytest.approx(np.mean(table["emotion"] == predicted), abs=1e-4)
    assert found["f1_macro"] == pytest.approx(report["macro avg"]["f1-score"], abs=1e-4)
    assert found["precision_macro"] == pytest.approx(report["macro avg"]["precision"], abs=1e-4)
    expected_auc = roc_auc_score(table["emotion"], p, multi_class="ovr", average="macro")
    assert found["auc_macro"] == pytest.approx(expected_auc, abs=1e-4)
    assert all(0 <= value <= 1 and value == round(value, 4) for value in found.values())


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_scores_do_not_depend_on_the_order_of_rows_or_on_validation_rows(seed):
    table = predictions(seed)
    validation = predictions(seed + 1).assign(part="validation")
    shuffled = pd.concat([validation, table]).sample(frac=1, random_state=seed)
    assert scores(shuffled, bins=10) == scores(table, bins=10)
    pd.testing.assert_frame_equal(per_class(shuffled), per_class(table))
    pd.testing.assert_frame_equal(roc_points(shuffled), roc_points(table))


def test_a_class_absent_from_the_test_rows_does_not_count():
    table = predictions(0).query("emotion != 'joy'").reset_index(drop=True)
    predicted = predicted_emotions(table)
    recalls = [np.mean(predicted[table["emotion"] == e] == e) for e in EMOTIONS if e != "joy"]
    assert (predicted == "joy").any()
    assert scores(table, bins=10)["uar"] == pytest.approx(np.mean(recalls), abs=1e-4)
    classes = per_class(table).set_index("emotion")
    assert classes.loc["joy", ["sensitivity", "f1", "auc"]].isna().all()
    assert classes.loc["joy", "clips"] == 0
    assert classes.loc["joy", "specificity"] == pytest.approx(np.mean(predicted != "joy"), abs=1e-4)
    assert "joy" not in set(roc_points(table)["emotion"])
    shares, counts = confusion(table)
    assert shares.loc["joy"].isna().all()
    assert counts.loc["joy"].sum() == 0


def test_a_class_never_predicted_has_precision_0():
    table = predictions(1)
    table["p_anger"] = 0.0
    row = per_class(table).set_index("emotion").loc["anger"]
    assert (row["precision"], row["sensitivity"], row["specificity"], row["f1"], row["auc"]) == (0, 0, 1, 0, 0.5)


def test_one_emotion_only_is_an_error():
    with pytest.raises(InputError, match="all test clips have the emotion fear"):
        scores(predictions(0).query("emotion == 'fear'"), bins=10)


def test_per_class_by_counting():
    table = predictions(2)
    actual, predicted = table["emotion"].to_numpy(), predicted_emotions(table)
    for row in per_class(table).itertuples():
        is_class, said_class = actual == row.emotion, predicted == row.emotion
        assert row.sensitivity == pytest.approx(said_class[is_class].mean(), abs=1e-4)
        assert row.specificity == pytest.approx((~said_class[~is_class]).mean(), abs=1e-4)
        assert row.precision == pytest.approx(is_class[said_class].mean(), abs=1e-4)
        assert row.auc == pytest.approx(roc_auc_score(is_class, table[f"p_{row.emotion}"]), abs=1e-4)
        assert row.clips == is_class.sum()


def test_confusion_counts_every_clip_and_its_diagonal_holds_the_recalls():
    table = predictions(3)
    shares, counts = confusion(table)
    assert counts.to_numpy().sum() == len(table)
    expected = pd.crosstab(table["emotion"], predicted_emotions(table))
    assert (counts.to_numpy() == expected.reindex(index=EMOTIONS, columns=EMOTIONS, fill_value=0).to_numpy()).all()
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.mean(np.diag(shares)) == pytest.approx(scores(table, bins=10)["uar"], abs=1e-4)


def test_roc_curves_rise_from_0_to_1_and_enclose_the_area():
    table = predictions(4, rows=600)
    points = roc_points(table)
    areas = per_class(table).set_index("emotion")["auc"]
    areas[MACRO] = scores(table, bins=10)["auc_macro"]
    assert set(points["emotion"]) == {*EMOTIONS, MACRO}
    for emotion, curve in points.groupby("emotion"):
        assert (curve["fpr"].diff().dropna() > 0).all()
        assert (curve["tpr"].diff().dropna() >= 0).all()
        assert curve[["fpr", "tpr"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
        assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(areas[emotion], abs=0.01)


def test_roc_point_by_counting():
    table = predictions(5, rows=600)
    positive = (table["emotion"] == "fear").to_numpy()
    curve = roc_points(table).query("emotion == 'fear'")
    for threshold in (0.2, 0.4, 0.6):
        said = (table["p_fear"] >= threshold).to_numpy()
        expected = said[positive].mean()
        assert np.interp(said[~positive].mean(), curve["fpr"], curve["tpr"]) == pytest.approx(expected, abs=0.03)


@given(
    shares=st.lists(st.integers(0, 20), min_size=1, max_size=10, unique=True),
    offset=st.sampled_from([0.0, 0.05, -0.05]),
)
@settings(deadline=None)
def test_calibration_error_is_how_far_confidence_is_off(shares, offset):
    """Of 20 rows at confidence k/20 exactly k are correct; then all confidences are moved by `offset`."""
    confidence = np.repeat(np.array(shares) / 20, 20)
    correct = np.concatenate([np.arange(20) < share for share in shares])
    moved = np.clip(confidence + offset, 0, 1)
    expected = np.abs(moved - confidence).mean()
    assert expected_calibration_error(moved, correct, bins=40) == pytest.approx(expected, abs=1e-9)


@given(seed=st.integers(0, 10_000), bins=st.integers(1, 30))
@settings(deadline=None)
def test_calibration_error_equals_a_loop_over_bins(seed, bins):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.uniform(size=100), rng.uniform(size=100) < 0.5
    expected = 0.0
    for lower, upper in zip(np.arange(bins) / bins, np.arange(1, bins + 1) / bins, strict=True):
        inside = (confidence > lower) & (confidence <= upper)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(confidence, correct, bins) == pytest.approx(expected, abs=1e-9)


def test_calibration_error_of_certainty():
    assert expected_calibration_error(np.ones(4), np.array([True, True, True, True]), bins=10) == 0
    assert expected_calibration_error(np.ones(4), np.array([True, False, False, False]), bins=10) == 0.75


def split(**roles: list[str | None]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return clips of the speakers a, a, b, c and folds in which they have these roles."""
    clips = pd.DataFrame({"clip": ["1", "2", "3", "4"], "speaker": ["a", "a", "b", "c"]})
    return clips, pd.DataFrame({"clip": clips["clip"], **roles})


def test_speaker_disjoint_folds_are_independent():
    clips, folds = split(fold_0=["train", "train", "validation", "test"], fold_1=["test", "test", "train", None])
    assert speaker_dependence(clips, folds, "kfold") == ""
    assert validation_sharing_speakers(clips, folds) == []


@pytest.mark.parametrize("other", ["train", "validation"])
def test_a_speaker_on_both_sides_is_named(other):
    clips, folds = split(fold_0=["train", "train", "train", "test"], fold_1=[other, "test", "train", "train"])
    assert (
        speaker_dependence(clips, folds, "predefined") == "speaker a is in the training and in the test part of fold_1"
    )


def test_random_and_unknown_speakers_are_dependent():
    clips, folds = split(fold_0=["train", "train", "train", "test"])
    assert "random" in speaker_dependence(clips, folds, "random")
    clips.loc[3, "speaker"] = None
    assert speaker_dependence(clips, folds, "predefined") == "1 clips have no known speaker"


def test_an_unknown_speaker_outside_all_folds_does_not_matter():
    clips, folds = split(fold_0=["train", "train", "test", None])
    clips.loc[3, "speaker"] = None
    assert speaker_dependence(clips, folds, "kfold") == ""


def test_validation_by_statement_is_found_by_fold():
    roles = ["train", "validation", "test", "train"]
    clips, folds = split(fold_0=["train", "train", "test", "train"], fold_10=roles, fold_9=roles)
    assert validation_sharing_speakers(clips, folds) == ["fold_9", "fold_10"]
    assert speaker_dependence(clips, folds, "kfold") == ""
