"""Tables as Excel, pandas, R and people write them: every row comes back with its own values, or a line is named."""

import csv
import io
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.storage.delimited_tables import BrokenTableError, Table, column_place, read_table

MODEST = settings(max_examples=200, deadline=None, database=None, derandomize=True)
COMMON_VOICE = (
    'path\tsentence\temotion\na.wav\t"Where is it?\tanger\nb.wav\tHere.\tfear\nc.wav\tHe said "no"\tfear\n'
    'd.wav\t"Nobody knows\tsadness\n'
)


def values(content: str | bytes, name: str = "x.csv", **options) -> list[list[str]]:
    table = read_table(content if isinstance(content, bytes) else content.encode(), name, **options)
    assert not any(row.reason for row in table.rows), table.rows
    return [row.values for row in table.rows]


def refusal(content: str | bytes, name: str = "x.csv") -> str:
    with pytest.raises(BrokenTableError) as error:
        read_table(content if isinstance(content, bytes) else content.encode(), name)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- separators


@pytest.mark.parametrize("separator", [*",;|\t"])
def test_the_separator_is_that_of_the_header(separator):
    text = "path,emotion,note\na,b,c\n".replace(",", separator)
    assert read_table(text.encode(), "x.csv") == Table(["path", "emotion", "note"], [(2, ["a", "b", "c"], "")])


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("path;emotion;time, in s, of the text", ["path", "emotion", "time, in s, of the text"]),
        ("path,emotion,a;b;c;d", ["path", "emotion", "a;b;c;d"]),
        ('"a,b,c,d";path;emotion', ["a,b,c,d", "path", "emotion"]),
    ],
)
def test_it_is_the_one_by_which_the_expected_columns_are_found(header, columns):
    row = "x" + ";x" * (len(columns) - 1) if ";path" in header or "path;" in header else "x,x,x"
    assert read_table(f"{header}\n{row}\n".encode(), "x.csv", expected=("path", "emotion")).header == columns


def test_tsv_in_the_name_means_tabs_unless_the_columns_are_found_otherwise():
    assert values("a,b,c\td\n1\t2\n", "x.TSV") == [["1", "2"]]
    assert values("path,emotion\n1,2\n", "x.tsv", expected=("path", "emotion")) == [["1", "2"]]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_the_first_line_of_excel_is_obeyed(line):
    table = read_table(f"{line}\r\na,b;c\r\n1,5;2\r\n".encode(), "x.csv")
    assert table == Table(["a,b", "c"], [(3, ["1,5", "2"], "")])
    assert values("sep=\\t\na\tb\n1\t2\n") == values("sep=^\na^b\n1^2\n") == [["1", "2"]]


# --- encodings and lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding, end):
    text = end.join(["Gefühl\tb", "愤怒\t1", "", 'ü"\t2'])
    table = read_table(text.encode(encoding), "x.txt")
    assert table == Table(["Gefühl", "b"], [(2, ["愤怒", "1"], ""), (4, ['ü"', "2"], "")])


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e"])
@pytest.mark.parametrize("separator", [",", "\t"])
def test_nothing_else_ends_a_line(character, separator):
    row = [f"a{character}b", "2"]
    assert values(f"x{separator}y\n" + separator.join(row) + "\n") == [row]
    assert values("x,y\n" + f'"{row[0]}",2\n') == [row]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x.csv is empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "x.csv is empty"),
        (b"sep=;\r\n", "x.csv is empty"),
        (b"a,b\n\n,\n", "x.csv has a header and no rows"),
        (b",,\n1,2,3\n", "x.csv, line 1: no column has a name"),
        ("a,b\r\nü,1\r\n".encode("latin-1"), "x.csv, line 2: the byte 0xfc is not UTF-8: save the table as UTF-8"),
        (b"a,b\r1,2\r3,\x004\r", "x.csv, line 3: a NUL character"),
        ("a,b\n1,2\n".encode("utf-16-le"), "x.csv, line 1: a NUL character"),
        (b"\xff\xfea", "x.csv begins as UTF-16 does and is not: save it as UTF-8"),
        (b"\xff\xfe\x00\xd8a\x00", "x.csv begins as UTF-16 does and is not"),
        (b"PK\x03\x04\x14\x00", "x.csv is a ZIP archive or an Excel workbook: save the table in it as CSV"),
        (b"\x1f\x8b\x08", "x.csv is compressed: unpack it"),
        (b"PAR1\x15", "x.csv is a Parquet table: call it .parquet"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer and not the table"),
        (b"\n<!DOCTYPE HTML>\n<html>", "x.csv is a web page and not the table"),
    ],
)
def test_what_is_no_table_is_named_as_what_it_is(content, said):
    assert refusal(content).startswith(said) or said in refusal(content)


