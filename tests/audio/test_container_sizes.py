"""Sizes in headers: whatever they are, all samples that are there are read, and only missing ones are missed."""

import io
import itertools
import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.audio.container_chunks import MAX_CHUNKS
from ser.audio.container_headers import kind_of
from ser.audio.container_sizes import Spliced, data_chunk, mended
from ser.audio.decoding import UnusableAudioError, decode

SR = 8000
N = 8001  # samples; odd, so that 8 and 24 bits have a pad byte
VALUES = np.random.default_rng(22).integers(-9000, 9000, N)
FULL = 0xFFFFFFFF
PIPES = [0x7F000000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, FULL - 36, FULL]  # SoX, eSpeak, arecord, FFmpeg
TOTALS = {"right": 0, "whole file": 8, "one more": 1, "one fewer": -1, "stale": -4000, "larger": 5000}  # off by


def samples(width: int, order: str = "<") -> bytes:
    """Return the values in as many bytes each; those of one byte are unsigned, as in WAV."""
    if width == 1:
        return (VALUES // 256 + 128).astype("u1").tobytes()
    if width == 3:
        return b"".join(
            int(value * 256).to_bytes(3, "big" if order == ">" else "little", signed=True) for value in VALUES
        )
    return VALUES.astype(f"{order}i2").tobytes()


def sound(width: int = 2) -> np.ndarray:
    """Return what they decode to."""
    return ((VALUES // 256) / 128 if width == 1 else VALUES / 32768).astype(np.float32)


def read(content: bytes) -> np.ndarray:
    return decode(io.BytesIO(content), max_seconds=60).y


def chunk(name: bytes, content: bytes, order: str = "<", size: int | None = None, pad: bytes | None = None) -> bytes:
    size = len(content) if size is None else size
    return name + struct.pack(f"{order}I", size) + content + (bytes(len(content) % 2) if pad is None else pad)


def fmt(width=2, order="<", channels=1):
    block = width * channels
    return chunk(b"fmt ", struct.pack(f"{order}HHIIHH", 1, channels, SR, SR * block, block, 8 * width), order)


def wav(content=None, *, width=2, total=None, data=None, pad=None, before=b"", after=b"", magic=b"RIFF", head=None):
    """Return a WAV file with any sizes: `total` of RIFF, `data` of its samples; `head` is its chunk ``fmt``."""
    order = ">" if magic == b"RIFX" else "<"
    content = samples(width, order) if content is None else content
    head = fmt(width, order) if head is None else head
    body = b"WAVE" + head + before + chunk(b"data", content, order, data, pad) + after
    return magic + struct.pack(f"{order}I", len(body) if total is None else total & FULL) + body


def aiff(
    content=None, *, width=2, total=None, data=None, pad=None, frames=N, after=b"", offset=0, first=False, codec=b""
):
    content = samples(width, ">") if content is None else content
    comm = struct.pack(">HIHHQ", 1, frames & FULL, 8 * width, 0x400B, 0xFA << 56)
    comm = chunk(b"COMM", comm + (codec + b"\0\0" if codec else b""), ">")
    sound = struct.pack(">II", offset, 0) + bytes(offset) + content
    ssnd = chunk(b"SSND", sound, ">", data, pad)
    body = (b"AIFC" if codec else b"AIFF") + (ssnd + comm if first else comm + ssnd) + after
    return b"FORM" + struct.pack(">I", len(body) if total is None else total & FULL) + body


def au(*, data=None, offset=24, after=b"", magic=b".snd"):
    order = ">" if magic == b".snd" else "<"
    size = 2 * N if data is None else data
    header = struct.pack(f"{order}5I", offset, size & FULL, 3, SR, 1)
    return magic + header + b"a note\0".ljust(offset, b"\0")[: offset - 24] + samples(2, order) + after


GUID = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"


def w64_chunk(name, content, size=None):
    size = 24 + len(content) if size is None else size
    return name + GUID + struct.pack("<Q", size % 2**64) + content + bytes(-len(content) % 8)


def w64(*, total=None, data=None, before=b"", after=b"", pad=True):
    sound = w64_chunk(b"data", samples(2), data)
    body = b"wave" + GUID + w64_chunk(b"fmt ", fmt()[8:]) + before + (sound if pad else sound[: 24 + 2 * N]) + after
    total = 24 + len(body) if total is None else total
    return b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0" + struct.pack("<Q", total % 2**64) + body


def caf(*, data=None, before=b"", after=b""):
    desc = struct.pack(">d4s5I", SR, b"lpcm", 2, 2, 1, 1, 16)
    size = 4 + 2 * N if data is None else data
    body = b"desc" + struct.pack(">Q", 32) + desc + before
    return b"caff\0\1\0\0" + body + b"data" + struct.pack(">QI", size % 2**64, 0) + samples(2) + after


def nist(count: str | None = f"-i {N}", after=b""):
    lines = ["NIST_1A", "   1024"] + ([f"sample_count {count}"] if count else [])
    lines += ["channel_count -i 1", "sample_rate -i 8000", "sample_n_bytes -i 2", "sample_byte_format -s2 01"]
    lines += ["sample_coding -s3 pcm", "end_head", ""]
    return "\n".join(lines).encode().ljust(1024) + samples(2) + after


def rf64(*, data=None, long_data=None, total=None, ds64=True, before=b"", after=b""):
    long_data = 2 * N if long_data is None else long_data
    table = chunk(b"ds64", struct.pack("<QQQI", (total or 2 * N + 72) % 2**64, long_data % 2**64, N, 0))
    body = (table if ds64 else b"") + fmt() + before + chunk(b"data", samples(2), size=FULL if data is None else data)
    return b"RF64" + struct.pack("<I", FULL) + b"WAVE" + body + after


LIST = chunk(b"LIST", b"INFOISFT\x04\0\0\0Lavf")
ODD = chunk(b"id3 ", b"of nine b")
CHAIN = LIST + chunk(b"JUNK", bytes(28)) + ODD + chunk(b"iXML", b"<BWFXML/>") + chunk(b"bext", bytes(602))

# --- WAV


@pytest.mark.parametrize("off", TOTALS)
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("pad", [b"", b"\0"])
@pytest.mark.parametrize("magic", [b"RIFF", b"RIFX"])
def test_the_size_of_riff_says_nothing(off, width, pad, magic):
    content = wav(width=width, pad=pad if width % 2 else b"", magic=magic)
    content = wav(width=width, pad=pad if width % 2 else b"", magic=magic, total=len(content) - 8 + TOTALS[off])
    np.testing.assert_array_equal(read(content), sound(width))


@pytest.mark.parametrize("counted", [44, 36])
def test_the_size_of_the_file_in_place_of_that_of_the_samples(counted):
    """RIFF says that the file is whole, so that none is missing; one that was cut is shorter than RIFF says."""
    content = wav(data=2 * N + counted, total=2 * N + 36)
    np.testing.assert_array_equal(read(content), sound())
    with pytest.raises(UnusableAudioError, match="truncated"):
        read(content[:-counted])


def test_a_recording_of_a_browser_that_counts_its_header_twice(tmp_path):
    """RecordRTC: RIFF holds the size of the file."""
    content = wav()
    (tmp_path / "clip.wav").write_bytes(wav(total=len(content)))
    np.testing.assert_array_equal(decode(tmp_path / "clip.wav", max_seconds=60).y, sound())


@pytest.mark.parametrize("data", [0, *PIPES])
@pytest.mark.parametrize("total", [0, 8, 36, None, *PIPES])
@pytest.mark.parametrize("before", [b"", LIST, CHAIN])
def test_a_wav_file_from_a_pipe(data, total, before):
    np.testing.assert_array_equal(read(wav(data=data, total=total, before=before)), sound())


@pytest.mark.parametrize("data", [0, FULL])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_wav_file_from_a_pipe_has_no_pad_byte(data, width):
    np.testing.assert_array_equal(read(wav(width=width, data=data, pad=b"")), sound(width))


@pytest.mark.parametrize("before", [LIST, ODD, CHAIN, chunk(b"fact", struct.pack("<I", N)), LIST * (MAX_CHUNKS - 2)])
def test_chunks_before_the_samples(before):
    np.testing.assert_array_equal(read(wav(before=before)), sound())


@pytest.mark.parametrize("letter", [0, 33, 126])  # of the size that follows "data", which might be taken for a name
@pytest.mark.parametrize("name", [b"LIST", b"id3 ", b"iXML", b"abcd"])
def test_an_odd_chunk_without_its_pad_byte(name, letter):
    content = samples(2)[: 2 * (letter or 1)]
    padded = wav(content, before=chunk(name, b"INFO of an odd size"))
    bare = wav(content, before=chunk(name, b"INFO of an odd size", pad=b""))
    np.testing.assert_array_equal(read(padded), sound()[: letter or 1])
    np.testing.assert_array_equal(read(bare), sound()[: letter or 1])


@pytest.mark.parametrize(
    "after",
    [
        CHAIN,
        chunk(b"JUNK", b"") * MAX_CHUNKS + wav(),
        b"TAG".ljust(128, b"\0"),
        bytes(1000),
        b"\xff" * 999,
        wav(),
        b"RIFF",
    ],
)
@pytest.mark.parametrize("pad", [b"", b"\0"])
def test_what_follows_the_samples_is_none_of_them(after, pad):
    np.testing.assert_array_equal(read(wav(width=1, pad=pad, after=after)), sound(1))


@pytest.mark.parametrize("after", [b"", LIST, CHAIN, ODD[:-1]])
@pytest.mark.parametrize("total", [0, 8, None])
def test_a_chunk_of_no_samples_has_none(after, total):
    """Zero is a placeholder only where what follows are samples."""
    with pytest.raises(UnusableAudioError, match="no samples"):
        read(wav(b"", after=after, total=total))


def test_fewer_samples_stated_than_there_are_are_read():
    np.testing.assert_array_equal(read(wav(data=2000)), sound()[:1000])


@pytest.mark.parametrize("pad", [b"", b"\0"])
def test_a_pad_byte_that_the_samples_count(pad):
    """As no sample has 1 of 3 bytes, and RIFF tells where one has 1."""
    np.testing.assert_array_equal(read(wav(width=3, data=3 * N + 1, pad=pad)), sound(3))
    content = wav(width=1, data=N + 1, pad=b"")
    np.testing.assert_array_equal(read(content), sound(1))
    with pytest.raises(UnusableAudioError, match="truncated"):
        read(content[:-1])


@pytest.mark.parametrize("subformat", [None, 1])
@pytest.mark.parametrize("extra", [1, 2, 3])
def test_a_part_of_a_frame_is_no_sample(subformat, extra):
    tag = 1 if subformat is None else 0xFFFE
    head = struct.pack("<HHIIHH", tag, 2, SR, 4 * SR, 4, 16)
    if subformat:
        head += struct.pack("<HHIH", 22, 16, 3, subformat) + bytes.fromhex("000000001000800000aa00389b71")
    content = wav(samples(2)[:4000], head=chunk(b"fmt ", head), data=4000 + extra, total=FULL)
    np.testing.assert_allclose(read(content), sound()[:2000].reshape(-1, 2).mean(axis=1), atol=1e-6)
    with pytest.raises(UnusableAudioError, match="truncated"):
        read(content[:-1])


def test_wavex_from_a_pipe():
    file = io.BytesIO()
    soundfile.write(file, VALUES.astype(np.int16), SR, format="WAVEX", subtype="PCM_16")
    content = bytearray(file.getvalue())
    start = content.index(b"data") + 4
    for size in (0, FULL):
        content[start : start + 4] = struct.pack("<I", size)
        np.testing.assert_array_equal(read(bytes(content)), sound())


# --- RF64, W64


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"total": 0, "long_data": 0},  # FFmpeg to a pipe, and killed
        {"total": -1, "long_data": -1},
        {"long_data": 2**63 - 1},
        {"long_data": FULL},
        {"long_data": 0, "data": 2 * N},
        {"long_data": 0, "data": 0},
        {"long_data": -1, "data": 2 * N},
        {"ds64": False},
        {"ds64": False, "data": 0},
        {"ds64": False, "data": 2 * N},
        {"total": 5},
        {"before": CHAIN},
        {"before": ODD, "after": CHAIN},
        {"before": chunk(b"id3 ", b"odd", pad=b"")},
        {"after": bytes(100)},
    ],
)
def test_rf64(sizes):
    recording = decode(io.BytesIO(rf64(**sizes)), max_seconds=60)
    np.testing.assert_array_equal(recording.y, sound())
    assert recording.encoding == "RF64 PCM_16"


