"""Databases that the package `audformat` writes, and headers and tables as others write them."""

import audformat
import pandas as pd
import pytest

from listed_files import files_below, files_in_memory, refused, said
from ser.annotations import audformat_databases
from ser.annotations.audformat_tables import duration_text
from ser.storage.delimited_tables import BrokenTableError

EMODB = ["wav/03a01Fa.wav", "wav/08a01Wb.wav", "wav/03a02Nc.wav"]
KINDS = ["csv", "parquet"]


def column(table, name, values, **about):
    table[name] = audformat.Column(**about)
    table[name].set(values)


def emodb() -> audformat.Database:
    """Return a database as EMO-DB is published: the emotion, the speakers of files, and two gold standards."""
    db = audformat.Database("emodb", languages=["deu"])
    db.schemes["emotion"] = audformat.Scheme(labels=["anger", "neşe", "neutral"])
    db.schemes["confidence"] = audformat.Scheme("float", minimum=0, maximum=1)
    people = {3: {"gender": "male", "age": 31, "language": "deu"}, 8: {"gender": "female", "age": 34}}
    db.schemes["speaker"] = audformat.Scheme(labels=people)
    db.schemes["transcription"] = audformat.Scheme(labels={"a01": "Der Lappen liegt.", "a02": "Das will sie."})
    db.raters["gold"] = audformat.Rater("vote")
    db.splits["train"], db.splits["test"] = audformat.Split("train"), audformat.Split("test")
    labels = ["neşe", "anger", "neutral"]
    files = db["files"] = audformat.Table(audformat.filewise_index(EMODB))
    column(files, "speaker", [3, 8, 3], scheme_id="speaker")
    column(files, "transcription", ["a01", "a01", "a02"], scheme_id="transcription")
    for name, part in (
        ("emotion", None),
        ("emotion.train.gold_standard", "train"),
        ("emotion.test.gold_standard", "test"),
    ):
        chosen = {"train": slice(0, 2), "test": slice(2, 3), None: slice(None)}[part]
        table = db[name] = audformat.Table(audformat.filewise_index(EMODB[chosen]), split_id=part)
        column(table, "emotion", labels[chosen], scheme_id="emotion", rater_id="gold")
        column(table, "emotion.confidence", [0.9, 1.0, 0.8][chosen], scheme_id="confidence", rater_id="gold")
    return db


