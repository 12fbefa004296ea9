"""Files: a reader meets the old file or the new one, never half a file."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from ser.storage.csv_tables import write_csv
from ser.storage.whole_files import temporary_name, write_json, written


def test_file_appears_under_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    with written(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == tmp_path  # the same file system: renaming is one step
    assert path.read_text() == "half"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="full"), written(path) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("full")
    assert path.read_text() == "old"


def test_failed_first_write_leaves_no_file_of_the_name(tmp_path):
    with pytest.raises(RuntimeError), written(tmp_path / "a.txt") as temporary:
        temporary.write_text("ne")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_renamed_is_not_left_behind(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OSError), written(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_run_left_behind_is_written_over(tmp_path):
    temporary_name(tmp_path / "a.txt").write_text("what was left behind")
    with written(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_missing_folders_are_made(tmp_path):
    write_json({}, tmp_path / "a" / "b" / "c.json")
    assert (tmp_path / "a" / "b" / "c.json").is_file()


def test_table_is_written_without_index_and_with_six_digits(tmp_path):
    table = pd.DataFrame({"clip": ["a", "ü"], "p": [1 / 3, 1e-9]}, index=[5, 7])
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == "clip,p\na,0.333333\nü,1e-09\n".encode()


def test_failed_table_leaves_the_old_one(tmp_path):
    class Unprintable:
        def __str__(self):
            raise RuntimeError("unprintable")

    write_csv(pd.DataFrame({"a": [1]}), tmp_path / "t.csv")
    with pytest.raises(RuntimeError, match="unprintable"):
        write_csv(pd.DataFrame({"a": [2, Unprintable()]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "a\n1\n"


def test_json_is_readable_and_keeps_other_alphabets(tmp_path):
    content = {"b": [1, 2.5, None], "a": {"name": "Jörg 北京"}}
    write_json(content, tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == content
    assert "Jörg 北京" in text
    assert text.endswith("}\n")
    assert text.index('"b"') < text.index('"a"')


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan")])
def test_json_refuses_what_it_has_no_number_for_and_leaves_the_old_file(tmp_path, value):
    write_json({"uar": 0.5}, tmp_path / "a.json")
    with pytest.raises(ValueError, match="JSON"):
        write_json({"uar": value}, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == {"uar": 0.5}
