"""Where the files of a corpus lie: in a folder, in archives, in archives inside a folder. All are read in place.

A file is known by its source, a path below ``raw.path`` that may lead through an archive, such as
``ravdess.zip/Actor_01/03-01-01-01-01-01-01.wav``.
"""

import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from ser.audio.container_headers import HEADER_BYTES
from ser.audio.decoding import UnusableAudioError
from ser.corpora.archives import ARCHIVE_SUFFIXES, Archive, is_archive, open_archive
from ser.corpora.audio_folders import HIDDEN, holds_audio, why_no_target
from ser.corpora.audio_names import begins_as_audio, may_be_audio, names_audio, why_unread
from ser.errors import InputError

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
UNREAD_ARCHIVES = (".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".rar", ".7z")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class File(NamedTuple):
    """A file of a corpus.

    Its path inside the corpus, its source, why it cannot be read (empty if it can), and whether it is audio, or an
    archive that should hold some, readable or not.
    """

    path: PurePosixPath
    source: str
    reason: str = ""
    audio: bool = True


def find_places(name: str, raw_path: Path, published: Iterable[str] = ()) -> list[Path]:
    """Find the folder, the archives or the manifest of a corpus.

    Parameters
    ----------
    name : str
        As the parameters spell it; case and punctuation do not matter (``emodb`` finds ``EMO-DB.tar.gz``), and a
        suffix chooses among several of the same name.
    raw_path : Path
        The folder to look in.
    published : iterable of str
        Names of the publisher's own archives, which are taken as they are.

    Raises
    ------
    InputError
        If there is nothing, or more than one thing of that name.
    """
    if not raw_path.is_dir():
        raise InputError(f"raw.path is {raw_path}, which is no folder")
    if (raw_path / name).exists():
        same_name = [raw_path / name]
        same_name += [path for path in _usable(raw_path) if path.name != name and corpus_name(path.name) == name]
    else:
        same_name = [path for path in _usable(raw_path) if _spelling(corpus_name(path.name)) == _spelling(name)]
    if len(same_name) > 1:
        names = ", ".join(sorted(path.name for path in same_name))
        raise InputError(
            f"corpus {name}: {raw_path} holds {names}: keep one, or name the one that is meant with its suffix"
        )
    places = same_name or [raw_path / file for file in published if (raw_path / file).is_file()]
    if not places:
        there = ", ".join(sorted(path.name for path in _usable(raw_path))) or "nothing"
        raise InputError(
            f"corpus {name}: no folder, archive or table of this name in {raw_path} (there: {there}); put it there, "
            "or change prepare.corpora or raw.path"
        )
    return places


def corpus_name(file: str) -> str:
    """Return the name of a folder, archive or table without its suffix."""
    suffixes = (*ARCHIVE_SUFFIXES, *TABLE_SUFFIXES)
    ending = max((suffix for suffix in suffixes if file.lower().endswith(suffix)), key=len, default="")
    return file[: len(file) - len(ending)] if ending else file


def list_files(place: Path, raw_path: Path) -> Iterator[File]:
    """List the files of a folder or an archive, sorted; hidden ones are passed over.

    An archive inside a folder is like a folder itself. A link is followed if it leads to a file below `raw_path`.
    """
    if not place.is_dir():
        yield from _archive_files(place, PurePosixPath(), place.relative_to(raw_path).as_posix())
        return
    for folder, subfolders, names in os.walk(place):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith(HIDDEN))
        links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            path = Path(folder, name)
            if name.startswith(HIDDEN):
                continue
            inside, source = PurePosixPath(path.relative_to(place)), path.relative_to(raw_path).as_posix()
            reason = _unreadable(path, (raw_path, place))
            if is_archive(path) and not reason:
                try:
                    yield from _archive_files(path, inside, source)
                except InputError:
                    yield checked_file(inside, source, "not readable as an archive: download it again")
            else:
                yield checked_file(inside, source, reason, heard=not reason and holds_audio(path))