def segmented() -> audformat.Database:
    db = audformat.Database("calls", languages=["eng", "deu"])
    db.schemes["emotion"] = audformat.Scheme(labels=["a", "b"])
    db["speaker"] = audformat.MiscTable(pd.Index(["NA", "007"], name="speaker", dtype="string"))
    column(db["speaker"], "gender", ["female", None])
    db.schemes["speaker"] = audformat.Scheme("str", labels="speaker")
    starts, ends = ["0s", "1.5s", "2.25s"], ["1.25s", "2s", pd.NaT]
    db["segments"] = audformat.Table(audformat.segmented_index(["audio/1.wav"] * 3, starts, ends))
    column(db["segments"], "emotion", ["a", "b", "a"], scheme_id="emotion")
    column(db["segments"], "speaker", ["NA", "007", "NA"], scheme_id="speaker")
    return db


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("top", [".", "emodb-1.4.1"])
def test_files_with_gold_standards(tmp_path, kind, top):
    emodb().save(str(tmp_path / top), storage_format=kind)
    files = files_below(tmp_path)
    assert audformat_databases.claims(files.names)
    reading = audformat_databases.read_records(files)
    root = "" if top == "." else f"{top}/"
    man = {"speaker": "3", "sex": "male", "age": "31", "language": "deu"}
    woman = {"speaker": "8", "sex": "female", "age": "34", "language": "deu"}
    expected = [
        {"path": f"{root}{EMODB[0]}", "emotion": "neşe", "statement": "a01", **man},
        {"path": f"{root}{EMODB[1]}", "emotion": "anger", "statement": "a01", **woman},
        {"path": f"{root}{EMODB[2]}", "emotion": "neutral", "statement": "a02", "fold": "0", **man},
    ]
    assert said(reading) == expected
    assert (reading.notes, reading.labelled) == ((), True)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_and_a_table_of_speakers(tmp_path, kind):
    segmented().save(str(tmp_path), storage_format=kind)
    woman = {"speaker": "NA", "sex": "female"}
    assert said(audformat_databases.read_records(files_below(tmp_path))) == [
        {"path": "audio/1.wav", "start": "0", "end": "1.25", "emotion": "a", **woman},
        {"path": "audio/1.wav", "start": "1.5", "end": "2", "emotion": "b", "speaker": "007"},
        {"path": "audio/1.wav", "start": "2.25", "emotion": "a", **woman},
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_classes_by_number(tmp_path, kind):
    db = audformat.Database("numbers")
    db.schemes["emotion"] = audformat.Scheme("int", labels={0: "anger", 1: "joy"})
    db["t"] = audformat.Table(audformat.filewise_index(["a.wav", "b.wav", "c.wav"]))
    column(db["t"], "emotion", [1, 0, None], scheme_id="emotion")
    db.save(str(tmp_path), storage_format=kind)
    found = said(audformat_databases.read_records(files_below(tmp_path)))
    assert [values.get("emotion") for values in found] == ["joy", "anger", None]


def test_a_label_outside_its_scheme_is_kept_and_said(tmp_path):
    emodb().save(str(tmp_path), storage_format="csv")
    for name in ("emotion", "emotion.train.gold_standard"):
        table = tmp_path / f"db.{name}.csv"
        table.write_text(table.read_text().replace("anger", "愤怒"))
    reading = audformat_databases.read_records(files_below(tmp_path))
    assert [values["emotion"] for values in said(reading)] == ["neşe", "愤怒", "neutral"]
    assert reading.notes == (
        "labels that db.yaml does not list for their scheme, kept as they are written: '愤怒' (1)",
    )


def test_a_table_that_is_kept_twice(tmp_path):
    for kind in KINDS:
        emodb().save(str(tmp_path), storage_format=kind)
    emodb().save(str(tmp_path / "csv"), storage_format="csv")
    for table in (tmp_path / "csv").glob("*.csv"):
        table.rename(tmp_path / table.name)
    (tmp_path / "csv/db.yaml").unlink()
    assert not audformat_databases.read_records(files_below(tmp_path)).notes, "both say the same"
    for name in ("emotion", "emotion.train.gold_standard"):
        table = tmp_path / f"db.{name}.csv"
        table.write_text(table.read_text().replace("anger", "neutral"))
    reading = audformat_databases.read_records(files_below(tmp_path))
    assert [values["emotion"] for values in said(reading)] == ["neşe", "neutral", "neutral"]
    assert reading.notes[0].startswith(
        "db.emotion.csv and db.emotion.parquet differ in 1 rows (the first is of wav/08a01Wb.wav): the CSV is read"
    )


def test_a_pickle_is_never_read(tmp_path):
    emodb().save(str(tmp_path), storage_format="pkl")
    with pytest.raises(BrokenTableError, match=r"\.pkl is a pickle, which can run any code.*storage_format='csv'"):
        audformat_databases.read_records(files_below(tmp_path))


def test_a_table_that_is_missing(tmp_path):
    emodb().save(str(tmp_path), storage_format="csv")
    (tmp_path / "db.files.csv").unlink()
    with pytest.raises(BrokenTableError, match="^neither db.files.csv nor db.files.parquet is there"):
        audformat_databases.read_records(files_below(tmp_path))


def raters(**labels: list[str]) -> audformat.Database:
    db = audformat.Database("raters")
    db.schemes["emotion"] = audformat.Scheme(labels=["a", "b"])
    db["emotion"] = audformat.Table(audformat.filewise_index(["1.wav", "2.wav"]))
    for rater, values in labels.items():
        db.raters[rater] = audformat.Rater("human")
        column(db["emotion"], rater, values, scheme_id="emotion", rater_id=rater)
    return db


def test_several_raters(tmp_path):
    raters(ann=["a", "b"], bob=["a", "a"]).save(str(tmp_path), storage_format="csv")
    message = (
        r"emotion.ann, emotion.bob state different emotions of 1 clips \(2.wav: b, a\): .*prepare.manifest.emotion"
    )
    with pytest.raises(BrokenTableError, match=message):
        audformat_databases.read_records(files_below(tmp_path))
    for chosen in ("bob", "emotion.bob", "emotion/bob"):
        reading = audformat_databases.read_records(files_below(tmp_path), {"emotion": chosen})
        assert [values["emotion"] for values in said(reading)] == ["a", "a"]
    raters(ann=["a", "b"], gold=["b", "b"]).save(str(tmp_path / "gold"), storage_format="csv")
    reading = audformat_databases.read_records(files_below(tmp_path / "gold"))
    assert [values["emotion"] for values in said(reading)] == ["b", "b"]
    raters(ann=["a", None], bob=["a", "a"]).save(str(tmp_path / "alike"), storage_format="csv")
    reading = audformat_databases.read_records(files_below(tmp_path / "alike"))
    assert [values["emotion"] for values in said(reading)] == ["a", "a"]


def test_the_only_column_of_classes_is_the_emotion(tmp_path):
    db = audformat.Database("mine")
    db.schemes["stimmung"] = audformat.Scheme(labels=["froh", "müde"])
    db.schemes["gender"] = audformat.Scheme(labels=["female", "male"])
    db["t"] = audformat.Table(audformat.filewise_index(["1.wav"]))
    column(db["t"], "stimmung", ["müde"], scheme_id="stimmung")
    column(db["t"], "gender", ["male"], scheme_id="gender")
    db.save(str(tmp_path), storage_format="csv")
    found = said(audformat_databases.read_records(files_below(tmp_path)))
    assert found == [{"path": "1.wav", "emotion": "müde", "sex": "male"}]
    db.schemes["stil"] = audformat.Scheme(labels=["gelesen", "frei"])
    column(db["t"], "stil", ["frei"], scheme_id="stil")
    db.save(str(tmp_path), storage_format="csv")
    with pytest.raises(BrokenTableError, match="t.stimmung, t.stil could each be the emotion: .*which one is"):
        audformat_databases.read_records(files_below(tmp_path))


HEADER = "name: x\nschemes:\n  emotion: {dtype: str}\ntables:\n  t:\n    type: segmented\n    columns:\n"
HEADER += "      emotion: {scheme_id: emotion}\n      speaker: {}\n"


def database(rows: str, header: str = HEADER, **more: str):
    return audformat_databases.read_records(files_in_memory({"d/db.yaml": header, "d/db.t.csv": rows} | more))


def test_words_that_yaml_takes_for_other_things():
    header = HEADER.replace("{dtype: str}", "{dtype: str, labels: [no, 1e5, 007, null, ~, 2020-01-01]}")
    rows = "file,start,end,emotion,speaker\n" + "".join(
        f"{number}.wav,,,{label},{label}\n" for number, label in enumerate(["no", "1e5", "007", "null", "2020-01-01"])
    )
    reading = database(rows, header)
    assert [v["emotion"] for v in said(reading)] == ["no", "1e5", "007", "null", "2020-01-01"]
    assert [v["speaker"] for v in said(reading)] == ["no", "1e5", "007", "null", "2020-01-01"]
    assert not reading.notes


def test_rows_that_cannot_be_used_have_a_reason():
    rows = "file,start,end,emotion,speaker\na.wav,0 days 00:00:02,0 days 00:00:01,x,s\nb.wav,later,,x,s\n"
    rows += "../../c.wav,,,x,s\n,,,x,s\ne.wav,,,x,s\ne.wav,0 days 00:00:01,,y,s\nf.wav,-1 days +23:59:59,,x,s\n"
    reading = database(rows)
    reasons = dict(refused(reading))
    assert list(reasons) == [f"d/db.t.csv, line {line}" for line in range(2, 9)]
    assert list(reasons.values()) == [
        "it ends at 1 s, which is not after its start at 2 s",
        "'later' is no number of seconds",
        "../../c.wav: it leads out of the corpus",
        "no file",
        "the tables state an emotion of the whole file and of pieces of it",
        "the tables state an emotion of the whole file and of pieces of it",
        "-1 days +23:59:59 is before the begin of the file",
    ]


def test_paths_of_another_machine():
    rows = "file,start,end,emotion,speaker\n/home/ann/wav/a.wav,,,x,s\n/home/ann/wav/b.wav,,,x,s\n"
    reading = database(rows, **{"d/wav/a.wav": "", "b.wav": "", "d/b.wav": ""})
    assert [values["path"] for values in said(reading)] == ["d/wav/a.wav"]
    assert refused(reading) == [
        ("d/db.t.csv, line 3", "/home/ann/wav/b.wav: no file of the corpus fits this path alone")
    ]


def test_two_labels_of_one_piece():
    with pytest.raises(
        BrokenTableError, match=r"^d/db.yaml: t.emotion state different emotions .*keep one row of each"
    ):
        database("file,start,end,emotion,speaker\na.wav,,,x,s\na.wav,0,,y,s\n")


def test_durations_as_they_are_written():
    written = ["0 days 00:00:01.500000", "00:01:02.25", "1 day 00:00:00", "1.5", "", "NaT", "0 days 00:00:00.000001"]
    found = [duration_text(text) for text in [*written, "0 days"]]
    assert found == ["1.5", "62.25", "86400", "1.5", "", "", "0.000001", "0"]
    for text in ("x", "1e999", "inf", "-0 days 00:00:01", "0 days 00:00:01 x", "9" * 400):
        with pytest.raises(ValueError, match="is no|is before"):
            duration_text(text)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    "header", ["", "[", "\x00", "- 1", "name: x", "{" * 5000, "!!python/object/apply:os.getcwd []", "a: \t- b"]
)
def test_no_header(header):
    with pytest.raises(BrokenTableError, match=r"^d/db.yaml (is no YAML|names neither tables nor schemes)"):
        database("file\na.wav\n", header)


def test_a_header_that_grows():
    rows = "file,start,end,emotion,speaker\na.wav,,,x,s\n"
    assert [values["emotion"] for values in said(database(rows, BOMB + HEADER))] == ["x"]
