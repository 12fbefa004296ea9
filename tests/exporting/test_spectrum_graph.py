"""The power spectrogram as a graph, for every length of transform that the settings allow."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_functions import function, written
from ser.exporting.spectrum_graph import parts_of, power_spectrum
from ser.features.frames import frame, hann, spectrum
from speech_samples import speech

SIZES = [(512, 160), (480, 160), (64, 16), (64, 8192), (502, 7), (400, 333), (2048, 512), (8192, 2048), (2038, 300)]


@cache
def graph_of(n_fft: int, hop_length: int):
    return function(lambda graph, x: power_spectrum(graph, x, n_fft=n_fft, hop_length=hop_length), ["samples"])


def exact(y: np.ndarray, n_fft: int, hop_length: int) -> np.ndarray:
    """Return the power in double precision, of frames that are windowed in single."""
    frames = frame(y, n_fft, hop_length=hop_length) * hann(n_fft)
    return np.abs(np.fft.rfft(frames.astype(np.float64), axis=1)) ** 2


def assert_exact(y: np.ndarray, n_fft: int, hop_length: int) -> None:
    found, wanted = graph_of(n_fft, hop_length)(y), exact(y, n_fft, hop_length)
    assert found.dtype == np.float32
    assert found.shape == (1 + len(y) // hop_length, n_fft // 2 + 1)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-20 * wanted.max() + 1e-30)


@pytest.mark.parametrize(("n_fft", "hop_length"), SIZES)
def test_power_is_exact_in_speech(n_fft, hop_length):
    y, sr = speech("demo")
    assert_exact(y, n_fft, hop_length)
    reference = spectrum(y, sr, n_fft=n_fft, hop_length=hop_length).power
    np.testing.assert_allclose(
        np.sqrt(graph_of(n_fft, hop_length)(y)), np.sqrt(reference), atol=1e-6 * np.sqrt(reference.max())
    )


@pytest.mark.parametrize(("n_fft", "hop_length"), SIZES)
@pytest.mark.parametrize("samples", [1, 2, 31, 63, 64, 65, 160, 1600, 8191, 8192, 8193])
def test_any_length_in_one_session(n_fft, hop_length, samples):
    assert_exact(np.random.default_rng(samples).standard_normal(samples).astype(np.float32), n_fft, hop_length)


@settings(max_examples=60)
@given(
    half=st.integers(32, 500),
    hop_length=st.integers(16, 1200),
    samples=st.integers(1, 6000),
    seed=st.integers(0, 2**32),
)
def test_any_settings(half, hop_length, samples, seed):
    y = np.random.default_rng(seed).standard_normal(samples).astype(np.float32)
    assert_exact(y, 2 * half, hop_length)


def test_silence_has_no_power():
    assert not graph_of(512, 160)(np.zeros(16000, dtype=np.float32)).any()


def test_parts_are_the_divisor_next_to_the_root():
    assert [parts_of(n_fft) for n_fft in (64, 480, 502, 512, 2048)] == [8, 20, 2, 16, 32]


@pytest.mark.parametrize(("n_fft", "hop_length"), SIZES)
def test_graph_is_small_and_the_same_bytes_again(n_fft, hop_length):
    first, second = (
        written(lambda graph, x: power_spectrum(graph, x, n_fft=n_fft, hop_length=hop_length), ["samples"])
        for _ in range(2)
    )
    assert first == second
    assert len(first) < 8192 + 60 * n_fft
