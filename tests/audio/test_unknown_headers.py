"""What is no audio is called by its name, with what helps; what is not known is not guessed."""

import bz2
import gzip
import io
import lzma
import sqlite3
import zipfile

import numpy as np
import pytest

from ser.audio.container_headers import kind_of
from ser.audio.decoding import UnusableAudioError, decode
from ser.audio.unknown_headers import LOOKED_AT, what_it_is

LFS = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 73498\n"
)


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.wav", b"RIFF")
    return file.getvalue()


def array():
    file = io.BytesIO()
    np.save(file, np.zeros(99))
    return file.getvalue()


def database():
    connection = sqlite3.connect(":memory:")
    connection.execute("create table clips (name)")
    return connection.serialize()


KINDS = {
    "git lfs": (LFS, "run `git lfs pull`"),
    "git lfs before its first release": (LFS.replace(b"git-lfs", b"hawser"), "run `git lfs pull`"),
    "git lfs with line ends of Windows": (LFS.replace(b"\n", b"\r\n"), "run `git lfs pull`"),
    "git-annex": (b"/annex/objects/SHA256E-s16--7091a3bb554a96356db798ae.wav\n", "run `git annex get`"),
    "an error page": (b"\n\n<!DOCTYPE HTML PUBLIC '-//IETF//DTD HTML 2.0//EN'>\n<title>404</title>", "a web page"),
    "a login page": (b"\xef\xbb\xbf<html lang='en'><body>Log in", "a web page"),
    "an error of S3": (b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code>', "a text in XML"),
    "base64 of a browser": (b"data:audio/webm;base64,GkXfo59ChoEBQveBAULygQRC84EIQoKEd2Vib", "base64"),
    "a playlist": (b"#EXTM3U\n#EXTINF:3,\nhttp://127.0.0.1/a.mp3\n", "a playlist"),
    "text": ("path,emotion\nÄrger.wav,anger\n".encode(), "a text"),
    "zip": (zipped(), "a zip archive"),
    "gzip": (gzip.compress(b"RIFF" * 99), "gzip"),
    "bzip2": (bz2.compress(b"RIFF" * 99), "bzip2"),
    "xz": (lzma.compress(b"RIFF" * 99), "xz"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", "a picture"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a picture"),
    "webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "a picture"),
    "photo of a phone": (b"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1heic", "a picture"),
    "voice of WeChat": (b"\x02#!SILK_V3\x0c\x00\xa7\x2e", "SILK"),
    "voice of QQ": (b"#!SILK_V3\x0c\x00\xa7\x2e", "SILK"),
    "dictation": (b"\x03ds2\x02\x00\x01\x00", "DS2"),
    "Sony": (b"MS_VOICE\x00\x01", "Sony"),
    "notes": (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x60", "MIDI"),
    "numpy": (array(), "an array of NumPy"),
    "sqlite": (database(), "SQLite"),
    "resource fork": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ", "macOS"),
    "zeros": (bytes(64), "zeros where it should begin"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_no_audio_is_called_by_its_name(kind):
    content, said = KINDS[kind]
    assert said in what_it_is(content[:LOOKED_AT])


@pytest.mark.parametrize("kind", ["git lfs", "git-annex", "an error page", "text", "zip", "voice of WeChat", "zeros"])
def test_decoding_says_so(kind, tmp_path):
    content, said = KINDS[kind]
    assert kind_of(content[:32]) is None
    (tmp_path / "a.wav").write_bytes(content)
    for file in (tmp_path / "a.wav", io.BytesIO(content)):
        with pytest.raises(UnusableAudioError, match=f"not readable as audio: .*{said}"):
            decode(file, max_seconds=30)


def test_what_is_not_known_is_not_guessed():
    rng = np.random.default_rng(0)
    assert what_it_is(b"") == ""
    assert what_it_is(b"\x00\x00") == ""
    assert sum(what_it_is(rng.bytes(64)) != "" for _ in range(2000)) == 0
    assert what_it_is("latin-1: \u00e4 ".encode("latin-1") * 20) == ""  # no UTF-8: may be anything


def test_a_text_that_is_cut_amid_a_letter_is_a_text():
    content = "声".encode() * LOOKED_AT
    assert {what_it_is(content[:length]) for length in range(LOOKED_AT - 3, LOOKED_AT + 1)} == {"a text"}
