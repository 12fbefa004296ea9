"""Layouts that the user states as a pattern."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser.naming.patterns import FIELDS, parse_pattern


def read(pattern, path):
    return parse_pattern(pattern).read(PurePosixPath(path))


@pytest.mark.parametrize(
    ("pattern", "path", "values"),
    [
        ("{speaker}_{emotion}_{take}", "any/where/anna_angry_01.wav", {"speaker": "anna", "emotion": "angry"}),
        ("{speaker}_{emotion}_{_}", "01_02_03.mp3", {"speaker": "01", "emotion": "02"}),
        ("{emotion}/{speaker}-{_}", "x/sad/b-7.flac", {"speaker": "b", "emotion": "sad"}),
        ("{emotion}/{_}", "sad/a.b.c.wav", {"emotion": "sad"}),
        ("{emotion}", "a/b/sad.wav", {"emotion": "sad"}),
        ("{speaker}/{emotion}/{speaker}_{_}", "0011/Sad/0011_1.wav", {"speaker": "0011", "emotion": "Sad"}),
        ("spk{speaker} ({emotion})", "spk7 (愤怒).wav", {"speaker": "7", "emotion": "愤怒"}),
        ("{sex}_{fold}_{emotion}", "F_test_sad.wav", {"sex": "female", "fold": "0", "emotion": "sad"}),
        ("{fold}_{emotion}", "03_sad.wav", {"fold": "03", "emotion": "sad"}),
        ("{emotion}_{speaker}", "sad_Jose\u0301.wav", {"emotion": "sad", "speaker": "Jos\u00e9"}),
    ],
)
def test_fields_of_a_pattern(pattern, path, values):
    assert read(pattern, path) == values


@pytest.mark.parametrize(
    ("pattern", "path", "reason"),
    [
        ("{speaker}_{emotion}_{take}", "anna_maria_angry_01.wav", "several ways"),
        ("{speaker}_{emotion}", "__a__.wav", "several ways"),
        ("{speaker}_{emotion}_{take}", "anna_angry.wav", "does not fit"),
        ("{speaker}_{emotion}", "_a.wav", "does not fit"),
        ("{speaker}/{emotion}/{speaker}_{_}", "0011/Sad/0012_1.wav", "'0011' and '0012'"),
        ("{_}/{emotion}", "sad.wav", "fewer folders"),
        ("{fold}_{emotion}", "x_sad.wav", "no number"),
        ("{speaker}_{emotion}", "a_ .wav", "empty"),
    ],
)
def test_files_that_do_not_fit_have_a_reason(pattern, path, reason):
    said = read(pattern, path)
    assert isinstance(said, str) and reason in said


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{speaker}_{mood}", "emotion, speaker"),
        ("{speaker}_{_}", "no field {emotion}"),
        ("{speaker}{emotion}", "where {speaker} ends"),
        ("{speaker}_{emotion", "brace"),
        ("{path}_{emotion}", "{path}"),
        ("/{emotion}", "/"),
        ("{emotion}_{_}.wav", "suffix"),
        ("", "pattern"),
    ],
)
def test_patterns_that_cannot_be(pattern, said):
    with pytest.raises(ValueError) as error:
        parse_pattern(pattern)
    assert said in str(error.value)


def ways(stem, names, texts):
    """Count the ways to read a stem, letter by letter: the definition."""
    if not names:
        return int(stem == texts[0])
    if not stem.startswith(texts[0]):
        return 0
    rest, count = stem[len(texts[0]) :], 0
    for end in range(1, len(rest) + 1):
        count += ways(rest[end:], names[1:], texts[1:])
    return count


SHORT = st.text(alphabet="ab_", min_size=1, max_size=2)


@given(st.text(alphabet="ab_", max_size=9), st.lists(SHORT, min_size=1, max_size=3), st.sampled_from(["", "a", "_b"]))
def test_a_file_is_read_if_there_is_just_one_way(stem, between, end):
    names = ["emotion", "speaker", "language", "statement"][: len(between) + 1]
    texts = ["", *between, end]
    pattern = "".join(f"{text}{{{name}}}" for text, name in zip(texts, names, strict=False)) + end
    found = read(pattern, f"x/{stem or 'a'}.wav")
    count = ways(stem or "a", names, texts)
    assert isinstance(found, dict) == (count == 1)
    assert count < 2 or "several ways" in found


def test_a_hostile_name_takes_no_time():
    pattern = "_".join(f"{{{name}}}" for name in FIELDS)
    assert "several ways" in read(pattern, "_" * 100_000 + ".wav")
