"""Augmentation: each copy is changed by as much as its recipe says, and depends on its own generator only."""

import re
from types import SimpleNamespace

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ser.augmentation import add_noise, augment, change_speed, draw_kinds, shift_pitch, shift_time
from ser.demo import demo_table, synthesize
from ser.seeds import generator

SR = 16000
KINDS = ["noise", "speed", "pitch", "shift"]


def config(**changes):
    values = {
        "copies": 3,
        "kinds": KINDS,
        "snr_db": [10.0, 25.0],
        "speed": [0.9, 1.1],
        "semitones": [-2.0, 2.0],
        "shift_seconds": 0.2,
    }
    return SimpleNamespace(**values | changes)


def tone(frequency=200.0, seconds=1.0, harmonics=10, amplitude=0.3):
    """A harmonic tone, as float32."""
    time = np.arange(round(seconds * SR)) / SR
    partials = [np.sin(2 * np.pi * n * frequency * time) / n for n in range(1, harmonics + 1)]
    return (amplitude * np.sum(partials, axis=0)).astype(np.float32)


def frequency_of(y):
    """The strongest frequency of a stationary signal, to a fraction of a hertz."""
    size = 2**18
    return np.argmax(np.abs(np.fft.rfft(y * np.hanning(len(y)), size))) * SR / size


def fundamental_of(y):
    f0 = librosa.yin(y, fmin=80, fmax=500, sr=SR, frame_length=2048)
    return np.median(f0[2:-2])


def power(y):
    return np.mean(np.square(y, dtype=np.float64))


@pytest.fixture(scope="module")
def speech():
    section = {"seed": 1, "speakers": 2, "emotions": ["anger"], "sentences": 1, "takes": 1}
    return synthesize(demo_table(section).iloc[0], 1, SR)


# --- noise


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 25.0, 40.0])
def test_noise_has_the_signal_to_noise_ratio_asked_for(speech, snr_db):
    noise = add_noise(speech, snr_db, np.random.default_rng(1)) - speech
    assert 10 * np.log10(power(speech) / power(noise)) == pytest.approx(snr_db, abs=0.1)


def test_noise_of_a_copy_has_the_ratio_its_recipe_names(speech):
    copy, recipe = augment(speech, SR, "noise", config(), np.random.default_rng(3))
    snr_db = float(re.fullmatch(r"noise (\d+\.\d) dB", recipe)[1])
    assert 10.0 <= snr_db <= 25.0
    gain = np.dot(copy, speech) / np.dot(speech, speech)  # the copy may have been scaled down to full scale
    assert 10 * np.log10(gain**2 * power(speech) / power(copy - gain * speech)) == pytest.approx(snr_db, abs=0.5)


def test_noise_is_white_and_not_correlated_with_the_clip(speech):
    noise = add_noise(speech, 10.0, np.random.default_rng(1)) - speech
    assert abs(np.corrcoef(noise, speech)[0, 1]) < 0.03
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    quarters = [part.mean() for part in np.array_split(spectrum, 4)]
    assert max(quarters) / min(quarters) < 1.2


# --- speed


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.1, 2.0])
def test_speed_divides_the_duration_and_multiplies_the_pitch(factor):
    y = tone(harmonics=1)
    faster = change_speed(y, factor)
    assert len(faster) == pytest.approx(len(y) / factor, abs=1)
    assert frequency_of(faster) == pytest.approx(200.0 * factor, rel=0.003)


def test_speed_of_a_copy_is_the_one_its_recipe_names():
    copy, recipe = augment(tone(harmonics=1), SR, "speed", config(), np.random.default_rng(3))
    factor = float(re.fullmatch(r"speed (\d\.\d{3})", recipe)[1])
    assert 0.9 <= factor <= 1.1
    assert len(copy) == pytest.approx(SR / factor, rel=0.001)
    assert frequency_of(copy) == pytest.approx(200.0 * factor, rel=0.003)


# --- pitch


@pytest.mark.parametrize("semitones", [-4.0, -2.0, -0.5, 0.0, 0.5, 2.0, 4.0])
def test_pitch_shift_moves_the_fundamental_and_keeps_the_duration(semitones):
    y = tone()
    shifted = shift_pitch(y, SR, semitones)
    assert len(shifted) == len(y)
    expected = fundamental_of(y) * 2 ** (semitones / 12)
    assert fundamental_of(shifted) == pytest.approx(expected, rel=0.01)


def test_pitch_of_a_copy_is_the_one_its_recipe_names():
    copy, recipe = augment(tone(), SR, "pitch", config(), np.random.default_rng(3))
    semitones = float(re.fullmatch(r"pitch ([+-]\d+\.\d\d) semitones", recipe)[1])
    assert -2.0 <= semitones <= 2.0
    assert len(copy) == SR
    assert fundamental_of(copy) == pytest.approx(200.0 * 2 ** (semitones / 12), rel=0.01)


# --- shift


@pytest.mark.parametrize("seconds", [0.1, 0.25])
def test_positive_shift_puts_silence_before_the_clip(speech, seconds):
    shifted = shift_time(speech, SR, seconds)
    silence = round(seconds * SR)
    assert not shifted[:silence].any()
    np.testing.assert_array_equal(shifted[silence:], speech)


