"""Files block by block: the same samples as those that are read whole, and the same refusals."""

import io
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from conftest import environment
from media_files import encoded
from ser.audio.decoding import UnusableAudioError, decode
from ser.streams.file_blocks import file_parts
from ser.streams.pushed_audio import PushedDecoder

RATE = 16000
T = np.arange(6 * RATE) / RATE
TONE = (0.3 * np.sin(2 * np.pi * 300 * T) * (1 + np.sin(2 * np.pi * T)) / 2).astype(np.float32)
FORMATS = [
    ("wav", "pcm_s16le"),
    ("flac", "flac"),
    ("aiff", "pcm_s16be"),
    ("mp3", "libmp3lame"),
    ("ogg", "libopus"),
    ("ogg", "vorbis"),
    ("webm", "libopus"),
    ("mp4", "aac"),
    ("adts", "aac"),
]


def vorbis(y: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, y, RATE, format="OGG", subtype="VORBIS")
    return file.getvalue()


def content_of(container: str, codec: str) -> bytes:
    return vorbis(TONE) if codec == "vorbis" else encoded(TONE, container, codec)


def read(file, max_seconds: float = 30.0) -> list[np.ndarray]:
    """Return the samples of each part."""
    with file_parts(file, max_seconds) as parts:
        return [np.concatenate([[], *(block.mean(axis=1) for block in part.blocks)]) for part in parts]


def refusal(file, max_seconds: float = 30.0) -> str:
    with pytest.raises(UnusableAudioError) as error:
        read(file, max_seconds)
    return str(error.value)


@pytest.mark.parametrize(("container", "codec"), FORMATS)
def test_blocks_are_what_a_file_holds(tmp_path, container, codec):
    path = tmp_path / f"a.{container}"
    path.write_bytes(content_of(container, codec))
    whole = decode(path, max_seconds=30)
    for file in (path, str(path), io.BytesIO(path.read_bytes())):
        (found,) = read(file)
        np.testing.assert_array_equal(found, whole.y)


def test_the_links_of_a_chain_are_parts():
    two = vorbis(TONE) + vorbis(TONE[:RATE])
    found = read(io.BytesIO(two))
    np.testing.assert_array_equal(np.concatenate(found), decode(io.BytesIO(two), max_seconds=30).y)
    assert len(found) == 2


@pytest.mark.parametrize(("container", "codec"), [("ogg", "vorbis"), ("ogg", "libopus"), ("mp3", "libmp3lame")])
def test_a_short_file_is_read_where_a_day_is_allowed(tmp_path, container, codec):
    (tmp_path / "a").write_bytes(content_of(container, codec))
    (found,) = read(tmp_path / "a", max_seconds=24 * 3600.0)
    assert len(found) == len(decode(tmp_path / "a", max_seconds=30).y)


def test_channels_stay_apart(tmp_path):
    both = np.stack([TONE, -TONE[::-1]], axis=1)
    for name in ("a.wav", "a.flac"):
        soundfile.write(tmp_path / name, both, RATE, subtype="PCM_16")
        with file_parts(tmp_path / name, 30) as parts:
            (part,) = ((part.channels, part.seconds, np.concatenate(list(part.blocks))) for part in parts)
        assert part[:2] == (2, 6.0)
        np.testing.assert_allclose(part[2], both, atol=1e-4)


@pytest.mark.parametrize(("container", "codec"), FORMATS)
def test_what_is_cut_off_or_too_long_is_refused_as_when_it_is_read_whole(tmp_path, container, codec):
    content = content_of(container, codec)
    assert refusal(io.BytesIO(content), max_seconds=3).startswith(("longer than 3 s", "larger than"))
    cut = io.BytesIO(content[: len(content) * 2 // 3])
    try:
        decode(cut, max_seconds=30)
    except UnusableAudioError as error:
        assert refusal(cut).split(":")[0] == str(error).split(":")[0]
    else:
        assert len(read(cut)) == 1  # a stream of frames


@pytest.mark.parametrize("content", [b"", b"no audio at all" * 100, b"RIFF\x00\x00\x00\x00WAVE", b"\x1aE\xdf\xa3" * 50])
def test_what_is_no_audio_is_refused(content):
    assert refusal(io.BytesIO(content))


def test_numbers_that_are_none_are_refused(tmp_path):
    y = TONE.copy()
    y[-1] = np.nan
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="FLOAT")
    assert refusal(tmp_path / "a.wav") == "NaN or infinite samples"


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.wav")
    assert refusal(tmp_path) == "no regular file"


LONG = """
import resource, sys
from ser.streams.file_blocks import file_parts
with file_parts(sys.argv[1], 1e6) as parts:
    before, count = 0, 0
    for part in parts:
        for number, block in enumerate(part.blocks):
            count += len(block)
            before = before or (number > 50 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize("container", ["wav", "mp3"])
def test_memory_does_not_grow_with_a_file(tmp_path, container):
    hours = np.tile(TONE, 600)
    (tmp_path / "a").write_bytes(encoded(hours, container, {"wav": "pcm_s16le", "mp3": "libmp3lame"}[container]))
    command = [sys.executable, "-c", LONG, str(tmp_path / "a")]
    run = subprocess.run(command, env=environment(), capture_output=True, text=True)
    count, growth = map(float, run.stdout.split())
    assert count == len(hours), run.stderr
    assert growth < 20  # MiB, of 230 as floats


def test_what_is_being_sent_comes_out_as_it_comes_in():
    content = encoded(TONE, "webm", "libopus")
    whole = decode(io.BytesIO(content), max_seconds=30)
    decoder, found, early = PushedDecoder(60), [], 0
    try:
        for start in range(0, len(content), 500):
            decoder.push(content[start : start + 500])
            if start < len(content) / 2:
                for _ in range(100):
                    found.append(decoder.take())
                    early += len(found[-1])
                    if early or start < 2000:
                        break
                    time.sleep(0.05)
        found.append(decoder.finish())
    finally:
        decoder.close()
    y = np.concatenate(found)
    assert early  # before the end was sent
    assert decoder.sample_rate == whole.sample_rate == 48000
    assert abs(len(y) - len(whole.y)) <= 2000
    count = min(len(y), len(whole.y))
    np.testing.assert_allclose(y[:count], whole.y[:count], atol=1e-3)


@pytest.mark.parametrize("content", [b"garbage" * 1000, encoded(TONE, "wav", "pcm_s16le"), b""])
def test_what_is_sent_and_no_webm_is_refused(content):
    decoder = PushedDecoder(60)
    try:
        with pytest.raises(UnusableAudioError):
            for start in range(0, len(content), 1000):
                decoder.push(content[start : start + 1000])
            decoder.finish()
    finally:
        decoder.close()


def test_no_more_is_decoded_than_allowed():
    decoder = PushedDecoder(2)
    try:
        with pytest.raises(UnusableAudioError, match="longer than 2 s"):
            decoder.push(encoded(TONE, "webm", "libopus"))
            decoder.finish()
    finally:
        decoder.close()
