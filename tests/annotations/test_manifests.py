"""Manifests: a row a clip, whatever the columns are called; what a row gets wrong is said with its number."""

import datetime
import io
import unicodedata
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import FULL
from made_tables import made_table
from ser.annotations.manifests import read_manifest
from ser.annotations.records import FIELDS, Record, blank_values
from ser.storage.delimited_tables import BrokenTableError

OWN = dict(zip(FIELDS, FIELDS, strict=True))


def read(content: str | bytes, columns: dict[str, str] | None = None, name: str = "mine.csv") -> list[Record]:
    return read_with_note(content, columns, name)[0]


def read_with_note(content, columns=None, name="mine.csv") -> tuple[list[Record], str]:
    content = content if isinstance(content, bytes) else content.encode()
    return read_manifest(io.BytesIO(content), name, OWN | (columns or {}))


def refusal(content: str | bytes, columns: dict[str, str] | None = None, name: str = "mine.csv") -> str:
    with pytest.raises(BrokenTableError) as error:
        read(content, columns, name)
    assert "\n" not in str(error.value)
    return str(error.value)


def parquet(table: pd.DataFrame | pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), out)
    return out.getvalue()


def reasons(records: list[Record]) -> list[str]:
    return [record.reason for record in records]


def column(records: list[Record], field: str) -> list[str]:
    assert not any(reasons(records)), reasons(records)
    return [record.values[field] for record in records]


# --- columns


def test_all_columns_become_values():
    text = (
        "path,emotion,speaker,sex,language,statement,intensity,fold,global_speaker,age,start,end,channel\n"
        "a/1.wav,Happy,anna,F,de,s1,high,03,P7,31,1.50,2,left\n"
    )
    values = {"path": "a/1.wav", "emotion": "Happy", "speaker": "anna", "sex": "female", "language": "de"}
    values |= {"statement": "s1", "intensity": "high", "fold": "3", "global_speaker": "P7", "age": "31"}
    values |= {"start": "1.5", "end": "2", "channel": "1"}
    assert read_with_note(text) == ([Record(values, "mine.csv, line 2")], "")
    assert read("emotion,path\nangry,b\n") == [Record(blank_values(path="b", emotion="angry"), "mine.csv, line 2")]


@pytest.mark.parametrize(
    ("header", "note"),
    [
        ("path,emotion,speaker", ""),
        ("Path,EMOTION,Speaker ", "Path as path, EMOTION as emotion, Speaker as speaker"),
        ("file_name,label,speaker_id", "file_name as path, label as emotion, speaker_id as speaker"),
        ("Audio File,EmoClass,SpkrID", "Audio File as path, EmoClass as emotion, SpkrID as speaker"),
        ("wav,target,client_id", "wav as path, target as emotion, client_id as speaker"),
    ],
)
def test_columns_are_found_by_their_usual_names_and_it_is_said(header, note):
    records, said = read_with_note(f"{header}\na.wav,anger,s1\n")
    assert records[0].values == blank_values(path="a.wav", emotion="anger", speaker="s1")
    assert said == (f"mine.csv: read {note}" if note else "")


def test_its_own_name_counts_before_another_and_the_users_before_both():
    text = "path,file,emotion,label,class,Speaker,spk\na,b,c,d,e,f,g\n"
    values = read(text)[0].values
    assert (values["path"], values["emotion"], values["speaker"]) == ("a", "c", "f")
    values = read(text, {"path": "file", "emotion": "class", "speaker": "SPK", "sex": "sexe"})[0].values
    assert (values["path"], values["emotion"], values["speaker"]) == ("b", "e", "g")
    assert read_with_note(text, {"sex": "sexe", "speaker": ""})[1] == "mine.csv: read no column sexe (sex)"
    assert read(text, {"speaker": ""})[0].values["speaker"] == ""


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("path,label,class", "the emotion may be label or class: say in prepare.manifest which it is"),
        ("Path,PATH,emotion", "the path may be Path or PATH"),
        ("path,emotion,spk,actor", "the speaker may be spk or actor"),
        ("path,emotion,offset", "the column offset may say where a piece starts, where it ends, or how long it is"),
        ("path,emotion,emotion", "line 1: the column emotion is there twice"),
    ],
)
def test_of_several_that_may_be_meant_the_user_is_asked(header, said):
    assert f"mine.csv{',' if 'line' in said else ':'} {said}" in refusal(
        f"{header}\n{','.join('abcd'[: header.count(',') + 1])}\n"
    )


