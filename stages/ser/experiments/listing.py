"""The experiments of the repository as a table: where each starts, what it changed, what came out."""

import io
import subprocess

import dvc.api
import pandas as pd

from ser.errors import InputError
from ser.settings.all_sections import Params

WITHOUT_EFFECT = {"tune", "compute", "collect", "report"}  # sections that no score depends on
COLUMNS = ["experiment", "parent", "state"]


def read_experiments(model: str, *, everything: bool = False) -> pd.DataFrame:
    """Return the commit and its experiments, one row each, with the parameters in which they differ.

    Parameters
    ----------
    model : str
        Whose scores are listed.
    everything : bool
        The experiments of every commit, not of HEAD only.

    Returns
    -------
    pd.DataFrame
        ``experiment`` (of a commit: its branch or hash), ``parent`` (the commit it starts from; empty for a commit),
        ``state`` (empty: finished), a column a parameter that differs, ``validation_uar``, ``test_uar``, and
        ``test_low``, ``test_high``, the interval of the latter (empty without ``reports/scores.csv``). In the order of
        the validation UAR; what is missing is NaN.

    Raises
    ------
    InputError
        There is no such model in any of them.
    """
    revisions = _parents() if everything else None
    table = tabulate_experiments(dvc.api.exp_show(revs=revisions or None), model)
    if table["validation_uar"].isna().all() and table["test_uar"].isna().all():
        raise InputError(f"no experiment has a score of {model}: name another with --model, or run `dvc repro` first")
    scored = table["test_uar"].notna()  # what is queued has the files of the commit it starts from
    table[["test_low", "test_high"]] = float("nan")
    for row in table.index[scored]:
        table.loc[row, ["test_low", "test_high"]] = _interval(table.at[row, "revision"], model)
    return table.drop(columns="revision")


def tabulate_experiments(rows: list[dict], model: str) -> pd.DataFrame:
    """Return the rows of `dvc.api.exp_show` as the table above, with their ``revision`` and without the intervals."""
    found, parent = [], ""
    for row in rows:
        if row["rev"] == "workspace":
            continue
        if row["typ"] == "baseline":  # its experiments follow it
            parent = row["rev"]
        found.append(
            {
                "experiment": row["Experiment"] or row["rev"],
                "parent": "" if row["typ"] == "baseline" else parent,
                "state": "" if row["State"] in (None, "Success") else row["State"].lower(),
                "revision": row["rev"],
                "validation_uar": row.get(f"validation.{model}"),
                "test_uar": row.get(f"{model}.uar"),
            }
            | {key: row[key] for key in row if _is_parameter(key)}
        )
    table = pd.DataFrame(found)
    scores = ["validation_uar", "test_uar"]
    table[scores] = table[scores].apply(pd.to_numeric, errors="coerce")
    parameters = [key for key in table.columns if _is_parameter(key) and table[key].astype(str).nunique() > 1]
    table = table.sort_values("validation_uar", ascending=False, kind="stable", ignore_index=True)
    return table[[*COLUMNS, *parameters, *scores, "revision"]]


def parameters_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of the table that are parameters."""
    return [column for column in table.columns if _is_parameter(column)]


def _is_parameter(key: str) -> bool:
    section, dot, _ = key.removeprefix("params.yaml:").partition(".")
    return bool(dot) and section in Params.model_fields and section not in WITHOUT_EFFECT


def _parents() -> list[str]:
    """Return the commits that any experiment starts from; DVC keeps it as refs/exps/<2 digits>/<38>/<name>."""
    refs = _git("for-each-ref", "--format=%(refname)", "refs/exps").split()
    hashes = {"".join(ref.split("/")[2:4]) for ref in refs if len(ref.split("/")) == 5}
    return sorted(each for each in hashes if len(each) == 40)


def _interval(revision: str, model: str) -> tuple[float, float]:
    """Return the confidence interval of a commit's test UAR; NaN if it has none."""
    try:
        scores = pd.read_csv(io.StringIO(_git("show", f"{revision}:./reports/scores.csv")), dtype={"model": str})
        row = scores[(scores["model"] == model) & (scores["score"] == "uar")].iloc[0]
    except (subprocess.CalledProcessError, pd.errors.ParserError, pd.errors.EmptyDataError, KeyError, IndexError):
        return float("nan"), float("nan")
    return row.get("low", float("nan")), row.get("high", float("nan"))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout
