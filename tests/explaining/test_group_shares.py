"""Shapley's shares, against their definition and by what they must add up to."""

from itertools import permutations

import numpy as np
import pytest

from ser.explaining.group_shares import EXACT, shares_of
from ser.explaining.log_odds import LEAST, log_odds


def game(groups: int, seed: int = 0):
    """A value with effects of single groups, of pairs, and of all together."""
    rng = np.random.default_rng(seed)
    single, pairs = rng.standard_normal(groups), rng.standard_normal((groups, groups)) / groups

    def value(present: np.ndarray) -> np.ndarray:
        p = present.astype(float)
        return p @ single + np.einsum("ni,ij,nj->n", p, pairs, p) + 0.5 * p.all(axis=1) - 1.0

    return value


def test_shares_are_the_mean_over_all_orders():
    value, groups = game(4), 4
    expected = np.zeros(groups)
    orders = list(permutations(range(groups)))
    for order in orders:
        present = np.zeros((1, groups), dtype=bool)
        before = value(present)[0]
        for group in order:
            present[0, group] = True
            now = value(present)[0]
            expected[group] += (now - before) / len(orders)
            before = now
    shares, errors = shares_of(value, groups)
    np.testing.assert_allclose(shares, expected, atol=1e-12)
    assert not errors.any()


@pytest.mark.parametrize("groups", [1, 5, EXACT, EXACT + 3])
def test_they_add_up_to_what_all_groups_bring(groups):
    value = game(groups)
    shares, _ = shares_of(value, groups)
    whole = value(np.ones((1, groups), bool)) - value(np.zeros((1, groups), bool))
    assert shares.sum() == pytest.approx(whole[0])


def test_drawn_orders_come_close_and_say_how_close():
    """Of twelve groups in two halves that know nothing of each other the shares are those of each half."""
    half, groups = game(6, seed=3), 12

    def both(present: np.ndarray) -> np.ndarray:
        return half(present[:, :6]) + half(present[:, 6:])

    exact, _ = shares_of(half, 6)
    drawn, errors = shares_of(both, groups)
    assert np.abs(drawn - np.tile(exact, 2)).max() < 4 * errors.max() < 0.5
    np.testing.assert_array_equal(shares_of(both, groups)[0], drawn)


def test_log_odds():
    p = np.array([[0.5, 0.25, 0.25], [0.9, 0.1, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    limit = np.log((1 - LEAST) / LEAST)
    np.testing.assert_allclose(log_odds(p, 0), [0, np.log(9), limit, -limit])
