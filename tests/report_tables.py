"""A small run to report on: clips, sound, predictions and the tables that the evaluation writes, without any training.

The intervals are only plausible ones: what the report does with them is tested here, not how they are computed.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from ser.charts.run_charts import write_charts
from ser.corpora.known_corpora import KNOWN
from ser.demo.synthetic_speech import SYNTHETIC
from ser.networks.collapse import COLUMNS
from ser.overview.feature_words import unit_and_meaning
from ser.overview.telling_features import distributions, speaker_medians
from ser.reporting.reported_run import TABLES, read_table
from ser.storage.clip_tables import count_speakers, read_clips
from ser.storage.csv_tables import write_csv
from ser.storage.prediction_tables import emotions_of, predicted_emotions, probabilities_of
from ser.storage.shards import RaggedWriter
from ser.storage.whole_files import write_json

EMOTIONS = ["anger", "fear", "happiness", "neutral"]
MODELS = {"cnn": ("train_cnn", 0.6), "ensemble": ("fuse", 2.4), "svm_rbf": ("train_ml", 1.8)}
SAMPLE_RATE = 16000
FEATURES = ("f0_p10", "voiced_flux_mean", "seconds")


def make_clips(speakers: int = 6, repeats: int = 3, emotions: list[str] = EMOTIONS, corpora: int = 1) -> pd.DataFrame:
    """Return clips of speakers, half of them female, that speak each emotion equally often."""
    rows = [(speaker, emotion, take) for speaker in range(speakers) for emotion in emotions for take in range(repeats)]
    table = pd.DataFrame(rows, columns=["number", "emotion", "take"])
    corpus = "corpus" + (table["number"] % corpora).astype(str)
    speaker = "s" + table["number"].map("{:03d}".format)
    clip = corpus + "/" + speaker + "-" + table["emotion"] + "-" + table["take"].astype(str)
    known = {"sex": np.where(table["number"] % 2, "male", "female"), "statement": "text " + table["take"].astype(str)}
    unknown = dict.fromkeys(["age", "ethnicity", "intensity", "language", "fold"], "")
    table = table.assign(
        clip=clip, corpus=corpus, speaker=corpus + ":" + speaker, source=clip + ".wav", **known, **unknown
    )
    return table.assign(seconds=0.5).drop(columns=["number", "take"]).sort_values("clip", ignore_index=True)


def make_predictions(clips: pd.DataFrame, separation: float, seed: int, classes: list[str]) -> pd.DataFrame:
    """Return test rows of a model whose scores for the true emotion are `separation` deviations higher."""
    logits = np.random.default_rng(seed).normal(size=(len(clips), len(classes)))
    logits += separation * (clips["emotion"].to_numpy()[:, None] == np.array(classes))
    odds = np.exp(logits)
    table = pd.DataFrame({"clip": clips["clip"], "fold": 0, "part": "test", "emotion": clips["emotion"]})
    return table.join(pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=[f"p_{e}" for e in classes]))


def write_run(
    folder: Path, clips: pd.DataFrame, models: dict = MODELS, classes: list[str] = EMOTIONS, warning: str = ""
) -> dict[str, pd.DataFrame]:
    """Write all that the stage `report` reads, params.yaml not included; return the predictions by model."""
    tables = {}
    for seed, (model, (trainer, separation)) in enumerate(sorted(models.items())):
        tables[model] = make_predictions(clips, separation, seed, classes)
        write_csv(tables[model], folder / "data/predictions" / trainer / f"{model}.csv")
    write_csv(clips, folder / "data/prepared/clips.csv")
    write_json({"sample_rate": SAMPLE_RATE}, folder / "data/prepared/audio.json")
    corpora = {
        corpus: {
            "licence": KNOWN[corpus].ABOUT.licence if corpus in KNOWN else "",
            "synthetic": bool((rows["source"] == SYNTHETIC).all()),
        }
        for corpus, rows in clips.groupby("corpus")
    }
    write_json({"profile": [], "corpora": corpora}, folder / "data/prepared/origin.json")
    rng = np.random.default_rng(0)
    with RaggedWriter(folder / "data/prepared/audio") as audio:
        for seconds in clips["seconds"]:
            audio.append((8000 * rng.normal(size=int(seconds * SAMPLE_RATE)).clip(-3, 3)).astype(np.int16))
    write_evaluation(folder / "reports", clips, tables, warning)
    write_audit(folder / "reports/data", clips)
    write_overview(folder, clips)
    return tables


def write_overview(folder: Path, clips: pd.DataFrame, features: tuple[str, ...] = FEATURES) -> None:
    """Write a map of places that are drawn, and the distributions of features that are."""
    rng = np.random.default_rng(0)
    emotions, speakers = (clips[name].to_numpy(dtype=str) for name in ("emotion", "speaker"))
    places = pd.DataFrame(rng.uniform(size=(len(clips), 2)).round(4), columns=["x", "y"])
    write_csv(places.assign(clip=clips["clip"])[["clip", "x", "y"]], folder / "data/overview/map.csv")
    values = rng.normal(np.unique(emotions, return_inverse=True)[1][:, None], size=(len(clips), len(features)))
    tables = {
        "reports/telling_features.csv": distributions(values, emotions),
        "data/overview/speakers.csv": speaker_medians(values, emotions, speakers),
    }
    for name, table in tables.items():
        feature = np.array(features, dtype=str)[table.pop("number").to_numpy(dtype=int)]
        write_csv(table.assign(feature=feature), folder / name)
    told = [dict(zip(("unit", "meaning"), unit_and_meaning(name), strict=True)) for name in features]
    about = [{"feature": name, "explained": 0.5} | words for name, words in zip(features, told, strict=True)]
    write_json({"of": 121, "features": about}, folder / "data/overview/features.json")
    alike = {"emotion": {"nearest": 0.4, "others": 0.2475}, "speaker": {"nearest": 0.625, "others": 0.1}}
    write_json({"nearest": 10, "alike": alike}, folder / "data/overview/neighbours.json")


def write_charts_of(folder: Path) -> None:
    """Draw the charts of a run that `write_run` wrote, as `evaluate` does."""
    reports, charts = folder / "reports", folder / "data/charts"
    tables = {name: read_table(reports / f"{name}.csv") for name in (*TABLES, "confusion")}
    protocol = json.loads((reports / "protocol.json").read_text())
    write_charts(
        tables, read_clips(folder / "data/prepared/clips.csv"), protocol, pictures=folder / "png", parts=charts
    )


def write_evaluation(folder: Path, clips: pd.DataFrame, tables: dict[str, pd.DataFrame], warning: str = "") -> None:
    """Write the tables of the evaluation."""
    clips = clips.set_index("clip")
    speakers = count_speakers(clips["speaker"])
    parts = {name: [] for name in ("scores", "per_class", "groups", "gaps", "calibration", "reliability", "coverage")}
    parts |= {name: [] for name in ("roc", "precision_recall", "confusion", "importance", "training", "differences")}
    recalls = {model: float(_uar(table)) for model, table in tables.items()}
    order = sorted(tables, key=lambda model: (-recalls[model], model))
    wide = 0.04 if speakers >= 5 else np.nan
    for model in order:
        parts["scores"].append(_scores(tables[model], wide).assign(model=model))
    for model, table in tables.items():
        for name, rows in _tables_of(table.join(clips[["corpus", "sex", "speaker"]], on="clip"), wide).items():
            parts[name].append(rows.assign(model=model))
    parts["confusion"] = [rows for rows in parts["confusion"] if rows["model"].iloc[0] == order[0]]
    classes = emotions_of(tables[order[0]])
    majority = clips["emotion"].value_counts()
    values = {"chance": 1 / len(classes), "majority": 1 / len(classes)}
    for name, value in values.items():
        rows = {"model": name, "score": ["uar", "accuracy"], "value": [value, majority.iloc[0] / len(clips)]}
        parts["scores"].append(pd.DataFrame(rows))
    parts["differences"] = [_differences(order, recalls, wide)]
    parts["collapsed"] = [pd.DataFrame(columns=["model", *COLUMNS])]
    for name, rows in parts.items():
        write_csv(pd.concat(rows).round(4), folder / f"{name}.csv")
    protocol = {
        "scheme": "random" if warning else "kfold", "folds": 1, "clips": len(clips), "speakers": speakers,
        "emotions": classes, "corpora": sorted(clips["corpus"].unique()), "normalisation": "train",
        "untested_clips": 0,
        "normalisation_warning": "",
        "warning": warning, "note": "", "confidence": 0.95, "best": order[0],
        "chance": round(1 / clips["emotion"].nunique(), 4),
        "intervals": "jackknife over speakers" if speakers >= 5 else "none: fewer than 5 speakers",
        "majority": {"emotion": majority.index[0], "accuracy": round(majority.iloc[0] / len(clips), 4),
                     "uar": round(1 / len(classes), 4)},
    }  # fmt: skip
    write_json(protocol, folder / "protocol.json")
    write_json({"validation": recalls}, folder / "validation.json")


def write_audit(folder: Path, clips: pd.DataFrame) -> None:
    """Write the tables of the data audit: nothing remarkable but one file that could not be used."""
    groups = clips.groupby(["corpus", "emotion", "sex", "speaker"])
    write_csv(groups.agg(clips=("clip", "size"), seconds=("seconds", "sum")).reset_index(), folder / "counts.csv")
    cues = {"corpus": clips["corpus"].iloc[0], "cue": ["seconds", "level_db"], "clips": len(clips), "emotions": 4,
            "uar": [0.3, 0.25], "chance": 0.25, "excess": [0.05, 0], "verdict": ["cue", ""]}  # fmt: skip
    write_csv(pd.DataFrame(cues), folder / "cues.csv")
    write_csv(pd.DataFrame(columns=["corpus", "file", "finding", "detail", "done"]), folder / "findings.csv")
    quarantine = {"corpus": ["corpus0"], "file": ["corpus0/torn.wav"], "reason": ["empty file"]}
    write_csv(pd.DataFrame(quarantine), folder / "quarantine.csv")
    summary = {"clips": len(clips), "speakers": count_speakers(clips["speaker"]), "minutes": 1.0, "quarantined": 1,
               "copies": 0, "imbalance": 1.0, "leaks": 0, "cues": {}}  # fmt: skip
    (folder / "audit.json").write_text(json.dumps(summary))


def _uar(rows: pd.DataFrame) -> float:
    hit = pd.Series(predicted_emotions(rows) == rows["emotion"].to_numpy(), index=rows.index)
    return hit.groupby(rows["emotion"]).mean().mean()


def _scores(table: pd.DataFrame, wide: float) -> pd.DataFrame:
    uar = _uar(table)
    names = ["uar", "accuracy", "f1_macro", "precision_macro", "auc_macro", "brier", "ece"]
    values = np.array([uar, uar, uar, uar, (1 + uar) / 2, 1 - uar, 0.1])
    bound = np.where(np.array(names) == "ece", np.nan, wide)
    return pd.DataFrame({"model": "", "score": names, "value": values, "low": values - bound, "high": values + bound})


def _tables_of(rows: pd.DataFrame, wide: float) -> dict[str, pd.DataFrame]:
    """Return one model's part of every table but scores and differences."""
    predicted, probability = predicted_emotions(rows), probabilities_of(rows)
    classes, right = emotions_of(rows), predicted == rows["emotion"].to_numpy()
    result = {"roc": [], "precision_recall": [], "per_class": []}
    for emotion in classes:
        actual = (rows["emotion"] == emotion).to_numpy()
        clips, hit = int(actual.sum()), right[actual].mean() if actual.any() else np.nan
        line = {"emotion": emotion, "sensitivity": hit, "low": hit - wide, "high": hit + wide, "specificity": 0.9}
        area = roc_auc_score(actual, rows[f"p_{emotion}"]) if clips else np.nan
        line |= {"precision": 0.8, "f1": hit, "auc": area, "clips": clips}
        result["per_class"].append(pd.DataFrame([line], index=[0]))
        if not clips:
            continue
        grid = np.linspace(0, 1, 21)
        fpr, tpr, _ = roc_curve(actual, rows[f"p_{emotion}"])
        precision, recall, _ = precision_recall_curve(actual, rows[f"p_{emotion}"])
        result["roc"].append(pd.DataFrame({"emotion": emotion, "fpr": grid, "tpr": np.interp(grid, fpr, tpr)}))
        curve = np.interp(grid, recall[::-1], precision[::-1])
        result["precision_recall"].append(pd.DataFrame({"emotion": emotion, "recall": grid, "precision": curve}))
    for name, x in (("roc", "fpr"), ("precision_recall", "recall")):
        curves = pd.concat(result[name])
        macro = curves.drop(columns="emotion").groupby(x).mean().reset_index().assign(emotion="macro average")
        result[name] = pd.concat([macro, curves])
    result["per_class"] = pd.concat(result["per_class"])
    counts = pd.crosstab(rows["emotion"], predicted).reindex(index=classes, columns=classes, fill_value=0)
    pairs = counts.rename_axis("actual").rename_axis("predicted", axis=1).stack().rename("clips").reset_index()
    result["confusion"] = pairs.assign(share=pairs["clips"] / pairs.groupby("actual")["clips"].transform("sum"))
    return result | _groups(rows, wide) | _calibration(probability.max(axis=1), right) | _rest()


