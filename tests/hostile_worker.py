"""Decodes hostile files in a process of its own, and says of each what came of it and what it cost.

``python tests/hostile_worker.py <first seed> <last seed> <seconds>`` prints a line of JSON before and after each file:
the last line names the file that ended it, if one did. The library decodes what is compressed in one more process; its
time and memory are looked up where Linux tells them.
"""

import contextlib
import io
import json
import os
import resource
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np

from hostile_files import hostile_file
from ser.audio import decoder_process
from ser.audio.cleaning import load_clip
from ser.audio.decoding import UnusableAudioError
from ser.settings.all_sections import load_params

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def decoder_pid() -> int | None:
    """Return the number of the process that decodes for this thread, if there is one."""
    decoder = getattr(decoder_process._own, "decoder", None)
    return decoder.process.pid if decoder is not None and decoder.process.poll() is None else None


def processor_seconds() -> float:
    """Return the processor time of this process, its decoder, and those that ended, in s."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = 0
    if pid := decoder_pid():
        with contextlib.suppress(OSError):
            running = sum(map(int, (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[11:13]))
    return time.process_time() + ended.ru_utime + ended.ru_stime + running / TICKS


def megabytes(pid: int | str) -> float:
    """Return the memory that a process holds, in MB."""
    with contextlib.suppress(OSError):
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def open_files(pid: int | str) -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir(PROC / str(pid) / "fd"))
    return 0


def outcome(source: Path | io.BytesIO, settings) -> str:
    """Decode a file: the number and a checksum of its samples, or the reason why there are none."""
    try:
        samples = load_clip(source, settings)
    except UnusableAudioError as error:
        reason = str(error)
        assert reason.strip() and "\n" not in reason, reason
        return f"refused: {reason}"
    assert samples.dtype == np.int16 and samples.ndim == 1 and len(samples) >= 0.3 * 16000
    return f"read: {len(samples)} {zlib.crc32(samples.tobytes())}"


def decode_one(seed: int, folder: Path, settings) -> dict:
    """Decode a hostile file by its path and from memory."""
    suffix, content = hostile_file(seed)
    path = folder / f"clip{suffix}"
    path.write_bytes(content)
    in_memory = io.BytesIO(content)
    in_memory.name = path.name
    outcomes, seconds = [], []
    for source in (path, in_memory):
        start = processor_seconds()
        outcomes.append(outcome(source, settings))
        seconds.append(processor_seconds() - start)
    path.unlink()
    pid = decoder_pid()
    return {
        "seed": seed,
        "outcomes": outcomes,
        "seconds": max(seconds),
        "decoder": pid,
        "memory": [megabytes("self"), megabytes(pid) if pid else 0.0],
        "open_files": [open_files("self"), open_files(pid)] if pid else [0, 0],
    }


def main(first: int, last: int, most_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (most_seconds, most_seconds))  # a file that never ends
    settings = load_params().prepare
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, last):
            print(json.dumps({"seed": seed}), flush=True)
            print(json.dumps(decode_one(seed, Path(folder), settings)), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
