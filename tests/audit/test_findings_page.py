"""The audit's page: its numbers, its bytes, and what is never on it."""

import re

import pandas as pd
import pytest

from audit_pages import HOSTILE, make_page, make_recordings
from ser.audit.cue_words import WORDS, verdict_of
from ser.audit.findings_page import clips_by_sex, reach_of
from ser.audit.quarantine_tables import summarize

EMOTIONS = ["anger", "boredom", "fear", "neutral"]


def test_leaks_are_said_with_what_to_do_and_the_bytes_are_the_same(tmp_path):
    clips = make_recordings(EMOTIONS, planted=True)
    make_page(tmp_path / "page.html", clips, left_out=501, p=0.001)
    make_page(tmp_path / "again.html", clips, left_out=501, p=0.001)
    assert (tmp_path / "page.html").read_bytes() == (tmp_path / "again.html").read_bytes()
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert '<p class="alarm" role="note">⚠ 3 properties of the raw files alone give the emotion away' in page
    assert '<b>⚠ leak: length</b><span class="score">UAR 1.000 in corpus0 (chance 0.250)</span>' in page
    assert WORDS["seconds"].remedy in page
    assert '<td class="num" data-label="p">0.001</td>' in page
    assert "1 more rows are in <code>quarantine.csv</code>" in page
    assert "<script" not in page and HOSTILE not in page and "&lt;script&gt;" in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)|@import|url\(""", page)


def test_the_number_of_leaks_is_that_of_the_sentence(tmp_path):
    """A property that leaks in three corpora is one."""
    clips = make_recordings(EMOTIONS, planted=True, corpora=2)
    cues = make_page(tmp_path / "page.html", clips)
    assert (cues["verdict"] == "leak").sum() > 3
    assert verdict_of(cues).startswith("3 properties of the raw files alone give")
    assert summarize(clips, pd.DataFrame({"reason": []}, dtype=str), cues)["leaks"] == 3


@pytest.mark.parametrize("p", [None, 0.4])
def test_without_cues_the_page_says_so(tmp_path, p):
    cues = make_page(tmp_path / "page.html", make_recordings(EMOTIONS), p=p)
    assert set(cues["verdict"]) == {""}
    page = (tmp_path / "page.html").read_text()
    assert "No property of the raw files alone tells the emotions better than chance." in page
    assert 'class="alarm"' not in page
    assert ('<th scope="col" class="num">p</th>' in page) == (p is not None)


def test_a_page_of_no_clips_at_all(tmp_path):
    make_page(tmp_path / "page.html", make_recordings(EMOTIONS).head(0), left_out=3)
    page = (tmp_path / "page.html").read_text()
    assert "No property of the raw files was measured" in page
    assert "3 files are not used, 1 of them a copy of others." in page


def test_clips_are_counted_by_sex_and_properties_drawn_to_scale():
    clips = pd.DataFrame(
        {"emotion": ["a", "a", "a", "b"], "sex": ["female", "male", "male", ""], "seconds": [1.0, 1, 1, 3]}
    )
    sexes, rows = clips_by_sex(clips)
    assert sexes == ["female", "male", "unknown"]
    assert [(emotion, counts) for emotion, counts, _ in rows] == [("a", [1, 2, 0]), ("b", [0, 0, 1])]
    assert [sum(widths) for *_, widths in rows] == pytest.approx([100, 100 / 3])
    reach = reach_of(clips, "seconds", "Length, s", 1, 1)
    assert (reach["low"], reach["high"]) == ("1.0", "3.0")
    assert [row["at"] for row in reach["rows"]] == [["0.0"] * 5, ["100.0", "0.0", "100.0", "0.0", "100.0"]]
    assert reach_of(clips.assign(seconds=-2.0), "seconds", "", 1, 1)["rows"][0] == {
        "emotion": "a", "median": "−2.0", "at": ["0.0"] * 5
    }  # fmt: skip
