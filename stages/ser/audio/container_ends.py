"""Containers by their parts: the links of a chained Ogg file, and whether a file ends within a part.

What a header states of the length is not believed; that a part does not end before the file does, is.
"""

import zlib
from functools import partial
from typing import BinaryIO, NamedTuple

from ser.audio.container_chunks import LITTLE, STREAMED, chunks

PAGE_HEADER = 27  # bytes of an Ogg page before the table of segments (RFC 3533)
FIRST_OF_STREAM = 2  # among the flags of a page
BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
MOST_PARTS = 1_000_000  # that are looked at
BOXES = (b"ftyp", b"moov", b"mdat", b"moof")  # without the end of which samples are missing; of others none is
SEGMENT, CLUSTER = 0x18538067, 0x1F43B675  # of Matroska (RFC 9559), which alone are written without a size
ELEMENTS = (CLUSTER, 0xA3, 0xA0, 0x1A45DFA3, 0x1549A966, 0x1654AE6B)  # blocks and headers, as the boxes above
OF_CLUSTERS = (0xA3, 0xA0, 0xE7, 0xAB, 0xA7, 0xAF, 0xEC, 0xBF, 0x5854)  # blocks, times, places, padding, sums


class Link(NamedTuple):
    """One of the files that a chained Ogg file consists of: its place, and the number of streams side by side."""

    start: int
    end: int
    streams: int


def links(content: bytes) -> list[Link]:
    """Find the links of a chain: a stream that begins after pages of others begins the next one.

    Parameters
    ----------
    content : bytes
        Of the file. What is no page is passed over, up to the next one.
    """
    starts: list[int] = []
    streams: list[int] = []
    heading = False  # among the first pages of a link's streams
    for place, _ in _pages(content):
        first = bool(content[place + 5] & FIRST_OF_STREAM)
        if first and not heading:
            starts.append(place)
            streams.append(0)
        if first:
            streams[-1] += 1
        heading = first
    ends = [*starts, len(content)][1:]
    return [Link(start, end, count) for start, end, count in zip(starts, ends, streams, strict=True)]


def ogg_is_cut(content: bytes) -> bool:
    """Tell whether a file ends within a page; that none is marked as the last is left to pass."""
    last = max((end for _, end in _pages(content)), default=0)
    return last > len(content)


def ogg_has_hole(content: bytes) -> bool:
    """Tell whether pages are missing amid others, are damaged, or what is none lies between them."""
    numbers: dict[bytes, int] = {}
    before = None
    for place, end in _pages(content):
        page = content[place:end]
        stream, number = page[14:18], int.from_bytes(page[18:22], "little")
        missing = place != (place if before is None else before) or number != numbers.get(stream, number - 1) + 1
        if missing or _checksum(page[:22] + bytes(4) + page[26:]) != int.from_bytes(page[22:26], "little"):
            return True
        numbers[stream], before = number, end
    return False


def _checksum(page: bytes) -> int:
    """Return the checksum of an Ogg page (RFC 3533): that of zlib with all bits the other way round, and begun at 0."""
    backwards = zlib.crc32(page.translate(BITS_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{backwards:032b}"[::-1], 2)


def is_cut(file: BinaryIO, kind: str, start: int = 0) -> bool:
    """Tell whether a file of MP4, Matroska, AVI or ASF ends within a box, an element or a chunk; False of others.

    Parameters
    ----------
    file : binary file
    kind : str
        See `ser.audio.container_headers`.
    start : int
        Where the container begins.
    """
    size = file.seek(0, 2)
    end = {"MP4": _last_box, "MATROSKA": _last_element, "AVI": _riff_end, "XWMA": _riff_end, "ASF": _asf_end}.get(kind)
    return end is not None and end(file, start, size) > size


def _last_box(file: BinaryIO, place: int, size: int) -> int:
    """Return where the last box at the top of an ISO base media file ends (ISO/IEC 14496-12).

    Beyond the file if the one is missing that lists the samples: recorders write it last.
    """
    lists = False
    for _ in range(MOST_PARTS):
        header = _read(file, place, 16)
        if len(header) < 8 or not header[4:8].isascii():
            break
        lists |= header[4:8] in (b"moov", b"moof")
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8 or (place + length > size and header[4:8] not in BOXES):  # 0: to the end of the file
            break
        place += length
        if place > size:
            break
    return place if lists else max(place, size + 1)


def _last_element(file: BinaryIO, place: int, size: int) -> int:
    """Return where the last element ends, of clusters of unknown size the last block.

    Beyond the file if a cluster is not made of its parts: FFmpeg goes on at the next one, or ends, without a word.
    """
    within = 0  # the end of a cluster
    for _ in range(MOST_PARTS):
        header = _read(file, place, 12)
        if not header:
            break
        id_length = _vint_bytes(header[:1])
        size_length = _vint_bytes(header[id_length : id_length + 1])
        identity = int.from_bytes(header[:id_length], "big")
        if place < within and identity not in OF_CLUSTERS:
            return size + 1
        if not 1 <= id_length <= 4 or not size_length:
            break
        stated = int.from_bytes(header[id_length : id_length + size_length], "big") & (1 << 7 * size_length) - 1
        place += id_length + size_length
        unknown = stated == (1 << 7 * size_length) - 1
        if identity == CLUSTER and not unknown:
            within = place + stated
            if within > size:
                return within
        if identity in (SEGMENT, CLUSTER):
            continue  # its parts follow
        if unknown or (place + stated > size and identity not in ELEMENTS):
            break
        place += stated
        if place > size:
            break
    return place


def _vint_bytes(first: bytes) -> int:
    """Return the length of a number of variable length by its first byte; 0 if it is none."""
    return 9 - first[0].bit_length() if first and first[0] else 0


def _riff_end(file: BinaryIO, place: int, size: int) -> int:
    """Return where the chunk of the packets ends; what the file says of itself as a whole costs none of them."""
    for name, start, claim, _ in chunks(partial(_read, file), LITTLE, place + 12, size):
        if name == b"data" or (name == b"LIST" and _read(file, start, 4) == b"movi"):
            return start + claim if claim < STREAMED else 0
    return 0


def _asf_end(file: BinaryIO, place: int, size: int) -> int:
    """Return where the data of an ASF file end: after the header's objects comes the object of the data."""
    header = int.from_bytes(_read(file, place + 16, 8), "little")
    if place + header > size:
        return place + header
    data = int.from_bytes(_read(file, place + header + 16, 8), "little")
    return place + header + data if 50 < data < 1 << 40 else 0  # less: written to a pipe


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


def _pages(content: bytes) -> list[tuple[int, int]]:
    """Return where each page begins and where it ends by its table of segments, which may be beyond the content."""
    pages = []
    place = content.find(b"OggS")
    while place >= 0:
        table = content[place + PAGE_HEADER : place + PAGE_HEADER + 255]
        count = content[place + PAGE_HEADER - 1] if place + PAGE_HEADER <= len(content) else 256
        if count > len(table):
            pages.append((place, len(content) + 1))
            break
        end = place + PAGE_HEADER + count + sum(table[:count])
        pages.append((place, end))
        place = content.find(b"OggS", end)
    return pages
