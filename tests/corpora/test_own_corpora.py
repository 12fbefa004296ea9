"""Corpora of one's own: what people report that was read wrongly or not at all, and its neighbours."""

import unicodedata
from pathlib import Path

import pytest

from archive_files import pack
from made_corpus import decomposed, made_clips, tree, wav, write
from ser.audit.survey import list_files
from ser.corpora.corpus_entries import list_corpus
from ser.corpora.known_corpora import KNOWN, recognise
from ser.errors import InputError
from ser.folds.split_schemes import assign_parts, shared_between_parts
from ser.settings.all_sections import load_params

PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")
PUBLISHED = {  # names as their owners have them, under other names of the folder
    "Crema": ("cremad", ["CREMA-D-master/AudioWAV/1001_DFA_ANG_XX.wav", "CREMA-D-master/AudioWAV/1002_IEO_SAD_HI.wav"]),
    "nemo_pl": ("nemo", ["samples/WR0_surprised_64.wav", "samples/EB0_anger_1.wav"]),
    "turev": ("turevdb", ["Sound Source/Angry/1234_kz_acik.wav", "Sound Source/Calm/1157_sk_bugu.wav"]),
    "berlin": ("emodb", ["wav/03a01Fa.wav", "wav/16b10Wb.wav"]),
    "actors": ("ravdess", ["Actor_01/03-01-05-01-01-01-01.wav", "Actor_02/03-01-01-01-01-01-02.wav"]),
}


def listed(raw, *corpora, **changes):
    """Return the table of the stage prepare, and the lines that it prints on how corpora were read."""
    lines = []
    settings = PARAMS.prepare.model_copy(update={"corpora": list(corpora)} | changes)
    return list_files(raw, settings, PARAMS.demo, say=lines.append), lines


def touch(raw, *names):
    write(raw, dict.fromkeys(names, b""))


# --- known corpora under other names


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("kind", ["", ".zip"])
def test_a_known_corpus_is_recognised_by_the_names_of_its_files(name, kind, tmp_path):
    known, files = PUBLISHED[name]
    content = dict.fromkeys(files, b"")
    if kind:
        pack(tmp_path / f"{name}{kind}", content)
    else:
        write(tmp_path / name, content)
    clips, unusable, note = list_corpus(name, tmp_path)
    assert set(clips["corpus"]) == {known} and len(clips) == len(files) and unusable.empty
    assert note.startswith(f"{name}: read as {known}, by the names of its files; {len(files)} clips")


def test_a_stranger_among_them_is_in_the_quarantine(tmp_path):
    files = [f"1001_{sentence}_ANG_XX.wav" for sentence in ("DFA", "ITS", "TAI", "TIE", "WSI")]
    touch(tmp_path / "Crema", *files, "notes to self.wav")
    clips, unusable, _ = list_corpus("Crema", tmp_path)
    assert len(clips) == 5 and list(unusable["source"]) == ["Crema/notes to self.wav"]


def test_no_published_name_is_of_two_corpora():
    for known, files in PUBLISHED.values():
        assert recognise([Path(file) for file in files]) == [known]


def test_names_of_two_corpora_are_asked_about(tmp_path, monkeypatch):
    monkeypatch.setitem(KNOWN, "another", KNOWN["emodb"])
    touch(tmp_path / "berlin", "03a01Fa.wav")
    with pytest.raises(InputError, match="^corpus berlin: its files are named as those of emodb and another are"):
        list_corpus("berlin", tmp_path)


def test_one_corpus_under_two_names_is_there_twice(tmp_path):
    touch(tmp_path, "Crema/1001_DFA_ANG_XX.wav", "cremad/1001_DFA_SAD_XX.wav")
    with pytest.raises(InputError, match="names the corpus cremad twice"):
        listed(tmp_path, "Crema", "cremad")


@pytest.mark.parametrize("name", ["ravdess", "EMO-DB"])
def test_what_is_missing_of_a_known_corpus_is_said_with_the_command(name, tmp_path):
    key = name.lower().replace("-", "")
    with pytest.raises(InputError, match=f"make corpus NAME={key}"):
        list_corpus(name, tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"no audio file .*make corpus NAME={key}"):
        list_corpus(name, tmp_path)


# --- labels


def test_iemocap_codes_are_emotions_and_rename_merges_them(tmp_path):
    codes = ["ang", "exc", "fru", "hap", "neu", "sad", "sur", "xxx"]
    touch(tmp_path, *(f"clips/{code}.wav" for code in codes))
    write(tmp_path, {"mine.csv": "path,emotion\n" + "".join(f"clips/{code}.wav,{code}\n" for code in codes)})
    files, (line,) = listed(tmp_path, "mine", rename={"exc": "happiness", "fru": "anger"})
    found = dict(zip(files["source"], files["emotion"], strict=True))
    assert [found[f"clips/{code}.wav"] for code in codes[:7]] == [
        *("anger", "happiness", "anger", "happiness", "neutral", "sadness", "surprise")
    ]
    assert "ang = anger" in line and "xxx is no label" in line
    assert "did not agree" in files.set_index("source").at["clips/xxx.wav", "reason"]


