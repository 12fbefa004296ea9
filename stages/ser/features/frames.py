"""Cutting a signal into frames and transforming them, once for all descriptors."""

from functools import cache
from typing import NamedTuple

import numpy as np
import scipy.fft
from scipy.signal import get_window


class Spectrum(NamedTuple):
    """A clip and its power spectrogram, which all descriptors are computed from.

    Attributes
    ----------
    y : np.ndarray of float32, shape (samples,)
    power : np.ndarray of float32, shape (frames, 1 + n_fft / 2)
    sr : int
        Hz.
    n_fft, hop_length : int
        Samples.
    """

    y: np.ndarray
    power: np.ndarray
    sr: int
    n_fft: int
    hop_length: int

    @property
    def frequencies(self) -> np.ndarray:
        """Centre frequencies of the bins in Hz, float32 of shape (1 + n_fft / 2,)."""
        return bin_frequencies(self.sr, self.n_fft)


def spectrum(y: np.ndarray, sr: int, *, n_fft: int, hop_length: int) -> Spectrum:
    """Transform a clip once, for all the inputs that are wanted of it.

    Hann-windowed frames are centred on multiples of `hop_length`, beyond the ends lie zeros: librosa's convention.
    """
    frames = frame(y, n_fft, hop_length=hop_length)
    transform = scipy.fft.rfft(frames * hann(n_fft), axis=1)
    return Spectrum(y, transform.real**2 + transform.imag**2, sr, n_fft, hop_length)


def frame(y: np.ndarray, frame_length: int, *, hop_length: int) -> np.ndarray:
    """Return the frames centred on multiples of `hop_length`, shape (1 + samples // hop_length, frame_length).

    A view; beyond the ends of the signal lie zeros.
    """
    padded = surround(y, frame_length // 2, frame_length // 2)
    return np.lib.stride_tricks.sliding_window_view(padded, frame_length)[::hop_length][: 1 + len(y) // hop_length]


def surround(y: np.ndarray, before: int, after: int) -> np.ndarray:
    """Return a signal with zeros around it (`numpy.pad` takes longer than a transform)."""
    padded = np.zeros(before + len(y) + after, dtype=y.dtype)
    padded[before : before + len(y)] = y
    return padded


@cache
def hann(samples: int) -> np.ndarray:
    """Return a periodic Hann window, float32 of shape (samples,)."""
    return get_window("hann", samples).astype(np.float32)


@cache
def bin_frequencies(sr: int, n_fft: int) -> np.ndarray:
    """Return the centre frequencies of the bins of a transform in Hz, float32 of shape (1 + n_fft / 2,)."""
    return scipy.fft.rfftfreq(n_fft, 1 / sr).astype(np.float32)
