"""Differences between models against scipy and statsmodels."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from ser.errors import InputError
from ser.evaluation.comparisons import BETTER, NO_EVIDENCE, UNKNOWN, WORSE, compare_all, compare_uar, mcnemar, verdicts
from synthetic_predictions import predictions, rows_to_score

BALANCED = {"speakers": 12, "clips": 4}  # a clip of each emotion: the speakers' UARs average to the pooled one


@pytest.fixture(scope="module")
def tables():
    return {f"m{seed}": predictions(seed, skill=skill)[0] for seed, skill in enumerate((0.4, 1.5, 1.6))}


@pytest.fixture(scope="module")
def clips():
    return predictions(0)[1]


def test_balanced_it_is_the_paired_t_test_over_speakers():
    (first, clips), (second, _) = predictions(1, skill=1.6, **BALANCED), predictions(2, skill=1.0, **BALANCED)
    one_fold = [table.assign(fold=0).query("part == 'test'") for table in (first, second)]
    found = compare_uar(*one_fold, clips, confidence=0.95)
    right = [
        (rows["emotion"] == rows["predicted"]).groupby(clips["speaker"]).mean() for rows in map(rows_to_score, one_fold)
    ]
    expected = ttest_rel(*right)
    low, high = expected.confidence_interval(0.95)
    assert found.value == pytest.approx((right[0] - right[1]).mean())
    assert (found.low, found.high, found.p) == pytest.approx((low, high, expected.pvalue))


def test_two_runs_are_compared_by_folds_too_and_two_models_of_a_run_are_not(tables, clips):
    """All speakers of a fold move together: the models of three folds had luck."""
    lucky = tables["m1"].copy()
    rows = (lucky["fold"] > 0) & (lucky["part"] == "test")
    lucky.loc[rows, lucky.filter(like="p_").columns] = pd.get_dummies(lucky["emotion"])[rows].to_numpy(dtype=float)
    within = compare_all({"lucky": lucky, "m1": tables["m1"]}, clips, confidence=0.95).iloc[0]
    between = compare_uar(lucky, tables["m1"], clips, confidence=0.95)
    assert within["first"] == "lucky"
    assert within["verdict"] == BETTER
    assert within["difference"] == pytest.approx(between.value)
    assert between.p > 0.05
    assert between.low < 0 < within["low"]


def test_all_pairs(tables, clips):
    found = compare_all(tables, clips, confidence=0.95)
    assert list(zip(found["first"], found["second"], strict=True)) == [("m1", "m2"), ("m1", "m0"), ("m2", "m0")]
    assert (found["difference"] >= 0).all()
    assert list(found["verdict"]) == [NO_EVIDENCE, BETTER, BETTER]
    np.testing.assert_allclose(found["p_holm"], multipletests(found["p"], method="holm")[1])


def test_rows_in_another_order_are_the_same(tables, clips):
    shuffled = {model: table.sample(frac=1, random_state=1) for model, table in tables.items()}
    pd.testing.assert_frame_equal(
        compare_all(shuffled, clips, confidence=0.95), compare_all(tables, clips, confidence=0.95)
    )


def test_mcnemar_equals_statsmodels():
    rng = np.random.default_rng(0)
    for share in (0.5, 0.8):
        first, second = rng.uniform(size=(2, 100)) < np.array([[share], [0.5]])
        table = [[(first & second).sum(), (first & ~second).sum()], [(~first & second).sum(), (~first & ~second).sum()]]
        only_first, only_second, p = mcnemar(first, second)
        assert (only_first, only_second) == (table[0][1], table[1][0])
        assert p == pytest.approx(reference_mcnemar(table, exact=True).pvalue)
    assert mcnemar(first, first) == (0, 0, 1.0)


@pytest.mark.parametrize("speakers", [4, 0])
def test_few_or_unknown_speakers_have_no_verdict(tables, clips, speakers):
    clips = clips.assign(
        speaker=clips["speaker"].where(clips["speaker"] < f"s{speakers:02d}", "s00" if speakers else "")
    )
    found = compare_all(tables, clips, confidence=0.95)
    assert found[["low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert set(found["verdict"]) == {UNKNOWN}
    assert found["difference"].notna().all()


def test_one_model_has_nobody_to_compare_with(tables, clips):
    found = compare_all({"m0": tables["m0"]}, clips, confidence=0.95)
    assert found.empty
    assert "p_holm" in found.columns


def test_other_clips_are_refused(tables, clips):
    with pytest.raises(InputError, match="same test clips"):
        compare_uar(tables["m0"], tables["m1"].iloc[1:], clips, confidence=0.95)


def test_verdicts():
    differences, p = pd.Series([0.1, -0.1, 0.1, 0.1]), pd.Series([0.04, 0.04, 0.06, np.nan])
    assert verdicts(differences, p, 0.05) == [BETTER, WORSE, NO_EVIDENCE, UNKNOWN]
