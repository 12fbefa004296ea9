"""Decoding what takes more than reading samples: runs in a process of its own, see `ser.audio.decoder_process`.

Ogg Vorbis and Opus by libsndfile, link by link of a chain; all else by FFmpeg.
"""

import io
from functools import partial
from typing import BinaryIO

import numpy as np
import soxr

from ser.audio.container_ends import is_cut, links, ogg_has_hole, ogg_is_cut
from ser.audio.container_headers import HEADER_BYTES, audio_start, is_free_format, kind_of, mpeg_frames
from ser.audio.container_sizes import data_chunk, mended
from ser.audio.ffmpeg_decoder import ffmpeg_signal
from ser.audio.recordings import Recording, UnusableAudioError, record
from ser.audio.sndfile_decoder import sndfile_signal

MOST_BYTES = {  # a second, of what is read whole
    "OGG": 500_000,  # Vorbis of the best quality in 8 channels
    "MPEG": 80_000,  # 640 kbit/s, the highest rate there is, in free format
}
ROOM = 1 << 24  # bytes of pictures and comments besides
FIRST_PAGE = 64  # bytes; a stream of Ogg says at its start which codec it is of
ID3_STUB = b"ID3\x04" + bytes(5) + b"\x0a" + bytes(10)  # an empty tag, by which alone libsndfile recognises MPEG


def decode_compressed(file: BinaryIO, max_seconds: float, name: str = "") -> Recording:
    """Decode a file of any container of `ser.audio.container_headers`; see `ser.audio.decoding.decode`."""
    start = audio_start(file)
    file.seek(start)
    header = file.read(HEADER_BYTES)
    kind = kind_of(header, name)
    if kind in (None, "TAG"):
        raise UnusableAudioError("not readable as audio: it begins as no known audio format does")
    if kind == "OGG":
        return _decode_chain(_content(file, start, kind, max_seconds), max_seconds)
    if kind == "MPEG" and is_free_format(header):
        content = io.BytesIO(ID3_STUB + _content(file, start, kind, max_seconds))
        return record(partial(sndfile_signal, content), max_seconds)
    chunk = data_chunk(file, kind, file.seek(0, 2)) if not start else None
    if is_cut(file, kind, start) or (chunk and chunk.missing):
        raise UnusableAudioError("truncated: it ends within a part, or before the list of its samples is written")
    if chunk:  # FFmpeg takes its sizes for true
        file, start = mended(file, chunk._replace(as_is=False)), 0
    stated_packets = mpeg_frames(header) if kind == "MPEG" else 0
    return record(partial(ffmpeg_signal, file, kind, start, stated_packets), max_seconds)


def _content(file: BinaryIO, start: int, kind: str, max_seconds: float) -> bytes:
    most = ROOM + int(MOST_BYTES[kind] * max_seconds)
    file.seek(start)
    content = file.read(most + 1)
    if len(content) > most:
        raise UnusableAudioError(f"larger than {most // 1_000_000} MB, more than {max_seconds:g} s of {kind} can take")
    return content


def _decode_chain(content: bytes, max_seconds: float) -> Recording:
    """Decode the links of an Ogg file one after another, all at the rate of the first one."""
    if ogg_is_cut(content):
        raise UnusableAudioError("truncated: the file ends within a page")
    parts = [_decode_link(content[link.start : link.end], link.streams, max_seconds) for link in links(content)]
    if not parts:
        raise UnusableAudioError("not readable as audio: no page of Ogg in it")
    sr = parts[0].sample_rate
    y = [part.y if part.sample_rate == sr else soxr.resample(part.y, part.sample_rate, sr) for part in parts]
    if sum(map(len, y)) > max_seconds * sr:
        raise UnusableAudioError(f"longer than {max_seconds:g} s")
    return parts[0]._replace(y=np.concatenate(y)) if len(parts) > 1 else parts[0]


def _decode_link(content: bytes, streams: int, max_seconds: float) -> Recording:
    file = io.BytesIO(content)
    by_sndfile = streams == 1 and any(magic in content[:FIRST_PAGE] for magic in (b"OpusHead", b"\x01vorbis"))
    if not by_sndfile and ogg_has_hole(content):  # which libsndfile notices
        raise UnusableAudioError("damaged: a part of it is missing")
    open_signal = partial(sndfile_signal, file) if by_sndfile else partial(ffmpeg_signal, file, "OGG")
    return record(open_signal, max_seconds)
