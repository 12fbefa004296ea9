"""Noise to add to clips: made here, or taken from the user's recordings."""

import numpy as np
import scipy.fft

from ser.augmentation.noise_and_room_files import Recording

PINK_FROM = 20.0  # Hz; below, pink noise is flat: 1/f would put nearly half of its power where nothing is heard


def white_noise(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return Gaussian noise of the same power at all frequencies, float32 of shape (samples,)."""
    return rng.standard_normal(samples, dtype=np.float32)


def pink_noise(samples: int, sr: int, rng: np.random.Generator) -> np.ndarray:
    """Return Gaussian noise of the same power in every octave above 20 Hz: power density 1/f, -3 dB an octave.

    Parameters
    ----------
    samples : int
    sr : int
        Hz.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray of float32, shape (samples,)
    """
    length = scipy.fft.next_fast_len(max(samples, 2), real=True)
    spectrum = scipy.fft.rfft(white_noise(length, rng))
    frequency = np.maximum(np.arange(len(spectrum), dtype=np.float32) * np.float32(sr / length), np.float32(PINK_FROM))
    return scipy.fft.irfft(spectrum / np.sqrt(frequency / np.float32(PINK_FROM)), n=length)[:samples]


def recorded_noise(samples: int, recordings: tuple[Recording, ...], rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """Take a random excerpt of a random recording, repeating one that is too short.

    Returns
    -------
    noise : np.ndarray of float32, shape (samples,)
        Never all zero.
    name : str
        Of the recording.
    """
    name, recording = recordings[rng.integers(len(recordings))]
    # an excerpt of a long recording does not run over its end, where start and end would meet in a click
    starts = len(recording) - samples + 1 if len(recording) >= samples else len(recording)
    start = rng.integers(starts)
    noise = np.take(recording, np.arange(start, start + samples), mode="wrap")
    if not noise.any():  # digital silence has no signal-to-noise ratio: begin at the loudest sample instead
        start = np.abs(recording).argmax()
        noise = np.take(recording, np.arange(start, start + samples), mode="wrap")
    return noise, name
