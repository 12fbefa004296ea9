"""Who speaks in files that are to be predicted."""

from pathlib import Path

import pytest

from ser.errors import InputError
from ser.prediction.speakers_to_predict import speakers_of_files

FILES = [Path("recordings/anna/1.wav"), Path("recordings/ben/1.wav"), Path("recordings/anna/2.wav")]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table(content: str) -> Path:
    path = Path("recordings/who.csv")
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


def test_a_folder_is_a_speaker():
    assert speakers_of_files(FILES, None) == ["recordings/anna", "recordings/ben", "recordings/anna"]


def test_a_table_names_files_relative_to_itself_or_absolutely(tmp_path):
    absolute = tmp_path / "recordings/ben/1.wav"
    path = table(f"speaker,file\n007,anna/1.wav\nNA,{absolute}\n007,anna/2.wav\n007,anna/2.wav\nx,other.wav\n")
    assert speakers_of_files(FILES, path) == ["007", "NA", "007"]


@pytest.mark.parametrize(
    "content",
    [
        "\ufefffile;speaker\r\nanna\\1.wav;007\r\nben\\1.wav;Zoe\u0308\r\n.\\anna\\2.wav;007\r\n",
        "sep=;\nSpeaker;File\n007;anna/1.wav\nZoë;ben/1.wav\n007;anna/2.wav\n",
        "file\tspeaker\nanna/1.wav\t007\nben/1.wav\tZoë\nanna/2.wav\t007\n",
    ],
)
def test_tables_of_other_programs_are_read(content):
    assert speakers_of_files(FILES, table(content)) == ["007", "Zoë", "007"]


def test_a_file_is_found_in_the_other_unicode_form_and_with_a_backslash_in_its_name():
    names = ["Zoë", "Jose\u0301", "a\\b"]
    files = [Path("recordings", name, "ü.wav") for name in names]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    rows = ["Zoe\u0308/u\u0308.wav,1", "José\\ü.wav,2", "a\\b/ü.wav,3"]
    assert speakers_of_files(files, table("\n".join(["file,speaker", *rows]))) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("path,speaker\na,b\n", "needs the columns file and speaker"),
        ("", "--speakers recordings/who.csv is empty"),
        ("file,speaker,speaker\na,b,c\n", "line 1: the column speaker is there twice"),
        ("file,speaker\na,b,c\n", "who.csv, line 2: 3 values for 2 columns"),
        ('file,speaker\nanna/1.wav,"a\nben/1.wav,b\n', "who.csv, line 2: a quotation mark opens a value"),
        ("file,speaker\nanna/1.wav,a\nanna/2.wav,a\n", r"names no speaker for 1 files \(first: recordings/ben/1.wav\)"),
        ("file,speaker\nanna/1.wav,a\nanna/1.wav,b\n", "names two speakers for .*anna/1.wav"),
        ("file,speaker\nanna/1.wav,\nanna/2.wav,a\nben/1.wav,b\n", r"names no speaker for 1 files \(first: .*anna/1"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(content, reason):
    with pytest.raises(InputError, match=reason):
        speakers_of_files(FILES, table(content))


def test_a_missing_table_is_named():
    with pytest.raises(InputError, match="--speakers none.csv cannot be read: No such file"):
        speakers_of_files(FILES, Path("none.csv"))
