"""Layouts of one's own corpora: what people's folders and names say, and where nobody could tell."""

import itertools
import re
import time
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.naming.layouts import AmbiguousLayoutError, find_layout
from ser.naming.patterns import parse_pattern

EMOTIONS = ["angry", "happy", "sad", "neutral"]
PEOPLE = ["anna", "ben", "José", "Zoë"]
TAKES = range(1, 4)


def paths(form, **values):
    """Return a path for each combination; a form in braces as of `str.format`."""
    return [
        PurePosixPath(form.format(**dict(zip(values, some, strict=True))))
        for some in itertools.product(*values.values())
    ]


def read(files):
    layout = find_layout(files)
    return layout.note, [layout.read(file) for file in files]


def question(files):
    with pytest.raises(AmbiguousLayoutError) as error:
        find_layout(files)
    return str(error.value)


@pytest.mark.parametrize(
    ("form", "shape", "values"),
    [
        ("{e}/{s}/{n}.wav", "<emotion>/<speaker>/<file>", dict(s=PEOPLE)),
        ("{e}/{s}/{n}.wav", "<emotion>/<speaker>/<file>", dict(s=["kjetil", "0815", "a b"])),
        ("mine/wav/{e}/{s}/{n}.wav", "<emotion>/<speaker>/<file>", dict(s=PEOPLE)),
        ("{s}/{e}/{s}_{n:06d}.wav", "<speaker>/<emotion>/<file>", dict(s=["0011", "0012", "0013"])),
        ("{s}/wav/{e}/{n}.wav", "<speaker>/…/<emotion>/<file>", dict(s=PEOPLE)),
        ("{s}_{e}_{n:02d}.wav", "<speaker>_<emotion>_…", dict(s=PEOPLE)),
        ("{e}-{s}-{n}.WAV", "<emotion>_<speaker>_…", dict(s=["F01", "M02", "F03"])),
        ("{s}_{e}_{n}.wav", "<speaker>_<emotion>_…", dict(s=["s01", "s02", "s03"])),
        ("{s} {e} ({n}).mp3", "<speaker>_<emotion>_…", dict(s=["speaker 1", "speaker 2"])),
        ("{s}{e}{n:02d}.wav", "<speaker>_<emotion>_…", dict(s=["spk1", "spk2"])),
        ("{e}/{s}_take{n}.wav", "<emotion>/<speaker>_…", dict(s=PEOPLE)),
        ("{s}/{e}.wav", "<speaker>/<emotion>", dict(s=PEOPLE, n=[1])),
        ("{s}_{e}/{n}.wav", "<speaker>_<emotion>/<file>", dict(s=PEOPLE)),
    ],
)
def test_emotion_and_speaker(form, shape, values):
    values = {"e": EMOTIONS, "n": TAKES} | values
    note, found = read(paths(form, **values))
    assert note == f"read as {shape}"
    expected = itertools.product(*values.values())
    for said, some in zip(found, expected, strict=True):
        truth = dict(zip(values, some, strict=True))
        assert said == {"emotion": truth["e"], "speaker": truth["s"]}


@pytest.mark.parametrize(
    "form", ["{e}/{n}.wav", "{e}_{n:03d}.wav", "{e} ({n}).wav", "{n}{e}.wav", "x/{e}/take {n}.wav"]
)
def test_nobody_is_invented(form):
    note, found = read(paths(form, e=EMOTIONS, n=range(1, 9)))
    assert "who speaks is not known" in note
    assert {said["emotion"] for said in found} == set(EMOTIONS) and all(not said.get("speaker") for said in found)