def _groups(rows: pd.DataFrame, wide: float) -> dict[str, pd.DataFrame]:
    parts = []
    for group in ("corpus", "sex", "speaker"):
        for value, part in rows[rows[group] != ""].groupby(group):
            line = {"group": group, "value": value, "speakers": part["speaker"].nunique(), "clips": len(part)}
            line |= {"emotions": part["emotion"].nunique()}
            uar, bound = _uar(part), wide if group != "speaker" else np.nan
            parts.append(line | {"uar": uar, "low": uar - bound, "high": uar + bound, "accuracy": uar})
    columns = ["group", "value", "speakers", "clips", "emotions", "uar", "low", "high", "accuracy"]
    groups = pd.DataFrame(parts, columns=columns)
    speakers = groups[groups["group"] == "speaker"].sort_values("uar")
    sexes = groups[groups["group"] == "sex"].set_index("value")["uar"]
    gap = sexes.get("female", np.nan) - sexes.get("male", np.nan)
    emotions = rows["emotion"].nunique()
    line = {"speakers": len(speakers), "compared_speakers": len(speakers), "compared_emotions": emotions}
    line |= {"sex_emotions": emotions, "worst_speaker": "", "worst_uar": np.nan, "best_speaker": "", "best_uar": np.nan}
    if len(speakers):
        worst, best = speakers.iloc[0], speakers.iloc[-1]
        line |= {"worst_speaker": worst["value"], "worst_uar": worst["uar"]}
        line |= {"best_speaker": best["value"], "best_uar": best["uar"]}
    line |= {"speaker_deviation": speakers["uar"].std(), "sex_gap": gap}
    return {"groups": groups, "gaps": pd.DataFrame([line | {"sex_gap_low": gap - wide, "sex_gap_high": gap + wide}])}


