"""Which part of the names says who speaks, when it is known which part states the emotion.

A number of a take or of a sentence must not be taken for a speaker: training and test would then share voices that
are said to be apart. Where it cannot be told, nobody guesses.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ser.naming.columns import PAIRED, Column, dominant, is_numeric, repeats, speaker_grade

SURE, MAYBE = 2, 1
_MOST_SPEAKERS = 500  # that are numbered in names without a word for it
_MOST_DIGITS = 6  # of a number that counts something


class Unclear(NamedTuple):
    """Columns any of which could say who speaks."""

    columns: list[Column]


class Numbers(NamedTuple):
    """Columns of numbers, also of those with letters before them that say nothing: ``a03``."""

    column: Column
    values: Sequence[str]


def find_speaker(folders: Sequence[Column], tokens: Sequence[Column], emotions: Column) -> Column | Unclear | None:
    """Return the column that says who speaks, None if none does, or those of which nobody knows.

    Parameters
    ----------
    folders : sequence of Column
        Folders that state nothing that is known.
    tokens : sequence of Column
        Parts of names that state nothing that is known.
    emotions : Column
        What states the emotion.
    """
    graded = {counted.part: speaker_grade(counted.counts) for counted in (*folders, *tokens)}
    folders = _most_sure(folders, graded)
    if len(folders) > 1:
        return Unclear(list(folders))
    sure = [counted for counted in tokens if graded[counted.part].grade == SURE]
    sure += [counted for counted in tokens if counted not in sure and _stands_twice(counted, tokens)]
    numbered = [counted for counted in sure if _is_numbered(counted, emotions)]
    sure = [counted for counted in sure if counted not in numbered]
    if not folders and numbered:
        return Unclear([*numbered, *sure])
    if folders:
        folder = folders[0]
        other = [counted for counted in sure if not repeats(folder, counted)]
        if graded[folder.part].grade < SURE and is_numeric(folder.counts):
            other += [
                counted for counted in tokens if graded[counted.part].grade == MAYBE and not repeats(folder, counted)
            ]
        return Unclear([folder, *other]) if other else folder
    if sure:
        return sure[0] if all(repeats(sure[0], counted) for counted in sure[1:]) else Unclear(sure)
    return _by_look(tokens, graded, emotions)


def _most_sure(folders: Sequence[Column], graded: dict) -> Sequence[Column]:
    """Return the folders that look most like speakers; those that look less so say something else."""
    best = max((graded[counted.part].grade for counted in folders), default=0)
    return [counted for counted in folders if graded[counted.part].grade == best]


def _is_numbered(counted: Column, emotions: Column) -> bool:
    """Tell whether names have numbers behind them that tell files apart: ``anna1.wav`` and ``anna2.wav`` are of one."""
    names = {value: value.rstrip("0123456789_- ") for value in counted.counts}
    if speaker_grade(counted.counts).kind not in ("name", "sexed") or len(set(names.values())) > len(names) / 2:
        return False
    pairs = zip(counted.values, emotions.values, strict=True)
    return len(set(pairs)) > PAIRED * len(counted.values)


def _stands_twice(counted: Column, tokens: Sequence[Column]) -> bool:
    """Tell whether a part that is no number stands in the name of the folder and of the file."""
    if all(value.isdecimal() for value in counted.counts):
        return False
    files = len(counted.values)
    for other in tokens:
        if other.part.level != counted.part.level:
            same = sum(one == two for one, two in zip(counted.values, other.values, strict=True))
            if same >= PAIRED * files:
                return True
    return False


def _by_look(tokens: Sequence[Column], graded: dict, emotions: Column) -> Column | Unclear | None:
    """Choose among parts of names without a word or a name that would say it."""
    tokens = [counted for counted in tokens if not _is_unique(counted)]
    maybe = [counted for counted in tokens if graded[counted.part].grade == MAYBE]
    numbers = [
        Numbers(counted, values)
        for counted in tokens
        if counted not in maybe and (values := _numbers(counted, emotions)) is not None
    ]
    if len(maybe) + len(numbers) < len(tokens) or len(maybe) > 1:
        return Unclear(tokens)
    if maybe:
        return maybe[0] if numbers and maybe[0].part.piece == 0 else Unclear(tokens)
    alone = len(tokens) == 1 and is_numeric(tokens[0].counts)  # a name that is but a number is that of a file
    if not numbers or alone or len(numbers) == 1 and _counts_up(numbers[0].values):
        return None
    return Unclear(tokens)


def _numbers(counted: Column, emotions: Column) -> Sequence[str] | None:
    """Return the numbers of a column if it has only these, but for letters before that say no more than the emotion."""
    if is_numeric(counted.counts):
        return counted.values
    letters = [value.rstrip("0123456789") for value in counted.values]
    pairs = list(zip(counted.values, letters, strict=True))
    if any(any(map(str.isdecimal, prefix)) or prefix == value for value, prefix in set(pairs)):
        return None
    if any(share < PAIRED for _, share, _ in dominant(zip(emotions.values, letters, strict=True)).values()):
        return None
    return [value[len(prefix) :] for value, prefix in pairs]


def _is_unique(counted: Column) -> bool:
    """Tell whether a part stands in few files, or has another value in most: a word for a file, its number, a time."""
    files = sum(value != "" for value in counted.values)
    return files < len(counted.values) / 2 or files > 1 and len(counted.counts) > files / 2


def _counts_up(numbers: Sequence[str]) -> bool:
    """Tell whether numbers count from 0 or 1, with few gaps."""
    found = {int(value) for value in numbers if value.isdecimal() and len(value) <= _MOST_DIGITS}
    return len(found) > _MOST_SPEAKERS or bool(found) and min(found) <= 1 and max(found) <= 2 * len(found) + 1
