"""Label leaks: what gives the emotion away is found, a balanced corpus is not."""

import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CORPORA, needs_corpora
from ser.audit.cue_words import CUE, leaking_level
from ser.audit.label_leaks import NUMERIC, POOLED, label_imbalance, measure_cues
from ser.corpora.corpus_entries import read_corpus

EMOTIONS = ["anger", "boredom", "fear", "neutral"]


def corpus(name="c", speakers=6, emotions=EMOTIONS, statements=3, takes=2):
    """Return a balanced table."""
    rows = [
        (name, f"{name}:{speaker}", emotion, f"{statement}")
        for speaker in range(speakers)
        for emotion in emotions
        for statement in range(statements)
        for _ in range(takes)
    ]
    return pd.DataFrame(rows, columns=["corpus", "speaker", "emotion", "statement"])


def with_values(table, cue, centres, spread, seed=0):
    """Add a property that lies about another centre in each emotion."""
    values = table["emotion"].map(centres).to_numpy() + spread * np.random.default_rng(seed).standard_normal(len(table))
    return table.assign(**{cue: values})


def verdicts(table, seed=1):
    found = measure_cues(table, seed)
    return {(row.corpus, row.cue): row.verdict for row in found.itertuples()}


LENGTHS = {"anger": 2.0, "boredom": 5.0, "fear": 3.0, "neutral": 4.0}


def test_emotions_padded_to_lengths_of_their_own_are_a_leak():
    table = with_values(corpus(), "seconds", LENGTHS, 0.01)
    table = with_values(table, "trailing_zeros", LENGTHS, 0.3, seed=1)
    found = measure_cues(table, 1).set_index("cue")
    assert found.loc["seconds", "uar"] > 0.95
    assert found.loc[["seconds", "trailing_zeros"], "verdict"].tolist() == ["leak", "leak"]


def test_one_emotion_between_two_others_of_equal_label_is_found():
    table = corpus(emotions=["anger", "fear"])
    values = np.where(table["emotion"] == "fear", 3.0, np.resize([1.0, 5.0], len(table)))
    assert verdicts(table.assign(bandwidth=values)) == {
        ("c", "bandwidth"): "leak",
        ("c", "speaker"): "",
        ("c", "statement"): "",
    }


@pytest.mark.parametrize("cue", NUMERIC)
def test_property_that_says_nothing_has_no_verdict(cue):
    table = with_values(corpus(), cue, dict.fromkeys(EMOTIONS, 0.0), 1.0)
    assert verdicts(table)[("c", cue)] == ""


def test_one_speaker_or_one_sentence_an_emotion_is_a_leak():
    table = corpus()
    assert verdicts(table.assign(speaker="c:" + table["emotion"]))[("c", "speaker")] == "leak"
    assert verdicts(table.assign(statement=table["emotion"]))[("c", "statement")] == "leak"


@pytest.mark.parametrize("takes", [1, 2, 3])
@pytest.mark.parametrize("statements", [1, 2])
def test_balanced_names_give_chance_however_few_clips_there_are(statements, takes):
    found = measure_cues(corpus(speakers=2, statements=statements, takes=takes), 1)
    assert found["excess"].abs().max() == pytest.approx(0)


def test_constant_property_gives_chance():
    found = measure_cues(corpus().assign(sample_rate=48000, channels=1), 1).set_index("cue")
    assert found.loc[["sample_rate", "channels"], "uar"].tolist() == [0.25, 0.25]


@pytest.mark.parametrize(("spread", "verdict"), [(0.5, "leak"), (6.0, "cue"), (1e6, "")])
def test_verdicts_follow_the_excess_over_chance(spread, verdict):
    levels = {"anger": -20.0, "boredom": -30.0, "fear": -24.0, "neutral": -27.0}
    (row,) = (
        measure_cues(with_values(corpus(speakers=40), "level_db", levels, spread), 1)
        .query("cue == 'level_db'")
        .itertuples()
    )
    assert row.excess == pytest.approx(row.uar - 0.25)
    assert row.verdict == verdict == ("leak" if row.excess > 0.25 else "cue" if row.excess > 0.05 else "")


