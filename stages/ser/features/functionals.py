"""Functionals: statistics of descriptors over the frames of a clip.

The families are those of openSMILE (Eyben 2016). Descriptors are rows, float32, of shape (descriptors, frames); every
functional has one value a row, and one for a row of any length, down to a single frame.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from ser.features.frames import places

TINY = 1e-6  # below it a deviation or a range is rounding
SMALLEST_STD = 1e-9  # below it the fourth power is no float32
PEAK_STDS = 0.25  # standard deviations that a peak rises above the mean
PERCENTS = (1, 10, 25, 50, 75, 90, 99)
UP_TIMES = (25, 50, 75, 90)  # percent of the range


def functionals(x: np.ndarray, names: tuple[str, ...], rate: float) -> np.ndarray:
    """Summarise descriptors over time.

    Parameters
    ----------
    x : np.ndarray of float32, shape (descriptors, frames)
    names : tuple of str
        Names from `FAMILIES`.
    rate : float
        Frames per second.

    Returns
    -------
    np.ndarray of float32, shape (descriptors, functionals)
    """
    values: dict[str, np.ndarray] = {}
    for family in families_of(names):
        values |= family(x, rate)
    return np.array([values[name] for name in names], dtype=np.float32).T


@cache
def families_of(names: tuple[str, ...]) -> list[Callable]:
    """Return the functions that some of the functionals are computed by."""
    return [family for family, members in FAMILIES.items() if not set(names).isdisjoint(members)]


def moments(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return mean and standard deviation."""
    mean = x.sum(axis=1) / x.shape[1]
    centred = x - mean[:, None]
    return {"mean": mean, "std": np.sqrt(np.einsum("df,df->d", centred, centred) / x.shape[1])}


