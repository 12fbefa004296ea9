"""Folds: which clips train, validate and test each model.

Every protocol is the same table: one row a clip, one column a fold (``fold_0``, ``fold_1``, …) that holds the clip's
part: ``train``, ``validation`` or ``test``; or ``labelled``, of a tested corpus a clip to adapt by, or nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.folds.dealt_parts import deal_clips, group_folds, groups_to_leave_out, own_order, share_of_groups
from ser.folds.fold_tables import read_protocol
from ser.storage.seeds import derive_seed, generator


def assign_parts(clips: pd.DataFrame, settings) -> pd.DataFrame:
    """Assign every clip its part in every fold.

    Parameters
    ----------
    clips : pd.DataFrame
        See the README; one row a clip. With a column ``audio``, a digest of its samples, clips that are alike in all
        else are told apart by it and not by their names.
    settings : ser.settings.split_section.Split
        The ``split`` section of the parameters.

    Returns
    -------
    pd.DataFrame
        ``clip`` and one column a fold.

    Raises
    ------
    InputError
        If the clips do not allow the scheme, or a training part lacks an emotion.

    Notes
    -----
    Neither the order of the rows nor what the clips are called matters: a corpus that lies in other folders, or comes
    in another format, is split alike.
    """
    order = own_order(clips)
    clips = clips.iloc[order]
    fold_of_clip = assign_folds(clips, settings)
    parts = {"clip": clips["clip"].to_numpy()}
    for fold in sorted(set(fold_of_clip[fold_of_clip >= 0])):
        part = np.full(len(clips), "train", dtype=object)
        part[fold_of_clip == fold] = "test"
        if settings.labelled_speakers:
            tested = np.flatnonzero(part == "test")
            part[tested] = labelled_parts(clips.iloc[tested], settings, fold)
        rest = np.flatnonzero(part == "train")
        if len(rest) == 0:
            raise InputError(f"fold {fold} tests every clip: none is left to train on")
        part[rest[validation_rows(clips.iloc[rest], settings, fold)]] = "validation"
        _require_all_emotions(clips, part, fold, settings.scheme)
        parts[f"fold_{fold}"] = part
    return pd.DataFrame(parts).iloc[np.argsort(order)].reset_index(drop=True)


def assign_folds(clips: pd.DataFrame, settings) -> np.ndarray:
    """Return the number of the fold that tests each clip, -1 for one that is never tested.

    `clips` are in their `own_order`, as single clips are dealt in the order of the rows.
    """
    scheme, seed = settings.scheme, derive_seed(settings.seed, "folds")
    if scheme == "predefined":
        return stated_folds(clips, settings.predefined)[0]
    if scheme == "random":
        counts = clips["emotion"].value_counts()
        if counts.iloc[0] < settings.folds:
            raise InputError(
                f"split.folds {settings.folds} needs as many clips of an emotion; the most frequent, "
                f"{counts.index[0]}, has {counts.iloc[0]}: add recordings, or lower split.folds (at least 2)"
            )
        return deal_clips(clips["emotion"], settings.folds, seed)
    _require_speakers(clips, scheme)
    speakers = clips["speaker"]
    if scheme == "loso":
        _require_groups(speakers, 2, "split.scheme loso", "speakers")
        return _numbered(speakers)
    if scheme == "cross_corpus":
        _require_groups(clips["corpus"], 2, "split.scheme cross_corpus", "corpora")
        return _numbered(clips["corpus"])
    if scheme == "kfold":
        _require_groups(speakers, settings.folds, f"split.folds {settings.folds}", "speakers")
        return group_folds(clips, speakers, settings.folds, seed)
    _require_groups(speakers, 3, "split.scheme holdout", "speakers")
    return np.where(share_of_groups(clips, speakers, settings.test_fraction, seed, spare=2), 0, -1)


def labelled_parts(tested: pd.DataFrame, settings, fold: int) -> np.ndarray:
    """Return the parts of the clips of a tested corpus of which some people give a few with their labels.

    Their emotions take turns, as far as they go; what else these people say is in no part.

    Returns
    -------
    np.ndarray of str
        ``test``, ``labelled`` or nothing.

    Raises
    ------
    InputError
        If nobody else is left to be tested.
    """
    people = np.unique(tested["speaker"])
    if len(people) <= settings.labelled_speakers:
        raise InputError(
            f"split.labelled_speakers is {settings.labelled_speakers}, and {tested['corpus'].iloc[0]} has "
            f"{len(people)} speakers: nobody is left to be tested"
        )
    draw = generator(settings.seed, "labelled", fold)
    giving = tested["speaker"].isin(draw.permutation(people)[: settings.labelled_speakers]).to_numpy()
    part = np.where(giving, "", "test").astype(object)
    rows = draw.permutation(np.flatnonzero(giving))
    turn = tested["emotion"].iloc[rows].groupby(tested["emotion"].iloc[rows].to_numpy()).cumcount().to_numpy()
    part[rows[np.argsort(turn, kind="stable")[: settings.labelled_clips]]] = "labelled"
    return part


def validation_rows(rest: pd.DataFrame, settings, fold: int) -> np.ndarray:
    """Choose the validation clips among the clips of a fold that are not tested.

    Whole speakers, as balanced as the fold's test part; a clip of an unknown one counts as one of its own. With a
    single speaker left whole statements (TESS has two speakers), and with a single statement or without speakers,
    single clips.

    Returns
    -------
    np.ndarray of int
        Positions in `rest`.
    """
    seed = derive_seed(settings.seed, "validation", fold)
    groups = None if settings.scheme == "random" else groups_to_leave_out(rest)
    if groups is not None:
        return np.flatnonzero(share_of_groups(rest, groups, settings.validation_fraction, seed, spare=1))
    folds = max(2, round(1 / settings.validation_fraction))
    counts = rest["emotion"].value_counts()
    if counts.iloc[-1] < 2:
        raise InputError(
            f"fold {fold}: a single clip of {counts.index[-1]} is left outside the test part, which cannot both teach "
            "and validate: add recordings, or choose prepare.emotions without it"
        )
    return np.flatnonzero(deal_clips(rest["emotion"], min(folds, counts.iloc[-1]), seed) == 0)


def stated_folds(clips: pd.DataFrame, path: Path | str) -> tuple[np.ndarray, str]:
    """Return the folds of scheme ``predefined``, and what to say of a protocol that serves no clip (empty if it does).

    The fold that a table of clips states of its own clip counts. The protocol, a table with the columns ``fold`` and
    either ``clip`` or ``speaker``, serves the clips that state none. What it names and is not there is passed over, so
    that a published protocol serves a part of its corpus; a clip of which neither speaks is never tested.

    Raises
    ------
    InputError
        If the two contradict each other, no clip has a fold, or the protocol cannot be used.
    """
    own = clips.get("fold", pd.Series("", index=clips.index)).replace("", "-1").astype(int).to_numpy()
    stating = own >= 0
    if stating.any() and not Path(path).is_file():
        return own, f"split.predefined: {path} not found; the tables' own folds alone count"
    protocol = read_protocol(path)
    key = protocol.index.name
    listed = clips[key].str.normalize("NFC").map(protocol).fillna(-1).astype(int).to_numpy()
    differ = np.flatnonzero(stating & (listed >= 0) & (listed != own))
    if len(differ):
        first = differ[0]
        raise InputError(
            f"split.predefined: {path} puts {clips['clip'].iloc[first]} into fold {listed[first]}, the table of its "
            f"corpus into fold {own[first]} (clips that differ: {len(differ)}): mend one of the two"
        )
    if not stating.any() and (listed < 0).all():
        raise InputError(f"split.predefined: {path} names no {key} that there is, such as {clips[key].iloc[0]}")
    if (listed[~stating] >= 0).any():
        return np.where(stating, own, listed), ""
    if stating.all():
        return own, f"split.predefined: {path} is not needed: every clip has a fold of its own"
    return own, f"split.predefined: {path} names none of the {(~stating).sum()} clips that have no fold of their own"


def shared_between_parts(clips: pd.DataFrame, folds: pd.DataFrame, digests: Sequence[str]) -> pd.DataFrame:
    """Audit a table of folds: find speakers and audio that several parts of a fold share.

    Parameters
    ----------
    clips, folds : pd.DataFrame
        With the same ``clip`` column.
    digests : sequence of str
        Digest of the audio of each clip.

    Returns
    -------
    pd.DataFrame
        ``fold``, ``kind`` (speaker or audio), ``value`` (the speaker, or the clips that are the same) and ``parts``,
        such as ``test, train``; empty if all is well.
    """
    found = []
    for kind, values in (("speaker", clips["speaker"]), ("audio", pd.Series(list(digests), dtype=str))):
        known = ((values != "") & values.duplicated(keep=False)).to_numpy()  # what is there once is in one part
        for fold in folds.columns[1:]:
            own, of = folds.loc[known, fold].to_numpy(), values[known].to_numpy()
            parts = pd.Series(own[own != ""]).groupby(of[own != ""]).unique()
            for value in parts.index[parts.map(len) > 1]:
                shown = value if kind == "speaker" else ", ".join(clips["clip"][(values == value).to_numpy()])
                found.append((fold, kind, shown, ", ".join(sorted(parts[value]))))
    return pd.DataFrame(found, columns=["fold", "kind", "value", "parts"])


def _numbered(values: pd.Series) -> np.ndarray:
    return values.map({value: number for number, value in enumerate(sorted(values.unique()))}).to_numpy()


def _require_speakers(clips: pd.DataFrame, scheme: str) -> None:
    unknown = clips.loc[clips["speaker"] == "", "clip"]
    if len(unknown):
        raise InputError(
            f"split.scheme {scheme} needs the speaker of every clip, unknown for {len(unknown)} (first: "
            f"{unknown.iloc[0]}); name the speakers, or use scheme predefined or random (speaker-dependent)"
        )


def _require_groups(values: pd.Series, least: int, what: str, kind: str) -> None:
    if values.nunique() < least:
        raise InputError(f"{what} needs at least {least} {kind}; there are {values.nunique()}")


def _require_all_emotions(clips: pd.DataFrame, part: np.ndarray, fold: int, scheme: str) -> None:
    missing = sorted(set(clips["emotion"]) - set(clips.loc[part == "train", "emotion"]))
    if missing:
        remedy = "choose prepare.emotions that all parts share, or another split"
        if scheme == "cross_corpus":
            remedy = "set prepare.emotions to shared (what all corpora show), or let their names meet by prepare.rename"
        raise InputError(f"fold {fold}: no training clip shows {', '.join(missing)}; {remedy}")
