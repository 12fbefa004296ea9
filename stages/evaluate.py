"""Score all models over the test clips, with intervals over speakers; knows tables only, no framework.

Reads   data/predictions/<trainer>/<model>.csv and temperatures.json, data/history/, data/importance/,
        data/prepared/clips.csv and data/folds.csv
Writes  reports/metrics.json, validation.json, protocol.json, the tables reports/*.csv and images/evaluation/*.png,
        data/charts/, for the report
"""

import argparse
from pathlib import Path

import pandas as pd

from ser.charts.run_charts import write_charts
from ser.compute.cpu_kind import describe_machine
from ser.errors import InputError, stage_errors
from ser.evaluation.model_scores import (
    baseline_rows,
    best_model,
    evaluation_tables,
    mean_importance,
    ranking,
    validation_scores,
)
from ser.evaluation.protocol import comparability, describe_protocol, majority_baseline, read_folds
from ser.evaluation.scored_speakers import speakers_of
from ser.evaluation.subgroups import tested_emotions
from ser.networks.collapse import COLUMNS, collapsed_folds, describe_collapse
from ser.settings.params_file import load_sections
from ser.settings.score_sections import Evaluate
from ser.settings.split_section import Split
from ser.settings.train_section import Train
from ser.storage.clip_tables import read_clips
from ser.storage.csv_tables import write_csv
from ser.storage.prediction_tables import (
    FUSE,
    TRAINERS,
    emotions_of,
    read_predictions,
    read_temperatures,
    scored_rows,
    table_paths,
)
from ser.storage.whole_files import write_json, write_metrics

REPORTS = Path("reports")
IMAGES = REPORTS / "images" / "evaluation"
CHARTS = Path("data/charts")
METRICS = ["uar", "accuracy", "f1_macro", "precision_macro", "auc_macro", "ece"]
SERIES = ["loss", "accuracy", "validation_loss", "validation_accuracy", "validation_uar"]


def evaluate() -> None:
    """Write the scores, tables and charts of every model and print the models, best first."""
    params = load_sections(evaluate=Evaluate, split=Split, train=Train)
    tables = {  # every model's rows in one order
        model: table.sort_values(["fold", "part", "clip"], ignore_index=True)
        for model, table in read_predictions("data/predictions", [*TRAINERS, FUSE]).items()
    }
    clips, folds = read_clips("data/prepared/clips.csv"), read_folds("data/folds.csv")
    first = next(iter(tables.values()))
    speakers = speakers_of(scored_rows(first), clips)
    settings = {"bins": params.evaluate.calibration_bins, "confidence": params.evaluate.confidence}
    temperatures = read_temperatures("data/predictions", [*TRAINERS, FUSE])
    if unscaled := sorted(set(tables) - set(temperatures)):
        print(f"note: no temperatures of {', '.join(unscaled)}: scaled, their probabilities are what they were")
    results = evaluation_tables(tables, temperatures, clips, speakers, **settings)
    results["training"] = read_all("data/history", ["fold", "epoch", *SERIES])
    results["collapsed"] = collapsed_models(tables, results["training"])
    by_emotion = [f"recall_drop_{emotion}" for emotion in emotions_of(first)]
    measured = read_all("data/importance", ["fold", "group", "features", "uar_drop", *by_emotion])
    results["importance"] = mean_importance(measured)

    warning, note = comparability(clips, folds, params.split.scheme)
    protocol = describe_protocol(
        first,
        clips,
        speakers,
        scheme=params.split.scheme,
        normalization=params.train.protocol,
        confidence=params.evaluate.confidence,
    )
    protocol["refit"] = params.train.refit
    protocol["majority"] = majority_baseline(first, clips, folds)
    validation = validation_scores(tables)
    protocol |= {"best": best_model(ranking(results["scores"]), validation), "warning": warning, "note": note}
    baselines = baseline_rows(protocol["chance"], protocol["majority"], len(protocol["emotions"]))
    results["scores"] = pd.concat([results["scores"], baselines], ignore_index=True)

    results = {name: table.round(4) for name, table in results.items()}
    for name, table in results.items():
        write_csv(table, REPORTS / f"{name}.csv")
    write_metrics(metrics_of(results["scores"], list(tables)), REPORTS / "metrics.json")
    write_metrics({"validation": validation}, REPORTS / "validation.json")
    write_json(protocol, REPORTS / "protocol.json")
    write_charts(results, clips, protocol, pictures=IMAGES, parts=CHARTS)
    # not a DVC output: it says where the results were made (see `ser compare-machine`) and is none of them
    write_json(describe_machine(), REPORTS / "machine.json")
    print_summary(results["scores"], protocol)
    print_collapsed(results["collapsed"])
    print_by_corpus(results["groups"], tested_emotions(protocol["chance"]))


