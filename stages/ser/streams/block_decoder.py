"""Compressed audio, decoded block by block in a process of its own; see `ser.audio.decoder_process` for why.

The other process answers with messages: a header of each part of the file, blocks of samples, an empty one behind the
last, and whether all went well. Of a stream that is still being sent it reads what comes in on its standard input.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ser.audio.decoder_process import death, end_process, limit, ready, receive, refusal, send, start_process
from ser.audio.recordings import TOO_LONG, Signal, UnusableAudioError, limited, truncated

PATH = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
FILE = PATH + "from ser.streams.block_decoder import serve_file; serve_file()"
PUSHED = PATH + "from ser.streams.block_decoder import serve_pushed; serve_pushed()"
SECONDS_AT_ONCE = 10.0  # for which time and memory are allowed, again and again
PUSHED_KIND = "MATROSKA"  # WebM is one of it: what browsers record, and can be read while it is written
LIVE = {"probesize": "4096", "analyzeduration": "0"}  # the first samples come at once


@contextmanager
def decoded_apart(file: Path | str | BinaryIO, max_seconds: float) -> Iterator[Iterator[Signal]]:
    """Open a file of compressed audio; yields the signals of its parts, each to be read to its end before the next.

    Parameters
    ----------
    file : Path, str or binary file
        What is in memory is copied to a file that has no name, so that none is left, however this process ends.
    max_seconds : float
        s.

    Raises
    ------
    UnusableAudioError, OSError
        From the signals and their blocks too; as of `ser.audio.decoding.decode`.
    """
    in_memory = not isinstance(file, Path | str)
    with tempfile.TemporaryFile(prefix="ser-") if in_memory else nullcontext() as copy:
        if in_memory:
            file.seek(0)
            shutil.copyfileobj(file, copy)
            copy.flush()
            place, name, descriptors = copy.fileno(), str(getattr(file, "name", "")), (copy.fileno(),)
        else:
            place, name, descriptors = os.path.realpath(file), os.fspath(file), ()
        process = start_process(FILE, descriptors)
        try:
            send(process.stdin, json.dumps({"path": place, "name": name, "max_seconds": max_seconds}).encode())
            yield signals(process)
        finally:
            end_process(process)


def signals(process: subprocess.Popen) -> Iterator[Signal]:
    """Yield what the other process decodes."""
    while (header := _message(process)).pop("part", None):
        yield Signal(**header, blocks=_blocks(process, header["channels"]))


def _message(process: subprocess.Popen) -> dict:
    reply = json.loads(_received(process))
    if "refused" in reply:
        raise UnusableAudioError(reply["refused"])
    if "os_error" in reply:
        raise OSError(*reply["os_error"])
    return reply


def _received(process: subprocess.Popen) -> bytes:
    try:
        return receive(process.stdout)
    except EOFError:
        raise death(process) from None


def _blocks(process: subprocess.Popen, channels: int) -> Iterator[np.ndarray]:
    while samples := _received(process):
        yield np.frombuffer(samples, np.float32).reshape(-1, channels)
    _message(process)


def serve_file() -> None:
    """Decode one file; runs in the other process."""
    from ser.audio.compressed_decoding import compressed_sources

    requests, replies = ready()
    request = json.loads(receive(requests))
    max_seconds = request["max_seconds"]
    limit(SECONDS_AT_ONCE)
    cut = ""
    try:
        with open(request["path"], "rb") as file:
            sources, cut = compressed_sources(file, max_seconds, request["name"])
            for source in sources:
                with source() as signal:
                    _send_signal(replies, signal, max_seconds)
        if cut:  # what there is was sent
            raise UnusableAudioError(cut)
    except Exception as error:
        if cut and not str(error).startswith(TOO_LONG):  # what else is wrong with it comes of that
            error = UnusableAudioError(cut)
        send(replies, json.dumps(refusal(error)).encode())
    else:
        send(replies, b"{}")


def _send_signal(replies: BinaryIO, signal: Signal, max_seconds: float) -> None:
    header = {"part": True, "sample_rate": signal.sample_rate, "channels": signal.channels, "encoding": signal.encoding}
    send(replies, json.dumps(header).encode())
    try:
        count = _send_blocks(replies, limited(signal.blocks, max_seconds, signal.sample_rate))
        if count < (signal.promised or 0):
            raise truncated(count / signal.sample_rate)
    finally:
        send(replies, b"")  # what is wrong follows
    send(replies, b"{}")


def _send_blocks(replies: BinaryIO, blocks: Iterable[np.ndarray]) -> int:
    count = 0
    for block in blocks:
        limit(SECONDS_AT_ONCE)
        if len(block):
            send(replies, np.ascontiguousarray(block, np.float32).tobytes())
        count += len(block)
    return count


class _Incoming:
    """What is being sent, as far as it is there."""

    def __init__(self, pipe: BinaryIO):
        self._pipe = pipe

    def read(self, size: int) -> bytes:
        return self._pipe.read1(size)  # type: ignore[attr-defined]


def serve_pushed() -> None:
    """Decode what is being sent, each packet at once; runs in the other process."""
    import av

    from ser.audio.ffmpeg_decoder import frame_samples, open_reader

    requests, replies = ready()
    max_seconds = json.loads(receive(requests))["max_seconds"]
    limit(SECONDS_AT_ONCE)
    try:
        with open_reader(_Incoming(requests), PUSHED_KIND, LIVE) as container:
            if not container.streams.audio:
                raise UnusableAudioError("no audio in it")
            frames = container.decode(container.streams.audio[0])
            first = next(frames, None)
            if first is None:
                raise UnusableAudioError("no samples")
            channels = first.layout.nb_channels
            blocks = (frame_samples(frame, channels) for frame in chain([first], frames))
            _send_signal(replies, Signal(first.sample_rate, channels, "WEBM", blocks), max_seconds)
    except av.FFmpegError as error:
        send(replies, json.dumps({"refused": f"not readable as audio: {error.strerror}"}).encode())
    except Exception as error:
        send(replies, json.dumps(refusal(error)).encode())
    else:
        send(replies, b"{}")
