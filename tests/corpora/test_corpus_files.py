"""Sources: where a corpus lies, what is in it, and what is not opened."""

import io
import os
from pathlib import PurePosixPath

import pytest

from archive_files import pack
from ser.audio.decoding import UnusableAudioError
from ser.corpora.audio_folders import audio_files, holds_audio, why_unopened
from ser.corpora.corpus_files import count_outside, list_files
from ser.corpora.corpus_places import corpus_name, find_places
from ser.corpora.source_files import open_source, read_source
from ser.errors import InputError


def tree(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(file.encode())
    return folder


def listed(place, raw):
    return [(file.path.as_posix(), file.source, file.reason) for file in list_files(place, raw)]


@pytest.mark.parametrize("there", ["emodb", "EMO-DB", "emodb.zip", "EmoDB.tar.gz", "emo_db.tgz", "emodb.csv"])
def test_a_corpus_is_found_whatever_its_shape_and_spelling(tmp_path, there):
    tree(tmp_path, f"{there}/a.wav" if "." not in there else there, "other/a.wav", ".hidden/emodb/x.wav")
    assert find_places("emodb", tmp_path) == [tmp_path / there]


def test_two_of_one_name_are_not_chosen_among(tmp_path):
    tree(tmp_path, "mine/anger/a.wav", "mine.csv")
    with pytest.raises(InputError, match=r"holds mine, mine.csv: keep one, or name"):
        find_places("mine", tmp_path)
    assert find_places("mine.csv", tmp_path) == [tmp_path / "mine.csv"]


def test_the_publishers_archives_are_taken_as_they_are(tmp_path):
    tree(tmp_path, "Audio_Speech.zip")
    assert find_places("ravdess", tmp_path, ("Audio_Speech.zip", "Audio_Song.zip")) == [tmp_path / "Audio_Speech.zip"]


def test_a_missing_corpus_names_what_there_is(tmp_path):
    tree(tmp_path, "tess/a.wav", "notes.txt")
    with pytest.raises(InputError, match=r"corpus emodb: no folder, archive or table .*there: tess\)"):
        find_places("emodb", tmp_path)
    with pytest.raises(InputError, match="raw.path is .*absent, which is no folder"):
        find_places("emodb", tmp_path / "absent")


@pytest.mark.parametrize(
    ("file", "name"), [("a.tar.gz", "a"), ("A.ZIP", "A"), ("x.y.csv", "x.y"), ("plain", "plain"), ("a.wav", "a.wav")]
)
def test_corpus_name(file, name):
    assert corpus_name(file) == name


def test_files_of_a_folder_are_sorted_and_hidden_ones_are_not_there(tmp_path):
    tree(tmp_path / "c", "b/1.wav", "a/2.wav", "a/.DS_Store", "__MACOSX/a/._2.wav", ".git/x.wav", "read me.txt")
    assert [path for path, _, _ in listed(tmp_path / "c", tmp_path)] == ["read me.txt", "a/2.wav", "b/1.wav"]


def test_archives_inside_a_folder_are_folders(tmp_path):
    tree(tmp_path / "ravdess", "Actor_01/a.wav")
    pack(tmp_path / "ravdess/song.zip", {"Actor_02/b.wav": b"b", "__MACOSX/Actor_02/._b.wav": b""})
    assert listed(tmp_path / "ravdess", tmp_path) == [
        ("song.zip/Actor_02/b.wav", "ravdess/song.zip/Actor_02/b.wav", ""),
        ("Actor_01/a.wav", "ravdess/Actor_01/a.wav", ""),
    ]
    assert read_source("ravdess/song.zip/Actor_02/b.wav", tmp_path) == b"b"


def test_a_broken_archive_inside_a_folder_is_one_bad_file(tmp_path):
    tree(tmp_path / "mine", "anger/1.wav", "broken.zip")
    assert listed(tmp_path / "mine", tmp_path) == [
        ("broken.zip", "mine/broken.zip", "cannot be read as an archive: it is a text: download it again"),
        ("anger/1.wav", "mine/anger/1.wav", ""),
    ]


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz"])
def test_a_source_in_an_archive_is_opened_without_unpacking(tmp_path, kind):
    pack(tmp_path / f"c{kind}", {"a/1.wav": b"one", "../up.wav": b"x"})
    files = listed(tmp_path / f"c{kind}", tmp_path)
    assert files == [
        ("../up.wav", f"c{kind}/../up.wav", "its name leads out of the archive"),
        ("a/1.wav", f"c{kind}/a/1.wav", ""),
    ]
    opened = open_source(f"c{kind}/a/1.wav", tmp_path)
    assert opened.name == f"c{kind}/a/1.wav"
    assert isinstance(opened, io.BytesIO)
    assert opened.read() == b"one"
    assert os.listdir(tmp_path) == [f"c{kind}"]


def test_a_source_that_is_not_there(tmp_path):
    pack(tmp_path / "c.zip", {"a.wav": b"one"})
    (tmp_path / "bad.zip").write_text("no zip")
    for source, reason in (
        ("x.wav", "there is no such file"),
        ("c.zip/b.wav", "c.zip holds no such file"),
        ("bad.zip/b.wav", "cannot be read as an archive"),
    ):
        with pytest.raises(UnusableAudioError, match=reason):
            open_source(source, tmp_path)


def test_links_that_lead_out_are_not_followed(tmp_path):
    raw = tmp_path / "raw"
    tree(raw, "c/in.wav", "other/near.wav")
    tree(tmp_path, "secret/out.wav")
    for name, target in (
        ("near.wav", raw / "other/near.wav"),
        ("out.wav", tmp_path / "secret/out.wav"),
        ("nothing.wav", tmp_path / "absent"),
        ("folder", tmp_path / "secret"),
        ("beside", raw / "other"),
        ("loop.wav", raw / "c/loop.wav"),
        ("annexed.wav", "../../.git/annex/objects/Xk/0j/SHA256E-s9--ab.wav/SHA256E-s9--ab.wav"),
    ):
        (raw / "c" / name).symlink_to(target)
    os.mkfifo(raw / "c/pipe.wav")
    reasons = {path: reason for path, _, reason in listed(raw / "c", raw)}
    assert reasons == {
        "in.wav": "",
        "near.wav": "",
        "out.wav": "a link that leads out of raw.path: DVC would not notice a change",
        "folder": "a link that leads out of raw.path: DVC would not notice a change",
        "beside": "a link to a folder, which is not followed: put the folder in its place",
        "nothing.wav": "a link to nothing",
        "loop.wav": "a link to nothing",
        "annexed.wav": "a pointer of git-annex, not the file itself: run `git annex get`",
        "pipe.wav": "no regular file",
    }


def test_what_a_folder_holds_that_cannot_be_opened_is_listed_with_the_reason(tmp_path):
    tree(tmp_path, "a.wav", "b.txt", "call.vox", "x.m4p", "sub/c.mp3", ".hidden/d.wav", "__MACOSX/._a.wav")
    (tmp_path / "gone.wav").symlink_to(tmp_path / "absent")
    (tmp_path / "annexed.flac").symlink_to(tmp_path / ".git/annex/objects/Xk/0j/k/k.flac")
    (tmp_path / "link to text").symlink_to(tmp_path / "b.txt")
    reasons = {path.relative_to(tmp_path).as_posix(): why_unopened(path) for path in audio_files(tmp_path)}
    assert {name: reason.split(":")[0].split(",")[0] for name, reason in reasons.items()} == {
        "a.wav": "",
        "annexed.flac": "a pointer of git-annex",
        "call.vox": "samples without a header",
        "gone.wav": "a link to nothing",
        "sub/c.mp3": "",
        "x.m4p": "encrypted by who sold it",
    }


def test_a_pipe_or_a_file_that_may_not_be_read_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.raw")
    assert not holds_audio(tmp_path / "pipe")
    assert [*audio_files(tmp_path)] == [tmp_path / "pipe.raw"]
    assert [path for path, _, reason in listed(tmp_path, tmp_path.parent) if not reason] == []


def test_names_that_no_table_can_hold_are_refused(tmp_path):
    folder = tmp_path / "c"
    folder.mkdir()
    for name in ('good ü 声, "quoted".wav', "line\nbreak.wav", "a" * 251 + ".wav"):
        (folder / name).write_bytes(b"x")
    with open(os.fsencode(folder) + b"/latin\xe9.wav", "wb"):
        pass
    reasons = {source: reason for _, source, reason in listed(folder, tmp_path)}
    assert reasons == {
        'c/good ü 声, "quoted".wav': "",
        f"c/{'a' * 251}.wav": "",
        "c/line\\nbreak.wav": "control characters in its name: rename it",
        "c/latin\\udce9.wav": "its name is not UTF-8: rename it",
    }


def test_paths_in_a_corpus_are_relative_to_it(tmp_path):
    tree(tmp_path, "deep/c/x/1.wav")
    (file,) = list_files(tmp_path / "deep/c", tmp_path)
    assert file.path == PurePosixPath("x/1.wav")
    assert file.source == "deep/c/x/1.wav"


def test_files_behind_a_link_or_outside_are_counted(tmp_path):
    raw = tree(tmp_path / "raw", "c/a.wav", "c/b.wav").absolute()
    tree(tmp_path / "else", "emodb/x.wav")
    (raw / "emodb").symlink_to(tmp_path / "else/emodb")
    sources = ["c/a.wav", "c/b.wav", "emodb/x.wav", "../else/emodb/x.wav", str(tmp_path / "else/emodb/x.wav")]
    assert count_outside(sources, raw) == 3
    assert [source for _, source, reason in listed(raw / "emodb", raw) if not reason] == ["emodb/x.wav"]
