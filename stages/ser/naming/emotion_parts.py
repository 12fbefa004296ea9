"""Which part of the names states the emotion."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ser.naming.columns import (
    MOST_LABELS,
    Column,
    Grade,
    agree,
    could_be_words,
    dominant,
    emotion_grade,
    is_numeric,
    repeats,
    speaker_grade,
)
from ser.naming.name_parts import learn_cut
from ser.naming.spellings import search_key

SURE = 2
_FEW = 3  # classes, of which one known word is enough
_NEARLY_ALL = 0.9
_STAMP = 5  # numbers are a date and a time
_MOST_CLASSES = 21  # that are numbered


class Emotion(NamedTuple):
    """The column that states the emotion, and others that say the same.

    ``by_words`` tells whether it was found by words that are known.
    """

    column: Column
    same: list[Column]
    by_words: bool = True


class Undecided(NamedTuple):
    """Columns any of which could state the emotion, and why nobody knows."""

    columns: list[Column]
    why: str


def find_emotion(folders: Sequence[Column], tokens: Sequence[Column], takes: bool = False) -> Emotion | Undecided:
    """Return the column that states the emotion, or those of which nobody knows.

    Parameters
    ----------
    folders : sequence of Column
        Folders that differ and state nothing else that is known.
    tokens : sequence of Column
        Parts of names, of which the same is true.
    takes : bool
        Whether another part of names counts something.
    """
    columns = [*folders, *tokens]
    grades = {counted.part: emotion_grade(counted.counts) for counted in columns}
    sure = [counted for counted in columns if grades[counted.part].sure]
    if sure:
        return _of_sure(sure, grades)
    weak = [counted for counted in columns if _is_weak(counted, grades[counted.part])]
    others = [counted for counted in columns if counted not in weak and _could_be(counted)]
    if all(grades[counted.part].words == 1 for counted in weak):
        others += [counted for counted in folders if counted not in (*weak, *others) and not _surely_speakers(counted)]
    if len(weak) == 1 and not others:
        return Emotion(weak[0], [])
    if len(weak) > 1 and all(_same(weak[0], counted) for counted in weak[1:]) and not others:
        return Emotion(weak[0], weak[1:])
    if weak and (len(weak) > 1 or others):
        return Undecided([*weak, *others], "several parts of the names could state the emotion")
    return _without_words(folders, tokens, takes)


def _of_sure(sure: list[Column], grades: dict) -> Emotion | Undecided:
    first = max(sure, key=lambda counted: (round(grades[counted.part].share, 1), counted.whole, -counted.part.level))
    first_share = grades[first.part].share
    same, different = [], []
    for counted in sure:
        if counted is not first:
            (same if _same(first, counted) else different).append(counted)
    different = [other for other in different if grades[other.part].share > first_share - 0.3]
    if different:
        return Undecided([first, *different], "several parts of the names are words for emotions and do not agree")
    if first_share == 1 or grades[first.part].words > 1:
        return Emotion(first, same)
    return Undecided([first], "only some of the words are known")


def _is_weak(counted: Column, grade: Grade) -> bool:
    return grade.words > 1 or grade.words == 1 and len(counted.counts) <= _FEW


def _could_be(counted: Column) -> bool:
    """Tell whether a column could state an emotion by words that are not known."""
    return could_be_words(counted) and not _surely_speakers(counted)


def _surely_speakers(counted: Column) -> bool:
    return speaker_grade(counted.counts).grade == SURE


def _same(first: Column, second: Column) -> bool:
    """Tell whether two columns state the same emotion in nearly all files."""
    pairs = list(zip(first.values, second.values, strict=True))
    answers: Counter[bool | None] = Counter()
    for pair, count in Counter(pairs).items():
        answers[agree(*pair)] += count
    if answers[False] > (1 - _NEARLY_ALL) * len(pairs):
        return False
    if answers[True] >= _NEARLY_ALL * len(pairs):
        return True
    there = dominant(pairs)
    return (
        len({second for second, _, _ in there.values()}) == len(there)
        and all(share >= _NEARLY_ALL for _, share, _ in there.values())
        and (min(count for _, _, count in there.values()) > 1 or first.whole and answers[False] == 0)
    )


def _without_words(folders: Sequence[Column], tokens: Sequence[Column], takes: bool) -> Emotion | Undecided:
    """Decide where no word is known: one folder an emotion, unless something speaks against it."""
    words = [counted for counted in tokens if could_be_words(counted)]
    words = [counted for counted in words if not any(_repeats_values(folder, counted) for folder in folders)]
    looks = {counted.part: _looks_like_speakers(counted) for counted in folders}
    if len(folders) == 2 and sorted(looks.values()) == [False, True]:
        emotion = next(counted for counted in folders if not looks[counted.part])
        if not words:
            return Emotion(emotion, [], by_words=False)
    if len(folders) != 1:
        why = "no part of the names is a word for an emotion that is known here"
        return Undecided([*folders, *words] or [*tokens], why)
    folder = folders[0]
    if len(folder.counts) > MOST_LABELS:
        return Undecided([folder, *words], f"{len(folder.counts)} folders are too many for labels")
    if looks[folder.part]:
        return Undecided([folder, *words], "the folders look like speakers, and no word for an emotion is known here")
    if words:
        return Undecided([folder, *words], "neither folders nor parts of names are words for emotions known here")
    if any(_repeats_values(folder, counted) for counted in tokens):
        return Undecided([folder], "the names repeat the folders, which are no words for emotions known here")
    numbers = [counted for counted in tokens if is_numeric(counted.counts) and len(counted.counts) <= _MOST_CLASSES]
    if numbers and 1 < len(numbers) + takes < _STAMP:
        return Undecided([folder, *numbers], "neither folders nor parts of names are words for emotions known here")
    if _has_several_parts(folder):
        return Undecided([folder], "the names of the folders have several parts, none a word for an emotion known here")
    return Emotion(folder, [], by_words=False)


def _has_several_parts(folder: Column) -> bool:
    """Tell whether folders are called by two things, as ``anna_x``, ``anna_y``, ``ben_x``."""
    cut = learn_cut(folder.counts)
    spans = [(name, cut.spans(name)) for name in folder.counts] if cut else []
    parts = zip(*([name[start:end] for start, end in found] for name, found in spans if found), strict=True)
    return sum(1 < len(set(values)) < len(folder.counts) for values in parts) > 1


def _looks_like_speakers(counted: Column) -> bool:
    """Tell whether folders look like speakers by words, names or the way ids are written."""
    values = list(counted.counts)
    if is_numeric(values):
        numbers = {int(value) for value in values if len(value) < 9}
        classes = (
            min(numbers, default=9) <= 1 and max(numbers) < _MOST_CLASSES and not any(v[0] == "0" != v for v in values)
        )
        return not classes
    return speaker_grade(values).grade > 0


def _repeats_values(folder: Column, counted: Column) -> bool:
    if len(folder.values) >= 2 * len(folder.counts) and repeats(folder, counted):
        return True
    same = sum(search_key(one) == search_key(two) for one, two in zip(folder.values, counted.values, strict=True))
    return same >= _NEARLY_ALL * len(folder.values)
