"""Where the containers keep sizes, counts and flags: the places that a hostile file lies in.

Each walker goes through a file as far as it can be followed; a damaged one ends where nothing follows any more.
"""

import itertools
import struct
from collections.abc import Iterator
from typing import NamedTuple

from ser.audio.container_headers import frame_bytes, kind_of

MOST_FIELDS = 4000
MOST_DEPTH = 12
BOXES = {  # that hold boxes (ISO/IEC 14496-12), and the bytes before these
    b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"edts": 0, b"dinf": 0, b"udta": 0, b"moof": 0,
    b"traf": 0, b"mvex": 0, b"mfra": 0, b"wave": 0, b"ilst": 0, b"meta": 4, b"dref": 8, b"stsd": 8, b"mp4a": 28,
    b"alac": 28, b"Opus": 28, b"fLaC": 28, b"samr": 28, b"sowt": 28, b"ac-3": 28, b"ec-3": 28, b".mp3": 28,
}  # fmt: skip
MASTERS = {  # elements of Matroska that hold elements (RFC 9559)
    0x1A45DFA3, 0x18538067, 0x114D9B74, 0x4DBB, 0x1549A966, 0x1654AE6B, 0xAE, 0xE1, 0xE0, 0x1F43B675, 0xA0, 0x1C53BB6B,
    0xBB, 0xB7, 0x1254C367, 0x7373, 0x67C8, 0x6D80, 0x6240,
}  # fmt: skip


class Field(NamedTuple):
    """A number at a place: its bytes and their order; of the first of a box, a page or a frame, where that begins."""

    place: int
    width: int
    order: str = "big"
    begins: int | None = None


def fields(content: bytes) -> list[Field]:
    """List the fields of a file, by the container it begins as; none of one without any."""
    walk = WALKERS.get(kind_of(bytes(content[:512])) or "")
    return [*itertools.islice(walk(bytes(content)), MOST_FIELDS)] if walk else []


def parts(content: bytes) -> list[slice]:
    """List what lies from one box, element, chunk, page or frame to the next."""
    places = sorted({field.begins for field in fields(content) if field.begins is not None})
    return [slice(start, end) for start, end in itertools.pairwise([*places, len(content)])]


def _boxes(content: bytes, place: int = 0, end: int | None = None, depth: int = 0) -> Iterator[Field]:
    end = len(content) if end is None else min(end, len(content))
    while place + 8 <= end and depth < MOST_DEPTH:
        size, name = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        yield Field(place, 4, begins=place)
        if size < 8:
            return
        if name in BOXES:
            yield from _words(place + 8, place + 8 + BOXES[name])
            yield from _boxes(content, place + 8 + BOXES[name], place + size, depth + 1)
        elif name not in (b"mdat", b"free"):  # sample tables, times, edit lists, fragments, what a codec needs
            yield from _words(place + 8, min(place + size, place + 200, end))
        place += size


def _words(start: int, end: int) -> Iterator[Field]:
    for place in range(start, end - 3, 4):
        yield Field(place, 4)
        yield Field(place, 1)


def _elements(content: bytes, place: int = 0, end: int | None = None, depth: int = 0) -> Iterator[Field]:
    end = len(content) if end is None else min(end, len(content))
    while place + 2 <= end and depth < MOST_DEPTH:
        id_length = 9 - content[place].bit_length()
        size_place = place + id_length
        if size_place >= end:
            return
        size_length = 9 - content[size_place].bit_length()
        identity = int.from_bytes(content[place:size_place], "big")
        mask = (1 << 7 * size_length) - 1
        size = int.from_bytes(content[size_place : size_place + size_length], "big") & mask
        start = size_place + size_length
        yield Field(size_place, size_length, begins=place)
        inner_end = end if size == mask else start + size
        if identity in MASTERS:
            yield from _elements(content, start, inner_end, depth + 1)
        else:
            yield Field(start, min(max(size, 1), 8))  # a number, or the head of a block: track, time, flags, laces
            yield from (Field(start + offset, 1) for offset in range(min(size, 6)))
        place = inner_end


def _pages(content: bytes) -> Iterator[Field]:
    """Go through the pages of Ogg: version, flags, granule, serial and sequence number, and the table of segments."""
    for place, count, _ in ogg_pages(content):
        yield Field(place, 4, "little", place)
        for offset, width in ((4, 1), (5, 1), (6, 8), (14, 4), (18, 4), (26, 1)):
            yield Field(place + offset, width, "little")
        yield from (Field(place + 27 + segment, 1) for segment in range(min(count, 20)))
        body = place + 27 + count
        yield from (Field(body + offset, 1) for offset in range(48))  # the headers of Opus, Vorbis, FLAC


def _chunks(start: int, name: int, size: int, order: str, counted: int, align: int):
    def walk(content: bytes, place: int = start, end: int | None = None, depth: int = 0) -> Iterator[Field]:
        end = len(content) if end is None else min(end, len(content))
        if not depth:
            yield from (Field(offset, 4, order) for offset in range(0, start, 4))
        while place + name + size <= end and depth < MOST_DEPTH:
            claim = int.from_bytes(content[place + name : place + name + size], order) - counted
            yield Field(place + name, size, order, place)
            body = place + name + size
            if content[place : place + 4] in (b"LIST", b"RIFF"):
                yield from walk(content, body + 4, body + claim, depth + 1)
            else:
                for offset in range(0, min(max(claim, 0), 64), 2):
                    yield Field(body + offset, 2, order)
                    yield Field(body + offset, 4, order)
            if claim < 0:
                return
            place = body + claim + -claim % align

    return walk


