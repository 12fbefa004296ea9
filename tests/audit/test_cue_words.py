"""What is said of the properties that give emotions away: the same everywhere, and with what to do."""

import pandas as pd
import pytest

from ser.audit.cue_words import BY_CHANCE, POOLED, WORDS, found_in, told_by, verdict_of
from ser.audit.label_leaks import NUMERIC, measure_cues
from ser.audit.quarantine_tables import describe_cues


def table(*rows: tuple, p: list | None = None) -> pd.DataFrame:
    """Return a table of cues: of each row corpus, cue, UAR and verdict, at a chance of 0.25."""
    found = pd.DataFrame(rows, columns=["corpus", "cue", "uar", "verdict"])
    found = found.assign(clips=60, emotions=4, chance=0.25, excess=found["uar"] - 0.25)
    return found if p is None else found.assign(p=p)


def test_every_property_that_is_measured_has_a_name_and_a_remedy():
    clips = pd.DataFrame({"emotion": ["anger", "fear"] * 4, "corpus": [*"aaaabbbb"], "speaker": "s", "statement": "t"})
    clips = clips.assign(encoding="WAV PCM_16", **{cue: range(8) for cue in NUMERIC})
    assert set(WORDS) == set(measure_cues(clips, 1)["cue"])
    names = [words.name for words in WORDS.values()]
    assert len(set(names)) == len(names)
    for words in WORDS.values():
        assert "_" not in words.name
        assert words.remedy[0].isupper() and words.remedy.endswith(".")


def test_leaks_come_first_and_a_property_is_named_once():
    cues = table(("b", "seconds", 0.35, "cue"), ("a", "codec", 0.8, "leak"), (POOLED, "seconds", 0.4, "cue"))
    leak, cue = found_in(cues)
    assert (leak.verdict_words, leak.name, leak.scores) == ("⚠ leak", "codec", "UAR 0.800 in a (chance 0.250)")
    assert cue.scores == "UAR 0.400 in all corpora together, 0.350 in b (chance 0.250)"
    other = cues.assign(chance=[0.2, 0.25, 0.25])
    assert (
        found_in(other)[1].scores == "UAR 0.400 (chance 0.250) in all corpora together; UAR 0.350 (chance 0.200) in b"
    )


SOME = [("b", "seconds", 0.4, "cue"), ("b", "dc", 0.4, "cue"), ("b", "codec", 0.4, "cue")]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "no property of the raw files was measured: it takes a corpus with two emotions"),
        ([("a", "seconds", 0.26, "")], "no property of the raw files alone tells the emotions better than chance"),
        (
            SOME[:1],
            "1 property of the raw files alone tells the emotions better than chance, not so well that it would be "
            "a leak",
        ),
        (
            [("a", "seconds", 0.9, "leak"), *SOME],
            "1 property of the raw files alone gives the emotion away, and 2 more tell better than chance: "
            "scores on these data mean little",
        ),
    ],
)
def test_leaks_cues_and_none_are_told_apart(rows, said):
    assert verdict_of(table(*rows)) == said


def test_what_chance_explains_is_no_cue_and_is_said():
    """Above the limit, yet without a verdict: a test of significance has taken it away."""
    cues = table(("a", "seconds", 0.36, ""), ("a", "dc", 0.25, ""), ("a", "codec", 0.5, "cue"), p=[0.2, None, 0.001])
    told = {one.cue: (one.verdict_words, one.p_words) for one in told_by(cues)}
    assert told == {"codec": ("cue", "0.001"), "seconds": (BY_CHANCE, "0.200"), "dc": ("", "–")}
    none = cues[cues["cue"] != "codec"]
    assert verdict_of(none).endswith(
        "better than chance (1 property seems to: not more than chance would explain at this size)"
    )
    assert found_in(none) == []
    as_text = cues.assign(p=["0.2", "", "0.001"])  # as a table is read whose empty cells are texts
    assert told_by(as_text) == told_by(cues)


def test_each_cue_is_printed_with_what_to_do_and_many_are_counted(tmp_path, capsys):
    cues = [(f"c{number}", cue, 0.4, "cue") for number, cue in enumerate(NUMERIC[:7])]
    describe_cues(table(("a", "codec", 0.9, "leak"), *cues, ("a", "speaker", 0.32, "")), tmp_path)
    said = capsys.readouterr().out
    assert said.startswith("  1 property of the raw files alone gives the emotion away, and 7 more tell better")
    assert (
        f"LEAK: codec of a alone tells the emotions with UAR 0.900 (chance 0.250)\033[0m\n    {WORDS['codec'].remedy}\n"
        in said
    )
    assert (
        f"  cue: length of c0 alone tells the emotions with UAR 0.400 (chance 0.250)\n    {WORDS['seconds'].remedy}\n"
        in said
    )
    assert said.count("  cue: ") == 5
    assert f"  2 more cues: see {tmp_path / 'cues.csv'}\n" in said
    assert f"  1 more above chance, but {BY_CHANCE}: see " in said
