"""Reading, writing and checking prediction tables."""

import pandas as pd
import pytest

from ser.errors import InputError
from ser.storage.prediction_tables import (
    FUSE,
    TRAINERS,
    check_table,
    emotions_of,
    probabilities_of,
    read_predictions,
    scored_rows,
    write_predictions,
)


def table() -> pd.DataFrame:
    """Return a correct table of two folds, in each of which the other fold's clip is a validation clip."""
    return pd.DataFrame(
        {
            "clip": ["c/a", "c/b", "c/b", "c/a"],
            "fold": [0, 0, 1, 1],
            "part": ["test", "validation", "test", "validation"],
            "emotion": ["anger", "fear", "fear", "anger"],
            "p_anger": [0.9, 0.2, 0.3, 0.6],
            "p_fear": [0.1, 0.8, 0.7, 0.4],
        }
    )


def test_written_tables_are_read_by_model(tmp_path):
    write_predictions(table(), tmp_path / "train_ml" / "svm.csv")
    write_predictions(table(), tmp_path / "train_lstm" / "lstm.csv")
    write_predictions(table(), tmp_path / "fuse" / "ensemble.csv")
    write_predictions(table(), tmp_path / "train_stray" / "stray.csv")
    tables = read_predictions(tmp_path, [*TRAINERS, FUSE])
    assert list(tables) == ["ensemble", "lstm", "svm"]
    pd.testing.assert_frame_equal(tables["svm"], table())
    assert list(read_predictions(tmp_path)) == ["lstm", "svm"]


def test_parts_of_a_table():
    assert emotions_of(table()) == ["anger", "fear"]
    assert probabilities_of(table()).shape == (4, 2)
    assert scored_rows(table())["clip"].tolist() == ["c/a", "c/b"]


def test_no_predictions_say_what_to_do(tmp_path):
    with pytest.raises(InputError, match="no predictions in .*: run `dvc repro`"):
        read_predictions(tmp_path)


BROKEN = {
    "lacks the column fold": lambda t: t.drop(columns="fold"),
    "needs a column p_<emotion>": lambda t: t.drop(columns=["p_anger", "p_fear"]),
    "at least two emotions, sorted": lambda t: t[["clip", "fold", "part", "emotion", "p_fear", "p_anger"]],
    "1 rows with empty cells": lambda t: t.assign(p_fear=t["p_fear"].where(t["fold"] + t.index != 0)),
    "empty cells or text for a number": lambda t: t.assign(p_fear="much"),
    "1 rows with probabilities that do not sum to 1": lambda t: t.assign(p_fear=[0.11, 0.8, 0.7, 0.4]),
    "4 rows with probabilities outside 0 to 1": lambda t: t.assign(p_anger=1.2, p_fear=-0.2),
    "a part other than test and validation": lambda t: t.assign(part="train"),
    "a true emotion that has no probability, such as clip c/a": lambda t: t.assign(emotion="joy"),
    "occurs twice": lambda t: pd.concat([t, t.iloc[:1]]),
    "has no test rows": lambda t: t[t["part"] == "validation"],
}


@pytest.mark.parametrize("message", BROKEN)
def test_a_broken_table_is_named_with_its_remedy(message, tmp_path):
    path = tmp_path / "train_ml" / "svm.csv"
    path.parent.mkdir()
    BROKEN[message](table()).to_csv(path, index=False)
    with pytest.raises(InputError, match=message) as error:
        read_predictions(tmp_path)
    assert str(path) in str(error.value)
    assert "dvc repro --force train_ml" in str(error.value)


def test_an_empty_file_is_an_error(tmp_path):
    path = tmp_path / "train_ml" / "svm.csv"
    path.parent.mkdir()
    path.write_text("")
    with pytest.raises(InputError, match="svm.csv is not a prediction table"):
        read_predictions(tmp_path)


def test_a_broken_table_is_not_written(tmp_path):
    with pytest.raises(InputError):
        write_predictions(table().assign(p_fear=2.0), tmp_path / "train_ml" / "svm.csv")
    assert list(tmp_path.rglob("*.csv")) == []


def test_rounded_probabilities_pass():
    check_table(table().assign(p_anger=[0.9004, 0.2, 0.3, 0.6]), "svm.csv")


DIFFERENT = {
    "2 test rows are only in one of them, such as clip c/b": lambda t: t.assign(fold=[0, 0, 2, 1]),
    "1 clips have another true emotion, such as c/a": lambda t: t.assign(emotion=["fear", "fear", "fear", "anger"]),
    "its emotions are anger, joy instead of anger, fear": lambda t: t.rename(columns={"p_fear": "p_joy"}).replace(
        {"emotion": {"fear": "joy"}}
    ),
}


@pytest.mark.parametrize("message", DIFFERENT)
def test_models_that_do_not_go_together_are_named(message, tmp_path):
    write_predictions(table(), tmp_path / "train_lstm" / "lstm.csv")
    write_predictions(DIFFERENT[message](table()), tmp_path / "train_ml" / "svm.csv")
    with pytest.raises(InputError, match=message) as error:
        read_predictions(tmp_path)
    assert "svm.csv" in str(error.value)
    assert "lstm.csv" in str(error.value)


def test_models_may_differ_in_order_and_in_validation_rows(tmp_path):
    write_predictions(table(), tmp_path / "train_lstm" / "lstm.csv")
    write_predictions(table().iloc[[2, 0]], tmp_path / "train_ml" / "svm.csv")
    assert len(read_predictions(tmp_path)["svm"]) == 2


def test_two_models_of_one_name_are_an_error(tmp_path):
    write_predictions(table(), tmp_path / "train_lstm" / "net.csv")
    write_predictions(table(), tmp_path / "train_cnn" / "net.csv")
    with pytest.raises(InputError, match="two models are named net"):
        read_predictions(tmp_path)
