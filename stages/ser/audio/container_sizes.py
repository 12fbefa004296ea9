"""Where the samples of a file end, whatever its header says, and a header that says so.

Writers that cannot seek back leave placeholders where sizes belong, others miscount: the size of the whole file, the
pad byte of an odd chunk, the frames. All of that costs no sample. What a chunk of samples states is believed where it
can be true; it is the only statement by which samples are missing.
"""

import io
import os
import re
import struct
from typing import BinaryIO, NamedTuple

from ser.audio.container_chunks import (
    BIG,
    CAF,
    ENDLESS,
    LITTLE,
    STREAMED,
    W64,
    W64_GUID,
    Form,
    ReadAt,
    chunks,
    ends_well,
    lacks,
    samples_in_blocks,
    stated_bytes,
    wave_codec,
    wave_frame,
)

MOST_FORMAT = 4096  # bytes of a chunk that describes the samples, or of a NIST header; the longest seen have 1024
READ_AT_ONCE = 512  # bytes; the header of an ordinary file
UINT32 = (1 << 32) - 1  # the largest size of 32 bits, and the one that AU and RF64 hold instead of an unknown one
AIFC_WIDTHS = {b"raw ": 1, b"ulaw": 1, b"alaw": 1, b"fl32": 4, b"fl64": 8}  # bytes, whatever COMM says
AIFC_PCM = (b"", b"NONE", b"twos", b"sowt", b"in24", b"in32", b"ni24", b"ni32")
AIFC_VERSION = b"FVER\0\0\0\4\xa2\x80\x51\x40"
AU_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # bytes
PLAIN_FMT = b"fmt \x10\0\0\0"  # and its size, which no codec in blocks has
GSM_BLOCK = 65  # bytes; for an odd number of blocks libsndfile reads one more than there are


class DataChunk(NamedTuple):
    """The samples of a file, from byte `start` to byte `end`.

    `stated` is their number of bytes by the header, None if that is no statement; `missing` whether the file lacks
    samples of these. `head` and the samples together make a right file; `as_is` tells that libsndfile reads the same
    from the file itself. `codec` is the tag of WAV and W64, `samples` how many are in the blocks of a codec.
    """

    start: int
    stated: int | None
    end: int
    missing: bool
    head: bytes
    as_is: bool
    codec: int | None = None
    samples: int | None = None


def data_chunk(file: BinaryIO, kind: str, size: int) -> DataChunk | None:
    """Find the samples of a file of `size` bytes by a few short reads; None if they or the `kind` are not known."""
    find = dict(RIFF=_riff, RIFX=_riff, RF64=_riff, W64=_w64, AIFF=_aiff, AU=_au, CAF=_caf, NIST=_nist)
    if kind not in find:
        return None
    file.seek(0)
    begin = file.read(READ_AT_ONCE)

    def at(place: int, count: int) -> bytes:
        if place + count <= len(begin) or place >= size:
            return begin[place : place + count]
        file.seek(place)
        return file.read(count)

    return find[kind](at, kind, size)


def mended(file: BinaryIO, chunk: DataChunk | None) -> BinaryIO:
    """Return the file where libsndfile reads all of its samples and nothing else, or one with another header."""
    return file if chunk is None or chunk.as_is else Spliced(file, chunk)


class Spliced(io.RawIOBase):
    """A file of the `head` of a chunk and its samples, which are read from where they are."""

    def __init__(self, file: BinaryIO, chunk: DataChunk):
        self._file, self._head, self._start = file, chunk.head, chunk.start
        self._size, self._place = len(chunk.head) + chunk.end - chunk.start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if place < 0:
            raise ValueError(f"a seek to {place}, before the start of the file")
        self._place = place
        return place

    def readinto(self, buffer) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._place)]
        if self._place < len(self._head):
            part = self._head[self._place : self._place + len(view)]
            view[: len(part)] = part
            count = len(part)
        else:
            self._file.seek(self._place - len(self._head) + self._start)
            count = self._file.readinto(view)
        self._place += count
        return count


def _end(start: int, stated: int | None, size: int) -> int:
    return size if stated is None else min(start + stated, size)


