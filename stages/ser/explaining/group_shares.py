"""What each of several groups brings to a value: Shapley's shares.

A group is present or absent; its share is what it adds when it comes, on average over all orders in which the groups
may come [1]_. The shares add up to the difference between all and none.

References
----------
.. [1] L. S. Shapley, "A value for n-person games", 1953; S. Lundberg, S.-I. Lee, "A unified approach to interpreting
   model predictions", NeurIPS, 2017 (for models).
.. [2] R. Mitchell, J. Cooper, E. Frank, G. Holmes, "Sampling permutations for Shapley value estimation", JMLR 23, 2022
   (an order and its reverse together).
"""

from collections.abc import Callable
from math import factorial

import numpy as np

from ser.storage.seeds import generator

EXACT = 11  # groups, up to which all sets of them are tried
PAIRS = 40  # orders that are drawn of more groups, each with its reverse


def shares_of(value: Callable[[np.ndarray], np.ndarray], groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each group, and the standard error that drawing orders leaves it.

    Parameters
    ----------
    value : callable
        Takes which groups are present, bool of shape (sets, groups); returns the values, shape (sets,).
    groups : int
        How many; up to `EXACT` the shares are exact.

    Returns
    -------
    shares, errors : np.ndarray, shape (groups,)
    """
    if groups <= EXACT:
        return _exact(value, groups), np.zeros(groups)
    rng = generator(0, "orders", groups)
    drawn = np.array([rng.permutation(groups) for _ in range(PAIRS)])
    orders = np.concatenate([drawn, drawn[:, ::-1]])
    # after how many groups each one comes, and so which are there with it
    place = np.argsort(orders, axis=1)
    present = place[:, np.newaxis, :] < np.arange(groups + 1)[:, np.newaxis]
    distinct, which = np.unique(present.reshape(-1, groups), axis=0, return_inverse=True)
    values = np.asarray(value(distinct), dtype=np.float64)[which.ravel()].reshape(len(orders), groups + 1)
    added = np.empty((len(orders), groups))
    np.put_along_axis(added, orders, np.diff(values, axis=1), axis=1)
    pairs = (added[:PAIRS] + added[PAIRS:]) / 2
    return pairs.mean(axis=0), pairs.std(axis=0, ddof=1) / np.sqrt(PAIRS)


def _exact(value: Callable[[np.ndarray], np.ndarray], groups: int) -> np.ndarray:
    numbers = np.arange(2**groups)
    present = (numbers[:, np.newaxis] >> np.arange(groups) & 1).astype(bool)
    values, sizes = np.asarray(value(present), dtype=np.float64), present.sum(axis=1)
    weights = np.array([factorial(size) * factorial(groups - size - 1) / factorial(groups) for size in range(groups)])
    shares = np.empty(groups)
    for group in range(groups):
        absent = numbers[~present[:, group]]
        shares[group] = weights[sizes[absent]] @ (values[absent | 1 << group] - values[absent])
    return shares
