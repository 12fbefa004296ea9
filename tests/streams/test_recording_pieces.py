"""Pieces of long files: the samples of the whole, refused where there are none, about one pass for many."""

import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import FULL, environment
from media_files import encoded
from ser.audio import decoder_process
from ser.audio.decoding import UnusableAudioError, decode
from ser.streams import recording_pieces
from ser.streams.recording_pieces import read_piece

SR = 16000
SOUND = np.random.default_rng(5)
FORMATS = {
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "aiff": ("aiff", "pcm_s16be"),
    "mulaw.wav": ("wav", "pcm_mulaw"),
    "adpcm.wav": ("wav", "adpcm_ima_wav"),
    "mp3": ("mp3", "libmp3lame"),
    "m4a": ("mp4", "aac"),
    "ogg": ("ogg", "libopus"),
    "webm": ("webm", "libopus"),
}
OUTSIDE = "the piece is not in the file: it "
COMPRESSED = ("mp3", "m4a", "ogg", "webm")


def noise(seconds: float, channels: int = 1) -> np.ndarray:
    """Return noise of a level that changes, shape (samples, channels)."""
    count = round(seconds * SR)
    level = np.repeat(SOUND.random((count // 1600 + 1, channels)), 1600, axis=0)[:count]
    return (0.2 * level * SOUND.standard_normal((count, channels))).astype(np.float32)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> dict[str, Path]:
    """The same two channels of 100 s in all formats."""
    folder, y = tmp_path_factory.mktemp("long"), noise(100, 2)
    for suffix, (container, codec) in FORMATS.items():
        (folder / f"a.{suffix}").write_bytes(encoded(y, container, codec))
    return {suffix: folder / f"a.{suffix}" for suffix in FORMATS}


def decoders() -> list[int]:
    """Return the processes that this one has started and that still run."""
    me = str(os.getpid())
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if parent == me and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.fixture(autouse=True)
def _no_decoder_is_left():
    before = set(decoders())
    yield
    for module in (recording_pieces, decoder_process):
        module._own.__dict__.clear()
    gc.collect()
    assert set(decoders()) <= before


def times(seconds: float, count: int) -> list[tuple[float, float]]:
    """Return pieces in the order of their starts, rounded as in tables; some overlap."""
    starts = np.sort(SOUND.uniform(0, seconds - 4, count)).round(2).tolist()
    return [
        (start, round(start + length, 3)) for start, length in zip(starts, SOUND.uniform(0.1, 4, count), strict=True)
    ]


def compare(file, whole: np.ndarray, sr: int, pieces: list[tuple[float, float]], **wanted) -> None:
    for start, end in pieces:
        found = read_piece(file, start, end, max_seconds=30, **wanted)
        assert found.sample_rate == sr
        np.testing.assert_array_equal(found.y, whole[round(start * sr) : round(end * sr)])


def cases(values: dict[bool | float, tuple[str, ...]]) -> list:
    """Return every format with each of some values; those that are not named beside a value are for `make verify`."""
    return [
        pytest.param(suffix, value, marks=() if suffix in quick else pytest.mark.verify)
        for value, quick in values.items()
        for suffix in FORMATS
    ]


@pytest.mark.parametrize(("suffix", "in_memory"), cases({False: (*FORMATS,), True: ("wav", "flac", "m4a")}))
def test_a_piece_has_the_samples_of_the_whole(recordings, suffix, in_memory):
    file = io.BytesIO(recordings[suffix].read_bytes()) if in_memory else recordings[suffix]
    whole = decode(recordings[suffix], max_seconds=200)
    compare(file, whole.y, whole.sample_rate, times(100, 40))
    found = read_piece(file, 98.0, None, max_seconds=30)
    np.testing.assert_array_equal(found.y, whole.y[98 * whole.sample_rate :])
    found = read_piece(file, None, 2.0, max_seconds=30)
    np.testing.assert_array_equal(found.y, whole.y[: 2 * whole.sample_rate])
    assert found[1:4] == whole[1:4]


@pytest.mark.parametrize("suffix", ["wav", "m4a"])
def test_of_a_channel_too(recordings, suffix):
    whole = decode(recordings[suffix], max_seconds=200, channel=2)
    compare(recordings[suffix], whole.y, whole.sample_rate, times(100, 10), channel=2)
    with pytest.raises(UnusableAudioError, match=r"channel 3 .* 2 channels: name one from 1 to 2"):
        read_piece(recordings[suffix], 1.0, 2.0, max_seconds=30, channel=3)


def test_a_piece_cut_at_samples_is_the_file_of_its_own(tmp_path):
    y = (noise(20)[:, 0] * 32767).astype(np.int16)
    soundfile.write(tmp_path / "long.wav", y, 44100)
    for first, last in SOUND.integers(0, len(y), (50, 2)):
        first, last = sorted((int(first), int(last) + 1))
        soundfile.write(tmp_path / "own.wav", y[first:last], 44100)
        found = read_piece(tmp_path / "long.wav", first / 44100, last / 44100, max_seconds=30)
        np.testing.assert_array_equal(found.y, decode(tmp_path / "own.wav", max_seconds=30).y)


@pytest.mark.parametrize(("suffix", "behind"), cases({1.0: ("wav", "flac", "ogg"), 99.0: ("wav", "mp3", "m4a")}))
def test_what_is_not_there_is_refused_with_what_to_do(recordings, suffix, behind):
    file = recordings[suffix]
    read_piece(file, behind, behind + 0.5, max_seconds=30)  # the same, wherever the decoder is
    for start, end, reason in [
        (120.0, 121.0, OUTSIDE + r"starts at 120 s, and the file ends at (100|99)\.\d\d s; correct its start and end"),
        (120.0, None, OUTSIDE + "starts at 120 s"),
        (98.0, 103.0, OUTSIDE + r"ends at 103 s, and the file ends at (100|99)\.\d\d s; correct its start and end"),
        (5.0, 5.0, r"no piece: it starts at 5 s and ends at 5 s; correct its start and end"),
        (7.0, 5.0, r"no piece: it starts at 7 s and ends at 5 s"),
        (5.0, 55.0, r"longer than 30 s \(50\.0 s\)"),
        (5.0, None, r"longer than 30 s"),
        (None, 50.0, r"longer than 30 s"),
    ]:
        with pytest.raises(UnusableAudioError, match="^" + reason):
            read_piece(file, start, end, max_seconds=30)
    assert len(read_piece(file, 99.0, 100.04, max_seconds=30).y)  # rounded by a table


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "m4a", "ogg"])
def test_of_a_damaged_file_the_pieces_before_the_damage_are_read(recordings, tmp_path, suffix):
    content = recordings[suffix].read_bytes()
    if suffix == "m4a":  # the list of its samples is at its end: the damage lies amid them
        content = content[: len(content) // 2] + b"\xff" * 3000 + content[len(content) // 2 + 3000 :]
    else:
        content = content[: len(content) // 2]
    (tmp_path / "cut").write_bytes(content)
    whole = decode(recordings[suffix], max_seconds=200)
    compare(tmp_path / "cut", whole.y, whole.sample_rate, times(40, 10))
    for start in (90.0, 70.0, 80.0):
        with pytest.raises(UnusableAudioError) as refused:
            read_piece(tmp_path / "cut", start, start + 1, max_seconds=30)
        assert "psf_" not in str(refused.value)  # a function of libsndfile, which says nothing to anyone
    compare(tmp_path / "cut", whole.y, whole.sample_rate, times(40, 3))


def test_many_pieces_cost_one_pass(recordings, monkeypatch):
    opened = []
    real = recording_pieces.file_parts
    monkeypatch.setattr(recording_pieces, "file_parts", lambda *given: opened.append(1) or real(*given))
    for suffix in COMPRESSED:
        for start, end in times(100, 100):
            read_piece(recordings[suffix], start, end, max_seconds=30)
        for _ in range(3):
            with pytest.raises(UnusableAudioError):
                read_piece(recordings[suffix], 130.0, 131.0, max_seconds=30)
        assert len(opened) == 1
        opened.clear()


def test_a_file_that_has_changed_is_read_anew(recordings, tmp_path):
    place = tmp_path / "a.mp3"
    place.write_bytes(recordings["mp3"].read_bytes())
    before = read_piece(place, 1.0, 2.0, max_seconds=30).y
    place.write_bytes(encoded(noise(10), "mp3", "libmp3lame"))
    assert not np.array_equal(read_piece(place, 1.0, 2.0, max_seconds=30).y, before)


def test_channels_that_cancel_each_other_in_a_piece(tmp_path):
    y = noise(60)
    (tmp_path / "a.mp3").write_bytes(encoded(np.hstack([y, -y]), "mp3", "libmp3lame", bit_rate=256_000))
    found = read_piece(tmp_path / "a.mp3", 10.0, 12.0, max_seconds=30)
    whole = decode(tmp_path / "a.mp3", max_seconds=90, channel=found.taken + 1)
    np.testing.assert_array_equal(found.y, whole.y[10 * SR : 12 * SR])


def test_links_of_a_chain_are_read_as_one_file(tmp_path):
    links = []
    for rate in (SR, SR, 8000):
        file = io.BytesIO()
        soundfile.write(file, noise(3)[: 3 * rate], rate, format="OGG", subtype="VORBIS")
        links.append(file.getvalue())
    (tmp_path / "two.ogg").write_bytes(b"".join(links[:2]))
    whole = decode(tmp_path / "two.ogg", max_seconds=30)
    compare(tmp_path / "two.ogg", whole.y, SR, [(0.5, 1.5), (2.5, 3.5), (4.0, 6.0)])
    (tmp_path / "three.ogg").write_bytes(b"".join(links))
    compare(tmp_path / "three.ogg", whole.y, SR, [(0.5, 1.5), (2.5, 3.5)])
    with pytest.raises(UnusableAudioError, match="another rate or number of channels: convert it to WAV"):
        read_piece(tmp_path / "three.ogg", 7.0, 8.0, max_seconds=30)


def test_what_is_no_audio_or_no_file(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"<!doctype html>" * 100)
    (tmp_path / "b.mp3").write_bytes(b"\xff\xfb\x90\x00" + b"junk" * 500)
    for name in ("a.mp3", "b.mp3", "b.mp3"):
        with pytest.raises(UnusableAudioError):
            read_piece(tmp_path / name, 1.0, 2.0, max_seconds=30)
    with pytest.raises(FileNotFoundError):
        read_piece(tmp_path / "none.mp3", 1.0, 2.0, max_seconds=30)
    with pytest.raises(UnusableAudioError, match="no regular file"):
        read_piece(tmp_path, 1.0, 2.0, max_seconds=30)
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(UnusableAudioError, match="no regular file"):
        read_piece(tmp_path / "pipe.wav", 1.0, 2.0, max_seconds=30)


def test_threads_read_by_themselves(recordings):
    whole = decode(recordings["mp3"], max_seconds=200)
    failed = []

    def read() -> None:
        try:
            compare(recordings["mp3"], whole.y, whole.sample_rate, sorted(times(100, 30)))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_an_interruption_ends_the_decoder(recordings, monkeypatch):
    read_piece(recordings["mp3"], 1.0, 2.0, max_seconds=30)
    whole = decode(recordings["mp3"], max_seconds=200)
    decoded = recording_pieces._own.decoded
    real = decoded._blocks

    def interrupted():
        yield next(real)
        raise KeyboardInterrupt

    decoded._blocks = interrupted()
    running = set(decoders())
    with pytest.raises(KeyboardInterrupt):
        read_piece(recordings["mp3"], 50.0, 52.0, max_seconds=30)
    assert len(running - set(decoders())) == 1
    compare(recordings["mp3"], whole.y, whole.sample_rate, [(50.0, 52.0)])


LEAVES = """
import io, os, signal, sys, time
from pathlib import Path
from ser.streams.recording_pieces import read_piece
file = io.BytesIO(Path(sys.argv[1]).read_bytes())
read_piece(file, 1.0, 2.0, max_seconds=30)
print("ready", flush=True)
if sys.argv[2] == "raise":
    raise ValueError
if sys.argv[2] == "exit":
    os._exit(0)
if sys.argv[2] == "wait":
    time.sleep(60)
"""


@pytest.mark.parametrize("end", ["return", "raise", "exit", "wait"])
def test_nothing_is_left_however_a_program_ends(recordings, tmp_path, end):
    place = tmp_path / "temporary"
    place.mkdir()
    mark = f"SER_TEST_MARK={tmp_path.name}"
    command = [sys.executable, "-c", LEAVES, str(recordings["mp3"]), end]
    name, value = mark.split("=")
    run = subprocess.Popen(
        command,
        env=environment() | {"TMPDIR": str(place), name: value},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert run.stdout.readline() == b"ready\n"
    assert not list(place.iterdir())
    if end == "wait":
        run.send_signal(signal.SIGINT)
    run.wait(10)
    run.stdout.close()
    deadline = time.monotonic() + 10
    while (left := of_environment(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left
    assert not list(place.iterdir())


def of_environment(mark: str) -> list[str]:
    """Return the processes in whose environment something stands."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes() and "Z" not in (place / "stat").read_text().split()[2]:
                found.append(place.name)
        except OSError:
            continue
    return found


@pytest.mark.verify
@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "m4a"])
def test_thousands_of_pieces_of_an_hour(tmp_path, suffix):
    seconds, count = (3600, 2000) if FULL else (900, 500)
    path = tmp_path / f"hour.{suffix}"
    path.write_bytes(encoded(np.tile(noise(300), (seconds // 300, 1)), *FORMATS[suffix]))
    begin = time.monotonic()
    whole = decode(path, max_seconds=4000)
    one_pass = time.monotonic() - begin
    pieces = times(seconds, count)
    begin = time.monotonic()
    found = [read_piece(path, start, end, max_seconds=30).y for start, end in pieces]
    took = time.monotonic() - begin
    for (start, end), y in zip(pieces, found, strict=True):
        np.testing.assert_array_equal(y, whole.y[round(start * whole.sample_rate) : round(end * whole.sample_rate)])
    assert took < 3 * one_pass + 0.002 * count + 2
