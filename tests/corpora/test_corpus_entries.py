"""Corpora: a folder of files becomes one sorted table."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_files import pack
from ser.corpora.audio_folders import audio_files
from ser.corpora.corpus_entries import COLUMNS, read_corpus
from ser.errors import InputError

REAL = Path(__file__).parents[3] / "shared" / "corpora"
SUFFIXES = ["wav", "flac"]
REFUSED = "ravdess/Actor_05/03-01-05-01-01-01-02.flac"


# --- folders of files


@pytest.fixture
def tree(tmp_path):
    """Return a function that creates empty files below the folder it returns: names alone are read."""

    def create(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return create


def test_table_has_the_documented_columns_and_labels(tree):
    clips, quarantined = read_corpus("ravdess", tree("ravdess/Actor_12/03-01-06-01-02-01-12.wav"))
    assert list(clips.columns) == COLUMNS
    assert quarantined.empty
    assert clips.iloc[0].to_dict() == {
        "clip": "ravdess/03-01-06-01-02-01-12",
        "corpus": "ravdess",
        "speaker": "ravdess:12",
        "sex": "female",
        "age": "",
        "ethnicity": "",
        "emotion": "fear",
        "intensity": "normal",
        "statement": "dogs",
        "language": "en",
        "fold": "",
        "source": "ravdess/Actor_12/03-01-06-01-02-01-12.wav",
    }


def test_unknown_speaker_is_empty_in_the_table(tree):
    clips, _ = read_corpus("mine", tree("mine/happy/a.wav", "mine/happy/anna/a.wav", "mine/sad/b.wav"))
    assert dict(zip(clips["clip"], clips["speaker"], strict=True)) == {
        "mine/happy/a": "",
        "mine/happy/anna/a": "mine:anna",
        "mine/sad/b": "",
    }


def test_second_file_of_the_same_name_is_quarantined(tree):
    raw = tree("emodb/wav/03a01Fa.wav", "emodb/wav/03a01Fa.flac", "emodb/wav/03a01Wa.wav")
    clips, quarantined = read_corpus("emodb", raw)
    assert list(clips["source"]) == ["emodb/wav/03a01Fa.flac", "emodb/wav/03a01Wa.wav"]
    (row,) = quarantined.to_dict("records")
    assert row == {
        "clip": "emodb/wav/03a01Fa.wav",
        "corpus": "emodb",
        "source": "emodb/wav/03a01Fa.wav",
        "reason": "another file of the same name has been read: emodb/wav/03a01Fa.flac",
        "readable": True,
    }


def test_of_two_formats_the_lossless_one_is_read(tree):
    raw = tree("cremad/AudioMP3/1001_DFA_ANG_XX.mp3", "cremad/AudioWAV/1001_DFA_ANG_XX.wav")
    clips, _ = read_corpus("cremad", raw)
    assert list(clips["source"]) == ["cremad/AudioWAV/1001_DFA_ANG_XX.wav"]


def test_file_with_a_useless_name_is_quarantined_with_its_reason(tree):
    raw = tree("ravdess/Actor_02/03-01-05-01-01-01-02.wav", "ravdess/Actor_05/03-01-05-01-01-01-02.wav")
    clips, quarantined = read_corpus("ravdess", raw)
    assert list(clips["source"]) == ["ravdess/Actor_02/03-01-05-01-01-01-02.wav"]
    assert list(quarantined["source"]) == ["ravdess/Actor_05/03-01-05-01-01-01-02.wav"]
    assert "actor 02" in quarantined["reason"][0]


def test_useless_name_does_not_stand_in_the_way_of_the_good_one(tree):
    """The clip of Actor_02 must be read although a misfiled file of the same stem comes before it."""
    raw = tree("ravdess/Actor_01/03-01-05-01-01-01-02.wav", "ravdess/Actor_02/03-01-05-01-01-01-02.wav")
    clips, _ = read_corpus("ravdess", raw)
    assert list(clips["speaker"]) == ["ravdess:02"]


def test_hidden_files_other_files_and_what_macos_adds_are_passed_over(tree):
    raw = tree(
        "emodb/wav/03a01Fa.wav",
        "emodb/wav/._03a01Fa.wav",
        "emodb/.cache/03a01Wa.wav",
        "emodb/__MACOSX/wav/03a01Na.wav",
        "emodb/wav/03a01Ta.txt",
        "emodb/erkennung.txt",
    )
    (raw / "emodb/wav/03a01La.wav").mkdir()  # a folder, whatever it is called
    clips, quarantined = read_corpus("emodb", raw)
    assert list(clips["source"]) == ["emodb/wav/03a01Fa.wav"]
    assert quarantined.empty


def test_corpus_below_a_hidden_folder_is_read(tree):
    raw = tree(".hidden/emodb/wav/03a01Fa.wav") / ".hidden"
    assert len(read_corpus("emodb", raw)[0]) == 1


def test_suffixes_in_capitals_are_audio_too(tree):
    clips, _ = read_corpus("emodb", tree("emodb/03a01Fa.WAV", "emodb/03a01Wa.Flac"))
    assert list(clips["clip"]) == ["emodb/03a01Fa", "emodb/03a01Wa"]


def test_folder_without_audio_is_an_error_that_names_it(tree):
    raw = tree("emodb/readme.txt")
    with pytest.raises(InputError, match=r"corpus emodb: no audio file \(.wav, .*\) in .*emodb"):
        read_corpus("emodb", raw)


def test_missing_folder_is_an_error_that_names_the_remedy(tmp_path):
    with pytest.raises(
        InputError, match=r"corpus tess: no folder, .* \(there: nothing\).*prepare\.corpora or raw\.path"
    ):
        read_corpus("tess", tmp_path)


def test_corpus_of_which_every_name_is_useless_gives_an_empty_table(tree):
    clips, quarantined = read_corpus("tess", tree("tess/a.wav", "tess/b.wav"))
    assert clips.empty
    assert list(clips.columns) == COLUMNS
    assert len(quarantined) == 2


def test_a_published_name_is_one_clip_however_its_folders_are_arranged(tree):
    clips, quarantined = read_corpus("cremad", tree("cremad/x/1001_DFA_ANG_XX.wav", "cremad/y/1001_DFA_ANG_XX.wav"))
    assert list(clips["clip"]) == ["cremad/1001_DFA_ANG_XX"]
    assert len(quarantined) == 1


def test_same_name_in_two_folders_of_ones_own_is_two_clips(tree):
    clips, _ = read_corpus("mine", tree("mine/anger/1.wav", "mine/fear/1.wav"))
    assert list(clips["clip"]) == ["mine/anger/1", "mine/fear/1"]


def test_a_known_corpus_sorted_by_emotion_is_read_and_misfiled_clips_are_found(tree):
    raw = tree("ravdess/angry/03-01-05-01-01-01-02.wav", "ravdess/sad/03-01-03-01-01-01-02.wav")
    clips, quarantined = read_corpus("ravdess", raw)
    assert list(clips["clip"]) == ["ravdess/03-01-05-01-01-01-02"]
    assert list(quarantined["reason"]) == ["the name says happiness, the folder sad"]


def test_every_folder_above_a_known_clip_is_asked_for_its_emotion(tree):
    clips, quarantined = read_corpus("ravdess", tree("ravdess/angry/Actor_05/03-01-03-01-01-01-05.wav"))
    assert clips.empty
    assert list(quarantined["reason"]) == ["the name says happiness, the folder angry"]


def test_formats_that_are_not_read_are_said_and_not_passed_over(tree):
    raw = tree("mine/anger/a.wav", "mine/fear/b.wav", "mine/more.rar", "mine/more.tar.xz")
    tree("mine/fear/book.AAX", "mine/fear/call.vox", "mine/fear/memo.ds2", "mine/fear/x.qcp")
    _, quarantined = read_corpus("mine", raw)
    assert dict(zip(quarantined["source"], quarantined["reason"], strict=True)) == {
        "mine/fear/book.AAX": "encrypted by who sold it, so that nobody else decodes it: record or buy it without",
        "mine/fear/call.vox": "samples without a header, so that nothing says their rate and encoding: "
        "convert it to WAV or FLAC",
        "mine/fear/memo.ds2": "DS2 of dictation machines, which only their makers' programs decode: "
        "convert it to WAV with these",
        "mine/fear/x.qcp": "no format that is read: convert it to WAV or FLAC",
        "mine/more.rar": "no archive that is read (.zip, .tar, .tar.gz, .tgz): unpack it",
        "mine/more.tar.xz": "no archive that is read (.zip, .tar, .tar.gz, .tgz): unpack it",
    }
    assert not quarantined["readable"].any()


def test_recordings_of_phones_browsers_and_old_machines_are_clips(tree):
    suffixes = ["m4a", "MP4", "webm", "amr", "3gp", "aac", "wma", "mp2", "mpga", "mkv", "opus", "weba", "au"]
    raw = tree(*(f"mine/anger/{suffix}.{suffix}" for suffix in suffixes))
    clips, quarantined = read_corpus("mine", raw)
    assert set(clips["clip"]) == {f"mine/anger/{suffix}" for suffix in suffixes}
    assert quarantined.empty


@pytest.mark.parametrize("suffix", ["m4a", "webm", "amr", "mp2", "wma", "mkv", "spx", "dat"])
def test_of_two_files_of_one_name_the_lossless_one_is_read_whatever_the_other_is(suffix, tree):
    raw = tree("mine/anger/1.wav", "mine/fear/2.flac")
    for name in (f"mine/anger/1.{suffix}", f"mine/fear/2.{suffix}"):
        (raw / name).write_bytes(OGG)
    clips, quarantined = read_corpus("mine", raw)
    assert list(clips["source"]) == ["mine/anger/1.wav", "mine/fear/2.flac"]
    assert list(quarantined["source"]) == [f"mine/anger/1.{suffix}", f"mine/fear/2.{suffix}"]


OGG = b"OggS" + bytes(60)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)
STRAY = {
    "anger/PTT-20240101-WA0001": OGG,  # as messengers and browsers leave them
    "anger/Memo 2024-01-01 10.30.15": WAV,
    "fear/blob.tmp": b"fLaC" + bytes(40),
    "fear/voice.dat": b"ID3\x04" + bytes(40),
    "fear/call.raw": WAV,
    "fear/call.pcm": b"\x01\x00\x02\x00" * 9,
    "fear/table.dat": b"path emotion\n",
    "fear/README": "über\n".encode("utf-16"),
    "fear/notes.txt": OGG,
    "fear/.hidden": OGG,
}
TAKEN = {
    "mine/anger/PTT-20240101-WA0001": "mine/anger/PTT-20240101-WA0001",
    "mine/anger/Memo 2024-01-01 10.30.15": "mine/anger/Memo 2024-01-01 10.30.15",
    "mine/fear/blob": "mine/fear/blob.tmp",
    "mine/fear/voice": "mine/fear/voice.dat",
    "mine/fear/call": "mine/fear/call.raw",
}


def test_a_file_whose_name_says_nothing_is_a_clip_if_it_begins_as_audio(tmp_path):
    for name, content in STRAY.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(content)
    clips, quarantined = read_corpus("mine", tmp_path)
    assert dict(zip(clips["clip"], clips["source"], strict=True)) == TAKEN
    assert list(quarantined["source"]) == ["mine/fear/call.pcm"]
    assert {path.relative_to(tmp_path).as_posix() for path in audio_files(tmp_path)} == {
        *clips["source"],
        *quarantined["source"],
    }


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz"])
def test_so_it_is_in_an_archive(kind, tmp_path):
    pack(tmp_path / f"mine{kind}", STRAY)
    clips, quarantined = read_corpus("mine", tmp_path)
    assert dict(zip(clips["clip"], clips["source"].str.replace(f"mine{kind}", "mine"), strict=True)) == TAKEN
    assert list(quarantined["source"]) == [f"mine{kind}/fear/call.pcm"]


def test_a_row_of_a_table_may_name_any_file(tree):
    raw = tree("clips/a", "clips/b.txt", "clips/c.pcm", "clips/take 1.5")
    (raw / "clips/d.pcm").write_bytes(WAV)
    rows = "".join(f"clips/{name},anger\n" for name in ("a", "b.txt", "c.pcm", "d.pcm", "take 1.5"))
    (raw / "mine.csv").write_text("path,emotion\n" + rows)
    clips, quarantined = read_corpus("mine", raw)
    assert list(clips["clip"]) == ["mine/a", "mine/b", "mine/d", "mine/take 1.5"]
    assert list(quarantined["source"]) == ["clips/c.pcm"]


def test_an_archive_in_an_archive_is_said(tmp_path):
    pack(tmp_path / "ravdess.zip", {"Audio_Speech.zip": b"x", "03-01-05-01-01-01-02.wav": b"y"})
    _, quarantined = read_corpus("ravdess", tmp_path)
    assert list(quarantined["reason"]) == ["an archive inside an archive: unpack the outer one"]


def test_a_stray_file_beside_the_emotions_does_not_hide_them(tree):
    clips, quarantined = read_corpus("mine", tree("mine/intro.mp3", "mine/speech/anger/1.wav", "mine/speech/sad/1.wav"))
    assert list(clips["clip"]) == ["mine/anger/1", "mine/sad/1"]
    assert list(quarantined["source"]) == ["mine/intro.mp3"]


def test_folders_around_the_emotions_say_nothing(tree):
    clips, quarantined = read_corpus("mine", tree("mine/v1/wav/anger/1.wav", "mine/v1/wav/fear/anna/1.wav"))
    assert list(clips["clip"]) == ["mine/anger/1", "mine/fear/anna/1"]
    assert quarantined.empty


def test_a_broken_side_table_is_one_line(tree):
    raw = tree("cremad/AudioWAV/1001_DFA_ANG_XX.wav", "cremad/VideoDemographics.csv")
    with pytest.raises(InputError, match="VideoDemographics.csv: .*; mend it, or take it away"):
        read_corpus("cremad", raw)


def test_a_side_table_that_is_damaged_in_its_archive_is_one_line(tmp_path):
    path = pack(tmp_path / "cremad.zip", {"1001_DFA_ANG_XX.wav": b"", "VideoDemographics.csv": b"ActorID" * 99})
    content = bytearray(path.read_bytes())
    content[content.index(b"VideoDemographics.csv") + 25] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match="VideoDemographics.csv: damaged inside its archive"):
        read_corpus("cremad", tmp_path)


def test_the_side_table_of_an_archive_is_read(tmp_path):
    table = b"ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n"
    pack(tmp_path / "cremad.zip", {"CREMA-D/AudioWAV/1001_DFA_ANG_XX.wav": b"", "CREMA-D/VideoDemographics.csv": table})
    (clip,) = read_corpus("cremad", tmp_path)[0].to_dict("records")
    assert (clip["sex"], clip["age"], clip["ethnicity"]) == ("male", "51", "Caucasian, Not Hispanic")


def test_names_in_other_alphabets_with_spaces_and_dots_are_kept(tree):
    raw = tree("meins/Angry/Jörg Ü./wütend 1.0.wav", "meins/happy/北京/快乐.wav", "meins/sad/Ольга/грусть.wav")
    clips, quarantined = read_corpus("meins", raw)
    assert quarantined.empty
    assert set(clips["speaker"]) == {"meins:Jörg Ü.", "meins:北京", "meins:Ольга"}
    assert "meins/Angry/Jörg Ü./wütend 1.0" in set(clips["clip"])
    assert all((raw / source).is_file() for source in clips["source"])


def test_files_are_listed_in_order_whatever_order_the_disk_keeps_them_in(tree):
    names = [f"{folder}/{number:03d}.{suffix}" for number in range(50, 0, -1) for folder in "ba" for suffix in SUFFIXES]
    raw = tree(*names)
    (raw / "a/folder.wav").mkdir()
    assert [path.relative_to(raw).as_posix() for path, why in audio_files(raw).items() if not why] == sorted(names)


@settings(max_examples=20, deadline=None, database=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["happy", "sad", "angry", "wav"]),
            st.sampled_from(["", "a/", "B/", "a b/"]),
            st.text("abAB-_ é", min_size=1, max_size=4).filter(lambda stem: not stem.endswith(" ")),
            st.sampled_from([".wav", ".flac", ".WAV"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_file_is_in_the_sorted_table_once_or_in_quarantine(tmp_path_factory, files):
    raw = tmp_path_factory.mktemp("raw")
    names = {f"own/{folder}/{speaker}{stem}{suffix}" for folder, speaker, stem, suffix in files}
    for name in names:
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).touch()
    try:
        clips, quarantined = read_corpus("own", raw)
    except InputError as error:
        assert "say which by prepare.pattern" in str(error)  # no word for an emotion, or two
        return
    assert list(clips["clip"]) == sorted(set(clips["clip"]))
    assert sorted([*clips["source"], *quarantined["source"]]) == sorted(names)
    assert read_corpus("own", raw)[0].equals(clips)


# --- the corpora as they are published


@pytest.fixture
def real():
    if not REAL.is_dir():
        pytest.skip(f"the real corpora are not at {REAL}")
    return REAL


def test_real_ravdess_has_one_misfiled_clip_and_sixty_of_each_actor(real):
    clips, quarantined = read_corpus("ravdess", real)
    assert list(quarantined["source"]) == [REFUSED]
    assert len(clips) == 960
    assert clips["clip"].is_unique
    assert set(clips.groupby("speaker").size()) == {60}
    per_emotion = clips.groupby(["speaker", "emotion"]).size().unstack()
    assert (per_emotion.pop("neutral") == 4).all()  # spoken with normal intensity only
    assert (per_emotion == 8).all(axis=None)


def test_real_emodb_has_the_published_counts(real):
    clips, quarantined = read_corpus("emodb", real)
    assert quarantined.empty
    assert len(clips) == 535
    assert clips["emotion"].value_counts().to_dict() == {
        "anger": 127,
        "boredom": 81,
        "neutral": 79,
        "happiness": 71,
        "fear": 69,
        "sadness": 62,
        "disgust": 46,
    }
    assert clips["speaker"].nunique() == 10
    assert clips["statement"].nunique() == 10
