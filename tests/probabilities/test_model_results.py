"""What a model's folder tells of how good it is."""

import json

import numpy as np
import pandas as pd
import pytest

from ser.prediction.asked_certainty import cost_of_certainty
from ser.probabilities.model_results import add_results, coverage_and_risk, temperatures_of
from ser.probabilities.temperature import scale
from ser.storage.prediction_tables import probabilities_of
from ser.storage.whole_files import write_json
from synthetic_predictions import predictions

CORPORA = {
    "demo": {"clips": 3, "speakers": 1, "languages": ["synthetic"], "licence": "", "synthetic": True},
    "mi|ne": {"clips": 1200, "speakers": 0, "languages": [], "licence": "CC BY-NC 4.0", "synthetic": False},
}
ABOUT = {
    "model": "x",
    "fold": None,
    "classes": ["anger", "fear"],
    "normalization": "train",
    "copies": [],
    "learnt_from": {"clips": 1203, "speakers": 1, "corpora": CORPORA},
}


def table(rows: list[tuple], fold: int = 0) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["part", "emotion", "p_anger"]).assign(fold=fold, clip=range(len(rows)))
    return found.assign(p_fear=1 - found["p_anger"])


ROWS = [("test", "anger", 0.9), ("test", "fear", 0.8), ("validation", "anger", 0.9), ("validation", "fear", 0.1)]


def test_scores_temperature_and_certainty_are_added(tmp_path):
    write_json(ABOUT, tmp_path / "model.json")
    add_results(tmp_path, table(ROWS))
    found = json.loads((tmp_path / "model.json").read_text())
    assert found["scores"] == {"test_uar": 0.5, "validation_uar": 1.0}
    assert found["temperature"] < 0.2  # right each time: as sure as it can be
    raw = found["certainty"]["as_predicted"]
    by_certainty = dict(zip(raw["at"], zip(raw["coverage"], raw["risk"], strict=True), strict=True))
    assert by_certainty[0.5] == by_certainty[0.8] == (1.0, 0.5)
    assert by_certainty[0.85] == by_certainty[0.9] == (0.5, 0.0)
    assert by_certainty[0.95] == (0.0, None)
    assert found["certainty"]["calibrated"]["coverage"][-1] == 1.0


def test_the_card_names_corpora_and_licences(tmp_path):
    write_json(ABOUT, tmp_path / "model.json")
    add_results(tmp_path, table(ROWS))
    card = (tmp_path / "model_card.md").read_text()
    assert "| demo | 3 | 1 | synthetic | synthetic, made by this project |" in card
    assert "| mi\\|ne | 1,200 | unknown | unknown | CC BY-NC 4.0 (non-commercial) |" in card
    assert r"Weights learnt from mi\|ne (non-commercial) may inherit its terms." in card
    assert "0.500 on test clips, 1.000 on those of validation speakers; guessing reaches 0.500" in card
    assert "only ever heard synthetic speech" not in card
    of_demo = ABOUT | {"fold": "fold_1", "normalization": "speaker"}
    of_demo |= {"learnt_from": ABOUT["learnt_from"] | {"corpora": {"demo": CORPORA["demo"]}}}
    write_json(of_demo, tmp_path / "model.json")
    add_results(tmp_path, table(ROWS))
    card = (tmp_path / "model_card.md").read_text()
    assert card.startswith("# Model card: `x`, the model of fold_1\n")
    assert "only ever heard synthetic speech" in card and "several clips of each speaker" in card


def test_a_fold_without_validation_rows_is_not_scaled(tmp_path):
    both = pd.concat([table(ROWS), table([row for row in ROWS if row[0] == "test"], fold=1)])
    found = temperatures_of(both)
    assert list(found) == [0, 1] and found[1] == 1.0 != found[0]


@pytest.mark.parametrize("seed", range(3))
def test_coverage_and_risk_are_those_of_counting(seed):
    rows = predictions(seed)[0].query("part == 'test'")
    p = probabilities_of(rows)
    right = rows.filter(like="p_").idxmax(axis=1).str.removeprefix("p_") == rows["emotion"]
    found = coverage_and_risk(p, right.to_numpy())
    for at, coverage, risk in zip(*found.values(), strict=True):
        answered = [place for place in range(len(p)) if max(p[place]) >= at]
        assert coverage == round(len(answered) / len(p), 4)
        wrong = [place for place in answered if not right.iloc[place]]
        assert risk == (round(len(wrong) / len(answered), 4) if answered else None)
    assert found["coverage"] == sorted(found["coverage"], reverse=True)


def test_the_calibrated_certainty_is_that_of_each_folds_own_temperature(tmp_path):
    rows = predictions(5)[0]
    write_json(ABOUT, tmp_path / "model.json")
    add_results(tmp_path, rows)
    test = rows[rows["part"] == "test"]
    by_fold = [scale(probabilities_of(test[test["fold"] == f]), t) for f, t in temperatures_of(rows).items()]
    sure = np.concatenate([p.max(axis=1) for p in by_fold])
    found = json.loads((tmp_path / "model.json").read_text())["certainty"]["calibrated"]
    assert found["coverage"] == [round(float((sure >= at).mean()), 4) for at in found["at"]]


def test_the_cost_of_certainty_is_said_in_a_line():
    known = {"at": [0.5, 0.9], "coverage": [0.714, 0.0], "risk": [0.092, None]}
    description = {"certainty": {"as_predicted": known, "calibrated": known | {"coverage": [0.5, 0.0]}}}
    said = cost_of_certainty(description, 0.89, calibrated=False)
    assert said == (
        "note: at a certainty of 0.5 this model answered 71.4 % of the clips of its test speakers, "
        "9.2 % of these wrongly"
    )
    assert "answered 50 %" in cost_of_certainty(description, 0.52, calibrated=True)
    assert cost_of_certainty(description, 1.0, calibrated=False).endswith("answered no clip of its test speakers")
