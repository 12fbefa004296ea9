"""Pitch of the voice."""

import librosa
import numpy as np

F0_RANGE = (65.0, 500.0)  # Hz, from a low male voice to a raised female one
REFERENCE = 100.0  # Hz, 0 semitones


def f0_semitones(y: np.ndarray, *, sr: int, hop_length: int) -> np.ndarray:
    """Return the fundamental frequency of every frame in semitones above 100 Hz, by YIN (librosa), shape (frames,).

    Every frame has a value; that of an unvoiced one means nothing.
    """
    longest = sr / F0_RANGE[0]
    frame_length = 2 ** int(np.ceil(np.log2(4 * longest)))  # YIN compares halves that should hold two periods
    f0 = librosa.yin(y, fmin=F0_RANGE[0], fmax=F0_RANGE[1], sr=sr, frame_length=frame_length, hop_length=hop_length)
    return 12 * np.log2(f0 / REFERENCE)
