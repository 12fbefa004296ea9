"""The test of flatness: its level where no stretch carries a cue, its power where one does."""

import numpy as np
import pytest

from ser.explaining.outlying_stretch import LEAST, LEVEL, flatness, outlier


@pytest.mark.parametrize("stretches", [3, 5, 8, 12, 24])
@pytest.mark.parametrize("tails", [5, 1000])
def test_stretches_that_are_alike_seldom_stand_out(stretches, tails):
    rng = np.random.default_rng(stretches)
    rejected = [flatness(rng.standard_t(tails, stretches)) < LEVEL for _ in range(400)]
    assert np.mean(rejected) < 0.075  # a twentieth, and three standard errors


def test_one_or_two_stretches_with_a_cue_stand_out():
    rng = np.random.default_rng(0)
    for cue in ([6.0], [6.0, 5.0], [-6.0]):
        effects = 0.3 * rng.standard_normal(12)
        effects[4 : 4 + len(cue)] += cue
        assert outlier(effects, flatness(effects)) == 4
        assert outlier(effects[::-1], flatness(effects[::-1])) == 12 - 4 - 1


def test_a_difference_that_is_not_worth_a_mention_is_not_mentioned():
    effects = np.array([0.0, 0.01, -0.01, 0.02, 0.0, -0.02, 0.01, 0.9 * LEAST])
    assert flatness(effects) < 0.001 and outlier(effects, flatness(effects)) is None
    effects[-1] = 1.1 * LEAST
    assert outlier(effects, flatness(effects)) == 7


@pytest.mark.parametrize("effects", [[], [0.0], [3.0, -3.0], [0.0] * 9])
def test_where_there_is_nothing_to_compare_nothing_stands_out(effects):
    assert flatness(np.array(effects)) == 1.0
