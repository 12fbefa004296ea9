"""Resonances of the vocal tract: frequency and bandwidth of the first formants, by linear prediction.

The all-pole model is fitted to the power spectrum below 5.3 kHz (selective linear prediction, Makhoul 1975, Proc. IEEE
63(4)). Near a pole the reciprocal of its spectrum is a parabola, whose minimum is the formant frequency and whose
height over its curvature is the bandwidth: no polynomial has to be solved.
"""

from functools import cache

import numpy as np

from ser.features.frames import bin_frequencies

TOP = 5300.0  # Hz; below it lie the first five formants of most adults
ORDER = 11  # two poles a formant and one for the slope
PREEMPHASIS = 0.97
GRID = 129  # points of the model's spectrum, from 0 to TOP
RANGE = (150.0, 4800.0)  # Hz, where formants are looked for
WIDEST = 800.0  # Hz; a wider resonance is no formant
TYPICAL = (500.0, 1500.0, 2500.0)  # Hz, of a neutral tube of 17.5 cm; for clips that show no formant
TYPICAL_BANDWIDTHS = (80.0, 100.0, 120.0)  # Hz


def formants(power: np.ndarray, *, sr: int, count: int = 3) -> dict[str, np.ndarray]:
    """Return frequency and bandwidth of the first formants.

    Parameters
    ----------
    power : np.ndarray, shape (frames, bins)
        Power spectra of voiced frames.
    sr : int
        Hz.
    count : int

    Returns
    -------
    dict of str to np.ndarray, shape (frames,)
        ``f1``, ``f1_bandwidth``, …, in Hz. A formant that a frame lacks has the mean of the other frames.
    """
    to_autocorrelation, top = selective_transform(sr, 2 * (power.shape[1] - 1))
    model = levinson(power[:, : len(to_autocorrelation)] @ to_autocorrelation).astype(np.float32)
    parts = model @ grid_transform()
    parts *= parts
    inverse = parts[:, :GRID] + parts[:, GRID:]
    frames, frequency, bandwidth = resonances(inverse, top / (GRID - 1))
    return first_resonances(len(power), frames, frequency, bandwidth, count)


@cache
def selective_transform(sr: int, n_fft: int) -> tuple[np.ndarray, float]:
    """Return what takes the power spectrum below `TOP` to the autocorrelation of the pre-emphasised signal there.

    Returns
    -------
    matrix : np.ndarray of float32, shape (bins, order + 1)
    top : float
        The highest of those bins, Hz.
    """
    frequencies = bin_frequencies(sr, n_fft).astype(float)
    bins = min(int(np.searchsorted(frequencies, TOP)) + 1, len(frequencies))
    emphasis = 1 + PREEMPHASIS**2 - 2 * PREEMPHASIS * np.cos(2 * np.pi * frequencies[:bins] / sr)
    sides = np.where((np.arange(bins) == 0) | (np.arange(bins) == bins - 1), 1, 2) / (2 * (bins - 1))
    angles = np.pi * np.outer(np.arange(bins), np.arange(ORDER + 1)) / (bins - 1)
    return ((emphasis * sides)[:, None] * np.cos(angles)).astype(np.float32), float(frequencies[bins - 1])


@cache
def grid_transform() -> np.ndarray:
    """Return what takes filter coefficients to the real parts of their spectrum and then to the imaginary ones.

    float32 of shape (order + 1, 2 * grid).
    """
    angles = np.pi * np.outer(np.arange(ORDER + 1), np.arange(GRID)) / (GRID - 1)
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1, dtype=np.float32)


def levinson(autocorrelation: np.ndarray) -> np.ndarray:
    """Return the coefficients of the prediction error filters, shape (frames, order + 1), by Levinson's recursion.

    Parameters
    ----------
    autocorrelation : np.ndarray, shape (frames, order + 1)
    """
    r = autocorrelation.T.astype(np.float64)
    r[0] = r[0] * 1.0001 + 1e-12  # a noise floor 40 dB below keeps the recursion stable
    a = np.zeros_like(r)
    a[0] = 1
    error = -r[0]  # its negative, which the steps need
    for i in range(1, len(r)):
        predicted = np.einsum("of,of->f", a[:i], r[i:0:-1])
        reflection = predicted / error
        a[1 : i + 1] += reflection * a[i - 1 :: -1][:i]
        error -= reflection * predicted
    return a.T


def resonances(inverse: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the resonances at the minima of inverse model spectra.

    Parameters
    ----------
    inverse : np.ndarray, shape (frames, bins)
    step : float
        Hz from bin to bin.

    Returns
    -------
    frames, frequency, bandwidth : np.ndarray, shape (resonances,)
        Row of `inverse`, Hz and Hz; frame by frame, each from low to high.
    """
    flat, points = inverse.ravel(), inverse.shape[1]  # as one long row, which is faster
    rises = flat[1:] > flat[:-1]
    position = np.flatnonzero(~rises[:-1] & rises[1:]) + 1
    frames = position // points
    bins = position - frames * points
    inside = (bins > 0) & (bins < points - 1)
    position, frames, bins = position[inside], frames[inside], bins[inside]
    before, here, after = (flat[position + offset] for offset in (-1, 0, 1))
    curvature = before - 2 * here + after
    offset = (before - after) / (2 * curvature)
    lowest = here - (before - after) * offset / 4
    frequency = (bins + offset) * step
    bandwidth = 2 * step * np.sqrt(np.maximum(lowest, 0) / (curvature / 2))
    formant = (frequency > RANGE[0]) & (frequency < RANGE[1]) & (bandwidth < WIDEST)
    return frames[formant], frequency[formant], bandwidth[formant]


def first_resonances(
    total: int, frames: np.ndarray, frequency: np.ndarray, bandwidth: np.ndarray, count: int
) -> dict[str, np.ndarray]:
    """Return the first `count` resonances of each frame by name; what a frame lacks is filled in.

    Parameters
    ----------
    total : int
        Number of frames.
    frames, frequency, bandwidth : np.ndarray
        See `resonances`.
    """
    number = np.arange(len(frames)) - np.searchsorted(frames, frames)  # of a resonance in its frame
    first = np.flatnonzero(number < count)
    known = np.zeros((count, total), dtype=bool)
    known[number[first], frames[first]] = True
    columns = np.zeros((2, count, total))
    columns[:, number[first], frames[first]] = frequency[first], bandwidth[first]
    found = known.sum(axis=1)
    typical = np.array([TYPICAL[:count], TYPICAL_BANDWIDTHS[:count]])
    missing = np.where(found > 0, columns.sum(axis=2) / np.maximum(found, 1), typical)
    columns = np.where(known, columns, missing[..., np.newaxis]).astype(np.float32)
    names = [f"f{formant + 1}{kind}" for kind in ("", "_bandwidth") for formant in range(count)]
    return dict(zip(names, columns.reshape(-1, total), strict=True))
