"""Which files of a folder are audio, by name or by first bytes, and why one is not opened; needs no archive readers."""

import os
from pathlib import Path

from ser.audio.unknown_headers import GIT_ANNEX, what_file_is
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

HIDDEN = (".", "__MACOSX")  # what macOS adds to archives
ARCHIVE = "an archive: unpack it"
NO_FILE = "a folder, which is called as audio is and holds none"


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder is passed over without a word: hidden, or what macOS adds to archives.

    What stands for audio that is still in iCloud is hidden and yet not passed over.
    """
    return name.startswith(HIDDEN) and not placeholder_of(name)


def holds_audio(path: Path) -> bool:
    """Tell whether a file is audio of which only its first bytes tell so: recorders and messengers name such.

    Nothing but these is opened: text, pictures and what else has a well-known suffix of its own is no audio.
    """
    if not may_be_audio(path.name) or not path.is_file():
        return False
    try:
        with path.open("rb", buffering=0) as file:
            return begins_as_audio(file.read(SNIFFED), path.name)
    except OSError:
        return False


def why_no_target(link: Path) -> str:
    """Say of a link that leads to nothing what it is."""
    if "/annex/objects/" in os.readlink(link):
        return GIT_ANNEX
    return "a link to nothing"


def why_no_folder(error: OSError) -> str:
    """Say why a folder cannot be listed."""
    return f"a folder that cannot be opened: {error.strerror or error}"


def audio_files(folder: Path) -> dict[Path, str]:
    """List the audio files below a folder, and what may hold some and is not read.

    Hidden files and what macOS adds to archives are passed over.

    Returns
    -------
    dict of Path to str
        Sorted by path: why there is no use in opening it; empty if only its content can tell.
    """
    found: dict[Path, str] = {}

    def unreadable(error: OSError) -> None:
        found[Path(error.filename)] = why_no_folder(error)

    for place, subfolders, names in os.walk(folder, onerror=unreadable):
        subfolders[:] = [name for name in subfolders if not is_hidden(name)]
        for name in (name for name in names if not is_hidden(name)):
            path = Path(place, name)
            if names_audio(name) or holds_audio(path) or names_archive(name) or placeholder_of(name):
                found[path] = why_unopened(path)
        for path in (Path(place, name) for name in subfolders):
            if path.is_symlink():
                found[path] = "a link to a folder, which is not followed: name that folder itself"
            elif names_audio(path.name):
                found[path] = NO_FILE
    holding = {folder for path, reason in found.items() if reason != NO_FILE for folder in path.parents}
    return {path: reason for path, reason in sorted(found.items()) if not (reason == NO_FILE and path in holding)}


def why_unopened(path: Path) -> str:
    """Say why there is no use in opening a file of a folder; an empty text if only its content can tell."""
    if path.is_symlink() and not path.exists():
        return why_no_target(path)
    if placeholder_of(path.name):
        return IN_ICLOUD
    if holds_audio(path):
        return ""
    return why_unread(path.name) or (_why_no_recording(path) if names_archive(path.name) and path.exists() else "")


def _why_no_recording(archive: Path) -> str:
    """Say what an archive is by its name, which may be a page or a pointer in its place, or half of one."""
    try:
        with archive.open("rb") as file:
            found = what_file_is(file)
    except OSError:
        return ARCHIVE
    return ARCHIVE if not found or found.endswith("unpack it") else found
