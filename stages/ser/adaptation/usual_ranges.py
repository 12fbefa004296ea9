"""The usual range of what recordings are like: so wide that few recordings of other people lie outside."""

import numpy as np

LEVEL = "level, dBFS"
OUTERMOST = 0.5  # %, of the recordings at either end that a range leaves out before it is widened
UNKNOWN_MARGIN = 0.5  # of a range, with a single speaker, or none that is known: nobody can be left out
UNKNOWN_LEVEL_MARGIN = 0.1  # acted speech covers 40 dB, and a recording that is 40 dB too quiet must not lie inside
NARROWEST = {"clipped, %": 0.005}  # ranges; of numbers in dB
NARROWEST_DB = 1.0


def plain_ranges(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the ranges of numbers, shape (clips, numbers), before they are widened."""
    low, high = np.percentile(profile, [OUTERMOST, 100 - OUTERMOST], axis=0)
    return low, high


def narrowest_ranges(names: list[str]) -> np.ndarray:
    """Return how wide the range of each number is at least, shape (numbers,)."""
    return np.array([NARROWEST.get(name, NARROWEST_DB) for name in names])


def unknown_margins(names: list[str]) -> np.ndarray:
    """Return by what share of themselves ranges are widened where nobody can be left out, shape (numbers,)."""
    return np.array([UNKNOWN_LEVEL_MARGIN if name == LEVEL else UNKNOWN_MARGIN for name in names])


def widened(low: np.ndarray, high: np.ndarray, margin: np.ndarray, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return ranges that are wider by a margin, a share of themselves, and end where numbers can be no further."""
    level = np.array([name == LEVEL for name in names])
    width = np.maximum(margin * (high - low), np.where(level, 0, narrowest_ranges(names)))
    least, most = zip(*(_possible(name) for name in names), strict=True)
    return np.maximum(low - width, least), np.minimum(high + width, most)


def _possible(name: str) -> tuple[float, float]:
    """Return the lowest and the highest that a number can be; what is at an end is never outside."""
    if name.endswith("%"):
        return 0.0, 100.0
    return (-np.inf, np.inf) if name == LEVEL or "Hz" not in name else (-np.inf, 0.0)
