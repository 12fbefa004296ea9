"""Where the files of a corpus lie: in a folder, in archives, in archives inside a folder. All are read in place.

A file is known by its source, a path below ``raw.path`` that may lead through an archive, such as
``ravdess.zip/Actor_01/03-01-01-01-01-01-01.wav``.
"""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ser.audio.decoding import UnusableAudioError
from ser.corpora.archives import ARCHIVE_SUFFIXES, Archive, is_archive, open_archive
from ser.corpora.audio_folders import holds_audio, is_hidden, why_no_folder, why_no_target
from ser.corpora.audio_names import (
    IN_ICLOUD,
    SNIFFED,
    begins_as_audio,
    may_be_audio,
    names_archive,
    names_audio,
    placeholder_of,
    why_unread,
)
from ser.corpora.clip_sources import format_source
from ser.errors import InputError

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
STATEMENTS = (".csv", ".tsv", ".parquet", ".pq", ".arrow", ".jsonl", ".textgrid", ".eaf")  # of labels, if not of audio


class File(NamedTuple):
    """A file of a corpus.

    Its path inside the corpus, its source (see `ser.corpora.clip_sources`), why it cannot be read (empty if it can),
    and whether it is audio, or an archive that should hold some, readable or not; so is a table that cannot be read.
    """

    path: PurePosixPath
    source: str
    reason: str = ""
    audio: bool = True


def list_files(place: Path, raw_path: Path) -> Iterator[File]:
    """List the files of a folder or an archive, sorted; hidden ones are passed over.

    An archive inside a folder is like a folder itself. A link is followed if it leads to a file below `raw_path`.
    """
    root = place.relative_to(raw_path).as_posix()
    if not place.is_dir():
        yield from _archive_files(place, PurePosixPath(), root)
        return
    unlisted: list[OSError] = []
    for folder, subfolders, names in os.walk(place, onerror=unlisted.append):
        subfolders[:] = sorted(name for name in subfolders if not is_hidden(name))
        links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        above = PurePosixPath(folder).relative_to(place)
        of_folder = (PurePosixPath(root) / above).as_posix()
        for name in sorted([*names, *links]):
            if is_hidden(name):
                continue
            path, inside, source = os.path.join(folder, name), above / name, f"{of_folder}/{name}"
            reason = _unreadable(path, (raw_path, place))
            if is_archive(inside) and not reason:
                try:
                    yield from _archive_files(Path(path), inside, source)
                except InputError as error:
                    yield checked_file(inside, source, str(error).removeprefix(f"{path} "))
            else:
                heard = not reason and may_be_audio(name) and holds_audio(Path(path))
                yield checked_file(inside, source, reason, heard=heard or name in links)
    for error in unlisted:
        path = Path(error.filename)
        inside, source = PurePosixPath(path.relative_to(place)), path.relative_to(raw_path).as_posix()
        yield checked_file(inside, source, why_no_folder(error))._replace(audio=True)


def checked_file(inside: PurePosixPath, source: str, reason: str = "", *, heard: bool = False) -> File:
    """Return a file, refused if it is none that is read, or its path cannot be written to a table as it is.

    `heard` says that its first bytes are those of audio, whatever its name is.
    """
    name = inside.name.lower()
    audio = heard or names_audio(name) or names_archive(name) or bool(placeholder_of(inside.name))
    audio |= bool(reason) and name.endswith(STATEMENTS)  # without it others may be read in another way
    if placeholder_of(inside.name):
        reason = reason or IN_ICLOUD
    if not heard:
        reason = reason or why_unread(name)
    if names_archive(name) and not name.endswith(ARCHIVE_SUFFIXES):
        reason = reason or f"no archive that is read ({', '.join(ARCHIVE_SUFFIXES)}): unpack it"
    shown = source.encode(errors="backslashreplace").decode()
    if shown != source:
        reason = reason or "its name is not UTF-8: rename it"
    if CONTROL.search(source):
        reason = reason or "control characters in its name: rename it"
        shown = CONTROL.sub(lambda character: ascii(character[0])[1:-1], shown)
    if "#" in shown:  # a name may end as what tells a piece does
        shown = format_source(shown)
    return File(inside, shown, reason, audio)


def _archive_files(archive: Path, inside: PurePosixPath, source: str) -> Iterator[File]:
    opened = open_archive(archive)
    for name, reason in sorted([*((name, "") for name in opened.names), *opened.refused]):
        if not any(is_hidden(part) for part in PurePosixPath(name).parts if part != ".."):
            path = inside / name.lstrip("/") if name else PurePosixPath(archive.name)
            if name and is_archive(path):
                reason = reason or "an archive inside an archive: unpack the outer one"
            heard = not reason and may_be_audio(path.name) and _member_holds_audio(opened, name)
            yield checked_file(path, f"{source}/{name}".rstrip("/"), reason, heard=heard)


def _member_holds_audio(archive: Archive, name: str) -> bool:
    try:
        return begins_as_audio(archive.first_bytes(name, SNIFFED), name)
    except UnusableAudioError:
        return False


def _unreadable(path: str, roots: Iterable[Path]) -> str:
    """Say why a file of a folder cannot be read, as far as it shows without opening it."""
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISLNK(mode):
        try:
            target = Path(path).resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links that lead to each other
            return why_no_target(Path(path))
        if not any(target.is_relative_to(root.resolve()) for root in roots):
            return "a link that leads out of raw.path: DVC would not notice a change"
        if target.is_dir():
            return "a link to a folder, which is not followed: put the folder in its place"
        mode = target.stat().st_mode
    return "" if stat.S_ISREG(mode) else "no regular file"


def count_outside(sources: Iterable[str], raw_path: Path | str) -> int:
    """Count the files that lie outside `raw_path`, be it by their path or behind a link."""
    root = Path(raw_path).resolve()
    folders = Counter(Path(raw_path, source).parent for source in sources)
    return sum(count for folder, count in folders.items() if not folder.resolve().is_relative_to(root))
