"""Stretches that are cut out of a recording, and what each of them brought."""

import numpy as np
import pytest

from ser.explaining.cut_stretches import FADE, MOST, SHORTEST, draw_cuts, effects_of, stretch_edges, without

SR = 16000


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.5, 1.0, 3.0, 30.0])
def test_stretches_are_alike_and_cover_the_recording(seconds):
    samples = round(seconds * SR)
    edges = stretch_edges(samples, SR)
    lengths = np.diff(edges)
    assert edges[0] == 0 and edges[-1] == samples
    assert np.ptp(lengths) <= 1 and len(lengths) <= MOST
    assert lengths.min() >= min(SHORTEST, seconds) * SR - 1
    assert seconds < 0.6 or len(lengths) >= 8


def test_every_stretch_is_missing_as_often_as_the_others_and_some_are_always_heard():
    cuts = draw_cuts(12, 96)
    assert set(cuts.sum(axis=1)) == {4}
    assert np.ptp(cuts.sum(axis=0)) <= 1
    assert len(np.unique(cuts, axis=0)) > 80
    np.testing.assert_array_equal(cuts, draw_cuts(12, 96))


def tones(*hertz: float) -> np.ndarray:
    times = np.arange(SR // 4) / SR
    return np.concatenate([8000 * np.sin(2 * np.pi * each * times) for each in hertz]).astype(np.int16)


def loudest(samples: np.ndarray, hertz: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples)) / len(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / SR)
    return spectrum[np.abs(frequencies - hertz) < 8].max()


@pytest.mark.parametrize("missing", [[0], [3], [1], [1, 2], [0, 2], [0, 1, 3], []])
def test_what_is_cut_is_gone_and_all_else_is_left(missing):
    hertz = (500.0, 1000.0, 2000.0, 3000.0)
    samples = tones(*hertz)
    cut = np.isin(np.arange(4), missing)
    left = without(samples, np.arange(5) * (SR // 4), cut, SR)
    kept = [each for each, gone in zip(hertz, cut, strict=True) if not gone]
    assert len(left) == pytest.approx(len(kept) * SR // 4, abs=FADE * SR)
    for each in hertz:
        assert (loudest(left, each) > 400) == (each in kept)
    np.testing.assert_array_equal(samples, tones(*hertz))
    if not missing:
        np.testing.assert_array_equal(left, samples)


def test_a_join_makes_no_click():
    """Two halves of one tone that do not fit together: no step is larger than those of the tone, by far."""
    samples = tones(440.0)
    edges = np.array([0, 1013, 2011, len(samples)])
    left = without(samples, edges, np.array([False, True, False]), SR)
    assert np.abs(np.diff(left.astype(int))).max() < 1.5 * np.abs(np.diff(samples.astype(int))).max()


def test_effects_of_stretches_that_add_up_are_found_exactly():
    truth = np.array([0.5, -1.0, 2.0, 0.0, 0.0, 0.3, -0.2, 0.4])
    cuts = draw_cuts(8, 64)
    effects, errors = effects_of(cuts, (~cuts) @ truth + 7.0)
    np.testing.assert_allclose(effects, truth - truth.mean(), atol=1e-9)
    np.testing.assert_allclose(errors, 0, atol=1e-9)


def test_standard_errors_are_as_large_as_the_errors():
    truth, cuts = np.arange(8.0), draw_cuts(8, 64)
    off, said = [], []
    for seed in range(300):
        noise = np.random.default_rng(seed).standard_normal(64)
        effects, errors = effects_of(cuts, (~cuts) @ truth + noise)
        off.append(effects - truth + truth.mean())
        said.append(errors)
    assert np.std(off) == pytest.approx(np.sqrt(np.mean(np.square(said))), rel=0.1)


def test_a_single_stretch_has_nothing_to_be_compared_with():
    assert effects_of(draw_cuts(1, 8), np.arange(8.0)) == (pytest.approx(0), pytest.approx(0))
