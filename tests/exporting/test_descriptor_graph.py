"""Frame features as a graph: the columns of `ser.features.frame_sequences`, up to the last digits."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sounds
from conftest import needs_corpora
from graph_functions import function, written
from ser.audio.cleaning import to_float, to_int16
from ser.exporting.descriptor_graph import frames, frames_inside, log_mel
from ser.features.frame_sequences import frame_names, frame_sequence, log_mel_sequence
from ser.features.frames import spectrum
from speech_samples import prepared_speech, speech

GROUPS = ["mfcc", "mel", "chroma", "energy", "spectral", "rolloff", "balance"]
SIZES = [(512, 160), (480, 160), (400, 100), (64, 16), (1022, 700), (2048, 512)]
RATES = [8000, 16000, 22050, 48000]
ALL = tuple(GROUPS)


def extract(groups=ALL, deltas: int = 0, n_fft: int = 512, hop_length: int = 160, n_mels: int = 40) -> dict:
    return {
        "n_fft": n_fft,
        "hop_length": hop_length,
        "frames": {"groups": list(groups), "n_mfcc": 13, "n_mels": n_mels, "deltas": deltas},
        "logmel": {"n_mels": n_mels},
    }


@cache
def graph_of(sr: int = 16000, **changes):
    return function(lambda graph, x: frames(graph, x, extract(**changes), sr), ["samples"])


@cache
def log_mel_of(sr: int = 16000, **changes):
    return function(lambda graph, x: log_mel(graph, x, extract(**changes), sr), ["samples"])


def quantized(y: np.ndarray) -> np.ndarray:
    return to_float(to_int16(y))


def reference(y: np.ndarray, sr: int, **changes) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames that the pipeline computes, and the names of their columns."""
    settings_of = extract(**changes)
    clip = spectrum(y, sr, n_fft=settings_of["n_fft"], hop_length=settings_of["hop_length"])
    section = SimpleNamespace(**settings_of["frames"])
    return frame_sequence(clip, section), np.array(frame_names(clip, section))


@cache
def deviations(sr: int, **changes) -> np.ndarray:
    """Return the standard deviations of the columns in speech, float32 of shape (columns,)."""
    return reference(quantized(speech("demo")[0]), sr, **changes)[0].std(axis=0)


def assert_same_frames(y: np.ndarray, sr: int = 16000, **changes) -> None:
    """Compare columns in units of their deviations in speech; roll-offs in bins, where the last digit may decide."""
    wanted, names = reference(y, sr, **changes)
    found = graph_of(sr, **changes)(y)
    assert found.dtype == np.float32
    assert found.shape == wanted.shape == (1 + len(y) // extract(**changes)["hop_length"], len(names))
    apart, rolloff = np.abs(found - wanted), np.char.startswith(names, "rolloff")
    allowed = 2e-3 * deviations(sr, **changes) + 1e-6 * np.abs(wanted)  # a band without a bin is level: no deviation
    assert names[~rolloff & (apart > allowed).any(axis=0)].tolist() == []
    if rolloff.any():
        bins = apart[:, rolloff] / (sr / extract(**changes)["n_fft"])
        assert bins.max() < 1.01
        assert (bins > 0).sum() <= (1 + 0.01 * len(bins)) * 9  # one changes its derivatives in the eight frames about


def assert_same_log_mel(y: np.ndarray, sr: int = 16000, **changes) -> None:
    wanted_of = extract(**changes)
    clip = spectrum(y, sr, n_fft=wanted_of["n_fft"], hop_length=wanted_of["hop_length"])
    wanted = log_mel_sequence(clip, SimpleNamespace(**wanted_of["logmel"]))
    found = log_mel_of(sr, **changes)(y)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-3)  # dB


def interrupted() -> np.ndarray:
    """Return speech with digital silence before, in between and after."""
    y = speech("demo")[0].copy()
    third = len(y) // 3
    y[:2000] = y[third : third + 5000] = y[-3000:] = 0
    return quantized(y)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_every_group_alone(group, deltas):
    y = quantized(speech("demo")[0])
    assert_same_frames(y, groups=(group,), deltas=deltas)


