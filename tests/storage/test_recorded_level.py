"""The recorded level: what a gain does to it, and what it is of signals whose level is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser.storage.recorded_level import DEPTH_DB, LEVELS, RecordedLevel, measure_level

SR = 16000
DECIMAL = 0.011  # dB, of two values that are rounded to 0.01


def sine(seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 500 * np.arange(round(seconds * SR)) / SR)).astype(np.float32)


def speechlike(samples: int, seed: int) -> np.ndarray:
    """Noise that swells, pauses and swells again."""
    rng = np.random.default_rng(seed)
    envelope = np.interp(np.arange(samples), np.linspace(0, samples, 12), rng.uniform(0.02, 1.0, 12) ** 2)
    return (0.2 * envelope * rng.standard_normal(samples)).astype(np.float32)


def test_a_sine_has_the_levels_of_its_amplitude():
    level = measure_level(sine(), SR)
    assert level.level_peak == pytest.approx(-6.02, abs=DECIMAL)
    assert level.level_active == pytest.approx(-9.03, abs=DECIMAL)
    assert level[2:] == pytest.approx([0, 0, 0, 0], abs=DECIMAL)


def test_pauses_do_not_count():
    """Half of the clip is silent, or filled with what is 40 dB below: the active level is that of the rest."""
    for pause in (np.zeros(SR // 2, dtype=np.float32), sine(0.5, 0.005)):
        y = np.concatenate([sine(0.512), pause, sine(0.512)])
        level = measure_level(y, SR)
        assert level.level_active == pytest.approx(-9.03, abs=0.1)
        assert level.level_spread < 3


def test_changes_are_from_the_first_to_the_second_half():
    level = measure_level(np.concatenate([sine(0.64, 0.5), sine(0.64, 0.25)]), SR)
    assert level.level_peak_change == pytest.approx(-6.02, abs=0.02)
    assert level.level_active_change == pytest.approx(-6.02, abs=0.02)
    assert level.level_spread == pytest.approx(3.01, abs=0.02)
    assert level.level_spread_change == pytest.approx(0, abs=0.02)
    swelling = measure_level(np.concatenate([sine(0.64, 0.25), sine(0.32, 0.25), sine(0.32, 0.5)]), SR)
    assert swelling.level_spread_change == pytest.approx(3.01, abs=0.05)


def test_a_silent_half_counts_as_far_below():
    y = np.concatenate([sine(0.64), np.zeros(round(0.64 * SR), dtype=np.float32)])
    level = measure_level(y, SR)
    assert level.level_peak_change == pytest.approx(-DEPTH_DB, abs=0.1)
    assert level.level_active_change == pytest.approx(-DEPTH_DB, abs=0.1)


@given(samples=st.integers(1, 3 * SR), seed=st.integers(0, 2**32 - 1), gain_db=st.floats(-60, 20))
def test_a_gain_shifts_peak_and_active_level_and_nothing_else(samples, seed, gain_db):
    y = speechlike(samples, seed)
    if not y.any():
        return
    level, louder = measure_level(y, SR), measure_level(y * np.float32(10 ** (gain_db / 20)), SR)
    assert louder[:2] == pytest.approx([value + gain_db for value in level[:2]], abs=DECIMAL)
    assert level.amplified(gain_db)[:2] == pytest.approx(louder[:2], abs=2 * DECIMAL)
    assert level.amplified(gain_db)[2:] == level[2:]
    assert louder[2:] == pytest.approx(level[2:], abs=DECIMAL)


@given(samples=st.integers(1, 20000), sr=st.integers(8000, 48000), content=st.sampled_from(["ones", "click", "noise"]))
def test_anything_that_sounds_has_finite_levels(samples, sr, content):
    y = {
        "ones": np.ones(samples),
        "click": np.eye(1, samples, samples // 2)[0],
        "noise": np.random.default_rng(samples).standard_normal(samples),
    }[content].astype(np.float32)
    level = measure_level(y, sr)
    assert np.isfinite(level).all()
    assert level == tuple(round(value, 2) for value in level)  # as a table holds it
    assert not any(math.copysign(1, value) < 0 and value == 0 for value in level)
    assert level.level_active <= level.level_peak + DECIMAL


def test_it_does_not_depend_on_what_the_array_is_part_of():
    y = speechlike(SR, 1)
    assert measure_level(np.concatenate([y, y])[: len(y)], SR) == measure_level(y.copy(), SR)


def test_silence_has_no_level():
    with pytest.raises(ValueError, match="mean power of 0.0"):
        measure_level(np.zeros(100, dtype=np.float32), SR)


def test_names_are_the_columns():
    assert RecordedLevel._fields == LEVELS and all(name.startswith("level_") for name in LEVELS)
