"""Normalisation by speaker: every speaker's inputs by their own mean and deviation, without looking at emotions.

It takes away what distinguishes voices, before the trainers' own standardisation by the training clips. The statistics
are those of a speaker's original clips, whichever part of a fold they are in: nothing of them is a label, and who uses
such a model has no labels either. Copies are normalised by their speaker's originals, too: so a copy differs from its
clip by just what augmentation did to it, and the statistics do not depend on how many copies there are. (By statistics
of their own, copies with noise would have their noise taken away again.)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ser.features.column_statistics import column_statistics, frame_statistics
from ser.storage.shards import Ragged


class SpeakerStatistics(NamedTuple):
    """What every speaker's inputs are like.

    Attributes
    ----------
    speakers : np.ndarray of str, shape (speakers,)
        Sorted.
    mean, deviation : np.ndarray of float32, shape (speakers, columns)
        Over a speaker's clips, or over all frames of them; the deviation of a constant column is 1.
    """

    speakers: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


class NormalizedTable:
    """Vectors that are normalised when rows of them are taken, as ``table[rows]``.

    Parameters
    ----------
    table : np.ndarray, shape (n, columns)
        May be memory-mapped.
    who : np.ndarray of int, shape (n,)
        Row of the statistics for each row of the table.
    statistics : SpeakerStatistics
    """

    def __init__(self, table: np.ndarray, who: np.ndarray, statistics: SpeakerStatistics):
        self._table, self._who, self._statistics = table, who, statistics

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        who = self._who[rows]
        return (self._table[rows] - self._statistics.mean[who]) / self._statistics.deviation[who]


class NormalizedRagged(Ragged):
    """Sequences that are normalised when they are read; otherwise a `Ragged`.

    Parameters
    ----------
    clips : Ragged of arrays (frames, columns)
    who : np.ndarray of int, shape (n,)
        Row of the statistics for each clip.
    statistics : SpeakerStatistics
    """

    def __init__(self, clips: Ragged, who: np.ndarray, statistics: SpeakerStatistics):
        super().__init__(clips._shards, np.asarray(clips.index))
        self._stamps = clips._stamps
        self._who, self._statistics = who, statistics

    def __getitem__(self, item: int) -> np.ndarray:
        frames = super().__getitem__(item)
        who = self._who[item]
        return (frames - self._statistics.mean[who]) / self._statistics.deviation[who]

    def select(self, items: np.ndarray) -> "NormalizedRagged":
        """Return the items of a list of positions or of a boolean mask, in that order, without reading them."""
        return NormalizedRagged(super().select(items), self._who[items], self._statistics)

    def concatenate(self, other: "NormalizedRagged") -> "NormalizedRagged":
        """Return the items of both, each with its own statistics, without reading them."""
        both = zip(self._statistics, other._statistics, strict=True)
        statistics = SpeakerStatistics(*(np.concatenate(pair) for pair in both))
        who = np.concatenate([self._who, other._who + len(self._statistics.speakers)])
        return NormalizedRagged(super().concatenate(other), who, statistics)


def speaker_statistics(inputs: np.ndarray | Ragged, speakers: np.ndarray) -> SpeakerStatistics:
    """Return mean and deviation of each column for each speaker, reading a speaker's clips at a time.

    Parameters
    ----------
    inputs : np.ndarray, shape (n, columns), or Ragged of n arrays (frames, columns)
    speakers : np.ndarray of str, shape (n,)

    Raises
    ------
    InputError
        If a value is not finite.
    """
    names, who = np.unique(np.asarray(speakers, dtype=str), return_inverse=True)
    found = []
    for speaker in range(len(names)):
        rows = np.flatnonzero(who == speaker)
        is_sequence = isinstance(inputs, Ragged)
        found.append(frame_statistics(inputs.select(rows)) if is_sequence else column_statistics(inputs[rows]))
    mean, deviation = (np.stack(values) for values in zip(*found, strict=True))
    return SpeakerStatistics(names, mean, deviation)


def normalize_by_speaker(
    inputs: np.ndarray | Ragged, speakers: np.ndarray, statistics: SpeakerStatistics
) -> NormalizedTable | NormalizedRagged:
    """Return inputs that are normalised when they are read, each by the statistics of its speaker.

    Parameters
    ----------
    inputs, speakers
        See `speaker_statistics`.
    statistics : SpeakerStatistics
        Has every one of the speakers.
    """
    who = np.searchsorted(statistics.speakers, np.asarray(speakers, dtype=str))
    wrap = NormalizedRagged if isinstance(inputs, Ragged) else NormalizedTable
    return wrap(inputs, who, statistics)


def of_one_speaker(versions: Sequence[np.ndarray | Ragged]) -> list[np.ndarray | Ragged]:
    """Return clips that are all of one speaker, and changed copies of all of them, normalised by the clips.

    Parameters
    ----------
    versions : sequence of inputs
        Of the clips, and of copies.
    """
    who = np.full(len(versions[0]), "speaker")
    statistics = speaker_statistics(versions[0], who)
    normalized = [normalize_by_speaker(inputs, who, statistics) for inputs in versions]
    return [inputs if isinstance(inputs, Ragged) else inputs[:] for inputs in normalized]


class WithoutMean:
    """Sequences less their mean over time (cepstral mean subtraction [1]_), each when it is read, as from a `Ragged`.

    A microphone and a room multiply the spectrum of every frame by the same filter, which adds the same to all its
    cepstra and logarithms of bands: the mean takes it along, with what is always so in a voice.

    Parameters
    ----------
    clips : Ragged of arrays (frames, columns), at least one frame each

    References
    ----------
    .. [1] B. S. Atal, "Effectiveness of linear prediction characteristics of the speech wave for automatic speaker
       identification and verification", Journal of the Acoustical Society of America 55, 1974.
    """

    def __init__(self, clips: Ragged):
        self._clips = clips

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, item: int) -> np.ndarray:
        return _less_mean(self._clips[item])

    def read(self, items: np.ndarray) -> list[np.ndarray]:
        """Return several items; see `Ragged.read`."""
        return [_less_mean(frames) for frames in self._clips.read(items)]

    @property
    def lengths(self) -> np.ndarray:
        """Number of frames of each clip, shape (n,)."""
        return self._clips.lengths


def _less_mean(frames: np.ndarray) -> np.ndarray:
    return frames - frames.mean(axis=0, dtype=np.float64).astype(np.float32)


def mean_subtracted(clips: Ragged, subtract: bool) -> Ragged | WithoutMean:
    """Return clips without their means, or as they are."""
    return WithoutMean(clips) if subtract else clips
