"""What a recording says without some stretches of it: they are cut out, and what is left is joined.

Silence or noise in the place of a stretch would be a pause or a consonant that nobody uttered, and models notice those.
What is cut out leaves nothing but speech, a little shorter by the same length whichever stretches are missing. Several
are missing at a time (as in RISE [1]_), since a cue may be heard twice, and an answer that is sure does not change when
one of two is gone; a linear regression on what was heard then gives each its share, with a standard error (LIME [2]_).

References
----------
.. [1] V. Petsiuk, A. Das, K. Saenko, "RISE: randomized input sampling for explanation of black-box models", BMVC, 2018.
.. [2] M. T. Ribeiro, S. Singh, C. Guestrin, "Why should I trust you?", KDD, 2016.
"""

import numpy as np

from ser.storage.seeds import generator

LENGTH = 0.25  # s of a stretch, about a syllable; of short recordings less, of long ones more
SHORTEST = 0.08  # s
FEW, MOST = 8, 24  # stretches: fewer where each would be shorter than the shortest
CUTS = 8  # for each stretch, of which `SHARE` are without it
SHARE = 0.35  # of the stretches is missing at a time
FADE = 0.01  # s that the ends of a cut overlap


def stretch_edges(samples: int, sr: int) -> np.ndarray:
    """Return where the stretches of a recording begin and end, int of shape (stretches + 1,): all of one length.

    Parameters
    ----------
    samples : int
        How many the recording has.
    sr : int
        Hz.
    """
    seconds = samples / sr
    few = min(FEW, int(seconds / SHORTEST))
    stretches = int(np.clip(round(seconds / LENGTH), max(1, few), MOST))
    return np.round(np.linspace(0, samples, stretches + 1)).astype(int)


def draw_cuts(stretches: int, count: int) -> np.ndarray:
    """Draw which stretches are cut out together, bool of shape (count, stretches); the same ones each time.

    Every row cuts out equally many, and every stretch is cut out equally often, give or take one.
    """
    missing = max(1, round(SHARE * stretches))
    rng = generator(0, "cuts", stretches, count)
    cuts = np.zeros((count, stretches), dtype=bool)
    times = np.zeros(stretches)
    for row in cuts:
        chosen = np.lexsort((rng.random(stretches), times))[:missing]  # the least often cut, at random among equals
        row[chosen] = True
        times[chosen] += 1
    return cuts


def without(samples: np.ndarray, edges: np.ndarray, cut: np.ndarray, sr: int) -> np.ndarray:
    """Return samples without some stretches; where a cut was made, both sides overlap for `FADE` s.

    Parameters
    ----------
    samples : np.ndarray of int16, shape (samples,)
    edges : np.ndarray of int, shape (stretches + 1,)
    cut : np.ndarray of bool, shape (stretches,)
        What is missing; not all.
    sr : int
        Hz.
    """
    changes = np.diff(np.concatenate([[True], cut, [True]]).astype(int))
    runs = zip(edges[np.flatnonzero(changes == -1)], edges[np.flatnonzero(changes == 1)], strict=True)
    half = round(FADE * sr / 2)
    joined = np.zeros(0, dtype=np.float32)
    for start, end in runs:
        before, after = min(half, start), min(half, len(samples) - end)
        part = samples[start - before : end + after].astype(np.float32)
        if not len(joined):
            joined = part[before:] if start else part
            continue
        overlap = min(2 * half, len(joined), len(part))
        rising = (0.5 - 0.5 * np.cos(np.pi * (np.arange(overlap) + 0.5) / overlap)).astype(np.float32)
        mixed = joined[len(joined) - overlap :] * rising[::-1] + part[:overlap] * rising
        joined = np.concatenate([joined[: len(joined) - overlap], mixed, part[overlap:]])
    return np.rint(joined).astype(np.int16)


def effects_of(cuts: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how much each stretch raises a value when it is heard instead of another one, and its standard error.

    Least squares of the values on what was heard. As each time equally many were missing, only differences between
    stretches are known: the effects are those from their mean.

    Parameters
    ----------
    cuts : np.ndarray of bool, shape (count, stretches)
    values : np.ndarray, shape (count,)

    Returns
    -------
    effects, errors : np.ndarray, shape (stretches,)
        Zero where there is nothing to compare: a single stretch.
    """
    stretches = cuts.shape[1]
    if stretches < 2:
        return np.zeros(stretches), np.zeros(stretches)
    heard = (~cuts).astype(np.float64)
    heard -= heard.mean(axis=0)
    centred = values - values.mean()
    inverse = np.linalg.pinv(heard.T @ heard, rcond=1e-8, hermitian=True)
    effects = inverse @ heard.T @ centred
    effects -= effects.mean()
    rest = centred - heard @ effects
    freedom = max(1, len(values) - stretches)
    return effects, np.sqrt(rest @ rest / freedom * np.diag(inverse))
