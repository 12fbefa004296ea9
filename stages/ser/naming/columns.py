"""Folders of one depth and parts of names as columns: what their values are, taken together."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ser.naming.emotion_lexicon import means_emotion
from ser.naming.emotion_words import noun_and_word
from ser.naming.first_names import is_first_name
from ser.naming.label_schemes import IEMOCAP, fits_codes
from ser.naming.part_words import (
    fold_of_part,
    is_intensity,
    is_language,
    is_leftover,
    names_count,
    names_person,
    names_thing,
    sex_of_word,
)
from ser.naming.spellings import search_key

MOST_LABELS = 300  # of a corpus; more values state something else
MOST_WORDS = 50  # of a part that could state an emotion in words that are not known
PAIRED = 0.95  # of the files, in which a part of the name repeats the folder
_MOST_CODES = 30
_MANY = 20  # distinct values, among which one may lie by chance
_ENOUGH = 7  # files that a value usually has, beside which two are few
_MOST_RARE = 0.1  # of the values
_SAMPLE = 500  # of values whose kind is looked at
_SEXED = re.compile(r"(?:[fmw]|female|male|woman|man)[\W_]?\d{1,4}", re.IGNORECASE)
_LETTER_AND_NUMBER = re.compile(r"(?:sp|SP|Sp|[spfmwSPFMW])[\W_]?\d{1,4}|[A-Z]{2}\d{0,4}|[A-Z]{3}\d{1,4}")
_CAPITALS = re.compile(r"[A-Z]{2}\d{0,4}|[A-Z]{3}\d{1,4}")
_COMMON_LANGUAGES = {
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "ru",
    "zh",
    "ja",
    "ko",
    "ar",
    "tr",
    "pl",
    "hi",
    "fa",
    "ur",
    "nl",
}


class Part(NamedTuple):
    """Where a column stands: the folder (0 is the first; their number is the file's name), and which part of it.

    ``piece`` is -1 for all of a folder.
    """

    level: int
    piece: int = -1


class Column(NamedTuple):
    """The values of one part in all files, and how many files have each; without values of hardly a file."""

    part: Part
    values: Sequence[str]
    counts: Mapping[str, int]

    @property
    def whole(self) -> bool:
        """Whether it is a folder and no part of a name."""
        return self.part.piece < 0

    @property
    def varies(self) -> bool:
        """Whether not all files have the same value."""
        return len(self.counts) > 1


def column(part: Part, values: Sequence[str]) -> Column:
    """Return a column with its counts; leftovers such as a folder ``old`` are not counted."""
    counts = Counter(values)
    del counts[""]  # names that are not cut as the others
    kept = {value: count for value, count in counts.items() if not (part.piece < 0 and is_leftover(value))}
    return Column(part, values, _usual(kept, part.piece < 0) or kept or counts)


def _usual(counts: Mapping[str, int], whole: bool) -> dict[str, int]:
    """Return the values without those of a few files that lie among others by chance."""
    if len(counts) == 2 and not whole:
        (most, files), (other, few) = sorted(counts.items(), key=lambda item: -item[1])
        chance = few <= 2 and files >= 10 * few and not (means_emotion(other) or is_first_name(other))
        return {most: files} if chance else dict(counts)
    if len(counts) < 3:
        return dict(counts)
    middle = sorted(counts.values())[len(counts) // 2]
    few = min(middle - 1, 2 if middle > _ENOUGH else 1)
    rare = [value for value, count in counts.items() if count <= few]
    if len(rare) > min(_MOST_RARE * len(counts) + 2, len(counts) / 2):
        return dict(counts)
    return {value: count for value, count in counts.items() if count > few}


def some(values: Collection[str]) -> list[str]:
    """Return distinct values, or some of them if there are very many."""
    values = sorted(values)
    return values[:: len(values) // _SAMPLE + 1]


def is_numeric(counts: Collection[str]) -> bool:
    """Tell whether all values are numbers, of many nearly all."""
    values = some(counts)
    numbers = sum(map(str.isdecimal, values))
    return numbers == len(values) or len(values) > _MANY and numbers >= PAIRED * len(values)


def role_of(counted: Column) -> str:
    """Return what a column states by its words, if that is neither an emotion nor a speaker.

    Returns
    -------
    str
        ``fold``, ``sex``, ``language``, ``intensity``, ``thing`` for what is nobody (``session1``), or an empty text.
    """
    values = some(counted.counts)
    if 2 * sum(fold_of_part(value) is not None for value in values) > len(values):
        return "fold"
    if all(sex_of_word(value) for value in values) and len({sex_of_word(value) for value in values}) > 1:
        return "sex"
    if len(values) > 1 and all(map(is_intensity, values)):
        return "intensity"
    if len(values) > 1 and all(map(is_language, values)) and (counted.whole or any(len(v) > 3 for v in values)):
        keys = {search_key(value).split(" ")[0].split("-")[0] for value in values}
        if keys & _COMMON_LANGUAGES or all(len(key) > 3 for key in keys):
            return "language"
    if 2 * sum(map(names_thing, values)) > len(values) and not all(map(means_emotion, values)):
        return "thing"
    if not counted.whole and all(map(names_count, values)):
        return "thing"
    return ""


class Grade(NamedTuple):
    """How much a column looks like emotions: the share of its values that are known, and whether it surely is one."""

    share: float
    words: int
    sure: bool


def is_known_label(value: str, others: Collection[str]) -> bool:
    """Tell whether a value is known as an emotion, as a word or as a code like the others."""
    key = search_key(value)
    return (
        means_emotion(value) or key in IEMOCAP.emotions or len(others) <= _MOST_CODES and fits_codes([*others, value])
    )


def emotion_grade(counts: Mapping[str, int]) -> Grade:
    """Tell how many values of a column are known as emotions, as codes or as words of some language."""
    if not counts or len(counts) > MOST_LABELS:
        return Grade(0.0, 0, False)
    if fits_codes(counts):
        return Grade(1.0, len(counts), True)
    of_key = {search_key(value): value for value in counts}
    known = [key for key in of_key if means_emotion(key) or key in IEMOCAP.emotions]
    words = sum(not is_first_name(key) for key in known)  # Joy may be who speaks
    share = len(known) / len(of_key)
    return Grade(share, words, words > 1 and share >= 0.5)


class SpeakerGrade(NamedTuple):
    """How much a column looks like speakers: 2 surely, 1 maybe, 0 nothing says so."""

    grade: int
    kind: str


def speaker_grade(counts: Collection[str]) -> SpeakerGrade:
    """Tell by the look of its values whether a column says who speaks."""
    values = some(counts)
    if all(map(names_person, values)):
        return SpeakerGrade(2, "word")
    if all(map(_SEXED.fullmatch, values)) and len({sex_of_word(value[0]) for value in values}) > 1:
        return SpeakerGrade(2, "sexed")
    if 2 * sum(map(_has_first_name, values)) >= len(values):
        return SpeakerGrade(2, "name")
    if all(map(_LETTER_AND_NUMBER.fullmatch, values)) and (
        all(any(map(str.isdecimal, value)) for value in values) or all(map(_CAPITALS.fullmatch, values))
    ):
        return SpeakerGrade(1, "code")
    return SpeakerGrade(0, "number" if all(map(str.isdecimal, values)) else "")


def _has_first_name(value: str) -> bool:
    return any(map(is_first_name, re.split(r"[\s_.-]+", value.rstrip("0123456789_- "))))


def could_be_words(counted: Column) -> bool:
    """Tell whether a column could state an emotion in words that are not known: few words, each in several files."""
    files = sum(counted.counts.values())
    values = counted.counts
    return (
        1 < len(values) <= MOST_WORDS
        and (counted.whole or 2 * len(values) <= files or files < 8)
        and all(not any(map(str.isdecimal, value)) for value in values)
    )


def agree(first: str, second: str) -> bool | None:
    """Tell whether two texts name the same emotion; None if at least one of them is not known."""
    one, two = search_key(first), search_key(second)
    if one == two:
        return True
    meant = [_nouns(key) for key in (one, two)]
    if not all(meant):
        return None
    return bool(meant[0] & meant[1])


def _nouns(key: str) -> set[str]:
    found = noun_and_word(key)
    return ({found[0], found[1]} if found else set()) | (
        {IEMOCAP.emotions[key]} - {""} if key in IEMOCAP.emotions else set()
    )


def dominant(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, float, int]]:
    """Return, for each first value, the second that goes with it most, its share and the number of files."""
    together: dict[str, Counter[str]] = {}
    for (first, second), count in Counter(pairs).items():
        together.setdefault(first, Counter())[second] += count
    return {first: (*_most(seconds), seconds.total()) for first, seconds in together.items()}


def _most(seconds: Counter[str]) -> tuple[str, float]:
    value, count = min(seconds.items(), key=lambda item: (-item[1], item[0]))
    return value, count / seconds.total()


def repeats(first: Column, second: Column) -> bool:
    """Tell whether two columns name the same persons."""
    pairs = list(zip(first.values, second.values, strict=True))
    there = dominant(pairs)
    back = dominant((two, one) for one, two in pairs)
    return all(share >= PAIRED for _, share, _ in (*there.values(), *back.values()))
