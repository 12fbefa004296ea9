"""Opinion pools: their kinds of mean, their weights, and which kind is chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ser.fusion.opinion_pools import learn_pool, learn_weights
from ser.probabilities.fused import LEAST_PROBABILITY, Rule, pool
from ser.probabilities.fused import fuse as apply
from synthetic_predictions import labelled

POWERS = [0.0, 0.3, 1.0]


def objective(weight: float, probabilities: np.ndarray, truth: np.ndarray, shrinkage: float, power: float) -> float:
    """Return what two members' weights minimise, written down anew and row by row."""
    total = 0.0
    for row, actual in enumerate(truth):
        one, other = probabilities[0, row], probabilities[1, row]
        if power:
            together = (weight * one**power + (1 - weight) * other**power) ** (1 / power)
        else:
            together = one**weight * other ** (1 - weight)
        of_class = len(truth) / (len(set(truth)) * (truth == actual).sum())
        total -= of_class * np.log(together[actual] / together.sum())
    return total + shrinkage * (weight * np.log(2 * weight) + (1 - weight) * np.log(2 * (1 - weight)))


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("shrinkage", [0.0, 5.0, 100.0])
@pytest.mark.parametrize("skills", [[1.0, 1.5], [2.0, 0.3]])
def test_two_weights_are_those_of_a_search_through_all(skills, shrinkage, power):
    probabilities, truth = labelled(1, 60, skills)
    found = learn_weights(probabilities, truth, shrinkage, power)
    grid = np.arange(1, 1000) / 1000
    best = grid[np.argmin([objective(weight, probabilities, truth, shrinkage, power) for weight in grid])]
    assert found[0] == pytest.approx(best, abs=0.0011)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("power", POWERS)
def test_a_member_that_guesses_counts_nothing_and_strong_shrinkage_makes_all_equal(power):
    probabilities, truth = labelled(2, 200, [2.0, 2.0, 0.0])
    weights = learn_weights(probabilities, truth, 3.0, power)
    assert weights[2] < 0.001
    assert np.all(weights[:2] > 0.3)
    assert np.allclose(learn_weights(probabilities, truth, 1e9, power), 1 / 3, atol=1e-6)


def test_kinds_of_mean():
    """Power 0 is the geometric mean, 1 the arithmetic one, and what is nearly 0 is as good as 0."""
    probabilities, _ = labelled(3, 50, [1.0, 1.0])
    weights = np.array([0.3, 0.7])
    product = probabilities[0] ** 0.3 * probabilities[1] ** 0.7
    geometric, arithmetic = product / product.sum(axis=1, keepdims=True), np.tensordot(weights, probabilities, axes=1)
    assert np.allclose(pool(probabilities, weights), geometric)
    assert np.allclose(pool(probabilities, weights, 1.0), arithmetic)
    roots = (weights @ np.sqrt(probabilities).reshape(2, -1)).reshape(arithmetic.shape) ** 2
    assert np.allclose(pool(probabilities, weights, 0.5), roots / roots.sum(axis=1, keepdims=True))
    for nearly in (5e-324, 1e-30, 1e-7, 1e-6, 1e-5):
        assert np.allclose(pool(probabilities, weights, nearly), geometric, atol=1e-4)


@pytest.mark.parametrize("power", POWERS)
@given(seed=st.integers(0, 1000), order=st.permutations(range(3)), rows=st.permutations(range(30)))
@hypothesis_settings(max_examples=15, deadline=None)
def test_weights_go_with_their_members_and_do_not_depend_on_the_order_of_rows(power, seed, order, rows):
    probabilities, truth = labelled(seed, 30, [1.0, 2.0, 0.5])
    weights = learn_weights(probabilities, truth, 5.0, power)
    order, rows = list(order), list(rows)
    shuffled = learn_weights(probabilities[order][:, rows], truth[rows], 5.0, power)
    assert np.allclose(shuffled, weights[order], atol=1e-4)


@pytest.mark.parametrize("powers", [[0.0], [1.0], POWERS])
@given(seed=st.integers(0, 1000), members=st.integers(1, 4))
@hypothesis_settings(max_examples=15, deadline=None)
def test_copies_of_a_member_share_its_weight_and_are_fused_to_it(powers, seed, members):
    probabilities, truth = labelled(seed, 30, [1.5])
    copies = np.repeat(probabilities, members, axis=0)
    rule = learn_pool(copies, truth, 5.0, powers)
    assert np.allclose(rule.weights, 1 / members, atol=1e-4)
    assert np.allclose(apply(copies, rule), np.maximum(probabilities[0], LEAST_PROBABILITY), atol=1e-5)


@pytest.mark.parametrize("power", POWERS)
def test_certain_members_are_pooled_without_infinities(power):
    probabilities = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    weights = learn_weights(probabilities, np.array([0, 1]), 1.0, power)
    assert weights[0] > 0.6
    assert np.isfinite(pool(probabilities, weights, power)).all()


def drawn_by(together: np.ndarray, seed: int) -> np.ndarray:
    """Draw a class a row, shape (rows,), by probabilities of shape (rows, classes)."""
    draws = np.random.default_rng(seed).random((len(together), 1))
    return np.minimum((together.cumsum(axis=1) < draws).sum(axis=1), together.shape[1] - 1)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_the_kind_of_mean_that_the_truth_has_is_chosen(power):
    """Classes that come of a mixture of what members say want the arithmetic mean, those of a product the other."""
    odds = np.exp(2.5 * np.random.default_rng(5).normal(size=(2, 1500, 5)))
    members = odds / odds.sum(axis=2, keepdims=True)
    truth = drawn_by(pool(members, np.array([0.5, 0.5]), power), seed=6)
    for powers in ([0.0, 1.0], [1.0, 0.0]):
        rule = learn_pool(members, truth, 30.0, powers)
        assert rule.power == power
        assert np.allclose(rule.weights, 0.5, atol=0.06)


def test_the_first_kind_is_taken_where_nothing_tells_them_apart():
    probabilities, truth = labelled(7, 20, [1.0, 2.0])
    for members, rows in ((2, 0), (1, 20)):
        for powers in (POWERS, POWERS[::-1]):
            rule = learn_pool(probabilities[:members, :rows], truth[:rows], 3.0, powers)
            assert rule.as_json() == Rule("weights", np.full(members, 1 / members), power=powers[0]).as_json()
