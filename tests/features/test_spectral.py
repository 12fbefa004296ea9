"""Descriptors of the spectrum: librosa's values where librosa has them, otherwise those of known signals."""

import librosa
import numpy as np
import pytest
from scipy.signal import lfilter

from feature_settings import CONFIGURATIONS, functional_settings
from ser.features import spectral
from ser.features.descriptors import describe
from ser.features.frames import frame, run_sums, spectrum
from ser.features.functional_sets import ALL_GROUPS
from speech_samples import SPEECH, speech

SR = 16000
OF_THE_VOICE = {"pitch", "voice_quality", "formants", "segments"}


def descriptors(y, sr=SR, n_fft=512, hop_length=256):
    clip = spectrum(y, sr, n_fft=n_fft, hop_length=hop_length)
    return describe(clip, functional_settings(), ALL_GROUPS - OF_THE_VOICE).every


def tone(frequency, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(SR) / SR)).astype(np.float32)


def white_noise():
    return (0.1 * np.random.default_rng(1).standard_normal(4 * SR)).astype(np.float32)


def inside(values):
    """Leave out the frames at the ends, which hold less than the signal."""
    return {name: value[3:-3] for name, value in values.items()}


def assert_close(ours, reference, scale=None):
    """Equal within 1e-4 of the reference's own size (dB and MFCC pass through zero)."""
    assert ours.shape == reference.shape
    scale = np.abs(reference).max() if scale is None else scale
    np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-4 * scale)


# --- librosa's values


@pytest.mark.parametrize(("n_fft", "hop_length"), CONFIGURATIONS)
@pytest.mark.parametrize("source", SPEECH)
def test_descriptors_equal_librosas_from_the_waveform(source, n_fft, hop_length):
    """The shape of the spectrum of digital silence, of which there is some in recordings, is nobody's to say."""
    y, sr = speech(source)
    frames = {"y": y, "sr": sr, "n_fft": n_fft, "hop_length": hop_length}
    magnitude = np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop_length))
    matrices = {
        "mfcc": librosa.feature.mfcc(**frames, n_mfcc=21, n_mels=26),
        "mel": librosa.power_to_db(librosa.feature.melspectrogram(**frames, n_mels=26)),
        "chroma": librosa.feature.chroma_stft(**frames, tuning=0.0),
    }
    reference = {f"{name}_{n}": row for name, rows in matrices.items() for n, row in enumerate(rows)} | {
        "rms": librosa.power_to_db(librosa.feature.rms(S=magnitude, frame_length=n_fft)[0] ** 2),
        "zero_crossings": librosa.feature.zero_crossing_rate(y, frame_length=n_fft, hop_length=hop_length)[0],
        "centroid": librosa.feature.spectral_centroid(**frames)[0],
        "spread": librosa.feature.spectral_bandwidth(**frames)[0],
        "flatness": 10 * np.log10(librosa.feature.spectral_flatness(y=y, n_fft=n_fft, hop_length=hop_length)[0]),
    }
    del reference["mfcc_0"]
    lifted = np.maximum(np.sqrt(spectral.AMIN) - magnitude, 0).sum(axis=0)
    sounding = lifted < 5e-5 * magnitude.sum(axis=0)
    assert sounding.mean() > 0.5
    ours = descriptors(y, sr, n_fft, hop_length)
    for name, values in reference.items():
        # what one band has of decibels, all bands have
        scale = np.abs(matrices[name.rsplit("_", 1)[0]]).max() if name.rsplit("_", 1)[0] in matrices else None
        compared = sounding if name in ("centroid", "spread") else slice(None)
        assert_close(ours[name][compared], values[compared], scale)
    for percent in (25, 50, 75, 85, 90):
        expected = librosa.feature.spectral_rolloff(**frames, roll_percent=percent / 100)[0]
        apart = np.abs(ours[f"rolloff_{percent}"] - expected)[sounding] / (sr / n_fft)
        assert (apart > 0.01).mean() < 0.03  # a sum that meets the share exactly may round to either side
        assert apart.max() < 1.01
    unheard = {"loudness", "spectral_skewness", "spectral_kurtosis", "entropy", "flux", *descriptors_of_balance(ours)}
    assert set(ours) == set(reference) | {f"rolloff_{percent}" for percent in (25, 50, 75, 85, 90)} | unheard


