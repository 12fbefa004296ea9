"""Beside Praat: what was measured of whole corpora is in docs/features.md and within limits; some clips in `verify`."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import praat_voices
from conftest import CORPORA, FULL, ROOT, environment, needs_corpora, run_stage, workplace
from praat_voices import LIMITS, Voice, beyond, compare, compare_file, our_voice, praat_voice, summary, table
from ser.audit.survey import list_files
from ser.commands import list_features
from ser.settings.all_sections import load_params
from ser.storage.seeds import generator
from synthetic_voices import voice

REPORT = ROOT / list_features.VOICES
PARAMS = load_params(ROOT / "params.yaml")
CLIPS = 10**6 if FULL else 150  # of each corpus
SR, HOP = 16000, 160


@pytest.fixture(scope="module")
def measured() -> dict:
    return json.loads(REPORT.read_text(encoding="utf-8"))


# --- the measurement of whole corpora, and the page


def test_what_was_measured_is_within_the_limits(measured):
    assert measured["limits"] == LIMITS
    assert beyond(measured["rows"]) == []


def test_both_corpora_were_measured_by_sex_and_emotion(measured):
    clips = pd.DataFrame(measured["rows"]).set_index(["corpus", "sex", "emotion"])["clips"].sort_index()
    assert clips["ravdess", "all", "all"] > 900 and clips["emodb", "all", "all"] > 500
    for corpus, of in clips.groupby("corpus"):
        for sex in ("all", "female", "male"):
            assert of[corpus, sex].drop("all").sum() == of[corpus, sex, "all"]


def test_praat_was_asked_what_the_command_asks_it(measured):
    settings = praat_voices.Settings()
    assert measured["floor"] == settings.floor
    assert measured["ceiling"] == {name: settings.ceiling_of(name) for name in measured["ceiling"]}
    assert measured["formant_ceiling"] == {sex: settings.formant_ceiling_of(sex) for sex in ("female", "male")}


def test_every_number_of_the_page_is_the_measured_one(measured):
    """That the page is what `ser features` makes of the measurement is tested with the rest of the page."""
    section = list_features.DOCUMENT
    text = (ROOT / section).read_text(encoding="utf-8").split("## Beside Praat")[1].split("\n## ")[0]
    for row in measured["rows"]:
        name = list_features.group_name(row)
        cells = next(line for line in text.splitlines() if line.startswith(f"| {name} | {row['both']} "))
        assert f" {row['gross']:.1f} | {row['extra']:.1f} | {row['missed']:.1f} |" in cells
        if "held_to" in row and row["sex"] == "all":
            assert list_features.praat_itself(row) in text.replace("\n", " ")
        assert f" {row['f1_here']:.0f}, {row['f1_praat']:.0f} |" in cells
    for name, limit in LIMITS.items():
        assert f"| {list_features.ASKED[name]} | < {limit:g} |" in text


def test_a_page_without_a_measurement_says_so(tmp_path):
    result = run_stage(workplace(tmp_path), "features", "--write")
    assert result.returncode == 0
    assert "voices.json is missing" in result.stderr and "python benchmarks/voices.py" in result.stderr
    text = (tmp_path / list_features.DOCUMENT).read_text(encoding="utf-8")
    assert "Not measured: `python benchmarks/voices.py RAW ravdess emodb`" in text


def test_without_praat_the_command_says_what_is_missing():
    code = "import sys, runpy; sys.modules['parselmouth'] = None; sys.argv = ['voices.py', '--help']; "
    code += "runpy.run_path('benchmarks/voices.py', run_name='__main__')"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.splitlines() == [run.stderr.strip()] and "pip install praat-parselmouth" in run.stderr


# --- how it is compared


def of(f0, **formants) -> Voice:
    f0 = np.array(f0, dtype=float)
    rows = [np.full(len(f0), formants.get(name, 1000.0)) for name in ("f1", "f2", "f3")]
    return Voice(f0, np.array(rows), jitter=0.02, shimmer=1.0, hnr=10.0)


def test_what_is_counted():
    praat = of([np.nan, 100, 100, 100, 0, 0, 200], f1=500.0)
    ours = of([100, 100, 121, 50, 100, 0, 0], f1=610.0, f2=1190.0)
    found = summary(pd.DataFrame([compare(ours, praat)]))
    assert (found["both"], found["clips"]) == (3, 1)
    assert found["gross"] == pytest.approx(100 * 2 / 3, abs=0.01)  # 121 and 50 for 100; not 100
    assert found["extra"] == 25.0  # one of the four voiced here where Praat has a frame
    assert found["missed"] == 25.0
    assert found["cents"] == pytest.approx(1200 * np.log2(1.21), abs=0.1)  # of 0, that, and an octave
    assert (found["f1_off"], found["f2_off"], found["f3_off"]) == (100.0, 0.0, 0.0)
    assert (found["f1_here"], found["f1_praat"], found["jitter_here"]) == (610.0, 500.0, 2.0)


def test_praat_is_compared_with_itself():
    praat = of([100, 100, 0, 0])._replace(other_f0=np.array([100.0, 210.0, 100.0, np.nan]))
    found = summary(pd.DataFrame([compare(of([0, 100, 100, 0]), praat)]))
    assert found["itself"] == {"gross": 50.0, "extra": 33.33, "missed": 0.0, "cents": pytest.approx(642.2, abs=0.1)}
    assert (found["gross"], found["extra"], found["missed"]) == (0, 50.0, 50.0)


def test_only_limits_that_are_not_kept_are_named():
    clips = pd.DataFrame([compare(of([100, 100], f2=1100.1), of([100, 100]))])
    rows = table(clips.assign(corpus="x", sex="female", emotion="fear"))
    assert [(row["sex"], row["emotion"]) for row in rows] == [
        ("all", "all"),
        ("female", "all"),
        ("all", "fear"),
        ("female", "fear"),
    ]
    assert beyond(rows) == [f"x, {sex}: f2_mean 10.01 %, and 10 % is the limit" for sex in ("all", "female")]


@pytest.mark.parametrize("content", ["silence", "short"])
def test_clips_without_a_voice_are_compared(content):
    y = np.zeros(SR if content == "silence" else 700, dtype=np.float32)
    praat = praat_voice(y, SR, hop_length=HOP, floor=65, ceiling=600, formant_ceiling=5500)
    ours = our_voice(y, SR, PARAMS.extract)
    assert len(praat.f0) == len(ours.f0) == 1 + len(y) // HOP
    found = summary(pd.DataFrame([compare(ours, praat)]))
    assert (found["both"], found["gross"], found["extra"], found["missed"]) == (0, 0, 0, 0)


def test_frames_of_both_are_of_the_same_moments():
    """A voice from 0.5 to 1.0 s, between silence: it begins and ends in the same frames, give or take a few."""
    y = np.concatenate([np.zeros(SR // 2), voice(150.0, seconds=0.5), np.zeros(SR // 2)]).astype(np.float32)
    praat = praat_voice(y, SR, hop_length=HOP, floor=65, ceiling=600, formant_ceiling=5500)
    ours = our_voice(y, SR, PARAMS.extract)
    for f0 in (np.nan_to_num(praat.f0), ours.f0):
        voiced = np.flatnonzero(f0) * HOP / SR
        assert voiced[0] == pytest.approx(0.52, abs=0.04) and voiced[-1] == pytest.approx(1.02, abs=0.04)
        np.testing.assert_allclose(f0[f0 > 0], 150.0, rtol=0.02)


# --- clips of the real corpora


@pytest.mark.verify
@needs_corpora
@pytest.mark.parametrize("corpus", ["ravdess", "emodb"])
def test_voices_of_real_clips_are_what_praat_finds(corpus):
    params = PARAMS.model_copy(update={"prepare": PARAMS.prepare.model_copy(update={"corpora": [corpus]})})
    files = list_files(CORPORA, params.prepare, params.demo)
    files = files[files["reason"] == ""]
    # drawn: every so many of their sorted names would be of one sentence, or of one intensity
    files = files.iloc[np.sort(generator(1, corpus).permutation(len(files))[:CLIPS])]
    found = [
        compare_file(file, raw=CORPORA, params=params, praat=praat_voices.Settings())
        for file in files.to_dict("records")
    ]
    clips = pd.DataFrame([each.comparison for each in found if each.comparison])
    about = files.loc[[bool(each.comparison) for each in found], ["corpus", "sex", "emotion"]]
    rows = table(about.reset_index(drop=True).join(clips))
    assert rows[0]["clips"] >= min(CLIPS, 500) - 5
    assert beyond(rows) == []
