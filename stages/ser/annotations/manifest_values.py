"""What single values of a manifest mean: names, folds, channels and times, as people write them."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal

NOTHING = ("nan", "NaN", "<NA>", "NaT")  # what pandas writes for a value that is not there
MISSING_WORDS = ("na", "n/a", "none", "null", "nil")  # names, for whoever is called so
SEXES = {word: "female" for word in ("f", "w", "woman", "girl", "female_feminine")}
SEXES |= {word: "male" for word in ("m", "man", "boy", "male_masculine")}
CHANNELS = {"left": "1", "right": "2"}
MOST_CHANNELS = 32
LONGEST = 10**7  # seconds, four months

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_WHOLE = re.compile(r"-?[0-9]+\.0")
_FOLD = re.compile(r"[0-9]{1,6}")
_SECONDS = re.compile(r"[0-9]{1,9}(?:[.,][0-9]{1,40})?|[0-9](?:\.[0-9]{1,40})?[eE][+-]?[0-9]{1,2}")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{1,2}(?:[.,][0-9]{1,40})?)")


class BadValueError(ValueError):
    """A value that cannot be what its column says; the message is the reason for the quarantine."""


def meant(value: str) -> str:
    """Return a value in NFC and without blanks around it; empty if it stands for nothing.

    Raises
    ------
    BadValueError
        If it holds a line break or another control character.
    """
    value = unicodedata.normalize("NFC", value.strip().strip("\ufeff\u200b").strip())
    if _CONTROL.search(value):
        raise BadValueError("a line break or another control character in a value")
    return "" if value in NOTHING else value


def without_fractions(values: Iterable[str]) -> dict[str, str]:
    """Return by value what the values of a column mean if it is one of whole numbers with gaps (``3.0`` is 3).

    That it is if all its values are written so; no two become one.
    """
    known = {value for value in values if value}
    if not all(map(_WHOLE.fullmatch, known)):
        return {}
    return {value: value.removesuffix(".0") for value in known}


def sex_of(value: str) -> str:
    """Return ``female`` or ``male`` for the usual words, others in lower case."""
    return SEXES.get(value.lower(), value.lower())


def fold_of(value: str) -> str:
    """Return a fold's number."""
    if value and not _FOLD.fullmatch(value):
        raise BadValueError(f"the fold {shown(value)} is no number from 0")
    return str(int(value)) if value else ""


def channel_of(value: str) -> str:
    """Return a channel's number, from 1."""
    number = CHANNELS.get(value.lower(), value)
    if not number or (_FOLD.fullmatch(number) and 1 <= int(number) <= MOST_CHANNELS):
        return str(int(number)) if number else ""
    raise BadValueError(f"the channel {shown(value)} is none from 1 to {MOST_CHANNELS}, nor left or right")


def seconds_of(value: str) -> str:
    """Return a time as seconds in decimal notation, to the microsecond.

    It may be written in seconds (``75.5``, ``75,5``, ``7.55e1``) or by the clock (``1:15.5``, ``0:01:15.5``).
    """
    if not value:
        return ""
    clock = _CLOCK.fullmatch(value)
    if clock:
        hours, minutes, seconds = clock[1] or "0", clock[2], clock[3].replace(",", ".")
        if int(minutes) >= 60 or Decimal(seconds) >= 60:
            raise BadValueError(f"the time {shown(value)} has 60 or more minutes or seconds")
        time = 3600 * int(hours) + 60 * int(minutes) + Decimal(seconds)
    elif _SECONDS.fullmatch(value):
        time = Decimal(value.replace(",", "."))
    else:
        raise BadValueError(f"the time {shown(value)} is neither seconds from 0 nor h:mm:ss")
    if time >= LONGEST:
        raise BadValueError(f"the time {shown(value)} is later than any recording goes")
    return plain_seconds(time)


def plain_seconds(time: Decimal) -> str:
    """Return seconds in decimal notation, to the microsecond."""
    text = f"{time:.6f}"
    return text.rstrip("0").rstrip(".")


def shown(value: str) -> str:
    """Return a value in quotation marks for a message, not too long."""
    return repr(value if len(value) <= 60 else value[:57] + "…")


def by_value(values: Iterable[str], read: Callable[[str], str]) -> tuple[dict[str, str], dict[str, str]]:
    """Read each of the values once.

    Returns
    -------
    read : dict of str to str
        What a value means, empty if it cannot be read.
    faults : dict of str to str
        Why those that cannot be read cannot.
    """
    results, faults = {}, {}
    for value in set(values):
        try:
            results[value] = read(value)
        except BadValueError as error:
            results[value] = ""
            faults[value] = str(error)
    return results, faults
