"""What lies in a folder or an archive of speech and is not read: each file is named, with its reason and the remedy."""

import gzip
import io
import os
import stat
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from archive_files import pack
from media_files import encoded
from ser.audio.decoding import UnusableAudioError, decode
from ser.corpora.archives import LARGEST_FILE
from ser.corpora.audio_folders import NO_FILE, audio_files
from ser.corpora.corpus_files import list_files
from ser.corpora.source_files import open_source
from ser.errors import InputError

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32\nsize 73498\n"
ANNEX = b"/annex/objects/SHA256E-s73498--4d7a214614ab2935c943f9e0ff69d22eadbb8f32.wav\n"


def wav() -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.sin(np.arange(8000) / 5) / 2, 16000, format="WAV")
    return buffer.getvalue()


def packed(names: int = 3) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(names):
            archive.writestr(f"{number}.wav", wav())
    return buffer.getvalue()


CONTENTS = {  # what a file called .wav or .flac may hold, and what is said of it
    "a pointer of Git LFS": (LFS, "run `git lfs pull`"),
    "a pointer of git-annex": (ANNEX, "run `git annex get`"),
    "a web page": (b"\n<!DOCTYPE html><html><title>Sign in</title>", "a web page, as an error or a login sends it"),
    "a page without its head": (b"<!-- 502 --><p>Bad gateway", "a web page"),
    "an error in XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "a text in XML"),
    "an error in JSON": (b'{"message": "Not Found", "documentation_url": ""}', "a text in JSON, as an error sends it"),
    "a text": (b"nicht mehr da", "a text"),
    "a zip archive": (packed(), "a zip archive: unpack it"),
    "half a zip archive": (packed()[:-80], "without its end, as of a download or copy that was broken off"),
    "a gzip file": (gzip.compress(wav()), "packed by gzip: unpack it"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(40), "a 7z archive: unpack it"),
    "RAR": (b"Rar!\x1a\x07\x01\x00" + bytes(40), "a RAR archive: unpack it"),
    "PDF": (b"%PDF-1.7\n", "a PDF document"),
    "AppleDouble": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(40), "what macOS keeps beside a file"),
    "nothing": (b"", "the file is empty"),
    "zeros": (bytes(4096), "zeros where it should begin"),
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
def test_a_file_that_is_no_audio_is_named_as_what_it_is(content, suffix, tmp_path):
    given, said = CONTENTS[content]
    (tmp_path / f"a{suffix}").write_bytes(given)
    with pytest.raises(UnusableAudioError) as caught:
        decode(tmp_path / f"a{suffix}", max_seconds=30)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz"])
def test_so_it_is_inside_an_archive(kind, tmp_path):
    pack(tmp_path / f"mine{kind}", {f"{name}.wav": given for name, (given, _) in CONTENTS.items()})
    files = list(list_files(tmp_path / f"mine{kind}", tmp_path))
    assert len(files) == len(CONTENTS)
    for file in files:
        with pytest.raises(UnusableAudioError) as caught:
            decode(open_source(file.source, tmp_path), max_seconds=30)
        assert CONTENTS[file.path.stem][1] in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            packed()[:-80],
            "a zip archive without its end, as of a download or copy that was broken off: download it again",
        ),
        (b"<!doctype html><title>Log in", "a web page, as an error or a login sends it: download it again"),
        (LFS, "run `git lfs pull`"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(40), "a RAR archive: unpack it"),
        (b"", "it is empty: download it again"),
        (b'{"error": "quota"}', "a text in JSON"),
        (b"PK\x03\x04" + bytes(100) + b"PK\x05\x06" + bytes(10), "download it again"),
    ],
)
def test_an_archive_that_is_none_is_named_as_what_it_is(content, said, tmp_path):
    """As the corpus itself, and inside a folder of it."""
    (tmp_path / "mine.zip").write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(list_files(tmp_path / "mine.zip", tmp_path))
    assert "mine.zip cannot be read as an archive: " in str(caught.value) and said in str(caught.value)
    (inside,) = list_files(tmp_path, tmp_path.parent)
    assert inside.audio and said in inside.reason and str(tmp_path) not in inside.reason


def test_audio_under_any_suffix_is_told_by_its_first_bytes(tmp_path):
    y, sr = np.sin(np.arange(16000) / 5) / 2, 16000
    kinds = {"call.rec": "WAV", "x.wav.bak": "WAV", "voice.note": "OGG", "take.wav_": "FLAC", "b.wav ": "AIFF"}
    for name, kind in kinds.items():
        soundfile.write(tmp_path / name, y, sr, format=kind)
    (tmp_path / "mpeg.old").write_bytes(
        encoded(y, "mp3", "libmp3lame", sr=sr, options={"write_xing": "0", "id3v2_version": "0"})
    )
    beside = {"x.xyz": np.random.default_rng(0).bytes(600),
              "y.cur": b"\xff\xfb\x90\x64" + bytes(4000), "z.ani": b"RIFF\x24\0\0\0ACONanih",
              "notes.txt": wav(), "w.sf2": b"RIFF\x24\0\0\0sfbk", "v.key": b"PK\x03\x04" + bytes(50)}  # fmt: skip
    for name, content in beside.items():
        (tmp_path / name).write_bytes(content)
    found = {file.path.as_posix(): file.reason for file in list_files(tmp_path, tmp_path.parent) if file.audio}
    assert found == dict.fromkeys([*kinds, "mpeg.old"], "")
    assert {path.name: reason for path, reason in audio_files(tmp_path).items()} == found
    assert all(decode(tmp_path / name, max_seconds=30).y.size for name in found)


