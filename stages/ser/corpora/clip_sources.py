"""The source of a clip: a file, or a piece or a channel of one, as ``call.wav#t=12.5,15.25&channel=2``.

The form is that of W3C's media fragments. Nothing is escaped: a file may have any name, even one that looks like a
piece. Only what lies behind the last ``#`` of a source can be a fragment, and it is one only if all of it is as
`format_source` writes it. A whole file whose name ends like that gets an empty fragment: ``a.wav#t=1,2#``.
"""

import re
from typing import NamedTuple

import numpy as np

SECONDS = r"[0-9]+(?:\.[0-9]+)?"
TIMES = rf"t=(?:(?P<start>{SECONDS})(?:,(?P<end>{SECONDS}))?|,(?P<only_end>{SECONDS}))"
CHANNEL = r"channel=(?P<channel>[1-9][0-9]{0,3})"
FRAGMENT = re.compile(rf"(?:{TIMES}(?:&(?=c)|$))?(?:{CHANNEL})?")


class ClipSource(NamedTuple):
    """Where a clip lies.

    Attributes
    ----------
    path : str
        Of its file, see `ser.corpora.corpus_files`.
    start, end : float or None
        s; None: the begin and the end of the file.
    channel : int or None
        From 1; None: all of them.
    """

    path: str
    start: float | None = None
    end: float | None = None
    channel: int | None = None


def format_source(path: str, start: float | None = None, end: float | None = None, channel: int | None = None) -> str:
    """Write a source, which `split_source` reads as the same again; the parameters are those of `ClipSource`."""
    times = f"{_decimal(start)},{_decimal(end)}".removesuffix(",")
    parts = [f"t={times}" * bool(times), f"channel={channel}" if channel is not None else ""]
    fragment = "&".join(filter(None, parts))
    return f"{path}#{fragment}" if fragment or split_source(path).path != path else path


def split_source(source: str) -> ClipSource:
    """Read a source."""
    path, mark, fragment = source.rpartition("#")
    found = FRAGMENT.fullmatch(fragment) if mark else None
    if found is None:
        return ClipSource(source)
    start, end = found["start"], found["end"] or found["only_end"]
    channel = found["channel"]
    return ClipSource(
        path,
        float(start) if start else None,
        float(end) if end else None,
        int(channel) if channel else None,
    )


def _decimal(seconds: float | None) -> str:
    """Return the shortest decimal notation that is the same number again, without an exponent."""
    return "" if seconds is None else np.format_float_positional(seconds, trim="-")
