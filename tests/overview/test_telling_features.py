"""The most telling features: beside an analysis of variance by statsmodels, and what they must not be fooled by."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.anova import anova_lm

from ser.overview.standardized_columns import LIMIT, standardized
from ser.overview.telling_features import ALIKE, distributions, speaker_medians, telling_features


def unequal_clips(seed: int = 0, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return the emotion and the voice of clips; each voice prefers some emotions, and one shows only fear."""
    rng = np.random.default_rng(seed)
    voices = rng.integers(0, 6, count)
    emotions = np.where(rng.uniform(size=count) < 0.5, voices % 4, rng.integers(0, 4, count))
    emotions[voices == 5] = 1
    return np.array(["anger", "fear", "joy", "neutral"])[emotions], voices.astype(str)


def test_partial_eta_squared_is_that_of_statsmodels():
    emotions, voices = unequal_clips()
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 4)) + np.arange(4) * 0.3 * (emotions == "joy")[:, None] + voices.astype(int)[:, None]
    x = x.clip(-2, 9)  # nothing is beyond LIMIT deviations
    found = telling_features(x, emotions, voices).explained
    for column in range(4):
        table = pd.DataFrame({"y": x[:, column], "emotion": emotions, "voice": voices})
        anova = anova_lm(smf.ols("y ~ C(voice) + C(emotion)", table).fit(), typ=2)["sum_sq"]
        expected = anova["C(emotion)"] / (anova["C(emotion)"] + anova["Residual"])
        assert found[column] == pytest.approx(expected, rel=0.02)  # what is cut is not quite nothing


def test_what_only_tells_voices_apart_tells_no_emotion():
    emotions, voices = unequal_clips()
    voice = 100.0 * voices.astype(int)  # by which emotions can be guessed, as each voice prefers some
    mood = (emotions == "joy").astype(float) + np.random.default_rng(2).normal(size=200)
    found = telling_features(np.column_stack([voice, mood]), emotions, voices)
    assert found.explained[0] == 0
    assert list(found.columns) == [1]


def test_of_features_that_say_the_same_only_the_best_is_chosen():
    rng = np.random.default_rng(3)
    emotions, voices = np.tile(["anger", "fear"], 100), np.repeat(["a", "b"], 100)
    best = (emotions == "fear") + 0.3 * rng.normal(size=200)
    worse = -best + 0.1 * rng.normal(size=200)
    other = (emotions == "fear") + 2 * rng.normal(size=200)
    inputs = np.column_stack([other, worse, best])
    assert abs(np.corrcoef(best, worse)[0, 1]) > ALIKE
    assert list(telling_features(inputs, emotions, voices).columns) == [2, 0]
    assert list(telling_features(inputs, emotions, voices, count=1).columns) == [2]


@pytest.mark.parametrize(
    ("emotions", "voices"),
    [(["joy"] * 6, ["a"] * 6), (["joy", "fear"] * 3, list("abcdef")), (["joy", "fear"], ["a", "a"])],
    ids=["one emotion", "a clip a voice", "two clips"],
)
def test_too_little_is_no_error(emotions, voices):
    inputs = np.random.default_rng(4).normal(size=(len(emotions), 5)).astype(np.float32)
    inputs[:, 0] = 2.5
    inputs[0, 1] = np.nan
    found = telling_features(inputs, np.array(emotions), np.array(voices))
    assert np.isfinite(found.explained).all()
    assert len(emotions) == 2 or len(found.columns) == 0
    assert 0 not in found.columns


def test_columns_are_judged_alike_wherever_they_stand():
    """They are read some at a time, more than fit into one block."""
    emotions, voices = unequal_clips()
    x = np.random.default_rng(5).normal(size=(200, 700)).astype(np.float32)
    x[:, 650] += emotions == "joy"
    found = telling_features(x, emotions, voices)
    turned = telling_features(x[:, ::-1], emotions, voices)
    assert found.columns[0] == 650
    np.testing.assert_allclose(found.explained, turned.explained[::-1], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 4), st.floats(0.1, 1000), st.floats(-1000, 1000))
def test_standardized_columns_have_no_group_means_and_no_units(seed, groups, scale, shift):
    rng = np.random.default_rng(seed)
    who = np.concatenate([np.arange(groups), rng.integers(0, groups, 20)])
    x = rng.standard_t(3, size=(len(who), 3))
    found = standardized(x, who)
    assert np.abs(found).max() <= 2 * LIMIT
    for group in range(groups):
        assert np.abs(found[who == group].mean(axis=0)).max() < 1e-9
    np.testing.assert_allclose(standardized(scale * x + shift, who), found, atol=1e-6)


def test_distributions_and_medians_are_those_of_the_clips():
    emotions, speakers = np.array(["joy", "joy", "fear", "joy"]), np.array(["a", "a", "b", ""])
    values = np.array([[1.0, 10], [3, 20], [5, 30], [8, 90]])
    found = distributions(values, emotions).set_index(["number", "emotion"])
    assert found.loc[(0, "joy"), ["clips", "median"]].to_list() == [3, 3]
    assert found.loc[(1, "fear"), ["p5", "p95"]].to_list() == [30, 30]
    medians = speaker_medians(values, emotions, speakers)
    assert medians.to_numpy().tolist() == [
        [0, "fear", "b", 1, 5.0], [0, "joy", "a", 2, 2.0], [1, "fear", "b", 1, 30.0], [1, "joy", "a", 2, 15.0],
    ]  # fmt: skip
    assert len(speaker_medians(values, emotions, np.array([""] * 4))) == 0
    assert len(speaker_medians(values[:, :0], emotions, speakers)) == 0
    assert len(distributions(values[:, :0], emotions)) == 0