def test_a_table_without_path_or_emotion_says_what_is_there():
    said = refusal("Datei;Gefühl;x\nä b.wav;anger;1\n")
    assert said == (
        "mine.csv has no column path and no emotion, only Datei, Gefühl, x: say in prepare.manifest what they are "
        "called"
    )
    assert "no column emotoin, only path, emotion:" in refusal("path,emotion\na,b\n", {"emotion": "emotoin"})
    many = ",".join(f"column {number}" for number in range(3000))
    assert len(refusal(f"{many}\n{many}\n")) < 1000
    (record,) = read("Datei;Gefu\u0308hl;x\nä b.wav;anger;1\n", {"path": "Datei", "emotion": "Gefühl"})
    assert (record.values["path"], record.values["emotion"], record.reason) == ("ä b.wav", "anger", "")


# --- values


def test_words_for_nothing_are_names_but_for_those_of_pandas():
    text = "path,emotion,speaker\n" + "".join(
        f"{number}.wav,{word},{word}\n"
        for number, word in enumerate(["NA", "None", "null", "N/A", "007", "1e5", "-", "NAN", "NULL", "1.0", "nil"])
    )
    records, note = read_with_note(text)
    assert column(records, "speaker") == column(records, "emotion")
    assert column(records, "speaker") == ["NA", "None", "null", "N/A", "007", "1e5", "-", "NAN", "NULL", "1.0", "nil"]
    assert note == (
        "mine.csv: taken as names of the emotion: N/A (1), NA (1), NULL (1), None (1), nil (1), null (1); leave a cell "
        "empty where it is unknown; taken as names of the speaker: N/A (1), NA (1), NULL (1), None (1), nil (1), null "
        "(1); leave a cell empty where it is unknown"
    )
    text = "path,emotion,speaker\na,x,nan\nb,x,NaN\nc,x,<NA>\nd,x,NaT\ne,x, \nf,NaN,s\n"
    records, note = read_with_note(text)
    assert column(records[:5], "speaker") == [""] * 5 and records[5].reason == "row 7: no emotion"
    said = "taken as unknown speakers, as pandas means them: <NA> (1), NaN (1), NaT (1), nan (1)"
    assert note == f"mine.csv: {said}"  # whoever is called so would be lost in silence


def test_whole_numbers_of_a_column_with_gaps_lose_their_fraction_only_if_all_have_it():
    text = "path,emotion,speaker,fold,age\na,1.0,3.0,0.0,31.0\nb,7.0,,,\nc,1.0,03.0,1.0,31.5\n"
    records = read(text)
    assert column(records, "emotion") == ["1", "7", "1"] and column(records, "speaker") == ["3", "", "03"]
    assert column(records, "fold") == ["0", "", "1"] and column(records, "age") == ["31.0", "", "31.5"]
    assert column(read("path,emotion,speaker\na,x,3\nb,x,3.0\n"), "speaker") == ["3", "3.0"]


