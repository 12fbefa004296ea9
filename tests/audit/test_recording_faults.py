"""Measurements of raw recordings: right on signals whose properties are known, and never a failure."""

import warnings

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from conftest import CORPORA, needs_corpora
from ser.audit.recording_faults import measure
from speech_samples import speech

SR = 16000


def noise(seconds=1.0, sr=SR, level=0.1):
    return (level * np.random.default_rng(1).standard_normal(int(seconds * sr))).astype(np.float32)


def sine(frequency, seconds=1.0, sr=SR, level=0.5):
    return (level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * sr)) / sr)).astype(np.float32)


@given(
    arrays(np.float32, st.integers(1, 300), elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
    | arrays(np.float64, st.integers(1, 50), elements=st.floats(allow_nan=False, allow_infinity=False)),
    st.sampled_from([1, 8000, 44100, 192000]),
)
def test_any_finite_clip_can_be_measured(y, sr):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure(y, sr)
    assert all(type(value) is float and np.isfinite(value) for value in found.values()), found
    assert 0 <= found["leading_zeros"] <= found["seconds"] == len(y) / sr
    assert 0 <= found["trailing_zeros"] <= found["seconds"]
    assert found["level_db"] <= found["peak_db"] + 1e-3
    assert 0 <= found["clipped"] <= 1
    assert 0 <= found["bandwidth"] <= sr / 2


@pytest.mark.parametrize("value", [0.0, 0.7, -1.0])
@pytest.mark.parametrize("samples", [1, 2, 5000])
def test_constant_clip_is_silence_of_one_level(value, samples):
    found = measure(np.full(samples, value, dtype=np.float32), SR)
    assert found["dc"] == pytest.approx(value)
    assert found["clipped"] == found["bandwidth"] == 0
    if samples > 1:
        assert found["leading_zeros"] == found["trailing_zeros"] == samples / SR
    assert found["peak_db"] == (pytest.approx(20 * np.log10(abs(value)), abs=1e-4) if value else -200)


def test_no_sample_is_an_error():
    with pytest.raises(ValueError, match="no samples"):
        measure(np.zeros(0, dtype=np.float32), SR)


@pytest.mark.parametrize("offset", [0.0, 0.003])
def test_digital_silence_at_both_ends_is_measured(offset):
    y = np.pad(noise(), (4000, 160)) + np.float32(offset)
    found = measure(y, SR)
    assert (found["leading_zeros"], found["trailing_zeros"]) == (0.25, 0.01)
    assert found["dc"] == pytest.approx(offset, abs=2e-3)


def test_dither_is_no_digital_silence():
    dither = np.random.default_rng(0).integers(-1, 2, 4000) / 32768
    found = measure(np.concatenate([dither, noise(), dither]).astype(np.float32), SR)
    assert max(found["leading_zeros"], found["trailing_zeros"]) < 0.001


def test_levels_of_a_sine_and_of_the_same_12_db_softer():
    found = measure(sine(440, level=1.0), SR)
    assert found["peak_db"] == pytest.approx(0, abs=0.01)
    assert found["level_db"] == pytest.approx(-3.01, abs=0.01)
    softer = measure(sine(440, level=0.25), SR)
    assert found["peak_db"] - softer["peak_db"] == pytest.approx(12.04, abs=0.01)
    assert found["level_db"] - softer["level_db"] == pytest.approx(12.04, abs=0.01)


def test_clipped_samples_are_counted_though_the_level_was_lowered_later():
    loud = 2 * sine(110)
    clipped = np.clip(loud, -0.6, 0.6)
    assert measure(clipped, SR)["clipped"] == pytest.approx(np.mean(np.abs(loud) >= 0.6), abs=1e-6)
    assert measure(0.9 * clipped, SR)["clipped"] == measure(clipped, SR)["clipped"]


def test_one_sided_clipping_is_counted():
    y = sine(110, level=0.9)
    assert measure(np.minimum(y, 0.7), SR)["clipped"] == pytest.approx(np.mean(y >= 0.7), abs=1e-6)


def test_full_scale_square_is_nothing_but_clipped():
    assert measure(np.sign(sine(100.3)) + (sine(100.3) == 0), SR)["clipped"] == pytest.approx(1, abs=1e-3)


def test_speech_and_flat_summits_of_rounded_soft_sounds_are_not_clipped():
    assert measure(speech("demo")[0], SR)["clipped"] == 0
    assert measure(np.rint(sine(50, level=20)).astype(np.float32) / 32768, SR)["clipped"] == 0


@pytest.mark.parametrize("sr", [8000, 22050, 48000])
def test_bandwidth_of_white_noise_is_the_nyquist_frequency(sr):
    assert measure(noise(sr=sr), sr)["bandwidth"] == pytest.approx(sr / 2, rel=0.01)


@pytest.mark.parametrize("gain", [1.0, 0.03])
@pytest.mark.parametrize("depth", ["float", "16 bit"])
def test_speech_of_a_lower_rate_is_recognised_in_a_file_of_48_khz(gain, depth):
    y = gain * soxr.resample(soxr.resample(speech("demo")[0], SR, 8000), 8000, 48000)
    if depth == "16 bit":
        y = np.rint(y * 32768).astype(np.float32) / 32768
    assert 3000 < measure(y, 48000)["bandwidth"] < 4300


@pytest.mark.parametrize("seconds", [0.3, 1.0, 3.0])
def test_bandwidth_is_little_affected_by_the_length(seconds):
    y = soxr.resample(noise(seconds, sr=8000), 8000, 48000)
    assert measure(y, 48000)["bandwidth"] == pytest.approx(4000, rel=0.2)


def test_offset_is_no_sound():
    assert measure(noise(level=0) + np.float32(0.3), SR)["bandwidth"] == 0


@needs_corpora
def test_real_speech_is_not_clipped_and_its_bandwidth_tells_its_history():
    y, sr = soundfile.read(CORPORA / "ravdess/Actor_03/03-01-05-02-01-01-03.flac", dtype="float32")
    found = measure(y, sr)
    assert found["clipped"] < 1e-4
    assert found["bandwidth"] > 15000
    assert measure(soxr.resample(soxr.resample(y, sr, 16000), 16000, sr), sr)["bandwidth"] < 8200