def _objects(content: bytes, place: int = 0) -> Iterator[Field]:
    """Go through the objects of ASF, also of its header: a GUID of 16 bytes, a size of 8."""
    first = True
    while place + 24 <= len(content):
        size = int.from_bytes(content[place + 16 : place + 24], "little")
        yield Field(place + 16, 8, "little", place)
        for offset in range(24, min(size, 160), 4):
            yield Field(place + offset, 4, "little")
            yield Field(place + offset, 2, "little")
        place += 30 if first else size
        if size < 24:
            return
        first = False


def _tagged(content: bytes) -> Iterator[Field]:
    """Go through a tag of ID3v2, the head of its first frame, and the frames of MPEG audio behind it."""
    yield from (Field(place, 1) for place in range(3, 20))
    yield Field(14, 4)
    size = sum((byte & 0x7F) << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=False))
    yield from _frames(content, 10 + size)


def _frames(content: bytes, place: int = 0) -> Iterator[Field]:
    """Go through frames of MPEG audio and ADTS: the bits of their headers, and the Xing frame."""
    yield from (Field(place + offset, 1) for offset in range(8, 64))
    while place + 6 <= len(content):
        yield Field(place, 1, begins=place)
        yield from (Field(place + offset, 1) for offset in range(1, 8))
        length = frame_bytes(content[place : place + 6])
        if not length:
            return
        place += length


def _tags(content: bytes) -> Iterator[Field]:
    """Go through the tags of FLV: a type, the size of 24 bits, a time, and the flags of the codec."""
    place = 13
    yield from (Field(offset, 1) for offset in range(4, 13))
    while place + 11 <= len(content):
        size = int.from_bytes(content[place + 1 : place + 4], "big")
        yield from (Field(place, 1, begins=place), Field(place + 1, 3), Field(place + 4, 4), Field(place + 11, 1))
        yield from (Field(place + 12 + offset, 1) for offset in range(min(size, 8)))
        place += 11 + size + 4


def _packets(content: bytes) -> Iterator[Field]:
    """Go through packets of an MPEG transport stream: identity, flags, adaptation, and what tables and times hold."""
    for place in range(0, len(content), 188):
        yield Field(place, 1, begins=place)
        yield from (Field(place + offset, 1) for offset in range(1, 40))


def _start(count: int, order: str = "big"):
    def walk(content: bytes) -> Iterator[Field]:
        for place in range(0, min(count, len(content) - 4), 2):
            for width in (1, 2, 4):
                yield Field(place, width, order)

    return walk


def _blocks(content: bytes) -> Iterator[Field]:
    """Go through blocks of WavPack: all of a header of 32 bytes, and the sub-blocks' first bytes."""
    place = 0
    while content[place : place + 4] == b"wvpk":
        yield Field(place + 4, 4, "little", place)
        yield from (Field(place + offset, 4, "little") for offset in range(8, 32, 4))
        yield from (Field(place + offset, 1) for offset in range(32, 64))
        place += 8 + int.from_bytes(content[place + 4 : place + 8], "little")


def ogg_pages(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Go through pages of Ogg: where each begins, its number of segments, and where it ends."""
    place = content.find(b"OggS")
    while 0 <= place <= len(content) - 27:
        count = content[place + 26]
        end = place + 27 + count + sum(content[place + 27 : place + 27 + count])
        yield place, count, end
        place = content.find(b"OggS", max(end, place + 1))


def with_ogg_checksums(content: bytes, serial: int | None = None) -> bytes:
    """Return an Ogg file whose pages have right checksums, and a serial number if one is given."""
    changed = bytearray(content)
    for place, _, end in ogg_pages(content):
        if end > len(content):
            break
        if serial is not None:
            changed[place + 14 : place + 18] = struct.pack("<I", serial)
        changed[place + 22 : place + 26] = bytes(4)
        changed[place + 22 : place + 26] = struct.pack("<I", _checksum(changed[place:end]))
    return bytes(changed)


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if value >> 31 else 0)
        table.append(value)
    return table


_CRC = _crc_table()


def _checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value


_RIFF = _chunks(12, 4, 4, "little", 0, 2)
WALKERS = {
    "MP4": _boxes, "MATROSKA": _elements, "OGG": _pages, "RIFF": _RIFF, "AVI": _RIFF, "RF64": _RIFF, "XWMA": _RIFF,
    "RIFX": _chunks(12, 4, 4, "big", 0, 2), "W64": _chunks(40, 16, 8, "little", 24, 8),
    "AIFF": _chunks(12, 4, 4, "big", 0, 2), "CAF": _chunks(8, 4, 8, "big", 0, 1), "ASF": _objects,
    "MPEG": _frames, "TAG": _tagged, "ADTS": _frames, "FLV": _tags, "MPEG_TS": _packets, "WAVPACK": _blocks,
    "AU": _start(24), "NIST": _start(200),
    "VOC": _start(60, "little"), "TTA": _start(40, "little"), "REAL": _start(300), "FLAC": _start(60),
    "AC3": _start(24), "EAC3": _start(24), "LOAS": _start(24), "MPEG_PS": _start(120), "AMR": _start(40),
    "GSM": _start(40),
}  # fmt: skip
