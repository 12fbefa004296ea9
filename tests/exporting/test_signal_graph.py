"""Cleaning as a graph: the same samples of 16 bits as `clean` gives, for every clip that it does not refuse."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import needs_corpora
from graph_functions import function, written
from ser.audio.cleaning import UnusableAudioError, amplitude, clean, to_float, to_int16
from ser.exporting.signal_graph import cleaned, outside
from speech_samples import recordings, speech

SR = 16000
CLEANINGS = {
    "nothing": {"trim_db": None, "normalize": "none"},
    "as it is set": {},
    "offset": {"remove_dc": True},
    "offset, peak at full scale": {"remove_dc": True, "trim_db": None, "peak_db": 0.0},
    "only ends": {"trim_db": 25.0, "normalize": "none"},
    "quiet": {"normalize": "rms"},
    "as loud as there is room": {"normalize": "rms", "rms_db": -3.0},
    "everything": {"remove_dc": True, "trim_db": 60.0, "normalize": "rms", "rms_db": -15.0, "fixed_samples": 12000},
    "fixed": {"normalize": "none", "fixed_samples": 9001},
}


def config(**changes) -> SimpleNamespace:
    values = {
        "sample_rate": SR,
        "remove_dc": False,
        "denoise_db": None,
        "trim_db": 40.0,
        "normalize": "peak",
        "peak_db": -1.0,
        "rms_db": -23.0,
        "loudness_lufs": -23.0,
        "fixed_samples": None,
        "min_seconds": 0.01,
        "max_seconds": 30.0,
    }
    return SimpleNamespace(**values | changes)


@cache
def graph_of(name: str):
    audio = config(**CLEANINGS[name])
    run = function(lambda graph, x: cleaned(graph, x, audio), [1, "samples"])
    return lambda y: run(y[np.newaxis])


def assert_same_samples(y: np.ndarray, name: str) -> None:
    wanted = to_float(clean(y, SR, config(**CLEANINGS[name])).samples)
    found = graph_of(name)(y)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, wanted)
    assert not np.signbit(found[found == 0]).any()  # -0 would be a change of sign


def sounding(samples: int, seed: int, level_db: float = -10.0) -> np.ndarray:
    """Return noise that swells and ebbs, float32."""
    rng = np.random.default_rng(seed)
    swell = np.interp(np.arange(samples), np.linspace(0, samples, 8), rng.random(8) ** 3)
    return (amplitude(level_db) * swell * rng.standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize("name", CLEANINGS)
def test_same_samples_of_speech(name):
    y, _ = speech("demo")
    assert_same_samples(y, name)
    assert_same_samples((y * 0.03 + 0.01).astype(np.float32), name)


@settings(max_examples=150)
@given(
    name=st.sampled_from(sorted(CLEANINGS)),
    samples=st.integers(1, 3 * SR),
    seed=st.integers(0, 2**32),
    level_db=st.floats(-90, 20),
    offset=st.sampled_from([0.0, 0.0, 0.02, -0.3]),
    pauses=st.tuples(st.integers(0, 4000), st.integers(0, 4000)),
    kept=st.booleans(),
)
def test_same_samples_of_any_sound(name, samples, seed, level_db, offset, pauses, kept):
    y = np.pad(sounding(samples, seed, level_db), pauses) + np.float32(offset)
    if kept:  # as files of 16 bits hold it, most values several times
        y = to_float(to_int16(y))
    try:
        clean(y, SR, config(**CLEANINGS[name]))
    except UnusableAudioError:
        assert np.isfinite(graph_of(name)(y)).all()
    else:
        assert_same_samples(y, name)


@pytest.mark.parametrize("samples", [511, 512, 513, 1024, 1600, 4096, 30 * SR, 30 * SR - 1])
@pytest.mark.parametrize("name", ["as it is set", "everything"])
def test_any_length(samples, name):
    assert_same_samples(sounding(samples, samples), name)


@pytest.mark.parametrize("block", [0, 1, 7, 8])
def test_ends_lie_where_trimming_puts_them(block):
    y = np.zeros(9 * 512, dtype=np.float32)
    y[block * 512 : (block + 1) * 512] = sounding(512, 1, 0.0) + np.float32(0.1)
    wanted = clean(y, SR, config(**CLEANINGS["only ends"])).samples
    assert 0 < len(wanted) < len(y)
    assert_same_samples(y, "only ends")


def test_both_ways_to_scale_by_the_root_mean_square_are_taken():
    y = sounding(SR, 3)
    peaks = [np.abs(graph_of(name)(y)).max() for name in ("quiet", "as loud as there is room")]
    assert peaks[0] < 0.9 and peaks[1] >= 32767 / 32768
    assert_same_samples(y, "quiet")
    assert_same_samples(y, "as loud as there is room")


def test_halves_go_to_the_even_sample_and_nothing_beyond_full_scale():
    y = np.array([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 32766.5, 32767.5, 40000, -32768.5, -40000], dtype=np.float32)
    found = graph_of("nothing")(y / np.float32(32768)) * 32768
    assert found.tolist() == [0, 2, 2, 0, -2, -2, 32766, 32767, 32767, -32768, -32768]


@pytest.mark.parametrize("name", CLEANINGS)
@pytest.mark.parametrize("value", [0.0, 1e-30, -1e-42])
def test_silence_stays_finite(name, value):
    found = graph_of(name)(np.full(SR, value, dtype=np.float32))
    assert np.isfinite(found).all() and np.abs(found).max() <= 1
    assert len(found) == CLEANINGS[name].get("fixed_samples", SR)
    if value == 0:
        assert not found.any()


def test_an_offset_alone_becomes_silence():
    assert not graph_of("offset")(np.full(SR, 0.25, dtype=np.float32)).any()


def test_what_a_graph_cannot_do_is_named_and_refused():
    assert outside(config()) == []
    assert outside(config(denoise_db=12.0)) == ["denoise"]
    both = config(denoise_db=12.0, normalize="loudness")
    assert outside(both) == ["denoise", "loudness"]
    with pytest.raises(ValueError, match="denoise, loudness"):
        function(lambda graph, x: cleaned(graph, x, both), [1, "samples"])


@pytest.mark.parametrize("name", CLEANINGS)
def test_same_bytes(name):
    first, second = (
        written(lambda graph, x: cleaned(graph, x, config(**CLEANINGS[name])), [1, "samples"]) for _ in range(2)
    )
    assert first == second


@needs_corpora
@pytest.mark.parametrize("name", CLEANINGS)
def test_same_samples_of_recorded_speech(name):
    for y in recorded():
        assert_same_samples(y, name)


@cache
def recorded() -> list[np.ndarray]:
    """Return a few clips of RAVDESS before they are cleaned, resampled."""
    files = recordings("ravdess")
    clips = [soundfile.read(file, dtype="float32", always_2d=True) for file in files[:: len(files) // 8]]
    return [soxr.resample(y.mean(axis=1), sr, SR) for y, sr in clips]
