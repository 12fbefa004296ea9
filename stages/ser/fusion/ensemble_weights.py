"""Late fusion: one model out of the predictions of several.

What is learnt for a fold is learnt from its validation rows alone. The validation rows of the fused model itself are
what later steps fit and choose by, so none of them is fused by what was learnt from its own speaker.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from ser.errors import InputError
from ser.evaluation.calibration import truth_of
from ser.folds.speaker_groups import group_by_name
from ser.fusion.opinion_pools import learn_pool
from ser.fusion.stacking import learn_stacking
from ser.probabilities.fused import Rule, at_temperatures
from ser.probabilities.fused import fuse as fuse_probabilities
from ser.probabilities.temperature import fit_temperature
from ser.storage.prediction_tables import KEY, PREFIX, emotions_of, probabilities_of

CROSS_FITS = 10  # at most so many groups of validation speakers, each fused by what the others taught


class Fusion(NamedTuple):
    """What comes of fusing.

    Attributes
    ----------
    table : pd.DataFrame
        A prediction table ordered by fold, part and clip; it depends neither on the order of the members nor on that
        of their rows.
    rules : dict of int to Rule
        How the members of each fold are fused, in the order of their names.
    for_use : Rule
        How those are fused that learnt from all speakers: learnt from the validation rows of all folds.
    """

    table: pd.DataFrame
    rules: dict[int, Rule]
    for_use: Rule


def select_members(tables: dict[str, pd.DataFrame], names: list[str]) -> dict[str, pd.DataFrame]:
    """Return the tables of the named models, of all if there are no names.

    Raises
    ------
    InputError
        A name that no model has.
    """
    unknown = [name for name in names if name not in tables]
    if unknown:
        raise InputError(f"fuse.members names {', '.join(unknown)}, but the models are {', '.join(sorted(tables))}")
    return {name: tables[name] for name in (names or tables)}


def fuse(tables: dict[str, pd.DataFrame], clips: pd.DataFrame, settings) -> Fusion:
    """Fuse prediction tables fold by fold.

    Parameters
    ----------
    tables : dict of str to pd.DataFrame
        Prediction tables (see `ser.storage.prediction_tables`) by model, all with the same rows in any order.
    clips : pd.DataFrame
        ``clip, speaker, statement``: who must not be on both sides of a cross-fit.
    settings : ser.settings.score_sections.Fuse
        The ``fuse`` section of the parameters.

    Raises
    ------
    InputError
        No members, or members that differ in rows, true emotions or classes.
    """
    members = aligned(tables)
    rows = next(iter(members.values()))
    probabilities = np.stack([probabilities_of(member) for member in members.values()])
    truth, groups = truth_of(rows), speaker_groups(rows, clips)
    fused, rules = np.empty(probabilities.shape[1:]), {}
    folds = rows.groupby("fold").indices
    for fold, of_fold in tqdm(folds.items(), desc="fuse", unit="fold", delay=3):
        is_validation = (rows["part"].to_numpy()[of_fold]) == "validation"
        test, validation = of_fold[~is_validation], of_fold[is_validation]
        rules[int(fold)] = learn(probabilities[:, validation], truth[validation], settings)
        fused[test] = fuse_probabilities(probabilities[:, test], rules[int(fold)])
        nothing_learnt = [(np.arange(0), np.arange(len(validation)))]  # that would have to be kept apart
        splits = cross_fit_splits(groups[validation]) if learnt_by(settings) else nothing_learnt
        for taught, held_out in splits:
            learnt, applied = validation[taught], validation[held_out]
            without = learn(probabilities[:, learnt], truth[learnt], settings)
            fused[applied] = fuse_probabilities(probabilities[:, applied], without)
    table = rows[[*KEY, "emotion"]].copy()
    table[[PREFIX + emotion for emotion in emotions_of(rows)]] = fused
    of_all = np.flatnonzero(rows["part"] == "validation")
    return Fusion(table, rules, learn(probabilities[:, of_all], truth[of_all], settings))


def member_weights(rules: dict[int, Rule], members: list[str]) -> pd.DataFrame:
    """Return ``fold, member, weight``: what each member counts in each fold; see `Rule`."""
    tables = [pd.DataFrame({"fold": fold, "member": members, "weight": rule.weights}) for fold, rule in rules.items()]
    return pd.concat(tables, ignore_index=True)


def learn(probabilities: np.ndarray, truth: np.ndarray, settings) -> Rule:
    """Learn how to fuse from labelled rows: temperatures of the members, if they are calibrated, and then the rest.

    Parameters
    ----------
    probabilities : np.ndarray, shape (members, rows, classes)
    truth : np.ndarray of int, shape (rows,)
        Position of the true class. Without any rows the rule is that of equal members.
    settings : ser.settings.score_sections.Fuse

    References
    ----------
    .. [1] J. Kittler, M. Hatef, R. Duin, J. Matas, "On combining classifiers", IEEE TPAMI 20(3), 1998 (the mean).
    """
    if not settings.calibrate:
        return _learn(probabilities, truth, settings)
    temperatures = np.array([fit_temperature(of_member, truth) for of_member in probabilities])
    return _learn(at_temperatures(probabilities, temperatures), truth, settings)._replace(temperatures=temperatures)


def _learn(probabilities: np.ndarray, truth: np.ndarray, settings) -> Rule:
    if settings.method == "weights":
        return learn_pool(probabilities, truth, settings.shrinkage, settings.powers)
    if settings.method == "stacking":
        return learn_stacking(probabilities, truth, settings.C)
    return Rule("mean", np.full(len(probabilities), 1 / len(probabilities)))


def learnt_by(settings) -> list[str]:
    """Return in words what an ensemble of these settings learns from validation rows; nothing of a plain mean."""
    own = {"weights": ["weights"], "stacking": ["coefficients"]}.get(settings.method, [])
    return ["temperatures"] * settings.calibrate + own


def speaker_groups(rows: pd.DataFrame, clips: pd.DataFrame) -> np.ndarray:
    """Return what keeps rows together in a cross-fit, shape (rows,): fold by fold their speakers.

    Where a fold validates by a single known speaker, their statements; with a single known statement the clips. Then a
    cross-fit has met the voice of those it is applied to, as there is no other.
    """
    about = clips.set_index("clip")
    groups = rows["clip"].to_numpy(dtype=object, copy=True)
    for of_part in rows.groupby(["fold", "part"]).indices.values():
        for column in ("speaker", "statement"):
            names = rows["clip"].iloc[of_part].map(about[column]).fillna("").to_numpy(dtype=str)
            if (named := group_by_name(names, groups[of_part].astype(str))) is not None:
                groups[of_part] = named
                break
    return groups


def one_voice_warning(rows: pd.DataFrame, clips: pd.DataFrame, settings) -> str | None:
    """Return what to say where an ensemble learns from the very voice that validates it, None where it does not.

    Parameters
    ----------
    rows : pd.DataFrame
        The prediction table of a member.
    clips : pd.DataFrame
        ``clip, speaker``.
    settings : ser.settings.score_sections.Fuse
    """
    if not (learnt := learnt_by(settings)):
        return None
    validation = rows[rows["part"] == "validation"]
    voices = validation["clip"].map(clips.set_index("clip")["speaker"]).replace("", None)
    alone = voices.groupby(validation["fold"]).nunique() < 2
    if not alone.any():
        return None
    return (
        f"{alone.sum()} of {len(alone)} folds validate by one speaker or unknown ones, from whom the ensemble's "
        f"{' and '.join(learnt)} are learnt as well: its validation UAR is too high to choose by (docs/evaluation.md)"
    )


def cross_fit_splits(groups: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split rows into those to learn from and those to apply it to, such that each is applied to once.

    Parameters
    ----------
    groups : np.ndarray, shape (rows,)
        Rows of a group stay together. With a single group there is nothing to learn from.
    """
    from sklearn.model_selection import GroupKFold  # here: a mean of probabilities needs none

    count = len(set(groups))
    if count < 2:
        return [(np.arange(0), np.arange(len(groups)))]
    return list(GroupKFold(min(CROSS_FITS, count)).split(groups, groups=groups))


def aligned(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables in the order of their names, their rows in that of fold, part and clip.

    Raises
    ------
    InputError
        No members, or members that differ in rows, true emotions or classes.
    """
    if not tables:
        raise InputError("there are no predictions to fuse")
    members = {name: tables[name].sort_values(["fold", "part", "clip"], ignore_index=True) for name in sorted(tables)}
    first_name, first = next(iter(members.items()))
    for name, member in members.items():
        same = len(member) == len(first) and emotions_of(member) == emotions_of(first)
        if not same or (member[[*KEY, "emotion"]] != first[[*KEY, "emotion"]]).any(axis=None):
            raise InputError(
                f"{name} and {first_name} predict different clips or emotions and cannot be fused: "
                "train both again on the same folds (dvc repro), or leave one out of fuse.members"
            )
    return members
