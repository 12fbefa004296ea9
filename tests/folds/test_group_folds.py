"""Dealing whole groups to folds: as many folds as were asked for, however scikit-learn deals them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.folds.group_folds import deal_groups, fill_empty_folds


@pytest.mark.parametrize("seed", range(20))
def test_with_as_many_groups_as_folds_each_group_is_a_fold(seed):
    """Of 12 speakers, half of them female, scikit-learn left folds empty by 6 of these seeds."""
    groups = np.repeat([f"s{number:02d}" for number in range(12)], 4)
    labels = np.array([f"{emotion}{number % 2}" for number in range(12) for emotion in "aabb"])
    number = deal_groups(labels, groups, 12, seed)
    assert [len(set(groups[number == fold])) for fold in range(12)] == [1] * 12


def test_the_group_that_moves_leaves_the_sizes_as_even_as_can_be():
    groups = np.array([*"aaaabbbcdd"])
    number = np.where(np.isin(groups, [*"dd"]), 1, 0)
    assert fill_empty_folds(number, groups, 3).tolist() == [2, 2, 2, 2, 0, 0, 0, 0, 1, 1]


def test_folds_of_which_none_is_empty_stay():
    number = np.array([0, 0, 2, 1, 1])
    assert fill_empty_folds(number, np.array([*"aabcc"]), 3).tolist() == number.tolist()


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=9), st.integers(2, 9), st.integers(0, 99))
def test_no_fold_is_empty_no_group_is_parted_and_the_order_of_rows_does_not_matter(sizes, folds, seed):
    folds = min(folds, len(sizes))
    groups = np.repeat([f"s{number}" for number in range(len(sizes))], sizes)
    labels = np.array(["a" if row % 3 else "b" for row in range(len(groups))])
    labels = labels if np.unique(labels, return_counts=True)[1].max() >= folds else np.full(len(groups), "")
    number = deal_groups(labels, groups, folds, seed)
    assert set(number) == set(range(folds))
    assert all(len(set(number[groups == group])) == 1 for group in groups)
    order = np.random.default_rng(seed).permutation(len(groups))
    assert deal_groups(labels[order], groups[order], folds, seed).tolist() == number[order].tolist()
