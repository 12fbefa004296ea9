"""From a file, whatever it holds, to samples: every format of libsndfile that speech is published in, one at a time.

A corpus from the internet is not to be trusted: nothing here depends on a header telling the truth. Memory is that of
the samples `max_seconds` allows, and what cannot be used is refused by `UnusableAudioError` with the reason.
"""

import io
import os
import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile

from ser.audio.container_headers import (
    HEADER_BYTES,
    after_id3,
    ends_early,
    is_alac,
    is_mpeg,
    kind_of,
    states_mpeg_length,
)
from ser.audio.decoder_remarks import quiet_stderr
from ser.storage.samples import amplitude

AUDIO_SUFFIXES = (
    ".wav", ".wave", ".w64", ".rf64", ".flac", ".ogg", ".oga", ".opus", ".mp3",
    ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".sph",
)  # fmt: skip
FORMATS = {"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "NIST"}
MIN_RATE = 4000  # Hz; below, not even the second formant of speech (up to 2.5 kHz) is there
MAX_RATE = 384_000  # Hz; the highest rate that converters are sold with
MAX_CHANNELS = 32  # the largest microphone arrays that speech is published with; libsndfile goes up to 1024
LOUDEST_DB = 60.0  # dBFS; float files may exceed full scale, but none that holds sound by this much
BLOCK_SAMPLES = 1 << 18  # decoded at a time, of all channels together: 1 MiB
UNKNOWN_LENGTH = 2**63 - 1  # frames, what libsndfile says of FLAC that was written to a pipe
ID3_STUB = b"ID3\x04" + bytes(5) + b"\x0a" + bytes(10)  # an empty tag; libsndfile overlooks a smaller one
MOST_BYTES = {  # a second, of what is searched for the next frame: hours would go by in junk that never ends
    "MPEG": 80_000,  # 640 kbit/s, the highest rate there is (in free format)
    "OGG": 500_000,  # Vorbis of the best quality in 8 channels
    "FLAC": 2_500_000,  # 24 bits at 96 kHz in 8 channels
}
ROOM = 1 << 24  # bytes of pictures and comments besides; FLAC allows a block of them no more
MPEG_FRAME = 1152  # samples; some encoders count the frame that holds the count


class UnusableAudioError(Exception):
    """Audio that cannot be used; the message is the reason for the quarantine."""


class Recording(NamedTuple):
    """What a file holds: `y` of full scale 1 as float32, shape (samples,), the mean of its `channels`."""

    y: np.ndarray
    sample_rate: int
    channels: int
    encoding: str


class _Stream(soundfile.SoundFile):
    """A file that is decoded from its start to its end.

    soundfile seeks after every block to where the decoder already is, which costs a search in FLAC and starts the
    decoder of MPEG anew, unless the file says that it cannot seek.
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


def decode(file: Path | str | BinaryIO, *, max_seconds: float) -> Recording:
    """Decode a file of any of `FORMATS`, rate, depth and number of channels.

    Parameters
    ----------
    file : Path, str or binary file
        A path, or an open file that can seek, such as the bytes of an archive's member in a ``BytesIO``.
    max_seconds : float
        s.

    Returns
    -------
    Recording
        With an `encoding` such as ``WAV PCM_16``.

    Raises
    ------
    UnusableAudioError
        If the file is empty, no audio, damaged, truncated, longer than `max_seconds`, of an impossible rate or number
        of channels, or holds NaN, infinity or samples far beyond full scale.
    OSError
        If there is no such file, or it may not be read.
    """
    if not isinstance(file, Path | str):
        return _decode(file, max_seconds)
    if not stat.S_ISREG(os.stat(file).st_mode):
        raise UnusableAudioError("no regular file")  # opening a named pipe would wait for ever
    with open(file, "rb", buffering=0) as opened:
        return _decode(opened, max_seconds)


def _decode(file: BinaryIO, max_seconds: float) -> Recording:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        raise UnusableAudioError("the file is empty")
    file.seek(0)
    header = file.read(HEADER_BYTES)
    kind = kind_of(header)
    if kind is None:
        raise UnusableAudioError("not readable as audio: it begins as no known audio format does")
    if is_alac(header):
        raise UnusableAudioError("not readable as audio: Apple Lossless, of which libsndfile reads little but its own")
    if kind == "MPEG":
        file = _mpeg_stream(file, max_seconds)
    elif kind in MOST_BYTES and size > (most := _most_bytes(kind, max_seconds)):
        raise UnusableAudioError(f"larger than {most // 1_000_000} MB, more than {max_seconds:g} s of {kind} can take")
    states_length = kind != "MPEG" or states_mpeg_length(file)
    file.seek(0)
    try:
        with quiet_stderr(is_mpeg(header)), _open(file) as stream:
            promised = _promised_frames(stream) if states_length else None
            recording = _read(stream, promised, max_seconds)
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", str(error)).strip()
        if kind == "MPEG":
            reason = "no MPEG audio"  # libsndfile goes on to guess, and complains of a resource fork
        raise UnusableAudioError(f"not readable as audio: {reason}") from None
    if len(recording.y) < (promised or 0) or ends_early(file, kind, size):
        seconds = len(recording.y) / recording.sample_rate
        raise UnusableAudioError(f"truncated: the header promises more audio than the {seconds:.2f} s there are")
    if len(recording.y) == 0:
        raise UnusableAudioError("no samples")
    return recording


def _mpeg_stream(file: BinaryIO, max_seconds: float) -> BinaryIO:
    """Return an MPEG stream with an empty tag in place of its own, as far as it can be needed.

    libsndfile recognises MPEG in an open file by its tag only, and what libmpg123 would make of a tag is of no use.
    """
    file.seek(after_id3(file))
    content = file.read(_most_bytes("MPEG", max_seconds))
    if content.startswith(b"ID3"):
        raise UnusableAudioError("not readable as audio: one ID3 tag after another")  # libsndfile calls itself for each
    return io.BytesIO(ID3_STUB + content)


def _most_bytes(kind: str, max_seconds: float) -> int:
    return ROOM + int(MOST_BYTES[kind] * max_seconds)


def _open(file: BinaryIO) -> _Stream:
    if isinstance(file, io.FileIO):
        return _Stream(file.fileno(), closefd=False)  # libsndfile reads by itself, which is faster
    return _Stream(_Bytes(file))


def _promised_frames(stream: _Stream) -> int | None:
    """Return how many frames the header promises at least; None if it does not say."""
    if stream.frames == UNKNOWN_LENGTH:
        return None
    if not stream.subtype.startswith("MPEG"):
        return stream.frames
    return stream.frames - MPEG_FRAME if stream.format == "MP3" else None


def _read(stream: _Stream, promised: int | None, max_seconds: float) -> Recording:
    """Decode block by block and mix each down, until the stream ends or is longer than allowed."""
    sr, channels = stream.samplerate, stream.channels
    if stream.format not in FORMATS:
        raise UnusableAudioError(f"not readable as audio: {stream.format} is none of the formats known here")
    if not MIN_RATE <= sr <= MAX_RATE:
        raise UnusableAudioError(f"a sample rate of {sr} Hz; {MIN_RATE} to {MAX_RATE} are read")
    if channels > MAX_CHANNELS:
        raise UnusableAudioError(f"{channels} channels; up to {MAX_CHANNELS} are read")
    if promised is not None and promised > max_seconds * sr:
        raise UnusableAudioError(f"longer than {max_seconds:g} s ({promised / sr:.1f} s)")
    length = BLOCK_SAMPLES // channels
    if promised is not None:
        length = min(length, max(promised, 0) + 1)  # one more than there are: a block that is not filled is the last
    blocks, frames = [], 0
    while not blocks or len(blocks[-1]) == length:
        block = stream.read(length, dtype="float32", always_2d=True)
        _require_sound(block)
        blocks.append(block[:, 0] if channels == 1 else block.mean(axis=1))
        frames += len(block)
        if frames > max_seconds * sr:
            raise UnusableAudioError(f"longer than {max_seconds:g} s")
    y = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    return Recording(y, sr, channels, f"{stream.format} {stream.subtype}")


def _require_sound(block: np.ndarray) -> None:
    """Refuse samples that are no numbers or none of sound, before channels are added up, which could overflow."""
    peak = np.maximum(block.max(initial=0.0), -block.min(initial=0.0))
    if not np.isfinite(peak):
        raise UnusableAudioError("NaN or infinite samples")
    if peak > amplitude(LOUDEST_DB):
        raise UnusableAudioError(f"no sound: samples exceed full scale by more than {LOUDEST_DB:g} dB")