def test_letters_of_two_schemes_stay_letters_and_are_said(tmp_path):
    touch(tmp_path / "mine", *(f"{letter}/{number}.wav" for letter in "AFN" for number in range(3)))
    files, lines = listed(tmp_path, "mine")
    assert set(files["emotion"]) == {"A", "F", "N"}
    assert "prepare.rename says what they mean" in lines[0]


def test_rename_takes_words_as_they_are_written_or_read_in_any_spelling(tmp_path):
    touch(tmp_path / "mine", *(f"{label}/{n}.wav" for label in ("Angry", "NEŞELİ", "so so", "sad") for n in range(3)))
    rename = {"anger": "sadness", "sad": "anger", "neşeli": "joy", "SO_SO": "neutral", "absent": "x"}
    files, lines = listed(tmp_path, "mine", rename=rename)
    found = dict(zip(files["source"].str.split("/").str[1], files["emotion"], strict=True))
    assert found == {"Angry": "sadness", "sad": "anger", "NEŞELİ": "joy", "so so": "neutral"}  # no chains
    assert lines[-1] == "prepare.rename: no clip is called absent"


def test_a_label_is_one_in_all_corpora_whatever_its_case(tmp_path):
    touch(tmp_path, "one/Frustrated/1.wav", "one/angry/1.wav", "two/frustrated/2.wav", "two/ANGER/2.wav")
    files, _ = listed(tmp_path, "one", "two")
    assert set(files["emotion"]) == {"frustrated", "anger"}


def test_an_emotion_that_no_clip_shows_is_an_error(tmp_path):
    touch(tmp_path / "mine", "angry/1.wav", "sad/1.wav")
    assert set(listed(tmp_path, "mine", emotions=["ANGER"])[0]["wanted"]) == {True, False}
    with pytest.raises(InputError, match="prepare.emotions names angr, which no clip shows; there are anger, sadness"):
        listed(tmp_path, "mine", emotions=["angr"])


# --- people


def test_a_speaker_in_two_unicode_forms_is_one_person(tmp_path):
    """Zoë sat in training and test, with split saying that nobody does."""
    clips = [clip for clip in made_clips() if clip.speaker in ("Zoë", "José", "Ana", "007")]
    write(tmp_path / "mine", tree(clips[::2], "{emotion}/{speaker}/{take}.wav"))
    write(tmp_path / "mine", decomposed(tree(clips[1::2], "{emotion}/{speaker}/{take}.wav")))
    files, _ = listed(tmp_path, "mine")
    assert sorted(files["speaker"].unique()) == ["mine:007", "mine:Ana", "mine:José", "mine:Zoë"]
    table = files.assign(seconds=1.0, audio=files["clip"])
    parts = assign_parts(table.drop(columns="fold"), PARAMS.split.model_copy(update={"folds": 3}))
    assert shared_between_parts(table, parts, table["audio"]).empty
    who = table["speaker"].map(lambda name: unicodedata.normalize("NFD", name))
    assert shared_between_parts(table.assign(speaker=who), parts, table["audio"]).empty


def test_names_that_look_like_nothing_are_people(tmp_path):
    names = ["NA", "None", "null", "007", "1e5", "N/A"]
    touch(tmp_path, *(f"{number}.wav" for number in range(len(names))))
    rows = "".join(f"{number}.wav,anger,{name}\n" for number, name in enumerate(names))
    write(tmp_path, {"mine.csv": "path,emotion,speaker\n" + rows})
    files, (line,) = listed(tmp_path, "mine")
    assert sorted(files["speaker"]) == sorted(f"mine:{name}" for name in names)
    assert "taken as names of the speaker: N/A (1), NA (1), None (1), null (1)" in line


# --- tables beside files


def test_a_table_in_the_folder_is_read_and_what_it_does_not_list_is_said(tmp_path):
    touch(tmp_path / "mine", "wav/a.wav", "wav/b.wav", "wav/c.wav", "readme.txt")
    write(tmp_path / "mine", {"meta/labels.csv": "file,label,speaker\na,happy,ann\nb.wav,tired,ben\nd.wav,sad,x\n"})
    files, (line,) = listed(tmp_path, "mine")
    assert line.startswith("mine: read as meta/labels.csv says; ") and "2 clips, 2 speakers" in line
    reasons = dict(zip(files["source"], files["reason"], strict=True))
    assert reasons["mine/wav/c.wav"] == "meta/labels.csv does not name it"
    assert reasons["meta/d.wav"].endswith("there is no such file")
    assert [reasons[f"mine/wav/{name}.wav"] for name in "ab"] == ["", ""]