def read_all(folder: Path | str, columns: list[str]) -> pd.DataFrame:
    """Return the tables <folder>/<trainer>/<model>.csv below one another with their model; no rows without any."""
    parts = [pd.DataFrame(columns=["model", *columns])]
    for path in table_paths(folder):
        table = pd.read_csv(path)
        missing = [column for column in columns if column not in table.columns]
        if missing:
            raise InputError(
                f"{path} lacks the column {', '.join(missing)}: run `dvc repro --force {path.parent.name}`"
            )
        parts.append(table.assign(model=path.stem)[["model", *columns]])
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def collapsed_models(tables: dict[str, pd.DataFrame], training: pd.DataFrame) -> pd.DataFrame:
    """Return ``model`` and what `collapsed_folds` finds; no rows if no model collapsed."""
    parts = [
        collapsed_folds(table, training[training["model"] == model]).assign(model=model)
        for model, table in tables.items()
    ]
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)[["model", *COLUMNS]]


def metrics_of(scores: pd.DataFrame, models: list[str]) -> dict[str, dict[str, float]]:
    """Return the few scores of each model that `dvc metrics` compares."""
    wide = scores.pivot(index="model", columns="score", values="value")
    return {model: {name: float(wide.at[model, name]) for name in METRICS} for model in models}


def print_summary(scores: pd.DataFrame, protocol: dict) -> None:
    """Print what the scores can be compared with and the models, best first."""
    if protocol["warning"]:
        print(f"\033[31m{protocol['warning']}\033[0m")
    if protocol["normalisation_warning"]:
        print(f"\033[31m{protocol['normalisation_warning']}\033[0m")
    if protocol["note"]:
        print(protocol["note"])
    if protocol["refit"]:
        print("note: what is tested learnt from the validation speakers, too; validation scores are of inner models")
    wide = scores.pivot(index="model", columns="score", values="value").reindex(scores["model"].unique())
    of_uar = scores[scores["score"] == "uar"].set_index("model")
    bounds = of_uar.apply(lambda row: "" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}", axis=1)
    share = f"{100 * protocol['confidence']:g} % interval"
    table = wide[METRICS].map(lambda value: "" if pd.isna(value) else f"{value:.3f}")
    table.insert(1, share, bounds)
    print(table.rename_axis(index=None, columns=None).to_string())
    how = protocol["normalisation"]
    print(f"{protocol['intervals']}; {how if how.startswith('adapted') else f'normalised by {how}'}")


def print_collapsed(collapsed: pd.DataFrame) -> None:
    """Print which models tell nothing apart in which folds, and the likely reason."""
    for _, row in collapsed.iterrows():
        print(f"\033[31m{row['model']} {describe_collapse(row)}\033[0m")


def print_by_corpus(groups: pd.DataFrame, tested: int) -> None:
    """Print the UAR over the test clips of each corpus, where there are several, and where it is over fewer emotions.

    Parameters
    ----------
    groups : pd.DataFrame
        See `ser.evaluation.subgroups.scores_by_group`.
    tested : int
        How many emotions the test clips of all corpora show.
    """
    rows = groups[groups["group"] == "corpus"]
    table = rows.pivot(index="model", columns="value", values="uar")
    if table.shape[1] > 1:
        emotions = rows.drop_duplicates("value").set_index("value")["emotions"]
        lacking = {name: f"{name} ({n} of {tested} emotions)" for name, n in emotions.items() if n < tested}
        table = table.rename(columns=lacking)
        print(f"UAR by tested corpus{', not to be compared where the emotions are others' if lacking else ''}")
        print(
            table.reindex(groups["model"].unique()).rename_axis(index=None, columns=None).to_string(float_format="%.3f")
        )


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        evaluate()
