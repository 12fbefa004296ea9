"""What a recording is like before anything is cleaned: silence, levels, clipping, bandwidth."""

import math

import numpy as np
from scipy import fft, signal

from ser.audio.recording_profile import clipped_share

MEASURED = ("seconds", "leading_zeros", "trailing_zeros", "peak_db", "level_db", "dc", "clipped", "bandwidth")
LOWEST_DB = -200.0  # dBFS, stands for the logarithm of 0
LOOK = 256  # samples, after which nearly every clip has begun
N_FFT = 2048  # samples, 43 ms at 48 kHz
MIN_FRAMES = 8  # of which the spectrum is the mean; shorter clips have shorter frames
ROUNDING = 2.0**-30 / 12  # variance of the error of rounding to 16 bits
ROUNDING_MARGIN_DB = 10.0  # over that: dither (5 dB), and that the spectrum of few frames is uneven
DYNAMICS_DB = 80.0  # what lies further below the strongest frequency is what a resampler or codec left over


def measure(y: np.ndarray, sr: int) -> dict[str, float]:
    """Measure a decoded clip.

    Parameters
    ----------
    y : np.ndarray of float, shape (samples,)
        Mono, at least one sample, finite, as decoded: full scale is 1.
    sr : int
        Hz.

    Returns
    -------
    dict of float
        By `MEASURED`: ``seconds``; ``leading_zeros`` and ``trailing_zeros`` (s), digital silence: samples which all
        have exactly the value of the first or the last one, 0 or not (a constant offset is silent too, dither of 1 LSB
        is noise); ``peak_db`` and ``level_db`` (dBFS) of the largest magnitude and of the root mean square; ``dc``
        (full scale 1); ``clipped``: see `clipped_share`; ``bandwidth``: see `bandwidth`.
    """
    if len(y) == 0:
        raise ValueError("y has no samples, at least one is needed")
    highest, lowest = float(y.max()), float(y.min())
    peak = max(highest, -lowest)
    scaled = (y / peak if peak > 0.0 else np.zeros(len(y))).astype(np.float32, copy=False)  # no overflow
    peak_db = _decibels(peak)
    leading, trailing = constant_run(y), constant_run(y[::-1])
    return {
        "seconds": len(y) / sr,
        "leading_zeros": leading / sr,
        "trailing_zeros": trailing / sr,
        "peak_db": peak_db,
        "level_db": max(LOWEST_DB, peak_db + _decibels(math.sqrt(float(scaled @ scaled) / len(y)))),
        "dc": peak * float(scaled.mean()),
        "clipped": clipped_share(y, lowest, highest),
        "bandwidth": bandwidth(scaled, sr, peak_db),
    }


def _decibels(amplitude: float) -> float:
    return max(LOWEST_DB, 20 * math.log10(amplitude)) if amplitude > 0.0 else LOWEST_DB


def constant_run(y: np.ndarray) -> int:
    """Count the samples at the start that have one value; a single one is a sample like any other, unless it is 0."""
    for part in (y[:LOOK], y):
        differs = part != y[0]
        end = int(differs.argmax())
        if differs[end]:
            return end if end > 1 or y[0] == 0 else 0
    return len(y) if len(y) > 1 or y[0] == 0 else 0


def bandwidth(y: np.ndarray, sr: int, peak_db: float) -> float:
    """Return the highest frequency at which there is more than 16-bit rounding noise and resamplers leave, in Hz.

    It tells speech of 8 kHz in a file of 48 kHz, or an MP3 encoder's low-pass, where the file's rate does not.
    Noise counts as sound: a microphone's own reaches the Nyquist frequency.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
        Scaled to a peak of 1.
    sr : int
        Hz.
    peak_db : float
        dBFS, before it was scaled.
    """
    n_fft = max(16, min(N_FFT, 1 << int(math.log2(max(1, len(y) // MIN_FRAMES)))))
    y = y - y.mean()
    y = np.pad(y, (0, -len(y) % n_fft)) if len(y) < MIN_FRAMES * n_fft else y[: len(y) // n_fft * n_fft]
    window = _window(n_fft)
    spectrum = fft.rfft(y.reshape(-1, n_fft) * window)
    power = np.mean(np.square(spectrum.real) + np.square(spectrum.imag), axis=0, dtype=np.float64) / (window @ window)
    floor_db = 10 * math.log10(ROUNDING) + ROUNDING_MARGIN_DB - peak_db
    strongest_db = 10 * math.log10(max(float(power[1:].max()), 1e-30))
    above = power > 10 ** (max(floor_db, strongest_db - DYNAMICS_DB) / 10)
    above[0] = False
    return float(np.flatnonzero(above).max(initial=0)) * sr / n_fft


def _window(size: int) -> np.ndarray:
    return signal.windows.hann(size, sym=False).astype(np.float32)