@pytest.mark.parametrize(("n_fft", "hop_length"), SIZES)
def test_all_groups_together(n_fft, hop_length):
    y = quantized(speech("demo")[0])
    assert_same_frames(y, deltas=2, n_fft=n_fft, hop_length=hop_length)
    assert_same_log_mel(y, n_fft=n_fft, hop_length=hop_length)


@pytest.mark.parametrize("sr", RATES)
def test_any_sample_rate(sr):
    y = quantized(speech("demo")[0])
    assert_same_frames(y, sr, n_fft=1024, n_mels=64)
    assert_same_log_mel(y, sr, n_fft=1024, n_mels=64)


def test_order_of_the_groups_is_that_of_the_columns_and_not_of_the_settings():
    y = quantized(speech("demo")[0])
    np.testing.assert_array_equal(graph_of(groups=ALL)(y), graph_of(groups=ALL[::-1])(y))


@pytest.mark.parametrize("n_mels", [8, 10, 128])
def test_no_more_coefficients_than_bands(n_mels):
    assert_same_frames(quantized(speech("demo")[0]), groups=("mfcc", "energy"), n_mels=n_mels)


def test_digital_silence_in_between():
    assert_same_frames(interrupted(), deltas=1)
    assert_same_log_mel(interrupted())


@pytest.mark.parametrize("samples", [1600, 16000])
def test_digital_silence_alone(samples):
    y = np.zeros(samples, dtype=np.float32)
    assert np.isfinite(graph_of(deltas=2)(y)).all()
    assert_same_frames(y, deltas=2)
    assert_same_log_mel(y)


@pytest.mark.parametrize("samples", [2, 100, 159, 160, 161, 255, 256, 511, 512, 513, 1600, 30 * 16000])
def test_any_length_in_one_session(samples):
    y = np.resize(quantized(speech("demo")[0])[6000:], samples)
    assert_same_frames(y, deltas=1)
    assert_same_log_mel(y)


@pytest.mark.parametrize("kind", ["white", "pink", "hum"])
def test_what_is_no_speech(kind):
    y = quantized(sounds.at_level(sounds.noise(kind, 2.0), -20).astype(np.float32))
    assert_same_frames(y)
    assert_same_log_mel(y)


@settings(max_examples=60)
@given(
    size=st.sampled_from(SIZES),
    groups=st.sampled_from([ALL, ("energy", "balance"), ("mfcc",)]),
    deltas=st.integers(0, 2),
    samples=st.integers(800, 20000),
    seed=st.integers(0, 2**32),
    level_db=st.floats(-50, -5),
    pause=st.tuples(st.floats(0, 1), st.integers(0, 4000)),
)
def test_any_sound(size, groups, deltas, samples, seed, level_db, pause):
    rng = np.random.default_rng(seed)
    swell = np.interp(np.arange(samples), np.linspace(0, samples, 8), rng.random(8))
    # about as steep as speech: where a spectrum falls further, the single precision of the pipeline itself is coarse
    steep = np.convolve(rng.standard_normal(samples), 0.95 ** np.arange(200))[:samples]
    y = sounds.at_level(swell * steep, level_db)
    start = int(pause[0] * samples)
    y[start : start + pause[1]] = 0
    y = quantized(y.astype(np.float32))
    n_fft, hop_length = size
    assert_same_frames(y, groups=groups, deltas=deltas, n_fft=n_fft, hop_length=hop_length)
    assert_same_log_mel(y, n_fft=n_fft, hop_length=hop_length)


def test_pitch_is_named_and_refused():
    assert frames_inside(GROUPS)
    assert not frames_inside([*GROUPS, "pitch"])
    with pytest.raises(ValueError, match="pitch"):
        graph_of(groups=("mfcc", "pitch"))


@pytest.mark.parametrize("write", [frames, log_mel])
def test_same_bytes(write):
    settings_of = extract(deltas=1)
    first, second = (written(lambda graph, x: write(graph, x, settings_of, 16000), ["samples"]) for _ in range(2))
    assert first == second


@needs_corpora
@pytest.mark.parametrize("corpus", ["ravdess", "emodb"])
def test_recorded_speech(corpus):
    for y in prepared_speech(corpus, 8):
        assert_same_frames(y, deltas=2)
        assert_same_log_mel(y)
