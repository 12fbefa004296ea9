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
    ("content", "reason"),
    [
        ("path,speaker\na,b\n", "needs the columns file and speaker"),
        ("", "no CSV table that can be read"),
        ("file,speaker\nanna/1.wav,a\nanna/2.wav,a\n", r"names no speaker for 1 files \(first: recordings/ben/1.wav\)"),
        ("file,speaker\nanna/1.wav,a\nanna/1.wav,b\n", "names two speakers for .*anna/1.wav"),
        ("file,speaker\nanna/1.wav,\nanna/2.wav,a\nben/1.wav,b\n", r"names no speaker for 1 files \(first: .*anna/1"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(content, reason):
    with pytest.raises(InputError, match=reason):
        speakers_of_files(FILES, table(content))


def test_a_missing_table_is_named():
    with pytest.raises(InputError, match="--speakers none.csv: no CSV table"):
        speakers_of_files(FILES, Path("none.csv"))
