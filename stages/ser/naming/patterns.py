"""A layout that the user states: a pattern with named fields, such as ``{speaker}_{emotion}_{take}``."""

import re
from pathlib import PurePosixPath

from ser.naming.layouts import Layout
from ser.naming.name_parts import folders_and_stem
from ser.naming.part_words import fold_of_part, sex_of_word
from ser.naming.spellings import composed, plain

FIELDS = (
    "emotion", "speaker", "sex", "language", "statement", "intensity", "fold", "global_speaker", "age",
)  # fmt: skip
PASSED_OVER = ("take", "name", "_")
_FIELD = re.compile(r"\{([^{}]*)\}")
_TWO_WAYS = "two ways"


def parse_pattern(pattern: str) -> Layout:
    """Return the layout that a pattern states.

    Parameters
    ----------
    pattern : str
        Fields of `FIELDS` in braces, each at least one character long; ``{take}``, ``{name}`` and ``{_}`` stand for
        text that is passed over, and all else for itself. A pattern without ``/`` is compared with the name of a file
        without its suffix; one with ``/`` also with as many of its folders, the last ones. A field that stands twice
        must be the same twice.

    Raises
    ------
    ValueError
        If the pattern cannot be one; the message says why.
    """
    segments = [_Segment(segment) for segment in composed(pattern).split("/")]
    names = [name for segment in segments for name in segment.names]
    if unknown := [name for name in names if name not in FIELDS + PASSED_OVER]:
        raise ValueError(
            f"the pattern {pattern!r} has a field {{{unknown[0]}}}, which is none of {', '.join(FIELDS)} or, for text "
            f"that is passed over, {', '.join(PASSED_OVER)}"
        )
    if "emotion" not in names:
        raise ValueError(f"the pattern {pattern!r} has no field {{emotion}}")

    def read(path: PurePosixPath) -> dict[str, str] | str:
        folders, stem = folders_and_stem(path)
        parts = [*folders, stem][-len(segments) :]
        if len(parts) < len(segments):
            return f"it lies in fewer folders than prepare.pattern {pattern} names"
        values: dict[str, str] = {}
        for segment, part in zip(segments, parts, strict=True):
            found = segment.match(part)
            if found is None:
                return f"{part!r} does not fit prepare.pattern {pattern}"
            if found == _TWO_WAYS:
                return f"{part!r} fits prepare.pattern {pattern} in several ways"
            for name, value in found:
                if name not in PASSED_OVER and values.setdefault(name, value) != value:
                    return f"the {name} is {values[name]!r} and {value!r} by prepare.pattern {pattern}"
        return _checked(values)

    return Layout(f"read as {pattern}", read)


class _Segment:
    """A part of a pattern between two ``/``: text and fields in turn."""

    def __init__(self, text: str):
        pieces = _FIELD.split(text)
        self.texts, self.names = pieces[::2], pieces[1::2]
        if any("{" in piece or "}" in piece for piece in self.texts):
            raise ValueError(f"the pattern {text!r} has a brace without its other half")
        if not text:
            raise ValueError("the pattern begins or ends with /, or holds two of them: name a folder, or {_} for any")
        if "" in self.texts[1:-1]:
            first, second = next(
                pair for pair, between in zip(self._pairs(), self.texts[1:-1], strict=True) if not between
            )
            raise ValueError(f"the pattern {text!r} does not say where {{{first}}} ends and {{{second}}} begins")
        if self.names and re.fullmatch(r"\.\w{2,5}", self.texts[-1]):
            raise ValueError(f"the pattern {text!r} names a suffix: leave {self.texts[-1]} away")

    def _pairs(self) -> list[tuple[str, str]]:
        return list(zip(self.names, self.names[1:], strict=False))

    def match(self, part: str) -> list[tuple[str, str]] | str | None:
        """Return fields with their values, `_TWO_WAYS`, or None: the first and the last way to lay out the texts."""
        first, *between, last = self.texts if self.names else (self.texts[0], "")
        if not self.names:
            return [] if part == first else None
        if not (part.startswith(first) and part.endswith(last) and len(part) > len(first) + len(last)):
            return None
        inside = part[len(first) : len(part) - len(last)]
        values = _first_way(inside, between)
        if values is None:
            return None
        backwards = _first_way(inside[::-1], [text[::-1] for text in reversed(between)])
        if backwards is None or [value[::-1] for value in reversed(backwards)] != values:
            return _TWO_WAYS
        return list(zip(self.names, values, strict=True))


def _first_way(text: str, between: list[str]) -> list[str] | None:
    """Cut a text at the first places where the texts between fields can stand, none of which is empty."""
    values, start = [], 0
    for separator in between:
        end = text.find(separator, start + 1)
        if end < 0:
            return None
        values.append(text[start:end])
        start = end + len(separator)
    return [*values, text[start:]] if start < len(text) else None


def _checked(values: dict[str, str]) -> dict[str, str] | str:
    """Return values as tables hold them, or what is wrong with one."""
    values = {name: plain(value) for name, value in values.items()}
    if empty := next((name for name, value in values.items() if not value), ""):
        return f"its {empty} is empty by prepare.pattern"
    if "sex" in values:
        values["sex"] = sex_of_word(values["sex"]) or values["sex"]
    if "fold" in values and not values["fold"].isdecimal():
        fold = fold_of_part(values["fold"])
        if fold is None:
            return f"the fold {values['fold']!r} is no number from 0"
        values["fold"] = fold
    return values