NOT_THERE = {
    ".take 1.wav.icloud": "still in iCloud",
    ".mine.zip.icloud": "still in iCloud",
    "a.wav.part": "a download that has not ended",
    "b.flac.crdownload": "a download that has not ended",
    "c.mp3.!ut": "a download that has not ended",
    "d.zip.partial": "a download that has not ended",
    "e.wav.gz": "packed as a whole: unpack it",
    "f.rar": "unpack it",
}


def test_what_is_not_there_yet_is_said(tmp_path):
    for name in NOT_THERE:
        (tmp_path / name).write_bytes(wav())
    for name in (".DS_Store", "._a.wav", ".notes.txt.icloud", "thesis.pdf.part", "table.csv.gz", ".x.wav"):
        (tmp_path / name).write_bytes(wav() if name != "thesis.pdf.part" else b"%PDF-1.7")
    for found in (
        {file.path.name: file.reason for file in list_files(tmp_path, tmp_path.parent) if file.audio},
        {path.name: reason for path, reason in audio_files(tmp_path).items()},
    ):
        assert found.keys() == NOT_THERE.keys()
        assert all(said in found[name] for name, said in NOT_THERE.items()), found
    pack(tmp_path / "all.zip", dict.fromkeys(NOT_THERE, wav()))
    found = {file.path.name: file.reason for file in list_files(tmp_path / "all.zip", tmp_path)}
    assert all(said in found[name] for name, said in NOT_THERE.items()), found


def test_folders_that_are_called_as_audio_and_links_to_folders_are_said(tmp_path):
    (tmp_path / "empty.wav").mkdir()
    (tmp_path / "full.wav").mkdir()
    (tmp_path / "full.wav/a.wav").write_bytes(wav())
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    found = {path.relative_to(tmp_path).as_posix(): reason for path, reason in audio_files(tmp_path).items()}
    assert found == {
        "empty.wav": NO_FILE,
        "full.wav/a.wav": "",
        "link": "a link to a folder, which is not followed: name that folder itself",
    }
    listed = {file.path.as_posix(): file.reason for file in list_files(tmp_path, tmp_path.parent) if file.audio}
    assert listed.keys() == {"full.wav/a.wav", "link"}
    assert listed["link"] == "a link to a folder, which is not followed: put the folder in its place"


def test_tables_that_cannot_be_read_are_listed_as_files_are(tmp_path):
    """What they hold or say would be gone, and the rest read in another way."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "labels.csv").write_text("path,emotion")
    (tmp_path / "mine/labels.csv").symlink_to(tmp_path / "labels.csv")
    (tmp_path / "mine/notes.txt").symlink_to(tmp_path / "labels.csv")
    with zipfile.ZipFile(tmp_path / "mine/hub.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/train-0.parquet", bytes(LARGEST_FILE + 1))
    listed = {file.path.as_posix(): file.reason for file in list_files(tmp_path / "mine", tmp_path / "mine")}
    audio = [file.path.as_posix() for file in list_files(tmp_path / "mine", tmp_path / "mine") if file.audio]
    assert audio == ["hub.zip/data/train-0.parquet", "labels.csv"]
    assert listed["hub.zip/data/train-0.parquet"] == "it unpacks to 128 MiB; 128 are read at most: unpack the archive"
    assert listed["labels.csv"].startswith("a link that leads out")


def test_a_folder_that_may_not_be_opened_is_named():
    """Root may open any: the test becomes somebody else for it, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "mine/closed").mkdir(parents=True)
        (folder / "mine/closed/a.wav").write_bytes(wav())
        (folder / "mine/b.wav").write_bytes(wav())
        (folder / "mine/closed").chmod(0)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            if os.getuid() == 0:
                os.setuid(65534)
            listed = [f"{file.source}: {file.reason}" for file in list_files(folder / "mine", folder) if file.audio]
            walked = [f"{path.relative_to(folder)}: {reason}" for path, reason in audio_files(folder / "mine").items()]
            os.write(write, "\n".join([*listed, *walked]).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as file:
            said = file.read().splitlines()
        os.waitpid(child, 0)
        (folder / "mine/closed").chmod(stat.S_IRWXU)
    closed = "mine/closed: a folder that cannot be opened: Permission denied"
    assert said == ["mine/b.wav: ", closed, "mine/b.wav: ", closed]
