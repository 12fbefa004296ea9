"""Tables that corpora ship beside their clips, read whole and checked."""

import csv
import io
from collections.abc import Collection, Iterator


class BrokenTableError(ValueError):
    """A side table that is not what the corpus publishes; the message names the table and what is wrong with it."""


def read_rows(
    content: bytes, table: str, columns: tuple[str, ...], *, delimiter: str = ",", quoted: bool = True
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and stripped values of `columns` of every row; the table may have more columns.

    Raises
    ------
    BrokenTableError
        If the content is no text, lacks a column or rows, or a row has too few or too many values.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenTableError(f"{table}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    try:
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise BrokenTableError(f"{table}: no column {', '.join(missing)}; its columns are {', '.join(columns)}")
        empty = True
        for row in reader:
            empty = False
            if None in row or None in row.values():
                raise BrokenTableError(f"{table}: line {reader.line_num} has more or fewer values than the header")
            yield reader.line_num, {column: row[column].strip() for column in columns}
        if empty:
            raise BrokenTableError(f"{table}: there is a header and no row")
    except csv.Error as error:
        raise BrokenTableError(f"{table}: line {reader.line_num}: {error}") from None


def require_value(table: str, line: int, column: str, value: str, allowed: Collection[str]) -> None:
    """Refuse a value that the column cannot have."""
    if value not in allowed:
        raise BrokenTableError(f"{table}: line {line}: {column} is {value!r}; allowed is {', '.join(sorted(allowed))}")


def require_age(table: str, line: int, value: str) -> None:
    """Refuse an age that is no number of years."""
    if not (value.isascii() and value.isdigit() and 0 < int(value[:9]) < 120):
        raise BrokenTableError(f"{table}: line {line}: the age is {value!r}; it is a number of years")
