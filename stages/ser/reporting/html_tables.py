"""Tables of a page: rows of a DataFrame as cells of text that know what they are sorted by."""

import math
import re
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup, escape

LONGEST = 300  # rows of a table on the page; the CSV file beside it holds all
NONE = "–"
LONGEST_WORD = 16  # characters that stay on one line, so that no name makes a table wider than the page
NARROWEST, WIDEST, BETWEEN = 6, 90, 2  # characters: of a narrow column, of all headers of a table, between two
_PIECE = re.compile(rf"[^\W_]{{1,{LONGEST_WORD}}}[\W_]{{0,4}}|[\W_]{{1,{LONGEST_WORD}}}")


class Cell(NamedTuple):
    """What a cell shows, the number it is sorted by (None: its text) and the length of its bar, 0 to 1."""

    text: str
    sort: float | None = None
    bar: float | None = None


class Column(NamedTuple):
    """A column: its header, how a row becomes its cell, and whether it holds numbers."""

    label: str
    cell: Callable[[dict], Cell]
    numeric: bool = True


class Table(NamedTuple):
    """A table as the template takes it; `left_out` counts the rows that were too many."""

    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    left_out: int
    source: str

    @property
    def upright(self) -> bool:
        """Whether the headers of numbers are to be set upright, as beside each other they are too wide."""
        return are_wide([column.label for column in self.columns])


def make_table(
    frame: pd.DataFrame, caption: str, columns: list[Column], *, source: str = "", longest: int = LONGEST
) -> Table:
    """Return the first rows of a table as cells; `source` names the file that holds all of them."""
    rows = [[column.cell(row) for column in columns] for row in frame.head(longest).to_dict("records")]
    return Table(caption, columns, rows, max(0, len(frame) - longest), source)


def words(label: str, name: str) -> Column:
    """Return a column of text; what is empty is shown as unknown."""
    return Column(label, lambda row: Cell(str(row[name]) if str(row[name]) else "unknown"), numeric=False)


def number(label: str, name: str, digits: int = 3, *, bar: bool = False, signed: bool = False) -> Column:
    """Return a column of numbers, optionally with a bar of their length or always with a sign."""

    def cell(row: dict) -> Cell:
        value = row[name]
        if is_missing(value):
            return Cell(NONE, math.nan)
        return Cell(decimal(value, digits, signed=signed), float(value), float(value) if bar else None)

    return Column(label, cell)


def count(label: str, name: str) -> Column:
    """Return a column of whole numbers."""
    return Column(label, lambda row: Cell(NONE, math.nan) if is_missing(row[name]) else _whole(row[name]))


def interval(label: str, low: str = "low", high: str = "high", *, signed: bool = False) -> Column:
    """Return a column of intervals, sorted by their lower ends."""
    return Column(label, lambda row: Cell(span(row[low], row[high], signed=signed), _sortable(row[low])))


def p_value(label: str, name: str) -> Column:
    """Return a column of p values; none is ever shown as 0."""
    return Column(label, lambda row: Cell(p_text(row[name]), _sortable(row[name])))


def breakable(text: str) -> Markup:
    """Return text as HTML in which a word of more than `LONGEST_WORD` characters may end on the next line.

    It is broken behind signs, as in ``discriminant_analysis``, and where there are none behind as many letters.
    """
    parts = re.split(r"(\s+)", text)
    pieces = [_PIECE.findall(part) if len(part) > LONGEST_WORD else [part] for part in parts]
    return Markup("").join(Markup("<wbr>").join(map(escape, part)) for part in pieces)


def are_wide(headers: list[str]) -> bool:
    """Tell whether headers of narrow columns are too wide to stand beside each other."""
    pieces = [[len(piece) for word in header.split() for piece in _PIECE.findall(word)] for header in headers]
    return sum(max([*lengths, NARROWEST]) + BETWEEN for lengths in pieces) > WIDEST


def decimal(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """Return a number with a true minus sign, or a dash where there is none."""
    if is_missing(value):
        return NONE
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return ("0" * (not digits) or f"{0:.{digits}f}") if float(text) == 0 else text.replace("-", "−")


def span(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """Return an interval as text."""
    if is_missing(low) or is_missing(high):
        return NONE
    return f"{decimal(low, signed=signed)} to {decimal(high, signed=signed)}"


def percent(value: float | None) -> str:
    """Return a share as a whole percentage without its sign."""
    return NONE if is_missing(value) else f"{100 * value:.0f}"


def p_text(value: float | None) -> str:
    """Return a p value with three digits."""
    if is_missing(value):
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def is_missing(value: float | None) -> bool:
    """Tell whether there is no number."""
    return value is None or math.isnan(value)


def _sortable(value: float | None) -> float:
    return math.nan if is_missing(value) else float(value)


def _whole(value: float) -> Cell:
    return Cell(f"{int(value):,}", float(value))
