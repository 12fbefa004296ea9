"""Folds: which clips train, validate and test each model.

Every protocol is the same table: one row a clip, one column a fold (``fold_0``, ``fold_1``, …) that holds the clip's
part: ``train``, ``validation`` or ``test``.
"""

import warnings
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ser.errors import InputError
from ser.folds.speaker_groups import group_by_name
from ser.storage.seeds import derive_seed


def assign_parts(clips: pd.DataFrame, settings) -> pd.DataFrame:
    """Assign every clip its part in every fold.

    Parameters
    ----------
    clips : pd.DataFrame
        See the README; one row a clip.
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
    """
    fold_of_clip = assign_folds(clips, settings)
    parts = {"clip": clips["clip"].to_numpy()}
    for fold in sorted(set(fold_of_clip[fold_of_clip >= 0])):
        part = np.full(len(clips), "train", dtype=object)
        part[fold_of_clip == fold] = "test"
        rest = np.flatnonzero(part != "test")
        if len(rest) == 0:
            raise InputError(f"fold {fold} tests every clip: none is left to train on")
        part[rest[validation_rows(clips.iloc[rest], settings, fold)]] = "validation"
        _require_all_emotions(clips, part, fold, settings.scheme)
        parts[f"fold_{fold}"] = part
    return pd.DataFrame(parts)


def assign_folds(clips: pd.DataFrame, settings) -> np.ndarray:
    """Return the number of the fold that tests each clip, -1 for one that is never tested."""
    scheme, seed = settings.scheme, derive_seed(settings.seed, "folds")
    if scheme == "predefined":
        stated = clips.get("fold", pd.Series(dtype=str))
        if (stated != "").any():  # by a manifest; a clip for which it states none is never tested
            return stated.replace("", "-1").astype(int).to_numpy()
        return predefined_folds(clips, settings.predefined)
    if scheme == "random":
        return _test_sets(StratifiedKFold(settings.folds, shuffle=True, random_state=seed), clips, clips["emotion"])
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
    for column in ("speaker", "statement"):
        if settings.scheme == "random":
            break
        groups = group_by_name(rest[column].to_numpy(dtype=str), rest["clip"].to_numpy(dtype=str))
        if groups is not None:
            groups = pd.Series(groups, index=rest.index)
            return np.flatnonzero(share_of_groups(rest, groups, settings.validation_fraction, seed, spare=1))
    folds = max(2, round(1 / settings.validation_fraction))
    smallest = rest["emotion"].value_counts().min()
    if smallest < 2:
        raise InputError(f"fold {fold}: one clip of an emotion is left outside the test part: none to validate on")
    splitter = StratifiedKFold(min(folds, smallest), shuffle=True, random_state=seed)
    return np.flatnonzero(_test_sets(splitter, rest, rest["emotion"]) == 0)


def predefined_folds(clips: pd.DataFrame, path: Path | str) -> np.ndarray:
    """Read folds from a CSV with the columns ``fold`` and either ``clip`` or ``speaker``.

    Clips and speakers that are not there are passed over, so that a published protocol serves a part of its corpus;
    clips that the file does not mention are never tested.
    """
    if not Path(path).is_file():
        raise InputError(f"split.predefined: {path} not found")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"split.predefined: {path} is no CSV table ({error})") from None
    key = next((column for column in ("clip", "speaker") if column in table), None)
    if key is None or "fold" not in table:
        raise InputError(f"split.predefined: {path} needs the columns fold and either clip or speaker")
    if table[key].duplicated().any():
        raise InputError(f"split.predefined: {path} names {table[key][table[key].duplicated()].iloc[0]} twice")
    if not table["fold"].str.fullmatch(r"\d+").all():
        raise InputError(f"split.predefined: {path}: folds are numbers from 0")
    folds = clips[key].map(table.set_index(key)["fold"].astype(int)).fillna(-1).astype(int).to_numpy()
    if (folds < 0).all():
        raise InputError(f"split.predefined: {path} names no {key} that there is, such as {clips[key].iloc[0]}")
    return folds


def group_folds(clips: pd.DataFrame, groups: pd.Series, folds: int, seed: int) -> np.ndarray:
    """Number the folds of clips such that each gets its share of every stratum, as far as whole groups allow."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return _test_sets(splitter, clips, strata(clips, folds), groups)


def share_of_groups(clips: pd.DataFrame, groups: pd.Series, share: float, seed: int, *, spare: int) -> np.ndarray:
    """Choose whole groups that make up a share of all, balanced as folds are; a mask over the clips.

    At least one group is chosen and at least `spare` groups are left.
    """
    total = groups.nunique()
    wanted = int(np.clip(round(share * total), 1, total - spare))
    # some folds of several groups each: a fold of a single group would not be balanced
    part = Fraction(wanted, total).limit_denominator(max(2, total // 2)) if wanted > 1 else Fraction(1, total)
    if part == 1:  # rounded up
        part = Fraction(wanted, total)
    return group_folds(clips, groups, part.denominator, seed) < part.numerator


def strata(clips: pd.DataFrame, folds: int) -> pd.Series:
    """Return what a split is to balance: emotion, sex and corpus, or less of it where clips are few."""
    for labels in (clips["emotion"] + "/" + clips["sex"] + "/" + clips["corpus"], clips["emotion"]):
        if labels.value_counts().max() >= folds:
            return labels
    return pd.Series("", index=clips.index)


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
        known = (values != "").to_numpy()
        for fold in folds.columns[1:]:
            parts = folds.loc[known, fold].groupby(values[known].to_numpy()).unique()
            for value in parts.index[parts.map(len) > 1]:
                shown = value if kind == "speaker" else ", ".join(clips["clip"][(values == value).to_numpy()])
                found.append((fold, kind, shown, ", ".join(sorted(parts[value]))))
    return pd.DataFrame(found, columns=["fold", "kind", "value", "parts"])


def _test_sets(splitter, clips: pd.DataFrame, labels: pd.Series, groups: pd.Series | None = None) -> np.ndarray:
    """Return for each clip the number of the split that tests it."""
    number = np.full(len(clips), -1)
    try:
        with warnings.catch_warnings():  # an emotion rarer than the folds is reported where it matters: in training
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            for fold, (_, test) in enumerate(splitter.split(np.zeros(len(clips)), labels, groups)):
                number[test] = fold
    except ValueError as error:
        raise InputError(f"split: {error}") from None
    return number


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
