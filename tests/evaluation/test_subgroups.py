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


def without(drawn, who, emotion: str):
    """Return predictions and clips without some speakers' clips of an emotion."""
    table, clips = drawn
    clips = clips[~(who(clips) & (clips["emotion"] == emotion)).to_numpy()]
    return table[table["clip"].isin(clips["clip"])].reset_index(drop=True), clips.reset_index(drop=True)


@pytest.fixture(scope="module")
def uneven():
    """Everyone has every emotion's recall, that of fear being 0; women do not show it."""
    table, clips = predictions(1)
    right = table["emotion"].where(table["emotion"] != "fear", "anger")
    right = right.where(
        ~table["clip"].str[-2:].isin(["07", "13", "55"]), "joy"
    )  # a few mistakes, or there was no spread
    table = table.assign(**{column: (right == column[2:]).astype(float) for column in table if column.startswith("p_")})
    return without((table, clips), lambda c: c["sex"] == "female", "fear")


def test_the_sexes_are_compared_over_the_emotions_that_both_show(uneven):
    table, clips = uneven
    rows = rows_to_score(table).merge(clips[["clip", "sex"]], on="clip")
    expected = [uar(rows[(rows["sex"] == sex) & (rows["emotion"] != "fear")]) for sex in ("female", "male")]
    naive = [uar(rows[rows["sex"] == sex]) for sex in ("female", "male")]
    found = gaps(table, clips, confidence=0.95)
    assert naive[0] - naive[1] > 0.15
    assert found["sex_gap"] == pytest.approx(expected[0] - expected[1])
    assert found["sex_gap_low"] < 0 < found["sex_gap_high"]
    assert found["sex_emotions"] == 3


def test_no_interval_of_the_gap_hangs_on_the_only_speaker_of_an_emotion(drawn):
    others = without(drawn, lambda c: (c["sex"] == "female") & (c["speaker"] != "s00"), "fear")
    found = gaps(*others, confidence=0.95)
    assert found["sex_emotions"] == 4
    assert np.isfinite(found["sex_gap"]) and np.isnan(found["sex_gap_low"])


def test_sexes_that_share_one_emotion_are_not_compared(drawn):
    table, clips = drawn
    female = clips["sex"] == "female"
    kept = (female & clips["emotion"].isin(["anger", "fear"])) | (~female & clips["emotion"].isin(["fear", "joy"]))
    clips = clips[kept].reset_index(drop=True)
    found = gaps(table[table["clip"].isin(clips["clip"])], clips, confidence=0.95)
    assert np.isnan(found["sex_gap"]) and found["sex_emotions"] == 1


def test_speakers_are_compared_over_the_same_emotions(drawn):
    """Two speakers show less than the others, so they are left out; joy, of a minority, is."""
    few = without(drawn, lambda c: c["speaker"].isin(["s00", "s01"]), "fear")
    table, clips = without(few, lambda c: c["speaker"] > "s03", "joy")
    rows = rows_to_score(table).merge(clips[["clip", "speaker"]], on="clip")
    rows = rows[~rows["speaker"].isin(["s00", "s01"]) & (rows["emotion"] != "joy")]
    by_speaker = {speaker: uar(part) for speaker, part in rows.groupby("speaker")}
    found = gaps(table, clips, confidence=0.95)
    assert (found["speakers"], found["compared_speakers"], found["compared_emotions"]) == (12, 10, 3)
    assert found["worst_uar"] == pytest.approx(min(by_speaker.values()))
    assert by_speaker[found["best_speaker"]] == max(by_speaker.values())
    assert found["speaker_deviation"] == pytest.approx(np.std(list(by_speaker.values()), ddof=1))


def test_speakers_of_one_emotion_each_are_not_compared(drawn):
    table, clips = drawn
    emotions = sorted(set(clips["emotion"]))
    of_speaker = clips["speaker"].str[1:].astype(int).map(lambda number: emotions[number % 4])
    clips = clips[clips["emotion"] == of_speaker].reset_index(drop=True)
    found = gaps(table[table["clip"].isin(clips["clip"])], clips, confidence=0.95)
    assert (found["speakers"], found["compared_speakers"], found["compared_emotions"]) == (12, 0, 0)
    assert found["worst_speaker"] == "" and np.isnan(found["worst_uar"])


def test_groups_say_how_many_emotions_they_show(uneven):
    found = scores_by_group(*uneven, confidence=0.95).set_index("value")["emotions"]
    assert found[["female", "male", "one", "s00", "s01"]].tolist() == [3, 4, 4, 3, 4]
