"""Formants are the resonances that a synthesized vowel was given."""

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz

from ser.features import formants
from ser.features.frames import spectrum
from synthetic_voices import NEUTRAL_TUBE, voice

VOWELS = {
    "a": ((700.0, 80.0), (1150.0, 90.0), (2500.0, 130.0), (3500.0, 200.0), (4500.0, 250.0)),
    "e": ((400.0, 70.0), (2000.0, 100.0), (2600.0, 130.0), (3500.0, 200.0), (4500.0, 250.0)),
    "i": ((280.0, 60.0), (2250.0, 100.0), (2900.0, 150.0), (3600.0, 200.0), (4500.0, 250.0)),
    "u": ((310.0, 60.0), (870.0, 80.0), (2250.0, 120.0), (3300.0, 200.0), (4500.0, 250.0)),
    "neutral": NEUTRAL_TUBE,
    "three": ((600.0, 80.0), (1700.0, 100.0), (2600.0, 120.0)),
}


def measured(vowel, f0, *, sr=16000, n_fft=512):
    """Return the median of frequency and bandwidth of each formant over the frames that are not at the ends."""
    clip = spectrum(voice(f0, sr=sr, resonances=vowel, corner=50.0), sr, n_fft=n_fft, hop_length=n_fft // 2)
    found = formants.formants(clip.power[8:-8], sr=sr)
    frequency = np.array([np.median(found[f"f{number}"]) for number in (1, 2, 3)])
    bandwidth = np.array([np.median(found[f"f{number}_bandwidth"]) for number in (1, 2, 3)])
    return frequency, bandwidth


# --- synthesized vowels


@pytest.mark.parametrize("vowel", VOWELS)
@pytest.mark.parametrize(("f0", "first"), [(100.0, 0.05), (130.0, 0.08), (160.0, 0.08), (220.0, 0.2)])
def test_frequencies_are_those_of_the_resonators(vowel, f0, first):
    """F2 and F3 within 4 % whatever the voice; F1, which the nearest harmonic attracts, the better the lower the voice.

    At 220 Hz the first formant of [i] and [u] lies between the first two harmonics and can only be guessed.
    """
    given = np.array(VOWELS[vowel])[:3, 0]
    frequency, _ = measured(VOWELS[vowel], f0)
    assert (np.abs(frequency / given - 1) < [first, 0.04, 0.04]).all(), frequency


@pytest.mark.parametrize("vowel", VOWELS)
def test_bandwidths_of_a_low_voice_are_those_of_the_resonators_within_a_factor(vowel):
    given = np.array(VOWELS[vowel])[:3, 1]
    _, bandwidth = measured(VOWELS[vowel], 100.0)
    assert (np.abs(np.log(bandwidth / given)) < np.log(1.6)).all(), bandwidth


@pytest.mark.parametrize(("sr", "n_fft"), [(8000, 256), (11025, 512), (16000, 1024), (22050, 512), (48000, 2048)])
def test_sample_rate_and_frame_length_do_not_matter(sr, n_fft):
    given = np.array(NEUTRAL_TUBE)[:3, 0]
    frequency, _ = measured(NEUTRAL_TUBE[:3] if sr < 11025 else NEUTRAL_TUBE, 100.0, sr=sr, n_fft=n_fft)
    np.testing.assert_allclose(frequency, given, rtol=0.06)


# --- steps on the way


def test_recursion_solves_the_normal_equations():
    rng = np.random.default_rng(1)
    frames = rng.standard_normal((6, 200))
    r = np.array([[frame[: 200 - lag] @ frame[lag:] for lag in range(formants.ORDER + 1)] for frame in frames])
    r *= [[1.0], [1e-6], [1e6], [1.0], [1.0], [1.0]]
    floored = r + np.eye(1, formants.ORDER + 1) * 1e-4 * r[:, :1]
    expected = [[1, *solve_toeplitz(row[:-1], -row[1:])] for row in floored]
    np.testing.assert_allclose(formants.levinson(r), expected, rtol=1e-4, atol=1e-5)


def test_silent_frame_is_predicted_by_nothing():
    coefficients = formants.levinson(np.zeros((1, formants.ORDER + 1)))
    np.testing.assert_array_equal(coefficients, np.eye(1, formants.ORDER + 1))


def test_resonances_of_an_all_pole_spectrum_are_its_poles():
    sr, poles = 10000.0, ((600.0, 100.0), (1800.0, 150.0), (3000.0, 200.0))
    a = np.array([1.0])
    for frequency, bandwidth in poles:
        radius = np.exp(-np.pi * bandwidth / sr)
        a = np.convolve(a, [1, -2 * radius * np.cos(2 * np.pi * frequency / sr), radius**2])
    inverse = np.abs(np.fft.rfft(a, 2 * (formants.GRID - 1))) ** 2
    frames, frequency, bandwidth = formants.resonances(
        np.stack([inverse, np.ones_like(inverse), inverse]).astype(np.float32), sr / 2 / (formants.GRID - 1)
    )
    np.testing.assert_array_equal(frames, [0, 0, 0, 2, 2, 2])
    np.testing.assert_allclose(frequency, [600, 1800, 3000] * 2, rtol=0.02)
    np.testing.assert_allclose(bandwidth, [100, 150, 200] * 2, rtol=0.15)


def test_formant_that_a_frame_lacks_is_the_mean_of_the_others():
    frames, frequency = np.array([0, 0, 1, 1, 3]), np.array([500.0, 1500.0, 520.0, 1600.0, 480.0])
    found = formants.first_resonances(4, frames, frequency, frequency / 10, 2)
    np.testing.assert_allclose(found["f1"], [500, 520, 500, 480])
    np.testing.assert_allclose(found["f2"], [1500, 1600, 1550, 1550])
    np.testing.assert_allclose(found["f2_bandwidth"], [150, 160, 155, 155])


def test_formant_that_no_frame_has_is_that_of_a_neutral_tube():
    found = formants.first_resonances(1, np.array([0]), np.array([520.0]), np.array([50.0]), 3)
    assert {name: float(value[0]) for name, value in found.items()} == {
        "f1": 520,
        "f2": 1500,
        "f3": 2500,
        "f1_bandwidth": 50,
        "f2_bandwidth": 100,
        "f3_bandwidth": 120,
    }


def test_what_is_above_the_first_formants_is_left_out():
    frames, frequency = np.zeros(4, dtype=int), np.array([500.0, 1500.0, 2500.0, 3500.0])
    found = formants.first_resonances(1, frames, frequency, frequency / 10, 3)
    assert [float(found[name][0]) for name in ("f1", "f2", "f3")] == [500, 1500, 2500]
