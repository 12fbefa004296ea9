"""Whether recordings are of one mood, told by how much voices vary."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import CORPORA, needs_corpora
from ser.adaptation.moods import COLUMNS, effort, shows_one_mood, variety
from ser.demo.synthetic_speech import demo_table, synthesize


def test_every_speaker_varies_around_a_mean_of_their_own():
    rng = np.random.default_rng(0)
    speakers = np.repeat(["a", "b", "c"], 40)
    efforts = rng.normal(0, 2, (120, 5))
    far = efforts + np.repeat([0, 50, -90], 40)[:, None]
    assert variety(far, speakers) == pytest.approx(variety(efforts, speakers))
    assert variety(efforts, speakers) == pytest.approx(2, rel=0.1)
    assert variety(far, np.full(120, "x")) > 30


def test_few_clips_of_a_speaker_are_counted_as_few():
    """Two clips a speaker lie half as far from their mean as the voice varies: the degrees of freedom tell."""
    efforts = np.random.default_rng(1).normal(0, 2, (400, 5))
    assert variety(efforts, np.repeat(np.arange(200).astype(str), 2)) == pytest.approx(2, rel=0.1)


def test_a_single_clip_varies_by_nothing():
    assert variety(np.ones((1, 5)), np.array(["a"])) < 1e-6


def test_effort_is_of_finite_numbers_whatever_is_heard():
    rng = np.random.default_rng(0)
    for y in (np.zeros(16000), rng.normal(0, 0.1, 16000), np.sin(np.arange(16000) / 5), np.ones(3000) * 0.5):
        assert np.isfinite(effort(y.astype(np.float32), 16000)).all()
    assert effort(rng.normal(0, 0.1, 8000).astype(np.float32), 8000).shape == (len(COLUMNS),)


def test_synthetic_speech_is_told_apart():
    table = demo_table(
        {"seed": 3, "speakers": 4, "emotions": ["anger", "neutral", "sadness"], "sentences": 2, "takes": 3}
    )
    clips = table.to_dict("records")
    efforts = np.stack([effort(synthesize(clip, 3, 16000).astype(np.float32), 16000) for clip in clips])
    speakers, emotions = table["speaker"].to_numpy(dtype=str), table["emotion"].to_numpy(dtype=str)
    assert not shows_one_mood(efforts, speakers, synthetic=True)
    for emotion in np.unique(emotions):
        own = emotions == emotion
        assert shows_one_mood(efforts[own], speakers[own], synthetic=True)


@needs_corpora
def test_one_emotion_of_acted_speech_is_told_from_all():
    files = sorted((CORPORA / "emodb" / "wav").iterdir())[::2]
    table = pd.DataFrame({"speaker": [file.name[:2] for file in files], "code": [file.name[5] for file in files]})
    efforts = []
    for file in files:
        y, sr = soundfile.read(file, dtype="float32")
        efforts.append(effort(y / np.abs(y).max(), sr))
    efforts, speakers = np.stack(efforts), table["speaker"].to_numpy(dtype=str)
    assert not shows_one_mood(efforts, speakers, synthetic=False)
    for code in "WTFN":
        own = (table["code"] == code).to_numpy()
        assert shows_one_mood(efforts[own], speakers[own], synthetic=False), code
