"""Scores and curves of prediction tables against independent computations and against their own properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    classification_report,
    roc_auc_score,
)

from ser.errors import InputError
from ser.evaluation.scored_speakers import speakers_of
from ser.evaluation.scoring import MACRO, confusion, per_class, precision_recall_points, roc_points, scores
from ser.storage.prediction_tables import predicted_emotions, probabilities_of
from synthetic_predictions import EMOTIONS, predictions, rows_to_score

SETTINGS = {"bins": 10, "confidence": 0.95}


def scored(table: pd.DataFrame, clips: pd.DataFrame) -> dict[str, float]:
    rows = table[table["part"] == "test"]
    return {name: interval.value for name, interval in scores(table, speakers_of(rows, clips), **SETTINGS).items()}


def classes_of(table: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
    return per_class(table, speakers_of(table[table["part"] == "test"], clips), confidence=0.95)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_scores_equal_independent_computations(seed):
    table, clips = predictions(seed)
    rows = rows_to_score(table)
    p = probabilities_of(rows)
    report = classification_report(rows["emotion"], rows["predicted"], output_dict=True, zero_division=0)
    found = scored(table, clips)
    assert found["uar"] == pytest.approx(balanced_accuracy_score(rows["emotion"], rows["predicted"]))
    assert found["accuracy"] == pytest.approx(np.mean(rows["emotion"] == rows["predicted"]))
    assert found["f1_macro"] == pytest.approx(report["macro avg"]["f1-score"])
    assert found["precision_macro"] == pytest.approx(report["macro avg"]["precision"])
    assert found["auc_macro"] == pytest.approx(roc_auc_score(rows["emotion"], p, multi_class="ovr", average="macro"))
    assert found["brier"] == pytest.approx(brier_score_loss(rows["emotion"], p, labels=EMOTIONS, scale_by_half=False))


def test_the_interval_of_accuracy_with_equal_speakers_is_that_of_t_over_them():
    """On the logit scale; the jackknife of a mean of equal groups is the standard error of their mean."""
    table, clips = predictions(1)
    rows = rows_to_score(table)
    found = scores(table, speakers_of(rows, clips), **SETTINGS)["accuracy"]
    of_speaker = (rows["emotion"] == rows["predicted"]).groupby(clips["speaker"]).mean()
    mean = of_speaker.mean()
    error = of_speaker.std(ddof=1) / np.sqrt(12) / (mean * (1 - mean))
    low, high = stats.t.interval(0.95, 11, loc=np.log(mean / (1 - mean)), scale=error)
    assert (found.low, found.high) == pytest.approx((1 / (1 + np.exp(-low)), 1 / (1 + np.exp(-high))), abs=0.003)


def test_every_score_but_the_calibration_error_has_an_interval_around_it():
    table, clips = predictions(2)
    found = scores(table, speakers_of(rows_to_score(table), clips), **SETTINGS)
    assert np.isnan(found.pop("ece").low)
    assert all(interval.low < interval.value < interval.high for interval in found.values())


@given(seed=st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_scores_do_not_depend_on_the_order_of_rows_or_on_validation_rows(seed):
    table, clips = predictions(seed)
    shuffled = table.sample(frac=1, random_state=seed)
    validation = shuffled["part"] == "validation"
    shuffled.loc[validation, shuffled.filter(like="p_").columns] = 1 / len(EMOTIONS)
    assert scored(shuffled, clips) == pytest.approx(scored(table, clips))
    pd.testing.assert_frame_equal(classes_of(shuffled, clips), classes_of(table, clips))
    pd.testing.assert_frame_equal(roc_points(shuffled), roc_points(table))


def test_a_class_absent_from_the_test_rows_does_not_count():
    table, clips = predictions(0)
    table = table.query("emotion != 'joy'").reset_index(drop=True)
    rows = rows_to_score(table)
    recalls = [np.mean(rows["predicted"][rows["emotion"] == e] == e) for e in EMOTIONS if e != "joy"]
    assert (rows["predicted"] == "joy").any()
    assert scored(table, clips)["uar"] == pytest.approx(np.mean(recalls))
    classes = classes_of(table, clips).set_index("emotion")
    assert classes.loc["joy", ["sensitivity", "low", "high", "f1", "auc"]].isna().all()
    assert classes.loc["joy", "clips"] == 0
    assert classes.loc["joy", "specificity"] == pytest.approx(np.mean(rows["predicted"] != "joy"))
    for points in (roc_points(table), precision_recall_points(table)):
        assert "joy" not in set(points["emotion"])
    shares, counts = confusion(table)
    assert shares.loc["joy"].isna().all()
    assert counts.loc["joy"].sum() == 0


def test_a_class_of_one_speaker_leaves_no_interval_but_that_of_the_accuracy():
    table, clips = predictions(3)
    alone = clips.loc[(clips["emotion"] != "joy") | (clips["speaker"] == "s03"), "clip"]
    table = table[table["clip"].isin(alone)].reset_index(drop=True)
    found = scores(table, speakers_of(rows_to_score(table), clips), **SETTINGS)
    assert [name for name, interval in found.items() if not np.isnan(interval.low)] == ["accuracy", "brier"]
    classes = classes_of(table, clips).set_index("emotion")
    assert list(classes.index[classes["low"].isna()]) == ["joy"]


def test_a_class_never_predicted_has_precision_0():
    table, clips = predictions(1)
    table["p_anger"] = 0.0
    row = classes_of(table, clips).set_index("emotion").loc["anger"]
    assert (row["precision"], row["sensitivity"], row["specificity"], row["f1"], row["auc"]) == (0, 0, 1, 0, 0.5)


def test_one_emotion_only_is_an_error():
    table, clips = predictions(0)
    with pytest.raises(InputError, match="all test clips have the emotion fear"):
        scored(table.query("emotion == 'fear'"), clips)


def test_per_class_by_counting():
    table, clips = predictions(2)
    rows = rows_to_score(table)
    for row in classes_of(table, clips).itertuples():
        is_class, said_class = rows["emotion"] == row.emotion, rows["predicted"] == row.emotion
        assert row.sensitivity == pytest.approx(said_class[is_class].mean())
        assert row.specificity == pytest.approx((~said_class[~is_class]).mean())
        assert row.precision == pytest.approx(is_class[said_class].mean())
        assert row.auc == pytest.approx(roc_auc_score(is_class, rows[f"p_{row.emotion}"]))
        assert row.clips == is_class.sum()
        assert row.low < row.sensitivity < row.high


def test_confusion_counts_every_clip_and_its_diagonal_holds_the_recalls():
    table, clips = predictions(3)
    rows = rows_to_score(table)
    shares, counts = confusion(table)
    assert counts.to_numpy().sum() == len(rows)
    expected = pd.crosstab(rows["emotion"], predicted_emotions(rows))
    assert (counts.to_numpy() == expected.reindex(index=EMOTIONS, columns=EMOTIONS, fill_value=0).to_numpy()).all()
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.mean(np.diag(shares)) == pytest.approx(scored(table, clips)["uar"])


def test_roc_curves_rise_from_0_to_1_and_enclose_the_area():
    table, clips = predictions(4, clips=50)
    points = roc_points(table)
    areas = classes_of(table, clips).set_index("emotion")["auc"]
    areas[MACRO] = scored(table, clips)["auc_macro"]
    assert set(points["emotion"]) == {*EMOTIONS, MACRO}
    for emotion, curve in points.groupby("emotion"):
        assert (curve["fpr"].diff().dropna() > 0).all()
        assert (curve["tpr"].diff().dropna() >= 0).all()
        assert curve[["fpr", "tpr"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
        assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(areas[emotion], abs=0.01)


def test_roc_point_by_counting():
    table, _ = predictions(5, clips=150)
    rows = rows_to_score(table)
    positive = (rows["emotion"] == "fear").to_numpy()
    curve = roc_points(table).query("emotion == 'fear'")
    for threshold in (0.2, 0.4, 0.6):
        said = (rows["p_fear"] >= threshold).to_numpy()
        expected = said[positive].mean()
        assert np.interp(said[~positive].mean(), curve["fpr"], curve["tpr"]) == pytest.approx(expected, abs=0.03)


def test_precision_at_each_recall_is_the_best_of_all_thresholds():
    rows = rows_to_score(predictions(6)[0])
    points = precision_recall_points(rows)
    for emotion in EMOTIONS:
        positive, found = rows["emotion"] == emotion, points[points["emotion"] == emotion]
        said = [rows[f"p_{emotion}"] >= threshold for threshold in rows[f"p_{emotion}"]]
        precisions = np.array([positive[chosen].mean() for chosen in said])
        recalls = np.array([chosen[positive].mean() for chosen in said])
        expected = [precisions[recalls >= recall - 1e-12].max() for recall in found["recall"]]
        np.testing.assert_allclose(found["precision"], expected)
        area = np.trapezoid(found["precision"], found["recall"])
        assert area == pytest.approx(average_precision_score(positive, rows[f"p_{emotion}"]), abs=0.04)
    macro = points[points["emotion"] == MACRO]
    others = points[points["emotion"] != MACRO].groupby("recall")["precision"].mean()
    np.testing.assert_allclose(macro["precision"], others)
