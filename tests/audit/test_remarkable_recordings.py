"""What is remarkable about a recording: said of those that differ, and of no others."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import ROOT
from ser.audit.remarkable_recordings import COLUMNS, find_remarkable
from ser.audit.survey import hear
from ser.settings.all_sections import load_params

SETTINGS = SimpleNamespace(sample_rate=16000, trim_db=None, remove_dc=True, channels="mix")
USUAL = {
    "corpus": "c", "reason": "", "sample_rate": 16000, "channels": 1, "encoding": "WAV PCM_16", "taken": None,
    "bandwidth": 7900.0, "clipped": 0.0, "dc": 0.0, "level_db": -20.0, "leading_zeros": 0.0, "trailing_zeros": 0.0,
}  # fmt: skip


def recordings(*changes):
    """Return a table of recordings, in which each differs from the usual one as it says."""
    return pd.DataFrame([USUAL | {"source": f"c/{row}.wav"} | change for row, change in enumerate(changes)])


def found(table, **settings):
    findings = find_remarkable(table, SimpleNamespace(**vars(SETTINGS) | settings))
    assert list(findings.columns) == COLUMNS
    return {(row.finding, row.file): (row.detail, row.done) for row in findings.itertuples()}


def test_recordings_that_are_alike_are_not_remarkable():
    assert found(recordings(*[{}] * 5)) == {}


def test_each_kind_of_difference_is_found():
    said = found(
        recordings(
            {}, {}, {}, {"sample_rate": 8000}, {"encoding": "MP4 AAC"}, {"channels": 2}, {"reason": "silent"},
            {"clipped": 0.01}, {"dc": -0.02}, {"level_db": -50.0}, {"trailing_zeros": 2.0},
        )
    )  # fmt: skip
    assert said == {
        ("sample rate", "c/3.wav"): ("8000 Hz, the most frequent is 16000 Hz", "used, resampled to 16000 Hz"),
        ("encoding", "c/4.wav"): ("MP4 AAC, the most frequent is WAV PCM_16", "used as it is"),
        ("channels", "c/5.wav"): ("2, the most frequent is 1", "used, mixed to one"),
        ("clipping", "c/7.wav"): ("1.00 % of the samples", "used as it is"),
        ("DC", "c/8.wav"): ("-2.0 % of full scale", "used, removed"),
        ("level", "c/9.wav"): ("-50 dBFS, half have -20 dBFS or more", "used as it is"),
        ("silence", "c/10.wav"): ("2.00 s of zeros at an end", "used, kept"),
    }


@pytest.mark.parametrize(("taken", "channels", "number"), [(0, 2, 1), (1, 2, 2), (4, 5, 5)])
@pytest.mark.parametrize("others", [1, 2])
def test_channels_that_cancel_each_other_are_said_instead_of_their_number(taken, channels, number, others):
    table = recordings({"channels": others}, {"channels": others}, {"channels": channels, "taken": taken})
    assert found(table) == {
        ("cancelling channels", "c/2.wav"): (
            f"channels cancel each other in the mean: channel {number} of {channels} is taken",
            "used, one channel taken",
        )
    }


def test_of_several_channels_it_is_said_what_is_taken():
    table = recordings({}, {}, {"channels": 2}, {"channels": 2, "source": "c/call.wav#channel=2"})
    assert [done for _, done in found(table).values()] == ["used, mixed to one", "used, one channel taken"]
    assert {done for _, done in found(table, channels=1).values()} == {"used, one channel taken"}
    table = recordings({"channels": 2}, {"channels": 2}, {})
    assert found(table) == {("channels", "c/2.wav"): ("1, the most frequent is 2", "used as it is")}


def test_of_a_file_that_is_left_out_it_is_said_too():
    table = recordings({}, {"channels": 2, "taken": 0, "reason": "silent"})
    assert found(table)["cancelling channels", "c/1.wav"][1] == "left out"


def test_inverted_channels_of_a_file_are_found_and_the_speech_is_heard(tmp_path):
    """A cable with two poles exchanged: the mean of both channels is what noise differs in them."""
    rng = np.random.default_rng(0)
    y = 0.3 * np.sin(np.pi * 300 / 8000 * np.arange(16000)) * np.hanning(16000)
    noise = 1e-4 * rng.standard_normal((16000, 2))
    soundfile.write(tmp_path / "inverted.wav", np.stack([y, -y], axis=1) + noise, 16000)
    soundfile.write(tmp_path / "opposite.flac", np.stack([y, -y], axis=1), 16000)
    soundfile.write(tmp_path / "apart.wav", np.stack([y, 0 * y], axis=1) + noise, 16000)
    soundfile.write(tmp_path / "alike.wav", np.stack([y, y], axis=1) + noise, 16000)
    soundfile.write(tmp_path / "mono.wav", y + noise[:, 0], 16000)
    params, rows = load_params(ROOT / "params.yaml"), []
    for path in sorted(tmp_path.iterdir()):
        file = {"source": path.name, "readable": True, "wanted": True, "reason": "", "emotion": "anger"}
        heard = hear(file, tmp_path, params.prepare, params.demo)
        assert heard.reason == ""
        correlation = np.correlate(heard.samples.astype(float), y, "full")
        assert np.abs(correlation).max() > 0.99 * np.linalg.norm(heard.samples.astype(float)) * np.linalg.norm(y)
        rows.append(file | {"corpus": "c"} | heard.properties)
    findings = found(pd.DataFrame(rows))
    cancelling = {file for finding, file in findings if finding == "cancelling channels"}
    assert cancelling == {"inverted.wav", "opposite.flac"}


HALVES = [{"bandwidth": 4000.0, "sample_rate": 8000, "encoding": "AMR AMRNB"}, {"bandwidth": 7900.0}]


@pytest.mark.parametrize("narrow", range(1, 10))
def test_two_bandwidths_are_found_whichever_is_the_more_frequent(narrow):
    table = recordings(*[HALVES[0]] * narrow, *[HALVES[1]] * (10 - narrow))
    files = {file: detail for (finding, file), (detail, _) in found(table).items() if finding == "bandwidth"}
    narrower = [f"c/{row}.wav" for row in range(narrow)]
    wider = [f"c/{row}.wav" for row in range(narrow, 10)]
    assert sorted(files) == (narrower if narrow <= 5 else wider)
    said = "4000 Hz, half have 7900 Hz or more" if narrow <= 5 else "7900 Hz, half have 4000 Hz or less"
    assert set(files.values()) == {said}


def test_what_no_model_hears_is_no_wider_band():
    """At 16 kHz nothing above 8 kHz counts: a corpus of 12 kHz in which some have 24 kHz is one."""
    assert found(recordings({"bandwidth": 12000.0}, {"bandwidth": 12000.0}, {"bandwidth": 24000.0})) == {}
    assert found(recordings({"bandwidth": 6000.0}, {"bandwidth": 6000.0}, {"bandwidth": 24000.0})) == {}
    assert len(found(recordings({"bandwidth": 4000.0}, {"bandwidth": 4000.0}, {"bandwidth": 24000.0}))) == 1
