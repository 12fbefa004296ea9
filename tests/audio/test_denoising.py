"""Denoising: steady noise goes, speech stays, and nothing else about a clip changes."""

from functools import cache

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ser.audio.denoising import denoise, noise_floor
from speech_samples import SPEECH, speech

SR = 16000


@cache
def clean_speech(corpus):
    y, sr = speech(corpus)
    return soxr.resample(y, sr, SR).astype(np.float32)


def noise(kind, length, seed=1):
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal(length))
    if kind == "pink":
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum, length)


def power(y):
    return float(np.mean(np.square(y, dtype=np.float64)))


def snr_db(y, changed):
    return 10 * np.log10(power(y) / power(y - changed))


def noisy(corpus, kind, db):
    y = clean_speech(corpus)
    added = noise(kind, len(y))
    return y + added * np.sqrt(power(y) / power(added) / 10 ** (db / 10))


@pytest.mark.parametrize("corpus", SPEECH)
@pytest.mark.parametrize(("kind", "least"), [("white", 3.0), ("pink", 1.0)])
@pytest.mark.parametrize("db", [0, 10, 20])
def test_speech_in_steady_noise_gains(corpus, kind, least, db):
    y = noisy(corpus, kind, db)
    assert snr_db(clean_speech(corpus), denoise(y, SR, 12.0)) > db + least


@pytest.mark.parametrize(("corpus", "least"), [("demo", 40), ("ravdess", 40), ("emodb", 25)])
def test_clean_speech_is_left_nearly_untouched(corpus, least):
    y = clean_speech(corpus)
    assert snr_db(y, denoise(y, SR, 12.0)) > least


@pytest.mark.parametrize("reduction_db", [6.0, 12.0, 24.0])
def test_noise_alone_is_attenuated_by_what_was_asked_and_no_more(reduction_db):
    y = noise("white", 3 * SR)
    change = 10 * np.log10(power(denoise(y, SR, reduction_db)) / power(y))
    assert -reduction_db - 0.01 <= change < -0.7 * reduction_db


def test_a_pause_between_words_is_attenuated_and_the_words_are_not():
    tone = np.sin(2 * np.pi * 500 * np.arange(SR) / SR)
    y = np.concatenate([tone, np.zeros(SR), tone]) + 0.003 * noise("white", 3 * SR)
    changed = denoise(y, SR, 20.0)
    middle, word = slice(SR + 2000, 2 * SR - 2000), slice(2000, SR - 2000)
    assert power(changed[middle]) < 0.05 * power(y[middle])
    assert power(changed[word]) == pytest.approx(power(y[word]), rel=0.001)


def test_the_noise_is_found_although_the_clip_is_padded_with_digital_silence():
    padding = np.zeros(SR)
    y = noisy("demo", "white", 5)
    changed = denoise(np.concatenate([padding, y, padding]), SR, 12.0)
    assert snr_db(clean_speech("demo"), changed[SR : SR + len(y)]) > 5 + 2


def test_silence_has_no_noise_floor():
    assert noise_floor(np.zeros((257, 100))) is None
    assert noise_floor(np.zeros((257, 0))) is None
    np.testing.assert_array_equal(denoise(np.zeros(SR, np.float32), SR, 12.0), np.zeros(SR))


def test_the_noise_floor_is_that_of_the_quietest_frames():
    frames = np.concatenate([np.full(80, 9.0), np.full(20, 2.0), np.zeros(50)])
    np.testing.assert_allclose(noise_floor(np.tile(frames, (257, 1))), 2.0)


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 48000])
@pytest.mark.parametrize("length", [1, 100, 511, 512, 513, 1791, 1792, 5000, 30001])
def test_any_length_is_kept_and_the_result_repeats(sr, length):
    y = noise("white", length).astype(np.float32) if length > 1 else np.ones(1, np.float32)
    changed = denoise(y, sr, 12.0)
    assert changed.shape == y.shape
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    np.testing.assert_array_equal(changed, denoise(y, sr, 12.0))


signals = hnp.arrays(np.float32, st.integers(1, 60), elements=st.floats(-1.0, 1.0, width=32)).map(
    lambda y: np.tile(np.repeat(y, 5), 100)
)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(signals, st.floats(0.1, 60.0), st.sampled_from([0.001, 0.5, 30.0]))
def test_the_level_of_a_clip_does_not_matter_and_nothing_grows(y, reduction_db, gain):
    changed = denoise(y, SR, reduction_db)
    np.testing.assert_allclose(denoise(y * np.float32(gain), SR, reduction_db), changed * gain, atol=1e-4 * gain)
    assert power(changed) <= power(y) * 1.001