def test_active_level_is_a_cue_and_the_warning_says_what_to_do():
    levels = {"anger": -20.0, "boredom": -30.0, "fear": -24.0, "neutral": -27.0}
    found = measure_cues(with_values(corpus(speakers=40), "level_active", levels, 0.5), 1)
    row = found.set_index("cue").loc["level_active"]
    assert row["verdict"] == "leak"
    warning = leaking_level(found)
    assert f"(level of the speech without its pauses alone: UAR {row['uar']:.3f}, chance 0.250)" in warning
    assert warning.endswith("leave level out of extract.functionals.groups")
    assert leaking_level(found[found["cue"] != "level_active"]) == ""
    assert leaking_level(found.assign(verdict="cue")) == leaking_level(found.iloc[:0]) == ""


FORMATS = {"anger": "WAV PCM_16", "boredom": "WAV ULAW", "fear": "AMR AMRNB", "neutral": "MP4 AAC"}


def test_a_format_of_its_own_for_each_emotion_is_a_leak():
    found = measure_cues(corpus().assign(encoding=corpus()["emotion"].map(FORMATS)), 1).set_index("cue")
    assert found.loc["codec", "uar"] == 1
    assert found.loc["container", "uar"] == pytest.approx(0.75)  # two of them have the same
    assert found.loc[["codec", "container"], "verdict"].tolist() == ["leak", "leak"]


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_one_emotion_in_another_format_is_told_even_if_not_all_of_it(share):
    table = corpus(speakers=20, statements=3)
    chosen = (table["emotion"] == "anger") & (np.random.default_rng(1).random(len(table)) < share)
    assert verdicts(table.assign(encoding=np.where(chosen, "MP3 MPEG_LAYER_III", "WAV PCM_16")))["c", "codec"] == "cue"


def test_a_corpus_of_one_format_gives_chance():
    table = corpus().iloc[5:].assign(encoding="WAV PCM_16")  # of emotions that are not equally frequent
    found = measure_cues(table, 1).set_index("cue")
    assert found.loc[["container", "codec"], "uar"].tolist() == [0.25, 0.25]
    assert set(found.loc[["container", "codec"], "verdict"]) == {""}


def test_formats_that_are_balanced_or_mixed_by_chance_give_chance():
    table = corpus(speakers=4, statements=2, takes=2)
    balanced = table.assign(encoding=np.resize(["WAV PCM_16", "OGG VORBIS"], len(table)))
    found = measure_cues(balanced, 1).set_index("cue")
    assert found.loc[["container", "codec"], "uar"].tolist() == [0.25, 0.25]
    for seed in range(50):
        draw = np.random.default_rng(seed).choice(list(FORMATS.values()), len(table))
        found = measure_cues(table.assign(encoding=draw), 1).set_index("cue")
        assert found.loc[["container", "codec"], "excess"].max() < 0.05


def test_a_speaker_of_another_format_who_shows_all_emotions_gives_nothing_away():
    table = corpus()
    found = verdicts(table.assign(encoding=np.where(table["speaker"] == "c:3", "MP4 AAC", "WAV PCM_16")))
    assert set(found.values()) == {""}


def test_synthetic_clips_have_no_format():
    found = measure_cues(corpus().assign(encoding="synthetic"), 1)
    assert set(found["cue"]) == {"speaker", "statement"}


def test_corpora_of_one_emotion_each_leak_together_but_not_alone():
    a, b = corpus("a", emotions=["anger"]), corpus("b", emotions=["fear"])
    table = pd.concat([a.assign(sample_rate=16000), b.assign(sample_rate=48000)])
    found = verdicts(table)
    assert found[(POOLED, "corpus")] == found[(POOLED, "sample_rate")] == "leak"
    assert {name for name, _ in found} == {POOLED}