def checked_file(inside: PurePosixPath, source: str, reason: str = "", *, heard: bool = False) -> File:
    """Return a file, refused if it is none that is read, or its path cannot be written to a table as it is.

    `heard` says that its first bytes are those of audio, whatever its name is.
    """
    name = inside.name.lower()
    audio = heard or names_audio(name) or name.endswith((*ARCHIVE_SUFFIXES, *UNREAD_ARCHIVES))
    if not heard:
        reason = reason or why_unread(name)
    if name.endswith(UNREAD_ARCHIVES):
        reason = reason or f"no archive that is read ({', '.join(ARCHIVE_SUFFIXES)}): unpack it"
    shown = source.encode(errors="backslashreplace").decode()
    if shown != source:
        reason = reason or "its name is not UTF-8: rename it"
    if CONTROL.search(source):
        reason = reason or "control characters in its name: rename it"
        shown = CONTROL.sub(lambda character: ascii(character[0])[1:-1], shown)
    return File(inside, shown, reason, audio)


def open_source(source: str, raw_path: Path | str) -> Path | BinaryIO:
    """Return the path of a file, or its content if it lies in an archive.

    Raises
    ------
    UnusableAudioError
        If there is no such file, or its archive is damaged.
    """
    path = Path(raw_path, source)
    if path.is_file():
        return path
    archive = next((parent for parent in path.parents if is_archive(parent) and parent.is_file()), None)
    if archive is None:
        raise UnusableAudioError("there is no such file")
    inside = path.relative_to(archive).as_posix()
    try:
        opened = open_archive(archive)
    except InputError as error:
        raise UnusableAudioError(str(error)) from None
    if inside not in opened:
        raise UnusableAudioError(dict(opened.refused).get(inside, f"{archive.name} holds no such file"))
    file = io.BytesIO(opened.read(inside))
    file.name = source  # by which formats without a header are known
    return file


def read_source(source: str, raw_path: Path | str) -> bytes:
    """Return the content of a file."""
    opened = open_source(source, raw_path)
    return opened.read_bytes() if isinstance(opened, Path) else opened.read()


def _archive_files(archive: Path, inside: PurePosixPath, source: str) -> Iterator[File]:
    opened = open_archive(archive)
    for name, reason in sorted([*((name, "") for name in opened.names), *opened.refused]):
        if not any(part.startswith(HIDDEN) for part in PurePosixPath(name).parts if part != ".."):
            path = inside / name.lstrip("/") if name else PurePosixPath(archive.name)
            if name and is_archive(path):
                reason = reason or "an archive inside an archive: unpack the outer one"
            heard = not reason and may_be_audio(path.name) and _member_holds_audio(opened, name)
            yield checked_file(path, f"{source}/{name}".rstrip("/"), reason, heard=heard)


def _member_holds_audio(archive: Archive, name: str) -> bool:
    try:
        return begins_as_audio(archive.first_bytes(name, HEADER_BYTES))
    except UnusableAudioError:
        return False


def _usable(raw_path: Path) -> list[Path]:
    """List what can be a corpus."""
    paths = (path for path in raw_path.iterdir() if not path.name.startswith(HIDDEN))
    return [path for path in paths if path.is_dir() or path.name.lower().endswith((*ARCHIVE_SUFFIXES, *TABLE_SUFFIXES))]


def _spelling(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _unreadable(path: Path, roots: Iterable[Path]) -> str:
    """Say why a file of a folder cannot be read, as far as it shows without opening it."""
    if path.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links that lead to each other
            return why_no_target(path)
        if not any(target.is_relative_to(root.resolve()) for root in roots):
            return "a link that leads out of raw.path: DVC would not notice a change"
        if target.is_dir():
            return "a link to a folder"
    return "" if path.is_file() else "no regular file"


def count_outside(sources: Iterable[str], raw_path: Path | str) -> int:
    """Count the files that lie outside `raw_path`, be it by their path or behind a link."""
    root = Path(raw_path).resolve()
    folders = Counter(Path(raw_path, source).parent for source in sources)
    return sum(count for folder, count in folders.items() if not folder.resolve().is_relative_to(root))
