"""Tables that corpora ship beside their clips, read whole and checked."""

from collections.abc import Collection, Iterator

from ser.storage.delimited_tables import BrokenTableError, read_table


def read_rows(content: bytes, table: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and stripped values of `columns` of every row; the table may have more columns.

    Raises
    ------
    BrokenTableError
        If the content is no table (see `ser.storage.delimited_tables`), lacks a column or rows, or a row has too few
        or too many values.
    """
    header, rows = read_table(content, table, expected=columns)
    missing = [column for column in columns if column not in header]
    if missing:
        raise BrokenTableError(f"{table}: no column {', '.join(missing)}; its columns are {', '.join(columns)}")
    places = {column: header.index(column) for column in columns}
    for line, values, reason in rows:
        if reason:
            raise BrokenTableError(f"{table}: line {line} has more or fewer values than the header ({reason})")
        yield line, {column: values[place].strip() for column, place in places.items()}


def require_value(table: str, line: int, column: str, value: str, allowed: Collection[str]) -> None:
    """Refuse a value that the column cannot have."""
    if value not in allowed:
        raise BrokenTableError(f"{table}: line {line}: {column} is {value!r}; allowed is {', '.join(sorted(allowed))}")


def require_age(table: str, line: int, value: str) -> None:
    """Refuse an age that is no number of years."""
    if not (value.isascii() and value.isdigit() and 0 < int(value[:9]) < 120):
        raise BrokenTableError(f"{table}: line {line}: the age is {value!r}; it is a number of years")
