"""Scores by corpus, sex and speaker against scikit-learn."""

import numpy as np
import pytest
from scipy.stats import ttest_ind
from sklearn.metrics import accuracy_score, recall_score

from ser.evaluation.subgroups import gaps, scores_by_group
from synthetic_predictions import predictions, rows_to_score


@pytest.fixture(scope="module")
def drawn():
    return predictions(1)


def uar(rows) -> float:
    return recall_score(rows["emotion"], rows["predicted"], labels=sorted(set(rows["emotion"])), average="macro")


def test_every_group_by_scikit_learn(drawn):
    table, clips = drawn
    rows = rows_to_score(table)
    found = scores_by_group(table, clips, confidence=0.95)
    assert found.groupby("group").size().to_dict() == {"corpus": 2, "sex": 2, "speaker": 12}
    for row in found.itertuples():
        part = rows[(clips[row.group] == row.value).to_numpy()]
        assert row.clips == len(part)
        assert row.uar == pytest.approx(uar(part))
        assert row.accuracy == pytest.approx(accuracy_score(part["emotion"], part["predicted"]))


def test_intervals_are_for_groups_of_five_speakers(drawn):
    found = scores_by_group(*drawn, confidence=0.95).set_index("value")
    assert found.loc["two", ["low", "high"]].notna().all()  # 8 speakers
    assert found.loc["female", "low"] < found.loc["female", "uar"] < found.loc["female", "high"]
    assert found.loc[["one", "s00"], ["low", "high"]].isna().all(axis=None)  # 4 speakers, 1


def test_gaps_by_speaker(drawn):
    table, clips = drawn
    rows = rows_to_score(table)
    by_speaker = {name: uar(rows[(clips["speaker"] == name).to_numpy()]) for name in sorted(set(clips["speaker"]))}
    found = gaps(table, clips, confidence=0.95)
    assert found["worst_speaker"] == min(by_speaker, key=by_speaker.get)
    assert found["best_uar"] == pytest.approx(max(by_speaker.values()))
    assert found["speaker_deviation"] == pytest.approx(np.std(list(by_speaker.values()), ddof=1))
    assert found["sex_gap_low"] < found["sex_gap"] < found["sex_gap_high"]


def test_balanced_the_sex_gap_is_that_of_welch():
    table, clips = predictions(2, clips=4)
    rows = rows_to_score(table)
    right = (rows["emotion"] == rows["predicted"]).groupby([clips["sex"], clips["speaker"]]).mean()
    expected = ttest_ind(right["female"], right["male"], equal_var=False)
    found = gaps(table, clips, confidence=0.95)
    assert found["sex_gap"] == pytest.approx(right["female"].mean() - right["male"].mean())
    assert (found["sex_gap_low"], found["sex_gap_high"]) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_what_is_unknown_is_in_no_group(drawn):
    table, clips = drawn
    found = scores_by_group(table, clips.assign(sex="", speaker=""), confidence=0.95)
    assert set(found["group"]) == {"corpus"}
    assert found[["low", "high"]].isna().all(axis=None)
    assert (found["speakers"] == 0).all()
    nothing = gaps(table, clips.assign(sex="", speaker=""), confidence=0.95)
    assert nothing["speakers"] == 0
    assert nothing["worst_speaker"] == ""
    assert np.isnan([nothing["worst_uar"], nothing["sex_gap"], nothing["speaker_deviation"]]).all()


def test_one_sex_has_no_gap(drawn):
    table, clips = drawn
    assert np.isnan(gaps(table, clips.assign(sex="male"), confidence=0.95)["sex_gap"])
