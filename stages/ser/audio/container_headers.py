"""Audio files by their first bytes: which container they are, and where it begins behind tags and dirt.

Decoders guess dozens of formats, some from almost nothing. Only formats that speech is recorded or published in are let
through: less is open to hostile files, and text is not taken for headerless audio.
"""

import re
from typing import BinaryIO

HEADER_BYTES = 512  # that the kind of a file is told by
W64_MAGIC = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb"
ASF_MAGIC = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
MOST_TAGS = 32  # one after another
MOST_DIRT = 1 << 20  # bytes of zeros or junk before the first frame
SEARCHED = 1 << 16  # bytes of junk in which frames are looked for
XING_REACH = 64  # bytes from the start of the first MPEG frame: its header, side information and the mark lie within
FRAMES_IN_ROW = 3  # that junk does not imitate
GSM_FRAME = 33  # bytes, each beginning with the four bits 1101 (ETSI GSM 06.10 as libgsm writes it)
TS_PACKET = 188  # bytes, each beginning with 0x47 (ISO/IEC 13818-1)
TIMES = (0, 4)  # bytes before each such packet; cameras put the time there

# What FFmpeg calls the container. Those that libsndfile reads are there for the codecs in them that it does not know.
DEMUXERS = {
    "RIFF": "wav", "RIFX": "wav", "RF64": "wav", "W64": "w64", "AIFF": "aiff", "AU": "au", "CAF": "caf",
    "NIST": "nistsphere", "FLAC": "flac", "OGG": "ogg", "MPEG": "mp3", "ADTS": "aac", "LOAS": "loas", "AC3": "ac3",
    "EAC3": "eac3", "DTS": "dts", "MP4": "mov", "MATROSKA": "matroska", "AMR": "amr", "ASF": "asf", "AVI": "avi",
    "FLV": "flv", "MPEG_TS": "mpegts", "MPEG_PS": "mpeg", "GSM": "gsm", "G722": "g722", "DSS": "dss", "REAL": "rm",
    "VOC": "voc", "APE": "ape", "WAVPACK": "wv", "TTA": "tta", "MUSEPACK": "mpc", "MUSEPACK8": "mpc8", "DSF": "dsf",
    "8SVX": "iff", "SHORTEN": "shn", "XWMA": "xwma", "TAK": "tak",
    "TRUEHD": "truehd", "MLP": "mlp",
}  # fmt: skip
MAGICS = {
    b"fLaC": "FLAC", b"OggS": "OGG", b".snd": "AU", b"dns.": "AU", b"caff": "CAF", b"NIST": "NIST",
    b"\x1aE\xdf\xa3": "MATROSKA", b"#!AMR": "AMR", b"FLV\x01": "FLV", b"\0\0\x01\xba": "MPEG_PS", b"\x02dss": "DSS",
    b"\x03dss": "DSS", b".RMF": "REAL", b".ra\xfd": "REAL", b"Creative Voice File\x1a": "VOC", b"MAC ": "APE",
    b"wvpk": "WAVPACK", b"TTA1": "TTA", b"MP+": "MUSEPACK", b"MPCK": "MUSEPACK8", b"DSD ": "DSF", b"ajkg": "SHORTEN",
    b"tBaK": "TAK", b"\x7f\xfe\x80\x01": "DTS", W64_MAGIC: "W64", ASF_MAGIC: "ASF",
}  # fmt: skip
LOSSLESS_DOLBY = {b"\xf8\x72\x6f\xba": "TRUEHD", b"\xf8\x72\x6f\xbb": "MLP"}  # behind the size of a unit
PICTURES = (b"heic", b"heix", b"mif1", b"avif", b"crx ")  # brands of the same boxes
ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof")


