"""Audiofolders as their users make them: a table of one of three kinds beside files or above them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from listed_files import files_in_memory, refused, said
from ser.annotations import audiofolders
from ser.storage.delimited_tables import BrokenTableError

ROWS = [("a.wav", "neşeli", "NA"), ("sub/b.wav", "愤怒", "007"), ("c.wav", "", "1e5")]
SAID = [
    {"path": "train/a.wav", "emotion": "neşeli", "speaker": "NA"},
    {"path": "train/sub/b.wav", "emotion": "愤怒", "speaker": "007"},
    {"path": "train/c.wav", "speaker": "1e5"},
]


def csv(rows=ROWS, header="file_name,emotion,speaker_id") -> str:
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def jsonl() -> str:
    lines = ['{"file_name": "a.wav", "emotion": "neşeli", "speaker_id": "NA", "box": {"x": [1]}}']
    lines += ['{"file_name": "sub/b.wav", "emotion": ["愤怒"], "speaker_id": "007"}', ""]
    return "\n".join([*lines, '{"file_name": "c.wav", "emotion": null, "speaker_id": 1e5}'])


def parquet() -> bytes:
    columns = zip(("file_name", "emotion", "speaker_id"), zip(*ROWS, strict=True), strict=True)
    table = {name: [value or None for value in values] for name, values in columns}
    written = io.BytesIO()
    pq.write_table(pa.table(table), written)
    return written.getvalue()


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
@pytest.mark.parametrize("top", ["", "corpus-1.0/"])
def test_tables_say_the_same(name, top):
    content = {"metadata.csv": csv, "metadata.jsonl": jsonl, "metadata.parquet": parquet}[name]()
    files = files_in_memory({f"{top}train/{name}": content, f"{top}train/a.wav": "", f"{top}train/d.wav": ""})
    assert audiofolders.claims(files.names)
    reading = audiofolders.read_records(files)
    assert said(reading) == [values | {"path": top + values["path"]} for values in SAID]
    assert reading.labelled and not refused(reading)


@pytest.mark.parametrize("separator, start", [(",", ""), (";", "\ufeff"), ("\t", "")])
def test_tables_of_spreadsheets(separator, start):
    content = start + csv().replace(",", separator).replace("\n", "\r\n")
    assert said(audiofolders.read_records(files_in_memory({"train/metadata.csv": content}))) == SAID


def test_a_table_above_its_parts_and_folds():
    rows = [("train/1.wav", "x", "s"), ("test/1.wav", "y", "t"), ("train\\2.wav", "x", "s")]
    reading = audiofolders.read_records(files_in_memory({"data/metadata.csv": csv(rows)}))
    found = [(values["path"], values.get("fold")) for values in said(reading)]
    assert found == [("data/train/1.wav", None), ("data/test/1.wav", "0"), ("data/train/2.wav", None)]
    lone = audiofolders.read_records(files_in_memory({"test-corpus/metadata.csv": csv()}))
    assert [values.get("fold") for values in said(lone)] == [None] * 3, "nothing is set apart where all is"


def test_a_table_without_an_emotion_leaves_it_to_the_folders():
    header, rows = "file_name,speaker", [("angry/1.wav", "a"), ("sad/1.wav", "b")]
    reading = audiofolders.read_records(files_in_memory({"train/metadata.csv": csv(rows, header)}))
    assert said(reading) == [
        {"path": "train/angry/1.wav", "speaker": "a"},
        {"path": "train/sad/1.wav", "speaker": "b"},
    ]
    assert not reading.labelled
    assert "train/metadata.csv has no column that states an emotion" in reading.notes[0]


def test_classes_by_number():
    readme = "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n"
    readme += "          '0': no\n          '1': ja\n---\n"
    rows = [("a.wav", "1"), ("b.wav", "0"), ("c.wav", "2"), ("d.wav", "-1")]
    content = csv(rows, "file_name,label")
    reading = audiofolders.read_records(files_in_memory({"train/metadata.csv": content, "README.md": readme}))
    assert [record.values["emotion"] for record in reading.records] == ["ja", "no", "2", ""]
    assert refused(reading) == [("train/metadata.csv, line 4", "the class 2, and the data set names 2, from 0: no, ja")]


def test_pieces_of_files_in_place():
    rows = [("call.wav", "x", "0", "12.50"), ("call.wav", "y", "12.5", ""), ("call.wav", "z", "4", "3")]
    rows += [("call.wav", "z", "four", "5")]
    reading = audiofolders.read_records(files_in_memory({"metadata.csv": csv(rows, "file_name,label,start,end")}))
    assert [(v["start"], v.get("end")) for v in said(reading)] == [("0", "12.5"), ("12.5", None)]
    assert [reason for _, reason in refused(reading)] == [
        "it ends at 3 s, which is not after its start at 4 s",
        "'four' is no number of seconds",
    ]


def test_rows_that_cannot_be_used_have_a_reason():
    rows = [("../../etc/a.wav", "x", "s"), ("", "x", "s"), ("a.wav", "x", "s", "more"), ("/home/ann/b.wav", "x", "s")]
    rows += [("/home/ann/d/c.wav", "x", "s")]
    files = files_in_memory({"train/metadata.csv": csv(rows), "train/d/c.wav": "", "train/1/b.wav": "", "2/b.wav": ""})
    reading = audiofolders.read_records(files)
    assert [values["path"] for values in said(reading)] == ["train/d/c.wav"]
    where, reasons = zip(*refused(reading), strict=True)
    assert where == tuple(f"train/metadata.csv, line {line}" for line in (2, 3, 4, 5))
    assert reasons[0] == "../../etc/a.wav leads out of the corpus"
    assert reasons[1] == "nothing in file_name"
    assert "4 values for 3 columns" in reasons[2]
    assert reasons[3] == "no file of the corpus fits this path alone"
    broken = audiofolders.read_records(files_in_memory({"metadata.jsonl": '{"file_name": "a.wav"}\n{"file_\n[1]\n'}))
    assert [where for where, _ in refused(broken)] == ["metadata.jsonl, line 2", "metadata.jsonl, line 3"]


def test_other_tables_of_this_name_are_left_to_others():
    files = files_in_memory({"metadata.csv": b""})
    assert not audiofolders.read_records(files).records
    for content in ("LJ001-0001|in being|in being\nLJ001-0002|of|of\n", "path,emotion\na.wav,x\n"):
        assert not audiofolders.read_records(files_in_memory({"metadata.csv": content})).records
    assert not audiofolders.claims(["train/angry/1.wav", "my-metadata.csv"])


def test_two_tables_or_two_columns_of_files():
    with pytest.raises(BrokenTableError, match=r"^t holds t/metadata.csv and t/metadata.jsonl: keep one of them"):
        audiofolders.read_records(files_in_memory({"t/metadata.csv": csv(), "t/metadata.jsonl": jsonl()}))
    content = csv([("a.wav", "b.wav", "x")], "input_file_name,output_file_name,label")
    with pytest.raises(BrokenTableError, match="input_file_name and output_file_name: say in prepare.manifest.path"):
        audiofolders.read_records(files_in_memory({"metadata.csv": content}))
    reading = audiofolders.read_records(files_in_memory({"metadata.csv": content}), {"path": "output_file_name"})
    assert said(reading) == [{"path": "b.wav", "emotion": "x"}]


@pytest.mark.parametrize("content", [b"file_name\n", b"\xff\xfefile_name", b"\xfffile_name,\nPK\x03\x04" + bytes(20)])
def test_no_table(content):
    with pytest.raises(BrokenTableError, match=r"^metadata\.\w+"):
        audiofolders.read_records(files_in_memory({"metadata.csv": content}))
    with pytest.raises(BrokenTableError, match=r"^metadata\.\w+"):
        audiofolders.read_records(files_in_memory({"metadata.parquet": content}))


def test_deep_json_is_no_trap():
    files = files_in_memory({"metadata.jsonl": '{"file_name": "a.wav", "x": ' + "[" * 100_000 + "\n"})
    assert not said(audiofolders.read_records(files))
