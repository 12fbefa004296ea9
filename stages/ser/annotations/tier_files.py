"""Praat's TextGrids and ELAN's files beside recordings: the intervals of an emotion tier are pieces of these."""

import bisect
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from ser.annotations.elan_files import read_elan
from ser.annotations.file_paths import below, normal
from ser.annotations.piece_times import seconds_text, why_no_piece
from ser.annotations.records import Files, Reading, Record, blank_values
from ser.annotations.textgrids import read_textgrid
from ser.storage.delimited_tables import BrokenTableError

SUFFIXES = (".textgrid", ".eaf")
NO_AUDIO = (  # what lies beside a recording under its name and is none
    *(*SUFFIXES, ".txt", ".csv", ".tsv", ".json", ".xml", ".lab", ".pfsx", ".psfx", ".etf", ".srt", ".vtt", ".rttm"),
    *(".pitch", ".intensity", ".formant", ".png", ".jpg", ".jpeg", ".pdf", ".md", ".npy", ".pickle", ".yaml", ".zip"),
)
FIRST = (".wav", ".flac")  # where a recording is there in several forms, such as the film that it is of
EMOTION = {"emotion", "emotions", "emo", "affect", "affects", "mood", "sentiment"}
ALONE = {"label", "labels"}  # of emotions if nothing else is in the name
SPEAKER = {"speaker", "speakers", "spk", "participant"}
NO_EMOTION = {"confidence", "intensity", "notes", "note", "comment", "comments", "valence", "arousal", "dominance"}
RATER = {"rater", "raters", "annotator", "coder", "judge", "evaluator", "ann", "listener", "gold"}
NOBODY = {  # words that say what a tier is, not whose
    *("tier", "label", "labels", "category", "categories", "categorical", "class", "type", "annotation", "annotations"),
    *("perceived", "expressed", "felt", "main", "primary", "secondary", "dominant", "overall", "discrete", "final"),
    *("utterance", "segment", "speech", "speaker", "code", "name", "state"),
}


class _Interval(NamedTuple):
    start: str
    end: str
    label: str
    reason: str


class _Tier(NamedTuple):
    name: str
    speaker: str
    intervals: list[_Interval]


class _Annotated(NamedTuple):
    """A file: its tiers of emotions, who speaks when (sorted), from when to when it goes, and what is wrong with it."""

    name: str
    tiers: list[_Tier]
    turns: list[tuple[float, float, str]]
    whole: tuple[float, float] | None
    reason: str


def claims(names: Sequence[str]) -> bool:
    """Say whether TextGrids or files of ELAN are among files of these names."""
    return bool(_annotated(names))


def read_records(files: Files, *, tier: str = "") -> Reading:
    """Read the intervals of the emotion tiers of all files.

    Parameters
    ----------
    files : Files
    tier : str, optional
        The tier that states the emotion; without it those called emotion, affect or label, also with the name of whom
        it is of (``emotion_A``, ``anna - emotion``).

    Returns
    -------
    Reading
        Without records if no file has such a tier (they align words, say) and no `tier` is asked for.

    Raises
    ------
    BrokenTableError
        If a file cannot be read, or nobody can tell which of several tiers is meant.
    """
    places = _Recordings(files)
    annotated: dict[str, _Annotated] = {}
    notes, without, repeated = [], [], []
    for name in _annotated(files.names):
        with closing(files.open(name)) as file:
            media, tiers, whole = _read(file, name)
        emotions = _emotion_tiers(tiers, name, tier)
        if not emotions:
            without.append(name)
            continue
        recording, reason = places.find(name, media)
        found = _Annotated(name, emotions, _turns(tiers), whole, reason)
        if (other := annotated.setdefault(recording or name, found)) is not found:
            if name.lower().endswith(SUFFIXES[0]) or other.name.lower().endswith(SUFFIXES[1]):
                raise BrokenTableError(f"{other.name} and {name} both annotate {recording}: keep one of them")
            repeated.append(name)
    if tier and not annotated:
        raise BrokenTableError(f"no TextGrid and no file of ELAN has a tier {tier!r}: name one that is there")
    called = {_speaker_in(one.name, tier) for found in annotated.values() for one in found.tiers} - {""}
    speakers = called if len(called) > 1 else set()  # one word in all of them says what the tier is, not whose
    records = [record for place, found in annotated.items() for record in _records(place, found, speakers, tier)]
    if records and without:
        notes.append(f"without an emotion tier: {_some(without)}")
    if repeated:
        notes.append(f"not read, as a TextGrid annotates the same recordings: {_some(repeated)}")
    if shared := _shared_speakers(records):
        notes.append(f"taken for one person in all recordings that name them: {_some(shared)}")
    return Reading(records, tuple(notes))


