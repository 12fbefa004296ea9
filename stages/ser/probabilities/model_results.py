"""How good a model is, as its folder tells it: scores, temperature, and what a demand for certainty costs.

All of it from rows of prediction tables: the temperature from those of validation speakers, the rest for the eye.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from ser.probabilities.temperature import fit_temperature, scale
from ser.storage.model_cards import write_card
from ser.storage.prediction_tables import emotions_of, predicted_emotions, probabilities_of
from ser.storage.whole_files import write_json

STEPS = np.arange(1, 20) / 20  # the certainties that are told of


def uar_of(rows: pd.DataFrame) -> float:
    """Return the unweighted average recall of the rows of a prediction table, over the emotions that they show."""
    right = predicted_emotions(rows) == rows["emotion"]
    return float(right.groupby(rows["emotion"]).mean().mean())


def temperatures_of(table: pd.DataFrame) -> dict[int, float]:
    """Return the temperature of each fold of a prediction table, fitted on the validation rows of that fold."""
    validation = table[table["part"] == "validation"]
    return {int(fold): temperature_of(validation[validation["fold"] == fold]) for fold in sorted(set(table["fold"]))}


def temperature_of(validation: pd.DataFrame) -> float:
    """Return the temperature that fits validation rows; see `fit_temperature`."""
    truth = pd.Categorical(validation["emotion"], categories=emotions_of(validation)).codes.astype(int)
    return fit_temperature(probabilities_of(validation), truth)


def add_results(folder: Path, predictions: pd.DataFrame) -> None:
    """Add to a model's ``model.json`` what it reached, and write its card.

    ``scores`` (``validation_uar`` and ``test_uar``), ``temperature``, and ``certainty``: of the test rows, by the least
    certainty that is asked for (``at``), what share is answered (``coverage``) and what share of the answers is wrong
    (``risk``, null where there are none), as predicted and at the temperature (``calibrated``).

    Parameters
    ----------
    folder : Path
    predictions : pd.DataFrame
        Of a fold's model those of its fold; of a model for use, which has seen all of them, those of all folds' models.
    """
    description = json.loads((folder / "model.json").read_text())
    parts = dict(list(predictions.groupby("part")))
    scores = {f"{part}_uar": round(uar_of(rows), 4) for part, rows in parts.items()}
    test, temperatures = parts["test"], temperatures_of(predictions)
    right = (predicted_emotions(test) == test["emotion"]).to_numpy()
    raw = probabilities_of(test)
    calibrated = scale(raw, test["fold"].map(temperatures).to_numpy())
    certainty = {"as_predicted": coverage_and_risk(raw, right), "calibrated": coverage_and_risk(calibrated, right)}
    temperature = temperature_of(predictions[predictions["part"] == "validation"])
    description |= {"scores": scores, "temperature": temperature, "certainty": certainty}
    write_json(description, folder / "model.json")
    write_card(description, folder)


def coverage_and_risk(probabilities: np.ndarray, right: np.ndarray) -> dict[str, list[float | None]]:
    """Return ``at``, ``coverage`` and ``risk``; see `add_results`."""
    answered = probabilities.max(axis=1)[:, None] >= STEPS
    counts, wrong = answered.sum(axis=0), (answered & ~right[:, None]).sum(axis=0)
    risk = [round(float(wrong[step] / count), 4) if count else None for step, count in enumerate(counts)]
    return {"at": STEPS.tolist(), "coverage": (counts / len(right)).round(4).tolist(), "risk": risk}
