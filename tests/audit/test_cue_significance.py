"""The test of the cues: what is shuffled, the p-values of a family, and what corpora of all kinds make of it."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cue_simulation import balanced, one_sided, planted, recorded, reported, shuffled
from ser.audit import cue_significance
from ser.audit.cue_significance import BINS, SHUFFLES, Labelled, binned, family_p_values
from ser.audit.cue_words import CUE, LEAK
from ser.audit.label_leaks import measure_cues


def labelled(emotions, *values, blocks=None, name="c"):
    emotions = np.asarray(emotions)
    blocks = np.zeros_like(emotions) if blocks is None else np.asarray(blocks)
    return Labelled((name,), emotions, blocks, [np.asarray(value) for value in values])


def p_values(*family, seed=1):
    return family_p_values(list(family), np.ones(sum(len(part.values) for part in family), dtype=bool), seed)


def shuffles(part, count=50):
    return cue_significance._shuffle(part, count, np.random.default_rng(1))


def test_small_corpora_of_shuffled_emotions_show_no_cue():
    seen, shown = 0, 0
    for run in range(15):
        rng = np.random.default_rng(run)
        found = measure_cues(shuffled(balanced(72, rng), rng), run)
        seen += (found["excess"] > CUE).any()
        shown += (found["verdict"] != "").any()
    assert seen >= 10  # each would be reported without a test
    assert shown == 0


def test_a_planted_number_is_found_and_nothing_else():
    rng = np.random.default_rng(1)
    assert reported(planted(shuffled(balanced(200, rng), rng), 0.2, rng), 1) == {"seconds"}


def test_the_statistic_is_chi_square_of_the_known_values():
    rng = np.random.default_rng(1)
    emotions = rng.integers(4, size=300)
    values = [rng.integers(-1, 5, size=300), rng.integers(2, size=300), np.minimum(emotions, 2)]
    found = cue_significance._Tables(labelled(emotions, *values)).deviations(emotions[None])[0]
    for value, deviation in zip(values, found, strict=True):
        table = pd.crosstab(value[value >= 0], emotions[value >= 0])
        chi_square, _, freedom, _ = stats.chi2_contingency(table, correction=False)
        spread = 2 / (9 * freedom)
        assert deviation == pytest.approx((np.cbrt(chi_square / freedom) - 1 + spread) / np.sqrt(spread))


def test_one_p_value_is_that_of_all_shuffles():
    values, emotions = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1, 1, 1, 0])

    def clear(chosen):
        shown = np.isin(np.arange(9), chosen)
        return stats.chi2_contingency(pd.crosstab(values, shown), correction=False)[0]

    every = [clear(chosen) for chosen in combinations(range(9), 4)]
    exact = np.mean(np.array(every) >= clear(np.flatnonzero(emotions == 0)) - 1e-9)
    found = np.mean([p_values(labelled(emotions, values), seed=seed)[0] for seed in range(40)])
    assert found == pytest.approx(exact, abs=0.05)


def test_what_tells_nothing_at_all_has_a_p_of_one():
    emotions = np.resize([0, 1], 20)
    assert p_values(labelled(emotions, np.zeros(20, dtype=int), np.arange(20))).tolist() == [1, 1]


def test_the_more_is_looked_at_the_less_one_of_it_counts():
    rng = np.random.default_rng(2)
    emotions = np.resize([0, 1, 2], 90)
    cue = np.where(rng.random(90) < 0.33, emotions, rng.integers(3, size=90))
    noise = [rng.integers(3, size=90) for _ in range(30)]
    alone, among = p_values(labelled(emotions, cue))[0], p_values(labelled(emotions, cue, *noise))[0]
    assert 5 * alone <= among


def test_what_is_clear_does_not_hide_what_is_less_clear():
    """The second of two is compared with what is left, not with the first."""
    emotions = np.resize([0, 1, 2], 90)
    cue = np.where(np.random.default_rng(2).random(90) < 0.4, emotions, 0)
    first, second = p_values(labelled(emotions, emotions, cue))
    assert first == 1 / (SHUFFLES + 1)
    assert second == pytest.approx(p_values(labelled(emotions, cue))[0], abs=0.02)


def test_p_values_follow_the_seed_and_stop_where_they_cannot_matter():
    rng = np.random.default_rng(1)
    emotions, noise = np.resize([0, 1], 60), rng.integers(3, size=60)
    part = labelled(emotions, noise, emotions)
    first, again, other = (p_values(part, seed=seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()
    hasty = family_p_values([part], np.array([True, False]), 1)[0]
    assert hasty == pytest.approx(first[0], abs=0.2)
    assert round(1 / hasty) < 1000
    assert hasty > cue_significance.LEVEL


def test_speakers_keep_their_emotions_where_all_have_the_same():
    blocks = np.random.default_rng(1).permutation(np.repeat(np.arange(5), 6))
    emotions = np.empty(30, dtype=int)
    for speaker in range(5):
        emotions[blocks == speaker] = [0, 0, 0, 1, 1, 2]
    drawn = shuffles(labelled(emotions, blocks=blocks))
    for speaker in range(5):
        assert (np.sort(drawn[:, blocks == speaker]) == [0, 0, 0, 1, 1, 2]).all()
    assert len(np.unique(drawn, axis=0)) == len(drawn)


def test_whole_speakers_of_one_emotion_are_exchanged():
    blocks = np.repeat(np.arange(6), 4)
    drawn = shuffles(labelled(blocks % 2, blocks=blocks)).reshape(-1, 6, 4)
    assert (drawn == drawn[:, :, :1]).all()
    assert (drawn[:, :, 0].sum(axis=1) == 3).all()
    assert 10 < len(np.unique(drawn[:, :, 0], axis=0)) <= 20


def test_speakers_of_unequal_clips_keep_all_emotions():
    blocks = np.repeat([0, 1, 2, 3], [1, 2, 9, 4])
    emotions = np.resize([0, 1, 1, 2, 3], 16)
    assert (np.sort(shuffles(labelled(emotions, blocks=blocks))) == np.sort(emotions)).all()


def test_numbers_fall_into_equally_full_bins_and_equal_ones_into_the_same():
    values = np.random.default_rng(1).standard_normal(80)
    assert np.bincount(binned(values)).tolist() == [10] * BINS
    assert binned(np.array([3.0, np.nan, 3.0, -1.0, 3.0])).tolist() == [5, -1, 5, 1, 5]
    assert len(set(binned(np.array([0.0] * 95 + [1.0] * 5)))) == len(set(binned(np.array([0.0] * 5 + [1.0] * 95)))) == 2
    assert binned(np.full(3, np.nan)).tolist() == [-1] * 3


def test_of_speakers_with_an_emotion_each_the_speaker_is_told_and_not_what_they_sound_like():
    speakers = 0
    for run in range(10):
        found = reported(one_sided(200, np.random.default_rng(run)), run)
        speakers += "speaker" in found
        assert found <= {"speaker"}
    assert speakers == 10


@pytest.mark.parametrize("known", [0.0, 0.5, 1.0])
def test_leaks_are_found_whoever_speaks(known):
    rng = np.random.default_rng(1)
    table = planted(shuffled(balanced(200, rng), rng), 0.5, rng)
    assert reported(table.assign(speaker=np.where(rng.random(200) < known, table["speaker"], "")), 1) == {"seconds"}
    assert reported(table.assign(speaker="c:1"), 1) == {"seconds"}
    assert reported(table.assign(speaker=[f"c:{number}" for number in range(200)]), 1) == {"seconds"}


def test_two_emotions_of_which_one_is_rare():
    rng = np.random.default_rng(1)
    speaker = np.repeat(np.arange(10), 20)
    emotion = (np.arange(200) % 10 == 0).astype(int)
    table = recorded(speaker, emotion, np.resize(np.arange(3), 200), np.full(200, "WAV PCM_16"), rng)
    assert reported(table, 1) == set()
    assert reported(table.assign(seconds=table["seconds"] + 5 * emotion), 1) == {"seconds"}


def test_verdicts_follow_excess_and_p():
    rng = np.random.default_rng(3)
    table = planted(shuffled(balanced(200, rng), rng), 0.5, rng)
    table["statement"] = np.where(rng.random(200) < 0.5, table["emotion"], table["statement"])
    found = measure_cues(table, 1)
    assert (found["p"].notna() == (found["excess"] > CUE)).all()
    for row in found.itertuples():
        expected = "" if not row.p <= 0.01 else "leak" if row.excess > LEAK else "cue"
        assert row.verdict == expected
    assert found["verdict"].isin(["cue", "leak"]).sum() >= 2


def test_very_few_clips_are_never_a_cue():
    table = pd.DataFrame({"corpus": "c", "speaker": ["c:1", "c:2"] * 3, "emotion": ["anger", "fear"] * 3})
    found = measure_cues(table.assign(seconds=[1.0, 5.0] * 3, statement=["a", "b"] * 3), 1)
    assert (found["excess"] > CUE).any()
    assert set(found["verdict"]) == {""}
