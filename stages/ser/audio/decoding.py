"""From a file, whatever it holds, to samples: what recorders, telephones, browsers and messengers write.

A file from the internet is not to be trusted: nothing here depends on a header telling the truth. What takes no more
than reading samples (WAV, AIFF, FLAC and their like) is read here, by libsndfile; compressed audio is decoded in a
process of its own (`ser.audio.decoder_process`). Memory is that of the samples `max_seconds` allows, and what cannot be
used is refused by `UnusableAudioError` with the reason.
"""

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ser.audio.container_headers import HEADER_BYTES, audio_start, kind_of
from ser.audio.container_sizes import DataChunk, data_chunk, mended
from ser.audio.recordings import (
    LOUDEST_DB,
    MAX_CHANNELS,
    MAX_RATE,
    MIN_RATE,
    Recording,
    Signal,
    UnusableAudioError,
    record,
)
from ser.audio.sndfile_decoder import BadContainerError, sndfile_signal
from ser.audio.unknown_headers import what_file_is

__all__ = [
    "AUDIO_SUFFIXES",
    "LOUDEST_DB",
    "MAX_CHANNELS",
    "MAX_RATE",
    "MIN_RATE",
    "Recording",
    "UnusableAudioError",
    "decode",
]

AUDIO_SUFFIXES = (
    ".wav", ".wave", ".bwf", ".w64", ".rf64", ".flac", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".sph", ".nist",
    ".voc", ".ape", ".wv", ".tta", ".dsf", ".8svx", ".tak", ".shn", ".thd", ".mlp", ".dts",
    ".mp3", ".mp2", ".mp1", ".mpga", ".mpa", ".ogg", ".oga", ".opus", ".spx", ".m4a", ".m4b", ".m4r", ".mp4", ".m4v",
    ".f4a", ".f4v", ".mov", ".qt", ".3gp", ".3gpp", ".3g2", ".aac", ".adts", ".webm", ".weba", ".mkv", ".mka", ".amr",
    ".awb", ".wma", ".asf", ".wmv", ".ac3", ".eac3", ".gsm", ".g722", ".ogv", ".ogm", ".flv", ".avi", ".ts", ".mts",
    ".m2ts", ".mpg", ".mpeg", ".dss", ".rm", ".ra", ".mpc",
)  # fmt: skip
# containers whose samples libsndfile reads with little code between the file and them; the others are decoded apart
PLAIN = {"RIFF", "RIFX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "FLAC"}
WAV_CODECS = {1, 2, 3, 6, 7, 0x11, 0x31, 0x38, 0x40}  # tags: PCM, float, laws, ADPCM of MS, IMA, NMS, G.721; GSM
CAF_CODECS = {b"lpcm", b"ulaw", b"alaw"}  # and Apple Lossless, of which it reads little but its own
FLAC_BYTES = 2_500_000  # a second: 24 bits at 96 kHz in 8 channels; hours would go by in junk that never ends
FLAC_ROOM = 1 << 24  # bytes besides: a block of pictures or comments is no larger


def decode(file: Path | str | BinaryIO, *, max_seconds: float, channel: int | None = None) -> Recording:
    """Decode a file of any container, codec, rate, depth and number of channels; docs/formats.md lists them.

    Parameters
    ----------
    file : Path, str or binary file
        A path, or an open file that can seek, such as the bytes of an archive's member in a ``BytesIO``; one that has
        no header is told by its ``name``.
    max_seconds : float
        s.
    channel : int or None
        The only one to take, from 1; None: their mean.

    Returns
    -------
    Recording
        With an `encoding` such as ``WAV PCM_16``.

    Raises
    ------
    UnusableAudioError
        If the file is empty, no audio, encrypted, damaged, truncated, longer than `max_seconds`, of an impossible rate
        or number of channels, lacks the one that is asked for, or holds NaN, infinity or samples far beyond full scale.
    OSError
        If there is no such file, or it may not be read.
    """
    if not isinstance(file, Path | str):
        return _decode(file, None, max_seconds, channel)
    if not stat.S_ISREG(os.stat(file).st_mode):
        raise UnusableAudioError("no regular file")  # opening a named pipe would wait for ever
    with open(file, "rb", buffering=0) as opened:
        return _decode(opened, os.fspath(file), max_seconds, channel)


def _decode(file: BinaryIO, path: str | None, max_seconds: float, channel: int | None) -> Recording:
    name = path or str(getattr(file, "name", ""))
    plain = plain_source(file, name, max_seconds)
    if plain is None:
        from ser.audio.decoder_process import decode_apart  # most runs need none

        return decode_apart(file, path, max_seconds, name, channel)
    try:
        recording = record(plain.open_signal, max_seconds, cut=plain.cut, channel=channel)
    except BadContainerError:
        if plain.open_bare is None:
            raise
        recording = record(plain.open_bare, max_seconds, cut=plain.cut, channel=channel)
    return recording._replace(y=recording.y[: plain.samples]) if plain.samples else recording


class PlainSource(NamedTuple):
    """A file that libsndfile reads with little code between the file and its samples.

    Attributes
    ----------
    open_signal : callable
        Opens it from its start.
    open_bare : callable or None
        Opens it without the chunks that say nothing of the samples: libsndfile may stumble over one.
    cut : bool
        Whether the container says that samples are missing.
    samples : int or None
        How many belong to it, where that is less than libsndfile reads.
    """

    open_signal: Callable[[], AbstractContextManager[Signal]]
    open_bare: Callable[[], AbstractContextManager[Signal]] | None
    cut: bool
    samples: int | None


def plain_source(file: BinaryIO, name: str, max_seconds: float) -> PlainSource | None:
    """Return what opens a file of `PLAIN`; None: it is to be decoded apart (`ser.audio.compressed_decoding`).

    Parameters
    ----------
    file : binary file
    name : str
        By which one that has no header is told.
    max_seconds : float
        s.

    Raises
    ------
    UnusableAudioError
        If it is empty or no audio, or larger than its length can explain.
    """
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        raise UnusableAudioError("the file is empty")
    file.seek(0)
    header = file.read(HEADER_BYTES)
    kind = kind_of(header, name)
    if kind in PLAIN:
        chunk = data_chunk(file, kind, size)
        if _is_plain(header, kind, chunk):
            return _plain(file, kind, size, chunk, max_seconds)
    known = what_file_is(file) if kind in (None, "G722") else ""  # the latter by its name alone, which may mislead
    if (kind is None and not audio_start(file)) or (kind == "G722" and known):
        raise UnusableAudioError(f"not readable as audio: {known or 'it begins as no known audio format does'}")
    return None


def _is_plain(header: bytes, kind: str, chunk: DataChunk | None) -> bool:
    """Tell whether libsndfile reads the codec that a container of `PLAIN` holds; FFmpeg does of the others."""
    if kind == "CAF":
        return header[28:32] in CAF_CODECS
    if kind == "NIST":
        return b"shorten" not in header
    return chunk is None or chunk.codec is None or chunk.codec in WAV_CODECS


def _plain(file: BinaryIO, kind: str, size: int, chunk: DataChunk | None, max_seconds: float) -> PlainSource:
    most = FLAC_ROOM + int(FLAC_BYTES * max_seconds)
    if kind == "FLAC" and size > most:
        raise UnusableAudioError(f"larger than {most // 1_000_000} MB, more than {max_seconds:g} s of FLAC can take")
    cut = chunk is not None and chunk.missing
    bare = partial(sndfile_signal, mended(file, chunk._replace(as_is=False))) if chunk and chunk.as_is else None
    return PlainSource(partial(sndfile_signal, mended(file, chunk)), bare, cut, chunk.samples if chunk else None)
