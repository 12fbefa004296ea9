"""What the layout of a corpus of one's own says of its clips, found by looking at all names together."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ser.naming.columns import Column, Part, agree, dominant, is_known_label, is_numeric, repeats, speaker_grade
from ser.naming.emotion_lexicon import means_emotion
from ser.naming.emotion_parts import Emotion, Undecided, find_emotion
from ser.naming.found_layout import Found, Reader, Repeated
from ser.naming.layout_questions import ask
from ser.naming.name_columns import Names, columns_of
from ser.naming.name_parts import folders_and_stem
from ser.naming.part_words import is_leftover, names_thing
from ser.naming.speaker_parts import SURE, Unclear, find_speaker
from ser.naming.spellings import composed, search_key

_SAMPLE = 10_000  # files from which the layout is found
_FEW = 2  # files that lie in a folder by chance
_SOME = 2  # labels, beside which one that is no word and has much fewer files is none
_MUCH_RARER = 4
_FEWEST = 8  # files, of which each may have a value of its own in a part that states the emotion
_ROLES = ("fold", "sex", "language", "intensity")


class AmbiguousLayoutError(ValueError):
    """Names that can be read in several ways; the message shows them and the remedy."""


class Layout(NamedTuple):
    """How the names of a corpus state what is known of its clips.

    Attributes
    ----------
    note : str
        One line: ``read as <emotion>/<speaker>/<file>``.
    read : callable
        Takes the path of a file inside the corpus. Returns what it says, by some of
        `ser.annotations.records.FIELDS` (``emotion`` always, as written), or the reason why it says nothing.
    """

    note: str
    read: Callable[[PurePosixPath], dict[str, str] | str]


class _Corpus(NamedTuple):
    """The files of the usual depth, and their names as columns."""

    paths: Sequence[PurePosixPath]
    names: Names

    def question(self, why: str, candidates: Sequence[Column], field: str, known: dict[Part, str]) -> str:
        """Return what to ask, with a file as an example in which most of the candidates state something."""
        usual = [*candidates, *self.names.folders, *self.names.tokens]
        number = max(
            range(len(self.paths)), key=lambda n: (sum(found.values[n] in found.counts for found in usual), -n)
        )
        folders, stem = folders_and_stem(self.paths[number])
        suffix = composed(self.paths[number].name)[len(stem) :]
        return ask((*folders, stem), suffix, candidates, field, known, self.names.cuts, why)


def find_layout(paths: Sequence[PurePosixPath], speakers: bool = True) -> Layout:
    """Find how the names of a corpus state its labels and speakers.

    Parameters
    ----------
    paths : sequence of PurePosixPath
        All audio files of the corpus, relative to it.
    speakers : bool
        Whether names are to say who speaks; otherwise that is known.

    Raises
    ------
    AmbiguousLayoutError
        If they can be read in several ways, or nothing in them states an emotion.
    """
    if not paths:
        raise AmbiguousLayoutError("there is no audio file whose name could be read")
    everywhere, paths = paths, sorted(paths, key=str)[:: len(paths) // _SAMPLE + 1]
    parted = [folders_and_stem(path) for path in paths]
    depths = Counter(len(folders) for folders, _ in parted)
    depth = max(depths, key=lambda number: (depths[number], number))
    usual = [number for number, (folders, _) in enumerate(parted) if len(folders) == depth]
    names = columns_of([parted[number][0] for number in usual], [parted[number][1] for number in usual])
    corpus = _Corpus([paths[number] for number in usual], names)
    emotion = _emotion(corpus)
    speaker = _speaker(corpus, emotion) if speakers else None
    found = _found(corpus, emotion, speaker)
    if found.rare and len(paths) < len(everywhere) and found.emotion.piece < 0:
        files = Counter(folders_and_stem(path)[0][found.emotion.level : found.emotion.level + 1] for path in everywhere)
        found = found._replace(rare=frozenset(value for value in found.rare if files[(value,)] <= _FEW))
    return Layout(_note(found, speakers), Reader(found).read)


def _emotion(corpus: _Corpus) -> Emotion:
    names = corpus.names
    takes = any(found.varies and names.roles[found.part] == "thing" for found in names.tokens)
    emotion = find_emotion(names.free_folders(), names.free_tokens(), takes)
    if isinstance(emotion, Emotion) and emotion.by_words:
        return emotion
    # a corpus of one label, or one whose folder is called by a word for an emotion
    same = [found for found in names.folders if not found.varies and means_emotion(next(iter(found.counts)))]
    if len(same) == 1:
        return Emotion(same[0], [])
    if isinstance(emotion, Undecided):
        raise AmbiguousLayoutError(corpus.question(emotion.why, _offered(names, emotion.columns), "emotion", {}))
    return emotion


def _offered(names: Names, columns: Sequence[Column]) -> list[Column]:
    """Return what a question on the emotion offers: no numbers of files, and folders whatever else they may state."""
    offered = [found for found in columns if found.whole or 2 * len(found.counts) <= max(len(found.values), _FEWEST)]
    if any(found.whole for found in offered):
        return offered
    return [found for found in names.folders if found.varies and names.roles[found.part] != "fold"] + offered


def _speaker(corpus: _Corpus, emotion: Emotion) -> Column | None:
    names, stating = corpus.names, [emotion.column, *emotion.same]
    free = [
        found for found in (*names.free_folders(), *names.free_tokens())
        if found not in stating and not _says_the_same(found, emotion.column)
    ]  # fmt: skip
    folders, tokens = [found for found in free if found.whole], [found for found in free if not found.whole]
    speaker = find_speaker(folders, tokens, emotion.column)
    known = {emotion.column.part: "emotion"}
    if not folders and (speaker is None or isinstance(speaker, Unclear)):
        speaker = _only_speaker(names, emotion.column.part) or speaker
    if isinstance(speaker, Unclear):
        why = "nobody can tell which part of the names says who speaks"
        paired = [found for found in names.free_folders() if found not in (*stating, *free)]  # with the emotions
        raise AmbiguousLayoutError(corpus.question(why, [*paired, *speaker.columns], "speaker", known))
    if speaker and (above := _parted(names, speaker)):
        why = f"the speakers {_some(speaker)} may be others in each folder {_some(above)}"
        raise AmbiguousLayoutError(corpus.question(why, [speaker], "speaker", known))
    return speaker


def _says_the_same(found: Column, emotion: Column) -> bool:
    """Tell whether a part repeats the emotion; folders that look like speakers are those, one a label by chance."""
    many = len(found.values) >= 2 * max(len(found.counts), len(emotion.counts))
    if not many or found.whole and speaker_grade(found.counts).grade:
        return False
    return repeats(emotion, found)


def _only_speaker(names: Names, emotion: Part) -> Column | None:
    """Return the folder of the only speaker, if there is one: below the emotion, or called as people are."""
    for found in names.folders:
        value = next(iter(found.counts))
        if found.varies or found.part == emotion or names_thing(value) or is_leftover(value):
            continue
        again = any(list(part.counts) == [value] for part in names.tokens)  # s01/s01-anger-1.wav
        if found.part.level > emotion.level or speaker_grade(found.counts).grade == SURE or again:
            return found
    return None


def _parted(names: Names, speaker: Column) -> Column | None:
    """Return the folders above that of speakers in several of which a speaker is found, if these may be others.

    ``session1/01`` and ``session2/01`` may be two people, as ``female/kim`` and ``male/kim``; ``session1/anna`` and
    ``session2/anna`` are one.
    """
    kind = speaker_grade(speaker.counts).kind
    parting = ("sex",) if kind == "name" else ("language", "thing") if kind != "word" else ()
    for found in names.folders[: speaker.part.level] if speaker.whole or kind == "name" else ():
        if found.varies and names.roles[found.part] in parting and _in_several(speaker, found):
            return found
    return None


def _in_several(speaker: Column, above: Column) -> bool:
    """Tell whether a speaker is found in several folders."""
    pairs = {
        (who, where)
        for who, where in zip(speaker.values, above.values, strict=True)
        if who in speaker.counts and where in above.counts
    }
    return len(pairs) > len({who for who, _ in pairs})


def _some(found: Column) -> str:
    values = sorted(found.counts)
    return ", ".join(values[:3]) + (", …" if len(values) > 3 else "")


def _found(corpus: _Corpus, emotion: Emotion, speaker: Column | None) -> Found:
    names, part = corpus.names, emotion.column.part
    fields = {part: "emotion"} | ({speaker.part: "speaker"} if speaker else {})
    for other, role in names.roles.items():
        if role in _ROLES and role not in fields.values():
            fields[other] = role
    repeated = [Repeated(other.part, "emotion", _contradictions(emotion.column, other)) for other in emotion.same]
    if speaker:
        repeated += [
            Repeated(other.part, "speaker", _contradictions(speaker, other))
            for other in names.free_tokens()
            if other.part not in fields and other.part != speaker.part and _repeats_ids(speaker, other)
        ]
    used = {found.level for found in (*fields, *(found.part for found in repeated)) if found.piece >= 0}
    counts = emotion.column.counts
    rare = _unlikely(emotion.column) | _unlike_others(emotion.column, names.tokens)
    return Found(
        depth=len(names.folders),
        fields=fields,
        cuts={level: cut for level, cut in names.cuts.items() if level in used},
        repeated=repeated,
        things=[folder.part for folder in names.folders if names.roles[folder.part] == "thing" and _all_things(folder)],
        labels=frozenset(counts),
        rare=frozenset(rare),
        by_sex=speaker is not None and _share_ids(names, speaker),
    )


def _all_things(folder: Column) -> bool:
    return all(map(names_thing, folder.counts))


def _unlikely(found: Column) -> set[str]:
    """Return the values that are no labels: hardly a file has them, and no word says that they are."""
    rare = {value for value in set(found.values) - found.counts.keys() if not is_known_label(value, found.counts)}
    unknown = [value for value in found.counts if not is_known_label(value, found.counts)]
    if len(unknown) == 1 and len(found.counts) > _SOME:
        others = min(count for value, count in found.counts.items() if value != unknown[0])
        rare |= set(unknown) if _MUCH_RARER * found.counts[unknown[0]] < others else set()
    return rare


def _unlike_others(found: Column, tokens: Sequence[Column]) -> set[str]:
    """Return the values that are no labels by the rest of their names, which have no number where others have one."""
    numbers = [other for other in tokens if other.part.level == found.part.level and is_numeric(other.counts)]
    if found.whole or not numbers:
        return set()
    fitting = {
        value
        for value, *rest in zip(found.values, *(other.values for other in numbers), strict=True)
        if all(map(str.isdecimal, rest))
    }
    return {value for value in set(found.values) - fitting if not is_known_label(value, found.counts)}


def _repeats_ids(speaker: Column, other: Column) -> bool:
    same = sum(search_key(one) == search_key(two) for one, two in zip(speaker.values, other.values, strict=True))
    return same >= 0.9 * len(speaker.values)


def _contradictions(first: Column, second: Column) -> dict[str, frozenset[str]]:
    """Return, for each value of a column, those of another that state something else."""
    usual = {value: there for value, (there, _, _) in dominant(zip(first.values, second.values, strict=True)).items()}
    return {
        value: frozenset(
            said for said in second.counts
            if said != own and agree(value, said) is not True
            and (agree(value, said) is False or said in {other for key, other in usual.items() if key != value})
        )
        for value, own in usual.items()
    }  # fmt: skip


def _share_ids(names: Names, speaker: Column) -> bool:
    """Tell whether a speaker is found among women and among men, which makes two of one id."""
    sexes = [found for found in names.folders if names.roles[found.part] == "sex"]
    return bool(sexes) and _in_several(speaker, sexes[0])


def _note(found: Found, speakers: bool) -> str:
    note = f"read as {found.shape}"
    if speakers and "speaker" not in found.fields.values():
        note += "; who speaks is not known (prepare.pattern, or a table, can say it)"
    return note
