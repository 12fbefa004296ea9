"""Data sets that the package `datasets` writes, as Parquet and by save_to_disk, and tables as others write them."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Audio, ClassLabel, Dataset, DatasetDict, Features, Value

from listed_files import files_below, files_in_memory, refused, said
from ser.annotations import hub_tables
from ser.storage.audio_tables import AudioTable, table_and_row
from ser.storage.delimited_tables import BrokenTableError

NAMES = ["neşeli", "ang", "愤怒"]
# without torchcodec `datasets` 5.2 encodes no audio, not even bytes, but keeps what is given as a table of Arrow
FEATURES = Features({"audio": Audio(), "label": ClassLabel(names=NAMES), "speaker_id": Value("string")})
SOUND = {"bytes": pa.binary(), "path": pa.string()}
STRUCT = pa.struct(list(SOUND.items()))


def rows(count: int = 5, start: int = 0) -> dict[str, list]:
    numbers = range(start, start + count)
    return {
        "audio": [{"bytes": b"RIFF%d" % number, "path": f"a{number}.wav"} for number in numbers],
        "label": [None if number == 4 else number % 3 for number in numbers],
        "speaker_id": [("NA", "007", "1e5")[number % 3] for number in numbers],
    }


def dataset(count: int = 5, start: int = 0) -> Dataset:
    return Dataset(pa.table(rows(count, start), schema=FEATURES.arrow_schema))


def parquet(table: dict, schema: pa.Schema | None = None, **options) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(table, schema=schema), written, **options)
    return written.getvalue()


def sounds(count: int = 3) -> pa.Array:
    return pa.array([{"bytes": b"x%d" % number, "path": f"{number}.wav"} for number in range(count)], STRUCT)


def test_parquet_shards(tmp_path):
    (tmp_path / "data").mkdir()
    dataset(3).to_parquet(tmp_path / "data/train-00000-of-00002.parquet")
    dataset(2, start=3).to_parquet(tmp_path / "data/train-00001-of-00002.parquet")
    dataset(1, start=5).to_parquet(tmp_path / "data/test-00000-of-00001.parquet")
    files = files_below(tmp_path)
    assert hub_tables.claims(files.names)
    reading = hub_tables.read_records(files)
    first = "data/train-00000-of-00002.parquet"
    assert said(reading) == [
        {"path": "data/test-00000-of-00001.parquet/0/a5.wav", "emotion": "愤怒", "speaker": "1e5", "fold": "0"},
        {"path": f"{first}/0/a0.wav", "emotion": "neşeli", "speaker": "NA"},
        {"path": f"{first}/1/a1.wav", "emotion": "ang", "speaker": "007"},
        {"path": f"{first}/2/a2.wav", "emotion": "愤怒", "speaker": "1e5"},
        {"path": "data/train-00001-of-00002.parquet/0/a3.wav", "emotion": "neşeli", "speaker": "NA"},
        {"path": "data/train-00001-of-00002.parquet/1/a4.wav", "speaker": "007"},
    ]
    assert (reading.notes, reading.labelled) == ((), True)
    for record in reading.records:
        name, row = table_and_row(record.values["path"])
        with files.open(name) as file:
            assert AudioTable(file, name).read(row) == b"RIFF" + record.values["path"][-5:-4].encode()


@pytest.mark.parametrize("shards", [1, 3])
def test_save_to_disk(tmp_path, shards):
    saved = DatasetDict({"train": dataset(), "test": dataset(2, start=5)})
    saved.save_to_disk(tmp_path / "saved", num_shards={"train": shards, "test": 1})
    files = files_below(tmp_path)
    reading = hub_tables.read_records(files)
    found = [(values.get("fold"), values.get("emotion"), values["speaker"]) for values in said(reading)]
    test = [("0", "愤怒", "1e5"), ("0", "neşeli", "NA")]
    train = [(None, NAMES[n % 3] if n < 4 else None, ("NA", "007", "1e5")[n % 3]) for n in range(5)]
    assert found == test + train
    for number, record in enumerate(reading.records):
        name, row = table_and_row(record.values["path"])
        with files.open(name) as file:
            assert AudioTable(file, name).read(row) == b"RIFF%d" % (number - 2 if number > 1 else number + 5)


def test_a_shard_that_is_missing(tmp_path):
    dataset().save_to_disk(tmp_path / "saved", num_shards=2)
    (tmp_path / "saved/data-00001-of-00002.arrow").unlink()
    with pytest.raises(BrokenTableError, match="state.json names saved/data-00001-of-00002.arrow, which is not there"):
        hub_tables.read_records(files_below(tmp_path))
    dataset().to_parquet(tmp_path / "train-00000-of-00004.parquet")
    (tmp_path / "saved/data-00000-of-00002.arrow").unlink()
    reading = hub_tables.read_records(files_below(tmp_path))
    assert reading.notes == ("1 of the 4 parts of train are there",)


def test_names_of_classes_from_descriptions():
    table = {"audio": sounds(), "label": [2, 0, -1]}
    readme = """---
