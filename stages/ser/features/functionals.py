"""Functionals: statistics of descriptors over the frames of a clip.

The families are those of openSMILE (Eyben 2016). Descriptors are rows, float32, of shape (descriptors, frames); every
functional has one value a row, and one for a row of any length, down to a single frame.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

TINY = 1e-6  # below it a deviation or a range is rounding
SMALLEST_STD = 1e-9  # below it the fourth power is no float32
PEAK_STDS = 0.25  # standard deviations that a peak rises above the mean
PERCENTS = (1, 10, 25, 50, 75, 90, 99)
SHARES = np.array(PERCENTS) / 100
PERCENTILES = tuple(f"p{percent}" for percent in PERCENTS)
RANGES = {"iqr_1_2": (25, 50), "iqr_2_3": (50, 75), "iqr_1_3": (25, 75), "range": (1, 99)}  # of percentiles
UP_TIMES = (25, 50, 75, 90)  # percent of the range
LAGS = (10, 20, 30, 50, 80, 120, 200)  # ms, of the autocorrelation: from a frame to the next to a syllable


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
    around = centre(x)
    values: dict[str, np.ndarray] = {}
    for family in families_of(names):
        values |= family(x, rate, around)
    # `numpy.array` would first look at them all for their type
    summary = np.concatenate([values[name] for name in names], dtype=np.float32)
    return summary.reshape(len(names), len(x)).T


@cache
def families_of(names: tuple[str, ...]) -> list[Callable]:
    """Return the functions that some of the functionals are computed by."""
    return [family for family, members in FAMILIES.items() if not set(names).isdisjoint(members)]


class Centred(NamedTuple):
    """Descriptors without their means, for the families that need both: they are subtracted once.

    Attributes
    ----------
    mean, std : np.ndarray of float32, shape (descriptors,)
    x : np.ndarray of float32, shape (descriptors, frames)
    """

    mean: np.ndarray
    std: np.ndarray
    x: np.ndarray


def centre(x: np.ndarray) -> Centred:
    """Subtract the mean of each row."""
    mean = (x @ ones(x.shape[1])) / np.float32(x.shape[1])
    centred = x - mean[:, None]
    return Centred(mean, np.sqrt(np.vecdot(centred, centred) / x.shape[1]), centred)


def moments(x: np.ndarray, rate: float, around: Centred | None = None) -> dict[str, np.ndarray]:
    """Return mean and standard deviation."""
    mean, std, _ = around or centre(x)
    return {"mean": mean, "std": std}


def higher_moments(x: np.ndarray, rate: float, around: Centred | None = None) -> dict[str, np.ndarray]:
    """Return skewness and kurtosis (that of a Gaussian is 3), both 0 for a constant."""
    mean, std, centred = around or centre(x)
    squares = centred * centred
    safe = np.where(std > TINY * np.abs(mean) + SMALLEST_STD, std, np.inf)
    return {
        "skewness": np.vecdot(squares, centred) / x.shape[1] / safe**3,
        "kurtosis": np.vecdot(squares, squares) / x.shape[1] / safe**4,
    }


def percentiles(x: np.ndarray, rate: float, around: Centred | None = None) -> dict[str, np.ndarray]:
    """Return percentiles (linear interpolation, as numpy) and the ranges between them."""
    ordered = np.sort(x, axis=1)
    position = SHARES * (x.shape[1] - 1)
    low = position.astype(int)
    share = (position - low).astype(np.float32)[:, None]
    high = np.minimum(low + 1, x.shape[1] - 1)
    ordered = ordered.T
    found = ordered[low] * (1 - share) + ordered[high] * share
    values = dict(zip(PERCENTILES, found, strict=True))
    return values | {name: values[f"p{upper}"] - values[f"p{lower}"] for name, (lower, upper) in RANGES.items()}


def regression(x: np.ndarray, rate: float, around: Centred | None = None) -> dict[str, np.ndarray]:
    """Return slope (per s) of the regression line, linear and quadratic trend, and the errors of both fits.

    The trends are the deviations (root mean square) that the line, and the parabola beyond it, explain.
    """
    frames = x.shape[1]
    line = np.arange(frames) - (frames - 1) / 2
    parabola = line**2 - (frames**2 - 1) / 12  # less its mean
    squares = frames * (frames**2 - 1) / 12, frames * (frames**2 - 1) * (frames**2 - 4) / 180  # sums of both
    norms = np.maximum(np.sqrt(squares), TINY)
    _, std, centred = around or centre(x)
    basis = np.empty((2, frames), dtype=np.float32)
    np.divide([line, parabola], norms[:, None], out=basis, casting="same_kind")
    parts = basis @ centred.T
    trend, curvature = parts / np.float32(np.sqrt(frames))
    explained = parts * parts / np.float32(frames)
    explained[1] += explained[0]
    trend_error, curvature_error = np.sqrt(np.maximum(std**2 - explained, 0))
    return {
        "slope": parts[0] * np.float32(rate / norms[0] if frames > 1 else 0),
        "trend": trend,
        "trend_error": trend_error,
        "curvature": curvature,
        "curvature_error": curvature_error,
    }


def times(x: np.ndarray, rate: float, around: Centred | None = None) -> dict[str, np.ndarray]:
    """Return where the extremes lie and how long the contour is high, low or rising, as shares of the frames."""
    rows = np.arange(len(x))
    highest, lowest = x.argmax(axis=1), x.argmin(axis=1)
    low = x[rows, lowest]
    scaled = x - low[:, None]
    scaled /= np.maximum(x[rows, highest] - low, np.float32(TINY))[:, None]
    position = (np.arange(x.shape[1]) / max(x.shape[1] - 1, 1)).astype(np.float32)
    return {
        "position_max": position[highest],
        "position_min": position[lowest],
        **{f"up_time_{percent}": count(scaled > percent / 100) / x.shape[1] for percent in UP_TIMES},
        "centroid": (scaled @ position) / np.maximum(scaled.sum(axis=1), np.float32(TINY)),
    }


def count(mask: np.ndarray) -> np.ndarray:
    """Return how many are true in each row, float32: exact, and in a fraction of the time of a sum of booleans."""
    return mask.astype(np.float32) @ ones(mask.shape[-1])


def ones(size: int) -> np.ndarray:
    """Return so many ones, float32: the product with them is a sum over rows, and faster."""
    return np.ones(size, dtype=np.float32)


def slopes(x: np.ndarray, rate: float, around: Centred | None = None) -> dict[str, np.ndarray]:
    """Return mean and standard deviation of rising and of falling steps (per s), and the share of rising ones."""
    steps = max(x.shape[1] - 1, 1)
    parts = np.empty((2, *x.shape), dtype=x.dtype)  # rising, falling
    step, flat = parts[1], x.ravel()  # rows one after another are one long loop; from one to the next there is no step
    np.subtract(flat[1:], flat[:-1], out=step.ravel()[:-1])
    step[:, -1] = 0
    step *= np.float32(rate)
    np.maximum(step, 0, out=parts[0])
    np.minimum(step, 0, out=parts[1])
    number = count(parts != 0)
    least = np.maximum(number, 1)
    mean = np.abs(parts @ ones(x.shape[1])) / least
    std = np.sqrt(np.maximum(np.vecdot(parts, parts) / least - mean**2, 0))
    return {
        "rise_time": number[0] / steps,
        "rising_mean": mean[0],
        "rising_std": std[0],
        "falling_mean": mean[1],
        "falling_std": std[1],
    }


def peaks(x: np.ndarray, rate: float, around: Centred | None = None) -> dict[str, np.ndarray]:
    """Return rate of the peaks (1/s), mean and deviation of their distances (s), and how far they rise over the mean.

    A peak is a local maximum that is above the mean by a quarter of the standard deviation.
    """
    mean, std, _ = around or centre(x)
    found = np.flatnonzero(peaks_of(x, mean + np.float32(PEAK_STDS) * std))
    at = np.zeros(len(found) + 1, dtype=found.dtype)  # one more, as a sum must begin somewhere
    at[:-1] = found
    ends = np.searchsorted(found, np.arange(1, len(x) + 1) * x.shape[1])  # one past the last peak of each row
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1]
    number = ends - starts
    heights = x.ravel()[at].astype(np.float64)
    gap = np.zeros_like(at)
    gap[:-1] = at[1:] - at[:-1]
    gap[ends - 1] = 0  # to the next row
    heights[-1] = 0
    # sums of no peaks are wrong, and not used
    distance, square, height = (np.add.reduceat(values, starts) for values in (gap, gap * gap, heights))
    gaps = np.maximum(number - 1, 1) * rate
    distance = np.where(number > 1, distance, 0) / gaps
    square = np.where(number > 1, square, 0) / (gaps * rate)
    return {
        "peak_rate": number * (rate / x.shape[1]),
        "peak_distance": distance,
        "peak_distance_std": np.sqrt(np.maximum(square - distance**2, 0)),
        "peak_height": np.where(number > 0, height / np.maximum(number, 1) - mean, 0),
    }


def autocorrelation(x: np.ndarray, rate: float, around: Centred | None = None) -> dict[str, np.ndarray]:
    """Return how alike a contour is to itself some milliseconds later, -1 to 1: whether it moves slowly, fast, or back.

    The biased estimate (sums over all frames but the last ones, over that of the squares), as linear prediction takes
    it, of which openSMILE gives the coefficients instead (Eyben 2016): the same knowledge, less easy to read. A
    constant, and a clip that is shorter than the lag, have 0.
    """
    mean, std, centred = around or centre(x)
    frames = x.shape[1]
    squares = frames * std * std
    safe = np.where(std > TINY * np.abs(mean) + SMALLEST_STD, squares, np.inf)
    found = np.empty((len(LAGS), len(x)), dtype=np.float32)
    for lag, sums in zip(LAGS, found, strict=True):
        step = min(max(round(lag * rate / 1000), 1), frames)
        np.vecdot(centred[:, step:], centred[:, : frames - step], out=sums)
    found /= safe
    return dict(zip(FAMILIES[autocorrelation], found, strict=True))


def peaks_of(x: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return where the peaks of each row are that exceed the least height of the row, bool of the shape of `x`."""
    is_peak = np.greater(x, least[:, None], order="C")
    flat, found = x.ravel(), is_peak.ravel()
    rises = flat[1:] > flat[:-1]  # as one long row, which is faster
    found[1:-1] &= rises[:-1] > rises[1:]
    is_peak[:, 0] = is_peak[:, -1] = False
    return is_peak


