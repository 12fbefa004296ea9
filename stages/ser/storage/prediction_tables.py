"""Prediction tables: what every trainer leaves and what fusion and evaluation read.

A table has one row a clip, fold and part, with the columns ``clip, fold, part, emotion`` (the true one) and one
``p_<emotion>`` for each class, in sorted order. `part` is ``test`` or ``validation``.
Beside the tables of a trainer lies ``temperatures.json``, what `ser.probabilities.temperature` fitted on the validation
rows of each model's folds.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.storage.csv_tables import EMPTY_IS_MISSING, write_csv
from ser.storage.whole_files import write_json

# whose predictions, histories and importances are read: what else lies beside theirs is no input of a stage
TRAINERS = ("train_ml", "train_lstm", "train_residual_keras", "train_cnn", "train_transformer")
FUSE = "fuse"
KEY = ["clip", "fold", "part"]
WORDS = {"clip": str, "part": str, "emotion": str}
PARTS = ("test", "validation")
PREFIX = "p_"
SUM_TOLERANCE = 1e-3
TEMPERATURES = "temperatures.json"


def emotions_of(table: pd.DataFrame) -> list[str]:
    """Return the classes of a prediction table, in the order of its probability columns."""
    return [column.removeprefix(PREFIX) for column in table.columns if column.startswith(PREFIX)]


def probabilities_of(table: pd.DataFrame) -> np.ndarray:
    """Return the probabilities of a prediction table, shape (rows, classes)."""
    return table[[PREFIX + emotion for emotion in emotions_of(table)]].to_numpy(dtype=float)


def predicted_emotions(table: pd.DataFrame) -> np.ndarray:
    """Return the most probable emotion of each row, shape (rows,)."""
    return np.array(emotions_of(table))[probabilities_of(table).argmax(axis=1)]


def scored_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the test parts, the only ones that are ever scored."""
    return table[table["part"] == "test"]


def table_paths(folder: Path | str, trainers: Sequence[str] = TRAINERS) -> list[Path]:
    """Return the files ``<folder>/<trainer>/<model>.csv`` of some trainers, sorted."""
    return sorted(path for trainer in trainers for path in (Path(folder) / trainer).glob("[!.]*.csv"))


def read_predictions(folder: Path | str, trainers: Sequence[str] = TRAINERS) -> dict[str, pd.DataFrame]:
    """Read and check the predictions of trainers.

    Parameters
    ----------
    folder : Path
        Holds ``<trainer>/<model>.csv``.
    trainers : sequence of str
        Names of stages; `FUSE` may be one of them.

    Returns
    -------
    dict of str to pd.DataFrame
        Tables by model, sorted by its name; all have the same classes and cover the same test rows.

    Raises
    ------
    InputError
        No predictions, or predictions that break the contract; the message names the file and the remedy.
    """
    paths = table_paths(folder, trainers)
    if not paths:
        raise InputError(f"no predictions in {folder}: run `dvc repro` first, it trains the models that write them")
    tables, origin = {}, {}
    for path in paths:
        if path.stem in tables:
            raise InputError(f"two models are named {path.stem}: {origin[path.stem]} and {path}; rename one of them")
        tables[path.stem], origin[path.stem] = _read(path), path
    check_same_test_rows(tables, origin)
    return dict(sorted(tables.items()))


def write_predictions(table: pd.DataFrame, path: Path | str) -> None:
    """Check a prediction table and write it, probabilities with 6 significant digits; raises as `check_table`."""
    check_table(table, str(path))
    write_csv(table, path)


def write_temperatures(temperatures: dict[str, dict[int, float]], folder: Path | str) -> None:
    """Write the temperatures of the models of a trainer by fold beside their prediction tables."""
    write_json(temperatures, Path(folder) / TEMPERATURES)


def read_temperatures(folder: Path | str, trainers: Sequence[str] = TRAINERS) -> dict[str, dict[int, float]]:
    """Return the temperatures of the models of some trainers, by model and fold.

    Parameters
    ----------
    folder, trainers
        See `read_predictions`.

    Returns
    -------
    dict of str to dict of int to float
        Without those models of which nobody has written any.

    Raises
    ------
    InputError
        If a file is damaged.
    """
    found: dict[str, dict[int, float]] = {}
    for beside in sorted({path.with_name(TEMPERATURES) for path in table_paths(folder, trainers)}):
        try:
            written = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
            for model, of_model in written.items():
                found[model] = {int(fold): float(temperature) for fold, temperature in of_model.items()}
        except (ValueError, TypeError, AttributeError):
            remedy = f"delete it and run `dvc repro --force {beside.parent.name}`"
            raise InputError(f"{beside} is no table of temperatures: {remedy}") from None
    return found


