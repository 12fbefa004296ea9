"""What a model learnt from, as its folder tells it: corpora, people, licences, and what its recordings sound like.

The usual range of every number of `ser.audio.recording_profile` is that of the recordings it learnt from, so wide that
of speakers who are left out few recordings lie outside.
"""

import numpy as np
import pandas as pd

from ser.features.column_statistics import beyond_three_deviations, clip_means, column_statistics
from ser.training.dataset import Dataset

BEYOND = "inputs beyond 3 deviations, %"
LEVEL = "level, dBFS"
OUTERMOST = 0.5  # %, of the recordings at either end that a range leaves out before it is widened
OUTSIDE = 1.5  # %, of the recordings of left-out speakers that may lie outside any of the widened ranges
LEVEL_OUTSIDE = 1.0  # %, that may lie outside the range of the level
LEAST_MARGIN = 0.1  # of a range but the level's: few recordings do not tell how wide it is
FEW_SPEAKERS = 0.5  # divided by the number of groups of speakers, is added to it: nor do few speakers
UNKNOWN_MARGIN = 0.5  # with a single speaker, or none that is known: nobody can be left out
UNKNOWN_LEVEL_MARGIN = 0.1
NARROWEST = {"clipped, %": 0.005}  # ranges; of numbers in dB
NARROWEST_DB = 1.0
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
        and ``deviation`` of each (of frames: of their means over a clip).
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
    low, high = _ranges(profile)
    narrowest = np.array([NARROWEST.get(name, NARROWEST_DB) for name in names])
    level = np.array([name == LEVEL for name in names])
    margin = np.where(level, UNKNOWN_LEVEL_MARGIN, UNKNOWN_MARGIN)
    if len(held_out) > 1:
        outside = np.concatenate(
            [_overshoot(profile[out], *_ranges(profile[~out]), narrowest=narrowest) for out in held_out]
        )
        margin[level] = np.percentile(outside[:, level], 100 - LEVEL_OUTSIDE).clip(0)
        least = LEAST_MARGIN + FEW_SPEAKERS / len(held_out)
        own = np.percentile(outside[:, ~level], 100 - OUTSIDE, axis=0).clip(least)
        margin[~level] = own * np.percentile((outside[:, ~level] / own).max(axis=1), 100 - OUTSIDE).clip(1)
    width = np.maximum(margin * (high - low), np.where(level, 0, narrowest))
    least_of, most_of = zip(*(_possible(name) for name in names), strict=True)
    low, high = np.maximum(low - width, least_of), np.minimum(high + width, most_of)
    return {"names": names, "low": _rounded(low), "high": _rounded(high), **found}


def _possible(name: str) -> tuple[float, float]:
    """Return the lowest and the highest that a number can be; what is at an end is never outside."""
    if name.endswith("%"):
        return 0.0, 100.0
    return (-np.inf, np.inf) if name == LEVEL or "Hz" not in name else (-np.inf, 0.0)


def _counted(clips: pd.DataFrame) -> dict[str, int]:
    return {"clips": len(clips), "speakers": clips.loc[clips["speaker"] != "", "speaker"].nunique()}


def _ranges(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.percentile(profile, [OUTERMOST, 100 - OUTERMOST], axis=0))


def _overshoot(profile: np.ndarray, low: np.ndarray, high: np.ndarray, *, narrowest: np.ndarray) -> np.ndarray:
    """Return how far numbers lie outside their ranges, relative to these; negative within."""
    return np.maximum(low - profile, profile - high) / np.maximum(high - low, narrowest)


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
