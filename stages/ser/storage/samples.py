"""Samples as numbers: 16 bits, floats of full scale 1, decibels, digests: what is to be known of clean audio."""

import hashlib
from collections.abc import Sequence

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


def audio_digests(audio: Sequence[np.ndarray]) -> np.ndarray:
    """Return a digest of the samples of each clip; equal audio has equal digests.

    Parameters
    ----------
    audio : sequence of np.ndarray
    """
    return np.array([hashlib.sha256(np.ascontiguousarray(samples)).hexdigest() for samples in audio], dtype=object)
