"""What is read off the text of a licence, and what is said of weights."""

import pytest

from ser.corpora.known_corpora import KNOWN
from ser.storage.model_cards import (
    ADVICE,
    encoders_of,
    inherited_terms,
    licence_in_words,
    terms_of,
    terms_of_encoders,
    voices_of,
    write_card,
)
from ser.storage.whole_files import write_json

NC, ND, SA, RESEARCH, REGISTRATION = (
    "non-commercial",
    "no derivatives",
    "share alike",
    "research use",
    "on registration",
)


@pytest.mark.parametrize(
    ("licence", "terms"),
    [
        ("CC BY-NC-SA 4.0", [NC, SA]),
        ("cc-by-nc-nd-4.0", [NC, ND]),
        ("CC BY NC 3.0", [NC]),
        ("CC BY-ND 4.0", [ND]),
        ("CC BY-SA 4.0", [SA]),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/", [NC, SA]),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International", [NC, SA]),
        ("Creative Commons Attribution 4.0 International", []),
        ("no derivative works", [ND]),
        ("for non commercial use", [NC]),
        ("ODbL-1.0", [SA]),
        ("research only", [RESEARCH]),
        ("free for Academic use, on request", [RESEARCH, REGISTRATION]),
        ("CC BY 4.0", []),
        ("cc0-1.0", []),
        ("MIT License", []),
        ("", ["unknown"]),
        (" none ", ["unknown"]),
        ("none stated", ["unknown"]),
        ("CC BY-NC 4.0 (3 files), none stated (2 files)", [NC, "unknown"]),
        ("as the lab says", ["terms of its own"]),
        ("CC BY 4.0 (10 files), all rights reserved (3 files)", ["terms of its own"]),
        ("CC BY 4.0; all rights reserved", ["terms of its own"]),
        ("CC BY-NC 4.0 (3 files), all rights reserved (2 files)", [NC, "terms of its own"]),
        ("CC BY 4.0 (3 files), CC0 1.0 (2 files)", []),
        (";", ["terms of its own"]),
        ("Not for commercial use", [NC]),
        ("no commercial use", [NC]),
        ("Creative Commons Zero v1.0 Universal", []),
        ("openrail", ["terms of its own"]),
        ("permitted by ncsoft", ["terms of its own"]),
    ],
)
def test_words_of_a_licence_are_understood(licence, terms):
    assert terms_of(licence) == terms


def test_the_licences_of_all_known_corpora_are_understood():
    assert {name: terms_of(module.ABOUT.licence) for name, module in KNOWN.items()} == {
        "ravdess": [NC, SA],
        "emodb": [RESEARCH],
        "cremad": [SA],
        "tess": [NC, ND],
        "savee": [RESEARCH, REGISTRATION],
        "emovo": [RESEARCH],
        "nemo": [NC, SA],
        "ased": ["unknown"],
        "urdu": [RESEARCH],
        "turevdb": [NC, ND],
    }


def corpus(licence: str, *, synthetic: bool = False) -> dict:
    return {"licence": licence, "synthetic": synthetic, "clips": 2, "speakers": 1, "languages": ["en"]}


@pytest.mark.parametrize(
    ("licence", "synthetic", "words"),
    [
        ("CC BY-NC 4.0", False, "CC BY-NC 4.0 (non-commercial)"),
        ("free for\n research", False, "free for research"),
        ("CC BY 4.0", False, "CC BY 4.0"),
        ("", False, "unknown: fill in"),
        ("", True, "synthetic, made by this project"),
        ("CC BY-SA 4.0", True, "CC BY-SA 4.0 (share alike)"),  # somebody else's synthetic speech
    ],
)
def test_a_licence_in_words(licence, synthetic, words):
    assert licence_in_words(corpus(licence, synthetic=synthetic)) == words


def test_what_weights_may_inherit_is_said_of_each_corpus_and_no_more():
    made_here = corpus("", synthetic=True)
    (alone,) = inherited_terms({"demo": made_here})
    assert "synthetic speech that this project made" in alone and "inherit" not in alone
    assert inherited_terms({"a": corpus("CC BY 4.0"), "demo": made_here}) == [
        "None of these licences is known here to ask for more than credit.",
        ADVICE,
    ]
    said = inherited_terms(
        {"a": corpus("CC BY-NC-ND 4.0"), "b": corpus(""), "c": corpus("the lab's"), "d": corpus("research only")}
        | {"demo": made_here, "e": corpus("MIT")}
    )
    assert said[0].startswith("Weights learnt from a (non-commercial, no derivatives) and d (research use) may inherit")
    assert said[1].startswith("Of b no licence is known")
    assert said[2] == "What the licence of c asks has to be read there."
    assert said[3:] == [ADVICE]
    assert "its terms" in inherited_terms({"a": corpus("CC BY-NC 4.0")})[0]


def test_human_voices_are_named_with_their_licences():
    corpora = {"a": corpus("CC BY 4.0"), "b": corpus(""), "demo": corpus("", synthetic=True)}
    assert voices_of(corpora) == "a (CC BY 4.0) and b (licence unknown)"
    assert voices_of({"demo": corpora["demo"]}) == ""


def test_pretrained_encoders_are_named_those_of_members_too(tmp_path):
    resting = {"input": {"checkpoint": {"source": "lab/wav_lm"}}}
    assert encoders_of(resting, tmp_path) == ["lab/wav_lm"]
    assert encoders_of({"input": {"kind": "logmel"}}, tmp_path) == []
    for name, about in {"x": resting, "y": {"input": {}}, "z": resting}.items():
        write_json(about, tmp_path / "members" / name / "model.json")
    ensemble = {
        "model": "ensemble",
        "members": ["x", "y", "z"],
        "fold": None,
        "classes": ["anger", "fear"],
        "normalization": "train",
        "copies": [],
        "learnt_from": {"clips": 2, "speakers": 1, "corpora": {"a": corpus("CC BY-NC 4.0")}},
        "scores": {},
    }
    assert encoders_of(ensemble, tmp_path) == ["lab/wav_lm"]
    write_card(ensemble, tmp_path)
    card = (tmp_path / "model_card.md").read_text()
    assert "Weights learnt from a (non-commercial) may inherit its terms." in card
    assert r"What was pretrained, lab/wav\_lm, has a licence of its own" in card
    assert terms_of_encoders([]) == [] and "have licences" in terms_of_encoders(["a", "b"])[0]
