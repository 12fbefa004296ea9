"""A layout that was found, and what it says of a file: its fields, or why it says nothing."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ser.naming.columns import Part, is_known_label
from ser.naming.emotion_lexicon import means_emotion
from ser.naming.name_parts import Cut, folders_and_stem
from ser.naming.part_words import fold_of_part, is_intensity, is_language, is_leftover, names_thing, sex_of_word
from ser.naming.spellings import plain, search_key

REMEDY = "move it, or state the layout by prepare.pattern"


class Repeated(NamedTuple):
    """A part that repeats what another states; ``contradicting`` has, for values there, what is not said here."""

    part: Part
    field: str
    contradicting: Mapping[str, frozenset[str]]


class Found(NamedTuple):
    """Where the names of files in folders of one depth state what.

    Attributes
    ----------
    depth : int
        The number of folders that a file lies in.
    fields : dict of Part to str
        The fields that parts state; one is the emotion.
    cuts : dict of int to Cut
        By level, how names are cut, where parts of them state something.
    repeated : list of Repeated
    things : list of Part
        Folders that are called as things are, which is nobody: ``session1``.
    labels : frozenset of str
        Those of nearly all files.
    rare : frozenset of str
        Values where others state labels, that are none: hardly a file has them, and no word says that they are.
    by_sex : bool
        Whether women and men have the same ids.
    """

    depth: int
    fields: dict[Part, str]
    cuts: dict[int, Cut]
    repeated: list[Repeated]
    things: list[Part]
    labels: frozenset[str]
    rare: frozenset[str]
    by_sex: bool

    @property
    def emotion(self) -> Part:
        """Where the emotion stands."""
        return next(part for part, field in self.fields.items() if field == "emotion")

    @property
    def shape(self) -> str:
        """The layout as people write it: ``<emotion>/<speaker>/<file>``."""
        shown = []
        for level in range(self.depth + 1):
            here = {part.piece: field for part, field in self.fields.items() if part.level == level}
            if -1 in here:
                shown.append(f"<{here[-1]}>")
            elif here:
                more = len(here) < self.cuts[level].parts + 2 * len(self.cuts[level].inside)
                shown.append("_".join(f"<{here[piece]}>" for piece in sorted(here)) + ("_…" if more else ""))
            elif level == self.depth:
                shown.append("<file>")
            elif shown:
                shown.append("…")
        return "/".join(shown)


class Reader:
    """Reads paths by a layout that was found; what it decided on a value it keeps."""

    def __init__(self, found: Found):
        self.found = found
        self.emotion, self.shape = found.emotion, found.shape
        self.end = f"(the others are read as {self.shape}); {REMEDY}"
        self.speaks = "speaker" in found.fields.values()
        self.keys = frozenset(map(search_key, found.labels))
        repeated = {part: "" for part, _, _ in found.repeated if part.piece >= 0}
        cut = (repeated | {part: field for part, field in found.fields.items() if part.piece >= 0}).items()
        self.pieces = {level: [(part, field) for part, field in cut if part.level == level] for level in found.cuts}
        self.checked: dict[tuple[str, str], tuple[str, str]] = {}

    def read(self, path: PurePosixPath) -> dict[str, str] | str:
        """Return what the path of a file states, by field, or the reason why it states nothing."""
        folders, stem = folders_and_stem(path)
        texts, depth = (*folders, stem), len(folders)
        fields, why = (self.found.fields, "") if depth == self.found.depth else self._fields_elsewhere(texts)
        if why:
            return why
        stated = {field: texts[part.level] for part, field in fields.items() if part.piece < 0}
        said: dict[Part, str] = {}
        for level, cut in self.found.cuts.items():
            text = texts[depth if level == self.found.depth else level]
            spans = cut.spans(text)
            if spans is None:
                return f"{text!r} has other parts than the names of other files {self.end}"
            for part, field in self.pieces[level]:
                start, end = spans[part.piece]
                if field:
                    stated[field] = text[start:end]
                else:
                    said[part] = text[start:end]
        for part, field, contradicting in self.found.repeated:
            other = said[part] if part.piece >= 0 else texts[part.level] if part.level < depth else ""
            if other in contradicting.get(stated.get(field, ""), ()):
                return f"one part of its name says {stated[field]!r}, another {other!r} {self.end}"
        for part in self.found.things:
            if part.level < depth and not self._kept("thing", texts[part.level])[0]:
                return f"the folder {texts[part.level]!r} is unlike those of other files {self.end}"
        if depth != self.found.depth and not self._kept("known", stated["emotion"])[0]:
            return f"{stated['emotion']!r} is no label of the other files {self.end}"
        for field, value in stated.items():
            stated[field], why = self._kept(field, value)
            if why:
                return f"{why} {self.end}"
        if self.found.by_sex and stated.get("speaker"):
            stated["speaker"] = f"{stated['sex']}-{stated['speaker']}"
        return stated

    def _fields_elsewhere(self, texts: Sequence[str]) -> tuple[dict[Part, str], str]:
        """Return the fields of a file that lies higher or deeper than the others, or why it has none."""
        depth, usual, fields = len(texts) - 1, self.found.depth, self.found.fields
        elsewhere = f"it lies in {_folders(depth)}, not in {usual} {self.end}"
        if self.emotion.level == usual:
            return ({}, elsewhere) if any(part.level < usual for part in fields) else (fields, "")
        if self.emotion.level >= depth:
            return {}, f"no folder states its emotion {self.end}"
        if depth < usual:
            return {part: field for part, field in fields.items() if not depth <= part.level < usual}, ""
        if self.speaks or depth > usual + 1 or self.emotion.level < usual - 1:
            return {}, elsewhere
        return (fields if names_thing(texts[usual]) else {**fields, Part(usual): "speaker"}), ""

    def _kept(self, field: str, value: str) -> tuple[str, str]:
        """Return a value as tables hold it and what is wrong with it, decided once."""
        key = field, value
        if key not in self.checked:
            self.checked[key] = self._decided(field, plain(value))
        return self.checked[key]

    def _decided(self, field: str, value: str) -> tuple[str, str]:
        if field == "thing":
            return ("yes" if names_thing(value) else ""), ""
        if field == "known":
            return ("yes" if means_emotion(value) or search_key(value) in self.keys else ""), ""
        if field == "emotion":
            return value, self._why_no_label(value)
        if field == "fold":
            fold = fold_of_part(value)
            return fold or "", "" if fold is not None else f"{value!r} names no part such as train or test"
        if field == "speaker":
            if not value:
                return "", "no part of its name states who speaks"
            return value, f"the folder {value!r} names no speaker" if is_leftover(value) else ""
        if field == "sex":
            return sex_of_word(value) or "", "" if sex_of_word(value) else f"{value!r} is no sex"
        fits = is_language(value) if field == "language" else is_intensity(value)
        return value, "" if fits else f"{value!r} is no {field}"

    def _why_no_label(self, emotion: str) -> str:
        if not emotion:
            return "no part of its name states an emotion"
        if emotion in self.found.rare:
            return f"{emotion!r} is no label of the other files"
        known = search_key(emotion) in self.keys or is_known_label(emotion, self.found.labels)
        if self.emotion.piece >= 0 and not known:
            return f"{emotion!r} is no label of the other files"
        if not known and (is_leftover(emotion) or fold_of_part(emotion) is not None):
            return f"the folder {emotion!r} names no emotion"
        return ""


def _folders(number: int) -> str:
    return {0: "no folder", 1: "1 folder"}.get(number, f"{number} folders")
