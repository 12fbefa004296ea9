"""Names of files: one list says what is read, whatever else is said of a suffix agrees with it."""

import re
import struct
from pathlib import PurePosixPath

import numpy as np
import pytest

from conftest import ROOT
from ser.audio.decoding import AUDIO_SUFFIXES
from ser.corpora.audio_names import (
    LOSSLESS,
    REASONS,
    SAYS_NOTHING,
    UNREAD,
    begins_as_audio,
    is_lossy,
    may_be_audio,
    names_audio,
    stem_of,
    suffix_of,
    why_unread,
)


def test_no_suffix_is_in_two_lists():
    assert set(LOSSLESS) <= set(AUDIO_SUFFIXES)
    assert len(UNREAD) == sum(map(len, REASONS.values()))
    assert not set(UNREAD) & set(AUDIO_SUFFIXES)
    assert not set(SAYS_NOTHING) & {*UNREAD, *AUDIO_SUFFIXES}
    suffixes = (*UNREAD, *SAYS_NOTHING, *AUDIO_SUFFIXES)
    assert all(suffix == suffix_of(f"a{suffix.upper()}") for suffix in suffixes)


def test_there_is_no_other_list_of_suffixes():
    """But for noises and rooms, which augmentation reads by itself."""
    found = {
        path.relative_to(ROOT / "stages").as_posix()
        for path in (ROOT / "stages").rglob("*.py")
        if re.search(r"""["']\.(mp3|ogg|opus|m4a)["']""", path.read_text(encoding="utf-8"))
    }
    assert found == {"ser/audio/decoding.py", "ser/augmentation/noise_and_room_files.py"}


@pytest.mark.parametrize(
    ("name", "lossy"),
    [
        ("a.wav", False), ("A.FLAC", False), ("a.aiff", False), ("x.zip/a.sph", False), ("a.mp3", True),
        ("a.ogg", True), ("a.OPUS", True), ("a.m4a", True), ("a.webm", True), ("a.amr", True), ("a.wma", True),
        ("a.mp2", True), ("a.3gp", True), ("a", True), ("take 1.5", True),
    ],
)  # fmt: skip
def test_every_suffix_is_lossless_or_may_not_be(name, lossy):
    assert is_lossy(name) == lossy


def test_each_suffix_that_is_not_read_has_a_reason_with_a_remedy():
    assert all(re.fullmatch(r"[^:]+: [^:]+", reason) for reason in REASONS)
    assert "without a header" in why_unread("call.VOX")
    assert "encrypted" in why_unread("book.aax")
    assert why_unread("a.wav") == why_unread("a.txt") == why_unread("a") == ""
    assert names_audio("call.vox")
    assert not names_audio("notes.txt")


@pytest.mark.parametrize(
    ("name", "suffix", "stem"),
    [
        ("a.WAV", ".wav", "a"), ("a", "", "a"), ("take 1.5", "", "take 1.5"), ("take 1.5.wav", ".wav", "take 1.5"),
        ("Memo 2024-01-01 10.30.15", "", "Memo 2024-01-01 10.30.15"), ("a.", "", "a."), ("a.tmp", ".tmp", "a"),
    ],
)  # fmt: skip
def test_a_number_is_no_suffix(name, suffix, stem):
    assert suffix_of(name) == suffix
    assert stem_of(PurePosixPath("x.y", name)) == f"x.y/{stem}"


def test_only_names_that_say_nothing_are_opened():
    assert [name for name in ("a", "a.tmp", "a.dat", "a.7", "a.raw", "a.wav", "a.txt", "a.csv", "a.jpg", "a.m4p")
            if may_be_audio(name)] == ["a", "a.tmp", "a.dat", "a.7", "a.raw"]  # fmt: skip


RIFF = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(16)


@pytest.mark.parametrize(
    "header",
    [RIFF, b"OggS" + bytes(28), b"fLaC" + bytes(28), b"ID3\x04" + bytes(28), b"\xff\xfb\x90\x64" + bytes(28),
     b"\xff\xf3\x48\xc4" + bytes(28), b"\xff\xfd\x80\x04" + bytes(28)],
)  # fmt: skip
def test_audio_is_told_by_its_first_bytes(header):
    assert begins_as_audio(header)


@pytest.mark.parametrize(
    "header",
    [b"", b"\xff", b"\xff\xfb", bytes(32), b"\xff" * 32, "Über".encode("utf-16"), "speech".encode("utf-16"),
     b"\xff\xd8\xff\xe0" + bytes(28), b"RIFF\x24\x00\x00\x00WEBPVP8 ", b"a text" * 5, b"\xfe\xff\x00a" * 8],
)  # fmt: skip
def test_what_is_no_audio_is_not_taken_for_it(header):
    assert not begins_as_audio(header)


def test_two_bytes_are_not_enough_to_be_audio():
    """Whatever begins a frame of some codec: samples without a header and programs' data have it too."""
    rest = np.random.default_rng(0).bytes(30)
    found = [first for first in range(0xFF) for second in range(256) if begins_as_audio(bytes([first, second]) + rest)]
    assert found == []