def test_a_repeated_column_is_an_error_that_names_it():
    assert refusal("path,emotion,speaker,emotion\n1,2,3,4\n").startswith("x.csv, line 1: the column emotion is there")
    assert "the column é is there twice" in refusal("sep=;\né;e\u0301\n1;2\n")
    assert read_table(b"a,,b,\n1,2,3,\n", "x.csv").header == ["a", "", "b"]  # nameless ones repeat nothing


# --- rows


def test_rows_of_other_lengths_have_a_reason_and_are_where_they_were():
    table = read_table(b"a,b\n1,2\n\n1,2,3\n1\n\n3,4\n1,2,\n", "x.csv")
    assert [row.line for row in table.rows] == [2, 4, 5, 7, 8]
    assert [row.reason for row in table.rows] == [
        "",
        "3 values for 2 columns: put quotation marks around a value with a comma",
        "1 values for 2 columns: a row has as many as the header, empty ones too",
        "",
        "3 values for 2 columns: put quotation marks around a value with a comma, or take away a comma at the end",
    ]
    assert read_table(b"a\tb\n1\t2\t3\n", "x.tsv").rows[0].reason.endswith("a value with a tab")


def test_what_excel_leaves_of_emptied_columns_and_rows_says_nothing():
    assert values("a;b;;\r\n1;2;;\r\n;;;\r\n3;;;\r\n5;6\r\n") == [["1", "2"], ["3", ""], ["5", "6"]]
    table = read_table(b"a;b;;\n1;2;3;\n1;2;\n", "x.csv")  # a value beyond them may have pushed others aside
    assert [row.reason[:22] for row in table.rows] == ["4 values for 2 columns", "3 values for 2 columns"]


# --- quotation marks


def test_in_a_table_with_tabs_they_mean_nothing():
    assert [row[::2] for row in values(COMMON_VOICE, "x.tsv")] == [
        ["a.wav", "anger"],
        ["b.wav", "fear"],
        ["c.wav", "fear"],
        ["d.wav", "sadness"],
    ]


def test_in_one_of_excel_they_hold_tabs_line_breaks_and_themselves():
    rows = [['"a" b', "1\t2", "x"], ["p\nq", '"', '""'], ["1", "2", 'last\nand "more"'], ["", "\t", "\n\n"]]
    out = io.StringIO(newline="")
    csv.writer(out, csv.excel_tab).writerows([["a", "b", "c"], *rows])
    assert values(out.getvalue(), "x.txt") == rows


def test_a_text_that_ends_a_quotation_of_another_row_is_a_row_of_its_own():
    text = 'path\tsentence\temotion\na.wav\t"We came.\tanger\nb.wav\tWe went."\tfear\n'
    assert values(text, "x.tsv") == [["a.wav", '"We came.', "anger"], ["b.wav", 'We went."', "fear"]]
    assert "line 2: a quotation mark opens a value that ends in line 3" in refusal(text.replace("\t", ","))


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('a.wav,"Where is it?,anger\nb.wav,Here.,fear\n', 2),
        ('a.wav,x,anger\nb.wav,"Oh, no,fear\nc.wav,x,fear\nd.wav,"Hi, you",fear\n', 3),
        ('a.wav,x,anger\nb.wav,"Oh no,fear\nc.wav,he said so",fear\n', 3),
        ('a.wav,"Oh no,fear\nb.wav,x,anger\nc.wav,he said so",fear\n', 2),
        ('a.wav,"Oh, no,fear\nb.wav,x,anger\nc.wav,he said so",fear\n', 2),
        ('a.wav,"Oh no,fear\nb.wav,x,anger\nc.wav,he said so",fear,x\n', 2),
        ('a.wav,x,"anger\n' + "b.wav,x,fear\n" * 3000, 2),
        ("a.wav,x,fear\n" + f'b.wav,"{"x" * 200_000}",fear\n', 3),
        ('a.wav,x,fear\nb.wav,"x', 3),
    ],
)
def test_in_others_one_that_is_not_closed_is_an_error_that_names_its_line(rows, line):
    assert f"x.csv, line {line}: a quotation mark opens a value" in refusal(f"path,text,emotion\n{rows}")
    quoted = refusal(f'"path","text","emotion"\n{rows}')
    assert f"x.csv, line {line}: a quotation mark opens a value" in quoted


def test_one_in_the_header_swallows_no_rows():
    assert "line 1: a quotation mark opens" in refusal('path,emotion,"text\na.wav,fear,x\nb.wav,fear,he said so"\n')


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ('"Hello," she said,anger,s1', ["Hello, she said", "anger", "s1"]),
        ("5'3\",anger,s1", ["5'3\"", "anger", "s1"]),
        ('Oh "no" he said,anger,s1', ['Oh "no" he said', "anger", "s1"]),
        ('x, "anger, or so", s1', ["x", "anger, or so", "s1"]),
        ('"x" ,"anger" ,s1', ["x ", "anger ", "s1"]),
    ],
)
def test_stray_ones_in_a_line_leave_its_values_where_they_are(row, read):
    assert values(f"text,emotion,speaker\n{row}\nx,fear,s2\n")[0] == [read[0], *read[1:]]