def test_splits_sexes_languages_and_folds_are_no_speakers():
    note, found = read(paths("{p}/{e}/{n}.wav", p=["train", "val", "test"], e=EMOTIONS, n=TAKES))
    assert note.startswith("read as <fold>/<emotion>/<file>")
    assert {said["fold"] for said in found[: len(found) * 2 // 3]} == {""} and found[-1]["fold"] == "0"
    _, found = read(paths("fold{p}/{e}/{n}.wav", p=[1, 2], e=EMOTIONS, n=TAKES))
    assert {said["fold"] for said in found} == {"1", "2"} and not any("speaker" in said for said in found)
    _, found = read(paths("{x}/{e}/{s}/{n}.wav", x=["F"], e=EMOTIONS, s=["anna", "eva"], n=TAKES)
                    + paths("{x}/{e}/{s}/{n}.wav", x=["M"], e=EMOTIONS, s=["ben", "max"], n=TAKES))  # fmt: skip
    assert {(said["sex"], said["speaker"]) for said in found} == {
        ("female", "anna"), ("female", "eva"), ("male", "ben"), ("male", "max"),
    }  # fmt: skip
    _, found = read(paths("{x}/{s}/{e}/{n}.wav", x=["female", "male"], s=["01", "02"], e=EMOTIONS, n=TAKES))
    assert len({said["speaker"] for said in found}) == 4  # ids that begin anew
    _, found = read(paths("{x}/{s}/{e}/{n}.wav", x=["en"], s=["spk1", "spk2"], e=EMOTIONS, n=TAKES)
                    + paths("{x}/{s}/{e}/{n}.wav", x=["de"], s=["spk3", "spk4"], e=EMOTIONS, n=TAKES))  # fmt: skip
    assert {said["language"] for said in found} == {"en", "de"} and len({said["speaker"] for said in found}) == 4


@pytest.mark.parametrize("level", ["session{n}", "part_{n}", "take {n}", "2024-05-0{n}", "disc{n}"])
def test_sessions_takes_and_days_are_no_speakers(level):
    note, found = read(paths(level + "/{e}/{k}.wav", n=TAKES, e=EMOTIONS, k=TAKES))
    assert "who speaks is not known" in note and not any("speaker" in said for said in found)


@pytest.mark.parametrize(
    "words",
    [["愤怒", "高兴", "悲伤"], ["غضب", "سعادة"], ["गुस्सा", "खुशी"], ["kızgın", "mutlu", "üzgün"], ["Ärger", "Freude"],
     ["satisfied", "dissatisfied"], ["positive", "negative"], ["stressed", "relaxed"], ["ang", "hap", "fru"],
     ["A", "H", "S", "N"], ["W", "L", "E", "A", "F", "T", "N"]],
)  # fmt: skip
def test_words_and_codes_are_found_wherever_they_stand(words):
    for form in ("{s}_{e}_{n}.wav", "{s}/{e}/{n}.wav", "{e}/{s}/{n}.wav"):
        _, found = read(paths(form, s=["anna", "ben", "max"], e=words, n=TAKES))
        assert {said["emotion"] for said in found} == set(words)
        assert {said["speaker"] for said in found} == {"anna", "ben", "max"}


def test_words_that_nobody_knows():
    note, found = read(paths("{e}/{n}.wav", e=["zorp", "murt"], n=TAKES))
    assert "<emotion>/<file>" in note and {said["emotion"] for said in found} == {"zorp", "murt"}
    _, found = read(paths("{e}/{s}/{n}.wav", e=["zorp", "murt"], s=["Actor_01", "Actor_02"], n=TAKES))
    assert {(said["emotion"], said["speaker"]) for said in found} == {
        (word, who) for word in ("zorp", "murt") for who in ("Actor_01", "Actor_02")
    }
    _, found = read(paths("{s}/{e}/{n}.wav", s=["0011", "0012"], e=range(8), n=TAKES))
    assert {said["emotion"] for said in found} == set("01234567") and {said["speaker"] for said in found} == {
        "0011",
        "0012",
    }


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("{s:02d}_{e}_{n:02d}.wav", dict(s=range(1, 5), e=EMOTIONS)),  # which number is the speaker?
        ("{e}/{s}_{n}.wav", dict(s=["0351", "0352"], e=EMOTIONS)),
        ("{e}_{s}_{n}.wav", dict(s=["kids", "dogs"], e=EMOTIONS)),  # sentences
        ("{e}/{s}.wav", dict(s=["s01", "s02"], e=EMOTIONS, n=[0])),  # sample 1?
        ("{s}/{n}.wav", dict(s=["Actor_01", "Actor_02"])),
        ("{s}/{n}.wav", dict(s=["anna", "ben"])),
        ("{s}/{e}_{n}.wav", dict(s=["kjetil", "tuva"], e=["zorp", "murt"])),
        ("{e}/{s}/{n}.wav", dict(e=range(8), s=range(1, 9))),
        ("{s}_{e}_{n}.wav", dict(s=["anna", "ben"], e=["zorp", "murt"])),
        ("{s}/{e}/{n}.wav", dict(s=["Joy", "Fear"], e=["zorp", "murt"])),
        ("{v}/{e}/{n}.wav", dict(v=["positive", "negative"], e=EMOTIONS)),
        ("{e}/{s}_{t}_{n}.wav", dict(e=EMOTIONS, s=["anna", "ben"], t=["happy", "sad"])),  # sentences called so
        ("{x}/{s}/{e}/{n}.wav", dict(x=["session1", "session2"], s=["01", "02"], e=EMOTIONS)),  # two or four people?
        ("{x}/{s}_{e}_{n}.wav", dict(x=["kjetil", "tuva"], s=["anna", "ben"], e=EMOTIONS)),
        ("{s}_{e}/{n}.wav", dict(s=["kjetil", "tuva"], e=["zorp", "murt"])),
        ("03-01-{e:02d}-{n:02d}.wav", dict(e=range(1, 9))),
    ],
)
def test_what_nobody_can_tell_is_asked(form, values):
    files = paths(form, **{"n": TAKES} | values)
    said = question(files)
    assert len(said.splitlines()) == 1 and "prepare.pattern" in said
    example = re.search(r": in (.+?\.wav), ", said)[1]
    assert PurePosixPath(example) in files
    for pattern in re.findall(r'"([^"]+)"', said):
        if pattern != "{speaker}_{emotion}_{_}":
            assert isinstance(parse_pattern(pattern).read(PurePosixPath(example)), dict)