def _annotated(names: Sequence[str]) -> list[str]:
    """List the files of annotation, TextGrids first."""
    return [name for suffix in SUFFIXES for name in names if name.lower().endswith(suffix)]


def _read(file, name: str) -> tuple[list[str], list[_Tier], tuple[float, float] | None]:
    """Return the recordings that a file names, its tiers, and from when to when it goes if it says so."""
    if name.lower().endswith(".eaf"):
        elan = read_elan(file, name)
        tiers = []
        for tier in elan.tiers:
            found = [_timed(str(a.start), str(a.end), a.label, a.reason) for a in tier.annotations]
            tiers.append(_Tier(tier.name, tier.participant, found))
        return elan.media, tiers, None
    grid = read_textgrid(file, name)
    tiers = []
    for tier in grid.tiers:
        reason = "" if tier.is_intervals else "a point, which has no length: make an interval of it"
        tiers.append(_Tier(tier.name, "", [_timed(i.start, i.end, i.label, reason) for i in tier.intervals]))
    return [], tiers, (grid.start, grid.end)


def _timed(start: str, end: str, label: str, reason: str) -> _Interval:
    try:
        start, end = seconds_text(start), seconds_text(end)
    except ValueError as error:
        return _Interval("", "", label.strip(), reason or str(error))
    return _Interval(start, end, label.strip(), reason or why_no_piece(start, end))


def _emotion_tiers(tiers: Sequence[_Tier], name: str, asked: str) -> list[_Tier]:
    """Return the tiers that state emotions; of several each says whose they are."""
    if asked:
        found = [tier for tier in tiers if tier.name.strip().lower() == asked.strip().lower()]
        found = found or [tier for tier in tiers if _speaker_in(tier.name, asked)]
    else:
        found = [tier for tier in tiers if _words(tier.name) & EMOTION and not _words(tier.name) & NO_EMOTION]
        found = found or [tier for tier in tiers if _words(tier.name) and _words(tier.name) <= ALONE]
    whose = [tier.speaker or _speaker_in(tier.name, asked) for tier in found]
    if len(found) > 1 and (not all(whose) or len(set(whose)) < len(found)):
        raise BrokenTableError(
            f"{name} has several tiers of emotions ({', '.join(tier.name for tier in found)}): say which one is read, "
            "or, if each is of one speaker, call them emotion_NAME"
        )
    return found


def _speaker_in(name: str, asked: str) -> str:
    """Return whose emotions a tier says it has (``emotion_A``, ``anna - emotion``, ``emotion@P 1``), or nothing."""
    if _words(name) & RATER:
        return ""
    alike = re.escape(asked.strip()) if asked else "|".join(sorted(EMOTION, key=len, reverse=True))
    rest, found = re.subn(rf"(?<![^\W_])(?:{alike})(?![^\W\d_])", "", name, count=1, flags=re.IGNORECASE)
    rest = rest.strip(" \t_-–—:.@/|()[]{}#") if found else ""
    rest = re.sub(r"^(of|von|de)[\s_]+", "", rest, flags=re.IGNORECASE)
    # emotion1 and emotion2 are two speakers or two raters: nobody can tell
    return "" if rest.isdecimal() or _words(rest) & NOBODY else rest


