"""Functionals: statistics of descriptors over the frames of a clip.

The families are those of openSMILE (Eyben 2016). Descriptors are rows, float32, of shape (descriptors, frames); every
functional has one value a row, and one for a row of any length, down to a single frame.
"""

import numpy as np

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
    for family, members in FAMILIES.items():
        if not set(names).isdisjoint(members):
            values |= family(x, rate)
    return np.stack([values[name] for name in names], axis=1).astype(np.float32)


def moments(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return mean and standard deviation."""
    mean = x.mean(axis=1)
    centred = x - mean[:, None]
    return {"mean": mean, "std": np.sqrt(np.einsum("df,df->d", centred, centred) / x.shape[1])}


def higher_moments(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return skewness and kurtosis (that of a Gaussian is 3), both 0 for a constant."""
    mean = x.mean(axis=1)
    centred = x - mean[:, None]
    squares = centred * centred
    std = np.sqrt(squares.mean(axis=1))
    safe = np.where(std > TINY * np.abs(mean) + SMALLEST_STD, std, np.inf)
    return {
        "skewness": np.einsum("df,df->d", squares, centred) / x.shape[1] / safe**3,
        "kurtosis": np.einsum("df,df->d", squares, squares) / x.shape[1] / safe**4,
    }


def percentiles(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return percentiles (linear interpolation, as numpy) and the ranges between them."""
    ordered = np.sort(x, axis=1)
    result = {}
    for percent in PERCENTS:
        position = percent / 100 * (x.shape[1] - 1)
        low = int(position)
        high = min(low + 1, x.shape[1] - 1)
        share = np.float32(position - low)
        result[f"p{percent}"] = ordered[:, low] * (1 - share) + ordered[:, high] * share
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
    centred = x - x.mean(axis=1, keepdims=True)
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
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    scaled = (x - low) / np.maximum(high - low, np.float32(TINY))
    position = np.linspace(0, 1, x.shape[1], dtype=np.float32)
    return {
        "position_max": position[x.argmax(axis=1)],
        "position_min": position[x.argmin(axis=1)],
        **{f"up_time_{percent}": (scaled > percent / 100).mean(axis=1, dtype=np.float32) for percent in UP_TIMES},
        "centroid": (scaled @ position) / np.maximum(scaled.sum(axis=1), np.float32(TINY)),
    }


def slopes(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return mean and standard deviation of rising and of falling steps (per s), and the share of rising ones."""
    step = np.diff(x, axis=1) * np.float32(rate) if x.shape[1] > 1 else np.zeros_like(x)
    result = {"rise_time": (step > 0).mean(axis=1, dtype=np.float32)}
    for name, part in (("rising", np.maximum(step, 0)), ("falling", np.maximum(-step, 0))):
        count = np.maximum((part > 0).sum(axis=1), 1)
        mean = part.sum(axis=1) / count
        variance = np.einsum("df,df->d", part, part) / count - mean**2
        result |= {f"{name}_mean": mean, f"{name}_std": np.sqrt(np.maximum(variance, 0))}
    return result


def peaks(x: np.ndarray, rate: float) -> dict[str, np.ndarray]:
    """Return rate of the peaks (1/s), mean and deviation of their distances (s), and how far they rise over the mean.

    A peak is a local maximum that is above the mean by a quarter of the standard deviation.
    """
    mean, std = x.mean(axis=1), x.std(axis=1)
    inner = x[:, 1:-1]
    is_peak = (inner > x[:, :-2]) & (inner >= x[:, 2:]) & (inner > (mean + np.float32(PEAK_STDS) * std)[:, None])
    count = is_peak.sum(axis=1)
    rows, at = np.nonzero(is_peak)
    heights = np.bincount(rows, inner[rows, at], minlength=len(x))
    same = rows[1:] == rows[:-1]
    gap = np.diff(at)[same] / rate
    gaps = np.maximum(count - 1, 1)
    distance = np.bincount(rows[1:][same], gap, minlength=len(x)) / gaps
    squares = np.bincount(rows[1:][same], gap**2, minlength=len(x)) / gaps
    return {
        "peak_rate": count * (rate / x.shape[1]),
        "peak_distance": distance,
        "peak_distance_std": np.sqrt(np.maximum(squares - distance**2, 0)),
        "peak_height": np.where(count > 0, heights / np.maximum(count, 1) - mean, 0),
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
