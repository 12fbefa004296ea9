"""The chunks that WAV, RF64, W64, AIFF and CAF files are made of, gone through without trust in their sizes."""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

MAX_CHUNKS = 1000  # of a file that are looked at
# Bytes; what a program states that cannot seek back: 0x7F000000 (SoX, AIFF), 0x7FFFF000 (SoX and eSpeak, WAV),
# 0x80000000 (arecord), 0xFFFFFFFF (FFmpeg; AU and RF64 by their specifications), less what a header takes
STREAMED = 0x7F000000 - 0x1000
ENDLESS = 1 << 62  # bytes; -1 in CAF, 2^63 - 1 in FFmpeg's W64, 2^64 - 1
W64_GUID = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"  # follows the name of a chunk
SEPARATE = (1, 3, 6, 7)  # the tags of WAV whose samples have bytes of their own: PCM, float, A-law, u-law
EXTENSIBLE = 0xFFFE  # the tag that says that the tag stands farther behind
KNOWN = (b"data", b"fmt ", b"fact", b"LIST", b"bext", b"JUNK", b"PEAK", b"cue ", b"COMM", b"SSND", b"MARK", b"INST")
SECOND_FILE = (b"RIFF", b"FORM", b"data", b"fmt ", b"SSND")  # libsndfile fails at these or goes over to them

ReadAt = Callable[[int, int], bytes]  # a place and a count: the bytes there


class Form(NamedTuple):
    """How chunks are written: bytes of a name and of a size, of the header that the size counts, of alignment."""

    name: int
    size: int
    order: str
    counted: int = 0
    align: int = 2


class Chunk(NamedTuple):
    """A chunk with the `place` of its content and the bytes of it that it claims.

    `ragged` tells that it, or one before it, follows an odd chunk without the pad byte that belongs there.
    """

    name: bytes
    place: int
    claim: int
    ragged: bool


LITTLE, BIG = Form(4, 4, "little"), Form(4, 4, "big")
W64 = Form(16, 8, "little", counted=24, align=8)
CAF = Form(4, 8, "big", align=1)


def chunks(at: ReadAt, form: Form, place: int, size: int) -> Iterator[Chunk]:
    """Go through the chunks of a file of `size` bytes from a place on, as far as there are any."""
    length, ragged = form.name + form.size, False
    for _ in range(MAX_CHUNKS):
        header = at(place, length)
        if len(header) < length:
            return
        claim = int.from_bytes(header[form.name :], form.order) - form.counted
        yield Chunk(header[: form.name], place + length, claim, ragged)
        place += length + claim
        if claim < 0 or place > size:
            return
        pad = -claim % form.align
        if pad and _begins_without_pad(at, form, place, pad):
            ragged = True
        else:
            place += pad


def _begins_without_pad(at: ReadAt, form: Form, place: int, pad: int) -> bool:
    name = at(place, form.name)  # where there is a pad byte it is 0, which is in no name
    return _is_name(name) and (name in KNOWN or not _is_name(at(place + pad, form.name)))


def _is_name(name: bytes) -> bool:
    if len(name) == 16:
        return name.endswith(W64_GUID[6:])  # all that the names of markers and of the others have in common
    return len(name) == 4 and all(32 <= letter < 127 for letter in name)


def is_chain(at: ReadAt, form: Form, place: int, size: int) -> bool:
    """Tell whether whole chunks, none of them of another file, go on from a place to the end of the file."""
    end = place
    for chunk in chunks(at, form, place, size):
        if chunk.claim < 0 or not _is_name(chunk.name) or chunk.name in SECOND_FILE:
            return False
        end = chunk.place + chunk.claim
    return place < end <= size < end + form.align + form.name  # a pad byte, and no more than could be a name


def ends_well(at: ReadAt, form: Form, end: int, size: int) -> bool:
    """Tell whether nothing follows the samples, which end at a place, or nothing that libsndfile stumbles over."""
    behind = end + end % 2 if form.align == 2 else end
    return behind >= size or is_chain(at, form, behind, size)


def stated_bytes(at: ReadAt, form: Form | None, start: int, claim: int, size: int) -> int | None:
    """Return how many bytes of samples a claim states, None where it is a placeholder: that of a pipe, or too little.

    Too little is nothing before bytes that are no chunks; a container without chunks has no `form`.
    """
    if claim > size - start and (STREAMED <= claim < 1 << 32 or claim >= ENDLESS):
        return None
    if claim <= 0 and start < size and (form is None or not is_chain(at, form, start, size)):
        return None
    return max(claim, 0)


def lacks(stated: int | None, room: int, frame: int, in_blocks: bool = False, whole: bool = False) -> bool:
    """Tell whether samples of those stated are beyond the room in the file, and not just a pad byte.

    Parameters
    ----------
    stated, room, frame : int
        Bytes; `frame` is that of a sample of all channels, or of a block of a codec.
    in_blocks : bool
        Whether it is the latter, so that the last one may be shorter.
    whole : bool
        Whether the container says that it ends where the file does.
    """
    if stated is None or stated <= room or (whole and stated - room == 1):
        return False
    return stated - room > (stated % frame == 1) if in_blocks else stated // frame > room // frame


def wave_codec(fmt: bytes, order: str) -> int:
    """Return the tag of the codec that a chunk ``fmt`` names."""
    tag = int.from_bytes(fmt[:2], order)
    return int.from_bytes(fmt[24:26], order) if tag == EXTENSIBLE and len(fmt) >= 26 else tag


def wave_frame(fmt: bytes, order: str) -> tuple[int, bool]:
    """Return the bytes of a frame by a chunk ``fmt``, and whether it is a block of a codec."""
    mark = "<" if order == "little" else ">"
    _, channels, _, _, align, bits = struct.unpack(f"{mark}HHIIHH", fmt[:16])
    tag = wave_codec(fmt, order)
    widths = [width for width in (align, channels * ((bits + 7) // 8)) if width]
    return (min(widths, default=1), False) if tag in SEPARATE else (align or 1, True)


def samples_in_blocks(fmt: bytes, fact: bytes, order: str, blocks: int) -> int | None:
    """Return how many samples the blocks of a codec hold by a chunk ``fact``; None if it does not end in the last."""
    samples, of_block = int.from_bytes(fact, order), int.from_bytes(fmt[18:20], order)
    return samples if (blocks - 1) * of_block < samples <= blocks * of_block else None