def _calibration(confidence: np.ndarray, right: np.ndarray) -> dict[str, pd.DataFrame]:
    bins = pd.DataFrame({"bin": (confidence * 9.999).astype(int), "confidence": confidence, "accuracy": right})
    bins = bins.groupby("bin").agg(confidence=("confidence", "mean"), accuracy=("accuracy", "mean"),
                                   clips=("accuracy", "size")).reset_index(drop=True)  # fmt: skip
    scaled = bins.assign(probabilities="temperature-scaled", confidence=(bins["confidence"] + bins["accuracy"]) / 2)
    coverage = np.round(np.arange(0.05, 1.01, 0.05), 2)
    sorted_hits = right[np.argsort(-confidence)]
    accuracy = [sorted_hits[: max(1, int(share * len(right)))].mean() for share in coverage]
    names = ["temperature", "ece", "ece_scaled", "brier", "brier_scaled", "log_loss", "log_loss_scaled"]
    return {
        "reliability": pd.concat([bins.assign(probabilities="as predicted"), scaled]),
        "coverage": pd.DataFrame({"coverage": coverage, "accuracy": accuracy, "uar": accuracy}),
        "calibration": pd.DataFrame([dict(zip(names, [1.3, 0.12, 0.04, 0.3, 0.28, 0.6, 0.5], strict=True))]),
    }