def descriptors_of_balance(values):
    return {name for name in values if name.startswith(("alpha", "hammarberg", "slope_", "band_"))}


@pytest.mark.parametrize(("n_fft", "hop_length"), CONFIGURATIONS)
@pytest.mark.parametrize("source", SPEECH)
def test_power_and_level_are_librosas(source, n_fft, hop_length):
    y, sr = speech(source)
    clip = spectrum(y, sr, n_fft=n_fft, hop_length=hop_length)
    magnitude = np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop_length))
    assert_close(clip.power, (magnitude**2).T)
    assert_close(spectral.rms(clip.power), librosa.feature.rms(S=magnitude, frame_length=n_fft)[0])
    np.testing.assert_allclose(clip.frequencies, librosa.fft_frequencies(sr=sr, n_fft=n_fft), rtol=1e-6)


def test_frames_are_centred_and_zeros_lie_beyond_the_ends():
    y = np.arange(1, 11, dtype=np.float32)
    frames = frame(y, 4, hop_length=3)
    np.testing.assert_array_equal(frames, [[0, 0, 1, 2], [2, 3, 4, 5], [5, 6, 7, 8], [8, 9, 10, 0]])


@pytest.mark.parametrize("columns", [1, 15, 16, 17, 257])
def test_run_sums_add_up_to_numpys_cumulative_sums(columns):
    x = np.random.default_rng(1).uniform(size=(3, columns))
    within, upto = run_sums(x)
    within[:, 1:] += upto[:, :-1, np.newaxis]
    np.testing.assert_allclose(within.reshape(3, -1)[:, :columns], np.cumsum(x, axis=1), rtol=1e-12)


# --- what known signals have


def test_level_is_that_of_the_windowed_samples():
    """Independently of librosa: a stationary tone of amplitude 0.1 has a root mean square of -23 dB.

    The spectrogram is of Hann-windowed frames, whose power is 3/8 of that of the samples (-4.3 dB).
    """
    expected = 20 * np.log10(0.1 / np.sqrt(2)) + 10 * np.log10(3 / 8)
    np.testing.assert_allclose(inside(descriptors(tone(500, 0.1)))["rms"], expected, atol=0.05)


def test_descriptors_of_a_tone_are_what_the_tone_is():
    middle = inside(descriptors(tone(1000)))
    np.testing.assert_allclose(middle["centroid"], 1000, atol=10)
    for percent in (50, 85, 90):
        np.testing.assert_allclose(middle[f"rolloff_{percent}"], 1000, atol=SR / 512)
    np.testing.assert_allclose(middle["zero_crossings"], 2 * 1000 / SR, rtol=0.03)
    assert middle["flatness"].max() < -20
    assert middle["entropy"].max() < 2  # bits: a Hann window spreads a tone over three bins
    assert middle["spread"].max() < 100
    assert middle["flux"].max() < 0.02
    assert all(middle["chroma_11"] == 1.0)  # 1000 Hz is nearest to B5 (987.8 Hz)


def test_descriptors_of_white_noise_are_what_it_is():
    mean = {name: values.mean() for name, values in inside(descriptors(white_noise())).items()}
    assert mean["centroid"] == pytest.approx(SR / 4, rel=0.02)
    assert mean["spread"] == pytest.approx(SR / 2 / np.sqrt(12), rel=0.03)  # of a uniform distribution
    assert mean["spectral_skewness"] == pytest.approx(0, abs=0.05)
    assert mean["spectral_kurtosis"] == pytest.approx(1.8, rel=0.03)
    assert mean["zero_crossings"] == pytest.approx(0.5, rel=0.01)
    assert mean["flatness"] == pytest.approx(10 * np.log10(np.exp(-np.euler_gamma)), abs=0.1)  # of exponential powers
    assert mean["entropy"] == pytest.approx(np.log2(257) - (1 - np.euler_gamma) / np.log(2), abs=0.05)
    assert mean["slope_500_1500"] == pytest.approx(0, abs=0.5)
    assert mean["slope_1500_5000"] == pytest.approx(0, abs=0.5)
    assert mean["alpha_ratio"] == pytest.approx(10 * np.log10(950 / 4000), abs=0.3)
    assert mean["band_4000_8000"] == pytest.approx(10 * np.log10(1 / 2), abs=0.1)