def test_names_are_compared_in_nfc():
    rows = ["Zoe\u0308/1.wav,neşeli,Zoë", "Zoë/2.wav,nes\u0327eli,Zoe\u0308 ", "Zoë/3.wav,愤怒,\ufeffZoë\u200b"]
    text = "\n".join(["path,emotion,speaker", *rows])
    records = read(text)
    assert column(records, "path") == ["Zoë/1.wav", "Zoë/2.wav", "Zoë/3.wav"]
    assert column(records, "speaker") == ["Zoë"] * 3 and column(records, "emotion") == ["neşeli", "neşeli", "愤怒"]


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ("", ""),
        ("0", "0"),
        ("0.0", "0"),
        ("12.5", "12.5"),
        ("12,50", "12.5"),
        ("7.5e1", "75"),
        ("1e-05", "0.00001"),
        ("0.30000000000000004", "0.3"),
        ("1:15", "75"),
        ("1:02:03.25", "3723.25"),
        ("00:16:16,059", "976.059"),
        ("NaN", ""),
    ],
)
def test_times(written, start):
    assert column(read(f"path;emotion;start\na;x;{written}\n"), "start") == [start]


@pytest.mark.parametrize(
    "written", ["-1", "inf", "1.234,5", "x", "1:60", "1:2:3:4", "1e99", "99999999999", "5 s", "٣", "9" * 5000, "1.5.2"]
)
def test_what_is_no_time_is_a_reason(written):
    (record,) = read(f"path;emotion;start\na;x;{written}\n")
    assert record.reason.startswith("row 2: the time '") and len(record.reason) < 200


def test_a_comma_may_part_thousands_where_others_have_points():
    text = 'path,emotion,start\na,x,"1,500"\nb,x,999.5\n'
    assert reasons(read(text)) == ["row 2: the time '1,500' has a comma where others of its column have a point", ""]
    assert column(read(text.replace("999.5", "999")), "start") == ["1.5", "999"]


def test_pieces_end_after_they_start():
    text = "path,emotion,start,end\na,x,1,2\na,x,1,1.5\na,x,2,2\na,x,3,1\na,x,,1\na,x,4,\na,x,,0\n"
    assert reasons(read(text)) == [
        *("", "", "row 4: the end (2 s) is not after the start (2 s)"),
        *("row 5: the end (1 s) is not after the start (3 s)", "", ""),
        "row 8: the end (0 s) is not after the start (0 s)",
    ]


def test_an_end_may_be_an_offset_or_come_from_a_duration():
    records, note = read_with_note("path,emotion,onset,offset\na,x,1,2.5\n")
    assert (records[0].values["start"], records[0].values["end"]) == ("1", "2.5")
    assert note == "mine.csv: read onset as start, offset as end"
    records, note = read_with_note("audio_filepath,label,offset,duration\na,x,0.1,0.2\na,x,2,\na,x,3,x\na,x,4,0\n")
    assert [(r.values["start"], r.values["end"]) for r in records[:2]] == [("0.1", "0.3"), ("2", "")]
    assert note.endswith("read audio_filepath as path, label as emotion, offset as start, start and duration as end")
    assert reasons(records)[2:] == [
        "row 4: the time 'x' is neither seconds from 0 nor h:mm:ss",
        "row 5: the end (4 s) is not after the start (4 s)",
    ]
    values = read("path,emotion,start,end,duration,offset\na,x,1,2,9,8\n")[0].values
    assert (values["start"], values["end"]) == ("1", "2")
    assert read("path,emotion,duration\na,x,9\n")[0].values == blank_values(path="a", emotion="x")


def test_folds_channels_and_sexes():
    text = "path,emotion,fold,channel,sex\na,x,00,1,W\nb,x,12,Right,male_masculine\nc,x,,32,Divers\n"
    records = read(text)
    assert column(records, "fold") == ["0", "12", ""] and column(records, "channel") == ["1", "2", "32"]
    assert column(records, "sex") == ["female", "male", "divers"]
    text = "path,emotion,fold,channel\na,x,-1,\nb,x,train,\nc,x,1.5,\nd,x,,33\ne,x,,mono\nf,x,٣,\n"
    assert reasons(read(text)) == [
        "row 2: the fold '-1' is no number from 0",
        "row 3: the fold 'train' is no number from 0",
        "row 4: the fold '1.5' is no number from 0",
        "row 5: the channel '33' is none from 1 to 32, nor left or right",
        "row 6: the channel 'mono' is none from 1 to 32, nor left or right",
        "row 7: the fold '٣' is no number from 0",
    ]


