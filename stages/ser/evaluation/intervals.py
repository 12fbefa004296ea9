"""How sure a score is: confidence intervals and tests over few speakers, whose clips are not independent.

A score of all test clips would be another with other speakers, whose clips are right or wrong together. So each
speaker is left out in turn, and the spread of the scores left is the variance: the jackknife [1, 2], which takes any
score. The variance of 12 speakers is itself unsure, so intervals take Student's t, with fewer degrees of freedom where
some speakers have far more clips [3, 4]; the plain bootstrap over speakers does neither and is too narrow. A score
near 0 or 1 varies mostly towards the middle, so its interval is made on the logit scale.

Speakers of one fold are scored by one trained model. Where two trainings of a recipe are compared, the luck of a
fold's training moves all its speakers together; `folds` takes that into account (see `paired_difference`). Luck that
all folds share, say that of a seed, cannot be seen in one run: only several seeds show it.

References
----------
.. [1] J. Tukey, "Bias and confidence in not-quite large samples", Annals of Mathematical Statistics 29, 1958.
.. [2] B. Efron, C. Stein, "The jackknife estimate of variance", Annals of Statistics 9(3), 1981.
.. [3] R. Bell, D. McCaffrey, "Bias reduction in standard errors for linear regression with multi-stage samples",
   Survey Methodology 28(2), 2002.
.. [4] A. Cameron, D. Miller, "A practitioner's guide to cluster-robust inference", J. Human Resources 50(2), 2015.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

MINIMUM_SPEAKERS = 5  # with fewer there is no interval and no p-value
MINIMUM_FOLDS = 3  # with two, the variance between folds has one degree of freedom, and nothing would ever be found
LEAST_FOLD_WEIGHT = 0.4  # of a fold-level test where folds look alike; see `paired_difference`
MOST_CURVED = 1.5  # times what a score would move if the logit scale were straight
NO_SPREAD = 1e-12  # what is smaller is rounding

Group = tuple[float, ArrayLike]  # a score, and the same without each speaker


class Interval(NamedTuple):
    """A score and its confidence interval; bounds are NaN where there is none."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """A difference of two scores, its confidence interval, and the p-value of the two-sided test that it is 0."""

    value: float
    low: float
    high: float
    p: float


class _Spread(NamedTuple):
    error: float  # standard error
    freedom: float  # degrees of freedom
    weight: float = 1  # of the test: p-values are multiplied by it


def score_interval(
    value: float,
    left_out: ArrayLike,
    *,
    confidence: float = 0.95,
    sizes: ArrayLike | None = None,
    folds: ArrayLike | None = None,
) -> Interval:
    """Return the confidence interval of a score between 0 and 1.

    Where speakers do not differ at all (every clip is right, say), the jackknife would give an interval without width.
    Then each speaker counts as one trial, and the bounds are those of a proportion `value` of them (Clopper & Pearson,
    Biometrika 26, 1934): 12 speakers without an error do not rule out that one in five is never understood.

    Parameters
    ----------
    value : float
        The score of all test clips, 0 to 1.
    left_out : array, shape (speakers,)
        The score of all test clips but those of each speaker; not rounded. NaN: there is none, as the speaker is the
        only one of a class. The score then hangs on one speaker, and there is no interval.
    confidence : float
        How often such intervals shall hold the true score, 0 to 1.
    sizes : array, shape (speakers,) or (speakers, classes), optional
        Clips of each speaker that the score is made of: for the recall of a class, those of that class. Speakers
        without any do not count. By default, all have equally many; then intervals are too narrow if that is not so.
    folds : array, shape (speakers,), optional
        The fold that each speaker was tested in, to take the luck of each fold's training into account.

    Raises
    ------
    ValueError
        A score is not between 0 and 1, `confidence` is not, or shapes do not fit.
    """
    left_out, shares, folds = _checked(left_out, sizes, folds, confidence)
    if any(abs(score - 0.5) > 0.5 + NO_SPREAD for score in (value, *left_out)):
        raise ValueError("a score is not between 0 and 1")
    value, left_out = float(np.clip(value, 0, 1)), np.clip(left_out, 0, 1)
    if _unknown(value, left_out, shares):
        return Interval(value, np.nan, np.nan)
    if value in (0, 1) or _speaker_spread(left_out, shares).error < NO_SPREAD:
        return Interval(value, *_proportion(value, len(left_out), confidence))
    margin = _margin(_spreads(_logits(value, left_out), shares, folds), confidence)
    low, high = special.expit(special.logit(value) + np.array([-margin, margin]))
    return Interval(value, min(float(low), value), max(float(high), value))


def paired_difference(
    value: float,
    left_out: ArrayLike,
    *,
    confidence: float = 0.95,
    sizes: ArrayLike | None = None,
    folds: ArrayLike | None = None,
) -> Difference:
    """Return the interval and the test of a difference of two models' scores on the same clips.

    With equally many clips of each speaker this is the paired t-test over speakers. `folds`, if there are at least
    `MINIMUM_FOLDS` of several speakers, add a test with each fold as one observation. It has few degrees of freedom,
    so its p-value counts in full only as far as folds seem to differ: times 1 - 2 q, at least `LEAST_FOLD_WEIGHT`,
    where q is the p-value of an analysis of variance between folds. The larger p-value, the wider interval is taken.
    (To choose one of the two tests by q alone, as Bozivich, Bancroft & Hartley, Annals of Mathematical Statistics 27,
    1956, finds as much at 5 % but, where ten models are compared, lets through twice as many false differences.)

    Where all speakers differ by the same, the p-value is that of the sign test, and the interval is of speakers of
    whom a share differs by `value`, the rest by its opposite. Models that do not differ at all have [0, 0] and 1.

    Parameters
    ----------
    value : float
        The first model's score less the second's, scores being between 0 and 1.
    left_out : array, shape (speakers,)
        The same without each speaker.
    confidence, sizes, folds
        See `score_interval`, also for what is raised.
    """
    left_out, shares, folds = _checked(left_out, sizes, folds, confidence)
    if _unknown(value, left_out, shares):
        return Difference(float(value), np.nan, np.nan, np.nan)
    spreads = _spreads(left_out, shares, folds)
    if spreads[0].error < NO_SPREAD:
        return _same_for_all(float(value), len(left_out), confidence)
    return _difference(value, spreads, confidence)


def unpaired_difference(
    first: Group, second: Group, *, confidence: float = 0.95, sizes: tuple[ArrayLike, ArrayLike] | None = None
) -> Difference:
    """Return the interval and the test of a difference between two groups of speakers, such as women and men.

    With equally many clips of each speaker this is the t-test of Welch (Biometrika 34, 1947) over speakers. Where
    speakers of neither group differ there is none.

    Parameters
    ----------
    first, second : (float, array of shape (speakers,))
        Each group's score, and the same without each of its speakers.
    confidence, sizes
        See `score_interval`; `sizes` are each group's.
    """
    value, spreads = float(first[0] - second[0]), []
    for (score, left_out), clips in zip((first, second), sizes or (None, None), strict=True):
        left_out, shares, _ = _checked(left_out, clips, None, confidence)
        known = not _unknown(score, left_out, shares)
        spreads.append(_speaker_spread(left_out, shares) if known else _Spread(np.nan, np.nan))
    variances = np.array([spread.error**2 for spread in spreads])
    if not variances.sum() > NO_SPREAD**2:
        return Difference(value, np.nan, np.nan, np.nan)
    freedom = variances.sum() ** 2 / sum(variances**2 / [spread.freedom for spread in spreads])
    return _difference(value, [_Spread(np.sqrt(variances.sum()), freedom)], confidence)


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return p-values adjusted for being several (Holm, Scandinavian Journal of Statistics 6, 1979).

    Parameters
    ----------
    p : array, shape (tests,)
        NaN: no test was made. It stays NaN and does not count.
    """
    p = np.asarray(p, dtype=float)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    adjusted = np.full(p.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return adjusted


def _checked(left_out, sizes, folds, confidence) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the scores of the speakers that count, their shares of the clips (a sum of 1) and, if of use, folds."""
    left_out = np.asarray(left_out, dtype=float)
    if left_out.ndim != 1:
        raise ValueError(f"left_out has the shape {left_out.shape}, one value a speaker is needed")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, a value between 0 and 1 is needed")
    sizes = np.ones(len(left_out)) if sizes is None else np.asarray(sizes, dtype=float)
    folds = np.zeros(len(left_out)) if folds is None else np.asarray(folds)
    for name, array in (("sizes", sizes), ("folds", folds)):
        if len(array) != len(left_out):
            raise ValueError(f"{name} has {len(array)} speakers, left_out {len(left_out)}")
    sizes = sizes[:, None] if sizes.ndim == 1 else sizes
    counts = sizes.any(axis=1)
    sizes = sizes[counts][:, sizes.any(axis=0)]
    shares = (sizes / sizes.sum(axis=0)).mean(axis=1) if counts.any() else np.empty(0)
    folds = np.unique(folds[counts], return_inverse=True)[1]
    of_use = MINIMUM_FOLDS <= len(set(folds)) < len(folds)
    return left_out[counts], shares, folds if of_use else None


def _unknown(value: float, left_out: np.ndarray, shares: np.ndarray) -> bool:
    return len(left_out) < MINIMUM_SPEAKERS or np.isnan(value) or np.isnan(left_out).any() or shares.max() >= 1


def _logits(value: float, left_out: np.ndarray) -> np.ndarray:
    """Return logits, which are boundless near 0 and 1, with moves from `value` of `MOST_CURVED` straight ones at most.

    So where one speaker makes nearly all errors the interval is about as wide as where nobody makes any.
    """
    center = special.logit(value)
    most = MOST_CURVED * (left_out - value) / (value * (1 - value))
    moves = special.logit(left_out) - center
    return center + np.where(np.abs(moves) > np.abs(most), most, moves)


def _spreads(left_out: np.ndarray, shares: np.ndarray, folds: np.ndarray | None) -> list[_Spread]:
    speakers = _speaker_spread(left_out, shares)
    return [speakers] if folds is None else [speakers, _fold_spread(left_out, shares, folds)]


def _speaker_spread(left_out: np.ndarray, shares: np.ndarray) -> _Spread:
    return _Spread(np.sqrt((len(left_out) - 1) * left_out.var()), _freedom(shares))


def _fold_spread(left_out: np.ndarray, shares: np.ndarray, folds: np.ndarray) -> _Spread:
    """Return the spread if each fold were left out in turn: its speakers' influences add up."""
    fold_shares, speakers = np.bincount(folds, weights=shares), np.bincount(folds)
    count, others = len(fold_shares), len(left_out) - len(fold_shares)
    moves = left_out - left_out.mean()
    sums = np.bincount(folds, weights=moves)
    error = np.sqrt((count - 1) / count * np.sum((sums / (1 - fold_shares)) ** 2)) * (1 - 1 / len(left_out))
    between = np.sum(sums**2 / speakers) / (count - 1)
    within = np.sum((moves - (sums / speakers)[folds]) ** 2) / others
    ratio = between / max(within, NO_SPREAD**2)
    weight = max(LEAST_FOLD_WEIGHT, 1 - 2 * special.fdtrc(count - 1, others, ratio))
    return _Spread(error, _freedom(fold_shares), weight)


def _freedom(shares: np.ndarray) -> float:
    """Return the degrees of freedom of a jackknife variance (Satterthwaite's, as in Bell & McCaffrey 2002).

    They are those of chi-square with the variance's mean and variance if clips are independent, so that a speaker's
    mean varies inversely to its clips. With equal shares they are the number of speakers less one.
    """
    moves = shares / (1 - shares)
    squares = np.sum(moves**2)
    return float(np.sum(moves) ** 2 / (squares + squares**2 - np.sum(moves**4)))


def _margin(spreads: list[_Spread], confidence: float) -> float:
    tails = [min((1 - confidence) / spread.weight, 1) / 2 for spread in spreads]
    pairs = zip(spreads, tails, strict=True)
    return float(max(-spread.error * special.stdtrit(spread.freedom, tail) for spread, tail in pairs))


def _difference(value: float, spreads: list[_Spread], confidence: float) -> Difference:
    margin, away = _margin(spreads, confidence), -abs(value)
    p = max(s.weight * 2 * special.stdtr(s.freedom, away / max(s.error, NO_SPREAD)) for s in spreads)
    return Difference(float(value), float(max(value - margin, -1)), float(min(value + margin, 1)), float(p))


def _same_for_all(value: float, count: int, confidence: float) -> Difference:
    if abs(value) < NO_SPREAD:
        return Difference(value, 0.0, 0.0, 1.0)
    share = ((1 - confidence) / 2) ** (1 / count)
    return Difference(value, *sorted((value, value * (2 * share - 1))), 2 * 0.5**count)


def _proportion(value: float, count: int, confidence: float) -> tuple[float, float]:
    tail, right = (1 - confidence) / 2, value * count
    low = special.betaincinv(right, count - right + 1, tail) if value > 0 else 0
    high = special.betaincinv(right + 1, count - right, 1 - tail) if value < 1 else 1
    return float(low), float(high)
