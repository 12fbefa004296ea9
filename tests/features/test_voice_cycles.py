"""Jitter, shimmer and harmonics-to-noise ratio are what a synthesized voice was given."""

import numpy as np
import pytest
from scipy.signal import lfilter

from ser.features import pitch, voice_cycles
from ser.features.voice_cycles import Cycles
from synthetic_voices import DAMPED, NEUTRAL_TUBE, pulses, resonate, voice

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


def measured_with(y, f0):
    """Return the mean of each descriptor of a clip of 16 kHz whose pitch is known in frames 10 ms apart."""
    found = voice_cycles.find_cycles(y, pitch.low_band(y, 16000), f0, sr=16000, hop_length=160)
    quality = voice_cycles.voice_quality(found, np.flatnonzero(f0) * 160, sr=16000)
    return {name: values.mean() for name, values in quality.items()} | {"cycles": len(found.start)}


def gliding(first, last, *, jitter=0.0, shimmer=0.0):
    """Return 1.5 s of a voice that glides from a pitch to another, its pitch in frames 10 ms apart, and its jitter."""
    sr, seconds, rng = 16000, 1.5, np.random.default_rng(0)
    starts, periods = 0.0, []
    while starts < seconds:
        period = 1 / (first * (last / first) ** (starts / seconds))
        periods.append(period * (1 + jitter * rng.choice([-1.0, 1.0])))
        starts += period
    gains = 10 ** (shimmer * rng.choice([-1.0, 1.0], len(periods)) / 20)
    source = pulses(np.array(periods), gains, sr)
    y = resonate(lfilter([1.0], [1.0, -np.exp(-2 * np.pi * 270.0 / sr)], source), DAMPED, sr)
    times = np.arange(1 + len(y) // 160) * 0.01 - 0.02
    f0 = np.where((times > 0.01) & (times < sum(periods) - 0.04), first * (last / first) ** (times / seconds), 0)
    true = np.abs(np.diff(periods)).mean() / np.mean(periods)
    return (0.5 * y / np.abs(y).max()).astype(np.float32), f0.astype(np.float32), true


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


@pytest.mark.parametrize(("first", "last"), [(100.0, 400.0), (400.0, 100.0), (80.0, 640.0), (200.0, 1000.0)])
def test_glide_of_octaves_is_no_jitter(first, last):
    """Each octave is looked at with a period of its own; with one for all, jitter came out four times too high."""
    for jitter, shimmer in ((0.0, 0.0), (0.01, 0.5), (0.02, 0.5)):
        y, f0, true = gliding(first, last, jitter=jitter, shimmer=shimmer)
        found = measured_with(y, f0)
        assert found["jitter"] == pytest.approx(true, rel=0.3)
        assert found["shimmer"] == pytest.approx(shimmer, abs=0.2)
        assert found["cycles"] > 0.9 * np.sum(f0) * 0.01


@pytest.mark.parametrize("f0", [45.0, 60.0, 450.0, 700.0, 1000.0])
def test_very_low_and_very_high_voices_are_measured(f0):
    y, track, _ = gliding(f0, f0)
    steady = measured_with(y, track)
    y, track, true = gliding(f0, f0, jitter=0.02, shimmer=0.5)
    shaken = measured_with(y, track)
    assert steady["jitter"] < 0.002
    assert steady["shimmer"] < 0.1
    assert steady["hnr"] > 25
    assert steady["cycles"] > 0.9 * 1.4 * f0
    assert true / 2.5 < shaken["jitter"] < true * 2.5  # the shorter the period, the more rings on from the one before
    assert 0.2 < shaken["shimmer"] < 1.3


def test_noise_taken_for_a_voice_has_numbers():
    """Whisper, breath: the pitch track may err. Little in noise is alike enough to be compared."""
    y = 0.1 * np.random.default_rng(1).standard_normal(16000).astype(np.float32)
    found = measured_with(y, np.full(101, 150.0, dtype=np.float32))
    assert np.isfinite(list(found.values())).all()
    assert found["hnr"] < 0
    assert found["jitter"] < 0.1


@pytest.mark.parametrize("samples", [1, 50, 700])
def test_clip_that_is_too_short_or_silent_has_no_cycles(samples):
    y = np.zeros(samples, dtype=np.float32)
    found = measured_with(y, np.full(1 + samples // 160, 150.0, dtype=np.float32))
    assert found == {"jitter": 0, "shimmer": 0, "hnr": pytest.approx(-40, abs=0.01), "cycles": 0}


# --- steps on the way


def test_closures_are_a_period_apart():
    low = pitch.low_band(voice(100.0), 16000)
    blocks = np.ones(-(-len(low) // voice_cycles.BLOCK), dtype=int)
    closures = voice_cycles.glottal_closures(low, blocks, np.array([1.0, pitch.RATE / 100.0]))
    np.testing.assert_allclose(np.diff(closures[5:-10]), pitch.RATE / 100.0, rtol=0.01)


@pytest.mark.parametrize("period", [80.0, 80.3, 80.5, 82.9])
def test_best_match_of_two_cycles_is_a_period_away_fractions_included(period):
    t = np.arange(1000)
    y = sum(np.cos(2 * np.pi * k * t / period) / k for k in range(1, 6)).astype(np.float32)
    cycle = np.array([y[start - 40 : start + 40] for start in (200, 333)])
    later = np.array([y[start + 81 - 46 : start + 81 + 46] for start in (200, 333)])
    offset, correlation = voice_cycles.match(cycle, later)
    np.testing.assert_allclose(81 + offset, period, atol=0.03)
    np.testing.assert_allclose(correlation, 1.0, atol=0.002)


def test_perturbations_are_those_of_the_cycles_near_the_centre_of_a_frame():
    cycle = Cycles(
        start=np.array([1000.0, 1100.0, 1210.0, 1310.0]),
        period=np.array([100.0, 110.0, 100.0, 105.0]),
        correlation=np.array([0.9, 0.8, 0.9, 1.0]),
        amplitude=np.array([1.0, 0.8, 1.0, 1.0]),
    )
    quality = voice_cycles.voice_quality(cycle, np.array([1150]), sr=16000)
    assert quality["jitter"] == pytest.approx(np.mean([10, 10, 5]) / np.mean([100, 110, 100, 105]))
    assert quality["shimmer"] == pytest.approx(20 * np.log10(1.25) * 2 / 3)
    assert quality["hnr"] == pytest.approx(10 * np.log10(0.9 / 0.1))


def test_cycles_with_a_gap_between_them_are_not_compared():
    cycle = Cycles(np.array([1000.0, 1250.0]), np.array([100.0, 120.0]), np.full(2, 0.9), np.array([1.0, 0.5]))
    quality = voice_cycles.voice_quality(cycle, np.array([1100]), sr=16000)
    assert quality["jitter"] == 0
    assert quality["shimmer"] == 0


def test_cycles_that_are_too_unlike_are_not_compared():
    """Their periods or amplitudes differ by more than Praat's factors, or their waves have too little in common."""
    start = np.array([1000.0, 1100.0, 1235.0, 1335.0, 1435.0, 1535.0])
    period = np.array([100.0, 135.0, 100.0, 100.0, 100.0, 110.0])
    correlation = np.array([0.9, 0.9, 0.9, 0.2, 0.9, 0.9])
    amplitude = np.array([1.0, 0.8, 0.8, 0.9, 0.5, 1.0])
    quality = voice_cycles.voice_quality(
        Cycles(start, period, correlation, amplitude), np.array([1250]), sr=16000
    )  # left are the last two, whose amplitudes are too different
    assert quality["jitter"] == pytest.approx(10 / np.mean(period))
    assert quality["shimmer"] == 0


def test_means_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    values, weight = rng.standard_normal(40), rng.random(40) < 0.5
    low, high = np.array([0, 3, 10, 10, 39]), np.array([40, 9, 11, 10, 40])
    chosen = [values[a:b][weight[a:b]] for a, b in zip(low, high, strict=True)]
    expected = [part.mean() if len(part) else values[weight].mean() for part in chosen]
    found = voice_cycles.means(
        [(values, weight), (values, np.ones(40, dtype=bool)), (values[:0], weight[:0])], low, high
    )
    np.testing.assert_allclose(found[0], expected)
    assert found[1, 1] == pytest.approx(values[3:9].mean())
    np.testing.assert_array_equal(found[2], np.zeros(5))


def test_octaves_are_counted_from_the_median_and_rare_ones_are_none():
    f0 = np.repeat([0.0, 100.0, 200.0, 420.0, 1600.0], [50, 30, 40, 29, 1]).astype(np.float32)
    octave, typical = voice_cycles.octaves(f0)
    heights = {pitch: 1 / typical[octave[f0 == pitch]] for pitch in (100, 200, 420, 1600)}
    assert (octave[:50] == 0).all()
    assert [float(np.unique(heights[pitch])[0]) for pitch in (100, 200, 420)] == [100, 200, 400]
    assert (heights[1600] == 200).all()


def test_clip_without_cycles_has_zeros_and_the_lowest_hnr():
    quality = voice_cycles.voice_quality(NONE, np.array([0, 256]), sr=16000)
    np.testing.assert_array_equal(quality["jitter"], [0, 0])
    np.testing.assert_array_equal(quality["shimmer"], [0, 0])
    np.testing.assert_allclose(quality["hnr"], -40, atol=0.01)