def test_the_shorter_size_of_rf64_holds_where_the_longer_is_none():
    for long_data in (0, -1, 2**62):
        np.testing.assert_array_equal(read(rf64(long_data=long_data, data=2000)), sound()[:1000])
    np.testing.assert_array_equal(read(rf64(long_data=2000, data=4000)), sound()[:1000])


def test_wav_with_room_for_rf64():
    """FFmpeg and others begin with a chunk JUNK where ds64 would stand."""
    np.testing.assert_array_equal(read(wav(before=chunk(b"JUNK", bytes(28)), data=FULL, total=FULL)), sound())


@pytest.mark.parametrize("data", [None, 0, 23, 24, -1, 2**63 - 1, FULL])
@pytest.mark.parametrize("total", [None, 0, -1, 2**63 - 1, 1000])
@pytest.mark.parametrize("pad", [True, False])
def test_w64(data, total, pad):
    content = w64(data=data, total=total, pad=pad)
    if data is not None:
        content = content[: len(content) - 6 * pad]  # of an unknown end
    recording = decode(io.BytesIO(content), max_seconds=60)
    np.testing.assert_array_equal(recording.y, sound())
    assert recording.encoding == "W64 PCM_16"


def test_chunks_of_w64():
    other = w64_chunk(b"list", b"of nine b") + w64_chunk(b"junk", bytes(100))
    for before, after in itertools.product(
        [b"", other, w64_chunk(b"list", b"of nine b")[:-7]], [b"", other, bytes(99)]
    ):
        np.testing.assert_array_equal(read(w64(before=before, after=after)), sound())
        np.testing.assert_array_equal(read(w64(before=before, pad=False)), sound())


