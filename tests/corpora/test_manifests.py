"""Manifests: a row a clip, whatever the columns are called; what a row gets wrong is said with its number."""

from contextlib import suppress
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.corpora.corpus_entries import read_corpus
from ser.corpora.labels import UnusableNameError
from ser.corpora.manifests import FIELDS, labels_of, place_of, read_manifest
from ser.errors import InputError

COLUMNS = dict(zip(FIELDS, FIELDS, strict=True))


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


def test_columns_can_be_called_otherwise(tmp_path):
    path = manifest(tmp_path, "Datei,Gefühl,x\nä b.wav,anger,1\n")
    with pytest.raises(
        InputError, match="has no column path and no emotion, only Datei, Gefühl, x: say in prepare.manifest"
    ):
        read_manifest(path, COLUMNS)
    (row,) = read_manifest(path, COLUMNS | {"path": "Datei", "emotion": "Gefühl"})
    assert (row.values["path"], row.values["emotion"], row.values["speaker"], row.reason) == (
        "ä b.wav",
        "anger",
        "",
        "",
    )


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_the_kind_of_table_does_not_matter(tmp_path, suffix):
    table = pd.DataFrame({"path": ['a, "b".wav', "ü.wav"], "emotion": ["anger", "fear"], "fold": [1, None]})
    table["fold"] = table["fold"].astype("Int64")
    path = tmp_path / f"mine.{suffix}"
    if suffix == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    rows = read_manifest(path, COLUMNS)
    assert reasons(rows) == ["", ""]
    assert [row.values["path"] for row in rows] == ['a, "b".wav', "ü.wav"]
    assert [row.values["fold"] for row in rows] == ["1", ""]


def test_a_spreadsheet_where_the_comma_is_a_decimal_point(tmp_path):
    path = manifest(tmp_path, 'path;emotion;note\n"a;b.wav";anger;1,5\nc, d.wav;fear;\n')
    rows = read_manifest(path, COLUMNS)
    assert [(row.values["path"], row.reason) for row in rows] == [("a;b.wav", ""), ("c, d.wav", "")]


def test_numbers_of_columns_with_gaps_and_missing_values(tmp_path):
    table = pd.DataFrame(
        {"path": ["a.wav", "b.wav"], "emotion": ["anger"] * 2, "speaker": [1.0, None], "fold": [0, None]}
    )
    table.to_parquet(tmp_path / "p.parquet")
    table.to_csv(tmp_path / "c.csv", index=False, na_rep="N/A")
    for name in ("p", "c"):
        clips, unusable = read_corpus(name, tmp_path)
        assert unusable.empty
        assert list(clips["speaker"]) == [f"{name}:1", ""]
        assert list(clips["fold"]) == ["0", ""]


def test_one_path_in_two_spellings_is_one_path(tmp_path):
    rows = read_manifest(manifest(tmp_path, "path,emotion\na/x.wav,anger\na\\x.wav,sad\n"), COLUMNS)
    assert all("the same path and other labels" in reason for reason in reasons(rows))


@pytest.mark.parametrize("seed", range(40))
def test_a_mutated_parquet_table_is_rows_or_one_line(tmp_path, seed):
    table = pd.DataFrame(
        {"path": [f"{n}.wav" for n in range(50)], "emotion": ["anger", "fear"] * 25, "fold": [0, 1] * 25}
    )
    table.to_parquet(tmp_path / "x.parquet")
    rng = np.random.default_rng(seed)
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    for place in rng.integers(0, len(content), 5):
        content[place] = rng.integers(256)
    (tmp_path / "x.parquet").write_bytes(content)
    with suppress(InputError):
        assert len(read_manifest(tmp_path / "x.parquet", COLUMNS)) <= 50


def test_a_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes("\ufeffpath,emotion\r\na.wav,anger\r\n\r\n".encode())
    assert [row.values["path"] for row in read_manifest(path, COLUMNS)] == ["a.wav"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", "path,emotion\nä.wav,anger".encode("latin-1"), "is not UTF-8"),
        ("x.csv", b"", "has no column path"),
        ("x.csv", b"path,emotion\n" + b"a" * 200_000, "is no table"),
        ("x.parquet", b"PAR1 or not", "is no Parquet table"),
        ("x.parquet", b"", "is no Parquet table"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_manifest(tmp_path / name, COLUMNS)


def test_rows_that_repeat_or_contradict_each_other(tmp_path):
    text = "path,emotion\n" + "\n".join(["a.wav,anger", "b.wav,fear", "./a.wav,anger", "c.wav,fear", "b.wav,anger"])
    assert reasons(read_manifest(manifest(tmp_path, text), COLUMNS)) == [
        "",
        "row 6 has the same path and other labels",
        "row 4: row 2 says the same",
        "",
        "row 6: row 3 has the same path and other labels",
    ]


def test_rows_with_too_many_values_open_quotes_and_no_path(tmp_path):
    text = 'path,emotion\na, b.wav,anger\n,anger\n"c.wav,fear\nd.wav,fear\n'
    first, second, third = reasons(read_manifest(manifest(tmp_path, text), COLUMNS))
    assert first == "row 2: 3 values for 2 columns: put quotation marks around a value with a comma"
    assert second == "row 3: no path"
    assert third.startswith("row 4: ")
    _, unusable = read_corpus("mine", tmp_path)
    assert sorted(unusable["source"]) == ["a", "c.wav,fear\\nd.wav,fear", "mine.csv"]
    assert not unusable["readable"].any()


def test_missing_files_are_left_for_the_audio_to_say(tmp_path):
    clips, unusable = read_corpus("mine", manifest(tmp_path, "path,emotion\nabsent.wav,anger\n").parent)
    assert len(clips) == 1 and unusable.empty


@pytest.mark.parametrize("emotion", ["", "frustrated", "anger2"])
def test_an_emotion_outside_the_vocabulary(tmp_path, emotion):
    _, unusable = read_corpus("mine", manifest(tmp_path, f"path,emotion\na.wav,{emotion}\nb.wav,anger\n").parent)
    (reason,) = unusable["reason"]
    assert "anger, boredom, calm" in reason
    assert unusable["readable"].all()


def test_a_fold_that_is_no_number():
    values = dict.fromkeys(FIELDS, "") | {"path": "a.wav", "emotion": "anger", "fold": "-1"}
    with pytest.raises(UnusableNameError, match="fold '-1' is no number"):
        labels_of(values)


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


def test_a_global_speaker_of_some_clips_of_a_speaker_is_refused(tmp_path):
    path = manifest(tmp_path, "path,emotion,speaker,who\na.wav,anger,1,P7\nb.wav,anger,1,\n")
    with pytest.raises(InputError, match=r"mine\.csv: who is stated in some rows of the speaker 1 and not in others"):
        read_manifest(path, COLUMNS | {"global_speaker": "who"})