def _rest() -> dict[str, pd.DataFrame]:
    groups = {"group": ["pitch", "mfcc", "energy"], "features": [10, 40, 4], "uar_drop": [0.25, 0.1, -0.01]}
    more = {"deviation": 0.02, "recall_drop_anger": [0.4, np.nan, -0.03]}
    epochs = pd.DataFrame([(fold, epoch) for fold in (0, 1) for epoch in range(1, 5 + fold)], columns=["fold", "epoch"])
    series = {"loss": 1.5, "accuracy": 0.3, "validation_loss": 1.6, "validation_accuracy": 0.3, "validation_uar": 0.3}
    rise = {name: start + (0.1 if start < 1 else -0.2) * epochs["epoch"] for name, start in series.items()}
    return {
        "importance": pd.DataFrame(groups | more),
        "training": epochs.assign(**rise),
    }


def _differences(order: list[str], recalls: dict[str, float], wide: float) -> pd.DataFrame:
    rows = []
    for position, first in enumerate(order):
        for second in order[position + 1 :]:
            gap = recalls[first] - recalls[second]
            p = np.nan if np.isnan(wide) else min(1.0, 0.2 * np.exp(-50 * gap) + 0.0004)
            verdict = "better" if p < 0.05 else "cannot be told" if np.isnan(p) else "no evidence"
            rows.append((first, second, gap, gap - wide, gap + wide, p, p, verdict, 20, 7, 0.02))
    columns = ["first", "second", "difference", "low", "high", "p", "p_holm", "verdict"]
    return pd.DataFrame(rows, columns=[*columns, "only_first_right", "only_second_right", "mcnemar_p"])