def test_channels_that_count_from_0_would_be_those_of_others():
    assert refusal("path,emotion,channel\na,x,1\n\nb,x,0\n") == (
        "mine.csv, row 4: the channel is 0, and channels count from 1 (or: left, right)"
    )


# --- rows


def test_rows_that_repeat_or_contradict_each_other():
    text = "path,emotion\n" + "\n".join(["a.wav,anger", "b.wav,fear", "./a.wav,anger", "c.wav,fear", "b.wav,anger"])
    assert reasons(read(text)) == [
        "",
        "row 3: row 6 has the same path and other labels",
        "row 4: row 2 says the same",
        "",
        "row 6: row 3 has the same path and other labels",
    ]


@pytest.mark.parametrize("other", ["a/./x.wav", "a\\x.wav", "a//x.wav", "./a/x.wav", "b/../a/x.wav"])
def test_one_path_in_two_spellings_is_one_path(other):
    records = read(f"path,emotion\na/x.wav,anger\n{other},sad\n")
    assert all("the same path and other labels" in reason for reason in reasons(records))
    assert [record.values["path"] for record in records] == ["a/x.wav", other]


def test_pieces_of_a_file_may_overlap_but_not_be_the_same():
    text = "path,emotion,start,end,channel\na,x,0,2,\na,y,1,3,\na,y,,2.0,\na,x,0,2,1\na,x,0,2,2\na,x,1,4,\na,z,1.0,4,\n"
    assert reasons(read(text)) == [
        "row 2: row 4 has the same piece of a file and other labels",
        "",
        "row 4: row 2 has the same piece of a file and other labels",
        *("", ""),
        "row 7: row 8 has the same piece of a file and other labels",
        "row 8: row 7 has the same piece of a file and other labels",
    ]


def test_rows_that_say_too_much_too_little_or_what_cannot_be():
    text = (
        'path,emotion,speaker\na, b.wav,anger,1\n,anger,1\nc.wav,,1\nd.wav,fear\n"e\nf.wav",fear,1\ng,"fear",a\x07b\n'
    )
    assert reasons(read(text)) == [
        "row 2: 4 values for 3 columns: put quotation marks around a value with a comma",
        "row 3: no path",
        "row 4: no emotion",
        "row 5: 2 values for 3 columns: a row has as many as the header, empty ones too",
        "row 6: a line break or another control character in a value",
        "row 8: a line break or another control character in a value",
    ]
    assert read(text)[0].values == blank_values(path="a")


def test_a_label_with_half_a_quotation_is_none():
    text = 'path,emotion,speaker\na,""anger",1\nb,anger,5\'3"\nc,the "good" one,1\n'
    first, second, third = read(text)
    assert first.reason.startswith("row 2: the emotion 'anger\"' has a quotation mark without another")
    assert second.reason.startswith("row 3: the speaker '5\\'3\"' has")
    assert third.values["emotion"] == 'the "good" one' and not third.reason


def test_a_global_speaker_of_some_clips_of_a_speaker_is_refused():
    text = "path,emotion,speaker,who\na.wav,anger,1,P7\nb.wav,anger,1,\n"
    said = "mine.csv: the global speaker is stated in some rows of the speaker 1 and not in others"
    assert said in refusal(text, {"global_speaker": "who"})
    text = "path,emotion,speaker,who\na.wav,anger,1,P7\nb.wav,anger,2,\nc.wav,anger,,P7\n"
    assert column(read(text, {"global_speaker": "who"}), "global_speaker") == ["P7", "", "P7"]


