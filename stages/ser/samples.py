"""Samples as numbers: 16 bits, floats of full scale 1, decibels. All that features and copies need to know of audio."""

import numpy as np


def amplitude(db: float) -> float:
    """Return the amplitude of a level in dB relative to full scale 1."""
    return 10 ** (db / 20)


def to_int16(y: np.ndarray) -> np.ndarray:
    """Quantise samples of full scale 1 to 16 bits, clipping what lies beyond."""
    return np.clip(np.rint(y * 32768.0), -32768, 32767).astype(np.int16)


def to_float(samples: np.ndarray) -> np.ndarray:
    """Return 16-bit samples as float32 of full scale 1."""
    return samples.astype(np.float32) / 32768.0
