"""From the bytes of a table that somebody wrote to its lines: encodings, line ends, and what is no text at all."""

import io
import re

OTHER_FILES = (
    (b"PK\x03\x04", "is a ZIP archive or an Excel workbook: save the table in it as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook: save its table as CSV (UTF-8)"),
    (b"\x1f\x8b", "is compressed: unpack it"),
    (b"PAR1", "is a Parquet table: call it .parquet"),
    (b"version https://git-lfs.github.com/", "is a Git LFS pointer and not the table: run git lfs pull"),
)
WEB_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
UTF_8_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class BrokenTableError(ValueError):
    """A table or an annotation that cannot be read; the message names it, the line, what is wrong, and the remedy."""


def lines_of_table(content: bytes, name: str) -> list[str]:
    """Return the lines of a table with their ends, which are LF, CRLF and CR and nothing else.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without a byte order mark, or UTF-16 with one.
    name : str
        Of the table, for messages.

    Raises
    ------
    BrokenTableError
        If it is no text in these encodings, holds NUL characters, or nothing.
    """
    for beginning, what in OTHER_FILES:
        if content.startswith(beginning):
            raise BrokenTableError(f"{name} {what}")
    if WEB_PAGE.match(content[:500]):
        raise BrokenTableError(f"{name} is a web page and not the table: download the file itself")
    content = _as_utf_8(content, name)
    if b"\0" in content:
        line = line_of(content, content.index(b"\0"))
        raise BrokenTableError(f"{name}, line {line}: a NUL character, which no table has: save it as UTF-8")
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="").readlines()
    if len(lines) != line_of(content, len(content)) - content.endswith((b"\n", b"\r")):
        raise BrokenTableError(f"{name}: {len(lines)} lines were read and others are there: save it as UTF-8 anew")
    return lines


def line_of(content: bytes, place: int) -> int:
    """Return the line, counted from 1, in which a byte lies."""
    return 1 + content.count(b"\n", 0, place) + content.count(b"\r", 0, place) - content.count(b"\r\n", 0, place)


def _as_utf_8(content: bytes, name: str) -> bytes:
    """Return a text in UTF-8 without byte order marks."""
    if content.startswith(UTF_16_MARKS):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeError:
            raise BrokenTableError(f"{name} begins as UTF-16 does and is not: save it as UTF-8") from None
    while content.startswith(UTF_8_MARK):  # some programs put one before another's
        content = content[len(UTF_8_MARK) :]
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line, byte = line_of(content, error.start), content[error.start]
        raise BrokenTableError(
            f"{name}, line {line}: the byte 0x{byte:02x} is not UTF-8: save the table as UTF-8 (in Excel: CSV UTF-8)"
        ) from None
    if not content.strip():
        raise BrokenTableError(f"{name} is empty")
    return content