# --- AIFF


@pytest.mark.parametrize("off", TOTALS)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("offset", [0, 6])
def test_the_size_of_form_says_nothing(off, first, offset):
    content = aiff(first=first, offset=offset)
    content = aiff(first=first, offset=offset, total=len(content) - 8 + TOTALS[off])
    np.testing.assert_array_equal(read(content), sound())


@pytest.mark.parametrize("data", [0, 8, *(pipe + 8 & FULL for pipe in PIPES[:-1]), FULL])
@pytest.mark.parametrize("total", [0, None, FULL])
@pytest.mark.parametrize("frames", [0, N, -1, 0x7F000000 // 2])
@pytest.mark.parametrize("codec", [b"", b"NONE", b"twos"])
def test_an_aiff_file_from_a_pipe(data, total, frames, codec):
    np.testing.assert_array_equal(read(aiff(data=data, total=total, frames=frames, codec=codec)), sound())


def test_an_odd_chunk_of_aiff_without_its_pad_byte():
    content = aiff()
    for pad in (b"", b"\0"):
        y = read(content[:12] + chunk(b"ANNO", b"odd", ">", pad=pad) + content[12:])
        np.testing.assert_array_equal(y, sound())


@pytest.mark.parametrize("frames", [0, 5, N + 1, FULL])
def test_the_frames_of_comm_say_nothing(frames):
    np.testing.assert_array_equal(read(aiff(frames=frames)), sound())


@pytest.mark.parametrize("after", [b"", chunk(b"ANNO", b"odd", ">"), bytes(77), aiff()])
@pytest.mark.parametrize(("extra", "pad"), [(0, b""), (0, b"\0"), (1, b"\0")])
def test_odd_aiff(after, extra, pad):
    content = (VALUES // 256).astype("i1").tobytes()
    content = aiff(content, width=1, data=8 + N + extra, pad=pad, after=after)
    np.testing.assert_array_equal(read(content), sound(1))


def test_a_pad_byte_that_aiff_counts_and_lacks():
    content = aiff((VALUES // 256).astype("i1").tobytes(), width=1, data=8 + N + 1, pad=b"")
    np.testing.assert_array_equal(read(content), sound(1))


def test_samples_that_the_size_exceeds_but_comm_counts_are_all_there():
    np.testing.assert_array_equal(read(aiff(data=2 * N + 16)), sound())


# --- AU, CAF, NIST


@pytest.mark.parametrize("magic", [b".snd", b"dns."])
@pytest.mark.parametrize("offset", [24, 25, 32, 200])
@pytest.mark.parametrize("data", [None, 0, *PIPES])
def test_au(magic, offset, data):
    np.testing.assert_array_equal(read(au(data=data, offset=offset, magic=magic)), sound())


def test_what_follows_the_samples_of_au():
    np.testing.assert_array_equal(read(au(after=bytes(100))), sound())


FREE = b"free" + struct.pack(">Q", 4001) + bytes(4001)


@pytest.mark.parametrize("data", [None, -1, 0, 4, 2**63 - 1])
@pytest.mark.parametrize("before", [b"", FREE, FREE * 3])
def test_caf(data, before):
    recording = decode(io.BytesIO(caf(data=data, before=before)), max_seconds=60)
    np.testing.assert_array_equal(recording.y, sound())
    assert recording.encoding == "CAF PCM_16"


@pytest.mark.parametrize("after", [FREE, bytes(100), caf()])
def test_what_follows_the_samples_of_caf(after):
    np.testing.assert_array_equal(read(caf(after=after)), sound())


@pytest.mark.parametrize("count", [f"-i {N}", None, "-i 0", "-i -1", "-i 2147483647", "-i unknown", "-s3 odd"])
def test_nist(count):
    np.testing.assert_array_equal(read(nist(count)), sound())


def test_what_follows_the_samples_of_nist():
    np.testing.assert_array_equal(read(nist(after=b"\r\n")), sound())


# --- truncation

WHOLE = {
    "WAV": wav(),
    "WAV, 8 bits": wav(width=1, pad=b""),
    "WAV, 24 bits": wav(width=3, pad=b""),
    "WAV, chunks before": wav(before=CHAIN),
    "WAV, RIFF too large": wav(total=len(wav())),
    "WAV, RIFF too small": wav(total=36),
    "WAV, RIFF unknown": wav(total=FULL),
    "RIFX": wav(magic=b"RIFX"),
    "RF64": rf64(),
    "RF64 without ds64": rf64(ds64=False, data=2 * N),
    "W64": w64(pad=False),
    "AIFF": aiff(),
    "AIFC": aiff(codec=b"NONE"),
    "AIFF, FORM unknown": aiff(total=0),
    "AU": au(),
    "CAF": caf(),
    "NIST": nist(),
}
BLOCKS = [("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("W64", "IMA_ADPCM"), ("AIFF", "GSM610")]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("lacking", [1, 2, 7, 4001, 2 * N - 1])
def test_truncation_is_told(name, lacking):
    content = WHOLE[name]
    assert len(read(content)) == N
    found = data_chunk(io.BytesIO(content), kind_of(content[:32]), len(content))
    lacking = min(lacking, found.end - found.start - 1)
    with pytest.raises(UnusableAudioError, match="truncated"):
        read(content[:-lacking])


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_without_any_of_its_samples_is_refused(name):
    content = WHOLE[name]
    start = data_chunk(io.BytesIO(content), kind_of(content[:32]), len(content)).start
    with pytest.raises(UnusableAudioError, match="truncated|not readable"):
        read(content[:start])
    for place in range(start):
        with pytest.raises(UnusableAudioError):
            read(content[:place])


def blocks(container: str, codec: str, seconds: float) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, VALUES[: round(seconds * SR)] / 32768, SR, format=container, subtype=codec)
    return file.getvalue()


@pytest.mark.parametrize(("container", "codec"), BLOCKS)
@pytest.mark.parametrize("lacking", [2, 20, 200])
def test_truncation_of_blocks_is_told(container, codec, lacking):
    content = blocks(container, codec, 0.96)
    assert len(read(content)) >= 0.96 * SR
    with pytest.raises(UnusableAudioError, match="truncated"):
        read(content[:-lacking])


@pytest.mark.parametrize("lacking", [1, 2, 20])
def test_a_last_block_that_is_shorter_may_be_cut_as_well(lacking):
    content = blocks("WAV", "IMA_ADPCM", 0.96)
    start = content.index(b"data") + 8
    content = wav(content[start:-100], head=content[12 : start - 8], total=FULL)
    assert len(read(content)) > 0.9 * SR
    with pytest.raises(UnusableAudioError, match="truncated"):
        read(content[:-lacking])


@pytest.mark.parametrize("data", [None, 0, FULL])
@pytest.mark.parametrize("codec", ["IMA_ADPCM", "MS_ADPCM", "GSM610"])
def test_blocks_from_a_pipe(codec, data):
    content = bytearray(blocks("WAV", codec, 0.96))
    whole = read(bytes(content))
    start = content.index(b"data") + 4
    content[start : start + 4] = struct.pack("<I", data) if data is not None else content[start : start + 4]
    np.testing.assert_array_equal(read(bytes(content)), whole)


@pytest.mark.parametrize("count", [3, 4, 5])
@pytest.mark.parametrize(("extra", "pad"), [(0, b""), (0, b"\0"), (1, b""), (1, b"\0")])
def test_gsm_has_as_many_samples_as_its_blocks(count, extra, pad):
    """Each has 65 bytes; SoX counts the pad byte, and libsndfile adds one."""
    content = blocks("WAV", "GSM610", 1.0)
    start = content.index(b"data") + 8
    head = content[12 : start - 8]
    content = content[start : start + 65 * count]
    y = read(wav(content, head=head, data=len(content) + extra, pad=pad))
    assert len(y) == 320 * count
    np.testing.assert_array_equal(y, read(wav(content + content, head=head))[: len(y)])


# --- what real writers leave


@pytest.mark.parametrize("form", ["wav", "aiff", "au", "caf", "w64", "rf64"])
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_pipes_of_ffmpeg(form):
    to = ["-f", form] if form != "rf64" else ["-rf64", "always", "-f", "wav"]
    run = subprocess.run(["ffmpeg", "-v", "error", "-i", "-", *to, "-"], input=wav(), capture_output=True, check=True)
    np.testing.assert_array_equal(read(run.stdout), sound())


@pytest.mark.parametrize("form", ["wav", "aiff", "aifc", "au", "caf", "w64", "sph"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.skipif(shutil.which("sox") is None, reason="needs sox")
def test_pipes_of_sox(form, known):
    """From a file it knows the length in advance, from a pipe of raw samples it does not."""
    source = ["-t", "wav", "-"] if known else ["-t", "raw", "-r", str(SR), "-e", "signed", "-b", "16", "-c", "1", "-"]
    given = wav() if known else samples(2)
    run = subprocess.run(["sox", "-D", *source, "-t", form, "-"], input=given, capture_output=True, check=True)
    np.testing.assert_array_equal(read(run.stdout), sound())


# --- what it costs


@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST"])
@pytest.mark.parametrize("count", [N, N - 1])
def test_an_ordinary_file_is_read_as_it_is(form, count):
    file = io.BytesIO()
    soundfile.write(file, VALUES[:count].astype(np.int16), SR, format=form, subtype="PCM_16")
    found = data_chunk(file, kind_of(file.getvalue()[:32]), len(file.getvalue()))
    assert mended(file, found) is file
    assert (found.missing, found.stated) == (False, 2 * count)
    spliced = Spliced(file, found)  # what it would be with another header: the same
    np.testing.assert_array_equal(read(spliced.read()), sound()[:count])


class Watched(io.BytesIO):
    """A file that counts what is read of it."""

    count = reads = 0

    def read(self, count=-1):
        content = super().read(count)
        self.count, self.reads = self.count + len(content), self.reads + 1
        return content


@pytest.mark.parametrize(
    "content",
    [
        wav(before=chunk(b"JUNK", b"") * 100_000),
        wav(b"", after=chunk(b"JUNK", b"") * 100_000),
        wav(before=chunk(b"LIST", b"odd", pad=b"") * 100_000),
        wav(head=chunk(b"fmt ", fmt()[8:] + bytes(1 << 20))),
        aiff() + chunk(b"ANNO", b"", ">") * 100_000,
        caf(before=(b"free" + bytes(8)) * 100_000),
        w64(before=w64_chunk(b"list", b"") * 100_000),
        w64(before=w64_chunk(b"list", b"", 0) * 100_000),
        w64(before=w64_chunk(b"list", b"", -(1 << 40))),
        au(offset=1 << 20),
        nist().replace(b"   1024", b"9999999") + bytes(10_000_000),
    ],
)
def test_little_is_read_of_any_file(content):
    file = Watched(content)
    data_chunk(file, kind_of(content[:32]), len(content))
    assert file.count < 64_000
    assert file.reads <= 4 * MAX_CHUNKS


def test_little_is_read_of_an_ordinary_file():
    for content in WHOLE.values():
        file = Watched(content)
        data_chunk(file, kind_of(content[:32]), len(content))
        assert file.reads <= 4


# --- any sizes

SIZES = st.one_of(
    st.sampled_from([0, 1, 8, 36, 2 * N, 2 * N + 8, 2 * N + 44, FULL, *PIPES, 2**63 - 1, 2**63, 2**64 - 1]),
    st.integers(0, 3 * N),
    st.integers(0, 2**64 - 1),
)


@settings(max_examples=300, deadline=None)
@given(form=st.sampled_from([wav, rf64, aiff, w64, caf, au]), total=SIZES, data=SIZES, extra=SIZES)
def test_no_size_costs_a_sample_or_an_error(form, total, data, extra):
    """Unless the size of the samples says, and may say, that they are fewer or that there were more."""
    counted = {aiff: 8, w64: 24, caf: 4}.get(form, 0)
    if form in (caf, au):
        content = form(data=data & (FULL if form is au else -1))
    elif form is rf64:
        content = rf64(total=total, long_data=data, data=extra & FULL)
    elif form is aiff:
        content = aiff(total=total, data=data & FULL, frames=extra)
    elif form is w64:
        content = w64(total=total, data=data, pad=False)
    else:
        content = wav(total=total, data=data & FULL)
    if form in (wav, aiff, au):
        data &= FULL
    elif form is rf64 and not (0 < data < 2**62 or (extra & FULL) >= 0x7EFFF000):
        data = extra & FULL
    stated = data - counted
    try:
        y = read(content)
    except UnusableAudioError as error:
        assert "truncated" in str(error) or stated in (0, 1)
        assert stated in (0, 1) or 2 * N < stated < 2**62 and not 0x7F000000 <= stated <= FULL
        return
    fewer = 0 < stated < 2 * N
    np.testing.assert_array_equal(y, sound()[: stated // 2 if fewer else N])


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, 80), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
    end=st.integers(1, 3000),
)
def test_any_header_gives_samples_or_a_reason(name, changes, end):
    content = bytearray(WHOLE[name][:end])
    for place, letters in changes:
        content[place : place + len(letters)] = letters
    try:
        assert len(read(bytes(content))) > 0
    except UnusableAudioError as error:
        assert str(error)
