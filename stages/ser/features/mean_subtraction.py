"""Cepstral mean subtraction [1]_: the frames of a clip less their mean over the clip.

A microphone and a room multiply the spectrum of every frame by the same filter, which adds the same to all its cepstra
and logarithms of bands: the mean takes it along, with what is always so in a voice.

References
----------
.. [1] B. S. Atal, "Effectiveness of linear prediction characteristics of the speech wave for automatic speaker
   identification and verification", Journal of the Acoustical Society of America 55, 1974.
"""

import numpy as np

from ser.storage.shards import Ragged


class WithoutMean:
    """Sequences less their mean over time, each when it is read; otherwise what it is of a `Ragged` that is read from.

    Parameters
    ----------
    clips : Ragged of arrays (frames, columns), at least one frame each
    """

    def __init__(self, clips: Ragged):
        self._clips = clips

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, item: int) -> np.ndarray:
        frames = self._clips[item]
        return frames - frames.mean(axis=0, dtype=np.float64).astype(np.float32)

    @property
    def lengths(self) -> np.ndarray:
        """Number of frames of each clip, shape (n,)."""
        return self._clips.lengths


def mean_subtracted(clips: Ragged, subtract: bool) -> Ragged | WithoutMean:
    """Return clips without their means, or as they are."""
    return WithoutMean(clips) if subtract else clips
