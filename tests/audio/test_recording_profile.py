"""Level, clipping, movement and spectrum of recordings as they come."""

import numpy as np
import pytest
import soxr

from ser.audio.recording_profile import profile, profile_names

SR = 16000
T = np.arange(2 * SR) / SR


def measured(y: np.ndarray, sr: int = SR, sample_rate: int = SR) -> dict[str, float]:
    found = profile(y.astype(np.float32), sr, sample_rate)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    return dict(zip(profile_names(sample_rate), found.tolist(), strict=True))


def test_a_sine_has_its_level_and_one_band():
    found = measured(0.1 * np.sin(2 * np.pi * 1000 * T))
    assert found["level, dBFS"] == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.1)
    assert found["variation of level, dB"] < 0.1
    assert found["spectral flatness, dB"] < -35
    assert found["800-1200 Hz, dB"] == pytest.approx(0, abs=0.1)
    assert found["2500-3400 Hz, dB"] < -50


def test_noise_is_flat_and_has_its_power_where_bands_are_wide():
    found = measured(0.1 * np.random.default_rng(1).standard_normal(len(T)))
    assert found["spectral flatness, dB"] == pytest.approx(-2.5, abs=0.3)  # of a periodogram: Euler's constant in dB
    assert found["5500-7000 Hz, dB"] - found["3400-4200 Hz, dB"] == pytest.approx(10 * np.log10(1500 / 800), abs=0.5)


def test_pauses_do_not_count_for_the_level():
    sine = 0.1 * np.sin(2 * np.pi * 1000 * T)
    assert measured(np.r_[sine, 0 * T])["level, dBFS"] == pytest.approx(measured(sine)["level, dBFS"], abs=0.2)


def test_gain_moves_the_level_alone_until_it_clips():
    y = 0.01 * np.random.default_rng(1).standard_normal(len(T)) * (1 + np.sin(2 * np.pi * 3 * T))
    before, louder, clipped = measured(y), measured(10 * y), measured(np.clip(1000 * y, -1, 1))
    assert louder.pop("level, dBFS") == pytest.approx(before.pop("level, dBFS") + 20, abs=0.01)
    assert louder == pytest.approx(before, abs=0.01)
    assert before["clipped, %"] == 0 < clipped["clipped, %"]


def test_the_rate_of_the_file_does_not_matter_below_its_own_limit():
    y = np.random.default_rng(1).standard_normal(len(T))
    at_48 = measured(soxr.resample(y, SR, 48000), 48000)
    assert at_48["1200-1800 Hz, dB"] == pytest.approx(measured(y)["1200-1800 Hz, dB"], abs=0.3)
    narrow = soxr.resample(y, SR, 8000)
    at_8, at_16 = measured(narrow, 8000), measured(soxr.resample(narrow, 8000, SR))
    assert at_8["4200-5500 Hz, dB"] == -60
    for name, value in at_8.items():  # the same sound, stored at two rates
        assert at_16[name] == pytest.approx(value, abs=1.0), name


@pytest.mark.parametrize(("sample_rate", "last"), [(8000, 3400), (16000, 7000), (44100, 14000), (48000, 20000)])
def test_bands_end_below_what_models_hear(sample_rate, last):
    assert profile_names(sample_rate)[-1].endswith(f"-{last} Hz, dB")


@pytest.mark.parametrize("length", [1, 100, 511])
def test_silence_and_what_is_shorter_than_a_frame_have_finite_numbers(length):
    measured(np.zeros(length))
    measured(np.ones(length))