@pytest.mark.parametrize("seconds", [-0.1, -0.25])
def test_negative_shift_puts_silence_after_the_clip(speech, seconds):
    shifted = shift_time(speech, SR, seconds)
    np.testing.assert_array_equal(shifted[: len(speech)], speech)
    assert len(shifted) == len(speech) + round(-seconds * SR)
    assert not shifted[len(speech) :].any()


def test_no_shift_changes_nothing(speech):
    np.testing.assert_array_equal(shift_time(speech, SR, 0.0), speech)


@pytest.mark.parametrize("seed", range(6))
def test_shift_of_a_copy_is_the_one_its_recipe_names(speech, seed):
    copy, recipe = augment(speech, SR, "shift", config(), np.random.default_rng(seed))
    seconds = float(re.fullmatch(r"shift ([+-]\d\.\d{3}) s", recipe)[1])
    assert abs(seconds) <= 0.2
    assert len(copy) - len(speech) == pytest.approx(abs(seconds) * SR, abs=0.0005 * SR + 1)
    start = len(copy) - len(speech) if seconds > 0 else 0
    np.testing.assert_array_equal(copy[start : start + len(speech)], speech)


def test_shifts_go_both_ways(speech):
    recipes = [augment(speech, SR, "shift", config(), np.random.default_rng(seed))[1] for seed in range(20)]
    assert {recipe[6] for recipe in recipes} == {"+", "-"}


# --- any copy


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("amplitude", [0.001, 1.0])
def test_copy_never_exceeds_full_scale_and_is_float32(kind, amplitude):
    clip = amplitude * np.sign(tone())  # a square wave at full scale overshoots when it is resampled
    for seed in range(5):
        copy, _ = augment(clip, SR, kind, config(snr_db=[0.0, 5.0]), np.random.default_rng(seed))
        assert copy.dtype == np.float32
        assert copy.ndim == 1
        assert np.isfinite(copy).all()
        assert np.abs(copy).max() <= 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_quiet_copy_is_not_made_louder(kind):
    clip = 0.01 * tone()
    copy, _ = augment(clip, SR, kind, config(), np.random.default_rng(1))
    assert np.sqrt(power(copy)) == pytest.approx(np.sqrt(power(clip)), rel=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_silence_stays_silence(kind):
    copy, _ = augment(np.zeros(SR, dtype=np.float32), SR, kind, config(), np.random.default_rng(1))
    assert not copy.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [800, 4800])
def test_short_clips_can_be_augmented(kind, samples):
    clip = tone()[:samples]
    copy, _ = augment(clip, SR, kind, config(), np.random.default_rng(1))
    assert len(copy) >= samples / 1.1 - 1
    assert np.isfinite(copy).all()


@pytest.mark.parametrize("kind", KINDS)
def test_clip_itself_is_left_as_it_was(kind):
    clip = tone()
    before = clip.copy()
    augment(clip, SR, kind, config(), np.random.default_rng(1))
    np.testing.assert_array_equal(clip, before)


@pytest.mark.parametrize("kind", KINDS)
def test_same_generator_makes_the_same_copy_and_another_a_different_one(speech, kind):
    copy, recipe = augment(speech, SR, kind, config(), generator(1, "clip", 0))
    again, recipe_again = augment(speech, SR, kind, config(), generator(1, "clip", 0))
    other, other_recipe = augment(speech, SR, kind, config(), generator(1, "clip", 1))
    assert recipe == recipe_again != other_recipe
    assert copy.tobytes() == again.tobytes()
    assert copy.tobytes() != other.tobytes()


def test_copies_do_not_depend_on_what_was_augmented_before(speech):
    def copies(order):
        made = {kind: augment(speech, SR, kind, config(), generator(1, "clip", kind))[0] for kind in order}
        return {kind: made[kind].tobytes() for kind in KINDS}

    assert copies(KINDS) == copies(KINDS[::-1])


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="kind is 'echo'; allowed are noise, speed, pitch and shift"):
        augment(tone(), SR, "echo", config(), np.random.default_rng(1))


# --- drawing kinds


@hypothesis_settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.integers(0, 13), st.sets(st.sampled_from(KINDS), min_size=1), st.integers(0, 1000))
def test_kinds_do_not_repeat_before_all_are_used(copies, kinds, seed):
    drawn = draw_kinds(config(copies=copies, kinds=sorted(kinds)), np.random.default_rng(seed))
    assert len(drawn) == copies
    for start in range(0, copies, len(kinds)):
        lap = drawn[start : start + len(kinds)]
        assert len(set(lap)) == len(lap)
        assert set(lap) <= kinds


def test_kinds_are_drawn_anew_for_each_clip():
    draws = {tuple(draw_kinds(config(), generator(1, f"clip{number}"))) for number in range(500)}
    assert len(draws) == 24  # every order of three of four kinds
    assert draw_kinds(config(), generator(1, "clip")) == draw_kinds(config(), generator(1, "clip"))
