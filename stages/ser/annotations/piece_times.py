"""The begin and the end of a piece of a recording, as the text in which records state them."""

from decimal import Decimal

LONGEST = 10**7  # s; 115 days


def seconds_text(value: float | str) -> str:
    """Return a time in decimal notation, rounded to µs, without trailing zeros (``12.5``).

    Raises
    ------
    ValueError
        If it is no number of seconds from 0 to `LONGEST`; the message says so.
    """
    try:
        seconds = float(value)
    except ValueError:
        raise ValueError(f"{value!r} is no number of seconds") from None
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"{value} is no time in a recording, which is from 0 to {LONGEST} s")
    text = f"{Decimal(repr(round(seconds, 6))):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def why_no_piece(start: str, end: str) -> str:
    """Say why two times as `seconds_text` gives them (empty if open) bound no piece; empty if they do."""
    if start and end and float(end) <= float(start):
        return f"it ends at {end} s, which is not after its start at {start} s"
    return ""
