"""Which column of a table says what: by its name, by what the user calls it, or by what it is usually called."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ser.annotations.records import FIELDS
from ser.storage.delimited_tables import BrokenTableError, column_place, spelling

NEEDED = ("path", "emotion")
# By `spelling`. No transcripts under statement: who says the same sentence in other words has said another.
SYNONYMS = {
    "path": (
        *("file", "filename", "filepath", "fname", "relativepath", "relpath", "wav", "wavfile", "wavname", "wavpath"),
        *("audio", "audiofile", "audiofilename", "audiofilepath", "audiopath"),
    ),
    "emotion": (
        *("label", "labels", "labelname", "class", "classname", "category", "target", "emotionlabel", "emotionclass"),
        *("emotionname", "emotioncategory", "emoclass", "emo", "emotions"),
    ),
    "speaker": (
        *("speakerid", "speakername", "spk", "spkid", "spkr", "spkrid", "actor", "actorid", "actorname", "clientid"),
        *("subject", "subjectid", "talker", "talkerid", "participant", "participantid", "person", "personid"),
    ),
    "sex": ("gender", "speakergender", "speakersex"),
    "language": ("lang", "locale", "languagecode"),
    "statement": ("statementid", "sentenceid", "textid", "promptid", "scriptid"),
    "intensity": ("emotionintensity", "emotionalintensity"),
    "fold": ("foldid", "foldnumber", "cvfold"),
    "global_speaker": (),
    "age": ("speakerage", "ageyears"),
    "start": ("begin", "onset", "starttime", "begintime", "startseconds", "startsec", "starts"),
    "end": ("stop", "endtime", "stoptime", "endseconds", "endsec", "ends"),
    "channel": ("ch", "channelid", "channelnumber", "audiochannel"),
}
DURATIONS = ("duration", "dur", "durationseconds", "durationsec", "durations")
SHOWN = 40  # columns in a message

EXPECTED = {*FIELDS, *(word for words in SYNONYMS.values() for word in words)}


class OtherTableError(BrokenTableError):
    """A table that is whole and not one of clips: it lacks the path or the emotion.

    ``telling`` tells whether it states emotions, or who speaks in which file, all the same.
    """

    telling = False


class Columns(NamedTuple):
    """Where a table states what.

    Attributes
    ----------
    places : dict of str to int
        By field, those of `FIELDS` that the table states.
    duration : int or None
        Where the seconds of a piece are that has a start and no end.
    notes : list of str
        What was read otherwise than by its own name or the user's: ``label as emotion``.
    """

    places: dict[str, int]
    duration: int | None
    notes: list[str]


def choose_columns(header: Sequence[str], names: Mapping[str, str], table: str) -> Columns:
    """Find the columns of a table by what the user says, by the fields' names, or by the usual other ones.

    Parameters
    ----------
    header : sequence of str
    names : mapping of str to str
        What the columns are called, by field; a field that is not there is called by its own name, one with an empty
        name is not read.
    table : str
        Name of the table, for messages.

    Raises
    ------
    OtherTableError
        If there is no path or no emotion.
    BrokenTableError
        If several columns may be meant.
    """
    places: dict[str, int] = {}
    notes: list[str] = []
    open_fields = []
    for field in FIELDS:
        name = " ".join(unicodedata.normalize("NFC", names.get(field, field)).split())
        place = (header.index(name) if name in header else None) if name == field else column_place(header, name)
        if name and place is not None:
            places[field] = place
        elif name == field:
            open_fields.append(field)
        elif name and field in NEEDED:
            raise OtherTableError(_missing(header, [name], table))
        elif name:
            notes.append(f"no column {name} ({field})")
    for field in open_fields:
        place = _only([spelling(field)], header, places, field, table)
        if place is None:
            place = _only(SYNONYMS[field], header, places, field, table)
        if place is not None:
            places[field] = place
            notes.append(f"{header[place]} as {field}")
    missing = [names.get(field) or field for field in NEEDED if field not in places]
    if missing:
        error = OtherTableError(_missing(header, missing, table))
        error.telling = "emotion" in places or {"path", "speaker"} <= places.keys()
        raise error
    duration = _place_ends(header, places, notes, [field for field in ("start", "end") if field in open_fields], table)
    return Columns(places, duration, notes)


def _place_ends(header: Sequence[str], places: dict, notes: list[str], free: list[str], table: str) -> int | None:
    """Find what else may say where a piece ends, a column ``offset`` or ``duration``; return the place of the latter.

    An offset is an end beside an onset, and a start beside a duration; alone it may be either.
    """
    duration = _only(DURATIONS, header, places, "duration", table) if "end" not in places else None
    offset = _only(["offset"], header, places, "offset", table)
    if offset is not None and "end" not in places and duration is None and "start" in places and "end" in free:
        places["end"] = offset
        notes.append(f"{header[offset]} as end")
    elif offset is not None and "start" not in places and duration is not None and "start" in free:
        places["start"] = offset
        notes.append(f"{header[offset]} as start")
    elif offset is not None and ("end" in free or "start" in free) and not {"start", "end"} <= places.keys():
        raise BrokenTableError(
            f"{table}: the column {header[offset]} may say where a piece starts, where it ends, or how long it is: say "
            f"which in prepare.manifest (start: {header[offset]}, or end: {header[offset]}), or take it away"
        )
    if duration is None or "start" not in places or "end" in places:
        return None
    notes.append(f"start and {header[duration]} as end")
    return duration


def _only(spellings: Iterable[str], header: Sequence[str], taken: dict, field: str, table: str) -> int | None:
    """Return the only column of several spellings that has no meaning yet; None if there is none."""
    found = [
        place for place, title in enumerate(header) if place not in taken.values() and spelling(title) in spellings
    ]
    if len(found) > 1:
        titles = " or ".join(_shown(header[place]) for place in found[:SHOWN])
        raise BrokenTableError(f"{table}: the {field} may be {titles}: say in prepare.manifest which it is")
    return found[0] if found else None


def _missing(header: Sequence[str], names: list[str], table: str) -> str:
    titles = [_shown(title) for title in header if title]
    more = f" and {len(titles) - SHOWN} more" if len(titles) > SHOWN else ""
    return (
        f"{table} has no column {' and no '.join(names)}, only {', '.join(titles[:SHOWN])}{more}: say in "
        "prepare.manifest what they are called"
    )


def _shown(title: str) -> str:
    return title if len(title) <= 60 else title[:57] + "…"