def _turns(tiers: Sequence[_Tier]) -> list[tuple[float, float, str]]:
    found = [tier for tier in tiers if _words(tier.name) & SPEAKER and not _words(tier.name) & EMOTION]
    return sorted(
        (float(i.start), float(i.end), i.label) for t in found for i in t.intervals if i.label and not i.reason
    )


def _records(place: str, found: _Annotated, speakers: set[str], asked: str) -> Iterator[Record]:
    longest = max((end - start for start, end, _ in found.turns), default=0.0)
    for tier in found.tiers:
        called = _speaker_in(tier.name, asked)
        for number, interval in enumerate(tier.intervals, start=1):
            if not interval.label:
                continue
            start, end, reason = interval.start, interval.end, found.reason or interval.reason
            speaker = tier.speaker or (called if called in speakers else "")
            if not interval.reason:
                times = float(start), float(end)
                speaker = speaker or _most_overlapping(*times, found.turns, longest)
                if found.whole and times == tuple(round(time, 6) for time in found.whole):
                    start = end = ""
            path = posixpath.splitext(place)[0] if place == found.name else place
            values = blank_values(path=path, emotion=interval.label, speaker=speaker, start=start, end=end)
            yield Record(values, f"{found.name}, tier {tier.name}, interval {number}", reason)


def _most_overlapping(start: float, end: float, turns: Sequence[tuple[float, float, str]], longest: float) -> str:
    """Return who speaks most of the time from `start` to `end`; of equals the first."""
    shares: dict[str, float] = defaultdict(float)
    for place in range(bisect.bisect_left(turns, (start - longest,)), len(turns)):
        begin, finish, speaker = turns[place]
        if begin >= end:
            break
        if (share := min(end, finish) - max(start, begin)) > 0:
            shares[speaker] += share
    return max(shares, key=shares.get, default="")


class _Recordings:
    """The files of a corpus that are no annotations, by their paths, names and stems."""

    def __init__(self, files: Files):
        self._paths, self._names, self._stems = {}, defaultdict(list), defaultdict(list)
        for name in files.names:
            if not name.lower().endswith(NO_AUDIO):
                self._paths[normal(name)] = name
                self._names[posixpath.basename(normal(name))].append(name)
                self._stems[posixpath.splitext(posixpath.basename(normal(name)))[0]].append(name)

    def find(self, annotation: str, media: Sequence[str]) -> tuple[str, str]:
        """Return what is annotated, and why nothing is: what the file names, what lies beside it, what is called so."""
        folder, stem = posixpath.split(posixpath.splitext(normal(annotation))[0])
        named = [self._paths.get(below(folder, path), "") for path in media]
        alike = self._stems.get(stem, []) + self._names.get(stem, [])  # a.TextGrid or a.wav.TextGrid
        beside = [path for path in alike if posixpath.dirname(normal(path)) == folder]
        elsewhere = [self._names.get(posixpath.basename(normal(path)), []) for path in media]
        for found in (named, beside, *elsewhere, alike):
            found = [path for path in found if path]
            one = found is named or len({posixpath.splitext(path)[0] for path in found}) == 1
            if found and (one or len({posixpath.dirname(path) for path in found}) == 1):
                return min(found, key=lambda path: not path.lower().endswith(FIRST)), ""
        if alike:
            return "", f"{len(alike)} recordings are called {stem}, none of them beside it"
        return "", f"no recording is called {stem}"


def _shared_speakers(records: Sequence[Record]) -> list[str]:
    """List speakers of more than one recording whose names are no more than a letter or a number."""
    found = defaultdict(set)
    for record in records:
        if len(record.values["speaker"]) == 1 or record.values["speaker"].isdecimal():
            found[record.values["speaker"]].add(record.values["path"])
    return sorted(speaker for speaker, paths in found.items() if len(paths) > 1)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" … ({len(names)})" if len(names) > 5 else "")


def _words(name: str) -> set[str]:
    return set(re.split(r"[\W\d_]+", name.lower())) - {""}
