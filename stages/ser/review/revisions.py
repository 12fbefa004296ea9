"""What a revision of the repository holds: files from git, predictions from DVC's cache or remote; nothing is rerun.

A revision is the full id of a commit, or None for the workspace: what is on disk now. Paths are relative to the
project's folder, in which all of this is run.
"""

import io
import json
import math
import subprocess
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from dvc_data.index import DataIndexError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.errors import InputError
from ser.evaluation.confusions import confusions_by_speaker, uar
from ser.reporting.reported_run import WORDS
from ser.review.dvc_files import DamagedFileError, find_files, read_files
from ser.review.pull_request import Results
from ser.storage.csv_tables import EMPTY_IS_MISSING
from ser.storage.prediction_tables import WORDS as PREDICTION_WORDS
from ser.storage.prediction_tables import check_table, scored_rows

METRICS, PROTOCOL = "reports/metrics.json", "reports/protocol.json"
ROUNDING = 1e-4  # metrics.json has four digits
NO_BUCKET = "bucket does not exist"  # what S3 says


def find_commit(name: str) -> str:
    """Return the full id of a commit; a branch that only the remote ``origin`` has is found as well.

    Raises
    ------
    InputError
        There is none of that name.
    """
    for candidate in (name, f"origin/{name}"):
        found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
        if found is not None:
            return found.decode().strip()
    branch = name.removeprefix("origin/")
    raise InputError(f"git knows no commit {name!r} here: run `git fetch origin {branch}:refs/remotes/origin/{branch}`")


def fork_point(base: str, head: str) -> str:
    """Return the last commit that two commits have in common: what a pull request is compared with."""
    found = _git("merge-base", base, head)
    if found is None:
        raise InputError(
            f"{base[:7]} and {head[:7]} have no commit in common: run `git fetch --unshallow` if this clone is shallow"
        )
    return found.decode().strip()


def commits_between(base: str, head: str) -> pd.DataFrame:
    """Return ``commit, subject`` of the commits that `head` has and `base` has not, the newest first."""
    lines = _git("log", "-z", "--format=%h%x1f%s", f"{base}..{head}").decode(errors="replace").split("\0")
    return pd.DataFrame([line.split("\x1f", 1) for line in lines if line], columns=["commit", "subject"])


def count_missing(base: str, head: str) -> int:
    """Return how many commits `base` has and `head` has not."""
    return int(_git("rev-list", "--count", f"{head}..{base}"))


def uncommitted_changes() -> bool:
    """Return whether tracked files differ from HEAD."""
    return bool(_git("status", "--porcelain", "--untracked-files=no"))


def read_confidence(commit: str | None) -> float:
    """Return the confidence of a revision's intervals, ``evaluate.confidence``; 0.95 where it has none yet."""
    found = (read_yaml("params.yaml", commit).get("evaluate") or {}).get("confidence")
    return found if isinstance(found, float) and 0 < found < 1 else 0.95


def read_file(path: str, commit: str | None) -> bytes | None:
    """Return the bytes of a file that git has, None if the revision has no such file."""
    if commit is None:
        return Path(path).read_bytes() if Path(path).is_file() else None
    return _git("cat-file", "blob", f"{commit}:./{path}")


def list_files(folder: str, commit: str | None) -> list[str]:
    """Return the paths of the files in a folder that git has, sorted."""
    if commit is None:
        return sorted(path.as_posix() for path in Path(folder).rglob("*") if path.is_file())
    names = _git("ls-tree", "-r", "-z", "--name-only", commit, "--", f"{folder}/")
    return sorted(name for name in (names or b"").decode(errors="replace").split("\0") if name)


def read_csv(path: str, commit: str | None) -> pd.DataFrame | None:
    """Return a table that git has; None if the revision has none, or it is empty or no table."""
    content = read_file(path, commit)
    try:
        if content is None:
            return None
        columns = pd.read_csv(io.BytesIO(content), nrows=0).columns
        words = WORDS | ({"value"} if "group" in columns else set())
        return pd.read_csv(io.BytesIO(content), dtype=dict.fromkeys(words, str), **EMPTY_IS_MISSING)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError):
        return None


def read_yaml(path: str, commit: str | None) -> dict:
    """Return the content of a YAML file that git has, as DVC reads it; nothing if the revision has no such file."""
    content = read_file(path, commit)
    try:
        loaded = YAML(typ="safe", pure=True).load((content or b"").decode())
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{_place(path, commit)} is not YAML: {_first_line(error)}") from None
    return loaded if isinstance(loaded, dict) else {}


def read_json(path: str, commit: str | None) -> dict:
    """Return the content of a JSON file that git has; nothing if the revision has no such file."""
    content = read_file(path, commit)
    try:
        loaded = json.loads(content or b"{}")
    except ValueError as error:
        raise InputError(f"{_place(path, commit)} is not JSON: {_first_line(error)}") from None
    return loaded if isinstance(loaded, dict) else {}


def read_metrics(commit: str | None) -> dict[str, dict[str, float]]:
    """Return the scores by model; none if the revision has no metrics."""
    models = read_json(METRICS, commit).items()
    return {model: values for model, values in models if isinstance(values, dict) and _is_number(values.get("uar"))}


