"""Score all models over the test clips; knows tables only, no framework.

Reads   data/predictions/<trainer>/<model>.csv, data/history/<trainer>/<model>.csv (models that have epochs),
        data/prepared/clips.csv, data/folds.csv
Writes  reports/metrics.json, per_class.csv, roc.csv, training.csv, confusion/<model>.csv and images/evaluation/*.png
"""

import shutil
from pathlib import Path

import pandas as pd

from ser.charts import confusion_chart, roc_chart, score_chart, training_chart
from ser.clips import read_clips
from ser.errors import InputError, stage_errors
from ser.files import write_csv, write_json
from ser.machine import describe_machine
from ser.params import load_params
from ser.predictions import emotions_of, predicted_emotions, read_predictions, scored_rows
from ser.scoring import (
    MACRO,
    confusion,
    per_class,
    roc_points,
    scores,
    speaker_dependence,
    validation_sharing_speakers,
)

REPORTS = Path("reports")
IMAGES = REPORTS / "images" / "evaluation"
SERIES = ["loss", "accuracy", "validation_loss", "validation_accuracy", "validation_uar"]


def evaluate() -> None:
    """Write the scores, tables and charts of every model and print the models, best first."""
    params = load_params()
    tables = read_predictions("data/predictions")
    metrics = {model: scores(table, params.evaluate.calibration_bins) for model, table in tables.items()}
    training = read_training("data/history")
    chance = 1 / len(emotions_of(next(iter(tables.values()))))  # the UAR of guessing
    warning, note = comparability(params.split.scheme)
    for folder in (REPORTS / "confusion", IMAGES):  # a model that is gone takes its files along
        shutil.rmtree(folder, ignore_errors=True)
    write_tables(tables, metrics, training)
    draw_charts(tables, metrics, training, chance, warning)
    # not a DVC output: it says where the results were made (see compare_machine.py) and is none of them
    write_json(describe_machine(), REPORTS / "machine.json")
    print_summary(metrics, chance, warning, note)


def comparability(scheme: str) -> tuple[str, str]:
    """Return a red warning and a note on what the scores can be compared with, each empty if there is no need."""
    clips = read_clips("data/prepared/clips.csv").replace({"speaker": {"": None}})
    folds = pd.read_csv("data/folds.csv", dtype=str)
    reason = speaker_dependence(clips, folds, scheme)
    if reason:
        return f"speaker-dependent split: not comparable with results on unseen speakers ({reason})", ""
    sharing = validation_sharing_speakers(clips, folds)
    if sharing:
        return "", f"note: {', '.join(sharing)}: speakers are both in training and validation (never in test)"
    return "", ""


def read_training(folder: Path | str) -> pd.DataFrame:
    """Return the histories of all models, one row a model, fold and epoch; no rows if no model has epochs."""
    columns = ["model", "fold", "epoch", *SERIES]
    parts = []
    for path in sorted(Path(folder).glob("*/[!.]*.csv")):
        history = pd.read_csv(path)
        missing = [column for column in columns[1:] if column not in history.columns]
        if missing:
            raise InputError(
                f"{path} lacks the column {', '.join(missing)}: run `dvc repro --force {path.parent.name}`"
            )
        parts.append(history.assign(model=path.stem)[columns])
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts, ignore_index=True).sort_values(["model", "fold", "epoch"], ignore_index=True).round(4)


def write_tables(tables: dict[str, pd.DataFrame], metrics: dict[str, dict], training: pd.DataFrame) -> None:
    """Write everything that is text."""
    write_json(metrics, REPORTS / "metrics.json")
    write_csv(stacked({model: per_class(table) for model, table in tables.items()}), REPORTS / "per_class.csv")
    write_csv(stacked({model: roc_points(table) for model, table in tables.items()}), REPORTS / "roc.csv")
    write_csv(training, REPORTS / "training.csv")
    for model, table in tables.items():
        rows = scored_rows(table)
        pairs = pd.DataFrame({"actual": rows["emotion"].to_numpy(), "predicted": predicted_emotions(rows)})
        write_csv(pairs.sort_values(["actual", "predicted"]), REPORTS / "confusion" / f"{model}.csv")


def draw_charts(
    tables: dict[str, pd.DataFrame], metrics: dict[str, dict], training: pd.DataFrame, chance: float, warning: str
) -> None:
    """Draw everything that is a picture."""
    for model, table in tables.items():
        title = f"{model}, UAR {metrics[model]['uar']:.3f}"
        confusion_chart(*confusion(table), IMAGES / f"confusion_{model}.png", title=title, warning=warning)
    points = {model: roc_points(table) for model, table in tables.items()}
    curves = {model: rows[rows["emotion"] == MACRO] for model, rows in points.items()}
    roc_chart(curves, column_of(metrics, "auc_macro"), IMAGES / "roc.png", warning=warning)
    score_chart(column_of(metrics, "uar"), chance, IMAGES / "scores.png", warning=warning)
    if len(training):
        training_chart(training, chance, IMAGES / "training_curves.png", warning=warning)


def print_summary(metrics: dict[str, dict], chance: float, warning: str, note: str) -> None:
    """Print what the scores can be compared with and the models, best first."""
    if warning:
        print(f"\033[31m{warning}\033[0m")
    if note:
        print(note)
    table = pd.DataFrame.from_dict(metrics, orient="index").sort_values("uar", ascending=False, kind="stable")
    print(table.to_string(float_format="%.3f"))
    print(f"chance level of the UAR: {chance:.3f}")


def stacked(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tables below one another, with their model in the first column."""
    return pd.concat(parts, names=["model"]).reset_index(level="model").reset_index(drop=True)


def column_of(metrics: dict[str, dict], name: str) -> dict[str, float]:
    """Return one score by model."""
    return {model: values[name] for model, values in metrics.items()}


if __name__ == "__main__":
    with stage_errors():
        evaluate()