def test_a_row_is_not_given_to_another_file_of_the_same_name(tmp_path):
    touch(tmp_path / "mine", "x/a.wav", "y/a.wav")
    write(tmp_path / "mine", {"labels.csv": "path,emotion\nx/a.wav,anger\nz/a.wav,fear\n"})
    files, _ = listed(tmp_path, "mine")
    assert dict(zip(files["source"], files["emotion"], strict=True))["mine/x/a.wav"] == "anger"
    assert not files.loc[files["emotion"] == "fear", "reason"].eq("").any()


def test_two_tables_that_contradict_each_other_are_both_refused(tmp_path):
    touch(tmp_path / "mine", "a.wav", "b.wav")
    write(tmp_path / "mine", {"new.csv": "path,emotion\na.wav,anger\nb.wav,fear\n"})
    write(tmp_path / "mine", {"old.csv": "path,emotion\na.wav,anger\nb.wav,sadness\n"})
    files, _ = listed(tmp_path, "mine")
    reasons = dict(zip(files["source"], files["reason"], strict=True))
    assert reasons["mine/a.wav"] == "" and "state another emotion of it" in reasons["mine/b.wav"]


def test_a_table_of_all_clips_takes_no_fold_from_that_of_the_test_part(tmp_path):
    touch(tmp_path / "mine", "a.wav", "b.wav")
    write(tmp_path / "mine", {"all.csv": "path,emotion\na.wav,anger\nb.wav,fear\n"})
    write(tmp_path / "mine", {"test.csv": "path,emotion\nb.wav,fear\n", "train.csv": "path,emotion\na.wav,anger\n"})
    files, _ = listed(tmp_path, "mine")
    assert dict(zip(files["clip"], files["fold"], strict=True)) == {"mine/a": "", "mine/b": "0"}


def test_a_table_names_a_file_in_another_unicode_form_than_the_disk(tmp_path):
    write(tmp_path, {unicodedata.normalize("NFD", "Zoë/née.wav"): wav(made_clips()[0].samples)})
    write(tmp_path, {"mine.csv": "path,emotion\nZoë/née.wav,anger\n"})
    files, _ = listed(tmp_path, "mine")
    assert (tmp_path / files["source"][0]).is_file() and files["clip"][0] == "mine/née"


# --- layouts


def test_speaker_then_emotion_is_read(tmp_path):
    names = [f"{speaker}/{emotion}/{speaker}_{number:06d}.wav" for speaker in ("0011", "0012")
             for number, emotion in ((351, "Angry"), (1051, "Sad"))]  # fmt: skip
    touch(tmp_path / "ESD", *names)
    files, (line,) = listed(tmp_path, "ESD")
    assert dict(files.groupby("speaker").size()) == {"ESD:0011": 2, "ESD:0012": 2}
    assert set(files["emotion"]) == {"anger", "sadness"} and "<speaker>/<emotion>" in line
    assert "2 speakers, 2 emotions (anger, sadness)" in line


def test_a_pattern_that_is_wrong_stops_with_its_key(tmp_path):
    touch(tmp_path / "mine", "a_angry_1.wav")
    with pytest.raises(InputError, match="corpus mine: prepare.pattern: .* has no field {emotion}"):
        listed(tmp_path, "mine", pattern="{speaker}_{_}")


def test_a_pattern_reads_what_cannot_be_told_apart(tmp_path):
    touch(tmp_path / "mine", *(f"{who}_{what}_{take}.wav" for who in "01" for what in "23" for take in "45"))
    with pytest.raises(InputError, match="prepare.pattern"):
        listed(tmp_path, "mine")
    files, _ = listed(tmp_path, "mine", pattern={"mine": "{speaker}_{emotion}_{take}"})
    assert set(files["speaker"]) == {"mine:0", "mine:1"} and set(files["emotion"]) == {"2", "3"}


def test_one_speaker_a_label_is_a_speaker_all_the_same(tmp_path):
    names = ("1.wav", "old.mp2", "phone.m4a", "phone2.mp4", "x.mpga")
    touch(tmp_path / "mine", *(f"{folder}/{name}" for folder in ("anger/s01", "sadness/s02") for name in names))
    files, (line,) = listed(tmp_path, "mine")
    assert "read as <emotion>/<speaker>/<file>" in line and set(files["speaker"]) == {"mine:s01", "mine:s02"}