def read_results(commit: str | None) -> Results:
    """Return scores and predictions; predictions that are not those of the scores count as none.

    They come from the workspace, from DVC's cache or, if one is configured, from its remote.
    """
    metrics, normalization = read_metrics(commit), str(read_json(PROTOCOL, commit).get("normalisation", ""))
    try:
        tables, clips = read_tables(commit, _prediction_paths(commit, metrics))
    except InputError as error:
        return Results(metrics, {}, None, str(error), missing=True, normalization=normalization)
    for model, table in tables.items():
        rows = scored_rows(table)
        found, reported = float(uar(confusions_by_speaker(rows, np.zeros(len(rows)))[0])), metrics[model]["uar"]
        if not abs(found - reported) <= ROUNDING:
            problem = f"the predictions of {model} have UAR {found:.4f}, {_place(METRICS, commit)} says {reported:.4f}"
            return Results(metrics, {}, None, f"{problem}: {_remedy(commit)}", normalization=normalization)
    return Results(metrics, tables, clips, "", normalization=normalization)


def read_tables(commit: str | None, paths: dict[str, str]) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the predictions of some models, and the table of clips.

    Parameters
    ----------
    commit : str or None
    paths : dict of str to str
        Of the predictions by model, such as ``data/predictions/train_ml/svm_rbf.csv``; no others need to be there.

    Raises
    ------
    InputError
        DVC has neither, neither here nor in its remote, or a table is none; the message names the remedy.
    """
    *contents, clips = _of_dvc("predictions", commit, read_files, [*paths.values(), "data/prepared/clips.csv"])
    names = {model: f"{path} of {_revision(commit)}" for model, path in paths.items()}
    tables = {model: _read_table(content, names[model]) for model, content in zip(paths, contents, strict=True)}
    return tables, pd.read_csv(io.BytesIO(clips), dtype=str, keep_default_na=False)


def read_folds(commit: str | None) -> pd.DataFrame:
    """Return the table of folds as `ser.evaluation.protocol.read_folds` does; raises as `read_tables`."""
    (content,) = _of_dvc("folds", commit, read_files, ["data/folds.csv"])
    return pd.read_csv(io.BytesIO(content), dtype=str, **EMPTY_IS_MISSING)


def _prediction_paths(commit: str | None, models: Collection[str]) -> dict[str, str]:
    """Return where the predictions of models are, by model."""
    found = _of_dvc("predictions", commit, find_files, "data/predictions")
    paths = {PurePosixPath(path).stem: path for path in found if path.endswith(".csv")}
    if missing := sorted(set(models) - paths.keys()):
        raise InputError(f"DVC has no predictions of {missing[0]} of {_revision(commit)}: {_remedy(commit)}")
    return {model: paths[model] for model in models}


def _of_dvc(what: str, commit: str | None, ask: Callable, asked: str | list[str]) -> list:
    """Return what `find_files` or `read_files` does, or say what is missing, and the remedy."""
    project = "" if commit is None else (_git("rev-parse", "--show-prefix") or b"").decode().strip()
    try:
        return ask(asked, commit, project)
    except Exception as error:  # those of any remote (network, credentials) and of what DVC cannot read of long ago
        # the remote's reason not to give the list of a folder is behind one that names none
        reason = error.__cause__ or error if isinstance(error, DataIndexError) else error
        if isinstance(reason, FileNotFoundError | DataIndexError) and NO_BUCKET not in str(reason):
            raise InputError(f"DVC has no {what} of {_revision(commit)}: {_remedy(commit)}") from None
        said = f"the {what} of {_revision(commit)} ({type(reason).__name__}: {_first_line(reason)})"
        raise InputError(f"DVC cannot read {said}: {_remedy(commit, reason)}") from error


def _read_table(content: bytes, name: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=PREDICTION_WORDS, **EMPTY_IS_MISSING)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is not a prediction table ({_first_line(error)})") from None
    check_table(table, name)
    return table.astype({"fold": int})


def _remedy(commit: str | None, error: BaseException | None = None) -> str:
    """Say how to come by predictions; what a configured remote has is not missing."""
    where = "" if commit is None else f" once with {commit[:7]} checked out"
    if isinstance(error, ImportError):
        other = "install what the remote needs (`pip install -e '.[s3]' -c constraints.txt` for S3)"
    elif isinstance(error, PermissionError) or "Credential" in type(error).__name__:
        other = "give the remote a key that may read it"
    elif isinstance(error, DamagedFileError):
        other = "mend the remote (docs/data.md, Share data and models)"
    elif error is not None:
        other = "try again with a remote that is there and answers"
    else:
        other = "name a remote that has them (`dvc remote add --default`)"
    return f"run `dvc repro`{where}, or {other}"


def _revision(commit: str | None) -> str:
    return "the workspace" if commit is None else commit[:7]


def _place(path: str, commit: str | None) -> str:
    return path if commit is None else f"{path} of {commit[:7]}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def _git(*arguments: str) -> bytes | None:
    """Return what a git command prints, None if it fails."""
    try:
        run = subprocess.run(["git", *arguments], capture_output=True)
    except FileNotFoundError:
        raise InputError("git not found: install it") from None
    return run.stdout if run.returncode == 0 else None