def test_the_quotes_of_common_voice_swallow_no_rows():
    rows = [(f"{n}.wav", '"Where is it?' if n in (3, 11) else "x", f"e{n}", f"s{n}") for n in range(12)]
    text = "path\tsentence\temotion\tspeaker\n" + "".join("\t".join(row) + "\n" for row in rows)
    records = read(text, name="mine.tsv")
    assert column(records, "emotion") == [row[2] for row in rows]
    assert column(records, "speaker") == [row[3] for row in rows]
    assert refusal(text.replace("\t", ",")).startswith("mine.csv, line 5: a quotation mark opens a value")


# --- Parquet


def test_parquet_says_what_the_same_table_says_as_text():
    table = pd.DataFrame(
        {
            "file": ['a, "b".wav', "u\u0308.wav", "c.wav"],
            "label": pd.Categorical(["NA", "fear", "愤怒"]),
            "spk": [1.0, None, 3.0],
            "fold": pd.array([0, None, 2], dtype="Int64"),
            "age": np.array([31, 32, 33], dtype="int8"),
            "start": np.array([0.1, 1.5, np.nan], dtype="float32"),
            "end": pd.to_timedelta(["1s", "2500ms", None]),
            "intensity": [True, None, False],
            "statement": [datetime.date(2020, 1, 2), None, None],
            "text": ["x", None, "y\nz"],
        }
    )
    records, note = read_with_note(parquet(table), name="mine.parquet")
    values = [record.values for record in records]
    assert values[0] == blank_values(
        path='a, "b".wav', emotion="NA", speaker="1", fold="0", age="31", start="0.1", end="1", intensity="True",
        statement="2020-01-02",
    )  # fmt: skip
    assert values[1] == blank_values(path="ü.wav", emotion="fear", age="32", start="1.5", end="2.5")
    assert values[2]["speaker"] == "3" and values[2]["end"] == "" and not any(reasons(records))
    assert records[1].where == "mine.parquet, row 2"
    assert note.startswith("mine.parquet: read file as path, label as emotion, spk as speaker; taken as names of the")
    text = table.assign(end=[1, 2.5, None], start=[0.1, 1.5, None]).to_csv(index=False).encode()
    assert [record.values for record in read(text)] == values


def test_parquet_by_row():
    table = pd.DataFrame({"path": ["a", "a", "", None], "emotion": ["x", "y", "x", "x"]})
    assert reasons(read(parquet(table), name="p.PARQUET")) == [
        "row 1: row 2 has the same path and other labels",
        "row 2: row 1 has the same path and other labels",
        "row 3: no path",
        "row 4: no path",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PAR1 or not", "is no Parquet table"),
        (b"", "is no Parquet table"),
        (parquet(pa.table({"path": pa.array([], pa.string()), "emotion": pa.array([], pa.string())})), "has 0 rows"),
        (parquet(pa.table([["a"], ["b"], ["c"]], names=["path", "emotion", "emotion"])), "emotion is there twice"),
        (
            parquet(pa.table({"path": [{"bytes": b"x"}], "emotion": ["x"]})),
            "the column path holds struct<bytes: binary>",
        ),
        (parquet(pa.table({"path": ["a"], "emotion": [["x", "y"]]})), "the column emotion holds list<"),
        (parquet(pa.table({"path": [b"\xff"], "emotion": ["x"]})), "is a damaged Parquet table"),
        (parquet(pa.table({"x": ["a"]})), "has no column path and no emotion, only x"),
    ],
)
def test_what_is_no_parquet_manifest_is_one_line(content, said):
    assert said in refusal(content, name="x.parquet")


def test_names_with_dots_and_columns_that_nobody_asks_for():
    table = pa.table({"my.path": ["a"], "my": [{"path": "b"}], "emotion": ["x"], "audio.bytes": [b"\xff"]})
    (record,) = read(parquet(table), {"path": "my.path"}, "x.pq")
    assert record.values == blank_values(path="a", emotion="x")


