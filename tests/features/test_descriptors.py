"""Descriptors: which frames they are of, what is a pause, and what stands for the voice of a clip without one."""

import numpy as np
import pytest

from feature_settings import functional_settings
from ser.features.descriptors import REFERENCE_F0, STAND_IN_F0, STAND_IN_FRAMES, describe, unvoiced_frames
from ser.features.frames import spectrum
from ser.features.functional_sets import ALL_GROUPS
from speech_samples import DEMO_RATE, speech
from synthetic_voices import harmonic_tone, voice

SR, HOP = DEMO_RATE, 256


def described(y, groups=ALL_GROUPS, **changes):
    settings = functional_settings(**changes)
    return describe(spectrum(y.astype(np.float32), SR, n_fft=512, hop_length=HOP), settings, set(groups))


def test_every_descriptor_has_a_value_a_frame_and_those_of_the_voice_a_value_a_voiced_frame():
    y = speech("demo")[0]
    found = described(y)
    frames = 1 + len(y) // HOP
    assert found.rate == SR / HOP
    assert {values.shape for values in found.every.values()} == {(frames,)}
    assert {values.shape for values in found.voice.values()} == {(found.voiced.sum(),)}
    assert found.voiced.shape == found.pause.shape == (frames,)
    assert 0.2 < found.voiced.mean() < 0.95


def test_no_descriptor_is_measured_twice():
    found = described(speech("demo")[0])
    assert not set(found.every) & set(found.voice)


def test_descriptors_are_those_of_the_groups_only():
    y = speech("demo")[0]
    everything = described(y)
    for group in ALL_GROUPS:
        found = described(y, [group])
        for part, whole in ((found.every, everything.every), (found.voice, everything.voice)):
            for name, values in part.items():
                np.testing.assert_array_equal(values, whole[name])
        if group != "segments":
            assert len(found.every) + len(found.voice) < len(everything.every) + len(everything.voice)


def test_frames_far_below_the_loudest_are_pauses():
    speech_between = np.concatenate([np.zeros(SR), voice(), 0.001 * voice(), 0.1 * voice()])
    found = described(speech_between)
    seconds = np.arange(len(found.pause)) * HOP / SR
    length = len(voice()) / SR
    assert found.pause[seconds < 0.95].all()
    assert not found.pause[(seconds > 1.1) & (seconds < 1 + length - 0.15)].any()
    assert found.pause[(seconds > 1.1 + length) & (seconds < 1 + 2 * length - 0.15)].all()  # 60 dB below
    assert not found.pause[(seconds > 1.1 + 2 * length) & (seconds < 1 + 3 * length - 0.15)].any()  # 20 dB below
    assert described(speech_between, pause_db=15.0).pause.mean() > found.pause.mean()


@pytest.mark.parametrize("f0", [110.0, 220.0])
def test_pitch_is_in_semitones_above_the_lowest_a(f0):
    found = described(harmonic_tone(np.full(SR, f0), SR))
    assert pytest.approx(27.5) == REFERENCE_F0
    np.testing.assert_allclose(found.voice["f0"][4:-4], 12 * np.log2(f0 / 27.5), atol=0.1)


@pytest.mark.parametrize("offset", [0.02, -0.1, 0.5])
def test_a_constant_offset_of_the_recording_is_no_voice(offset):
    """Sound cards add one, and `prepare.remove_dc` is off by default."""
    y = voice(130.0, jitter=0.01, shimmer=0.5, hnr=12.0)
    clean, found = described(y), described(y + np.float32(offset))
    assert (found.voiced == clean.voiced).mean() > 0.97
    for name, tolerance in {"f0": 0.1, "jitter": 0.001, "shimmer": 0.1, "hnr": 0.3}.items():
        assert found.voice[name].mean() == pytest.approx(clean.voice[name].mean(), abs=tolerance), name


@pytest.mark.parametrize("content", ["silence", "noise"])
def test_loudest_frames_stand_for_the_voice_of_a_clip_without_one(content):
    y = np.zeros(SR) if content == "silence" else 0.1 * np.random.default_rng(1).standard_normal(SR)
    y[8000:9000] *= 3
    found = described(y)
    assert found.voiced.sum() == STAND_IN_FRAMES
    np.testing.assert_allclose(found.voice["f0"], 12 * np.log2(STAND_IN_F0 / REFERENCE_F0), rtol=1e-5)
    assert all(np.isfinite(values).all() for values in found.voice.values())
    if content == "noise":
        assert set(np.flatnonzero(found.voiced)) <= set(range(8000 // HOP, 9000 // HOP + 3))
        assert found.voice["hnr"].mean() < 5


def test_unvoiced_frames_have_no_pitch_and_are_no_pause():
    found = described(speech("demo")[0])
    assert found.unvoiced.any()
    assert not (found.unvoiced & (found.voiced | found.pause)).any()
    assert (found.unvoiced | found.voiced | found.pause).all()


def test_quietest_frames_stand_for_the_unvoiced_ones_of_a_clip_without_any():
    voiced, pause = np.ones(20, dtype=bool), np.zeros(20, dtype=bool)
    level = np.arange(20, 0, -1.0)
    np.testing.assert_array_equal(np.flatnonzero(unvoiced_frames(voiced, pause, level)), range(15, 20))
    assert unvoiced_frames(voiced[:1], pause[:1], level[:1]).sum() == 1
