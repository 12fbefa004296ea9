"""The picture of a clip of each emotion: of these clips only, and of none where no voice is wanted."""

import numpy as np
import pandas as pd

from ser.audio.cleaning import to_int16
from ser.reporting.clip_pictures import draw_clips
from ser.storage.shards import Ragged, RaggedWriter

RATE = 16000


def recordings(folder, seed: int) -> Ragged:
    rng = np.random.default_rng(seed)
    with RaggedWriter(folder) as writer:
        for samples in (8000, 6000, 4000, 5000):
            writer.append(to_int16(rng.uniform(-0.5, 0.5, samples)))
    return Ragged.open(folder)


def test_of_each_emotion_the_clip_of_median_length_is_drawn(tmp_path):
    emotions = ["anger", "anger", "anger", "$a_b"]
    clips = pd.DataFrame({"clip": [*"abcd"], "emotion": emotions, "seconds": [0.5, 0.375, 0.25, 0.3125]})
    clips.index = [7, 5, 3, 1]  # whatever the index is, samples go by place
    audio = recordings(tmp_path / "audio", 0)
    draw_clips(tmp_path / "a.png", clips, audio, RATE)
    drawn = (tmp_path / "a.png").read_bytes()
    longest_changed = clips.assign(clip=["x", *"bcd"])
    draw_clips(tmp_path / "b.png", longest_changed, audio, RATE)
    assert (tmp_path / "b.png").read_bytes() == drawn
    draw_clips(tmp_path / "b.png", clips.assign(clip=["a", "x", *"cd"]), audio, RATE)
    assert (tmp_path / "b.png").read_bytes() != drawn
    draw_clips(tmp_path / "b.png", clips, recordings(tmp_path / "other", 1), RATE)
    assert (tmp_path / "b.png").read_bytes() != drawn


def test_without_audio_nothing_of_a_clip_is_drawn(tmp_path):
    clips = pd.DataFrame({"clip": [*"ab"], "emotion": ["anger", "fear"], "seconds": [0.5, 0.4]})
    draw_clips(tmp_path / "a.png", clips, None, RATE)
    draw_clips(tmp_path / "b.png", clips.assign(clip=[*"xy"], emotion="joy"), None, RATE)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