def kind_of(header: bytes, name: str = "") -> str | None:
    """Name the container that a file begins as, one of `DEMUXERS` or ``TAG``, or None for one that is not read.

    Parameters
    ----------
    header : bytes
        The first `HEADER_BYTES`.
    name : str
        Of the file; G.722 has no header and is told by its suffix alone.
    """
    if header[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        forms = {b"WAVE": header[:4].replace(b"BW", b"RF").decode(), b"AVI ": "AVI", b"XWMA": "XWMA"}
        return forms.get(header[8:12])
    if header[:4] == b"FORM":
        return {b"AIFF": "AIFF", b"AIFC": "AIFF", b"8SVX": "8SVX"}.get(header[8:12])
    for magic, kind in MAGICS.items():
        if header.startswith(magic):
            return kind
    if header.startswith((b"ID3", b"APETAGEX")):
        return "TAG"
    if header[4:8] == b"ftyp" and header[8:12] in PICTURES:
        return None
    if header[4:8] in ISO_BOXES and (header[4:8] in (b"ftyp", b"mdat") or header[0] == 0):
        return "MP4"
    if header[4:8] in LOSSLESS_DOLBY:
        return LOSSLESS_DOLBY[header[4:8]]
    if header[:2] == b"\xff\xfe" and not any(header[3:64:2]):  # text in UTF-16
        return None
    if frame_kind(header):
        return frame_kind(header)
    if any(header[at :: TS_PACKET + at][:2] == b"\x47\x47" for at in TIMES):
        return "MPEG_TS"
    starts = header[: len(header) // GSM_FRAME * GSM_FRAME : GSM_FRAME]
    if starts and all(byte >> 4 == 0xD for byte in starts) and not _is_quiet_a_law(header):
        return "GSM"
    return "G722" if header and name.lower().endswith(".g722") else None


def _is_quiet_a_law(header: bytes) -> bool:
    """Tell whether samples of A-law (ITU-T G.711), whose silence is 0xD5, only look like frames of GSM."""
    return 2 * sum(byte >> 4 in (0xD, 0x5) for byte in header) > len(header)


def frame_kind(header: bytes) -> str | None:
    """Name the kind of stream whose frame begins here: MPEG audio, AAC in ADTS or LOAS, AC-3; None if it is none."""
    if len(header) < 6:
        return None
    first, second, third = header[:3]
    if first == 0xFF and second >= 0xE0:
        if second & 0xF6 == 0xF0:  # layer 0 of MPEG audio is none, and in ADTS always so (ISO/IEC 13818-7)
            return "ADTS" if third >> 2 & 15 < 13 else None
        version, layer, bit_rate, rate = second >> 3 & 3, second >> 1 & 3, third >> 4, third >> 2 & 3
        return "MPEG" if version != 1 and layer and bit_rate != 15 and rate != 3 else None
    if first == 0x0B and second == 0x77:
        return "AC3" if header[5] >> 3 <= 10 else "EAC3"  # bsid (ETSI TS 102 366)
    if first == 0x56 and second & 0xE0 == 0xE0:
        return "LOAS"
    return None


def frame_bytes(header: bytes) -> int:
    """Return how long the frame of MPEG audio or ADTS that begins here is, in bytes; 0 if it cannot be told."""
    kind = frame_kind(header)
    if kind == "ADTS":
        return (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if kind != "MPEG":
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bit_rate = _BIT_RATES[(version == 3, layer)][header[2] >> 4] * 1000
    rate = (44100, 48000, 32000)[header[2] >> 2 & 3] >> (0 if version == 3 else 1 if version == 2 else 2)
    padding = header[2] >> 1 & 1
    if layer == 3:
        return (12 * bit_rate // rate + padding) * 4
    return (144 if version == 3 or layer == 2 else 72) * bit_rate // rate + padding


_BIT_RATES = {  # kbit/s, by whether it is MPEG-1 and by the layer (3: I, 2: II, 1: III); 0: free (ISO/IEC 11172-3)
    (True, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def mpeg_frames(header: bytes) -> int:
    """Return how many frames MPEG audio says that it has, in a Xing or Info frame; 0 if it does not say."""
    mark = re.search(rb"(?:Xing|Info)...(.)(....)", header[:XING_REACH], re.DOTALL)
    return int.from_bytes(mark[2], "big") if mark and mark[1][0] & 1 else 0


def sound_of(packet: bytes) -> bytes:
    """Return the frame in a packet of MPEG audio, in front of which FFmpeg leaves the tags of files that were joined.

    Nothing is left of tags alone, nor of a frame that only counts the others: decoded, it is silence.
    """
    place = 0
    while place < len(packet) and (length := _tag_bytes(packet[place : place + 32])):
        place += length
    return b"" if mpeg_frames(packet[place : place + XING_REACH]) else packet[place:]


def is_free_format(header: bytes) -> bool:
    """Tell whether MPEG audio begins with a frame of a bit rate that no table lists, which FFmpeg does not read."""
    return frame_kind(header) == "MPEG" and header[2] >> 4 == 0


def audio_start(file: BinaryIO) -> int:
    """Return where the container begins behind the tags, zeros and junk before it; 0 if nothing is known to lie there.

    ID3v2 tags may follow one another, have a footer and padding that they do not count; APE tags and zeros lie before
    frames too, and a stream that was recorded on its way begins within a frame. All of it is skipped, not read, but for
    a mebibyte of zeros and a little junk.
    """
    place = 0
    for _ in range(MOST_TAGS):
        length = _tag_bytes(_read(file, place, 32)) or _zeros(file, place)
        if not length:
            break
        place += length
    kind = kind_of(_read(file, place, HEADER_BYTES))
    if kind in (None, "TAG", "GSM", "MPEG", "ADTS"):  # of the last two a single frame's header may be chance
        junk = _first_frame(_read(file, place, SEARCHED))
        if junk is not None:
            return place + junk
    return place if kind else 0


def _tag_bytes(header: bytes) -> int:
    """Return the length of the ID3 or APE tag that begins here, 0 if none does."""
    if header[:3] == b"TAG":
        return 128
    if header[:3] == b"ID3" and len(header) >= 10:
        stated = sum((byte & 0x7F) << shift for byte, shift in zip(header[6:10], (21, 14, 7, 0), strict=True))
        return 10 + stated + (10 if header[3] == 4 and header[5] & 0x10 else 0)
    if header[:8] == b"APETAGEX" and len(header) == 32:  # the size leaves the header out, which is there if it is first
        return 32 + int.from_bytes(header[12:16], "little")
    return 0


def _zeros(file: BinaryIO, place: int) -> int:
    """Count the zeros from here on; 0 if there are too many, or only some of a header that begins with them."""
    if _read(file, place, 8) != bytes(8):
        return 0
    zeros = _read(file, place, MOST_DIRT)
    rest = zeros.lstrip(b"\0")
    return len(zeros) - len(rest) if rest else 0


def _first_frame(content: bytes) -> int | None:
    """Return where the first of some consecutive frames of MPEG audio or ADTS begins; None if there are none."""
    place = content.find(b"\xff")
    while place >= 0:
        kind, here = frame_kind(content[place : place + 6]), place
        for _ in range(FRAMES_IN_ROW):
            length = frame_bytes(content[here : here + 6])
            if not length or frame_kind(content[here : here + 6]) != kind:
                break
            here += length
        else:
            return place
        place = content.find(b"\xff", place + 1)
    return None


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)
