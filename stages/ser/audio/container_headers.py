"""Audio files by their first bytes: which format they are, and whether they end before their header says so.

libsndfile guesses 25 formats, some from almost nothing, and silently reads what is left of a file that was cut off.
"""

import re
from typing import BinaryIO

HEADER_BYTES = 32  # that the kind of a file is told by
STREAMED_RIFF = 0x7FFFF000  # bytes; a 32-bit size of this or more was written by a program that could not seek back
UNKNOWN_SIZE = (1 << 32) - 1  # what AU, AIFF and RF64 hold instead of a size that is unknown or stands elsewhere
W64_MAGIC = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb"
OGG_PAGE = 27 + 255 + 255 * 255  # bytes of the largest page (RFC 3533): its header, its segment table, its segments
NIST_HEADER = 1024  # bytes (NIST SPHERE)
XING_REACH = 64  # bytes from the start of the first MPEG frame: its header, side information and the mark lie within
MAX_CHUNKS = 1000  # of a CAF file that are looked at


def kind_of(header: bytes) -> str | None:
    """Name the container that a file begins as, or None for one that is not read.

    Only formats that speech is published in are let through to the decoder: less of it is open to hostile files, and
    text is not taken for headerless audio.
    """
    magic = header[:4]
    if magic in (b"RIFF", b"RIFX", b"RF64"):
        return magic.decode() if header[8:12] == b"WAVE" else None
    if magic == b"FORM":
        return "AIFF" if header[8:12] in (b"AIFF", b"AIFC") else None
    if header.startswith(W64_MAGIC):
        return "W64"
    if magic[:3] == b"ID3" or (magic[:1] == b"\xff" and magic[1:2] >= b"\xe0"):
        return "MPEG"
    return {b"fLaC": "FLAC", b"OggS": "OGG", b".snd": "AU", b"dns.": "AU", b"caff": "CAF", b"NIST": "NIST"}.get(magic)


def is_mpeg(header: bytes) -> bool:
    """Tell whether libmpg123 will decode what begins so: an MP3 file, or a WAV file that holds one."""
    return kind_of(header) == "MPEG" or (header[12:16] == b"fmt " and header[20:22] in (b"\x50\0", b"\x55\0"))


def is_alac(header: bytes) -> bool:
    """Tell whether a CAF file, whose first chunk describes the samples, holds Apple Lossless."""
    return header[:4] == b"caff" and header[28:32] == b"alac"


def ends_early(file: BinaryIO, kind: str, size: int) -> bool:
    """Tell whether a file of `size` bytes ends before its container does.

    FLAC and MPEG files hold the number of their samples and no size: see `ser.audio.decoding`. An Ogg file is told by
    its last page being cut; that none is marked as the last is left to pass, as some recorders never mark one.
    """
    end = {
        "RIFF": _riff_end,
        "RIFX": _riff_end,
        "RF64": _rf64_end,
        "W64": _w64_end,
        "AIFF": _aiff_end,
        "AU": _au_end,
        "CAF": _caf_end,
        "NIST": _nist_end,
        "OGG": _ogg_end,
    }.get(kind)
    return end is not None and size < (end(file, size) or 0)


def after_id3(file: BinaryIO) -> int:
    """Return where the ID3v2 tag at the start of a file ends; 0 if there is none."""
    tag = _read(file, 0, 10)
    if tag[:3] != b"ID3" or len(tag) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))


def states_mpeg_length(file: BinaryIO) -> bool:
    """Tell whether an MPEG file begins with a Xing or Info frame that holds the number of frames.

    Without one libmpg123 estimates the length from the size, which for a variable bit rate is wrong by any factor.
    """
    mark = re.search(rb"(?:Xing|Info)...(.)", _read(file, after_id3(file), XING_REACH), re.DOTALL)
    return mark is not None and bool(mark[1][0] & 1)


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


def _riff_end(file: BinaryIO, size: int) -> int | None:
    header = _read(file, 0, 8)
    stated = int.from_bytes(header[4:], "big" if header[:4] == b"RIFX" else "little")
    return stated + 8 if 0 < stated < STREAMED_RIFF else None


def _rf64_end(file: BinaryIO, size: int) -> int | None:
    header = _read(file, 0, 28)  # EBU Tech 3306: the chunk ds64 comes first and begins with the size of all
    stated = int.from_bytes(header[20:28], "little")
    return stated + 8 if header[12:16] == b"ds64" and stated < 1 << 63 else None


def _w64_end(file: BinaryIO, size: int) -> int | None:
    stated = int.from_bytes(_read(file, 16, 8), "little")
    return stated if stated < 1 << 63 else None  # ffmpeg writes to a pipe that it is 2^64 - 1


def _aiff_end(file: BinaryIO, size: int) -> int | None:
    stated = int.from_bytes(_read(file, 4, 4), "big")
    return stated + 8 if stated < STREAMED_RIFF else None


def _au_end(file: BinaryIO, size: int) -> int | None:
    header = _read(file, 0, 12)
    order = "big" if header[:4] == b".snd" else "little"
    stated = int.from_bytes(header[8:], order)
    return int.from_bytes(header[4:8], order) + stated if stated != UNKNOWN_SIZE else None


def _caf_end(file: BinaryIO, size: int) -> int | None:
    place = 8
    for _ in range(MAX_CHUNKS):
        header = _read(file, place, 12)
        stated = int.from_bytes(header[4:], "big", signed=True)
        if len(header) < 12 or stated < 0:  # -1: of unknown length, to the end of the file
            return None
        place += 12 + stated
        if header[:4] == b"data" or place > size:
            return place
    return None


def _nist_end(file: BinaryIO, size: int) -> int | None:
    fields = dict(re.findall(rb"^(\w+) -i (\d{1,12})\s*$", _read(file, 0, NIST_HEADER), re.MULTILINE))
    try:
        samples = int(fields[b"sample_count"]) * int(fields[b"channel_count"])
        return NIST_HEADER + samples * int(fields[b"sample_n_bytes"])
    except KeyError:
        return None


def _ogg_end(file: BinaryIO, size: int) -> int | None:
    start = max(0, size - OGG_PAGE)
    tail = _read(file, start, OGG_PAGE)
    page = tail.rfind(b"OggS")
    if page < 0:
        return None
    table = tail[page + 27 : page + 27 + tail[page + 26]] if page + 26 < len(tail) else b""
    return start + page + 27 + len(table) + sum(table) if table else size + 1
