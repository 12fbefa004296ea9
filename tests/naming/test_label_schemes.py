"""Labels of one's own corpora: spellings of one label, words, codes; never two labels made one unasked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser.naming.emotion_words import EMOTIONS, emotion_of_word
from ser.naming.label_schemes import read_labels
from ser.naming.spellings import spelling_key


def read(text):
    return read_labels(text.split())


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("angry Happy SAD neutral", "anger happiness sadness neutral"),
        ("anger angry", "anger anger"),
        ("fearful bored surprised disgusted", "fear boredom surprise disgust"),
        ("joy angry", "happiness anger"),
        ("frustrated satisfied", "frustrated satisfied"),
        ("neşeli kızgın", "neşeli kızgın"),
        ("愤怒 غضب गुस्सा", "愤怒 غضب गुस्सा"),
        ("0 1 2 7", "0 1 2 7"),
        ("007 7 1e5 NA None", "007 7 1e5 NA None"),
        ("-1 0 1", "-1 0 1"),
        ("ang hap exc sad neu fru sur fea dis oth xxx",
         "anger happiness excitement sadness neutral frustration surprise fear disgust - -"),
        ("ANG DIS FEA HAP NEU SAD", "anger disgust fear happiness neutral sadness"),
        ("ang neu con cal bor", "anger neutral contempt calm boredom"),
        ("A H N S", "anger happiness neutral sadness"),
        ("a h n s x", "anger happiness neutral sadness -"),
        ("A S H U F D C N O X", "anger sadness happiness surprise fear disgust contempt neutral - -"),
        ("W L E A F T N", "anger boredom disgust fear happiness sadness neutral"),
        ("T W N", "sadness anger neutral"),
        ("A F N", "A F N"),  # anger, fear; or Angst, Freude
        ("A B C D", "A B C D"),
        ("A C D F", "A C D F"),  # marks of a school
        ("F T", "F T"),
        ("ang angry frustrated", "ang anger frustrated"),
        ("ang hap neutral foo", "ang hap neutral foo"),
        ("angry happy xxx oth", "anger happiness - -"),
        ("foo bar oth", "foo bar oth"),
        ("ps angry", "ps anger"),  # TESS calls pleasant surprise so; who knows what another corpus means
        ("dis sat", "dis sat"),
    ],
)  # fmt: skip
def test_labels_by_all_labels_of_a_corpus(written, labels):
    found = read(written).labels
    assert [found[text] or "-" for text in written.split()] == labels.split()


def test_two_words_for_one_noun_stay_two_and_that_is_said():
    found = read("joy happiness happy fear anxiety calm")
    assert found.labels == {
        "joy": "joy", "happiness": "happiness", "happy": "happiness", "fear": "fear", "anxiety": "anxiety",
        "calm": "calm",
    }  # fmt: skip
    assert "happiness and joy" in found.note and "anxiety and fear" in found.note and "prepare.rename" in found.note
    assert read("joy hap sad").labels["joy"] != read("joy hap sad").labels["hap"]


def test_the_note_says_which_codes_were_read_and_which_could_have_been():
    note = read("ang exc xxx neu").note
    assert "IEMOCAP" in note and "exc = excitement" in note and "xxx is no label" in note
    note = read("A F N").note
    assert "F = fear" in note and "F = happiness" in note and "prepare.rename" in note
    assert "ang" in read("ang angry frustrated").note
    assert read("angry sad").note == ""
    assert read("anxious calm").note.startswith("anxious = fear, as in published corpora")


def test_what_is_no_label_has_a_reason():
    found = read_labels(["angry", "a\tb", "?", "…", "\udc80", "x" * 200, "xxx", " "])
    assert [text for text, label in found.labels.items() if label] == ["angry"]
    assert set(found.reasons) == set(found.labels) - {"angry"}
    assert all(reason and "\n" not in reason and reason.isprintable() for reason in found.reasons.values())


@pytest.mark.parametrize(
    "spellings",
    [
        ["Frustrated", "frustrated", " FRUSTRATED ", "frus\u200btrated"],
        ["not sure", "not_sure", "Not-Sure", "not\u00a0sure", "not  sure"],
        ["ne\u015feli", "nes\u0327eli", "NEŞELİ", "Neşeli"],
        ["kızgın", "KIZGIN", "Kızgın"],
        ["ｈａｐｐｙ", "happy", "Happiness"],
        ["Ärger", "ärger", "A\u0308rger"],
        ["level 1", "level_1", "level-1"],
    ],
)
def test_spellings_of_one_label(spellings):
    assert len(set(read_labels([*spellings, "other"]).labels.values())) == 2


@pytest.mark.parametrize(
    "words",
    [["-1", "1"], ["1", "01"], ["1", "1.0"], ["x²", "x2"], ["①", "1"], ["kır", "kir"], ["level -1", "level 1"],
     ["+", "++"], ["か", "が"], ["NA", "None"], ["3-4", "34"], ["sad", "sadist"]],
)  # fmt: skip
def test_words_that_differ_stay_apart(words):
    assert len(set(read_labels(words).labels.values())) == len(words)


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_texts(texts):
    found = read_labels(texts)
    assert set(found.labels) == set(texts)
    assert {text for text, label in found.labels.items() if not label} == set(found.reasons)
    assert read_labels(list(reversed(texts))) == found
    assert len(found.note.splitlines()) <= 1
    by_label = {}
    for text, label in found.labels.items():
        by_label.setdefault(label, set()).add(spelling_key(text))
    assert all(len(keys) == 1 for label, keys in by_label.items() if label and label not in EMOTIONS)


def test_codes_of_published_corpora_are_still_known_there():
    assert [emotion_of_word(code) for code in ("ang", "hap", "neu", "dis", "fea", "ps")] == [
        "anger", "happiness", "neutral", "disgust", "fear", "surprise",
    ]  # fmt: skip
    assert emotion_of_word("Pleasant_surprised") == "surprise" and emotion_of_word("exc") is None
