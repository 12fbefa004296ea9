"""Which files of a folder are audio, by name or by first bytes, and why one is not opened; needs no archive readers."""

import os
from pathlib import Path

from ser.audio.container_headers import HEADER_BYTES
from ser.audio.unknown_headers import GIT_ANNEX
from ser.corpora.audio_names import begins_as_audio, may_be_audio, names_audio, why_unread

HIDDEN = (".", "__MACOSX")  # what macOS adds to archives


def holds_audio(path: Path) -> bool:
    """Tell whether a file is audio of which only its first bytes tell so: recorders and messengers name such.

    Nothing but these is opened: text, pictures and what else has a suffix of its own is no audio.
    """
    if not may_be_audio(path.name) or not path.is_file():
        return False
    try:
        with path.open("rb", buffering=0) as file:
            return begins_as_audio(file.read(HEADER_BYTES))
    except OSError:
        return False


def why_no_target(link: Path) -> str:
    """Say of a link that leads to nothing what it is."""
    if "/annex/objects/" in os.readlink(link):
        return GIT_ANNEX
    return "a link to nothing"


def audio_files(folder: Path) -> list[Path]:
    """List the audio files below a folder, sorted, also those that are not read: `why_unopened` says why.

    Hidden files and what macOS adds to archives are passed over.
    """
    files = (path for path in folder.rglob("*") if names_audio(path.name) or holds_audio(path))
    shown = (path for path in files if not any(part.startswith(HIDDEN) for part in path.relative_to(folder).parts))
    return sorted(path for path in shown if not path.is_dir())


def why_unopened(path: Path) -> str:
    """Say why there is no use in opening a file of a folder; an empty text if only its content can tell."""
    if path.is_symlink() and not path.exists():
        return why_no_target(path)
    return "" if holds_audio(path) else why_unread(path.name)
