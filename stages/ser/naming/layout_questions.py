"""What is asked where names can be read in several ways: an example, its readings, patterns that settle it."""

import re
from collections.abc import Mapping, Sequence

from ser.naming.columns import Column, Part
from ser.naming.name_parts import Cut

_MOST = 4  # readings that are shown


def pattern_of(path: Sequence[str], fields: Mapping[Part, str], cuts: Mapping[int, Cut]) -> str:
    """Return the pattern that reads fields from their parts of a path, an example: its folders and its name."""
    levels = [part.level for part in fields]
    shown = []
    for level in range(min(levels), len(path)):
        here = {part.piece: field for part, field in fields.items() if part.level == level}
        if not here:
            shown.append("{_}")
        elif -1 in here:
            shown.append(f"{{{here[-1]}}}")
        else:
            shown.append(_cut_pattern(path[level], here, cuts[level]))
    return "/".join(shown)


def _cut_pattern(name: str, fields: Mapping[int, str], cut: Cut) -> str:
    pieces, last = [], 0
    for piece, (start, end) in enumerate(cut.spans(name) or []):
        if start < end:
            pieces += [name[last:start], f"{{{fields.get(piece, '_')}}}"]
            last = end
    return "".join([*pieces, name[last:]])


def ask(
    path: Sequence[str],
    suffix: str,
    candidates: Sequence[Column],
    field: str,
    known: Mapping[Part, str],
    cuts: Mapping[int, Cut],
    why: str,
) -> str:
    """Return the question which of several parts states a field, with an example and patterns."""
    ways = {}
    for candidate in candidates[:_MOST]:
        value = _value(path, candidate.part, cuts)
        pattern = pattern_of(path, {**known, candidate.part: field}, cuts)
        if value and _can_be_stated(pattern):
            ways.setdefault(pattern, value)
    doubt = " or ".join(f"{value!r}" for value in dict.fromkeys(ways.values()))
    patterns = " or ".join(f'"{pattern}"' for pattern in ways)
    said = "who speaks" if field == "speaker" else "the emotion"
    nobody = pattern_of(path, known, cuts) if known else ""
    nobody = f', or if none does "{nobody}"' if nobody and _can_be_stated(nobody) else ""
    return _printable(
        f"{why}: in {'/'.join(path)}{suffix}, {doubt or 'no part'} may state {said}; "
        f"say which by prepare.pattern: {patterns or _GENERAL}{nobody} ({{_}} is text that is passed over)"
        + ("" if known else ", or state the labels in a table")
    )


def _printable(text: str) -> str:
    """Return a text as one line, also where names of files hold line breaks or bytes that are no UTF-8."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _can_be_stated(pattern: str) -> bool:
    """Tell whether fields have text between them and names no braces."""
    return "}{" not in pattern and not set("{}") & set(re.sub(r"\{\w+\}", "", pattern))


_GENERAL = '"{speaker}_{emotion}_{_}"'


def _value(path: Sequence[str], part: Part, cuts: Mapping[int, Cut]) -> str:
    if part.piece < 0:
        return path[part.level]
    spans = cuts[part.level].spans(path[part.level])
    return path[part.level][slice(*spans[part.piece])] if spans else ""
