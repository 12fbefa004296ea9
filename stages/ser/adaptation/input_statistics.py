"""What the inputs of a model are like, column by column: of the recordings it learnt from, and of others."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

PRIOR = 10  # clips that the old deviations count for beside those of few new clips, whose own are uncertain
CERTAINTY = 0.99  # with which clips of the same recordings move nothing
MEDIAN_VARIANCE = np.pi / 2  # of a median of many normal values, in relation to that of their mean
LEAST_DEVIATION = 1e-6  # of the size of the mean: below, a column is constant but for rounding


class Statistics(NamedTuple):
    """Where the values of each column lie and how far they spread, shape (columns,), float64.

    Attributes
    ----------
    mean, deviation : np.ndarray
        See `statistics_of`, and `middle_statistics`. The deviation of a constant column is 0.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of_json(cls, stored: dict) -> "Statistics":
        """Return what `as_json` wrote."""
        return cls(np.array(stored["mean"], dtype=np.float64), np.array(stored["deviation"], dtype=np.float64))

    def as_json(self) -> dict[str, list[float]]:
        """Return lists of numbers with six digits, for a ``model.json``."""
        return {name: [float(f"{value:.6g}") for value in values] for name, values in self._asdict().items()}


class Distance(NamedTuple):
    """How far statistics lie from others, in deviations of the latter.

    Attributes
    ----------
    typical, tenth : float
        Half of the means are further off than the first, a tenth of them further than the second.
    deviations : float
        How large the deviations are against the others, in the middle of the columns.
    """

    typical: float
    tenth: float
    deviations: float


def statistics_of(arrays: Iterable[np.ndarray]) -> Statistics:
    """Return the statistics of rows, which come in one or several arrays of shape (rows, columns).

    Parameters
    ----------
    arrays : iterable of np.ndarray
        Functionals of all clips in one, or the frames of a clip in each.

    Raises
    ------
    ValueError
        If there are no rows.
    """
    count, mean, squares = 0, np.float64(0), np.float64(0)
    for array in arrays:
        rows = np.asarray(array, dtype=np.float64)
        if not len(rows):
            continue
        # the squares of an array are added up around its own mean, and moved to that of all: no digits are lost
        own, together = rows.mean(axis=0), count + len(rows)
        squares = squares + np.square(rows - own).sum(axis=0) + np.square(own - mean) * (count * len(rows) / together)
        mean, count = mean + (own - mean) * (len(rows) / together), together
    if not count:
        raise ValueError("no rows")
    deviation = np.sqrt(squares / count)
    return Statistics(mean, np.where(deviation > LEAST_DEVIATION * np.abs(mean), deviation, 0.0))


def middle_statistics(rows: np.ndarray) -> Statistics:
    """Return the median of each column, and half the range of the middle 68 %: the deviation, were it normal.

    Functionals have long tails, and a few clips in them move a mean. Of a column that is nearly always the same it is
    the standard deviation.

    Parameters
    ----------
    rows : np.ndarray, shape (n, columns)
    """
    low, middle, high = np.percentile(np.asarray(rows, dtype=np.float64), [16, 50, 84], axis=0)
    usual = statistics_of([rows]).deviation
    return Statistics(middle, np.where((high > low) & (usual > 0), (high - low) / 2, usual))


def beyond_chance(old: Statistics, new: Statistics, rows: np.ndarray) -> Statistics:
    """Return new statistics, drawn back to the old ones as far as the choice of few clips may have made the difference.

    Clips of the recordings that the old ones are of lie off by chance alone. As James and Stein [1]_ shrink many means
    at once: by what the mean square of all of them may be by chance, in relation to what it is. Columns go together,
    and so that may be far more than on the average: a sum of squares of correlated values is like one of as few
    independent ones as have its variance (Satterthwaite [2]_), of which `CERTAINTY` stay below. Deviations are drawn
    back besides, as those of few clips are uncertain: the logarithms of the old ones count for `PRIOR` clips.

    Parameters
    ----------
    old, new : Statistics
    rows : np.ndarray, shape (clips, columns)
        That the new ones are of.

    References
    ----------
    .. [1] B. Efron, C. Morris, "Stein's estimation rule and its competitors: an empirical Bayes approach", Journal of
       the American Statistical Association 68, 1973.
    .. [2] F. E. Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics Bulletin
       2, 1946.
    """
    clips, varied = len(rows), old.deviation > 0
    if not varied.any():
        return old
    off = (new.mean - old.mean)[varied] / old.deviation[varied]
    freedom = independent_columns(rows)
    by_chance = MEDIAN_VARIANCE / clips * gammaincinv(freedom / 2, CERTAINTY) / (freedom / 2)  # a quantile of chi²
    share = max(0.0, 1 - by_chance / max(float(np.square(off).mean()), by_chance))
    ratio = np.divide(new.deviation, old.deviation, out=np.ones_like(old.deviation), where=varied & (new.deviation > 0))
    deviation = old.deviation * ratio ** (share * clips / (clips + PRIOR))
    return Statistics(old.mean + share * (new.mean - old.mean), deviation)


def independent_columns(rows: np.ndarray) -> float:
    """Return how many independent columns would have sums of squares that vary as much as those of these columns.

    The squared trace of their correlations over the trace of the squared ones, less what few rows alone add to this; 1
    at least.

    Parameters
    ----------
    rows : np.ndarray, shape (n, columns)
    """
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    scale = centred.std(axis=0)
    standard = centred[:, scale > LEAST_DEVIATION * np.abs(rows).max(axis=0)]
    standard = standard / standard.std(axis=0)
    n, columns = standard.shape
    if columns < 2 or n < 3:
        return 1.0
    squared = float(np.square(standard @ standard.T).sum()) / n**2 - columns**2 / (n - 1)
    return columns**2 / min(max(squared, columns), columns**2)


def movement(old: Statistics, new: Statistics) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what moves inputs from new statistics to old ones: ``(x - subtract) * factor + add``, float32.

    Columns that were constant, in the old recordings or the new ones, are only shifted.
    """
    usable = (old.deviation > 0) & (new.deviation > 0)
    factor = np.divide(old.deviation, new.deviation, out=np.ones_like(old.deviation), where=usable)
    return new.mean.astype(np.float32), factor.astype(np.float32), old.mean.astype(np.float32)


def distance(old: Statistics, new: Statistics) -> Distance:
    """Return how far new statistics lie from old ones; columns that were constant say nothing."""
    varied = old.deviation > 0
    if not varied.any():
        return Distance(0.0, 0.0, 1.0)
    off = np.abs(new.mean - old.mean)[varied] / old.deviation[varied]
    ratio = float(np.median(new.deviation[varied] / old.deviation[varied]))
    return Distance(float(np.median(off)), float(np.percentile(off, 90)), ratio)