def higher_moments(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return skewness and kurtosis (that of a Gaussian is 3), both 0 for a constant."""
    mean = x.sum(axis=1) / x.shape[1]
    centred = x - mean[:, None]
    squares = centred * centred
    std = np.sqrt(squares.sum(axis=1) / x.shape[1])
    safe = np.where(std > TINY * np.abs(mean) + SMALLEST_STD, std, np.inf)
    return {
        "skewness": np.einsum("df,df->d", squares, centred) / x.shape[1] / safe**3,
        "kurtosis": np.einsum("df,df->d", squares, squares) / x.shape[1] / safe**4,
    }


def percentiles(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return percentiles (linear interpolation, as numpy) and the ranges between them."""
    ordered = np.sort(x, axis=1)
    position = np.array(PERCENTS) / 100 * (x.shape[1] - 1)
    low = position.astype(int)
    share = (position - low).astype(np.float32)
    high = np.minimum(low + 1, x.shape[1] - 1)
    found = ordered[:, low] * (1 - share) + ordered[:, high] * share
    result = {f"p{percent}": column for percent, column in zip(PERCENTS, found.T, strict=True)}
    return result | {
        "iqr_1_2": result["p50"] - result["p25"],
        "iqr_2_3": result["p75"] - result["p50"],
        "iqr_1_3": result["p75"] - result["p25"],
        "range": result["p99"] - result["p1"],
    }


def regression(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return slope (per s) of the regression line, linear and quadratic trend, and the errors of both fits.

    The trends are the deviations (root mean square) that the line, and the parabola beyond it, explain.
    """
    frames = x.shape[1]
    line = np.arange(frames) - (frames - 1) / 2
    parabola = line**2 - (line**2).mean()
    norms = [max(float(np.linalg.norm(values)), TINY) for values in (line, parabola)]
    basis = np.column_stack([line / norms[0], parabola / norms[1]]).astype(np.float32)
    centred = x - x.sum(axis=1, keepdims=True) / frames
    linear, quadratic = (centred @ basis).T
    total = np.einsum("df,df->d", centred, centred)
    return {
        "slope": linear * np.float32(rate / norms[0]) if frames > 1 else np.zeros_like(linear),
        "trend": linear / np.float32(np.sqrt(frames)),
        "trend_error": np.sqrt(np.maximum(total - linear**2, 0) / frames),
        "curvature": quadratic / np.float32(np.sqrt(frames)),
        "curvature_error": np.sqrt(np.maximum(total - linear**2 - quadratic**2, 0) / frames),
    }


def times(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return where the extremes lie and how long the contour is high, low or rising, as shares of the frames."""
    rows = np.arange(len(x))
    highest, lowest = x.argmax(axis=1), x.argmin(axis=1)
    low = x[rows, lowest]
    scaled = x - low[:, None]
    scaled /= np.maximum(x[rows, highest] - low, np.float32(TINY))[:, None]
    position = np.linspace(0, 1, x.shape[1], dtype=np.float32)
    return {
        "position_max": position[highest],
        "position_min": position[lowest],
        **{f"up_time_{percent}": count(scaled > percent / 100) / x.shape[1] for percent in UP_TIMES},
        "centroid": (scaled @ position) / np.maximum(scaled.sum(axis=1), np.float32(TINY)),
    }


def count(mask: np.ndarray) -> np.ndarray:
    """Return how many are true in each row, float32: exact, and in a fraction of the time of a sum of booleans."""
    return mask.astype(np.float32) @ np.ones(mask.shape[1], dtype=np.float32)


def slopes(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return mean and standard deviation of rising and of falling steps (per s), and the share of rising ones."""
    step = (x[:, 1:] - x[:, :-1]) * np.float32(rate) if x.shape[1] > 1 else np.zeros_like(x)
    ones = np.ones(step.shape[1], dtype=np.float32)
    rising, falling = count(step > 0), count(step < 0)
    result = {"rise_time": rising / step.shape[1]}
    for name, number, part in (
        ("rising", rising, np.maximum(step, 0)),
        ("falling", falling, np.minimum(step, 0, out=step)),
    ):
        number = np.maximum(number, 1)
        mean = np.abs(part @ ones) / number
        variance = np.einsum("df,df->d", part, part) / number - mean**2
        result |= {f"{name}_mean": mean, f"{name}_std": np.sqrt(np.maximum(variance, 0))}
    return result


def peaks(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return rate of the peaks (1/s), mean and deviation of their distances (s), and how far they rise over the mean.

    A peak is a local maximum that is above the mean by a quarter of the standard deviation.
    """
    level = moments(x, rate)
    inner = x[:, 1:-1]
    is_peak = inner > x[:, :-2]
    is_peak &= inner >= x[:, 2:]
    is_peak &= inner > (level["mean"] + np.float32(PEAK_STDS) * level["std"])[:, None]
    rows, at = places(is_peak)
    number = np.bincount(rows, minlength=len(x))
    heights = np.bincount(rows, x.ravel()[rows * x.shape[1] + at + 1], minlength=len(x))
    same = np.flatnonzero(rows[1:] == rows[:-1])
    gap = (at[same + 1] - at[same]) / rate
    gaps, between = np.maximum(number - 1, 1), rows[same]
    distance = np.bincount(between, gap, minlength=len(x)) / gaps
    squares = np.bincount(between, gap**2, minlength=len(x)) / gaps
    return {
        "peak_rate": number * (rate / x.shape[1]),
        "peak_distance": distance,
        "peak_distance_std": np.sqrt(np.maximum(squares - distance**2, 0)),
        "peak_height": np.where(number > 0, heights / np.maximum(number, 1) - level["mean"], 0),
    }


FAMILIES = {
    moments: ("mean", "std"),
    higher_moments: ("skewness", "kurtosis"),
    percentiles: (*(f"p{percent}" for percent in PERCENTS), "iqr_1_2", "iqr_2_3", "iqr_1_3", "range"),
    regression: ("slope", "trend", "trend_error", "curvature", "curvature_error"),
    times: ("position_max", "position_min", *(f"up_time_{percent}" for percent in UP_TIMES), "centroid"),
    slopes: ("rise_time", "rising_mean", "rising_std", "falling_mean", "falling_std"),
    peaks: ("peak_rate", "peak_distance", "peak_distance_std", "peak_height"),
}
FUNCTIONALS = tuple(name for members in FAMILIES.values() for name in members)


def segments(kinds: np.ndarray, names: tuple[str, ...], rate: float) -> dict[str, float]:
    """Return rate (1/s), mean and deviation of the length (s), and share of the runs of frames of each kind, by name.

    Parameters
    ----------
    kinds : np.ndarray of int, shape (frames,)
        Index into `names`.
    names : tuple of str
    rate : float
        Frames per second.
    """
    starts = np.concatenate([[0], np.flatnonzero(kinds[1:] != kinds[:-1]) + 1])
    seconds = np.diff(starts, append=len(kinds)) / rate
    runs, total, squares = (
        np.bincount(kinds[starts], weights, minlength=len(names)) for weights in (None, seconds, seconds**2)
    )
    length = total / np.maximum(runs, 1)
    deviation = np.sqrt(np.maximum(squares / np.maximum(runs, 1) - length**2, 0))
    whole = len(kinds) / rate
    result = {}
    for kind, name in enumerate(names):
        result[f"{name}_rate"] = runs[kind] / whole
        result[f"{name}_length"] = length[kind]
        result[f"{name}_length_std"] = deviation[kind]
        result[f"{name}_share"] = total[kind] / whole
    return result
