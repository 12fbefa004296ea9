"""Late fusion: one model out of the predictions of several."""

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.predictions import KEY, PREFIX, emotions_of


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


def mean_probability(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Average the members' probabilities: the sum rule, without weights (Kittler et al. 1998).

    Parameters
    ----------
    tables : dict of str to pd.DataFrame
        Prediction tables (see `ser.predictions`) by model, all with the same rows in any order.

    Returns
    -------
    pd.DataFrame
        A prediction table ordered by fold, part and clip; it depends neither on the order of the members nor on that
        of their rows.

    Raises
    ------
    InputError
        No members, or members that differ in rows, true emotions or classes.

    References
    ----------
    .. [1] J. Kittler, M. Hatef, R. Duin, J. Matas, "On combining classifiers", IEEE TPAMI 20(3), 1998.
    """
    if not tables:
        raise InputError("there are no predictions to fuse")
    members = {name: tables[name].sort_values(["fold", "part", "clip"], ignore_index=True) for name in sorted(tables)}
    first_name, first = next(iter(members.items()))
    columns = [PREFIX + emotion for emotion in emotions_of(first)]
    for name, member in members.items():
        same = len(member) == len(first) and emotions_of(member) == emotions_of(first)
        if not same or (member[[*KEY, "emotion"]] != first[[*KEY, "emotion"]]).any(axis=None):
            raise InputError(
                f"{name} and {first_name} predict different clips or emotions and cannot be fused: "
                "train both again on the same folds (dvc repro), or leave one out of fuse.members"
            )
    fused = first[[*KEY, "emotion", *columns]].copy()
    fused[columns] = np.mean([member[columns].to_numpy() for member in members.values()], axis=0)
    return fused
