"""Tables as text, by Excel and by Unix: CSV and TSV, read whole, no row lost or shifted."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

from ser.storage.table_text import BrokenTableError, lines_of_table

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MOST_LINES = 1000  # of one value
MOST_TRIES = 100  # at quotes of a tab-separated table that turn out to mean nothing
EXCEL_LINE = re.compile(r'"?sep=(\\t|[^"\w\s]|\t)"?', re.IGNORECASE)


class TableRow(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    line : int
        Where it begins, as an editor counts: the header is in line 1.
    values : list of str
        As many as the header has, if there is no `reason`; there may be blanks around them.
    reason : str
        Why it cannot be used; empty if it can.
    """

    line: int
    values: list[str]
    reason: str = ""


class Table(NamedTuple):
    """A table: the names of its columns, in NFC and without blanks around them, and its rows."""

    header: list[str]
    rows: list[TableRow]


def read_table(content: bytes, name: str, *, expected: Collection[str] = ()) -> Table:
    """Read a table that has a header, separated by commas, semicolons, tabs or bars.

    Parameters
    ----------
    content : bytes
        UTF-8, or UTF-16 with a byte order mark; lines end in LF, CRLF or CR. A first line ``sep=;`` is obeyed.
    name : str
        Of the file, for messages; one in ``.tsv`` is separated by tabs.
    expected : collection of str
        Names of columns that may be there: the separator by which most are found is the one.

    Returns
    -------
    Table
        Without lines that say nothing. A row of too many or too few values has a reason.

    Raises
    ------
    BrokenTableError
        If it is no text, has no rows, a column twice, or a quotation mark that is not closed.

    Notes
    -----
    In a table with tabs quotation marks mean nothing, unless a row only fits the header by them. In others they have
    the meaning of RFC 4180, but a value over several lines of which one looks like a row is an error: rather than to
    find out whose labels they are, the user is asked.
    """
    lines = lines_of_table(content, name)
    at, separator = _excel_separator(lines)
    at = next((place for place in range(at, len(lines)) if lines[place].strip()), len(lines))
    if at == len(lines):
        raise BrokenTableError(f"{name} is empty")
    reader = _Reader(lines, name, separator or _separator_of(lines, at, name, expected))
    header, at = reader.header(at)
    rows = []
    while at < len(lines):
        row, read = reader.row(at)
        if row is not None:
            rows.append(row)
        at += read
    if not rows:
        raise BrokenTableError(f"{name} has a header and no rows")
    return Table(header, rows)


def column_place(header: Sequence[str], name: str) -> int | None:
    """Return where a column is, or the only one that is called so but for case, blanks and ``_``; None: nowhere."""
    if name in header:
        return header.index(name)
    alike = [place for place, title in enumerate(header) if spelling(title) == spelling(name)]
    return alike[0] if len(alike) == 1 else None


