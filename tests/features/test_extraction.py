"""The inputs of the networks: frame sequences and log-mel spectrograms are librosa's, and names match columns."""

from types import SimpleNamespace

import librosa
import numpy as np
import pytest

from feature_settings import CONFIGURATIONS, extract_settings
from ser.features.extraction import INPUTS, input_names
from ser.features.frame_sequences import continuous_f0, frame_sequence, log_mel_sequence
from ser.features.frames import spectrum
from speech_samples import DEMO_RATE, SPEECH, speech

SR = DEMO_RATE


@pytest.fixture(scope="module")
def clip():
    return spectrum(speech("demo")[0], SR, n_fft=512, hop_length=256)


def assert_close(ours, reference):
    """Equal within 1e-4 of the reference's own size (dB and MFCC pass through zero)."""
    assert ours.dtype == np.float32
    assert ours.shape == reference.shape
    np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-4 * np.abs(reference).max())


def plain_delta(rows):
    """Return HTK's regression over two frames on either side, term by term; the ends are continued by their values."""
    last = len(rows) - 1
    return np.array(
        [
            sum(k * (rows[min(t + k, last)] - rows[max(t - k, 0)]) for k in (1, 2)) / (2 * sum(k * k for k in (1, 2)))
            for t in range(len(rows))
        ]
    )


@pytest.mark.parametrize(("n_fft", "hop_length"), CONFIGURATIONS)
@pytest.mark.parametrize("source", SPEECH)
def test_frame_sequence_is_librosas_mfcc_with_its_derivatives(source, n_fft, hop_length):
    y, sr = speech(source)
    clip = spectrum(y, sr, n_fft=n_fft, hop_length=hop_length)
    mfcc = librosa.feature.mfcc(y=y, sr=sr, n_fft=n_fft, hop_length=hop_length, n_mfcc=13, n_mels=40).T
    parts = [mfcc, plain_delta(mfcc), plain_delta(plain_delta(mfcc))]
    for deltas in (0, 1, 2):
        settings = SimpleNamespace(groups=["mfcc"], n_mfcc=13, n_mels=40, deltas=deltas)
        assert_close(frame_sequence(clip, settings), np.concatenate(parts[: deltas + 1], axis=1))


@pytest.mark.parametrize(("n_fft", "hop_length"), CONFIGURATIONS)
@pytest.mark.parametrize("source", SPEECH)
def test_log_mel_sequence_is_librosas_in_decibels(source, n_fft, hop_length):
    y, sr = speech(source)
    mel = librosa.feature.melspectrogram(y=y, sr=sr, n_fft=n_fft, hop_length=hop_length, n_mels=40)
    clip = spectrum(y, sr, n_fft=n_fft, hop_length=hop_length)
    ours = log_mel_sequence(clip, SimpleNamespace(n_mels=40))
    assert_close(ours, librosa.power_to_db(mel).T)
    assert ours.max() - ours.min() <= 80.0 + 1e-3


@pytest.mark.parametrize(("n_fft", "hop_length"), CONFIGURATIONS)
def test_sequences_have_one_frame_a_hop_and_one_more(n_fft, hop_length):
    y, sr = speech("demo")
    clip = spectrum(y, sr, n_fft=n_fft, hop_length=hop_length)
    assert clip.power.shape == (1 + len(y) // hop_length, 1 + n_fft // 2)
    assert clip.power.dtype == np.float32
    extract = extract_settings(n_fft, hop_length)
    assert frame_sequence(clip, extract.frames).shape == (1 + len(y) // hop_length, 36)
    assert log_mel_sequence(clip, extract.logmel).shape == (1 + len(y) // hop_length, 40)


def test_names_of_sequences_match_their_columns(clip):
    extract = extract_settings()
    extract.frames.deltas = 2
    for kind in ("frames", "logmel"):
        assert INPUTS[kind](clip, getattr(extract, kind)).shape[1] == len(input_names(kind, SR, extract))
    names = input_names("frames", SR, extract)
    assert (names[0], names[18], names[48]) == ("mfcc_0", "mfcc_0_delta", "mfcc_12_delta_delta")
    assert names[13:18] == ["rms", "loudness", "zero_crossings", "f0", "voicing"]
    frames = frame_sequence(clip, extract.frames)
    for column in (5, 13, 16):
        np.testing.assert_allclose(frames[:, 18 + column], plain_delta(frames[:, column]), rtol=1e-3, atol=1e-3)
    assert input_names("logmel", SR, extract) == [f"mel_{band}" for band in range(40)]


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("content", ["zeros", "half", "a click"])
def test_digital_silence_has_finite_features(kind, content):
    y = np.zeros(SR, dtype=np.float32)
    if content == "half":
        y[: SR // 2] = speech("demo")[0][: SR // 2]
    if content == "a click":
        y[SR // 2] = 1.0
    values = INPUTS[kind](spectrum(y, SR, n_fft=512, hop_length=256), getattr(extract_settings(), kind))
    assert np.isfinite(values).all()


@pytest.mark.parametrize(("n_fft", "hop_length"), [(512, 512), (4096, 4096), (512, 16)])
@pytest.mark.parametrize("kind", ["frames", "logmel"])
def test_shortest_allowed_clip_has_finite_features(n_fft, hop_length, kind):
    y = 0.1 * np.random.default_rng(1).standard_normal(max(n_fft, round(0.05 * SR))).astype(np.float32)
    extract = extract_settings(n_fft, hop_length)
    assert np.isfinite(INPUTS[kind](spectrum(y, SR, n_fft=n_fft, hop_length=hop_length), getattr(extract, kind))).all()


@pytest.mark.parametrize("kind", INPUTS)
def test_same_clip_has_the_same_bytes_and_is_not_changed(clip, kind):
    settings = getattr(extract_settings(), kind)
    y, power = clip.y.copy(), clip.power.copy()
    values = INPUTS[kind](clip, settings)
    assert values.dtype == np.float32
    assert values.tobytes() == INPUTS[kind](spectrum(y, SR, n_fft=512, hop_length=256), settings).tobytes()
    np.testing.assert_array_equal(clip.y, y)
    np.testing.assert_array_equal(clip.power, power)


def test_pitch_goes_on_between_voiced_frames():
    f0 = np.array([0, 110, 0, 0, 220, 0], dtype=np.float32)
    np.testing.assert_allclose(continuous_f0(f0), [24, 24, 28, 32, 36, 36], atol=1e-4)  # semitones above 27.5 Hz
    assert np.ptp(continuous_f0(np.zeros(4, dtype=np.float32))) == 0