@pytest.mark.parametrize(
    "levels",
    [("Faible", "Fort"), ("schwach", "stark"), ("baja", "media", "alta"), ("debole", "forte"), ("az", "çok"),
     ("弱", "强"), ("слабый", "сильный"), ("kitchen", "street"), ("iphone", "samsung")],
)  # fmt: skip
def test_how_strong_where_and_by_what_is_nobody(levels):
    for form in ("{e}/{v}/{n}.wav", "{v}/{e}/{n}.wav"):
        _, found = read(paths(form, e=EMOTIONS, v=levels, n=TAKES))
        assert not any(said.get("speaker") for said in found)
    _, found = read(paths("{e}/{v}/{s}_{n}.wav", e=EMOTIONS, v=levels, s=PEOPLE, n=TAKES))
    assert {said["speaker"] for said in found} == set(PEOPLE)


def test_a_label_that_no_lexicon_has_beside_known_ones_is_one():
    for takes in (range(1, 2), range(1, 9)):
        _, found = read(paths("{s}/{e}/{n}.wav", s=PEOPLE, e=["angry", "sad", "zorp"], n=takes))
        assert {said["emotion"] for said in found} == {"angry", "sad", "zorp"}
    files = paths("{s}/{e}/{n}.wav", s=PEOPLE, e=["angry", "sad"], n=range(1, 9))
    _, found = read([*files, *paths("{s}/{e}/{n}.wav", s=["anna"], e=["zorp"], n=range(1, 7))])
    assert isinstance(found[-1], str)  # what lies there by chance


def test_names_with_the_number_of_a_take_are_not_so_many_people():
    for form, people in itertools.product(
        ("{e}/{s}{n}.wav", "{s}{n}_{e}.wav", "{e}_{s}{n}.wav"), (["anna", "ben"], ["F1", "M1"])
    ):
        assert "who speaks" in question(paths(form, e=EMOTIONS, s=people, n=TAKES))
    _, found = read(paths("{s}/{e}/{s}{n}.wav", e=EMOTIONS, s=["anna", "ben"], n=TAKES))
    assert {said["speaker"] for said in found} == {"anna", "ben"}
    _, found = read(paths("{s}_{e}_{n}.wav", e=EMOTIONS, s=["anna1", "anna2"], n=TAKES))
    assert {said["speaker"] for said in found} == {"anna1", "anna2"}


def test_women_and_men_with_numbers_are_people():
    _, found = read(paths("{s}_{e}_{t}a_{n}.wav", s=["female1", "female2", "male1"], e=EMOTIONS, t=[1, 2], n=[1, 2]))
    assert {said["speaker"] for said in found} == {"female1", "female2", "male1"}


def test_the_only_speaker_stands_in_folder_and_name():
    _, found = read(paths("s01/s01-{e}-{t}-{n}.wav", e=EMOTIONS, t="ab", n=TAKES))
    assert {said["speaker"] for said in found} == {"s01"}


def test_a_question_offers_what_can_be_the_answer():
    assert '"{emotion}/{_}"' in question(paths("{v}/{n}.wav", v=["low", "high"], n=TAKES))  # labels, maybe
    said = question(paths("{s}{e}{n:02d}.wav", s=["m01", "w02"], e="ahns", n=TAKES))  # no pattern cuts these
    assert "'m01" not in said and '"{emotion}"' not in said
    files = [PurePosixPath(f"{folder}/{name}.wav") for folder in ("anger/s01", "sadness/s02") for name in "1ab"]
    assert find_layout(files).read(files[0]) == {"emotion": "anger", "speaker": "s01"}


def test_names_as_speakers_beside_emotions_that_are_known():
    _, found = read(paths("{s}/{e}/{n}.wav", s=["Joy", "Hope", "Fear"], e=EMOTIONS, n=TAKES))
    assert {said["emotion"] for said in found} == set(EMOTIONS)
    _, found = read(paths("{s}/{e}/{n}.wav", s=["Joy", "Hope"], e=["zorp", "murt"], n=TAKES))
    assert {said["speaker"] for said in found} == {"Joy", "Hope"}