license: mit
dataset_info:
  - config_name: default
    features:
    - name: audio
      dtype: audio
    - name: label
      dtype:
        class_label:
          names:
            '0': no
            '1': 'off'
            '2': "007"
---
# A data set
"""
    infos = {"default": {"features": {"label": {"names": ["no", "off", "007"], "_type": "ClassLabel"}}}}
    for name, content in (("README.md", readme), ("dataset_infos.json", json.dumps(infos))):
        files = files_in_memory({"top/data/train.parquet": parquet(table), f"top/{name}": content})
        found = said(hub_tables.read_records(files))
        assert [values.get("emotion") for values in found] == ["007", "no", None], name
    other = json.dumps({"default": {"features": {"label": {"names": ["a", "b", "c"], "_type": "ClassLabel"}}}})
    both = {"data/train.parquet": parquet(table), "README.md": readme, "dataset_infos.json": other}
    with pytest.raises(BrokenTableError, match="name the classes of label in two ways"):
        hub_tables.read_records(files_in_memory(both))
    unnamed = hub_tables.read_records(files_in_memory({"t.parquet": parquet(table), "README.md": "---\n[: \n---\n"}))
    assert [values.get("emotion") for values in said(unnamed)] == ["2", "0", "-1"]
    assert unnamed.notes == ("t.parquet does not say what the numbers in label stand for: they are the labels",)


def test_a_class_without_a_name():
    noted = {"info": {"features": {"label": {"names": ["a", "b"], "_type": "ClassLabel"}}}}
    schema = pa.schema([("audio", STRUCT), ("label", pa.int64())], {"huggingface": json.dumps(noted)})
    table = parquet({"audio": sounds(), "label": [1, 2, 0]}, schema)
    reading = hub_tables.read_records(files_in_memory({"t.parquet": table}))
    assert refused(reading) == [("t.parquet, row 1", "the class 2, and the data set names 2, from 0: a, b")]


def test_text_beside_numbers_is_the_label_and_a_list_of_one():
    table = {"audio": sounds(), "label": [0, 1, 2], "emotion": [["a"], ["b", "c"], []]}
    reading = hub_tables.read_records(files_in_memory({"t.parquet": parquet(table)}))
    assert [record.values["emotion"] for record in reading.records] == ["a", "b", ""]
    assert refused(reading) == [("t.parquet, row 1", "2 labels; one is read")]
    table = {"audio": sounds(), "label": [0, 1, 2], "emotion_name": ["x", "y", "z"]}
    reading = hub_tables.read_records(files_in_memory({"t.parquet": parquet(table)}))
    assert [record.values["emotion"] for record in reading.records] == ["x", "y", "z"]


def test_columns_by_the_user_and_other_ones():
    table = {
        "audio": sounds(2).slice(0, 2),
        "quelle": ["Ä", "NA"],
        "Gender": ["f", None],
        "Speaker ID": [7, 8],
        "age": [31.0, None],
        "split": ["test", "train"],
        "start": [3.0, 4.0],
    }
    files = files_in_memory({"top-1.0/t.parquet": parquet(table)})
    reading = hub_tables.read_records(files, {"emotion": "quelle", "speaker": "speaker"})
    path = "top-1.0/t.parquet/0/0.wav"
    assert said(reading)[0] == {
        **{"path": path, "emotion": "Ä", "sex": "f", "speaker": "7", "age": "31", "fold": "0"},
    }
    assert said(reading)[1] == {"path": "top-1.0/t.parquet/1/1.wav", "emotion": "NA", "speaker": "8"}
    assert reading.notes == ("start not used: each row holds its own file",)
    unlabelled = hub_tables.read_records(files)
    assert not unlabelled.labelled and "no column of the tables states an emotion" in unlabelled.notes


def test_several_columns_of_classes():
    kinds = {name: {"names": ["a", "b"], "_type": "ClassLabel"} for name in ("style", "mood_of_day")}
    schema = pa.schema([("audio", STRUCT), ("style", pa.int64()), ("mood_of_day", pa.int64())])
    schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": kinds}})})
    content = parquet({"audio": sounds(1), "style": [0], "mood_of_day": [1]}, schema)
    with pytest.raises(BrokenTableError, match=r"several columns of classes \(style, mood_of_day\).*prepare.manifest"):
        hub_tables.read_records(files_in_memory({"t.parquet": content}))
    reading = hub_tables.read_records(files_in_memory({"t.parquet": content}), {"emotion": "mood_of_day"})
    assert said(reading) == [{"path": "t.parquet/0/0.wav", "emotion": "b"}]


def test_paths_without_bytes_lead_to_files_beside():
    paths = ["wav/a.wav", "/home/ann/.cache/x/b.wav", "/elsewhere/none.wav", None]
    audio = pa.array([{"bytes": None, "path": path} for path in paths], STRUCT)
    contents = {"d/t.parquet": parquet({"audio": audio, "emotion": list("wxyz")}), "d/wav/a.wav": "", "d/wav/b.wav": ""}
    reading = hub_tables.read_records(files_in_memory(contents))
    assert [values["path"] for values in said(reading)] == ["d/wav/a.wav", "d/wav/b.wav"]
    assert refused(reading) == [
        ("d/t.parquet, row 2", "the table holds its path only, and the corpus no such file"),
        ("d/t.parquet, row 3", "neither a file nor a path of one"),
    ]


def test_names_that_lead_elsewhere_stay_names():
    audio = pa.array([{"bytes": b"x", "path": p} for p in ("../../a.wav", "..", "", "c:\\d\\e\n.wav", None)], STRUCT)
    reading = hub_tables.read_records(files_in_memory({"t.parquet": parquet({"audio": audio, "label": list("abcde")})}))
    paths = [record.values["path"] for record in reading.records]
    assert paths == ["t.parquet/0/a.wav", "t.parquet/1", "t.parquet/2", "t.parquet/3/e.wav", "t.parquet/4"]
    assert [table_and_row(path) for path in paths] == [("t.parquet", number) for number in range(5)]


def test_tables_of_other_kinds_are_left_to_others():
    plain = parquet({"path": ["a.wav"], "emotion": ["x"]})
    assert not hub_tables.read_records(files_in_memory({"labels.parquet": plain})).records
    both = {"labels.parquet": plain, "t.parquet": parquet({"audio": sounds(1), "label": ["x"]})}
    reading = hub_tables.read_records(files_in_memory(both))
    assert len(reading.records) == 1 and reading.notes == ("without audio, and not read: labels.parquet",)
    assert not hub_tables.claims(["a.wav", "metadata.parquet", "cache-123.arrow"])


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"<html>", b"PAR1" + bytes(50) + b"PAR1", b"\xff" * 64])
def test_no_table(name, content):
    with pytest.raises(BrokenTableError, match=rf"^{name} cannot be read"):
        hub_tables.read_records(files_in_memory({name: content}))


def test_samples_as_numbers_and_two_columns_of_audio():
    decoded = pa.array([{"array": [0.0, 1.0], "sampling_rate": 8000, "path": "a"}])
    with pytest.raises(BrokenTableError, match="samples as lists of numbers in the column audio"):
        hub_tables.read_records(files_in_memory({"t.parquet": parquet({"audio": decoded, "label": ["x"]})}))
    two = {"clean": sounds(1), "noisy": sounds(1), "label": ["x"]}
    with pytest.raises(BrokenTableError, match="audio in the columns clean, noisy: keep one"):
        hub_tables.read_records(files_in_memory({"t.parquet": parquet(two)}))


def test_bytes_alone_are_files_too():
    table = {"audio": pa.array([b"x", b"y"]), "label": ["a", "b"], "id": [1, 2]}
    reading = hub_tables.read_records(files_in_memory({"t.parquet": parquet(table)}))
    assert [values["path"] for values in said(reading)] == ["t.parquet/0", "t.parquet/1"]