def test_corpora_of_the_same_emotions_do_not_leak_together():
    found = verdicts(pd.concat([corpus("a").assign(sample_rate=16000), corpus("b").assign(sample_rate=48000)]))
    assert {name for name, _ in found} == {"a", "b", POOLED}
    assert set(found.values()) == {""}


def test_unknown_names_values_and_labels_are_passed_over():
    table = with_values(corpus(), "seconds", LENGTHS, 0.01)
    table.loc[::3, "seconds"] = np.nan
    table.loc[::2, ["speaker", "statement"]] = ""
    table.loc[:9, "emotion"] = ""
    found = measure_cues(table, 1)
    assert not found.drop(columns="p").isna().any(axis=None)
    assert found.set_index("cue").loc["seconds", "verdict"] == "leak"


def test_result_depends_on_the_seed_only():
    table = with_values(corpus(), "bandwidth", LENGTHS, 2.0)
    pd.testing.assert_frame_equal(measure_cues(table, 3), measure_cues(table.set_index(np.arange(len(table))[::-1]), 3))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["", "s", "t", "u"]),
            st.sampled_from(["", "anger", "fear", "neutral"]),
            st.sampled_from(["", "1", "2"]),
            st.floats(-10, 10),
        ),
        max_size=30,
    )
)
def test_any_table_can_be_judged(rows):
    table = pd.DataFrame(rows, columns=["corpus", "speaker", "emotion", "statement", "seconds"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure_cues(table, 1)
    assert not found.drop(columns="p").isna().any(axis=None)
    assert (found["p"].isna() == (found["excess"] <= CUE)).all()
    assert found["p"].dropna().between(0.001, 1).all()
    assert found["uar"].between(0, 1).all()
    assert (found["chance"] <= 0.5).all()


def test_thirty_thousand_clips_are_measured():
    table = pd.concat([corpus(name, speakers=125, statements=15) for name in "ab"], ignore_index=True)
    for number, cue in enumerate(NUMERIC):
        table = with_values(table, cue, LENGTHS, 2.0, seed=number)
    assert len(table) == 30000
    found = measure_cues(table, 1)
    assert (found.loc[found["cue"].isin(NUMERIC), "excess"] > 0.1).all()


def test_imbalance_names_the_extremes():
    table = pd.DataFrame({"emotion": ["anger"] * 6 + ["fear"] * 2 + [""] * 9 + ["neutral"] * 4})
    found = label_imbalance(table)
    assert (found["smallest"], found["smallest_clips"]) == ("fear", 2)
    assert (found["largest"], found["largest_clips"]) == ("anger", 6)
    assert found["ratio"] == 3
    assert found["entropy"] == pytest.approx(0.9206, abs=1e-4)


@pytest.mark.parametrize("emotions", [["anger"], EMOTIONS])
def test_equal_shares_have_an_entropy_of_one(emotions):
    assert label_imbalance(corpus(emotions=emotions))["entropy"] == pytest.approx(1)


def test_imbalance_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="no clip with an emotion"):
        label_imbalance(pd.DataFrame({"emotion": ["", ""]}))


@needs_corpora
def test_real_corpora_do_not_leak():
    tables = []
    for name in ("ravdess", "emodb"):
        table, _ = read_corpus(name, CORPORA)
        files = [soundfile.info(CORPORA / source) for source in table["source"]]
        seconds, rates = [file.duration for file in files], [file.samplerate for file in files]
        tables.append(table.assign(seconds=seconds, sample_rate=rates, channels=[file.channels for file in files]))
    found = measure_cues(pd.concat(tables, ignore_index=True), 1)
    assert "leak" not in set(found["verdict"])
    single = found[found["corpus"] != POOLED].set_index(["corpus", "cue"])
    assert (single["excess"].drop(("ravdess", "seconds")) < 0.05).all()