def spelling(title: str) -> str:
    """Return the letters and digits of a column's name, in lower case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFC", title).casefold()))


def _excel_separator(lines: list[str]) -> tuple[int, str]:
    """Return where the table begins, and the separator that its first line states (empty if none does)."""
    stated = EXCEL_LINE.fullmatch(lines[0].rstrip("\r\n"))
    return (1, stated[1].replace("\\t", "\t")) if stated else (0, "")


def _separator_of(lines: list[str], at: int, name: str, expected: Collection[str]) -> str:
    wanted = {spelling(column) for column in expected}

    def fitness(separator: str) -> tuple[int, bool, int]:
        try:
            titles, _ = _quoted_values(lines, at, separator)
        except csv.Error:
            titles = lines[at].split(separator)
        found = len({spelling(title) for title in titles} & wanted)
        return found, separator == "\t" and name.lower().endswith((".tsv", ".tab")), len(titles)

    return max(SEPARATORS, key=fitness)  # the first of equals


def _quoted_values(lines: list[str], at: int, separator: str, *, strict: bool = False) -> tuple[list[str], int]:
    """Return the values of the record that begins at a line by the rules of quotes, and over how many lines it goes."""
    following = lines if len(lines) == 1 else (lines[place] for place in range(at, min(len(lines), at + MOST_LINES)))
    reader = csv.reader(following, delimiter=separator, skipinitialspace=separator != "\t", strict=strict)
    return next(reader), reader.line_num


class _Reader:
    """Reads the lines of a table, one record after another."""

    def __init__(self, lines: list[str], name: str, separator: str):
        self.lines, self.name, self.separator = lines, name, separator
        self.blanks = separator + " \t\r\n"
        self.width = self.written = 0  # columns, and those with the nameless ones at the end that Excel leaves
        self.all_quoted = False
        self.tries = MOST_TRIES

    def header(self, at: int) -> tuple[list[str], int]:
        """Return the names of the columns, without nameless ones at the end, and where the rows begin."""
        titles, read = self._quoted(at)
        self.all_quoted = self.lines[at].startswith('"')
        titles = [" ".join(unicodedata.normalize("NFC", title).split()) for title in titles]
        self.written = len(titles)
        while titles and not titles[-1]:
            titles.pop()
        if not titles:
            raise BrokenTableError(f"{self.name}, line {at + 1}: no column has a name")
        twice = [title for title, count in Counter(titles).items() if title and count > 1]
        if twice:
            raise BrokenTableError(
                f"{self.name}, line {at + 1}: the column {twice[0][:60]} is there twice: rename one, or take it away"
            )
        self.width = len(titles)
        self._require_own_lines(at, read)
        return titles, at + read

    def row(self, at: int) -> tuple[TableRow | None, int]:
        """Return the row that begins at a line, None if it says nothing, and over how many lines it goes."""
        line, read = self.lines[at], 1
        if not line.strip(self.blanks):
            return None, 1
        if '"' not in line:
            values = line.rstrip("\r\n").split(self.separator)
        elif self.separator == "\t":
            values, read = self._tabbed(at)
        else:
            values, read = self._quoted(at)
            if not any(values):
                return None, read
        if len(values) == self.width:
            cut = (
                len(values) < self.written
                and at + read == len(self.lines)
                and not self.lines[-1].endswith(("\n", "\r"))
            )
            return TableRow(at + 1, values, "the table ends within this row: save it again" if cut else ""), read
        if self._fits(values):
            return TableRow(at + 1, values[: self.width]), read
        if read > 1:  # one reason for several lines, which may have been rows
            raise BrokenTableError(
                f"{self.name}, line {at + 1}: a quotation mark opens a value that ends in line {at + read}, and that "
                f"makes {self._misfit(values)}; or close it in its line"
            )
        return TableRow(at + 1, values, self._misfit(values)), read

    def _fits(self, values: list[str]) -> bool:
        """Tell whether there are as many values as columns; nameless columns at the end are empty."""
        if len(values) == self.width:
            return True
        return len(values) == self.written and not any(value.strip() for value in values[self.width :])

    def _misfit(self, values: list[str]) -> str:
        counts, what = f"{len(values)} values for {self.width} columns", SEPARATORS.get(self.separator, self.separator)
        if len(values) < self.width:
            return f"{counts}: a row has as many as the header, empty ones too"
        if not any(value.strip() for value in values[self.width :]):  # or a value with a separator before empty ones
            return f"{counts}: put quotation marks around a value with a {what}, or take away a {what} at the end"
        return f"{counts}: put quotation marks around a value with a {what}"

    def _tabbed(self, at: int) -> tuple[list[str], int]:
        """Return the values of a line with quotation marks in a table with tabs, and over how many lines they go."""
        values = self.lines[at].rstrip("\r\n").split("\t")
        plain = [_unquoted(value) for value in values]
        opened = values[-1].startswith('"') and plain[-1] == values[-1]  # a last value may go on in the next line
        if (self._fits(values) and not opened) or not self.tries:
            return plain, 1
        try:
            quoted, read = _quoted_values(self.lines, at, "\t", strict=True)
        except csv.Error:
            self.tries -= 1
            return plain, 1
        if self._fits(quoted) and not self._swallowed(self.lines[at : at + read]):
            return quoted, read
        self.tries -= read > 1
        return plain, 1

    def _quoted(self, at: int) -> tuple[list[str], int]:
        """Return the values of a line with quotation marks, which have a meaning, and over how many lines they go."""
        with suppress(csv.Error):  # most lines are well written, and each by itself
            return _quoted_values(self.lines[at : at + 1], 0, self.separator, strict=True)
        try:
            values, read = _quoted_values(self.lines, at, self.separator)
            _, needed = _quoted_values([*self.lines[at : at + read], "\n"], 0, self.separator)
            if needed > read:
                raise csv.Error("the table ends before the value")
            if read > 1:
                _quoted_values(self.lines, at, self.separator, strict=True)
        except csv.Error:
            raise BrokenTableError(
                f"{self.name}, line {at + 1}: a quotation mark opens a value that is not closed in this line, nor in "
                "one where a value ends: close it, or write it twice inside a quoted value"
            ) from None
        if self.width and read > 1:
            self._require_own_lines(at, read)
        return values, read

    def _require_own_lines(self, at: int, read: int) -> None:
        """Refuse a record over several lines of which one looks like a row of its own."""
        row = self._swallowed(self.lines[at : at + read])
        if row:
            raise BrokenTableError(
                f"{self.name}, line {at + 1}: a quotation mark opens a value that ends in line {at + read}, and line "
                f"{at + 1 + row} looks like a row of its own: close it, or write the value in one line"
            )

    def _swallowed(self, lines: list[str]) -> int:
        """Return which of a record's lines after its first looks like a row of its own; 0: none does.

        One where a value ends may have as many by chance: it tells nothing if the first line is less than a row, as it
        would then be one that is broken twice. Where rows begin with a quotation mark others are none.
        """
        begun = len(lines[0].split(self.separator)) < self.width
        quoted = self.all_quoted and lines[0].startswith('"')
        for place, line in enumerate(lines[1:], start=1):
            inside = '"' not in line.replace('""', "")
            if (inside or not begun) and (not quoted or line.startswith('"')) and self._is_row(line):
                return place
        return 0

    def _is_row(self, line: str) -> bool:
        """Tell whether a line by itself has as many values as the table has columns."""
        line = line.rstrip("\r\n")
        if self._fits(line.split(self.separator)):
            return True
        return self.separator != "\t" and '"' in line and self._fits(_quoted_values([line], 0, self.separator)[0])


def _unquoted(value: str) -> str:
    """Return a value that is quoted as a whole without its quotation marks, others as they are."""
    if len(value) < 2 or not value.startswith('"') or not value.endswith('"'):
        return value
    inside = value[1:-1]
    return value if '"' in inside.replace('""', "") else inside.replace('""', '"')
