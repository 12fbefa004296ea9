"""Audio files as an attacker or a bad disk would write them: seeded changes to small valid files of every format."""

import io
import struct
from functools import cache

import numpy as np
import soundfile

from ser.audio.decoding import AUDIO_SUFFIXES

SR = 16000
KINDS = [
    ("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"),
    ("WAV", "ULAW"), ("WAV", "ALAW"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("WAV", "G721_32"),
    ("WAV", "NMS_ADPCM_24"), ("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("W64", "IMA_ADPCM"),
    ("FLAC", "PCM_S8"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AIFF", "IMA_ADPCM"), ("AIFF", "GSM610"),
    ("AU", "PCM_16"), ("AU", "ULAW"), ("AU", "G723_24"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("CAF", "ALAC_24"),
    ("NIST", "PCM_16"), ("NIST", "ULAW"),
]  # fmt: skip
MOST_CHANNELS = {"GSM610": 1, "G721_32": 1, "NMS_ADPCM_24": 1, "G723_24": 1}
MOST_CHANNELS |= {"IMA_ADPCM": 2, "MS_ADPCM": 2, "MPEG_LAYER_III": 2}
EXTREMES = [0, 1, 2, 0x7F, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
HEADER = 200  # bytes; the fields that tell a decoder how much to reserve and where to go lie there


@cache
def valid_file(kind: int, channels: int) -> bytes:
    """Return a file of half a second of one of the `KINDS`: a tone in a little noise."""
    rng = np.random.default_rng(kind)
    y = 0.3 * np.sin(2 * np.pi * 300 * np.arange(SR // 2) / SR) + 0.02 * rng.standard_normal(SR // 2)
    file = io.BytesIO()
    form, subtype = KINDS[kind]
    soundfile.write(file, np.repeat(y[:, None], channels, axis=1), SR, format=form, subtype=subtype)
    return file.getvalue()


def hostile_file(seed: int) -> tuple[str, bytes]:
    """Return the suffix and the bytes of one file; the same for the same seed."""
    rng = np.random.default_rng(seed)
    kind = int(rng.integers(len(KINDS)))
    channels = min(int(rng.choice([1, 1, 2, 6])), MOST_CHANNELS.get(KINDS[kind][1], 6))
    content = bytearray(valid_file(kind, channels))
    for _ in range(int(rng.choice([1, 1, 2, 3, 8]))):
        CHANGES[int(rng.integers(len(CHANGES)))](content, rng)
    return str(rng.choice(AUDIO_SUFFIXES)), bytes(content)


def _flip_header(content: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(min(HEADER, len(content)), size=rng.integers(1, 6)) if content else ():
        content[place] ^= 1 << rng.integers(8)


def _flip_anywhere(content: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(len(content), size=rng.integers(1, 60)) if content else ():
        content[place] ^= 1 << rng.integers(8)


def _overwrite_field(content: bytearray, rng: np.random.Generator) -> None:
    """Write an extreme value of 16, 32 or 64 bits over the header."""
    order, width = str(rng.choice(["<", ">"])), str(rng.choice(["H", "I", "I", "I", "Q"]))
    value = EXTREMES[int(rng.integers(len(EXTREMES)))]
    if width == "Q" and rng.random() < 0.5:
        value = value << 32 | 0xFFFFFFFF
    field = struct.pack(order + width, value & (1 << 8 * struct.calcsize(width)) - 1)
    place = int(rng.integers(HEADER // 2)) * 2
    content[place : place + len(field)] = field


def _truncate(content: bytearray, rng: np.random.Generator) -> None:
    end = HEADER if rng.random() < 0.3 else len(content)
    del content[int(rng.integers(end + 1)) :]


def _piece(content: bytearray, rng: np.random.Generator) -> slice:
    start = int(rng.integers(HEADER if rng.random() < 0.5 else len(content) + 1))
    return slice(start, start + int(rng.choice([1, 4, 8, 24, 100, 3000])))


def _duplicate(content: bytearray, rng: np.random.Generator) -> None:
    piece = _piece(content, rng)
    content[piece.start : piece.start] = content[piece]


def _remove(content: bytearray, rng: np.random.Generator) -> None:
    del content[_piece(content, rng)]


def _insert(content: bytearray, rng: np.random.Generator) -> None:
    piece = _piece(content, rng)
    content[piece.start : piece.start] = rng.bytes(piece.stop - piece.start)


def _splice(content: bytearray, rng: np.random.Generator) -> None:
    """Put the start of another format before the rest of this one."""
    other = valid_file(int(rng.integers(len(KINDS))), 1)
    length = int(rng.choice([4, 12, 44, 200]))
    content[:length] = other[:length]


CHANGES = [
    _flip_header, _flip_anywhere, _overwrite_field, _overwrite_field, _truncate, _duplicate, _remove, _insert, _splice,
]  # fmt: skip
