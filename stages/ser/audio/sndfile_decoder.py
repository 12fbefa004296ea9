"""Decoding by libsndfile: WAV, AIFF, FLAC and their like, Ogg Vorbis and Opus."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

import numpy as np
import soundfile

from ser.audio.recordings import Signal, UnusableAudioError, check_limits
from ser.storage.samples import to_float

FORMATS = {"WAV", "WAVEX", "MP3", "RF64", "W64", "FLAC", "OGG", "AIFF", "AU", "CAF", "NIST"}
BLOCK_SAMPLES = 1 << 18  # decoded at a time, of all channels together: 1 MiB
NO_FILE = 7  # the error that libsndfile also reports of MPEG audio without a single frame
# of which a sample lies at a known place, or is found by its number, exactly
SEEKABLE = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")
UNKNOWN_LENGTH = 2**63 - 1  # frames, what libsndfile says of FLAC that was written to a pipe


class BadContainerError(UnusableAudioError):
    """A file that libsndfile does not open."""


class _Stream(soundfile.SoundFile):
    """A file that is decoded from its start to its end.

    soundfile seeks after every block to where the decoder already is, which costs a search in FLAC, unless the file
    says that it cannot seek.
    """

    def seekable(self) -> bool:
        return False


class _Bytes:
    """A binary file for libsndfile, whose callbacks print what is raised in them: a seek to nowhere stays in place."""

    def __init__(self, file: BinaryIO):
        self.tell, self.readinto, self._file = file.tell, file.readinto, file
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> None:
        target = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self._size}[whence]
        if 0 <= target < 1 << 63:
            self._file.seek(target)


@contextmanager
def sndfile_signal(file: BinaryIO) -> Iterator[Signal]:
    """Open a file with libsndfile.

    Raises
    ------
    BadContainerError
        If libsndfile does not open it.
    UnusableAudioError
        If it is of an impossible rate or number of channels.
    """
    file.seek(0)
    try:
        with _open(file) as stream:
            if stream.format not in FORMATS:
                raise BadContainerError(f"not readable as audio: {stream.format} is none of the formats known here")
            if stream.subtype.startswith("MPEG") and stream.format != "MP3":  # a WAV file too broken to be told before
                raise BadContainerError(f"not readable as audio: a damaged {stream.format} file of MPEG audio")
            check_limits(stream.samplerate, stream.channels)
            estimated = stream.frames == UNKNOWN_LENGTH or stream.format == "MP3"
            promised = None if estimated else stream.frames
            encoding = f"{stream.format} {stream.subtype}"
            exact = promised is not None and stream.subtype.startswith(SEEKABLE)
            piece = partial(_piece, stream) if exact else None
            yield Signal(stream.samplerate, stream.channels, encoding, _blocks(stream, promised), promised, piece)
    except soundfile.SoundFileError as error:
        raise _bad(error) from None


def _bad(error: soundfile.SoundFileError) -> BadContainerError:
    reason = getattr(error, "error_string", str(error)).strip()
    if getattr(error, "code", None) == NO_FILE:  # which there is
        reason = "no frame of it can be decoded"
    return BadContainerError(f"not readable as audio: {reason or 'damaged'}")


def _open(file: BinaryIO) -> _Stream:
    if isinstance(file, io.FileIO):
        return _Stream(file.fileno(), closefd=False)  # libsndfile reads by itself, which is faster
    return _Stream(_Bytes(file))


def _piece(stream: _Stream, first: int, last: int) -> Iterator[np.ndarray]:
    """Decode the samples from `first` up to `last`, as far as they are there."""
    try:
        stream.seek(first)
    except soundfile.SoundFileError:  # "Internal psf_fseek() failed"
        place = f"{first / stream.samplerate:.2f} s"
        raise BadContainerError(f"not readable as audio: damaged, nothing at {place} can be decoded") from None
    yield from _read(stream, BLOCK_SAMPLES // stream.channels, last - first)


def _blocks(stream: _Stream, promised: int | None) -> Iterator[np.ndarray]:
    length = BLOCK_SAMPLES // stream.channels
    if promised is not None:
        length = min(length, max(promised, 0) + 1)  # one more than there are: a block that is not filled is the last
    # of FLAC no sample more is asked for than there are: libsndfile fails at a tag that lies behind the last one
    yield from _read(stream, length, promised if stream.format == "FLAC" else None)


def _read(stream: _Stream, length: int, most: int | None) -> Iterator[np.ndarray]:
    count = 0
    while most is None or count < most:
        length = length if most is None else min(length, most - count)
        try:
            if stream.subtype == "PCM_16":  # to numbers of full scale 1 in a third of libsndfile's time, the same ones
                block = to_float(stream.read(length, dtype="int16", always_2d=True))
            else:
                block = stream.read(length, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:  # here too: blocks may be asked for where nothing else would see it
            raise _bad(error) from None
        yield block
        count += len(block)
        if len(block) < length:
            return
