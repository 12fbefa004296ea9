"""Files written byte by byte as their specifications have it, with what real writers leave in headers and around them.

Sizes of 0 and −1, a pad byte too many or too few, tags of ID3 and APE, chains of streams, and counts that are missing.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from format_rows import AAC_USUAL, LAME_USUAL, LENGTH, STATED, TAG
from format_writers import EXACT, PLACED, Row, run_tool

UNKNOWN = 0xFFFFFFFF  # a size that was not known when the header was written
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")
LAME = "lame --quiet {options} {{wav}} {{out}}"
ULAW_BIAS, ULAW_CLIP = 33, 8158  # of 14 bits (ITU-T G.711)


def chunk(name: bytes, content: bytes, *, size: int | None = None, pad: bool = True) -> bytes:
    """Return a chunk of RIFF."""
    stated = len(content) if size is None else size
    return name + struct.pack("<I", stated) + content + b"\0" * (pad and len(content) % 2)


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    """Return a WAV file; `size` is what it states of itself, by default the truth."""
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content) if size is None else size) + content


def fmt(rate: int, *, bits: int = 16, valid: int = 0, code: int = PCM, channels: int = 1) -> bytes:
    """Return the chunk that describes the samples; with `valid` the extensible one."""
    width = bits // 8 * channels
    header = struct.pack("<HHIIHH", code if not valid else EXTENSIBLE, channels, rate, rate * width, width, bits)
    if valid:
        header += struct.pack("<HHI", 22, valid, 4) + PCM_GUID
    return chunk(b"fmt ", header)


def wav_files() -> dict[str, Callable[[np.ndarray, int], bytes]]:
    """Return the makers of WAV files by what is unusual about them."""

    def pcm(y: np.ndarray) -> bytes:
        return y.astype("<i2").tobytes()

    def ds64(kind: bytes, y: np.ndarray, rate: int) -> bytes:
        data = pcm(y)
        sizes = chunk(b"ds64", struct.pack("<QQQI", 72 + len(data), len(data), len(y), 0))
        content = b"WAVE" + sizes + fmt(rate) + b"data" + struct.pack("<I", UNKNOWN) + data
        return kind + struct.pack("<I", UNKNOWN) + content

    info = chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"recorder\0\0"))
    return {
        "data size 0": lambda y, sr: riff(fmt(sr), chunk(b"data", pcm(y), size=0), size=0),
        "data size −1": lambda y, sr: riff(fmt(sr), chunk(b"data", pcm(y), size=UNKNOWN), size=UNKNOWN),
        "SoX's sizes of a pipe": lambda y, sr: riff(fmt(sr), chunk(b"data", pcm(y), size=0x7FFFF000), size=0x7FFFF024),
        "RIFF size = file size": lambda y, sr: riff(fmt(sr), chunk(b"data", pcm(y)), size=44 + 2 * len(y)),
        "RIFF size 8 too small": lambda y, sr: riff(fmt(sr), chunk(b"data", pcm(y)), size=28 + 2 * len(y)),
        "a list after the data": lambda y, sr: riff(fmt(sr), chunk(b"data", pcm(y)), info),
        "a list before the data": lambda y, sr: riff(info, fmt(sr), chunk(b"data", pcm(y))),
        "JUNK for a later RF64": lambda y, sr: riff(chunk(b"JUNK", bytes(28)), fmt(sr), chunk(b"data", pcm(y))),
        "a byte too many at the end": lambda y, sr: riff(fmt(sr), chunk(b"data", pcm(y))) + b"\0",
        "zeros to a full sector behind": lambda y, sr: riff(fmt(sr), chunk(b"data", pcm(y))) + bytes(512),
        "18 bytes of format": lambda y, sr: riff(chunk(b"fmt ", fmt(sr)[8:] + b"\0\0"), chunk(b"data", pcm(y))),
        "24 of 32 bits": lambda y, sr: riff(
            fmt(sr, bits=32, valid=24), chunk(b"data", (y.astype("<i4") << 16).astype("<i4").tobytes())
        ),
        "float, with a fact": lambda y, sr: riff(
            fmt(sr, bits=32, code=FLOAT),
            chunk(b"fact", struct.pack("<I", len(y))),
            chunk(b"data", (y / 32768).astype("<f4").tobytes()),
        ),
        "three equal channels": lambda y, sr: riff(
            fmt(sr, channels=3), chunk(b"data", pcm(np.repeat(y[:, None], 3, axis=1)))
        ),
        "RF64": lambda y, sr: ds64(b"RF64", y, sr),
        "BW64": lambda y, sr: ds64(b"BW64", y, sr),
    }


def odd_wav(y: np.ndarray, rate: int, *, pad: bool) -> bytes:
    """Return a WAV file of 8 bits and an odd number of samples, followed by another chunk."""
    data = chunk(b"data", ((y >> 8) + 128).astype(np.uint8).tobytes(), pad=pad)
    return riff(fmt(rate, bits=8), data, chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"recorder")))


def aiff_float_rate(rate: int) -> bytes:
    """Return a sample rate as the 80 bits of AIFF."""
    exponent = rate.bit_length() - 1
    return struct.pack(">HQ", 16383 + exponent, rate << (63 - exponent))


def aiff(y: np.ndarray, rate: int, *, sound_size: int | None = None, frames: int | None = None) -> bytes:
    """Return an AIFF file whose sizes may be others than the truth."""
    data = bytes(8) + y.astype(">i2").tobytes()
    common = struct.pack(">hIh", 1, len(y) if frames is None else frames, 16) + aiff_float_rate(rate)
    size = len(data) if sound_size is None else sound_size
    content = b"AIFFCOMM" + struct.pack(">I", len(common)) + common + b"SSND" + struct.pack(">I", size) + data
    return b"FORM" + struct.pack(">I", min(len(content), size + 46) if size else 0) + content


def au(y: np.ndarray, rate: int, size: int) -> bytes:
    """Return an AU file, which may say that it does not know its size."""
    return b".snd" + struct.pack(">IIIIII", 28, size, 3, rate, 1, 0) + y.astype(">i2").tobytes()


def caf(y: np.ndarray, rate: int) -> bytes:
    """Return a CAF file whose data chunk goes to the end of the file."""
    description = struct.pack(">dIIIIII", rate, int.from_bytes(b"lpcm"), 0, 2, 1, 1, 16)
    head = b"caff" + struct.pack(">HH", 1, 0) + b"desc" + struct.pack(">q", len(description)) + description
    return head + b"data" + struct.pack(">qI", -1, 0) + y.astype(">i2").tobytes()


def sphere(y: np.ndarray, rate: int, coding: str) -> bytes:
    """Return a NIST SPHERE file: big-endian (``10``), little-endian (``01``) or ``ulaw``."""
    fields = [f"sample_rate -i {rate}", "channel_count -i 1", f"sample_count -i {len(y)}"]
    if coding == "ulaw":
        fields += ["sample_n_bytes -i 1", "sample_coding -s4 ulaw"]
        data = ulaw(y)
    else:
        fields += ["sample_n_bytes -i 2", f"sample_byte_format -s2 {coding}", "sample_sig_bits -i 16"]
        fields += ["sample_coding -s3 pcm"]
        data = y.astype(">i2" if coding == "10" else "<i2").tobytes()
    header = "NIST_1A\n   1024\n" + "\n".join(fields) + "\nend_head\n"
    return header.encode().ljust(1024) + data


def ulaw(y: np.ndarray) -> bytes:
    """Return samples of 16 bits as µ-law (ITU-T G.711)."""
    magnitude = np.minimum(np.abs(y.astype(int)) >> 2, ULAW_CLIP) + ULAW_BIAS
    segment = np.maximum(np.floor(np.log2(magnitude)).astype(int) - 5, 0)
    code = (segment << 4) | ((magnitude >> (segment + 1)) & 15)
    return (~(code | np.where(y < 0, 0x80, 0)) & 255).astype(np.uint8).tobytes()


def id3(size: int, *, flags: int = 0, version: int = 4) -> bytes:
    """Return an ID3v2 tag of padding (zeros), which counts `size` bytes after its header."""
    counted = bytes((size >> shift) & 127 for shift in (21, 14, 7, 0))
    return b"ID3" + bytes((version, 0, flags)) + counted + bytes(size)


def footed_id3(size: int) -> bytes:
    """Return a tag of ID3v2.4 with a footer, which repeats its header."""
    tag = id3(size, flags=0x10)
    return tag + b"3DI" + tag[3:10]


def ape_tag() -> bytes:
    """Return an APEv2 tag with header and footer, of one item."""
    item = struct.pack("<II", 4, 0) + b"Title\0" + b"clip"
    both = [
        b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, flags) + bytes(8)
        for flags in (0xA0000000, 0x80000000)
    ]
    return both[0] + item + both[1]


def id3v1() -> bytes:
    """Return the old tag of 128 bytes at the end."""
    return b"TAG" + b"clip".ljust(125, b"\0")


def around(command: str, suffix: str, before: bytes, behind: bytes, wav: Path, target: Path) -> None:
    """Let a tool write the file, and put bytes before and behind it."""
    plain = target.with_name(f"{target.stem}-plain{suffix}")
    run_tool(command, wav, plain)
    target.write_bytes(before + plain.read_bytes() + behind)
    plain.unlink()


def chained(command: str, suffix: str, wav: Path, target: Path) -> None:
    """Let a tool write each half into an Ogg stream of its own, one behind the other."""
    samples, rate = soundfile.read(wav, dtype="int16")
    middle, links = len(samples) // 2, []
    for number, half in enumerate((samples[:middle], samples[middle:])):
        part, link = (target.with_name(f"{target.stem}-{number}{end}") for end in (".wav", suffix))
        soundfile.write(part, half, rate)
        run_tool(command.replace("SERIAL", str(number + 1)), part, link)
        links.append(link.read_bytes())
    target.write_bytes(b"".join(links))


def without_count(wav: Path, target: Path) -> None:
    """Write a FLAC file whose header does not know the number of samples."""
    soundfile.write(target, *soundfile.read(wav, dtype="int16"))
    content = bytearray(target.read_bytes())
    content[21] &= 0xF0  # the lower 36 bits from byte 21 on, behind the mark, the block's header and 13 bytes
    content[22:26] = bytes(4)
    target.write_bytes(content)


def of_samples(make: Callable[[np.ndarray, int], bytes]) -> Callable[[Path, Path], None]:
    """Return a writer of bytes that are made of the samples."""

    def write(wav: Path, target: Path) -> None:
        target.write_bytes(make(*soundfile.read(wav, dtype="int16")))

    return write


def rows() -> Iterator[Row]:
    """Yield all formats that are written byte by byte, or out of what a tool wrote."""
    writer = "bytes"

    def made(name: str, suffix: str, make: Callable, rate: int = 16000, frame: int = EXACT, **more: str) -> Row:
        return Row(name, writer, rate, suffix, frame, of_samples(make), **more)

    for words, make in wav_files().items():
        yield made(f"WAV, {words}", ".wav", make)
    for pad, words in ((True, "odd and padded"), (False, "odd, its pad byte missing")):
        yield made(f"WAV, 8 bits, {words}", ".wav", lambda y, sr, pad=pad: odd_wav(y, sr, pad=pad), 8000, PLACED)
    yield made("AIFF", ".aiff", aiff)
    yield made("AIFF, sizes 0", ".aiff", lambda y, sr: aiff(y, sr, sound_size=0, frames=0))
    yield made(
        "AIFF, SoX's sizes of a pipe", ".aiff", lambda y, sr: aiff(y, sr, sound_size=0x7F000008, frames=0x3F800000)
    )
    yield made("AU, size −1", ".au", lambda y, sr: au(y, sr, UNKNOWN))
    yield made("AU, size 0", ".au", lambda y, sr: au(y, sr, 0))
    yield made("CAF, size −1", ".caf", caf)
    yield made("NIST SPHERE, big-endian", ".sph", lambda y, sr: sphere(y, sr, "10"))
    yield made("NIST SPHERE, little-endian", ".wav", lambda y, sr: sphere(y, sr, "01"))
    yield made("NIST SPHERE, µ-law", ".sph", lambda y, sr: sphere(y, sr, "ulaw"), 8000, PLACED)
    yield Row("FLAC, no count", writer, 16000, ".flac", EXACT, without_count)
    yield from _tagged(writer)
    for words, suffix, rate, command in (
        ("Vorbis", ".ogg", 16000, "oggenc -Q -s SERIAL -o {out} {wav}"),
        ("Opus", ".opus", 48000, "opusenc --quiet --serial SERIAL {wav} {out}"),
        ("FLAC", ".oga", 16000, "ffmpeg -nostdin -v error -y -i {wav} -c:a flac -serial_offset SERIAL {out}"),
    ):
        write = _bound(chained, command, suffix)
        frame = EXACT if words == "FLAC" else PLACED
        yield Row(f"Ogg {words}, two links", f"{command.split()[0]}, bytes", rate, suffix, frame, write, delay=STATED)


def _bound(function: Callable, *given: object) -> Callable[[Path, Path], None]:
    return lambda wav, target: function(*given, wav, target)


def _tagged(writer: str) -> Iterator[Row]:
    tagged, untagged = LAME.format(options="-b 64"), LAME.format(options="-t -b 64")
    for words, before, behind in (
        ("two ID3 tags", id3(200, version=3) + id3(3000), b""),
        ("an ID3 tag with a footer", footed_id3(64), b""),
        ("zeros behind the ID3 tag", id3(100) + bytes(1500), b""),
        ("zeros before the first frame", bytes(2048), b""),
        ("an APE tag before it", ape_tag(), b""),
        ("APE and ID3v1 tags behind it", b"", ape_tag() + id3v1()),
    ):
        write = _bound(around, tagged, ".mp3", before, behind)
        yield Row(f"MP3, {words}", f"LAME, {writer}", 16000, ".mp3", PLACED, write, delay=TAG)
    write = _bound(around, untagged, ".mp3", id3(300), id3v1())
    yield Row("MP3, ID3 tags, no LAME tag", f"LAME, {writer}", 16000, ".mp3", 1152, write, LAME_USUAL, LENGTH)
    adts = "ffmpeg -nostdin -v error -y -i {wav} -c:a aac {out}"
    write = _bound(around, adts, ".aac", id3(300), b"")
    yield Row("AAC, ADTS, an ID3 tag", f"FFmpeg, {writer}", 16000, ".aac", 2048, write, AAC_USUAL, LENGTH)
    flac = "ffmpeg -nostdin -v error -y -i {wav} {out}"
    write = _bound(around, flac, ".flac", id3(300), b"")
    yield Row("FLAC, an ID3 tag", f"FFmpeg, {writer}", 16000, ".flac", EXACT, write)
