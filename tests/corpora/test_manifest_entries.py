"""Corpora that are tables, from their rows to clips and to what is of no use."""

from pathlib import Path, PurePosixPath

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.annotations import manifests
from ser.annotations.records import FIELDS
from ser.corpora.corpus_entries import read_corpus
from ser.corpora.table_entries import place_of
from ser.errors import InputError
from ser.storage.delimited_tables import BrokenTableError

COLUMNS = dict(zip(FIELDS, FIELDS, strict=True))


def read_manifest(path, columns):
    try:
        with path.open("rb") as file:
            return manifests.read_manifest(file, path.name, columns)[0]
    except BrokenTableError as error:
        raise InputError(str(error)) from None


def manifest(folder, text, name="mine.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def reasons(rows):
    return [row.reason for row in rows]


def test_all_columns_become_labels(tmp_path):
    text = (
        "path,emotion,speaker,sex,language,statement,intensity,fold\n"
        "a/1.wav,Happy,anna,F,de,s1,high,03\n"
        "a/2.wav,sadness,ben,man,,,,\n"
    )
    clips, unusable = read_corpus("mine", manifest(tmp_path, text).parent)
    assert unusable.empty
    first, second = clips.to_dict("records")
    expected = {"clip": "mine/1", "corpus": "mine", "speaker": "mine:anna", "sex": "female", "age": "", "ethnicity": ""}
    expected |= {"emotion": "happiness", "intensity": "high", "statement": "s1", "language": "de", "fold": "3"}
    assert first == expected | {"source": "a/1.wav"}
    assert second["sex"] == "male"
    assert (second["speaker"], second["language"], second["fold"]) == ("mine:ben", "", "")


def test_numbers_of_columns_with_gaps_and_missing_values(tmp_path):
    table = pd.DataFrame(
        {"path": ["a.wav", "b.wav"], "emotion": ["anger"] * 2, "speaker": [1.0, None], "fold": [0, None]}
    )
    table.to_parquet(tmp_path / "p.parquet")
    table.to_csv(tmp_path / "c.csv", index=False, na_rep="NaN")
    for name in ("p", "c"):
        clips, unusable = read_corpus(name, tmp_path)
        assert unusable.empty
        assert list(clips["speaker"]) == [f"{name}:1", ""]
        assert list(clips["fold"]) == ["0", ""]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", "path,emotion\nä.wav,anger".encode("latin-1"), "x.csv, line 2: the byte 0xe4 is not UTF-8"),
        ("x.csv", b"", "x.csv is empty"),
        ("x.csv", b'path,emotion\n"a.wav,anger\nb.wav,anger\n', "x.csv, line 2: a quotation mark opens a value"),
        ("x.parquet", b"PAR1 or not", "is no Parquet table"),
        ("x.parquet", b"", "is no Parquet table"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_manifest(tmp_path / name, COLUMNS)


def test_rows_with_too_many_values_and_no_path(tmp_path):
    text = 'path,emotion\na, b.wav,anger\n,anger\n"c.wav\n",fear\n'
    first, second, third = reasons(read_manifest(manifest(tmp_path, text), COLUMNS))
    assert first == "row 2: 3 values for 2 columns: put quotation marks around a value with a comma"
    assert second == "row 3: no path"
    assert third == ""  # a line break around a path is no part of it
    _, unusable = read_corpus("mine", tmp_path)
    assert sorted(unusable["source"]) == ["a", "mine.csv"]
    assert not unusable["readable"].any()


def test_missing_files_are_left_for_the_audio_to_say(tmp_path):
    clips, unusable = read_corpus("mine", manifest(tmp_path, "path,emotion\nabsent.wav,anger\n").parent)
    assert len(clips) == 1 and unusable.empty


def test_any_word_is_a_label_and_a_row_without_one_says_so(tmp_path):
    rows = "path,emotion\na.wav,frustrated\nb.wav,\nc.wav,neşeli\nd.wav,7\ne.wav,NEŞELİ\nf.wav,-\ng.wav,NA\n"
    clips, unusable = read_corpus("mine", manifest(tmp_path, rows).parent)
    assert list(clips["emotion"]) == ["frustrated", "neşeli", "7", "neşeli", "NA"]
    assert list(unusable["source"]) == ["b.wav", "f.wav"]
    assert list(unusable["reason"]) == ["row 3: no emotion", "the label '-' holds no letter, digit or sign"]


@pytest.mark.parametrize(
    ("path", "inside", "source"),
    [
        ("a/1.wav", "a/1.wav", "a/1.wav"),
        ("./a//1.wav", "a/1.wav", "a/1.wav"),
        ("a\\1.wav", "a/1.wav", "a/1.wav"),
        ("../b/1.wav", "b/1.wav", "../b/1.wav"),
        ("/data/b/1.wav", "data/b/1.wav", "/data/b/1.wav"),
        ("/raw/b/1.wav", "b/1.wav", "b/1.wav"),
    ],
)
def test_paths(path, inside, source):
    assert place_of(path, Path("/raw")) == (PurePosixPath(inside), source)


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=6), st.text(alphabet=',"\n\r\t;', max_size=10))
def test_any_text_is_rows_with_reasons_or_one_line(tmp_path_factory, table, noise):
    lines = ["path,emotion,speaker", *(",".join(row) for row in table), noise]
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    try:
        rows = read_manifest(path, COLUMNS)
        clips, unusable = read_corpus("any", path.parent) if rows else (rows, rows)
    except InputError:
        return
    assert len(rows) == len(clips) + len(unusable)


# --- people that several tables share


def test_a_global_speaker_is_who_speaks_and_the_corpus_is_no_part_of_the_name(tmp_path):
    text = "path,emotion,speaker,global_speaker\na.wav,anger,1,P7\nb.wav,anger,2,\nc.wav,anger,,P7\n"
    clips, _ = read_corpus("mine", manifest(tmp_path, text).parent)
    assert clips["speaker"].tolist() == ["P7", "mine:2", "P7"]
