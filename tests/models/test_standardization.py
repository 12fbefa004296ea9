"""Standardising some rows at a time: scikit-learn's StandardScaler."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from ser.models.standardization import ROWS, Standardization


@pytest.mark.parametrize("n", [1, ROWS - 1, ROWS, 3 * ROWS + 1])
def test_it_is_scikit_learns(n):
    rng = np.random.default_rng(n)
    X = (1e4 * rng.standard_normal(30) + rng.standard_normal((n, 30))).astype(np.float32)
    X[:, 3] = 0.1  # constant
    own, exact = Standardization().fit(X), StandardScaler().fit(X)
    np.testing.assert_allclose(own.mean_, exact.mean_, rtol=1e-10)
    np.testing.assert_allclose(own.scale_, exact.scale_, rtol=1e-7)
    np.testing.assert_allclose(own.transform(X), exact.transform(X), atol=1e-5)


def test_a_second_fit_forgets_the_first():
    rng = np.random.default_rng(1)
    one, other = rng.standard_normal((300, 4)), 5 + rng.standard_normal((200, 4))
    assert Standardization().fit(one).fit(other).mean_.tobytes() == Standardization().fit(other).mean_.tobytes()
