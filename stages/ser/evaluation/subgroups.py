"""Scores by corpus, sex and speaker: for whom a model works."""

import numpy as np
import pandas as pd

from ser.evaluation.confusions import accuracy, confusions_by_speaker, left_out_scores, uar
from ser.evaluation.intervals import Difference, unpaired_difference
from ser.evaluation.scored_speakers import interval_of, speakers_of
from ser.storage.prediction_tables import scored_rows


def scores_by_group(table: pd.DataFrame, clips: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Score the test rows of each corpus, sex and speaker.

    Parameters
    ----------
    table : pd.DataFrame
        A prediction table.
    clips : pd.DataFrame
        ``clip, corpus, sex, speaker``; what is unknown is empty and in no group.
    confidence : float

    Returns
    -------
    pd.DataFrame
        ``group`` (corpus, sex or speaker), ``value, speakers, clips, uar, low, high, accuracy``. UAR is that over the
        emotions that the group shows. There is no interval for a speaker, nor for a group of less than five.
    """
    rows = scored_rows(table).sort_values(["clip", "fold"], ignore_index=True)
    facts = clips.set_index("clip").loc[rows["clip"]]
    found = []
    for group in ("corpus", "sex", "speaker"):
        values = facts[group].to_numpy(dtype=str)
        if group == "speaker":
            names, sizes, confusions = _by_speaker(rows, values)
            scores = zip(names, [1] * len(names), sizes, uar(confusions), accuracy(confusions), strict=True)
            found += [("speaker", name, n, size, u, np.nan, np.nan, a) for name, n, size, u, a in scores if name]
            continue
        for value in sorted(set(values) - {""}):
            part = rows[values == value]
            speakers = speakers_of(part, clips)
            confusions = confusions_by_speaker(part, speakers.of_row)
            total = confusions.sum(axis=0)
            _, low, high = interval_of(
                uar(total),
                left_out_scores(uar, confusions),
                speakers,
                sizes=confusions.sum(axis=-1),
                confidence=confidence,
            )
            known = len(speakers.names[speakers.names != ""])
            found.append((group, value, known, len(part), float(uar(total)), low, high, float(accuracy(total))))
    columns = ["group", "value", "speakers", "clips", "uar", "low", "high", "accuracy"]
    return pd.DataFrame(found, columns=columns)


def gaps(table: pd.DataFrame, clips: pd.DataFrame, *, confidence: float) -> dict[str, object]:
    """Say how unequal a model is to speakers.

    Returns
    -------
    dict
        ``speakers, worst_speaker, worst_uar, best_speaker, best_uar, speaker_deviation`` (standard deviation of the
        speakers' UAR) and ``sex_gap, sex_gap_low, sex_gap_high`` (UAR of female less that of male speakers); NaN or
        empty where speakers or sexes are unknown.
    """
    rows = scored_rows(table).sort_values(["clip", "fold"], ignore_index=True)
    facts = clips.set_index("clip").loc[rows["clip"]]
    names, _, confusions = _by_speaker(rows, facts["speaker"].to_numpy(dtype=str))
    known = names != ""
    names, values = names[known], uar(confusions[known])
    worst, best = (values.argmin(), values.argmax()) if len(values) else (None, None)
    gap = sex_gap(rows, facts["sex"].to_numpy(dtype=str), clips, confidence=confidence)
    return {
        "speakers": len(names),
        "worst_speaker": names[worst] if len(values) else "",
        "worst_uar": values[worst] if len(values) else np.nan,
        "best_speaker": names[best] if len(values) else "",
        "best_uar": values[best] if len(values) else np.nan,
        "speaker_deviation": values.std(ddof=1) if len(values) > 1 else np.nan,
        "sex_gap": gap.value,
        "sex_gap_low": gap.low,
        "sex_gap_high": gap.high,
    }


def sex_gap(rows: pd.DataFrame, sexes: np.ndarray, clips: pd.DataFrame, *, confidence: float) -> Difference:
    """Return the UAR of female less that of male speakers; an interval only with five or more of both."""
    sides, sizes, known = [], [], True
    for sex in ("female", "male"):
        part = rows[sexes == sex]
        if part.empty:
            return Difference(np.nan, np.nan, np.nan, np.nan)
        speakers = speakers_of(part, clips)
        confusions = confusions_by_speaker(part, speakers.of_row)
        sides.append((float(uar(confusions.sum(axis=0))), left_out_scores(uar, confusions)))
        sizes.append(confusions.sum(axis=-1))
        known &= speakers.allow_intervals
    if not known:
        return Difference(sides[0][0] - sides[1][0], np.nan, np.nan, np.nan)
    return unpaired_difference(*sides, confidence=confidence, sizes=tuple(sizes))


def _by_speaker(rows: pd.DataFrame, speakers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return names, numbers of rows and confusion matrices of the speakers."""
    names, sizes = np.unique(speakers, return_counts=True)
    return names, sizes, confusions_by_speaker(rows, speakers)