def _riff(at: ReadAt, kind: str, size: int) -> DataChunk | None:
    header = at(0, 44)
    if header[12:20] == PLAIN_FMT and header[36:40] == b"data" and int.from_bytes(header[40:], "little") == size - 44:
        # most files by far, and the rest takes longer
        return DataChunk(44, size - 44, size, False, header, True, int.from_bytes(header[20:22], "little"))
    form = BIG if kind == "RIFX" else LITTLE
    fmt, fact, long_claim, odd = b"", b"", None, False
    for name, start, claim, ragged in chunks(at, form, 12, size):  # noqa: B007
        if name == b"data":
            break
        if name == b"fmt " and not fmt:
            fmt = at(start, min(claim, MOST_FORMAT))
        elif name == b"fact":
            fact = at(start, 4)
        elif name == b"ds64":
            long_claim = int.from_bytes(at(start + 8, 8), "little")
        odd |= claim % 2 == 1
    else:
        return None
    if len(fmt) < 16:
        return None
    if kind == "RF64" and long_claim is not None and (0 < long_claim < ENDLESS or claim >= STREAMED):
        claim = long_claim
    whole = int.from_bytes(at(4, 4), form.order) + 8 == size
    if whole and claim in (size, size - 8):
        claim = size - start  # the headers were counted as well
    stated, (frame, in_blocks) = stated_bytes(at, form, start, claim, size), wave_frame(fmt, form.order)
    missing = lacks(stated, size - start, frame, in_blocks, whole)
    end = _end(start, stated, size)
    if kind == "RF64":  # of which libsndfile knows neither pad bytes nor, where there is ds64, another size
        as_is = claim == long_claim and bool(stated) and not odd and size - end <= 1
    else:
        as_is = not ragged and (claim > size - start or (bool(stated) and ends_well(at, form, end, size)))
    count, codec = end - start, wave_codec(fmt, form.order)
    as_is &= at(0, 4) != b"BW64"
    if in_blocks and frame == GSM_BLOCK and kind != "RF64":
        end -= count % GSM_BLOCK == 1  # the pad byte, which SoX counts
        as_is &= claim % 2 == 0 and count % 2 == 0 and end - start == count
        count = (end - start) & ~1  # libsndfile goes by blocks that are begun, and adds a pad byte
    samples = samples_in_blocks(fmt, fact, form.order, -(-count // frame)) if in_blocks else None
    return DataChunk(start, stated, end, missing, _riff_head(kind, form, fmt, fact, count), as_is, codec, samples)


def _riff_head(kind: str, form: Form, fmt: bytes, fact: bytes, count: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return name + len(content).to_bytes(4, form.order) + content + bytes(len(content) % 2)

    body = chunk(b"fmt ", fmt) + (chunk(b"fact", fact) if len(fact) == 4 else b"")
    total, size = min(12 + len(body) + count + count % 2, UINT32), min(count, UINT32)
    if kind == "RF64":
        body = chunk(b"ds64", struct.pack("<QQQI", 48 + len(body) + count, count, 0, 0)) + body
        total = size = UINT32
    return kind.encode() + total.to_bytes(4, form.order) + b"WAVE" + body + b"data" + size.to_bytes(4, form.order)


def _w64(at: ReadAt, kind: str, size: int) -> DataChunk | None:
    fmt = b""
    for name, place, claim, ragged in chunks(at, W64, 40, size):  # noqa: B007
        if name == b"fmt " + W64_GUID and not fmt:
            fmt = at(place, min(max(claim, 0), MOST_FORMAT))
        elif name == b"data" + W64_GUID:
            break
    else:
        return None
    if len(fmt) < 16:
        return None
    stated = stated_bytes(at, W64, place, claim, size)
    start, end = _between_headers(at, place, stated, size)
    body = b"fmt " + W64_GUID + struct.pack("<Q", 24 + len(fmt)) + fmt + bytes(-len(fmt) % 8)
    body += b"data" + W64_GUID + struct.pack("<Q", 24 + end - start)
    head = at(0, 16) + struct.pack("<Q", 40 + len(body) + end - start) + at(24, 16) + body
    missing = lacks(stated, size - start, *wave_frame(fmt, "little"))
    as_is = not ragged and bool(stated) and end == size  # libsndfile reads to the end of the file
    return DataChunk(start, stated, end, missing, head, as_is, wave_codec(fmt, "little"))


def _between_headers(at: ReadAt, start: int, stated: int | None, size: int) -> tuple[int, int]:
    """Return where samples begin and end.

    SoX writes W64 and CAF by libsndfile, which on its way to a pipe leaves a header twice before the samples and once
    behind them, all of the same length.
    """
    header, begin = at(0, 16), start
    if stated is None:
        while at(begin, 16) == header and begin < 4 * start:
            begin += start
    if begin == start:
        return start, _end(start, stated, size)
    behind = size - start
    return begin, behind if behind >= begin and at(behind, 16) == header else size


def _aiff(at: ReadAt, kind: str, size: int) -> DataChunk | None:
    comm, place = b"", 0
    for name, begin, length, ragged in chunks(at, BIG, 12, size):  # noqa: B007
        if name == b"COMM" and not comm:
            comm = at(begin, min(length, MOST_FORMAT))
        elif name == b"SSND" and not place:
            place, claim = begin, length - 8
        if comm and place:
            break
    if len(comm) < 18 or not place or place + 8 > size:
        return None
    skipped = int.from_bytes(at(place, 4), "big")
    start, claim = place + 8 + skipped, claim - skipped
    if start > size:
        return None
    kind_of_form = at(8, 4)
    channels, frames, bits = struct.unpack(">HIH", comm[:8])
    codec = comm[18:22] if kind_of_form == b"AIFC" else b""
    frame = AIFC_WIDTHS.get(codec.lower(), (bits + 7) // 8 if codec in AIFC_PCM else 0) * channels
    stated, room = stated_bytes(at, BIG, start, claim, size), size - start
    whole = int.from_bytes(at(4, 4), "big") + 8 == size
    missing = lacks(stated, room, frame or 1, not frame, whole) and not (frame and frames == room // frame)
    end = _end(start, stated, size)
    as_is = not ragged and (claim > room or (bool(stated) and ends_well(at, BIG, end, size)))
    if frame % 2 and frames % 2 and frames * frame + 1 == stated:
        end = min(end, start + frames * frame)  # the pad byte was counted
        as_is = False
    body = (AIFC_VERSION if codec else b"") + b"COMM" + struct.pack(">I", len(comm)) + comm + bytes(len(comm) % 2)
    count = min(end - start, UINT32 - MOST_FORMAT - 64)
    head = b"FORM" + struct.pack(">I", 4 + len(body) + 16 + count) + kind_of_form + body
    return DataChunk(start, stated, end, missing, head + b"SSND" + struct.pack(">III", 8 + count, 0, 0), as_is)


def _au(at: ReadAt, kind: str, size: int) -> DataChunk | None:
    header = at(0, 24)
    if len(header) < 24:
        return None
    mark = ">" if header[:4] == b".snd" else "<"
    start, claim, encoding, _, channels = struct.unpack(f"{mark}5I", header[4:])
    if not 24 <= start <= size:
        return None
    stated = stated_bytes(at, None, start, claim, size)
    end = _end(start, stated, size)
    missing = lacks(stated, size - start, AU_WIDTHS.get(encoding, 1) * channels or 1)
    head = header[:4] + struct.pack(f"{mark}II", 24, min(end - start, UINT32)) + header[12:]
    return DataChunk(start, stated, end, missing, head, bool(stated) or claim == UINT32)


def _caf(at: ReadAt, kind: str, size: int) -> DataChunk | None:
    desc = at(8, 44)
    if desc[:4] != b"desc" or desc[20:24] not in (b"lpcm", b"ulaw", b"alaw"):
        return None
    for name, place, claim, _ in chunks(at, CAF, 8, size):  # noqa: B007
        if name == b"data":
            break
    else:
        return None
    place += 4  # the number of edits, which the size counts
    if place > size or len(desc) < 44:
        return None
    stated = stated_bytes(at, CAF, place, claim - 4, size)
    start, end = _between_headers(at, place, stated, size)
    missing = lacks(stated, size - start, int.from_bytes(desc[28:32], "big") or 1)
    as_is = bool(stated) and not missing and ends_well(at, CAF, end, size)
    head = at(0, 8) + b"desc" + struct.pack(">Q", 32) + desc[12:] + b"data" + struct.pack(">QI", 4 + end - start, 0)
    return DataChunk(start, stated, end, missing, head, as_is)


def _nist(at: ReadAt, kind: str, size: int) -> DataChunk | None:
    text = at(0, 1024)
    length = re.match(rb"NIST_1A\n *(\d{1,4})\n", text)
    fields = dict(re.findall(rb"^(\w+) -[is]\d* (-?[\w,.-]+)\s*$", text, re.MULTILINE))
    if length is None or fields.get(b"sample_coding", b"pcm") not in (b"pcm", b"ulaw", b"alaw", b"mu-law"):
        return None
    start = int(length[1])
    if start > min(size, MOST_FORMAT):
        return None
    try:
        frame = int(fields[b"channel_count"]) * int(fields[b"sample_n_bytes"])
        stated = stated_bytes(at, None, start, int(fields[b"sample_count"]) * frame, size)
    except (KeyError, ValueError):
        frame, stated = 1, None
    end = _end(start, stated, size)
    return DataChunk(start, stated, end, lacks(stated, size - start, max(frame, 1)), at(0, start), end == size)
