"""Decodes files while strace watches, and marks in what it writes which calls are those of the decoding.

``python tests/traced_worker.py <folder> <port> <first seed> <last seed>``. A mark is an attempt to open a file that is
not there. Between `BEGIN` and `END` nothing but the files of ``<folder>/given`` may be opened; a decoder that died is
started anew between `PAUSE` and `RESUME`. After `END` comes what must be seen: a file and an address are opened.
"""

import contextlib
import io
import json
import socket
import sys
from pathlib import Path

from hostile_files import hostile_file
from hostile_worker import decoder_pid
from ser.audio.decoding import UnusableAudioError, decode
from tempting_files import OTHER, OWN, strength, tempting_files
from undamaged_files import KINDS, suffix_of, undamaged

BEGIN, END, PAUSE, RESUME = "mark-begin", "mark-end", "mark-pause", "mark-resume"


def mark(name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        Path(name).read_bytes()


def outcome(source: Path | io.BytesIO) -> str:
    try:
        recording = decode(source, max_seconds=30)
    except UnusableAudioError as error:
        return str(error)
    own, other = (strength(recording.y, recording.sample_rate, frequency) for frequency in (OWN, OTHER))
    return f"read: {own:.2f} {other:.2f}"


def both_ways(path: Path, content: bytes) -> list[str]:
    """Decode a file by its path and from memory; a decoder that it killed is replaced."""
    path.write_bytes(content)
    in_memory = io.BytesIO(content)
    in_memory.name = path.name
    outcomes = []
    for source in (path, in_memory):
        before = decoder_pid()
        outcomes.append(outcome(source))
        if before and decoder_pid() != before:
            mark(PAUSE)
            warm_up(path.parent)
            mark(RESUME)
    path.unlink()
    return outcomes


def warm_up(folder: Path) -> None:
    """Decode a file of each kind, whole and damaged: libraries open what they need, once."""
    for kind in range(len(KINDS)):
        content = undamaged(kind)
        for number, part in enumerate((content, content[: len(content) // 2], content[:30] + content[60:])):
            path = folder / f"warm-{kind}-{number}{suffix_of(kind)}"
            path.write_bytes(part)
            outcome(path)
            path.unlink()


def main(folder: Path, port: int, first: int, last: int) -> None:
    given = folder / "given"
    given.mkdir()
    tempting = tempting_files(folder / "other.wav", port)
    hostile = {f"{seed}{suffix}": content for seed in range(first, last) for suffix, content in [hostile_file(seed)]}
    warm_up(given)
    mark(BEGIN)
    for name, content in {**tempting, **hostile}.items():
        outcomes = both_ways(given / name, content)
        if name in tempting:
            print(json.dumps({"name": name, "outcomes": outcomes}))
    mark(END)
    (folder / "other.wav").read_bytes()
    socket.create_connection(("127.0.0.1", port)).close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
