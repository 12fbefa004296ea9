"""The coverage-risk curve, by counting."""

import numpy as np
import pytest
from sklearn.metrics import recall_score

from ser.evaluation.coverage_risk import coverage_curve
from ser.storage.prediction_tables import probabilities_of
from synthetic_predictions import predictions, rows_to_score


def test_every_point_by_sorting_and_counting():
    rows = rows_to_score(predictions(1)[0])
    rows["sure"] = probabilities_of(rows).max(axis=1)
    curve = coverage_curve(rows.sample(frac=1, random_state=1))
    assert list(curve["coverage"]) == pytest.approx(np.arange(0.05, 1.01, 0.05))
    for point in curve.itertuples():
        decided = rows.sort_values(["sure", "clip"], ascending=[False, True])[
            : int(np.ceil(240 * point.coverage - 1e-9))
        ]
        assert point.accuracy == pytest.approx((decided["emotion"] == decided["predicted"]).mean())
        present = sorted(set(decided["emotion"]))
        expected = recall_score(decided["emotion"], decided["predicted"], labels=present, average="macro")
        assert point.uar == pytest.approx(expected)


def test_it_falls_where_confidence_means_something_and_not_where_it_is_noise():
    rows = rows_to_score(predictions(2, skill=1.5)[0])
    curve = coverage_curve(rows)
    assert curve["accuracy"].iloc[3] > curve["accuracy"].iloc[-1] + 0.1


def test_fewer_clips_than_points():
    rows = rows_to_score(predictions(3)[0])[:7]
    curve = coverage_curve(rows)
    assert len(curve) == 20
    assert curve["accuracy"].between(0, 1).all()
