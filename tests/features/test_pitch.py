"""Pitch: that of synthesized tones and voices, and on recorded speech what Praat finds."""

import numpy as np
import parselmouth
import pytest

from ser.features import pitch
from ser.features.frames import spectrum
from speech_samples import prepared_speech
from synthetic_voices import DAMPED, NEUTRAL_TUBE, add_noise, harmonic_tone, pulses, resonate, voice, whisper

SR, HOP = 16000, 256
EDGE = 4  # frames at either end, where a window holds less than the tone


def track(y, sr=SR, hop=HOP):
    return pitch.track_pitch(pitch.low_band(y, sr), np.arange(1 + len(y) // hop) * hop / sr)


def spectral_track(y, sr=SR):
    """Return the pitch every 10 ms, as the features have it: with what the power spectrum tells."""
    return pitch.pitch_of(spectrum(y, sr, n_fft=round(0.032 * sr), hop_length=sr // 100))[1]


# --- synthesized tones


@pytest.mark.parametrize("f0", [60.0, 66.0, 80.0, 113.7, 150.0, 220.0, 311.1, 450.0, 540.0, 777.7, 1000.0])
def test_pitch_of_a_harmonic_tone_is_its_rate(f0):
    found = track(harmonic_tone(np.full(SR, f0), SR)).f0[EDGE:-EDGE]
    np.testing.assert_allclose(found, f0, rtol=0.01)


def impulses(f0, sr):
    """Return single samples, as near to their time as samples are: cycles are uneven by up to one of them."""
    y = np.zeros(sr // 2)
    y[np.rint(np.arange(0, 0.5 - 1 / sr, 1 / f0) * sr).astype(int)] = 1
    return y


def band_limited(f0, sr):
    """Return impulses at their very time."""
    return pulses(np.full(round(0.45 * f0), 1 / f0), np.ones(round(0.45 * f0)), sr)


def vowel(f0, sr):
    """Return harmonics that fall by 6 dB an octave through three resonances."""
    tone = harmonic_tone(np.full(sr // 2, f0), sr, harmonics=range(1, 134), top=sr)
    return resonate(tone, ((650.0, 110.0), (1400.0, 150.0), (2600.0, 200.0)), sr)


@pytest.mark.parametrize("snr", [None, 20.0])
@pytest.mark.parametrize(
    ("train", "sr"),
    [(impulses, 16000), (impulses, 48000), (vowel, 16000), *((band_limited, sr) for sr in (8000, 16000, 22050, 48000))],
)
def test_pulses_at_any_rate_have_their_pitch(train, sr, snr):
    """From 60 to 1,000 a second, white noise 20 dB below or none: within 2 %, no octave lost, none unvoiced."""
    rates = np.arange(60.0, 1001.0, 10.0)
    wrong = []
    for f0 in rates:
        y = train(f0, sr)
        y = y if snr is None else add_noise(y, snr)
        found = spectral_track((0.5 * y / np.abs(y).max()).astype(np.float32), sr).f0[8:-10]
        if (np.abs(found / f0 - 1) > 0.02).any():
            wrong.append((f0, found.min(), found.max()))
    assert not wrong


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
@pytest.mark.parametrize("f0", [70.0, 100.0, 180.0, 240.0, 480.0])
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


# --- voices at the ends of what there is

CHILD = ((1000.0, 110.0), (1900.0, 150.0), (3300.0, 200.0), (4600.0, 300.0))  # Hz, an open vowel


@pytest.mark.parametrize("f0", [300.0, 370.0, 450.0, 520.0, 600.0, 800.0])
@pytest.mark.parametrize("hnr", [None, 15.0])
def test_a_high_voice_in_a_short_tube_has_its_pitch(f0, hnr):
    found = spectral_track(voice(f0, jitter=0.01, shimmer=0.3, hnr=hnr, resonances=CHILD)).f0[10:-10]
    np.testing.assert_allclose(found, f0, rtol=0.03)


@pytest.mark.parametrize("f0", [60.0, 65.0, 75.0])
@pytest.mark.parametrize("hnr", [None, 15.0])
def test_a_very_low_voice_has_its_pitch(f0, hnr):
    found = spectral_track(voice(f0, hnr=hnr, resonances=NEUTRAL_TUBE)).f0[10:-10]
    np.testing.assert_allclose(found, f0, rtol=0.03)


@pytest.mark.parametrize("f0", [90.0, 120.0, 220.0, 350.0])
@pytest.mark.parametrize("hnr", [0.0, 5.0])
def test_a_breathy_voice_is_voiced(f0, hnr):
    found = spectral_track(voice(f0, hnr=hnr, resonances=NEUTRAL_TUBE)).f0[10:-10]
    assert (found > 0).mean() > 0.95
    assert (np.abs(found[found > 0] / f0 - 1) < 0.05).mean() > 0.95


@pytest.mark.parametrize("f0", [65.0, 75.0])
def test_creak_is_low_where_it_is_voiced(f0):
    """Cycles that differ by a tenth from one to the next: seldom regular for three of them, but never a high voice."""
    found = spectral_track(voice(f0, jitter=0.1, shimmer=1.0, resonances=DAMPED)).f0[10:-10]
    assert (found > 0).mean() > 0.5
    assert (found < 1.35 * f0).all()
    assert np.median(found[found > 0]) == pytest.approx(f0, rel=0.15)


@pytest.mark.parametrize("f0", [35.0, 45.0])
def test_single_pulses_are_no_voice(f0):
    """What is slower than the lowest voice is not taken for a voice of twice the pitch, nor for its resonances."""
    assert (spectral_track(voice(f0, resonances=DAMPED)).f0 > 0).mean() < 0.05


@pytest.mark.parametrize("f0", [90.0, 120.0, 160.0, 300.0])
def test_uneven_cycles_are_not_taken_for_one_of_twice_their_length(f0):
    found = spectral_track(voice(f0, jitter=0.02)).f0[10:-10]
    assert (np.abs(found / f0 - 1) < 0.1).mean() > 0.95


def test_whisper_is_mostly_unvoiced():
    """Noise through resonances rings at the lowest of them, the more so the narrower it is."""
    assert np.mean([(spectral_track(whisper(seed)).f0 > 0).mean() for seed in range(10)]) < 0.15


# --- voiced or not


def test_a_voice_that_hiss_drowns_is_unvoiced():
    """What is below 2 kHz is as periodic as before; a voiced fricative is as voiced as Praat has it."""
    low = harmonic_tone(np.full(SR, 150.0), SR, top=1500.0)
    hiss = np.diff(np.diff(np.random.default_rng(1).standard_normal(SR + 2)))
    hiss *= np.sqrt(np.mean(low**2) / np.mean(hiss**2))
    for decibels, voiced in [(-20, True), (-6, True), (15, False)]:
        y = (low + 10 ** (decibels / 20) * hiss).astype(np.float32)
        found = spectral_track(0.1 * y).f0[EDGE:-EDGE]
        assert (found > 0).mean() > 0.95 if voiced else (found > 0).mean() < 0.05


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


# --- recorded speech


@pytest.mark.parametrize(("corpus", "ceiling"), [("ravdess", 1000.0), ("emodb", 600.0)])
def test_pitch_of_recorded_speech_is_what_praat_finds(corpus, ceiling):
    """On two dozen clips spread over each corpus, frame by frame.

    Over all clips, with frames as far apart, there are 0.6 and 0.8 % gross errors, 4 and 5 % of the voiced frames are
    unvoiced in Praat, and 2 and 3 % of Praat's are missed; the frames of both lie up to 5 ms apart.
    """
    both = gross = ours = theirs = 0
    for y in prepared_speech(corpus, 24):
        found = spectral_track(y).f0
        sound = parselmouth.Sound(y.astype(np.float64), SR)
        praat = sound.to_pitch_ac(time_step=0.01, pitch_floor=65.0, pitch_ceiling=ceiling)
        nearest = np.rint(praat.xs() / 0.01).astype(int)
        reference, found = praat.selected_array["frequency"], found[nearest]
        voiced = (reference > 0) & (found > 0)
        both += voiced.sum()
        gross += (np.abs(found[voiced] / reference[voiced] - 1) > 0.2).sum()
        ours += (found > 0).sum()
        theirs += (reference > 0).sum()
    assert gross / both < 0.02
    assert 1 - both / ours < 0.08
    assert 1 - both / theirs < 0.1
