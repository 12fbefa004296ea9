"""Pitch: that of synthesized tones and voices, and on recorded speech what librosa's pYIN finds."""

from itertools import product

import librosa
import numpy as np
import pytest

from ser.features import pitch
from speech_samples import prepared_speech
from synthetic_voices import harmonic_tone, voice

SR, HOP = 16000, 256
EDGE = 4  # frames at either end, where a window holds less than the tone


def track(y, sr=SR, hop=HOP):
    return pitch.track_pitch(pitch.low_band(y, sr), np.arange(1 + len(y) // hop) * hop / sr)


# --- synthesized tones


@pytest.mark.parametrize("f0", [66.0, 80.0, 113.7, 150.0, 220.0, 311.1, 450.0, 540.0])
def test_pitch_of_a_harmonic_tone_is_its_rate(f0):
    found = track(harmonic_tone(np.full(SR, f0), SR)).f0[EDGE:-EDGE]
    np.testing.assert_allclose(found, f0, rtol=0.01)


@pytest.mark.parametrize("hop", [80, 160, 256])
@pytest.mark.parametrize(("low", "high"), [(80.0, 160.0), (150.0, 300.0), (450.0, 200.0)])
def test_pitch_of_a_glide_is_that_of_the_moment(low, high, hop):
    """An octave a second, within 1 %: frames are centred on multiples of the hop, as librosa's are."""
    f0 = np.geomspace(low, high, SR + 1)
    inside = slice(EDGE * HOP // hop, -EDGE * HOP // hop)
    found = track(harmonic_tone(f0, SR), hop=hop).f0
    np.testing.assert_allclose(found[inside], f0[::hop][inside], rtol=0.01)


@pytest.mark.parametrize("sr", [8000, 11025, 22050, 48000])
@pytest.mark.parametrize("hop", [100, 256, 1024])
def test_sample_rate_and_hop_do_not_matter(sr, hop):
    found = track(harmonic_tone(np.full(sr, 187.0), sr), sr, hop)
    assert found.f0.shape == found.voicing.shape == (1 + sr // hop,)
    inside = np.abs(np.arange(1 + sr // hop) * hop / sr - 0.5) < 0.4
    np.testing.assert_allclose(found.f0[inside], 187.0, rtol=0.01)


@pytest.mark.parametrize(
    "harmonics", [range(1, 2), range(2, 20), range(3, 20), range(1, 20, 2)], ids=["one", "from 2", "from 3", "odd"]
)
@pytest.mark.parametrize("f0", [100.0, 180.0, 240.0])
def test_no_octave_is_lost_with_some_of_the_harmonics(f0, harmonics):
    found = track(harmonic_tone(np.full(SR, f0), SR, harmonics=harmonics)).f0[EDGE:-EDGE]
    np.testing.assert_allclose(found, f0, rtol=0.01)


@pytest.mark.parametrize("f0", [90.0, 125.0, 200.0, 300.0])
@pytest.mark.parametrize("first_formant", [300.0, 500.0, 700.0])
@pytest.mark.parametrize("hnr", [None, 10.0])
def test_no_octave_is_lost_in_a_vowel(f0, first_formant, hnr):
    """The first formant makes one harmonic much stronger than the others."""
    y = voice(f0, jitter=0.005, shimmer=0.2, hnr=hnr, resonances=((first_formant, 80.0), (1500.0, 100.0)), corner=50.0)
    found = track(y).f0[8:-8]
    assert (found > 0).mean() > 0.95
    assert (np.abs(found[found > 0] / f0 - 1) < 0.05).mean() > 0.98
    assert np.median(found) == pytest.approx(f0, rel=0.01)


# --- voiced or not


def test_white_noise_is_unvoiced():
    noise = 0.1 * np.random.default_rng(1).standard_normal(4 * SR).astype(np.float32)
    assert (track(noise).f0 > 0).mean() < 0.05


def test_tone_is_voiced_and_the_silence_around_it_is_not():
    tone = harmonic_tone(np.full(SR, 150.0), SR)
    f0 = track(np.concatenate([np.zeros(SR), tone, np.zeros(SR)]).astype(np.float32)).f0
    seconds = np.arange(len(f0)) * HOP / SR
    assert (f0[(seconds > 1.03) & (seconds < 1.97)] > 0).all()
    assert (f0[(seconds < 0.97) | (seconds > 2.03)] == 0).all()


def test_a_tone_far_below_the_loudest_counts_as_silence():
    loud, soft = harmonic_tone(np.full(SR, 150.0), SR), 1e-4 * harmonic_tone(np.full(SR, 150.0), SR)
    f0 = track(np.concatenate([loud, soft])).f0
    assert (f0[len(f0) // 2 + EDGE :] == 0).all()


def test_loudness_does_not_matter():
    y = voice(140.0, jitter=0.01, hnr=10.0)
    np.testing.assert_allclose(track(0.01 * y).f0, track(y).f0, rtol=1e-4)


def test_voicing_tells_how_periodic_the_wave_is():
    values = [np.median(track(voice(hnr=hnr)).voicing) for hnr in (-10.0, 0.0, 10.0, 30.0)]
    assert (np.diff(values) > 0).all()
    assert values[-1] > 0.98
    assert all(0 <= value <= 1 for value in values)


@pytest.mark.parametrize("samples", [1, 2, 100, 800])
@pytest.mark.parametrize("content", ["zeros", "noise", "constant"])
def test_shortest_and_emptiest_clips_have_a_track(samples, content):
    noise = np.random.default_rng(1).standard_normal(samples)
    y = {"zeros": np.zeros(samples), "noise": noise, "constant": np.ones(samples)}[content].astype(np.float32)
    found = track(y)
    assert found.f0.shape == (1 + samples // HOP,)
    assert np.isfinite(found.f0).all()
    assert np.isfinite(found.voicing).all()


# --- steps on the way


@pytest.mark.parametrize("steps", range(6))
def test_best_path_is_the_best_of_all_paths(steps):
    rng = np.random.default_rng(steps)
    first, gain = rng.standard_normal(3), rng.standard_normal((steps, 3, 3))

    def total(path):
        arrivals = zip(gain, path[1:], path[:-1], strict=True)
        return first[path[0]] + sum(step[arriving, leaving] for step, arriving, leaving in arrivals)

    best = max(product(range(3), repeat=steps + 1), key=total)
    np.testing.assert_array_equal(pitch.viterbi(first, gain), best)


# --- recorded speech


@pytest.mark.parametrize("corpus", ["ravdess", "emodb"])
def test_pitch_of_recorded_speech_is_what_pyin_finds(corpus):
    """Few gross errors, and few of pYIN's voiced frames are missed, on a dozen clips spread over each corpus.

    Where to draw the line between voiced and unvoiced is less certain: pYIN with frames of 1024 and of 2048 samples
    agrees with itself on 83 to 88 % of the frames only. Over 60 clips of each corpus there were 0.4 and 1.0 % gross
    errors, 93 and 90 % of pYIN's voiced frames were found, and 86 and 87 % of all frames agreed.
    """
    both, gross, theirs, agreeing, frames = 0, 0, 0, 0, 0
    for y in prepared_speech(corpus, 12):
        reference, _, _ = librosa.pyin(y, fmin=65, fmax=500, sr=SR, frame_length=1024, hop_length=HOP)
        reference, found = np.nan_to_num(reference), track(y).f0
        voiced = (reference > 0) & (found > 0)
        both += voiced.sum()
        gross += (np.abs(found[voiced] / reference[voiced] - 1) > 0.2).sum()
        theirs += (reference > 0).sum()
        agreeing += ((reference > 0) == (found > 0)).sum()
        frames += len(found)
    assert gross / both <= 0.05
    assert both / theirs >= 0.9
    assert agreeing / frames >= 0.8