@pytest.mark.parametrize("seed", range(40))
def test_a_mutated_parquet_table_is_rows_or_one_line(seed):
    table = pd.DataFrame({"path": [f"{n}.wav" for n in range(50)], "emotion": ["x", "y"] * 25, "fold": [0, 1] * 25})
    rng = np.random.default_rng(seed)
    content = bytearray(parquet(table))
    for place in rng.integers(0, len(content), 5):
        content[place] = rng.integers(256)
    try:
        assert len(read(bytes(content), name="x.parquet")) <= 50
    except BrokenTableError as error:
        assert "\n" not in str(error)


def test_a_text_that_is_there_a_thousand_times_is_kept_once():
    table = pa.table({"path": [str(n) for n in range(1000)], "emotion": ["x" * 10_000] * 1000})
    records = read(parquet(table), name="x.parquet")
    assert records[0].values["emotion"] is records[-1].values["emotion"]


# --- whatever people write

LABEL = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters='"'), min_size=1, max_size=8).map(
    lambda text: unicodedata.normalize("NFC", text)
)
LABEL = LABEL.filter(lambda text: text not in ("nan", "NaN", "<NA>", "NaT") and not text.endswith(".0"))


@st.composite
def labelled_rows(draw) -> list[dict[str, str]]:
    """Draw rows of labels, of which no two are of one clip."""
    count = draw(st.integers(1, 12))
    fields = draw(
        st.sets(st.sampled_from(["speaker", "sex", "language", "fold", "age", "channel", "start"]), max_size=4)
    )
    known = {"speaker": LABEL | st.just(""), "sex": st.sampled_from(["female", "male", ""])}
    known |= {"language": st.sampled_from(["de", ""]), "fold": st.sampled_from(["", "0", "7"])}
    known |= {"age": st.sampled_from(["", "31"]), "channel": st.sampled_from(["1", "2"])}
    rows = []
    for number in range(count):
        folder = draw(st.sampled_from(["clips", "a, b", "c;d", "ü", '"q"', "e|f"]))
        row = {"path": f"{folder}/{number:03d}.wav", "emotion": draw(LABEL)}
        row |= {field: draw(known[field]) for field in sorted(fields - {"start"})}
        if "start" in fields:
            start = draw(st.integers(0, 10**7))
            row |= {"start": f"{start / 1000:g}", "end": f"{start // 1000 + 1}.25"}
        rows.append(row)
    return rows


@settings(max_examples=2000 if FULL else 250, deadline=None, database=None, derandomize=True)
@given(labelled_rows(), st.integers(0, 2**32))
def test_a_table_as_people_write_it_is_read_or_a_line_is_named(rows, seed):
    table = made_table(rows, Random(seed))
    try:
        records, _ = read_manifest(io.BytesIO(table.content), table.name, table.columns)
    except BrokenTableError as error:
        assert str(error).startswith(table.name) and "\n" not in str(error)
        assert not table.unambiguous or "looks like a row of its own" in str(error), (str(error), table)
        return
    known = {row["path"]: blank_values(**row) for row in rows}
    for record in records:
        path = record.values["path"].removeprefix("./")
        if not record.reason and path in known and not table.fault:
            assert record.values | {"path": path} == known[path], table
    if table.unambiguous:
        assert reasons(records) == [""] * len(rows), table
    elif table.fault not in ("cut off", "no header"):
        assert len(records) >= len(rows), table


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=6), st.text(alphabet=',"\n\r\t;', max_size=10))
def test_any_text_is_rows_with_reasons_or_one_line(table, noise):
    content = "\n".join(["path,emotion,speaker", *(",".join(row) for row in table), noise])
    try:
        records = read(content.encode("utf-8", "surrogatepass"))
    except BrokenTableError as error:
        assert "\n" not in str(error)
        return
    assert all(record.reason or (record.values["path"] and record.values["emotion"]) for record in records)
