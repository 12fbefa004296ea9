"""What lies between a speaker and a recording: rooms and telephone lines."""

from functools import cache

import numpy as np
from scipy.signal import firwin, oaconvolve

TRANSITION = 150.0  # Hz, from the pass band of the telephone line to its stop band (-60 dB)


def reverberate(y: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Let a clip sound in a room; its duration is kept, so the reverberation of its end is cut.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    response : np.ndarray of float32, shape (any,)
        Impulse response of the room at the clip's sampling rate. Its largest sample is taken for the direct sound, and
        what comes with it stays in place: the clip is not delayed.

    Returns
    -------
    np.ndarray of float32, shape (samples,)
    """
    direct = int(np.abs(response).argmax())
    return oaconvolve(y, response)[direct : direct + len(y)].astype(np.float32, copy=False)


def telephone(y: np.ndarray, sr: int, band: tuple[float, float]) -> np.ndarray:
    """Pass a clip through the band of a telephone line, without delay (zero phase).

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    sr : int
        Hz.
    band : tuple of two floats
        Edges (-6 dB), Hz; ITU-T G.712 lets 300 to 3400 Hz through.

    Returns
    -------
    np.ndarray of float32, shape (samples,)
    """
    taps = _band_pass(sr, *band)
    start = len(taps) // 2
    return oaconvolve(y, taps)[start : start + len(y)].astype(np.float32, copy=False)


@cache
def _band_pass(sr: int, low: float, high: float) -> np.ndarray:
    """Return a linear-phase band-pass filter, an odd number of taps (Kaiser's window and formula, 60 dB)."""
    beta, attenuation = 5.653, 60.0
    order = (attenuation - 7.95) / (2.285 * 2 * np.pi * TRANSITION / sr)
    taps = 2 * int(np.ceil(order / 2)) + 1
    return firwin(taps, [low, high], fs=sr, pass_zero=False, window=("kaiser", beta)).astype(np.float32)