def test_slopes_of_noise_that_falls_by_six_decibels_an_octave():
    """Its power is proportional to 1 / f²; the slopes are those of a straight line through 10 log10 of it."""
    y = lfilter([1.0], [1.0, -0.999], white_noise()).astype(np.float32)
    mean = {name: values.mean() for name, values in inside(descriptors(y, n_fft=1024)).items()}
    for low, high in ((500, 1500), (1500, 5000)):
        f = np.linspace(low, high, 200)
        line = np.polyfit(f / 1000, -20 * np.log10(2 * np.sin(np.pi * f / SR)), 1)[0]
        assert mean[f"slope_{low}_{high}"] == pytest.approx(line, rel=0.1)


def test_two_tones_are_as_far_apart_as_their_levels():
    middle = inside(descriptors(tone(750, 0.5) + tone(3000, 0.05)))
    np.testing.assert_allclose(middle["hammarberg"], 20, atol=0.2)
    np.testing.assert_allclose(middle["alpha_ratio"], 20, atol=0.2)


def test_levels_of_bands_add_up_to_the_whole():
    values = descriptors(white_noise())
    bands = ("band_0_250", "band_250_650", "band_650_1000", "band_1000_4000", "band_4000_8000")
    total = sum(10 ** (values[name] / 10) for name in bands)
    np.testing.assert_allclose(total, 1, atol=0.08)  # bins at their edges count twice


def test_loudness_is_compressed_by_the_power_of_one_third():
    quiet, loud = (inside(descriptors(tone(500, amplitude)))["loudness"] for amplitude in (0.05, 0.5))
    np.testing.assert_allclose(loud - quiet, np.log(100 ** (1 / 3)), atol=0.02)  # 20 dB are 100 times the power


def test_flux_is_the_distance_of_consecutive_spectra_of_unit_sum():
    clip = spectrum(speech("demo")[0], SR, n_fft=512, hop_length=256)
    share = np.sqrt(np.maximum(clip.power, spectral.AMIN)).astype(np.float64)
    share /= share.sum(axis=1, keepdims=True)
    expected = [0.0, *(np.linalg.norm(here - before) for before, here in zip(share[:-1], share[1:], strict=True))]
    np.testing.assert_allclose(descriptors(clip.y)["flux"], expected, rtol=1e-3, atol=1e-6)


# --- derivatives


def plain_delta(x):
    """Return HTK's regression over two frames on either side, term by term; the ends are continued by their values."""
    x = np.asarray(x, dtype=np.float64)
    last = len(x) - 1
    return [
        sum(k * (x[min(t + k, last)] - x[max(t - k, 0)]) for k in (1, 2)) / (2 * sum(k * k for k in (1, 2)))
        for t in range(len(x))
    ]


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 40])
def test_delta_is_that_of_a_plain_loop(frames):
    x = np.random.default_rng(1).standard_normal((3, frames))
    np.testing.assert_allclose(spectral.delta(x), [plain_delta(row) for row in x], rtol=1e-6, atol=1e-9)


def test_delta_of_a_ramp_is_its_slope_and_of_a_constant_zero():
    ramp = np.arange(50.0)
    np.testing.assert_allclose(spectral.delta(np.stack([3 * ramp, -ramp]))[:, 2:-2], [[3] * 46, [-1] * 46], rtol=1e-6)
    np.testing.assert_array_equal(spectral.delta(np.full((2, 50), 7.0)), 0.0)


# --- edges


@pytest.mark.parametrize("content", ["zeros", "a click", "one sample on"])
def test_digital_silence_has_finite_descriptors(content):
    y = np.zeros(SR, dtype=np.float32)
    y[SR // 2 :] = {"zeros": 0.0, "a click": 0.0, "one sample on": 1.0}[content]
    y[SR // 2] = float(content != "zeros")
    values = descriptors(y)
    assert all(np.isfinite(value).all() for value in values.values())
    if content == "zeros":
        np.testing.assert_allclose(values["rms"], -100.0, atol=0.01)  # dB of `spectral.AMIN`


def test_decibels_are_librosas_at_any_level():
    power = 10.0 ** np.random.default_rng(1).uniform(-14, 4, (20, 30)).astype(np.float32)
    np.testing.assert_allclose(spectral.power_to_db(power), librosa.power_to_db(power), rtol=1e-5)
    np.testing.assert_allclose(spectral.power_to_db(1e-6 * power), librosa.power_to_db(1e-6 * power), rtol=1e-5)