FAMILIES = {
    moments: ("mean", "std"),
    higher_moments: ("skewness", "kurtosis"),
    percentiles: (*PERCENTILES, *RANGES),
    regression: ("slope", "trend", "trend_error", "curvature", "curvature_error"),
    times: ("position_max", "position_min", *(f"up_time_{percent}" for percent in UP_TIMES), "centroid"),
    slopes: ("rise_time", "rising_mean", "rising_std", "falling_mean", "falling_std"),
    peaks: ("peak_rate", "peak_distance", "peak_distance_std", "peak_height"),
    autocorrelation: tuple(f"autocorrelation_{lag}" for lag in LAGS),
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
    limits = np.concatenate([[0], np.flatnonzero(kinds[1:] != kinds[:-1]) + 1, [len(kinds)]])
    seconds = (limits[1:] - limits[:-1]) / rate
    of = kinds[limits[:-1]]
    runs, total, squares = (np.bincount(of, weights, len(names)) for weights in (None, seconds, seconds * seconds))
    number = np.maximum(runs, 1)
    length = total / number
    deviation = np.sqrt(np.maximum(squares / number - length * length, 0))
    whole = len(kinds) / rate
    values = np.stack([runs / whole, length, deviation, total / whole], axis=1)
    return dict(zip(run_names(names), values.ravel().tolist(), strict=True))


@cache
def run_names(names: tuple[str, ...]) -> list[str]:
    """Return the names of what `segments` returns."""
    return [f"{name}_{value}" for name in names for value in ("rate", "length", "length_std", "share")]
