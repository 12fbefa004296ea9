"""Compiling what librosa compiles on first use, once and in one process."""

import librosa
import numpy as np

SAMPLE_RATE = 16000  # Hz; what is compiled does not depend on it


def compile_librosa() -> None:
    """Run the functions of librosa that Numba compiles, so that worker processes find them in its cache.

    Processes that compile the same function for different types at the same time overwrite each other's files in the
    cache beside librosa, and a later run that loads them crashes (seen on fresh installs). The first call takes some
    seconds, later ones a fraction of one.
    """
    y = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    librosa.effects.trim(y)
    librosa.yin(y, fmin=100.0, fmax=400.0, sr=SAMPLE_RATE)
    librosa.feature.zero_crossing_rate(y)
    librosa.feature.melspectrogram(y=y, sr=SAMPLE_RATE)
    librosa.feature.rms(y=y)
