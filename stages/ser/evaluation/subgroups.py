"""Scores by corpus, sex and speaker: for whom a model works.

A UAR is a mean over the emotions that its clips show, so those of groups that show different ones are different
scores: who lacks the hardest emotion looks better understood. `scores_by_group` says how many each shows; what compares
groups does so over emotions that both show.
"""

import numpy as np
import pandas as pd

from ser.evaluation.confusions import accuracy, confusions_by_speaker, left_out_scores, only, shown, uar
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
        ``group`` (corpus, sex or speaker), ``value, speakers, clips, emotions, uar, low, high, accuracy``. UAR is that
        over the emotions that the group shows, whose number is `emotions`. There is no interval for a speaker, nor for
        a group of less than five.
    """
    rows = scored_rows(table).sort_values(["clip", "fold"], ignore_index=True)
    facts = clips.set_index("clip").loc[rows["clip"]]
    found = []
    for group in ("corpus", "sex", "speaker"):
        values = facts[group].to_numpy(dtype=str)
        if group == "speaker":
            names, sizes, confusions = _by_speaker(rows, values)
            scores = zip(
                names, sizes, shown(confusions).sum(axis=-1), uar(confusions), accuracy(confusions), strict=True
            )
            found += [("speaker", name, 1, size, n, u, np.nan, np.nan, a) for name, size, n, u, a in scores if name]
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
            emotions = int(shown(total).sum())
            scores = float(uar(total)), low, high, float(accuracy(total))
            found.append((group, value, known, len(part), emotions, *scores))
    columns = ["group", "value", "speakers", "clips", "emotions", "uar", "low", "high", "accuracy"]
    return pd.DataFrame(found, columns=columns)


def tested_emotions(chance: float) -> int:
    """Return of how many emotions `chance`, rounded to four digits, is the UAR of guessing."""
    return round(1 / chance)


def gaps(table: pd.DataFrame, clips: pd.DataFrame, *, confidence: float) -> dict[str, object]:
    """Say how unequal a model is to speakers and sexes, compared over the same emotions.

    Speakers are compared over the emotions that at least half of them show, and of the speakers those who show all of
    these.

    Returns
    -------
    dict
        ``speakers`` (known ones), ``compared_speakers, compared_emotions`` (how many were), ``worst_speaker, worst_uar,
        best_speaker, best_uar, speaker_deviation`` (standard deviation of the compared speakers' UAR); these are NaN or
        empty unless two speakers and two emotions can be compared. ``sex_emotions`` (how many both sexes show),
        ``sex_gap, sex_gap_low, sex_gap_high``; see `sex_gap`.
    """
    rows = scored_rows(table).sort_values(["clip", "fold"], ignore_index=True)
    facts = clips.set_index("clip").loc[rows["clip"]]
    names, _, confusions = _by_speaker(rows, facts["speaker"].to_numpy(dtype=str))
    known = names != ""
    names, confusions = names[known], confusions[known]
    emotions = shown(confusions).mean(axis=0) >= 0.5 if len(names) else np.zeros(confusions.shape[-1], dtype=bool)
    compared = shown(confusions)[:, emotions].all(axis=-1)
    comparable = compared.sum() >= 2 and emotions.sum() >= 2
    found: dict[str, object] = {
        "speakers": len(names),
        "compared_speakers": int(compared.sum()) if comparable else 0,
        "compared_emotions": int(emotions.sum()) if comparable else 0,
        "worst_speaker": "",
        "worst_uar": np.nan,
        "best_speaker": "",
        "best_uar": np.nan,
        "speaker_deviation": np.nan,
    }
    if comparable:
        values, names = uar(only(confusions[compared], emotions)), names[compared]
        worst, best = values.argmin(), values.argmax()
        found |= {"worst_speaker": names[worst], "worst_uar": values[worst], "best_speaker": names[best]}
        found |= {"best_uar": values[best], "speaker_deviation": values.std(ddof=1)}
    gap, of_both = sex_gap(rows, facts["sex"].to_numpy(dtype=str), clips, confidence=confidence)
    return found | {"sex_emotions": of_both, "sex_gap": gap.value, "sex_gap_low": gap.low, "sex_gap_high": gap.high}


def sex_gap(rows: pd.DataFrame, sexes: np.ndarray, clips: pd.DataFrame, *, confidence: float) -> tuple[Difference, int]:
    """Return the UAR of female less that of male speakers over the emotions that both show, and how many these are.

    There is none over less than two emotions, and an interval only with five or more speakers of both sexes. Where one
    speaker is the only one of their sex to show an emotion, there is no interval either: without them it would be a
    difference over other emotions (see `left_out_scores`).
    """
    parts = [rows[sexes == sex] for sex in ("female", "male")]
    nothing = Difference(np.nan, np.nan, np.nan, np.nan)
    if any(part.empty for part in parts):
        return nothing, 0
    speakers = [speakers_of(part, clips) for part in parts]
    confusions = [confusions_by_speaker(part, who.of_row) for part, who in zip(parts, speakers, strict=True)]
    emotions = np.logical_and(*(shown(each.sum(axis=0)) for each in confusions))
    if emotions.sum() < 2:
        return nothing, int(emotions.sum())
    confusions = [only(each, emotions) for each in confusions]
    values = [float(uar(each.sum(axis=0))) for each in confusions]
    if not all(who.allow_intervals for who in speakers):
        return nothing._replace(value=values[0] - values[1]), int(emotions.sum())
    sides = [(value, left_out_scores(uar, each)) for value, each in zip(values, confusions, strict=True)]
    sizes = tuple(each.sum(axis=-1) for each in confusions)
    return unpaired_difference(*sides, confidence=confidence, sizes=sizes), int(emotions.sum())


def _by_speaker(rows: pd.DataFrame, speakers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return names, numbers of rows and confusion matrices of the speakers."""
    names, sizes = np.unique(speakers, return_counts=True)
    return names, sizes, confusions_by_speaker(rows, speakers)
