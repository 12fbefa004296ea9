"""What scores can be compared with: the protocol of a run, and what guessing would reach."""

from pathlib import Path

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.evaluation.confusions import accuracy, confusions_by_speaker, uar
from ser.evaluation.scored_speakers import Speakers, why_no_intervals
from ser.folds.speaker_groups import one_emotion_warning
from ser.storage.csv_tables import EMPTY_IS_MISSING
from ser.storage.prediction_tables import PREFIX, emotions_of, scored_rows


def read_folds(path: Path | str) -> pd.DataFrame:
    """Read ``clip, fold_0, …``, with ``train``, ``validation``, ``test`` or nothing in each cell of a fold.

    Raises
    ------
    InputError
        If the file is missing.
    """
    if not Path(path).is_file():
        raise InputError(f"{path} not found: run `dvc repro`, or `dvc pull` if a remote holds it")
    return pd.read_csv(path, dtype=str, **EMPTY_IS_MISSING)


def comparability(clips: pd.DataFrame, folds: pd.DataFrame, scheme: str) -> tuple[str, str]:
    """Return a red warning and a note on what the scores can be compared with, each empty if there is no need.

    Parameters
    ----------
    clips, folds, scheme
        See `speaker_dependence`.
    """
    reason = speaker_dependence(clips, folds, scheme)
    if reason:
        return f"speaker-dependent split: not comparable with results on unseen speakers ({reason})", ""
    sharing = validation_sharing_speakers(clips, folds)
    if sharing:
        return "", f"note: {', '.join(sharing)}: speakers are both in training and validation (never in test)"
    return "", ""


def speaker_dependence(clips: pd.DataFrame, folds: pd.DataFrame, scheme: str) -> str:
    """Say why scores over these folds do not tell how a model does on a new speaker; an empty text if they do.

    Parameters
    ----------
    clips : pd.DataFrame
        With the columns ``clip`` and ``speaker`` (empty: unknown).
    folds : pd.DataFrame
        ``clip, fold_0, …`` with ``train``, ``validation``, ``test`` or nothing in each cell.
    scheme : str
        ``split.scheme``.
    """
    if scheme == "random":
        return "split.scheme is random"
    roles = _roles(clips, folds)
    if roles["speaker"].isna().any():
        return f"{roles.loc[roles['speaker'].isna(), 'clip'].nunique()} clips have no known speaker"
    shared = _speakers_in_both(roles, ["train", "validation"], ["test"])
    if shared:
        fold, speaker = shared[0]
        return f"speaker {speaker} is in the training and in the test part of {fold}"
    return ""


def validation_sharing_speakers(clips: pd.DataFrame, folds: pd.DataFrame) -> list[str]:
    """Return the folds of which a speaker is both in the training and in the validation part; see the one above."""
    shared = _speakers_in_both(_roles(clips, folds), ["train"], ["validation"])
    return sorted({fold for fold, _ in shared}, key=lambda fold: int(fold.removeprefix("fold_")))


def _roles(clips: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Return ``clip, fold, role, speaker``: one row a clip and fold that it has a role in."""
    columns = [column for column in folds.columns if column.startswith("fold_")]
    roles = folds.melt(id_vars="clip", value_vars=columns, var_name="fold", value_name="role").dropna(subset="role")
    return roles.merge(clips[["clip", "speaker"]].replace({"speaker": {"": None}}), on="clip", how="left")


def _speakers_in_both(roles: pd.DataFrame, one: list[str], other: list[str]) -> list[tuple[str, str]]:
    """Return the (fold, speaker) pairs that occur both in the parts `one` and in the parts `other`, sorted."""
    known = roles[["fold", "speaker", "role"]].dropna().drop_duplicates()
    pairs = [
        set(known.loc[known["role"].isin(side), ["fold", "speaker"]].itertuples(index=False, name=None))
        for side in (one, other)
    ]
    return sorted(pairs[0] & pairs[1])


def majority_baseline(table: pd.DataFrame, clips: pd.DataFrame, folds: pd.DataFrame) -> dict[str, object]:
    """Score what always says the most frequent emotion of the fold's training part.

    Parameters
    ----------
    table : pd.DataFrame
        A prediction table, for its test rows.
    clips : pd.DataFrame
        ``clip, emotion``.
    folds : pd.DataFrame
        See `speaker_dependence`.

    Returns
    -------
    dict
        ``emotion`` (the one said most often; of equally frequent ones the first by name), ``uar`` and ``accuracy``.
    """
    rows, emotions = scored_rows(table).copy(), emotions_of(table)
    emotion = folds["clip"].map(clips.set_index("clip")["emotion"])
    said = {
        fold: emotion[(folds[f"fold_{fold}"] == "train").to_numpy()].value_counts().reindex(emotions).idxmax()
        for fold in sorted(rows["fold"].unique())
    }
    for name in emotions:
        rows[PREFIX + name] = (rows["fold"].map(said) == name).astype(float)
    confusion = confusions_by_speaker(rows, np.zeros(len(rows))).sum(axis=0)
    most = rows["fold"].map(said).value_counts().reindex(emotions).idxmax()
    return {"emotion": most, "uar": round(float(uar(confusion)), 4), "accuracy": round(float(accuracy(confusion)), 4)}


def describe_protocol(
    table: pd.DataFrame,
    clips: pd.DataFrame,
    speakers: Speakers,
    *,
    scheme: str,
    normalization: str,
    confidence: float,
) -> dict[str, object]:
    """Say what was tested on what, and how sure the scores are.

    Parameters
    ----------
    table : pd.DataFrame
        A prediction table.
    clips : pd.DataFrame
        ``clip, corpus, speaker, emotion``.
    speakers : Speakers
        Of its test rows.
    scheme : str
        ``split.scheme``.
    normalization : str
        ``train.normalization``, or ``adapted by …`` of ``train.adapt``.
    confidence : float
        Of the intervals.

    Returns
    -------
    dict
        ``scheme, folds, clips`` (that are tested), ``untested_clips, speakers, emotions, corpora, normalisation``
        (its name: results of several are never compared), ``normalisation_warning`` (empty if there is no
        need), ``chance`` (UAR of guessing), ``confidence`` and ``intervals`` (how they were made, or why there are
        none).
    """
    rows = scored_rows(table)
    tested = clips[clips["clip"].isin(rows["clip"])]
    count = len(speakers.names)
    how = f"{100 * confidence:g} % intervals: what the scores would be with other speakers, as {count} speakers tell"
    return {
        "scheme": scheme,
        "folds": int(rows["fold"].nunique()),
        "clips": len(tested),
        "untested_clips": len(clips) - len(tested),
        "speakers": int((speakers.names != "").sum()),
        "emotions": emotions_of(table),
        "corpora": sorted(tested["corpus"].unique()),
        "normalisation": normalization,
        "normalisation_warning": one_emotion_warning(clips, normalization),
        "chance": round(1 / rows["emotion"].nunique(), 4),
        "confidence": confidence,
        "intervals": why_no_intervals(speakers) or how,
    }
