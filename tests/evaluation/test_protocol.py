"""What scores can be compared with: the protocol, and the baselines."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import recall_score

from ser.evaluation.protocol import (
    comparability,
    describe_protocol,
    majority_baseline,
    speaker_dependence,
    validation_sharing_speakers,
)
from ser.evaluation.scored_speakers import speakers_of
from ser.storage.prediction_tables import scored_rows
from synthetic_predictions import EMOTIONS, predictions

SETTINGS = {"normalization": "train", "confidence": 0.9}


def split(**roles: list[str | None]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return clips of the speakers a, a, b, c and folds in which they have these roles."""
    clips = pd.DataFrame({"clip": ["1", "2", "3", "4"], "speaker": ["a", "a", "b", "c"]})
    return clips, pd.DataFrame({"clip": clips["clip"], **roles})


def test_speaker_disjoint_folds_are_independent():
    clips, folds = split(fold_0=["train", "train", "validation", "test"], fold_1=["test", "test", "train", None])
    assert speaker_dependence(clips, folds, "kfold") == ""
    assert validation_sharing_speakers(clips, folds) == []


@pytest.mark.parametrize("other", ["train", "validation"])
def test_a_speaker_on_both_sides_is_named(other):
    clips, folds = split(fold_0=["train", "train", "train", "test"], fold_1=[other, "test", "train", "train"])
    assert (
        speaker_dependence(clips, folds, "predefined") == "speaker a is in the training and in the test part of fold_1"
    )


def test_random_and_unknown_speakers_are_dependent():
    clips, folds = split(fold_0=["train", "train", "train", "test"])
    assert "random" in speaker_dependence(clips, folds, "random")
    clips.loc[3, "speaker"] = None
    assert speaker_dependence(clips, folds, "predefined") == "1 clips have no known speaker"


def test_an_unknown_speaker_outside_all_folds_does_not_matter():
    clips, folds = split(fold_0=["train", "train", "test", None])
    clips.loc[3, "speaker"] = None
    assert speaker_dependence(clips, folds, "kfold") == ""


def test_validation_by_statement_is_found_by_fold():
    roles = ["train", "validation", "test", "train"]
    clips, folds = split(fold_0=["train", "train", "test", "train"], fold_10=roles, fold_9=roles)
    assert validation_sharing_speakers(clips, folds) == ["fold_9", "fold_10"]
    assert speaker_dependence(clips, folds, "kfold") == ""


def test_the_warning_says_why_and_the_note_is_none():
    clips, folds = split(fold_0=["train", "train", "train", "test"])
    warning, note = comparability(clips, folds, "random")
    assert warning.startswith("speaker-dependent split: not comparable")
    assert note == ""
    assert comparability(clips, folds, "kfold") == ("", "")
    assert comparability(clips.assign(speaker=""), folds, "kfold")[0] != ""


def folds_of(table: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
    """Return the folds that a prediction table was made in; who is in neither part trains."""
    folds = clips[["clip"]].copy()
    for fold in sorted(set(table["fold"])):
        parts = table[table["fold"] == fold].set_index("clip")["part"]
        folds[f"fold_{fold}"] = folds["clip"].map(parts).fillna("train")
    return folds


def test_the_majority_is_that_of_each_folds_training_part():
    table, clips = predictions(1)
    rare = clips["speaker"].isin(["s00", "s04", "s08"])  # fold 0: its test speakers have nothing but joy
    clips.loc[rare, "emotion"] = "joy"
    table = table.merge(clips[["clip", "emotion"]], on="clip", suffixes=("_old", "")).drop(columns="emotion_old")
    folds = folds_of(table, clips)
    rows = scored_rows(table)
    said = pd.Series("", index=rows.index)
    for fold, part in rows.groupby("fold"):
        training = clips[(folds[f"fold_{fold}"] == "train").to_numpy()]
        guess = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(training), 1)), training["emotion"])
        said[part.index] = guess.predict(np.zeros((len(part), 1)))
    assert said.nunique() == 2
    found = majority_baseline(table, clips, folds)
    assert found["accuracy"] == pytest.approx((said == rows["emotion"]).mean(), abs=1e-4)
    assert found["uar"] == pytest.approx(recall_score(rows["emotion"], said, average="macro"), abs=1e-4)
    assert found["emotion"] == said.mode()[0]


def test_the_protocol_says_what_was_tested():
    table, clips = predictions(2)
    found = describe_protocol(table, clips, speakers_of(scored_rows(table), clips), scheme="kfold", **SETTINGS)
    assert found["clips"] == 240
    assert found["untested_clips"] == len(clips) - 240
    assert (found["folds"], found["speakers"], found["emotions"]) == (4, 12, EMOTIONS)
    assert (found["corpora"], found["chance"]) == (["one", "two"], 0.25)
    assert found["intervals"].startswith("90 % intervals")
    assert (found["normalisation"], found["normalisation_warning"]) == ("train", "")


def test_the_protocol_counts_the_clips_that_no_fold_tests():
    table, clips = predictions(2)
    untested = clips.assign(clip="again " + clips["clip"])
    clips = pd.concat([clips, untested.head(30)], ignore_index=True)
    found = describe_protocol(table, clips, speakers_of(scored_rows(table), clips), scheme="predefined", **SETTINGS)
    assert (found["clips"], found["untested_clips"]) == (240, 30)


@pytest.mark.parametrize(("alone", "warned"), [(6, False), (7, True), (12, True)])
def test_normalising_speakers_of_one_emotion_is_warned_of(alone, warned):
    """Of the 12 speakers, all with as many clips, some show one emotion only."""
    table, clips = predictions(2)
    clips.loc[clips["speaker"] < f"s{alone:02d}", "emotion"] = "joy"
    speakers = speakers_of(scored_rows(table), clips)
    settings = {"scheme": "kfold", "confidence": 0.95}
    found = describe_protocol(table, clips, speakers, normalization="speaker", **settings)
    assert found["normalisation"] == "speaker"
    expected = f"{20 * alone} of 240 clips are of speakers who show one emotion only" if warned else ""
    assert found["normalisation_warning"].endswith(expected)
    assert bool(found["normalisation_warning"]) == warned
    assert describe_protocol(table, clips, speakers, normalization="train", **settings)["normalisation_warning"] == ""


@pytest.mark.parametrize(("speaker", "reason"), [("", "unknown"), ("s00", "1 speaker is too few, at least 5")])
def test_it_says_why_there_are_no_intervals(speaker, reason):
    table, clips = predictions(2)
    clips["speaker"] = speaker
    found = describe_protocol(table, clips, speakers_of(scored_rows(table), clips), scheme="random", **SETTINGS)
    assert found["intervals"].startswith("no intervals: ")
    assert reason in found["intervals"]
