"""What the page holds of the map: packed and unpacked again, which clips can be heard, and how large it becomes."""

import base64
import io
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT, run_stage, set_params
from report_tables import MODELS, make_clips, write_charts_of, write_overview, write_run
from ser.errors import InputError
from ser.reporting.map_section import FINEST, RATES, map_sounds, packed, shared_beginnings, spread_clips
from ser.reporting.overview_files import read_overview
from ser.reporting.reported_run import read_run
from ser.settings.all_sections import load_params
from ser.storage.clip_tables import read_clips
from ser.storage.shards import Ragged


def unpacked(packed: dict) -> list[int]:
    """Return the numbers, as the page's script does."""
    return np.frombuffer(base64.b64decode(packed["data"]), f"<u{packed['bits'] // 8}").tolist()


def whole_names(parts: list) -> list[str]:
    names: list[str] = []
    for shared, rest in zip(parts[::2], parts[1::2], strict=True):
        names.append((names[-1] if names else "")[:shared] + rest)
    return names


@settings(max_examples=100)
@given(st.lists(st.text(st.sampled_from("ab/é<") | st.characters(), max_size=8)))
def test_names_are_whole_again(names):
    assert whole_names(shared_beginnings(names)) == names


@settings(max_examples=50)
@given(st.lists(st.integers(0, FINEST)), st.booleans())
def test_numbers_are_whole_again(values, larger):
    values = values + [FINEST + 1] * larger
    found = packed(np.array(values, dtype=int))
    assert found["bits"] == (32 if larger else 16)
    assert unpacked(found) == values


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 30), st.integers(0, 40))
def test_clips_that_are_heard_are_different_ones_and_cover_the_map(seed, clips, count):
    places = np.random.default_rng(seed).integers(0, 6, (clips, 2)) / 6  # some at one place
    rows = spread_clips(places, count)
    assert len(rows) == len(set(rows)) == min(clips, count)
    different = len(np.unique(places, axis=0))
    assert len(np.unique(places[rows], axis=0)) == min(different, len(rows))


def made_run(folder, **options):
    write_run(folder, make_clips(**options))
    write_charts_of(folder)
    shutil.copy(ROOT / "params.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_run(tmp_path_factory.mktemp("run"))


def data_of(folder) -> dict:
    text = (folder / "reports/report.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="map-data">(.*?)</script>', text)[1])


def test_the_page_has_every_clip_with_its_labels_and_what_the_best_model_says(folder):
    set_params(folder, {"report.map_sounds": 7})
    assert run_stage(folder, "report").returncode == 0
    data = data_of(folder)
    clips = read_clips(folder / "data/prepared/clips.csv")
    assert whole_names(data["clips"]) == list(clips["clip"])
    for label in ("emotion", "speaker", "corpus"):
        assert [data["names"][label][at] for at in unpacked(data["columns"][label])] == list(clips[label])
    places = pd.read_csv(folder / "data/overview/map.csv")
    np.testing.assert_allclose(np.array(unpacked(data["columns"]["x"])) / FINEST, places["x"], atol=1e-4)
    best = json.loads((folder / "reports/protocol.json").read_text())["best"]
    answers = pd.read_csv(folder / f"data/predictions/{MODELS[best][0]}/{best}.csv").set_index("clip")
    said = answers.filter(like="p_").idxmax(axis=1).str.removeprefix("p_").loc[clips["clip"]]
    assert [data["names"]["said"][at] for at in unpacked(data["columns"]["said"])] == list(said)
    assert len(data["sounds"]) == 7


def test_untested_clips_have_no_answer(tmp_path):
    folder = made_run(tmp_path)
    for path in (folder / "data/predictions").rglob("*.csv"):
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-5]))
    assert run_stage(folder, "report").returncode == 0
    data = data_of(folder)
    said = [data["names"]["said"][at] for at in unpacked(data["columns"]["said"])]
    assert said[-5:] == [""] * 5 and "" not in said[:-5]


def run_of(folder):
    run = read_run(folder / "reports", folder / "data", load_params(folder / "params.yaml").model_dump())
    return run, read_overview(folder / "reports", folder / "data", run.clips)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 20000, 48000])
def test_sounds_are_the_clips_own_and_have_the_same_bytes_each_time(folder, sample_rate):
    run, overview = run_of(folder)
    run = run._replace(sample_rate=sample_rate)
    audio = Ragged.open(folder / "data/prepared/audio")
    found = map_sounds(run, overview, audio, 3, 0.2)
    assert found == map_sounds(run, overview, audio, 3, 0.2)
    for uri in found.values():
        kind, _, content = uri.partition(",")
        assert kind == "data:audio/mpeg;base64"
        y, sr = soundfile.read(io.BytesIO(base64.b64decode(content)))
        assert sr in RATES
        assert len(y) / sr == pytest.approx(0.2, abs=0.2)  # MP3 has whole frames, up to 72 ms each, and some around
        assert np.abs(y).max() > 0.1


def test_a_map_of_other_clips_is_refused(tmp_path):
    folder = made_run(tmp_path)
    path = folder / "data/overview/map.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    clips = read_clips(folder / "data/prepared/clips.csv")
    with pytest.raises(InputError, match=r"map.csv is of other clips .* run `dvc repro overview`"):
        read_overview(folder / "reports", folder / "data", clips)


def test_a_corpus_that_is_only_heard_on_the_map_is_named(tmp_path):
    """Licences: the page says whose voices it holds, of these sounds, too."""
    folder = made_run(tmp_path, corpora=2)
    set_params(folder, {"report.mistakes": 0, "report.map_sounds": 500})
    origin = {"corpora": {"corpus0": {"licence": "mine", "synthetic": False},
                          "corpus1": {"licence": "theirs", "synthetic": False}}, "profile": []}  # fmt: skip
    (folder / "data/prepared/origin.json").write_text(json.dumps(origin))
    assert run_stage(folder, "report").returncode == 0
    text = (folder / "reports/report.html").read_text()
    assert "This page holds voices from corpus0 (mine) and corpus1 (theirs)" in text.replace("<wbr>", "")


@pytest.mark.verify
def test_thirty_thousand_clips_fit_into_6_mb_without_sounds(tmp_path):
    folder = made_run(tmp_path, speakers=250, repeats=30)
    assert len(read_clips(folder / "data/prepared/clips.csv")) == 30_000
    set_params(folder, {"report.sounds": False})
    assert run_stage(folder, "report").returncode == 0
    assert (folder / "reports/report.html").stat().st_size < 6e6


@pytest.mark.parametrize("speakers", ["", "s"])
def test_one_emotion_or_no_speaker_leaves_out_what_cannot_be_told(tmp_path, speakers):
    clips = make_clips()
    write_run(tmp_path, clips.assign(speaker="") if not speakers else clips)
    write_charts_of(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    if speakers:
        write_overview(tmp_path, clips, features=())
    done = run_stage(tmp_path, "report")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "reports/report.html").read_text()
    assert ("No feature changes with the emotion" in text) == bool(speakers)
    assert ("the corpus, as no speaker is known," in text) != bool(speakers)
    assert 'id="voice"' not in text
