"""Folders that hold several corpora, or labels in a form that is not read: the run stops and says so."""

import zipfile

import pytest

from conftest import ROOT
from ser.audit.survey import list_files
from ser.corpora.corpus_entries import list_corpus
from ser.errors import InputError
from ser.settings.all_sections import load_params

PARAMS = load_params(ROOT / "params.yaml")
CODES = ("ANG", "DIS", "FEA", "HAP", "SAD")
CREMAD = [f"AudioWAV/{actor}_IEO_{code}_HI.wav" for actor in (1001, 1002) for code in CODES]
CREMAD += [f"AudioWAV/{actor}_IEO_NEU_XX.wav" for actor in (1001, 1002)]
SAVEE = [f"ALL/{actor}_{code}{n:02d}.wav" for actor in ("DC", "JE", "KL") for code in ("a", "sa") for n in (1, 2)]
OWN = [f"{emotion}/{n}.wav" for emotion in ("angry", "sad") for n in range(8)]


def write(folder, *paths):
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"RIFF")


def refusal(raw, name="mine"):
    with pytest.raises(InputError) as error:
        list_corpus(name, raw)
    return str(error.value)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"Crema": CREMAD, "Savee": SAVEE}, "Crema (cremad), Savee (savee)"),  # as on Kaggle
        ({"all/Crema": CREMAD, "all/mine": OWN}, "all/Crema (cremad)"),
    ],
)
def test_known_corpora_in_one_folder_are_named_and_not_taken_for_emotions(held, said, tmp_path):
    for folder, paths in held.items():
        write(tmp_path / "mine" / folder, *paths)
    assert said in refusal(tmp_path) and "prepare.corpora" in refusal(tmp_path)


def test_a_table_of_known_corpora_in_one_folder_is_read(tmp_path):
    write(tmp_path / "mine", *(f"Crema/{path}" for path in CREMAD), *(f"Savee/{path}" for path in SAVEE))
    rows = [f"Crema/{path},word{n % 3}" for n, path in enumerate(CREMAD)]
    (tmp_path / "mine/all.csv").write_text("\n".join(["Path,Emotions", *rows]))
    clips, unusable, note = list_corpus("mine", tmp_path)
    assert set(clips["emotion"]) == {"word0", "word1", "word2"} and len(unusable) == len(SAVEE)
    assert note.startswith("mine: read as all.csv says; all.csv: read Path as path, Emotions as emotion;")


def test_parts_of_a_known_corpus_are_that_corpus(tmp_path):
    write(tmp_path / "mine", *(f"{part}/{path}" for part in ("train", "test") for path in CREMAD))
    assert "read as cremad" in list_corpus("mine", tmp_path).note


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("labels.xlsx", "PK", "labels.xlsx is no table that is read: save it as .csv"),
        ("labels.jsonl", "{}", "labels.jsonl is no table that is read: save it as .csv"),
        ("l.csv", "Name;Gefühl\na1;froh\n", "l.csv has no column path and no emotion, only Name, Gefühl"),
    ],
)
def test_where_names_say_nothing_tables_that_are_not_read_are_named(table, text, said, tmp_path):
    write(tmp_path / "mine", *(f"{letter}{n}.wav" for letter in "ab" for n in range(4)))
    (tmp_path / "mine" / table).write_text(text, encoding="utf-8")
    assert said in refusal(tmp_path)


def test_a_table_with_codes_is_said_to_have_them(tmp_path):
    write(tmp_path, *(f"{n}.wav" for n in range(4)))
    (tmp_path / "mine.csv").write_text("path,emotion\n0.wav,ang\n1.wav,hap\n2.wav,sad\n3.wav,exc\n")
    assert list_corpus("mine", tmp_path).note.startswith("mine: 4 clips, ")


@pytest.mark.parametrize("spellings", [("Anna", "anna"), ("spk01", "Spk01"), ("1", "01")])
def test_one_person_in_two_spellings_is_said(spellings, tmp_path):
    write(tmp_path / "mine", *(f"{e}/{s}/{n}.wav" for e in ("angry", "sad") for s in (*spellings, "zoe") for n in "12"))
    clips, _, note = list_corpus("mine", tmp_path, pattern="{emotion}/{speaker}/{_}")
    assert clips["speaker"].nunique() == 3  # nobody guesses
    assert f"only are taken for several: {' and '.join(sorted(spellings))};" in note


def test_speakers_that_a_table_states_are_not_asked_for(tmp_path):
    paths = [f"{e}/{s}_{n}.wav" for e in ("angry", "sad") for s in ("01", "02") for n in (1, 2, 3)]  # which number?
    write(tmp_path / "mine", *paths)
    assert "who speaks" in refusal(tmp_path)
    rows = [f"{path},Hello,p{path[-7]}" for path in paths]
    (tmp_path / "mine/metadata.csv").write_text("\n".join(["file_name,text,speaker", *rows]))
    clips, _, note = list_corpus("mine", tmp_path)
    assert clips["speaker"].nunique() == 2 and "who speaks is not known" not in note


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("metadata.jsonl", '{"file_name": "angry/0.wav"\n', "not read: metadata.jsonl, line 1: no JSON"),
        ("labels.csv", "id,emotion\n0,sad\n", "not read: labels.csv has no column path, only id, emotion"),
        ("who.csv", "path,speaker\nangry/0.wav,anna\n", "not read: who.csv has no column emotion, only path, speaker"),
    ],
)
def test_tables_that_are_passed_over_beside_names_that_are_read_are_said(table, text, said, tmp_path):
    write(tmp_path / "mine", *OWN)
    (tmp_path / "mine" / table).write_text(text)
    assert said in list_corpus("mine", tmp_path).note


def test_archives_are_folders_of_their_names(tmp_path):
    (tmp_path / "mine").mkdir()
    for emotion in ("angry", "sad"):
        with zipfile.ZipFile(tmp_path / f"mine/{emotion}.zip", "w") as archive:
            for path in (f"{speaker}/{n}.wav" for speaker in ("anna", "ben") for n in "123"):
                archive.writestr(path, b"RIFF")
    write(tmp_path / "mine", *(f"sad/cleo/{n}.wav" for n in "123"))
    clips, _ = list_corpus("mine", tmp_path)[:2]
    assert set(clips["emotion"]) == {"anger", "sadness"}
    assert set(clips["speaker"]) == {"mine:anna", "mine:ben", "mine:cleo"}


def listed(raw, **changes):
    return list_files(raw, PARAMS.prepare.model_copy(update={"corpora": ["mine"]} | changes), PARAMS.demo)


def test_settings_that_contradict_themselves_or_meet_no_corpus_are_refused(tmp_path):
    write(tmp_path / "mine", *OWN)
    with pytest.raises(InputError, match="prepare.rename: Angry and angry are one word, and become x and y"):
        listed(tmp_path, rename={"Angry": "x", "angry": "y"})
    assert set(listed(tmp_path, rename={"Angry": "x", "ANGRY": "X"})["emotion"]) == {"X", "sadness"}
    with pytest.raises(InputError, match="prepare.pattern names mein, which is not in prepare.corpora"):
        listed(tmp_path, pattern={"mein": "{emotion}/{_}"})
    with pytest.raises(InputError, match="prepare.pattern names CREMA-D, whose files"):
        listed(tmp_path, corpora=["mine", "cremad"], pattern={"CREMA-D": "{emotion}/{_}"})
    assert set(listed(tmp_path, pattern={"mine.zip": "{_}/{emotion}"})["emotion"]) == set("01234567")
