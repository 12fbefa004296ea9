"""The files of a corpus as readers of annotations see them, from a folder or from memory, and what they say."""

import io
from collections.abc import Mapping
from pathlib import Path

from ser.annotations.records import Files, Reading


def files_below(folder: Path) -> Files:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return Files(names, lambda name: (folder / name).open("rb"))


def files_in_memory(contents: Mapping[str, str | bytes]) -> Files:
    """Return files as an archive gives them."""
    held = {name: content.encode() if isinstance(content, str) else content for name, content in contents.items()}
    return Files(sorted(held), lambda name: io.BytesIO(held[name]))


def said(reading: Reading) -> list[dict[str, str]]:
    """Return what the usable records say, without what is unknown."""
    return [{key: value for key, value in r.values.items() if value} for r in reading.records if not r.reason]


def refused(reading: Reading) -> list[tuple[str, str]]:
    return [(record.where, record.reason) for record in reading.records if record.reason]