def check_table(table: pd.DataFrame, name: str) -> None:
    """Raise `InputError` if a prediction table breaks the contract above; `name` is what the message calls it."""
    remedy = f"delete it and let its trainer write it again (dvc repro --force {Path(name).parent.name})"
    missing = [column for column in [*KEY, "emotion"] if column not in table.columns]
    if missing:
        raise InputError(f"{name} lacks the column {', '.join(missing)}: {remedy}")
    emotions = emotions_of(table)
    if len(emotions) < 2 or emotions != sorted(emotions):
        raise InputError(f"{name} needs a column p_<emotion> for each of at least two emotions, sorted: {remedy}")
    for problem, rows in _broken_rows(table).items():
        if rows.any():
            clip = table.loc[rows, "clip"].iloc[0]
            raise InputError(f"{name} has {int(rows.sum())} rows with {problem}, such as clip {clip}: {remedy}")
    if not (table["part"] == "test").any():
        raise InputError(f"{name} has no test rows: {remedy}")


def check_same_test_rows(tables: dict[str, pd.DataFrame], origin: dict[str, Path] | None = None) -> None:
    """Raise `InputError` unless all models have the same classes and predict the same clips of the same test folds.

    Scores over different rows cannot be compared. A model that another one disagrees with is most often a file that
    an earlier run left behind.

    Parameters
    ----------
    tables : dict of str to pd.DataFrame
        By model.
    origin : dict of str to Path, optional
        The file of each model, for the message.
    """
    names = origin or {model: Path(model) for model in tables}
    first = next(iter(tables))
    expected = _test_labels(tables[first])
    for model, table in tables.items():
        difference = _difference(expected, _test_labels(table), emotions_of(tables[first]), emotions_of(table))
        if difference:
            raise InputError(
                f"{names[model]} does not go with {names[first]}: {difference}; "
                f"delete the older of the two and run `dvc repro`, which trains its model on the same folds"
            )


def _difference(expected: pd.Series, found: pd.Series, classes: list[str], found_classes: list[str]) -> str:
    """Say in which way two models' test rows differ; an empty text if they do not."""
    if classes != found_classes:
        return f"its emotions are {', '.join(found_classes)} instead of {', '.join(classes)}"
    other = expected.index.symmetric_difference(found.index)
    if len(other):
        return f"{len(other)} test rows are only in one of them, such as clip {other[0][0]} in fold {other[0][1]}"
    relabelled = expected.index[(found.reindex(expected.index) != expected).to_numpy()]
    if len(relabelled):
        return f"{len(relabelled)} clips have another true emotion, such as {relabelled[0][0]}"
    return ""


def _test_labels(table: pd.DataFrame) -> pd.Series:
    return scored_rows(table).set_index(["clip", "fold"])["emotion"]


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=WORDS, **EMPTY_IS_MISSING)
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is not a prediction table ({error}): delete it and run `dvc repro`") from None
    check_table(table, str(path))
    return table.astype({"fold": int})


def _broken_rows(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return a mask of the rows that break each rule, shape (rows,) each, by the name of what is wrong with them."""
    columns = table[[PREFIX + emotion for emotion in emotions_of(table)]].apply(pd.to_numeric, errors="coerce")
    return {
        "empty cells or text for a number": table[[*KEY, "emotion"]].isna().any(axis=1) | columns.isna().any(axis=1),
        "probabilities outside 0 to 1": ((columns < 0) | (columns > 1 + SUM_TOLERANCE)).any(axis=1),
        f"probabilities that do not sum to 1 within {SUM_TOLERANCE}": (columns.sum(axis=1) - 1).abs() > SUM_TOLERANCE,
        f"a part other than {' and '.join(PARTS)}": ~table["part"].isin(PARTS),
        "a true emotion that has no probability": ~table["emotion"].isin(emotions_of(table)),
        "a (clip, fold, part) that occurs twice": table.duplicated(KEY),
    }
