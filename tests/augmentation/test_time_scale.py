"""Stretching keeps the pitch, shifting keeps the duration, and both keep the sound: closer to it than librosa's."""

import librosa
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conftest import CORPORA, needs_corpora
from ser.augmentation.time_scale import fit_duration, nearest_semitones, shift_pitch, stretch
from ser.demo.synthetic_speech import demo_table, synthesize

SR = 16000
FACTORS = [0.5, 0.8, 0.9, 0.97, 1.03, 1.1, 1.25, 2.0]
SEMITONES = [-12.0, -4.0, -2.0, -0.5, 0.5, 2.0, 4.0, 12.0]


def tone(frequency=200.0, seconds=1.0, harmonics=10, amplitude=0.1):
    time = np.arange(round(seconds * SR)) / SR
    partials = [np.sin(2 * np.pi * n * frequency * time) / n for n in range(1, harmonics + 1)]
    return (amplitude * np.sum(partials, axis=0)).astype(np.float32)


def frames_of(y):
    """Frames of 64 ms every 8 ms, the first centred on the first sample."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(y.astype(float), 512), 1024)[::128]


def fundamental(y):
    """The fundamental frequency of each frame, 65 to 900 Hz: YIN (de Cheveigné and Kawahara 2002), which librosa
    would compile for longer than these tests run."""
    frames = frames_of(y)
    lags, width = np.arange(SR // 65 + 2), 1024 - SR // 65 - 2
    sums = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    power = sums[:, lags + width] - sums[:, lags]
    spectra = np.fft.rfft(frames, 2048) * np.conj(np.fft.rfft(frames[:, :width], 2048))
    difference = power[:, :1] + power - 2 * np.fft.irfft(spectra)[:, lags]
    mean = np.cumsum(difference[:, 1:], axis=1) / lags[1:]
    normalised = np.pad(difference[:, 1:] / np.maximum(mean, 1e-12), ((0, 0), (1, 0)), constant_values=1.0)
    f0 = np.empty(len(frames))
    for frame, d in enumerate(normalised):
        minima = np.flatnonzero((d[1:-1] < d[:-2]) & (d[1:-1] <= d[2:])) + 1
        minima = minima[minima > SR // 900]
        deep = minima[d[minima] < 0.1]
        lag = deep[0] if len(deep) else minima[np.argmin(d[minima])] if len(minima) else lags[-2]
        before, here, after = difference[frame, lag - 1 : lag + 2]
        f0[frame] = SR / (lag + np.clip((before - after) / 2 / max(before - 2 * here + after, 1e-12), -1, 1))
    return f0


def power_db(y):
    return 10 * np.log10(np.mean(np.square(y, dtype=np.float64)))


def demo_clip(emotion, speaker):
    table = demo_table({"seed": 1, "speakers": 2, "emotions": [emotion, "neutral"], "sentences": 1, "takes": 1})
    return synthesize(table[table["emotion"] == emotion].iloc[speaker], 1, SR)


def real_clip(name):
    y, sr = soundfile.read(CORPORA / "ravdess" / name, dtype="float32")
    return soxr.resample(y, sr, SR)


DEMO = [("anger", 0), ("sadness", 1)]
REAL = ["Actor_01/03-01-02-01-01-01-01.flac", "Actor_02/03-01-05-02-01-01-02.flac"]  # a man, calm; a woman, angry


@pytest.fixture(
    scope="module",
    params=[*DEMO, *(pytest.param(name, marks=needs_corpora) for name in REAL)],
    ids=lambda clip: str(clip),
)
def speech(request):
    """Speech of two synthetic and two real speakers."""
    return real_clip(request.param) if isinstance(request.param, str) else demo_clip(*request.param)


# --- length, level, silence


@hypothesis_settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(
    st.integers(1, 6000), st.floats(0.5, 2.0), st.sampled_from([8000, 16000, 44100]), st.sampled_from([1e-6, 0.1, 1.0])
)
def test_stretched_clip_of_any_length_has_the_samples_asked_for(samples, factor, sr, amplitude):
    y = amplitude * np.random.default_rng(samples).uniform(-1, 1, samples).astype(np.float32)
    stretched = stretch(y, sr, factor)
    assert len(stretched) == max(round(samples / factor), 1)
    assert stretched.dtype == np.float32
    assert np.isfinite(stretched).all()
    assert np.abs(stretched).max() <= 1.5 * amplitude


@hypothesis_settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(st.integers(1, 6000), st.floats(-12.0, 12.0))
def test_shifted_clip_of_any_length_keeps_it(samples, semitones):
    y = np.random.default_rng(samples).uniform(-1, 1, samples).astype(np.float32)
    shifted = shift_pitch(y, SR, semitones)
    assert len(shifted) == samples
    assert shifted.dtype == np.float32
    assert np.isfinite(shifted).all()


@pytest.mark.parametrize("samples", [1, 50, 3000, 16000, 100000])
def test_any_number_of_samples_can_be_made_of_a_clip(samples):
    assert len(fit_duration(tone(), SR, samples)) == samples


@pytest.mark.parametrize("samples", [1, 300, 16000])
def test_silence_stays_silence(samples):
    y = np.zeros(samples, dtype=np.float32)
    assert not stretch(y, SR, 0.9).any()
    assert not shift_pitch(y, SR, 2.0).any()


def test_factor_of_one_changes_nothing():
    np.testing.assert_array_equal(stretch(tone(), SR, 1.0), tone())
    np.testing.assert_array_equal(shift_pitch(tone(), SR, 0.0), tone())


def test_clip_itself_is_left_as_it_was():
    y = tone()
    stretch(y, SR, 1.0)[:] = 0.0
    stretch(y, SR, 1.1)
    shift_pitch(y, SR, 1.0)
    np.testing.assert_array_equal(y, tone())


def test_silence_inside_a_clip_stays_silence_and_what_follows_it_sounds():
    y = np.concatenate([tone(), np.zeros(SR, dtype=np.float32), tone()])
    stretched = stretch(y, SR, 1.1)
    third = len(stretched) // 3
    assert not stretched[third + 500 : 2 * third - 500].any()
    assert power_db(stretched[2 * third + 500 : -500]) == pytest.approx(power_db(tone()), abs=0.2)


# --- pitch


@pytest.mark.parametrize("frequency", [80.0, 123.4, 210.0, 333.0])
@pytest.mark.parametrize("factor", FACTORS)
def test_stretched_tone_keeps_its_frequency(frequency, factor):
    f0 = fundamental(stretch(tone(frequency), SR, factor))[8:-10]
    assert np.median(f0) == pytest.approx(frequency, rel=0.005)
    assert np.abs(f0 / frequency - 1).max() < 0.03


@pytest.mark.parametrize("frequency", [123.4, 210.0, 333.0])
@pytest.mark.parametrize("semitones", SEMITONES)
def test_shifted_tone_moves_by_the_semitones(frequency, semitones):
    expected = frequency * 2 ** (nearest_semitones(semitones) / 12)
    if expected > 70.0:
        f0 = fundamental(shift_pitch(tone(frequency), SR, semitones))[8:-10]
        assert np.median(f0) == pytest.approx(expected, rel=0.005)


@hypothesis_settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.floats(-12.0, 12.0))
def test_nearest_semitones_are_near_and_stay_when_asked_for_again(semitones):
    nearest = nearest_semitones(semitones)
    assert abs(nearest - semitones) < 0.07
    assert nearest_semitones(nearest) == nearest
    assert abs(2 ** ((nearest - semitones) / 12) - 1) < 0.005


def contour(y):
    """The fundamental frequency of voiced frames, and when they are, as a share of the duration."""
    f0 = fundamental(y)
    level = np.sqrt(np.mean(frames_of(y) ** 2, axis=1))
    steps = np.abs(np.diff(np.log2(f0), prepend=np.inf, append=np.inf))
    voiced = (level > 0.2 * level.max()) & (np.maximum(steps[:-1], steps[1:]) < 0.03)
    return (np.arange(len(f0)) * 128 / len(y))[voiced], f0[voiced]


def median_ratio(y, changed):
    """The median ratio of the fundamentals of two clips at the same share of their durations."""
    at, f0 = contour(y)
    changed_at, changed_f0 = contour(changed)
    nearest = np.abs(at[:, None] - changed_at).argmin(axis=1)
    close = np.abs(at - changed_at[nearest]) < 0.005
    assert close.sum() > 15
    return np.median(changed_f0[nearest][close] / f0[close])


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_stretched_speech_keeps_its_pitch(speech, factor):
    assert median_ratio(speech, stretch(speech, SR, factor)) == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("semitones", [-2.0, 2.0])
def test_shifted_speech_moves_by_the_semitones(speech, semitones):
    ratio = 2 ** (nearest_semitones(semitones) / 12)
    assert median_ratio(speech, shift_pitch(speech, SR, semitones)) == pytest.approx(ratio, rel=0.01)


# --- sound


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.25])
@pytest.mark.parametrize("frequency", [123.4, 210.0])
def test_stretched_tone_has_no_clicks_and_no_ripple(frequency, factor):
    y = tone(frequency)
    stretched = stretch(y, SR, factor)
    assert np.abs(np.diff(stretched)).max() < 1.15 * np.abs(np.diff(y)).max()
    period = round(SR / frequency)
    levels = [power_db(stretched[start : start + 2 * period]) for start in range(320, len(stretched) - 800, period)]
    assert max(levels) - min(levels) < 1.0


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.25])
def test_stretched_noise_keeps_its_level_at_the_cuts(factor):
    y = 0.1 * np.random.default_rng(1).standard_normal(4 * SR).astype(np.float32)
    stretched = stretch(y, SR, factor)
    assert power_db(stretched) == pytest.approx(power_db(y), abs=0.2)
    levels = [power_db(part) for part in np.array_split(stretched[320:-320], len(stretched) // 320)]
    ripple = np.std([power_db(part) for part in np.array_split(y[320:-320], len(y) // 320)])
    assert np.std(levels) < 1.2 * ripple


def spectral_distance(y, changed, factor):
    """The energy of the difference of two magnitude spectrograms, at corresponding times, over that of the first; dB.

    The measure of consistency by Laroche and Dolson (1999), invariant to a gain.
    """
    n_fft = 512
    window = np.hanning(n_fft)

    def magnitudes(signal, centres):
        padded = np.pad(signal, n_fft)
        starts = np.clip(np.rint(centres).astype(int), 0, len(signal)) + n_fft // 2
        return np.abs(np.fft.rfft(padded[starts[:, None] + np.arange(n_fft)] * window))

    centres = np.arange(0, len(changed), 64)
    target, got = magnitudes(y, centres * factor), magnitudes(changed, centres)
    gain = np.sum(target * got) / np.sum(got**2)
    return 10 * np.log10(np.sum((target - gain * got) ** 2) / np.sum(target**2))


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_stretched_speech_is_closer_to_the_original_than_with_a_phase_vocoder(speech, factor):
    vocoded = librosa.effects.time_stretch(speech, rate=factor, n_fft=1024)
    spliced = stretch(speech, SR, factor)
    assert spectral_distance(speech, spliced, factor) < spectral_distance(speech, vocoded, factor) - 3.0
    assert spectral_distance(speech, spliced, factor) < -10.0
    assert power_db(spliced) == pytest.approx(power_db(speech), abs=0.5)


@pytest.mark.parametrize("semitones", [-2.0, 2.0])
def test_shifted_speech_is_closer_to_the_resampled_original_than_with_a_phase_vocoder(speech, semitones):
    ratio = 2 ** (nearest_semitones(semitones) / 12)
    resampled = soxr.resample(speech, ratio, 1.0)  # the exact shift, but for the duration
    factor = len(resampled) / len(speech)
    vocoded = librosa.effects.pitch_shift(speech, sr=SR, n_steps=semitones, n_fft=1024, res_type="soxr_hq")
    spliced = shift_pitch(speech, SR, semitones)
    assert spectral_distance(resampled, spliced, factor) < spectral_distance(resampled, vocoded, factor) - 3.0
    assert spectral_distance(resampled, spliced, factor) < -10.0


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_stretched_speech_has_the_envelope_of_the_original(speech, factor):
    """The level in 30 ms steps, at corresponding times, differs by little wherever there is speech."""
    step = 480
    stretched = stretch(speech, SR, factor)
    centres = np.arange(step, len(stretched) - step, step // 2)

    def levels(signal, centres):
        parts = [signal[max(int(centre) - step // 2, 0) : int(centre) + step // 2] for centre in centres]
        return np.array([power_db(part + 1e-6) for part in parts])

    before, after = levels(speech, centres * factor), levels(stretched, centres)
    loud = before > before.max() - 25
    assert np.median(np.abs(after - before)[loud]) < 1.0
