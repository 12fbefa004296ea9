"""Resonances of the vocal tract: frequency and bandwidth of the first formants, by linear prediction.

The all-pole model is fitted to the power spectrum below 5.3 kHz (selective linear prediction, Makhoul 1975, Proc. IEEE
63(4)). Near a pole the reciprocal of its spectrum is a parabola, whose minimum is the formant frequency and whose
height over its curvature is the bandwidth: no polynomial has to be solved.
"""

import numpy as np
import scipy.fft

TOP = 5300.0  # Hz; below it lie the first five formants of most adults
ORDER = 11  # two poles a formant and one for the slope
PREEMPHASIS = 0.97
GRID = 256  # points of the model's spectrum, from 0 to twice TOP
RANGE = (150.0, 4800.0)  # Hz, where formants are looked for
WIDEST = 800.0  # Hz; a wider resonance is no formant
TYPICAL = (500.0, 1500.0, 2500.0)  # Hz, of a neutral tube of 17.5 cm; for clips that show no formant
TYPICAL_BANDWIDTH = 100.0  # Hz


def formants(power: np.ndarray, frequencies: np.ndarray, *, sr: int, count: int = 3) -> dict[str, np.ndarray]:
    """Return frequency and bandwidth of the first formants.

    Parameters
    ----------
    power : np.ndarray, shape (frames, bins)
        Power spectra of voiced frames.
    frequencies : np.ndarray, shape (bins,)
        Hz.
    sr : int
        Hz.
    count : int

    Returns
    -------
    dict of str to np.ndarray, shape (frames,)
        ``f1``, ``f1_bandwidth``, …, in Hz. A formant that a frame lacks has the median of the other frames.
    """
    bins = min(int(np.searchsorted(frequencies, TOP)) + 1, len(frequencies))
    top = float(frequencies[bins - 1])
    emphasis = 1 + PREEMPHASIS**2 - 2 * PREEMPHASIS * np.cos(2 * np.pi * frequencies[:bins] / sr)
    selected = power[:, :bins] * emphasis.astype(np.float32)
    autocorrelation = scipy.fft.irfft(selected, axis=1)[:, : ORDER + 1]
    model = scipy.fft.rfft(levinson(autocorrelation).astype(np.float32), n=GRID, axis=1)
    inverse = model.real**2 + model.imag**2
    frequency, bandwidth = resonances(inverse, top / (inverse.shape[1] - 1))
    return first_resonances(frequency, bandwidth, count)


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
    error = r[0].copy()
    for i in range(1, len(r)):
        reflection = -(a[:i] * r[i:0:-1]).sum(axis=0) / error
        a[1 : i + 1] += reflection * a[i - 1 :: -1][:i]
        error *= 1 - reflection**2
    return a.T


def resonances(inverse: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return frequency and bandwidth (Hz) at the minima of inverse model spectra, NaN elsewhere.

    Parameters
    ----------
    inverse : np.ndarray, shape (frames, bins)
    step : float
        Hz from bin to bin.
    """
    before, here, after = inverse[:, :-2], inverse[:, 1:-1], inverse[:, 2:]
    minimum = (here <= before) & (here < after)
    curvature = np.where(minimum, before - 2 * here + after, np.float32(1))
    offset = (before - after) / (2 * curvature)
    lowest = here - (before - after) * offset / 4
    frequency = (np.arange(1, inverse.shape[1] - 1, dtype=np.float32) + offset) * np.float32(step)
    bandwidth = np.float32(2 * step) * np.sqrt(np.maximum(lowest, 0) / (curvature / 2))
    formant = minimum & (frequency > RANGE[0]) & (frequency < RANGE[1]) & (bandwidth < WIDEST)
    return np.where(formant, frequency, np.nan), np.where(formant, bandwidth, np.nan)


def first_resonances(frequency: np.ndarray, bandwidth: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Return the first `count` resonances of each frame by name; what a frame lacks is filled in."""
    order = np.argsort(np.isnan(frequency), axis=1, kind="stable")[:, :count]  # those found first, in their order
    found = np.take_along_axis(frequency, order, axis=1), np.take_along_axis(bandwidth, order, axis=1)
    result = {}
    for number in range(count):
        for name, values, typical in (("", found[0], TYPICAL[number]), ("_bandwidth", found[1], TYPICAL_BANDWIDTH)):
            column = values[:, number]
            missing = np.isnan(column)
            fill = typical if missing.all() else np.median(column[~missing])
            result[f"f{number + 1}{name}"] = np.where(missing, fill, column).astype(np.float32)
    return result