@pytest.mark.parametrize(
    "row", ['"Hello," she said, "go",anger,s1', 'Oh "no, no",anger,s1', '"He said \\"a, b\\"",x,y']
)
def test_stray_ones_that_part_values_make_the_row_unusable(row):
    table = read_table(f"text,emotion,speaker\n{row}\nx,fear,s2\n".encode(), "x.csv")
    assert [bool(row.reason) for row in table.rows] == [True, False]


@pytest.mark.parametrize(
    "text", ["one\ntwo", "one, or\ntwo, or\n\nthree", '"a"\n"b"', "a\r\nb", ",\n,", "\n", 'x\n""y""']
)
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_texts_of_several_lines_are_read(text, quoting, end):
    rows = [["a.wav", text, "s1", "fear"], ["b.wav", "x", "s2", text], [text, "x", text, text]]
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator=end).writerows([["path", "text", "who", "emotion"], *rows])
    assert values(out.getvalue()) == rows


# --- whatever is in it


CELL = st.text(st.sampled_from('ab,;\t|"" \n.\u2028é愤\\=1'), max_size=6)
TABLE = st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6))


def with_tabs_or_lines(table: list[list[str]], separator: str) -> list[list[str]]:
    """Return a table that has no tabs and line breaks in its values if tabs separate them: two tables look like it."""
    broken = any("\n" in cell for row in table for cell in row)
    return [[cell.replace("\t", " ") for cell in row] for row in table] if separator == "\t" and broken else table


def matches(table: Table, written: list[list[str]]) -> None:
    """Require that each row is one that was written, at its line, or has a reason."""
    known = [[cell.strip() for cell in row] for row in written]
    for row in table.rows:
        if not row.reason:
            assert [cell.strip() for cell in row.values] in known
    assert len(table.rows) >= len([row for row in known if any(row)])


@MODEST
@given(
    TABLE,
    st.sampled_from([*",;|\t"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_the_csv_module_writes_is_read_or_refused_by_line(table, separator, quoting, end):
    table = with_tabs_or_lines(table, separator)
    out = io.StringIO(newline="")
    header = [f"column {place}" for place in range(len(table[0]))]
    csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end).writerows([header, *table])
    try:
        read = read_table(out.getvalue().encode(), "x.csv")
    except BrokenTableError as error:
        assert re.match(r"x\.csv, line \d+: ", str(error)) or "no rows" in str(error)
        return
    matches(read, table)


@MODEST
@given(TABLE, st.booleans(), st.sampled_from([",", ";", "\t"]))
def test_what_pandas_writes_is_read_or_refused_by_line(table, index, separator):
    table = with_tabs_or_lines(table, separator)
    frame = pd.DataFrame(table, columns=[f"column {place}" for place in range(len(table[0]))])
    try:
        read = read_table(frame.to_csv(index=index, sep=separator).encode(), "x.csv")
    except BrokenTableError as error:
        assert re.match(r"x\.csv, line \d+: ", str(error)) or "no rows" in str(error)
        return
    matches(read, [[*([str(place)] if index else []), *row] for place, row in enumerate(table)])


@MODEST
@given(st.binary(max_size=200) | st.text('a,;\t|"\n\r\ufeff=sep', max_size=200).map(str.encode))
def test_anything_is_a_table_or_one_line(content):
    try:
        table = read_table(content, "x.csv")
    except BrokenTableError as error:
        assert "\n" not in str(error)
        return
    assert all(row.reason or len(row.values) == len(table.header) for row in table.rows)


def test_tables_that_mean_harm_take_no_time():
    many = b"a\tb\tc\n" + b'x\t"y\n' * 100_000  # each line opens a value
    assert len(read_table(many, "x.tsv").rows) == 100_000
    wide = b"a" + b",a" * 3 + b"\n" + b"," * 3_000_000 + b"x\n"
    with pytest.raises(BrokenTableError, match="the column a is there twice"):
        read_table(wide, "x.csv")
    assert read_table(wide.replace(b"a,a,a,a", b"a,b,c,d"), "x.csv").rows[0].reason.startswith("3000001 values for 4")
    header = ",".join(f"c{place}" for place in range(100_000)).encode()
    assert len(read_table(header + b"\n" + header, "x.csv").header) == 100_000


def test_a_column_is_found_in_another_spelling_if_it_is_the_only_one():
    assert column_place(["Path", "FOLD ", "fold_id"], "fold") == 1
    assert column_place(["Fold", "FOLD"], "fold") is None and column_place(["Fold", "fold"], "fold") == 1
    assert column_place(["speakerID"], "speaker_id") == 0 and column_place([], "x") is None
