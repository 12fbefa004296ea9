"""Emotions that are rare in training are made more probable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score

from ser.probabilities.logit_adjustment import adjust, class_factors

COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=8).filter(any)


def test_odds_are_divided_by_the_number_of_clips():
    factors = class_factors(np.array([40, 20, 10, 0]), 1.0)
    assert factors == [1.0, 2.0, 4.0, 4.0]  # a class without clips is as rare as the rarest
    adjusted = adjust(np.array([[0.4, 0.3, 0.2, 0.1]], dtype=np.float32), factors)
    assert adjusted.dtype == np.float32
    assert np.allclose(adjusted, np.array([[0.4, 0.6, 0.8, 0.4]]) / 2.2)


@given(COUNTS, st.floats(0, 3), st.floats(0, 3))
def test_strengths_add_up(counts, first, second):
    factors = [np.array(class_factors(np.array(counts), strength)) for strength in (first, second, first + second)]
    assert np.allclose(factors[0] * factors[1], factors[2])


@given(COUNTS)
def test_nothing_changes_without_strength_or_with_equal_counts(counts):
    probabilities = np.random.default_rng(1).dirichlet(np.ones(len(counts)), 5)
    for factors in (class_factors(np.array(counts), 0.0), class_factors(np.full(len(counts), 7), 2.0)):
        assert adjust(probabilities, factors) is probabilities


@pytest.mark.parametrize("seed", range(3))
def test_a_plain_model_of_unbalanced_classes_gains_recall(seed):
    x, y = make_classification(4000, n_classes=3, n_informative=4, weights=[0.8, 0.15], random_state=seed)
    model = LogisticRegression().fit(x[:2000], y[:2000])
    plain = model.predict_proba(x[2000:])
    adjusted = adjust(plain, class_factors(np.bincount(y[:2000]), 1.0))
    recalls = [recall_score(y[2000:], p.argmax(axis=1), average="macro") for p in (plain, adjusted)]
    assert recalls[1] > recalls[0] + 0.02
