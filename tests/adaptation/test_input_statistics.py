"""Where inputs lie and how far they spread, and how much of a difference few clips may have made by chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.adaptation.input_statistics import (
    Statistics,
    beyond_chance,
    distance,
    independent_columns,
    middle_statistics,
    movement,
    statistics_of,
)

MODEST = settings(max_examples=60, deadline=None, database=None, derandomize=True)


@MODEST
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 7), min_size=1, max_size=6), st.floats(-1e6, 1e6))
def test_rows_may_come_in_any_pieces_and_lie_anywhere(seed, lengths, offset):
    rows = np.random.default_rng(seed).normal(offset, 3, (sum(lengths) + 1, 4))
    found = statistics_of(np.split(rows, np.cumsum(lengths)))
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.deviation, rows.std(axis=0), rtol=1e-6, atol=1e-9 * abs(offset))


def test_no_rows_have_no_statistics():
    with pytest.raises(ValueError, match="no rows"):
        statistics_of([np.empty((0, 3))])


def test_the_middle_heeds_no_tails():
    rows = np.random.default_rng(0).normal(5, 2, (5000, 1))
    rows[:50] = 1e6
    found = middle_statistics(rows)
    assert found.mean == pytest.approx([5], abs=0.15) and found.deviation == pytest.approx([2], abs=0.15)


def test_a_column_that_is_nearly_always_the_same_keeps_its_deviation():
    rows = np.zeros((100, 2))
    rows[:10, 0] = 4.0
    found = middle_statistics(rows)
    assert found.deviation[0] == pytest.approx(rows[:, 0].std()) and found.deviation[1] == 0


def test_moved_inputs_have_the_old_statistics():
    rng = np.random.default_rng(1)
    old, rows = middle_statistics(rng.normal(3, 2, (400, 5))), rng.normal(-50, 9, (300, 5))
    subtract, factor, add = movement(old, middle_statistics(rows))
    moved = middle_statistics((rows.astype(np.float32) - subtract) * factor + add)
    np.testing.assert_allclose(moved.mean, old.mean, atol=1e-4)
    np.testing.assert_allclose(moved.deviation, old.deviation, rtol=1e-4)


def test_constant_columns_are_only_shifted():
    old, new = (
        Statistics(np.array([1.0, 2.0]), np.array([0.0, 3.0])),
        Statistics(np.array([7.0, 8.0]), np.array([2.0, 0])),
    )
    _, factor, _ = movement(old, new)
    assert factor.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("clips", [20, 60, 200])
@pytest.mark.parametrize("common", [0, 4])
def test_clips_of_the_same_recordings_move_nothing(clips, common):
    """Else a model that is adapted to its own corpus would change by the choice of the clips; also where columns go
    together, so that all of them lie off at once.
    """
    rng = np.random.default_rng(2)
    rows = rng.normal(0, 1, (2000, 300))
    if common:
        rows = 0.3 * rows + rng.normal(0, 1, (2000, common)) @ rng.normal(0, 1, (common, 300))
    old, moved = middle_statistics(rows), 0
    for _ in range(100):
        some = rows[rng.permutation(2000)[:clips]]
        moved += not np.allclose(beyond_chance(old, middle_statistics(some), some).mean, old.mean)
    assert moved <= 4


def test_what_lies_far_off_is_moved_by_nearly_all_of_it():
    rng = np.random.default_rng(3)
    old, rows = middle_statistics(rng.normal(0, 1, (2000, 300))), rng.normal(2, 3, (40, 300))
    new = middle_statistics(rows)
    found = beyond_chance(old, new, rows)
    np.testing.assert_allclose(found.mean, new.mean, atol=0.15)
    assert (found.deviation < new.deviation).mean() > 0.99 and found.deviation.mean() > 0.75 * new.deviation.mean()


def test_columns_that_go_together_count_once():
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(500, 5))
    assert independent_columns(rows) == pytest.approx(5, rel=0.1)
    assert independent_columns(np.repeat(rows, 20, axis=1)) == pytest.approx(5, rel=0.1)
    assert independent_columns(np.c_[rows, np.ones((500, 9))]) == pytest.approx(5, rel=0.1)
    assert independent_columns(np.ones((30, 4))) == 1


def test_distance_counts_in_old_deviations():
    old = Statistics(np.zeros(10), np.r_[np.full(9, 2.0), 0.0])
    found = distance(old, Statistics(np.r_[np.full(8, 1.0), 10.0, 99.0], np.full(10, 4.0)))
    assert found.typical == 0.5 and 0.5 < found.tenth <= 5 and found.deviations == 2


def test_stored_numbers_come_back():
    found = Statistics(np.array([1.5, -2e-7]), np.array([0.25, 0.0]))
    back = Statistics.of_json(found.as_json())
    np.testing.assert_allclose(back.mean, found.mean) and np.testing.assert_allclose(back.deviation, found.deviation)
