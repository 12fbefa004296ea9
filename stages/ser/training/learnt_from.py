"""What a model learnt from, as its folder tells it: corpora, people, licences, and what its recordings sound like.

The usual range of every number of `ser.audio.recording_profile` is that of the recordings it learnt from, so wide that
of speakers who are left out few recordings lie outside.
"""

import numpy as np
import pandas as pd

from ser.adaptation.input_statistics import middle_statistics, statistics_of
from ser.adaptation.usual_ranges import LEVEL, narrowest_ranges, plain_ranges, unknown_margins, widened
from ser.features.column_statistics import beyond_three_deviations, clip_means, column_statistics
from ser.storage.shards import Ragged
from ser.training.dataset import Dataset, take

BEYOND = "inputs beyond 3 deviations, %"
OUTSIDE = 1.5  # %, of the recordings of left-out speakers that may lie outside any of the widened ranges
LEVEL_OUTSIDE = 1.0  # %, that may lie outside the range of the level
LEAST_MARGIN = 0.1  # of a range but the level's: few recordings do not tell how wide it is
FEW_SPEAKERS = 0.5  # divided by the number of groups of speakers, is added to it: nor do few speakers
GROUPS = 12  # of speakers that are left out together, at most


def learnt_from(data: Dataset, rows: np.ndarray) -> dict[str, object]:
    """Return what a model learnt from, for its ``model.json``.

    Parameters
    ----------
    data : Dataset
    rows : np.ndarray of bool, shape (clips,)
        The clips it learnt from.

    Returns
    -------
    dict
        ``clips``, ``speakers`` (known ones) and ``corpora``: by name, each with ``clips, speakers, languages, licence``
        and ``synthetic``.
    """
    corpora = {}
    for corpus, clips in data.clips[rows].groupby("corpus"):
        languages = sorted(set(clips["language"]) - {""})
        corpora[corpus] = _counted(clips) | {"languages": languages} | data.origin["corpora"][corpus]
    return _counted(data.clips[rows]) | {"corpora": corpora}


def usual_recordings(data: Dataset, rows: np.ndarray) -> dict[str, object]:
    """Return the usual range of what the recordings are like that a model learnt from, for its ``model.json``.

    The ends are quantiles, further apart by margins: those that leave out `OUTSIDE` of the recordings where those of
    each speaker are judged by the ranges of the others, all numbers together in proportion to what each alone would
    take. The level has a narrower one: acted speech covers 40 dB, and a recording that is 40 dB too quiet must not lie
    inside.

    Parameters
    ----------
    data, rows
        See `learnt_from`.

    Returns
    -------
    dict
        ``names``, ``low`` and ``high`` of each number; ``inputs``, where the model reads columns of features: ``mean``
        and ``deviation`` of each (of frames: of their means over a clip), and ``expected``, by which `ser.adaptation`
        moves others.
    """
    profile, speakers = data.recordings[rows], data.clips.loc[rows, "speaker"].to_numpy(dtype=str)
    names, found = list(data.origin["profile"]), {}
    known = np.unique(speakers[speakers != ""])
    held_out = [np.isin(speakers, some) for some in np.array_split(known, min(GROUPS, len(known)) or 1)]
    if "names" in data.description:  # columns of features, and no samples or embeddings
        inputs = clip_means(data.raw_inputs, rows)
        mean, deviation = column_statistics(inputs)
        beyond = beyond_three_deviations(inputs, mean, deviation)
        for left_out in held_out if len(held_out) > 1 else []:
            beyond[left_out] = beyond_three_deviations(inputs[left_out], *column_statistics(inputs[~left_out]))
        profile, names = np.column_stack([profile, 100 * beyond]), [*names, BEYOND]
        found = {"inputs": {"mean": _rounded(mean), "deviation": _rounded(deviation)}}
        is_sequence = isinstance(data.raw_inputs, Ragged)
        expected = statistics_of(take(data.raw_inputs, rows)) if is_sequence else middle_statistics(inputs)
        found["expected"] = expected.as_json()
    low, high = plain_ranges(profile)
    narrowest, level = narrowest_ranges(names), np.array([name == LEVEL for name in names])
    margin = unknown_margins(names)
    if len(held_out) > 1:
        outside = np.concatenate(
            [_overshoot(profile[out], *plain_ranges(profile[~out]), narrowest=narrowest) for out in held_out]
        )
        margin[level] = np.percentile(outside[:, level], 100 - LEVEL_OUTSIDE).clip(0)
        least = LEAST_MARGIN + FEW_SPEAKERS / len(held_out)
        own = np.percentile(outside[:, ~level], 100 - OUTSIDE, axis=0).clip(least)
        margin[~level] = own * np.percentile((outside[:, ~level] / own).max(axis=1), 100 - OUTSIDE).clip(1)
    low, high = widened(low, high, margin, names)
    return {"names": names, "low": _rounded(low), "high": _rounded(high), **found}


def _counted(clips: pd.DataFrame) -> dict[str, int]:
    return {"clips": len(clips), "speakers": clips.loc[clips["speaker"] != "", "speaker"].nunique()}


def _overshoot(profile: np.ndarray, low: np.ndarray, high: np.ndarray, *, narrowest: np.ndarray) -> np.ndarray:
    """Return how far numbers lie outside their ranges, relative to these; negative within."""
    return np.maximum(low - profile, profile - high) / np.maximum(high - low, narrowest)


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
