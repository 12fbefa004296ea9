"""Functionals: NumPy's and SciPy's statistics, and plain loops where those have none."""

from itertools import groupby

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ser.features.functionals import (
    FAMILIES,
    FUNCTIONALS,
    LAGS,
    PEAK_STDS,
    PERCENTS,
    UP_TIMES,
    autocorrelation,
    functionals,
    higher_moments,
    moments,
    peaks,
    percentiles,
    regression,
    segments,
    slopes,
    times,
)

RATE = 62.5  # frames per second
X = np.random.default_rng(1).gamma(2.0, 3.0, (6, 41)).astype(np.float32)
X[3] = np.sin(np.arange(41) / 3)
X[4] = np.repeat([0.0, 5.0, 2.0, 5.0], [10, 1, 10, 20])  # plateaus and ties
X[5] += 1000  # far from zero

contours = arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 30)),
    elements=st.floats(-1e6, 1e6, width=32),
)
# In whole numbers, so that an offset rounds no difference away.
whole = arrays(np.float32, st.tuples(st.just(2), st.integers(2, 30)), elements=st.integers(-100, 100).map(float))


# --- references


def test_moments_are_scipys():
    found, wide = moments(X, RATE) | higher_moments(X, RATE), X.astype(np.float64)
    np.testing.assert_allclose(found["mean"], wide.mean(axis=1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["std"], wide.std(axis=1), rtol=1e-4)
    np.testing.assert_allclose(found["skewness"], scipy.stats.skew(wide, axis=1), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found["kurtosis"], scipy.stats.kurtosis(wide, axis=1, fisher=False), rtol=1e-3)


def test_percentiles_are_numpys():
    found = percentiles(X, RATE)
    for percent in PERCENTS:
        np.testing.assert_allclose(found[f"p{percent}"], np.percentile(X, percent, axis=1), rtol=1e-5)
    quartiles = np.percentile(X.astype(np.float64), [25, 50, 75], axis=1)
    np.testing.assert_allclose(found["iqr_1_2"], quartiles[1] - quartiles[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["iqr_2_3"], quartiles[2] - quartiles[1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["iqr_1_3"], quartiles[2] - quartiles[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["range"], found["p99"] - found["p1"])


@pytest.mark.parametrize("frames", [3, 4, 41])
def test_regression_is_numpys(frames):
    found, seconds = regression(X[:, :frames], RATE), np.arange(frames) / RATE
    for row, x in enumerate(X[:, :frames].astype(np.float64)):
        line, parabola = (np.polyval(np.polyfit(seconds, x, degree), seconds) for degree in (1, 2))
        expected = {
            "slope": np.polyfit(seconds, x, 1)[0],
            "trend": np.sign(line[-1] - line[0]) * np.sqrt(np.mean((line - x.mean()) ** 2)),
            "trend_error": np.sqrt(np.mean((x - line) ** 2)),
            "curvature": np.sign(np.polyfit(seconds, x, 2)[0]) * np.sqrt(np.mean((parabola - line) ** 2)),
            "curvature_error": np.sqrt(np.mean((x - parabola) ** 2)),
        }
        for name, value in expected.items():
            assert found[name][row] == pytest.approx(value, rel=2e-3, abs=2e-3 * x.std()), name


def test_regression_explains_a_line_and_a_parabola_without_error():
    seconds = np.arange(50) / RATE
    found = regression(np.stack([3 - 2 * seconds, 1 + seconds**2]).astype(np.float32), RATE)
    assert found["slope"][0] == pytest.approx(-2, rel=1e-4)
    assert found["trend_error"][0] < 1e-3
    assert found["curvature"][0] == pytest.approx(0, abs=1e-4)
    assert found["curvature"][1] > 0
    assert found["curvature_error"][1] < 1e-3


def test_times_are_those_of_a_plain_loop():
    found = times(X, RATE)
    for row, x in enumerate(X.astype(np.float64)):
        position = [t / (len(x) - 1) for t in range(len(x))]
        scaled = [(value - min(x)) / (max(x) - min(x)) for value in x]
        assert found["position_max"][row] == pytest.approx(position[list(x).index(max(x))])
        assert found["position_min"][row] == pytest.approx(position[list(x).index(min(x))])
        for percent in UP_TIMES:
            share = sum(value > percent / 100 + 1e-6 for value in scaled) / len(x)
            assert found[f"up_time_{percent}"][row] == pytest.approx(share, abs=1e-6)
        centre = sum(p * value for p, value in zip(position, scaled, strict=True)) / sum(scaled)
        assert found["centroid"][row] == pytest.approx(centre, rel=1e-3)


def test_slopes_are_those_of_a_plain_loop():
    found = slopes(X, RATE)
    for row, x in enumerate(X.astype(np.float64)):
        steps = [(x[t + 1] - x[t]) * RATE for t in range(len(x) - 1)]
        rising, falling = [step for step in steps if step > 0], [-step for step in steps if step < 0]
        assert found["rise_time"][row] == pytest.approx(len(rising) / len(steps))
        for name, part in (("rising", rising), ("falling", falling)):
            assert found[f"{name}_mean"][row] == pytest.approx(np.mean(part), rel=1e-3)
            assert found[f"{name}_std"][row] == pytest.approx(np.std(part), rel=1e-2, abs=1e-2 * np.mean(part))


def test_peaks_are_those_of_a_plain_loop():
    found = peaks(X, RATE)
    for row, x in enumerate(X.astype(np.float64)):
        least = x.mean() + PEAK_STDS * x.std()
        at = [t for t in range(1, len(x) - 1) if x[t - 1] < x[t] >= x[t + 1] and x[t] > least]
        gaps = [(later - earlier) / RATE for earlier, later in zip(at[:-1], at[1:], strict=True)]
        assert len(at) > 0
        assert found["peak_rate"][row] == pytest.approx(len(at) / (len(x) / RATE))
        assert found["peak_distance"][row] == pytest.approx(np.mean(gaps) if gaps else 0)
        assert found["peak_distance_std"][row] == pytest.approx(np.std(gaps) if gaps else 0, abs=1e-6)
        assert found["peak_height"][row] == pytest.approx(np.mean(x[at]) - x.mean(), rel=1e-3)


@pytest.mark.parametrize("rate", [40.0, 62.5, 100.0])
def test_autocorrelation_is_that_of_a_plain_loop(rate):
    found = autocorrelation(X, rate)
    for lag in LAGS:
        step = max(round(lag * rate / 1000), 1)
        for row, x in enumerate(X.astype(np.float64)):
            apart = sum((x[t] - x.mean()) * (x[t + step] - x.mean()) for t in range(len(x) - step))
            together = sum((value - x.mean()) ** 2 for value in x)
            assert found[f"autocorrelation_{lag}"][row] == pytest.approx(apart / together, abs=2e-4), (lag, row)


def test_autocorrelation_tells_the_period_of_a_contour():
    """A vibrato of 5 Hz is the same again after 200 ms, and nothing like it after a quarter of that."""
    seconds = np.arange(1000) / 100
    wave = np.sin(2 * np.pi * 5 * seconds)[np.newaxis].astype(np.float32)
    found = autocorrelation(wave, 100.0)
    assert found["autocorrelation_200"] == pytest.approx(1, abs=0.03)
    assert found["autocorrelation_50"] == pytest.approx(0, abs=0.03)
    assert found["autocorrelation_120"] == pytest.approx(np.cos(2 * np.pi * 5 * 0.12), abs=0.03)


@pytest.mark.parametrize("kinds", ["b", "abba", "baab", "aaa", "abcabcc", "cccabbbbaac", "acacbbbbbbbbca"])
def test_segments_are_those_of_a_plain_loop(kinds):
    found = segments(np.array(["abc".index(kind) for kind in kinds]), ("a", "b", "c"), RATE)
    for kind in "abc":
        lengths = [len(list(run)) / RATE for here, run in groupby(kinds) if here == kind]
        assert found[f"{kind}_rate"] == pytest.approx(len(lengths) / (len(kinds) / RATE))
        assert found[f"{kind}_length"] == pytest.approx(np.mean(lengths) if lengths else 0)
        assert found[f"{kind}_length_std"] == pytest.approx(np.std(lengths) if lengths else 0, abs=1e-6)
        assert found[f"{kind}_share"] == pytest.approx(kinds.count(kind) / len(kinds))


# --- all together


@pytest.mark.parametrize("family", FAMILIES)
def test_family_has_the_functionals_that_it_is_listed_with(family):
    assert set(family(X, RATE)) == set(FAMILIES[family])


def test_functionals_stand_in_the_order_they_are_asked_for_in():
    asked = ("p90", "peak_rate", "mean", "slope", "p10", "std", "rising_mean", "centroid")
    together = functionals(X, asked, RATE)
    assert together.shape == (6, len(asked))
    assert together.dtype == np.float32
    for column, name in enumerate(asked):
        np.testing.assert_array_equal(together[:, column], functionals(X, (name,), RATE)[:, 0])


def test_no_functional_is_listed_twice():
    assert len(set(FUNCTIONALS)) == len(FUNCTIONALS)


@pytest.mark.parametrize("name", FUNCTIONALS)
def test_descriptors_do_not_influence_one_another(name):
    alone = [functionals(X[[row]], (name,), RATE)[0] for row in range(len(X))]
    np.testing.assert_allclose(functionals(X, (name,), RATE), alone, rtol=1e-4, atol=1e-4)


# --- any contour


@settings(max_examples=200, deadline=None)
@given(contours)
def test_any_contour_has_finite_functionals(x):
    found = functionals(x, FUNCTIONALS, RATE)
    assert found.shape == (len(x), len(FUNCTIONALS))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("size", [1e-38, 1e-20, 1e-12, 1e-11, 1e-10, 1e-9, 1e-6, 1.0, 1e6])
@pytest.mark.parametrize("frames", [1, 2, 3, 40])
def test_functionals_are_finite_at_any_size_of_the_values(frames, size):
    """Derivatives of a descriptor that hardly moves have a mean near zero and a tiny deviation."""
    x = (size * np.random.default_rng(1).standard_normal((3, frames))).astype(np.float32)
    assert np.isfinite(functionals(x, FUNCTIONALS, RATE)).all()


@pytest.mark.parametrize("frames", [1, 2, 3, 50])
@pytest.mark.parametrize("value", [0.0, 1e-12, -3.3, 1e6])
def test_constant_has_its_value_and_no_spread(value, frames):
    x = np.full((1, frames), value, dtype=np.float32)
    found = dict(zip(FUNCTIONALS, functionals(x, FUNCTIONALS, RATE)[0].astype(float), strict=True))
    for name in ("mean", *(f"p{percent}" for percent in PERCENTS)):
        assert found[name] == pytest.approx(value, rel=1e-6)
    flat = ("skewness", "kurtosis", "iqr_1_3", "rise_time", "rising_mean", "falling_mean", "peak_rate", "peak_height")
    flat += tuple(f"autocorrelation_{lag}" for lag in LAGS)
    assert {name: found[name] for name in flat} == dict.fromkeys(flat, 0.0)
    assert found["std"] == pytest.approx(0, abs=1e-6 * abs(value))
    assert found["slope"] == pytest.approx(0, abs=1e-4 * abs(value))


@settings(max_examples=100, deadline=None)
@given(whole, st.integers(-100, 100))
def test_what_measures_spread_or_change_does_not_depend_on_an_offset(x, offset):
    names = ("std", "slope", "iqr_1_3", "range", "trend_error", "rising_mean", "falling_mean")
    before, after = functionals(x, names, RATE), functionals(x + np.float32(offset), names, RATE)
    np.testing.assert_allclose(after, before, rtol=1e-2, atol=0.05)


@settings(max_examples=100, deadline=None)
@given(whole, st.sampled_from([0.25, 2.0, 8.0]))
def test_what_has_the_unit_of_the_descriptor_scales_with_it(x, factor):
    names = ("mean", "std", "p1", "p50", "iqr_1_2", "range", "slope", "trend", "curvature_error", "rising_mean")
    before, after = functionals(x, names, RATE), functionals(x * np.float32(factor), names, RATE)
    np.testing.assert_allclose(after, factor * before, rtol=1e-4, atol=1e-4 * factor)


@settings(max_examples=100, deadline=None)
@given(arrays(np.float32, st.tuples(st.just(1), st.integers(3, 30)), elements=st.integers(-20, 20).map(float)))
def test_upside_down_contours_swap_rising_and_falling(x):
    found, turned = functionals(x, FUNCTIONALS, RATE)[0], functionals(-x, FUNCTIONALS, RATE)[0]
    found, turned = (dict(zip(FUNCTIONALS, values, strict=True)) for values in (found, turned))
    for name, other in (("rising_mean", "falling_mean"), ("rising_std", "falling_std"), ("iqr_1_2", "iqr_2_3")):
        assert turned[name] == pytest.approx(found[other], rel=1e-4, abs=1e-4)
    for name in ("mean", "skewness", "slope", "trend"):
        assert turned[name] == pytest.approx(-found[name], rel=1e-3, abs=1e-3)
    assert turned["position_min"] == found["position_max"]


@settings(max_examples=100, deadline=None)
@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 2)))
def test_segments_of_any_clip_add_up(kinds):
    found = segments(kinds, ("a", "b", "c"), RATE)
    assert sum(found[f"{kind}_share"] for kind in "abc") == pytest.approx(1)
    for kind in "abc":
        assert found[f"{kind}_rate"] * found[f"{kind}_length"] == pytest.approx(found[f"{kind}_share"])


@settings(max_examples=100, deadline=None)
@given(contours)
def test_autocorrelation_lies_between_opposite_and_same(x):
    for values in autocorrelation(x, RATE).values():
        assert (np.abs(values) <= 1 + 1e-3).all()
