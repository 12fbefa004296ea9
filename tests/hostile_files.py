"""Audio files as an attacker or a bad disk would write them: seeded changes to small valid files of every format.

Some changes are blind, some know where the container keeps its sizes, tables and flags; without the latter most are
refused by the first check, and the code behind it is never reached.
"""

import struct

import numpy as np

from container_fields import fields, parts, with_ogg_checksums
from ser.audio.decoding import AUDIO_SUFFIXES
from undamaged_files import KINDS, suffix_of, undamaged

EXTREMES = [0, 1, 2, 0x7F, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
HEADER = 200  # bytes; the fields that tell a decoder how much to reserve and where to go lie there


def hostile_file(seed: int) -> tuple[str, bytes]:
    """Return the suffix and the bytes of one file; the same for the same seed."""
    rng = np.random.default_rng(seed)
    kind = int(rng.integers(len(KINDS)))
    content = bytearray(undamaged(kind, int(rng.choice([1, 1, 2, 6]))))
    changes = CHANGES if rng.random() < 0.4 else STRUCTURAL
    for _ in range(int(rng.choice([1, 1, 2, 3, 8]))):
        changes[int(rng.integers(len(changes)))](content, rng)
    changed = bytes(content)
    if changed[:4] == b"OggS" and rng.random() < 0.8:
        changed = with_ogg_checksums(changed)  # a page without a right one is passed over
    return str(rng.choice(AUDIO_SUFFIXES)) if rng.random() < 0.5 else suffix_of(kind), changed


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


def _prepend(content: bytearray, rng: np.random.Generator) -> None:
    """Put a tag of ID3v2 or APE before the rest, whose size is right, wrong or beyond the end, or zeros."""
    size = int(rng.choice([0, 10, 300, len(content), 1 << 20, 0x0FFFFFFF]))
    syncsafe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    body = rng.bytes(min(size, 300)) if rng.random() < 0.5 else bytes(min(size, 300))
    head = [
        b"ID3" + bytes([int(rng.integers(2, 5)), 0, int(rng.choice([0, 0x10, 0x80, 0xFF]))]) + syncsafe,
        b"APETAGEX" + struct.pack("<IIII", 2000, size, int(rng.integers(1 << 31)), 1 << 31) + bytes(8),
        bytes(int(rng.choice([8, 512, 70_000]))),
    ]
    content[:0] = head[int(rng.integers(len(head)))] + body


def _change_field(content: bytearray, rng: np.random.Generator) -> None:
    """Give a size, a count or a flag another value: an extreme, one that is nearly right, or that of another field."""
    known = fields(content)
    if not known:
        return _overwrite_field(content, rng)
    place, width, order, _ = known[int(rng.integers(len(known)))]
    old = int.from_bytes(content[place : place + width], order)
    near = old + int(rng.choice([-8, -4, -1, 1, 4, 8]))
    one_bit = old ^ 1 << int(rng.integers(8 * width))
    other = known[int(rng.integers(len(known)))]
    elsewhere = int.from_bytes(content[other.place : other.place + other.width], other.order)
    extreme = EXTREMES[int(rng.integers(len(EXTREMES)))]
    values = [
        near,
        one_bit,
        one_bit,
        elsewhere,
        extreme,
        extreme,
        len(content),
        len(content) - place,
        old * 2,
        old // 2,
    ]
    value = values[int(rng.integers(len(values)))] & (1 << 8 * width) - 1
    content[place : place + width] = value.to_bytes(width, order)
    return None


def _change_fields(content: bytearray, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(2, 6))):
        _change_field(content, rng)


def _move_part(content: bytearray, rng: np.random.Generator) -> None:
    """Leave out, repeat or move what lies from one field to another: a box, a page, some frames."""
    known = parts(content)
    if len(known) < 2:
        return
    first, last, target = sorted(int(place) for place in rng.integers(len(known), size=3))
    piece = content[known[first].start : known[last].stop]
    way = int(rng.integers(4))
    if way == 0:
        del content[known[first].start : known[last].stop]
    elif way == 1:
        content[known[target].start : known[target].start] = piece
    elif way == 2:
        content += piece
    else:  # many times: nested boxes, links of a chain, tables
        times = min(200, 100_000 // max(1, len(piece)))
        content[known[first].start : known[first].start] = piece * times


def _spoil_samples(content: bytearray, rng: np.random.Generator) -> None:
    """Put noise into what the decoder of the codec reads, and leave the container whole."""
    start = int(rng.integers(len(content) // 2 + 1)) + len(content) // 4
    length = int(rng.choice([1, 16, 400]))
    content[start : start + length] = rng.bytes(length)[: max(0, len(content) - start)]


def _splice(content: bytearray, rng: np.random.Generator) -> None:
    """Put the start of another format before the rest of this one."""
    other = undamaged(int(rng.integers(len(KINDS))), 2)
    length = int(rng.choice([4, 12, 44, 200]))
    content[:length] = other[:length]


CHANGES = [
    _flip_header, _flip_anywhere, _overwrite_field, _overwrite_field, _truncate, _duplicate, _remove, _insert, _splice,
    _prepend,
]  # fmt: skip
STRUCTURAL = [_change_field, _change_field, _change_field, _change_fields, _move_part, _spoil_samples]
