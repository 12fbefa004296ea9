"""Praat's TextGrids, long and short, whatever their encoding, read as Praat reads them."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ser.storage.delimited_tables import BrokenTableError

MOST_BYTES = 64 * 2**20
# Praat takes free-standing numbers, texts in quotation marks and flags, and passes over whatever else there is; a quote
# inside a text is doubled, and what follows "!" in a line is a comment.
TOKEN = re.compile(
    r'"([^"]*(?:""[^"]*)*)"|(?<!\S)(<\w+>)(?!\S)|(?<!\S)([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?!\S)|![^\n\r]*'
)


class Interval(NamedTuple):
    """A label, from and to in seconds as they are written; the same for a point."""

    start: str
    end: str
    label: str


class Tier(NamedTuple):
    """A tier: its name, whether it has intervals or points, and these."""

    name: str
    is_intervals: bool
    intervals: list[Interval]


class TextGrid(NamedTuple):
    """From and to in seconds, and the tiers."""

    start: float
    end: float
    tiers: list[Tier]


def read_textgrid(file: BinaryIO, name: str) -> TextGrid:
    """Read a TextGrid.

    Raises
    ------
    BrokenTableError
        If it is none, binary, cut off, or larger than `MOST_BYTES`.
    """
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BrokenTableError(f"{name} is larger than {MOST_BYTES // 2**20} MiB, which no TextGrid of speech is")
    if content.startswith(b"ooBinaryFile"):
        raise BrokenTableError(f"{name} is a binary TextGrid: save it in Praat as a text file")
    tokens = _tokens(_decoded(content, name))
    try:
        return _grid(tokens, name)
    except BrokenTableError:
        raise
    except (StopIteration, ValueError, IndexError):
        raise BrokenTableError(f"{name} is no TextGrid, or is cut off: save it in Praat again") from None


def _decoded(content: bytes, name: str) -> str:
    """Return the text: UTF-16 by its mark or its zeros, UTF-8, or Latin-1, as Praat wrote before 2009."""
    zeros = content[:200].count(b"\0") > len(content[:200]) // 3
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif zeros:
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8-sig":
            return content.decode("latin-1")
        raise BrokenTableError(f"{name} is not the UTF-16 that it begins as: save it in Praat again") from None


def _tokens(text: str) -> Iterator[str | float | tuple[str, ...]]:
    """Yield texts as they are, of a number its text in a tuple, of a flag such as <exists> an empty tuple."""
    for match in TOKEN.finditer(text):
        if match[1] is not None:
            yield match[1].replace('""', '"')
        elif match[3] is not None:
            yield (match[3],)
        elif match[2] is not None:
            yield ()


def _grid(tokens: Iterator, name: str) -> TextGrid:
    kinds = _text(tokens), _text(tokens)
    if kinds != ("ooTextFile", "TextGrid"):
        raise BrokenTableError(f"{name} is no TextGrid as a text file ({kinds[0][:40]}): save it in Praat as one")
    start, end = float(_number(tokens)), float(_number(tokens))
    if next(tokens) != ():
        raise ValueError("neither <exists> nor <absent>")
    tiers = []
    for _ in range(_count(tokens)):
        kind, title = _text(tokens), _text(tokens)
        _number(tokens), _number(tokens)
        intervals = []
        for _ in range(_count(tokens)):
            begin = _number(tokens)
            finish = _number(tokens) if kind == "IntervalTier" else begin
            intervals.append(Interval(begin, finish, _text(tokens)))
        tiers.append(Tier(title, kind == "IntervalTier", intervals))
    return TextGrid(start, end, tiers)


def _text(tokens: Iterator) -> str:
    found = next(tokens)
    if not isinstance(found, str):
        raise ValueError("no text")
    return found


def _number(tokens: Iterator) -> str:
    found = next(tokens)
    if not isinstance(found, tuple):
        raise ValueError("no number")
    return found[0]


def _count(tokens: Iterator) -> int:
    return int(_number(tokens))  # as many tokens must follow, so that it cannot ask for more than there is
