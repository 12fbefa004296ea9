"""Speech that features are tried on: synthetic, and recorded where the real corpora are at hand."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import CORPORA, ROOT
from ser.audio.cleaning import load_clip, to_float
from ser.demo.synthetic_speech import demo_table, synthesize
from ser.settings.all_sections import load_params

SPEECH = ["demo", "ravdess", "emodb"]
DEMO_RATE = 16000


@cache
def speech(corpus: str) -> tuple[np.ndarray, int]:
    """Return a clip, float32, and its sample rate; those of real corpora as they were recorded (48 and 16 kHz)."""
    if corpus == "demo":
        section = {"seed": 1, "speakers": 2, "emotions": ["anger", "sadness"], "sentences": 1, "takes": 1}
        return synthesize(demo_table(section).iloc[1], 1, DEMO_RATE), DEMO_RATE
    y, sr = soundfile.read(recordings(corpus)[7], dtype="float32", always_2d=True)
    return y.mean(axis=1), sr


def prepared_speech(corpus: str, count: int) -> list[np.ndarray]:
    """Return about `count` clips spread evenly over a real corpus, as `prepare` would leave them (16 kHz, trimmed)."""
    files, settings = recordings(corpus), load_params(ROOT / "params.yaml").prepare
    settings = settings.model_copy(update={"sample_rate": 16000})
    return [to_float(load_clip(file, settings)) for file in files[:: -(-len(files) // count)]]


def recordings(corpus: str) -> list[Path]:
    """Return the files of a real corpus; the test is skipped if there are none."""
    files = sorted((CORPORA / corpus).rglob("*.flac"))
    if not files:
        pytest.skip(f"the real corpora are not in {CORPORA}")
    return files
