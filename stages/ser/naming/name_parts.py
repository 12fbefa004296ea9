"""The parts of the names of files and folders, in NFC."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import NamedTuple

from ser.naming.emotion_lexicon import means_emotion, parted_words
from ser.naming.part_words import PEOPLE, THINGS
from ser.naming.spellings import composed, search_key

_SUFFIX = re.compile(r"\.(?=\d*[A-Za-z])[A-Za-z0-9]{1,5}$")  # a number after a dot is the end of a time or a version
_PACKED = re.compile(r"(?<=.)\.(?:zip|tgz|tar(?:\.\w{2,4})?)$", re.IGNORECASE)
_BETWEEN = r"\s_.,;+()\[\]{}~#&=@!\"\u2010-\u2015\u00b7\u3000-\u3002\uff08\uff09\uff0c\uff3f\uff0d-"
_PART = re.compile(rf"[^{_BETWEEN}]+")
_NUMBER = re.compile(r"\d+")
_RUNS = re.compile(r"\d+|[A-Z]+(?![^\dA-Z])|[A-Z]?[^\dA-Z]+")
_DIGITS = "0123456789"
_MOST_DISTINCT = 500  # texts that are looked at for what holds for all
_MOST_PARTS = 12  # more are a sentence
_NEARLY_ALL = 0.8
_ALL_BUT_STRAYS = 0.95


def folders_and_stem(path: PurePosixPath) -> tuple[tuple[str, ...], str]:
    """Return the folders of a file and its name without suffix; an archive is a folder of its name without suffix."""
    *folders, name = map(composed, path.parts)
    suffix = _SUFFIX.search(name, 1)
    return tuple(_PACKED.sub("", folder) if "." in folder else folder for folder in folders), name[
        : suffix.start()
    ] if suffix else name


def spans_of_parts(text: str) -> list[tuple[int, int]]:
    """Return where the parts of a name begin and end.

    ``spk_01``, ``take 3`` and ``pleasant_surprise`` are one part each.
    """
    spans: list[tuple[int, int]] = []
    parted = _parted_by_begin()
    word = None  # the part before, if it is one with what follows
    for match in _PART.finditer(text):
        start, end = match.span()
        if word:
            begin = spans[-1][0]
            number = _NUMBER.match(text, start)
            if number and (word in PEOPLE or word in THINGS and number.end() == end):
                spans[-1] = begin, number.end()
                start = number.end()
            elif not number and _is_parted(text[begin:end].rstrip(_DIGITS)):
                spans[-1] = begin, end
                start = end
        if start < end:
            spans.append((start, end))
        lower = text[start:end].lower()
        word = lower if lower in PEOPLE or lower in THINGS or lower[:2] in parted else None
    return spans


def _is_parted(text: str) -> bool:
    words = _parted_by_begin().get(text[:2].lower())
    return words is not None and search_key(text) in words


@cache
def _parted_by_begin() -> dict[str, set[str]]:
    words: dict[str, set[str]] = {}
    for word in parted_words():
        words.setdefault(word[:2], set()).add(word)
    return words


def emotion_within(text: str, known: Iterable[str] = ()) -> tuple[int, int] | None:
    """Return where in a part such as ``spk1happy03`` a word for an emotion stands, between digits or capitals."""
    core = text.strip(_DIGITS)
    if core == text and means_emotion(text):
        return None
    if core and means_emotion(core):  # also pleasant_surprise01
        start = text.index(core)
        return start, start + len(core)
    spans = [match.span() for match in _RUNS.finditer(text)]
    for start, end in spans if len(spans) > 1 else ():
        word = text[start:end]
        if len(word) > 1 and not word.isdecimal() and (means_emotion(word) or known and search_key(word) in known):
            return start, end
    return None


class Cut(NamedTuple):
    """How the names of one level are cut into parts.

    Attributes
    ----------
    parts : int
        How many parts a name has; those that have another number do not fit.
    inside : frozenset of int
        Those in which a word for an emotion is written together with something else: each gives three.
    open_end : bool
        Whether numbers at the end are passed over, as not all names have them.
    codes : frozenset of str
        What counts as a word for an emotion besides those of the lexicon.
    """

    parts: int
    inside: frozenset[int]
    open_end: bool
    codes: frozenset[str] = frozenset()

    def spans(self, text: str) -> list[tuple[int, int]] | None:
        """Return where the parts of a name lie, or None if it does not fit."""
        spans = spans_of_parts(text)
        if self.open_end:
            spans = _without_numbers(text, spans)
        if len(spans) != self.parts:
            return None
        if not self.inside:
            return spans
        cut: list[tuple[int, int]] = []
        for number, (start, end) in enumerate(spans):
            if number not in self.inside:
                cut.append((start, end))
                continue
            first, last = emotion_within(text[start:end], self.codes) or (0, end - start)
            cut += [(start, start + first), (start + first, start + last), (start + last, end)]
        return cut


def _without_numbers(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    count = len(spans)
    while count > 1 and text[slice(*spans[count - 1])].isdecimal():
        count -= 1
    return spans[:count]


def learn_cut(texts: Mapping[str, int], codes: frozenset[str] = frozenset()) -> Cut | None:
    """Find how nearly all of the names of one level are cut alike; None if they are not.

    Parameters
    ----------
    texts : dict of str to int
        The names, and how many files have each.
    codes : frozenset of str
        See `Cut`.
    """
    every = [(text, spans_of_parts(text)) for text in texts]
    files_in_all = sum(texts.values())
    if not texts:
        return None
    ways = [_one_way(every, texts, open_end) for open_end in (False, True)]
    best = ways[1] if ways[1][1] > ways[0][1] and ways[0][1] < _ALL_BUT_STRAYS * files_in_all else ways[0]
    parts, files, cut = best
    open_end = best is ways[1]
    if files < _NEARLY_ALL * files_in_all or not 0 < parts <= _MOST_PARTS:
        return None
    fitting = [[text[start:end] for start, end in spans] for text, spans in cut if len(spans) == parts]
    inside = frozenset(
        number for number, values in enumerate(zip(*fitting, strict=True)) if _holds_emotions(set(values), codes)
    )
    return Cut(parts, inside, open_end, codes)


def _one_way(
    every: list[tuple[str, list[tuple[int, int]]]], texts: Mapping[str, int], open_end: bool
) -> tuple[int, int, list[tuple[str, list[tuple[int, int]]]]]:
    """Return how many parts most files' names have, how many files that are, and the parts of all."""
    cut = [(text, _without_numbers(text, spans) if open_end else spans) for text, spans in every]
    files: Counter[int] = Counter()
    for text, spans in cut:
        files[len(spans)] += texts[text]
    return *files.most_common(1)[0], cut


def _holds_emotions(values: set[str], codes: frozenset[str]) -> bool:
    """Tell whether nearly all values hold a word for an emotion, most of them with something else."""
    some = sorted(values)
    some = some[:: len(some) // _MOST_DISTINCT + 1]
    within = sum(emotion_within(value, codes) is not None for value in some)
    alone = sum(means_emotion(value) or search_key(value) in codes for value in some)
    return within > 0 and within + alone >= _NEARLY_ALL * len(some) and 2 * within >= alone
