"""Decoding what takes more than reading samples: runs in a process of its own, see `ser.audio.decoder_process`.

Ogg Vorbis and Opus by libsndfile, link by link of a chain; all else by FFmpeg.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import BinaryIO

import numpy as np
import soxr

from ser.audio.container_ends import Link, is_cut, links, ogg_has_hole, ogg_is_cut
from ser.audio.container_headers import HEADER_BYTES, audio_start, is_free_format, kind_of, mpeg_frames
from ser.audio.container_sizes import data_chunk, mended
from ser.audio.ffmpeg_decoder import ffmpeg_signal
from ser.audio.recordings import Recording, Signal, UnusableAudioError, record
from ser.audio.sndfile_decoder import sndfile_signal

MOST_BYTES = {  # a second, of what is read whole
    "OGG": 500_000,  # Vorbis of the best quality in 8 channels
    "MPEG": 80_000,  # 640 kbit/s, the highest rate there is, in free format
}
ROOM = 1 << 24  # bytes of pictures and comments besides
CUT = "truncated: it ends within a part, or before the list of its samples is written"
FIRST_PAGE = 64  # bytes; a stream of Ogg says at its start which codec it is of
ID3_STUB = b"ID3\x04" + bytes(5) + b"\x0a" + bytes(10)  # an empty tag, by which alone libsndfile recognises MPEG


def decode_compressed(file: BinaryIO, max_seconds: float, name: str = "", channel: int | None = None) -> Recording:
    """Decode a file of any container of `ser.audio.container_headers`; see `ser.audio.decoding.decode`."""
    sources, cut = compressed_sources(file, max_seconds, name)
    if cut:
        raise UnusableAudioError(cut)
    parts = [record(source, max_seconds, channel=channel) for source in sources]
    sr = parts[0].sample_rate
    y = [part.y if part.sample_rate == sr else soxr.resample(part.y, part.sample_rate, sr) for part in parts]
    if sum(map(len, y)) > max_seconds * sr:
        raise UnusableAudioError(f"longer than {max_seconds:g} s")
    if len(parts) == 1:
        return parts[0]
    different = sorted({channel for part in parts for channel in part.different})
    return parts[0]._replace(y=np.concatenate(y), different=tuple(different))


def compressed_sources(
    file: BinaryIO, max_seconds: float, name: str = ""
) -> tuple[list[Callable[[], AbstractContextManager[Signal]]], str]:
    """Return what opens the parts of a file, and whether it is cut off.

    Returns
    -------
    sources : list of callable
        Of its parts, one after another: the links of a chain, else one.
    cut : str
        Why it is known that there was more; "" if it is not.

    Raises
    ------
    UnusableAudioError
        If it is no audio, or larger than its length can explain.
    """
    start = audio_start(file)
    file.seek(start)
    header = file.read(HEADER_BYTES)
    kind = kind_of(header, name)
    if kind in (None, "TAG"):
        raise UnusableAudioError("not readable as audio: it begins as no known audio format does")
    if kind == "OGG":
        return _chain(_content(file, start, kind, max_seconds))
    if kind == "MPEG" and is_free_format(header):
        return [partial(sndfile_signal, io.BytesIO(ID3_STUB + _content(file, start, kind, max_seconds)))], ""
    chunk = data_chunk(file, kind, file.seek(0, 2)) if not start else None
    cut = is_cut(file, kind, start) or bool(chunk and chunk.missing)
    if chunk:  # FFmpeg takes its sizes for true
        file, start = mended(file, chunk._replace(as_is=False)), 0
    stated_packets = mpeg_frames(header) if kind == "MPEG" else 0
    return [partial(ffmpeg_signal, file, kind, start, stated_packets)], CUT if cut else ""


def _content(file: BinaryIO, start: int, kind: str, max_seconds: float) -> bytes:
    most = ROOM + int(MOST_BYTES[kind] * max_seconds)
    size = file.seek(0, os.SEEK_END) - start
    if size > most:
        raise UnusableAudioError(f"larger than {most // 1_000_000} MB, more than {max_seconds:g} s of {kind} can take")
    file.seek(start)
    return file.read(size)  # reading up to `most` would ask for memory of that size before


def _chain(content: bytes) -> tuple[list[Callable[[], AbstractContextManager[Signal]]], str]:
    """Return what opens the links of an Ogg file, and whether it is cut off."""
    cut = "truncated: the file ends within a page" if ogg_is_cut(content) else ""
    found = links(content)
    if not (found or cut):
        raise UnusableAudioError("not readable as audio: no page of Ogg in it")
    return [partial(_link_signal, content, link) for link in found], cut


@contextmanager
def _link_signal(content: bytes, link: Link) -> Iterator[Signal]:
    own = content[link.start : link.end] if len(content) > link.end - link.start else content
    by_sndfile = link.streams == 1 and any(magic in own[:FIRST_PAGE] for magic in (b"OpusHead", b"\x01vorbis"))
    if not by_sndfile and ogg_has_hole(own):  # which libsndfile notices
        raise UnusableAudioError("damaged: a part of it is missing")
    file = io.BytesIO(own)
    with sndfile_signal(file) if by_sndfile else ffmpeg_signal(file, "OGG") as signal:
        yield signal
