"""What differs between two revisions apart from scores: parameters, data, and the stages whose results are others."""

import json

import numpy as np
import pandas as pd


def changed_params(old: dict, new: dict) -> pd.DataFrame:
    """Return ``parameter, old, new`` of nested parameters that differ, as dotted keys and text; NaN: there is none."""
    before, after = flatten(old), flatten(new)
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    rows = [(key, before.get(key, np.nan), after.get(key, np.nan)) for key in sorted(changed)]
    return pd.DataFrame(rows, columns=["parameter", "old", "new"], dtype=object)


def flatten(params: dict, prefix: str = "") -> dict[str, str]:
    """Return nested parameters as text by dotted key; a list is one value."""
    flat = {}
    for key, value in params.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{name}.")
        else:
            flat[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return flat


def changed_counts(old: pd.DataFrame | None, new: pd.DataFrame | None) -> pd.DataFrame:
    """Return ``corpus, emotion, old, new`` of the numbers of clips that differ."""
    columns = ["corpus", "emotion", "clips"]
    empty = pd.DataFrame(columns=columns)
    tables = [empty if table is None or not {*columns} <= {*table.columns} else table for table in (old, new)]
    sums = [table.groupby(["corpus", "emotion"])["clips"].sum() for table in tables]
    both = pd.DataFrame(dict(zip(("old", "new"), sums, strict=True))).fillna(0).astype(int).reset_index()
    return both[both["old"] != both["new"]].reset_index(drop=True)


def changed_rows(old: pd.DataFrame | None, new: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of two tables that only the new one has, and those that only the old one has."""
    if old is None or new is None or list(old.columns) != list(new.columns):
        return (pd.DataFrame() if new is None else new), (pd.DataFrame() if old is None else old)
    both = old.astype(str).merge(new.astype(str), how="outer", indicator=True)
    parts = [both[both["_merge"] == side].drop(columns="_merge") for side in ("right_only", "left_only")]
    return parts[0].reset_index(drop=True), parts[1].reset_index(drop=True)


def changed_stages(old: dict, new: dict) -> list[str]:
    """Return the stages whose results two ``dvc.lock`` do not agree on, in the order of the new one."""
    before, after = (
        {stage: _hashes(entry.get("outs", [])) for stage, entry in _stages(lock).items()} for lock in (old, new)
    )
    return [stage for stage in {**after, **before} if before.get(stage) != after.get(stage)]


def outdated_params(lock: dict, params: dict) -> list[str]:
    """Return the parameters, or sections of them, that have changed since the results of a ``dvc.lock`` were made.

    Parameters
    ----------
    lock, params : dict
        Content of dvc.lock and params.yaml.
    """
    used = {key: value for stage in _stages(lock).values() for key, value in _params_of(stage).items()}
    return sorted(key for key, value in used.items() if value != _look_up(params, key))


def describe_data(old: dict, new: dict) -> str:
    """Say in a sentence which data two ``dvc.lock`` do not agree on."""
    raw = [_hashes(_stages(lock).get("prepare", {}).get("deps", [])) for lock in (old, new)]
    raw = [{path: md5 for path, md5 in hashes.items() if not path.startswith("stages/")} for hashes in raw]
    words = {True: "the same", False: "changed", None: "unknown"}
    parts = {
        "raw data": raw[0] == raw[1] if all(raw) else None,
        "prepared clips": same_output(old, new, "data/prepared"),
        "folds": same_output(old, new, "data/folds.csv"),
        "features": same_output(old, new, "data/features"),
    }
    return f"{', '.join(f'{name} {words[same]}' for name, same in parts.items())}.".capitalize()


def same_output(old: dict, new: dict, path: str) -> bool | None:
    """Return whether two ``dvc.lock`` name the same output at a path, or in a folder; None if one names none."""
    found = []
    for lock in (old, new):
        outs = {k: v for stage in _stages(lock).values() for k, v in _hashes(stage.get("outs", [])).items()}
        found.append({out: md5 for out, md5 in outs.items() if f"{out}/".startswith(f"{path}/")})
    return found[0] == found[1] if all(found) else None


def _stages(lock: dict) -> dict:
    return lock.get("stages") or {}


def _params_of(stage: dict) -> dict:
    return (stage.get("params") or {}).get("params.yaml") or {}


def _look_up(params: dict, key: str) -> object:
    for part in key.split("."):
        params = params.get(part) if isinstance(params, dict) else None
    return params


def _hashes(entries: list[dict]) -> dict[str, str]:
    return {entry["path"]: entry.get("md5", "") for entry in entries}
