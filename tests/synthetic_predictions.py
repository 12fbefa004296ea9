"""Prediction tables with the errors that real ones have: some speakers are harder than others, for all models."""

from pathlib import Path

import numpy as np
import pandas as pd

from ser.probabilities.model_results import add_results, temperatures_of
from ser.storage.model_formats import FORMAT
from ser.storage.prediction_tables import emotions_of, write_predictions, write_temperatures
from ser.storage.whole_files import write_json

EMOTIONS = ["anger", "fear", "joy", "neutral"]


def predictions(
    seed: int,
    *,
    speakers: int = 12,
    clips: int = 20,
    folds: int = 4,
    emotions: list[str] = EMOTIONS,
    skill: float = 1.2,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw a prediction table and the table of its clips.

    Parameters
    ----------
    seed : int
        Of the model's probabilities; the clips and how hard the speakers are do not depend on it.
    speakers, clips, folds : int
        Clips are those of a speaker, of unequal numbers an emotion. Speaker n is tested in fold n % folds and
        validates in the next.
    emotions : list of str
    skill : float
        How much higher the score of the true emotion is, in standard deviations of the others.
    """
    shared, rng = np.random.default_rng(0), np.random.default_rng(seed)
    weights = np.arange(1, len(emotions) + 1) / np.arange(1, len(emotions) + 1).sum()
    hardness = shared.normal(0, 0.5, speakers)
    actual = np.concatenate(
        [np.r_[np.arange(len(emotions)), shared.choice(len(emotions), clips - len(emotions), p=weights)]] * speakers
    )
    who = np.repeat(np.arange(speakers), clips)
    table = pd.DataFrame({"clip": [f"c/{number:05d}" for number in range(len(who))]})
    table["corpus"] = np.where(who % 3 == 0, "one", "two")
    table["speaker"] = [f"s{number:02d}" for number in who]
    table["sex"] = np.where(who % 2 == 0, "female", "male")
    table["emotion"] = np.array(emotions)[actual]
    parts = []
    for part, shift in (("test", 0), ("validation", 1)):
        logits = rng.normal(size=(len(who), len(emotions)))
        logits += np.maximum(skill - hardness[who], 0)[:, None] * np.eye(len(emotions))[actual]
        odds = np.exp(logits)
        rows = table[["clip"]].assign(fold=(who + shift) % folds, part=part, emotion=table["emotion"])
        columns = [f"p_{emotion}" for emotion in emotions]
        parts.append(rows.join(pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=columns)))
    return pd.concat(parts, ignore_index=True), table


def labelled(seed: int, rows: int, skills: list[float], classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Draw probabilities of shape (members, rows, classes) and the true classes; skills as in `predictions`."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=rows)
    logits = rng.normal(size=(len(skills), rows, classes))
    logits += np.array(skills)[:, None, None] * np.eye(classes)[truth]
    odds = np.exp(logits)
    return odds / odds.sum(axis=2, keepdims=True), truth


def rows_to_score(table: pd.DataFrame) -> pd.DataFrame:
    """Return the test rows and whose most probable emotion they have, computed without the code under test."""
    rows = table[table["part"] == "test"].reset_index(drop=True)
    return rows.assign(predicted=rows.filter(like="p_").idxmax(axis=1).str.removeprefix("p_"))


def collapsed_in(table: pd.DataFrame, fold: int, emotion: str = EMOTIONS[0]) -> pd.DataFrame:
    """Return predictions whose test clips of a fold are all called the same."""
    rows, columns = (table["fold"] == fold) & (table["part"] == "test"), [c for c in table if c.startswith("p_")]
    table = table.copy()
    table.loc[rows, columns] = [float(column == f"p_{emotion}") for column in columns]
    return table


def write_trained(root: Path, trainer: str, tables: dict[str, pd.DataFrame]) -> None:
    """Write what a trainer leaves that fuse and evaluate read: predictions, temperatures, and model folders.

    The folders tell of a model that does not predict: that is nothing to these stages.
    """
    for model, table in tables.items():
        write_predictions(table, root / "data/predictions" / trainer / f"{model}.csv")
        for fold in [None, *sorted(set(table["fold"]))]:
            folder = root / "data/models" / trainer / model / ("" if fold is None else f"fold_{fold}")
            corpora = {"c": {"clips": 9, "speakers": 3, "languages": ["en"], "licence": "CC0", "synthetic": False}}
            about = {"format": FORMAT, "trainer": trainer, "model": model, "classes": emotions_of(table)}
            about |= {"fold": None if fold is None else f"fold_{fold}", "normalization": "train", "copies": []}
            about |= {"learnt_from": {"clips": 9, "speakers": 3, "corpora": corpora, "examples": 9}}
            write_json(about, folder / "model.json")
            add_results(folder, table if fold is None else table[table["fold"] == fold])
            (folder / "model.onnx").write_bytes(f"{model} {fold}".encode())
    temperatures = {model: temperatures_of(table) for model, table in tables.items()}
    write_temperatures(temperatures, root / "data/predictions" / trainer)
