"""Calibration scores and temperature scaling against scikit-learn and by what must come out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from ser.evaluation.calibration import (
    calibration_scores,
    expected_calibration_error,
    log_losses,
    reliability,
    squared_errors,
    temperature_scaled,
    truth_of,
)
from ser.probabilities.model_results import temperatures_of
from ser.probabilities.temperature import LEAST_PROBABILITY, TEMPERATURES, fit_temperature, scale
from ser.storage.prediction_tables import predicted_emotions, probabilities_of
from synthetic_predictions import EMOTIONS, predictions, rows_to_score


def sharpened(table: pd.DataFrame, power: float) -> pd.DataFrame:
    """Return the predictions of a model that is surer (power above 1) or less sure of the same."""
    columns = [f"p_{emotion}" for emotion in EMOTIONS]
    odds = table[columns] ** power
    return table.assign(**odds.div(odds.sum(axis=1), axis=0))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_brier_and_log_loss_equal_independent_computations(seed):
    rows = rows_to_score(predictions(seed)[0])
    p, truth = probabilities_of(rows), truth_of(rows)
    one_hot = pd.get_dummies(rows["emotion"]).to_numpy(dtype=float)
    found = calibration_scores(rows, bins=10)
    assert found["brier"] == pytest.approx(np.mean(np.sum((p - one_hot) ** 2, axis=1)))
    assert found["log_loss"] == pytest.approx(log_loss(rows["emotion"], p, labels=EMOTIONS))
    assert squared_errors(p, truth).max() <= 2


def test_brier_of_certainty():
    certain = np.eye(3)
    np.testing.assert_allclose(squared_errors(certain, np.array([0, 1, 0])), [0, 0, 2])


def test_a_zero_has_a_finite_log_loss():
    assert log_losses(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(LEAST_PROBABILITY), rel=1e-6)


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


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_reliability_equals_scikit_learn_and_holds_every_clip(seed):
    rows = rows_to_score(predictions(seed)[0])
    confidence = probabilities_of(rows).max(axis=1)
    correct = predicted_emotions(rows) == rows["emotion"]
    accuracy, mean_confidence = calibration_curve(correct, confidence, n_bins=8)
    found = reliability(rows, bins=8)
    np.testing.assert_allclose(found["accuracy"], accuracy)
    np.testing.assert_allclose(found["confidence"], mean_confidence)
    assert found["clips"].sum() == len(rows)


@pytest.mark.parametrize("power", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(power):
    """A model whose probabilities are right, made surer by a power, needs that power as its temperature."""
    table = sharpened(predictions(5, speakers=60, clips=100)[0], power)
    p, truth = probabilities_of(table), truth_of(table)
    right = fit_temperature(probabilities_of(sharpened(table, 1 / power)), truth)
    assert fit_temperature(p, truth) == pytest.approx(right * power, rel=0.01)
    candidates = np.exp(np.linspace(*np.log(TEMPERATURES), 200))
    losses = [log_loss(truth, scale(p, temperature)) for temperature in candidates]
    assert log_loss(truth, scale(p, fit_temperature(p, truth))) <= min(losses) + 1e-6


def test_scaling_keeps_the_order_of_the_classes_and_sums_to_1():
    p = probabilities_of(predictions(6)[0])
    for temperature in (0.1, 1.0, 7.0):
        scaled = scale(p, temperature)
        np.testing.assert_array_equal(scaled.argsort(axis=1), p.argsort(axis=1))
        np.testing.assert_allclose(scaled.sum(axis=1), 1)
    np.testing.assert_allclose(scale(p, 1.0), p)


def test_each_fold_is_scaled_by_its_own_validation_rows_alone():
    table = sharpened(predictions(7)[0], 2.5)
    temperatures = temperatures_of(table)
    scaled = temperature_scaled(table, temperatures)
    assert sorted(temperatures) == [0, 1, 2, 3]
    other = table.copy()
    changed = ((other["part"] == "validation") & (other["fold"] == 2)) | (other["part"] == "test")
    other.loc[changed] = sharpened(other[changed], 0.3)
    moved = temperatures_of(other)
    again = temperature_scaled(other, moved)
    assert [fold for fold in temperatures if temperatures[fold] != moved[fold]] == [2]
    for fold, rows in scaled.groupby("fold"):
        expected = scale(
            probabilities_of(table[(table["part"] == "test") & (table["fold"] == fold)]), temperatures[fold]
        )
        np.testing.assert_allclose(probabilities_of(rows), expected)
    assert len(again) == (table["part"] == "test").sum()


def test_it_helps_an_overconfident_model():
    table = sharpened(predictions(8)[0], 4.0)
    scaled = temperature_scaled(table, temperatures_of(table))
    before, after = calibration_scores(rows_to_score(table), 10), calibration_scores(scaled, 10)
    assert all(after[name] < before[name] for name in before)


def test_without_validation_rows_nothing_is_scaled():
    table = predictions(9)[0].query("part == 'test'")
    temperatures = temperatures_of(table)
    assert temperatures == dict.fromkeys(range(4), 1.0)
    scaled = temperature_scaled(table, temperatures)
    np.testing.assert_allclose(probabilities_of(scaled), probabilities_of(table), atol=1e-6)
