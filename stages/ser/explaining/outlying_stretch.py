"""Whether a stretch of time stands out from the others: a test of flatness.

The effects of stretches are never all equal: to any model a vowel says something else than a pause. What is asked is
whether one of them is farther from the others than these are from each other, and whether that is worth a mention.
"""

from functools import cache

import numpy as np

LEVEL = 0.05  # how probably one of stretches that are alike is said to stand out, at most
LEAST = np.log(10) / 2  # nats: weaker evidence is "not worth more than a bare mention" (Kass & Raftery 1995)
FREEDOM = 5  # degrees, of the t distribution of effects of stretches without a cue: longer tails than the normal one's
CORE = 2 / 3  # of the stretches, those nearest to the median, tell how far apart they usually are
DRAWS = 4000


def outlyingness(effects: np.ndarray) -> np.ndarray:
    """Return how far the farthest effect is from the median, in root mean square distances of the nearest `CORE`.

    Parameters
    ----------
    effects : np.ndarray, shape (..., stretches)
    """
    distances = np.sort(np.abs(effects - np.median(effects, axis=-1, keepdims=True)), axis=-1)
    core = distances[..., : int(np.ceil(CORE * effects.shape[-1]))]
    usual = np.sqrt(np.mean(np.square(core), axis=-1))
    return distances[..., -1] / np.maximum(usual, 1e-9)


def flatness(effects: np.ndarray) -> float:
    """Return the probability of an effect that is so far out among stretches of which none carries a cue.

    Their effects are taken for draws from a t distribution; how far out the farthest of them is, is found by drawing,
    the same numbers each time.

    Parameters
    ----------
    effects : np.ndarray, shape (stretches,)

    Returns
    -------
    float
        1 of fewer than three, which cannot be told apart, and where all are the same.
    """
    if len(effects) < 3 or np.ptp(effects) < 1e-6:
        return 1.0
    as_far = np.count_nonzero(_alike(len(effects)) >= outlyingness(effects))
    return float((as_far + 1) / (DRAWS + 1))


@cache
def _alike(stretches: int) -> np.ndarray:
    return outlyingness(np.random.default_rng(0).standard_t(FREEDOM, (DRAWS, stretches)))


def outlier(effects: np.ndarray, chance: float) -> int | None:
    """Return which stretch stands out, the farthest from the median; None where none does.

    Parameters
    ----------
    effects : np.ndarray, shape (stretches,)
        Nats.
    chance : float
        See `flatness`.
    """
    distances = np.abs(effects - np.median(effects))
    farthest = int(distances.argmax())
    return farthest if chance < LEVEL and distances[farthest] >= LEAST else None
