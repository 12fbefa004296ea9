"""Jitter, shimmer and harmonics-to-noise ratio are what a synthesized voice was given."""

import numpy as np
import pytest

from ser.features import pitch, voice_cycles
from ser.features.voice_cycles import Cycles
from synthetic_voices import DAMPED, NEUTRAL_TUBE, voice

HOP = 256
VOICES = [90.0, 120.0, 160.0, 200.0, 300.0]  # Hz
NONE = Cycles(*np.empty((4, 0)))


def measured(y, sr=16000):
    """Return the mean of each descriptor over the frames that do not touch the beginning and the end of the voice."""
    low = pitch.low_band(y, sr)
    f0 = pitch.track_pitch(low, np.arange(1 + len(y) // HOP) * HOP / sr).f0
    found = voice_cycles.find_cycles(y, low, f0, sr=sr, hop_length=HOP)
    quality = voice_cycles.voice_quality(found, np.flatnonzero(f0) * HOP, sr=sr)
    edge = round(0.064 * sr / HOP)
    return {name: values[edge:-edge].mean() for name, values in quality.items()}


# --- synthesized voices


@pytest.mark.parametrize("f0", VOICES)
def test_jitter_is_that_of_the_pulses(f0):
    """Within 20 % and 0.1 percentage points; the resonances are wide, so that each cycle has its own period."""
    given = np.array([0.0, 0.005, 0.01, 0.02, 0.04])
    found = np.array([measured(voice(f0, jitter=jitter))["jitter"] for jitter in given])
    assert (np.abs(found - given) < 0.2 * given + 0.001).all(), found
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("f0", VOICES)
def test_shimmer_is_that_of_the_pulses(f0):
    """Within 20 % and 0.05 dB."""
    given = np.array([0.0, 0.1, 0.2, 0.5, 1.0, 2.0])
    found = np.array([measured(voice(f0, shimmer=shimmer))["shimmer"] for shimmer in given])
    assert (np.abs(found - given) < 0.2 * given + 0.05).all(), found
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("f0", VOICES)
def test_hnr_is_that_of_the_voice_and_the_noise_added_to_it(f0):
    given = np.array([0.0, 5.0, 10.0, 20.0, 30.0])
    found = np.array([measured(voice(f0, hnr=hnr))["hnr"] for hnr in given])
    np.testing.assert_allclose(found, given, atol=1.5)


@pytest.mark.parametrize("sr", [8000, 22050, 48000])
def test_sample_rate_matters_little(sr):
    """At 8 kHz samples miss the peaks of the wave by up to 0.2 dB."""
    resonances = DAMPED[:3]  # all that 8 kHz can hold
    assert measured(voice(sr=sr, jitter=0.01, resonances=resonances), sr)["jitter"] == pytest.approx(0.01, rel=0.15)
    assert measured(voice(sr=sr, shimmer=0.5, resonances=resonances), sr)["shimmer"] == pytest.approx(0.5, abs=0.15)
    assert measured(voice(sr=sr, hnr=15.0, resonances=resonances), sr)["hnr"] == pytest.approx(15.0, abs=1.5)


@pytest.mark.parametrize("f0", VOICES)
def test_jitter_and_shimmer_rise_with_the_perturbation_of_a_vowel(f0):
    """In narrow resonances each cycle still rings with the one before: neither period nor peak is then that of a pulse.

    So the perturbation of the wave differs from that of the pulses, by as much as a factor of two.
    """
    vowel = {"resonances": NEUTRAL_TUBE, "corner": 50.0}
    jitter = np.array([measured(voice(f0, jitter=value, **vowel))["jitter"] for value in (0.005, 0.01, 0.02)])
    shimmer = np.array([measured(voice(f0, shimmer=value, **vowel))["shimmer"] for value in (0.25, 0.5, 1.0)])
    assert (np.diff(jitter) > 0).all()
    assert (np.diff(shimmer) > 0).all()
    assert (np.abs(np.log2(jitter / [0.005, 0.01, 0.02])) < 1).all(), jitter
    assert (np.abs(np.log2(shimmer / [0.25, 0.5, 1.0])) < 1).all(), shimmer


def test_hnr_does_not_depend_on_how_loud_the_clip_is():
    y = voice(hnr=15.0)
    assert measured(0.01 * y)["hnr"] == pytest.approx(measured(y)["hnr"], abs=0.1)


# --- steps on the way


def test_closures_are_a_period_apart():
    low = pitch.low_band(voice(100.0), 16000)
    closures = voice_cycles.glottal_closures(low, pitch.RATE / 100.0)
    np.testing.assert_allclose(np.diff(closures[5:-10]), pitch.RATE / 100.0, rtol=0.01)


@pytest.mark.parametrize("period", [80.0, 80.3, 80.5, 82.9])
def test_best_match_of_two_cycles_is_a_period_away_fractions_included(period):
    t = np.arange(1000)
    y = sum(np.cos(2 * np.pi * k * t / period) / k for k in range(1, 6)).astype(np.float32)
    offset, correlation = voice_cycles.match(y, np.array([200, 333]), np.array([81, 81]), half=40, reach=6)
    np.testing.assert_allclose(81 + offset, period, atol=0.03)
    np.testing.assert_allclose(correlation, 1.0, atol=0.002)


def test_perturbations_are_those_of_the_cycles_near_the_centre_of_a_frame():
    cycle = Cycles(
        start=np.array([1000.0, 1100.0, 1210.0, 1310.0]),
        period=np.array([100.0, 110.0, 100.0, 105.0]),
        correlation=np.array([0.9, 0.8, 0.9, 1.0]),
        amplitude=np.array([1.0, 0.5, 1.0, 1.0]),
    )
    quality = voice_cycles.voice_quality(cycle, np.array([1150]), sr=16000)
    assert quality["jitter"] == pytest.approx(np.mean([10, 10, 5]) / np.mean([100, 110, 100, 105]))
    assert quality["shimmer"] == pytest.approx(20 * np.log10(2) * 2 / 3)
    assert quality["hnr"] == pytest.approx(10 * np.log10(0.9 / 0.1))


def test_cycles_with_a_gap_between_them_are_not_compared():
    cycle = Cycles(np.array([1000.0, 1250.0]), np.array([100.0, 120.0]), np.full(2, 0.9), np.array([1.0, 0.5]))
    quality = voice_cycles.voice_quality(cycle, np.array([1100]), sr=16000)
    assert quality["jitter"] == 0
    assert quality["shimmer"] == 0


def test_mean_near_a_centre_is_that_of_a_plain_loop():
    rng = np.random.default_rng(1)
    positions, values = np.sort(rng.uniform(0, 1000, 40)), rng.standard_normal(40)
    centres = np.array([-500.0, 0.0, 333.0, 990.0, 5000.0])
    near = [values[np.abs(positions - centre) < 60] for centre in centres]
    expected = [part.mean() if len(part) else values.mean() for part in near]
    np.testing.assert_allclose(voice_cycles.average(values, *voice_cycles.near(positions, centres, 60)), expected)


def test_clip_without_cycles_has_zeros_and_the_lowest_hnr():
    quality = voice_cycles.voice_quality(NONE, np.array([0, 256]), sr=16000)
    np.testing.assert_array_equal(quality["jitter"], [0, 0])
    np.testing.assert_array_equal(quality["shimmer"], [0, 0])
    np.testing.assert_allclose(quality["hnr"], -40, atol=0.01)