def test_a_file_that_does_not_fit_has_a_true_reason():
    files = paths("{e}/{s}/{n}.wav", e=EMOTIONS, s=PEOPLE, n=TAKES)
    strays = [
        "notes.wav", "angry/x.wav", "angry/anna/b/c/x.wav", "old/anna/x.wav", "sad/old/x.wav", "zorp/x.wav",
        "test/x.wav",
    ]  # fmt: skip
    layout = find_layout([*files, *map(PurePosixPath, strays)])
    assert all(isinstance(layout.read(file), dict) for file in files)
    said = {stray: layout.read(PurePosixPath(stray)) for stray in strays}
    assert said.pop("angry/x.wav") == {"emotion": "angry"}  # nobody says who speaks
    assert all(isinstance(reason, str) and "prepare.pattern" in reason for reason in said.values())
    assert "no folder states its emotion" in said["notes.wav"]
    assert "4 folders" in said["angry/anna/b/c/x.wav"]
    assert "'old'" in said["old/anna/x.wav"]


def test_contradictions_are_refused():
    layout = find_layout([
        *paths("{e}/{s}_{e}_{n}.wav", e=EMOTIONS, s=PEOPLE, n=TAKES), PurePosixPath("angry/anna_sad_9.wav")
    ])  # fmt: skip
    assert "'angry'" in layout.read(PurePosixPath("angry/anna_sad_9.wav"))
    assert layout.read(PurePosixPath("angry/anna_anger_9.wav"))["emotion"] == "angry"
    files = paths("{s}/{e}/{s}_{n:04d}.wav", s=["0011", "0012"], e=EMOTIONS, n=range(20))
    layout = find_layout([*files, PurePosixPath("0011/sad/0012_0099.wav")])
    assert "'0012'" in layout.read(PurePosixPath("0011/sad/0012_0099.wav"))


def test_speakers_in_two_unicode_forms_are_one():
    _, found = read(paths("{e}/{s}/{n}.wav", e=EMOTIONS, s=["Zoë", "Zoe\u0308", "José", "Jose\u0301"], n=TAKES))
    assert {said["speaker"] for said in found} == {"Zoë", "José"}


def test_both_depths_of_one_layout():
    files = paths("{e}/{s}/{n}.wav", e=EMOTIONS, s=["kjetil", "tuva"], n=TAKES)
    direct = paths("{e}/direct{n}.wav", e=EMOTIONS, n=range(20))
    layout = find_layout([*files, *direct])
    assert layout.read(files[0]) == {"emotion": "angry", "speaker": "kjetil"}
    assert layout.read(direct[0]) == {"emotion": "angry"}


def test_no_file_and_nothing_in_names():
    assert question([]) and "prepare.pattern" in question([PurePosixPath("a.wav"), PurePosixPath("b.wav")])


PIECES = st.sampled_from(
    ["angry", "sad", "anna", "01", "1", "_", "-", " ", "{", "}", "é", "愤怒", "\u200b", "\udc80", "\n", "x"]
)
NAMES = st.lists(PIECES, min_size=1, max_size=6).map("".join).filter(lambda name: name not in (".", ".."))


@settings(max_examples=300)
@given(st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=12))
def test_any_names(names):
    files = [PurePosixPath(f"{name}.wav") for name in names]
    try:
        layout = find_layout(files)
    except AmbiguousLayoutError as error:
        assert len(str(error).splitlines()) == 1
        return
    for file in files:
        said = layout.read(file)
        assert said["emotion"] if isinstance(said, dict) else len(said.splitlines()) == 1


def test_a_hundred_thousand_names_take_seconds():
    files = paths("spk{s}{e}{n:05d}.wav", s=range(25), e=EMOTIONS, n=range(1000))
    start = time.process_time()
    layout = find_layout(files)
    assert all(isinstance(layout.read(file), dict) for file in files)
    assert time.process_time() - start < 15  # 2 s here
    files = [PurePosixPath(f"{hash(number) * 2654435761 % 2**32:x}/{number}.wav") for number in range(20_000)]
    start = time.process_time()
    question(files)
    assert time.process_time() - start < 15


def test_a_label_of_few_files_among_very_many_is_one():
    files = paths("{e}/{n:05d}.wav", e=["zorp", "murt", "blix"], n=range(10_000))
    rare, stray = paths("gnarf/{n}.wav", n=range(12)), PurePosixPath("hm/x.wav")
    layout = find_layout([*files, *rare, stray])
    assert layout.read(rare[7]) == {"emotion": "gnarf"}
    flat = paths("{s}_{e}_{n:04d}.wav", s=PEOPLE, e=EMOTIONS, n=range(1000))
    layout = find_layout([*flat, PurePosixPath("room_tone_0001.wav")])
    assert isinstance(layout.read(PurePosixPath("room_tone_0001.wav")), str)
