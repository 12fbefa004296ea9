"""Fusion of several models' predictions: the mean, and what is learnt from validation rows."""

import json
import re
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ser.errors import InputError
from ser.evaluation.calibration import truth_of
from ser.fusion.ensemble_weights import (
    cross_fit_splits,
    learn,
    member_weights,
    one_voice_warning,
    select_members,
    speaker_groups,
)
from ser.fusion.ensemble_weights import fuse as fuse_tables
from ser.fusion.stacking import learn_stacking
from ser.probabilities.fused import Rule, pool
from ser.probabilities.fused import fuse as apply
from ser.probabilities.model_results import temperature_of
from ser.storage.prediction_tables import check_table, probabilities_of
from synthetic_predictions import EMOTIONS, labelled, predictions

CLIPS = ["c/a", "c/b", "c/c"]
TABLE = pd.DataFrame({"clip": CLIPS, "speaker": ["s1", "s1", "s2"], "statement": ""})


def settings_of(method: str, *, calibrate: bool = False, powers: Sequence[float] = (0.0,)) -> SimpleNamespace:
    return SimpleNamespace(method=method, calibrate=calibrate, powers=powers, shrinkage=3.0, C=0.01)


SETTINGS = {
    "mean": settings_of("mean"),
    "weights": settings_of("weights"),
    "stacking": settings_of("stacking"),
    "calibrated mean": settings_of("mean", calibrate=True),
    "calibrated pool": settings_of("weights", calibrate=True, powers=(0.0, 0.5, 1.0)),
    "calibrated stacking": settings_of("stacking", calibrate=True),
}
MEAN, WEIGHTS, STACKING = (SETTINGS[method] for method in ("mean", "weights", "stacking"))
WEIGH = [name for name in SETTINGS if "mean" not in name]


def each(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("settings", [SETTINGS[name] for name in names], ids=names)


@pytest.fixture(autouse=True)
def one_thread():
    """As in the stage; and threads that wait for each other would take far longer."""
    with threadpool_limits(1):
        yield


def fuse(tables: dict[str, pd.DataFrame], clips: pd.DataFrame, settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the fused table, and what each member counts in each fold."""
    fusion = fuse_tables(tables, clips, settings)
    return fusion.table, member_weights(fusion.rules, sorted(tables))


def member(p_anger: list[float]) -> pd.DataFrame:
    """Return a table in which each clip is tested in fold 1 and validated in fold 0."""
    table = pd.DataFrame({"clip": CLIPS * 2, "fold": [1] * 3 + [0] * 3, "part": ["test"] * 3 + ["validation"] * 3})
    table["emotion"] = ["anger", "fear", "fear"] * 2
    return table.assign(p_anger=p_anger, p_fear=1 - np.array(p_anger))


MEMBERS = {
    "x": member([0.9, 0.1, 0.2, 0.3, 0.4, 0.5]),
    "y": member([0.5, 0.3, 0.8, 0.1, 0.2, 0.3]),
    "z": member([0.1, 0.2, 0.8, 0.5, 0.6, 0.7]),
}


@pytest.fixture(scope="module")
def models() -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """A good model, a fair one and one that guesses, tested on 12 speakers in 4 folds; and the clips."""
    tables = {name: predictions(seed, skill=skill)[0] for seed, (name, skill) in enumerate(SKILLS.items())}
    return tables, predictions(0)[1].assign(statement="")


@pytest.mark.parametrize("settings", [MEAN, WEIGHTS], ids=["mean", "weights"])
def test_an_ensemble_of_one_is_that_model(models, settings):
    tables, clips = models
    fused, weights = fuse({"good": tables["good"]}, clips, settings)
    rows = tables["good"].sort_values(["fold", "part", "clip"])
    np.testing.assert_allclose(probabilities_of(fused), probabilities_of(rows), atol=1e-6)
    assert (weights["weight"] == 1).all() and set(weights["member"]) == {"good"}


def test_stacking_of_one_learns_too(models):
    tables, clips = models
    fused, weights = fuse({"good": tables["good"]}, clips, STACKING)
    check_table(fused, "ensemble")
    assert (weights["weight"] == 1).all()


SKILLS = {"fair": 1.5, "good": 2.5, "guess": -9.0}


def test_probabilities_are_averaged_row_by_row():
    fused, weights = fuse(MEMBERS, TABLE, MEAN)
    assert fused["fold"].tolist() == [0, 0, 0, 1, 1, 1]
    assert fused["clip"].tolist() == CLIPS * 2
    assert fused["emotion"].tolist() == ["anger", "fear", "fear"] * 2
    assert np.allclose(fused["p_anger"], [0.3, 0.4, 0.5, 0.5, 0.2, 0.6])
    assert np.allclose(fused["p_anger"] + fused["p_fear"], 1)
    assert weights["fold"].tolist() == [0, 0, 0, 1, 1, 1]
    assert weights["member"].tolist() == ["x", "y", "z"] * 2
    assert np.allclose(weights["weight"], 1 / 3)


def test_one_member_is_itself():
    for settings in (MEAN, WEIGHTS):
        fused, _ = fuse({"x": MEMBERS["x"]}, TABLE, settings)
        assert np.allclose(fused["p_anger"], [0.3, 0.4, 0.5, 0.9, 0.1, 0.2])


@each(*SETTINGS)
@given(order=st.permutations(sorted(MEMBERS)), rows=st.permutations(range(6)))
@hypothesis_settings(max_examples=10, deadline=None)
def test_the_order_of_members_and_rows_does_not_matter(settings, order, rows):
    shuffled = {name: MEMBERS[name].iloc[rows] for name in order}
    for ours, expected in zip(fuse(shuffled, TABLE.iloc[::-1], settings), fuse(MEMBERS, TABLE, settings), strict=True):
        pd.testing.assert_frame_equal(ours, expected, check_exact=True)


def test_members_are_not_changed():
    before = MEMBERS["x"].copy()
    fuse(MEMBERS, TABLE, STACKING)
    pd.testing.assert_frame_equal(MEMBERS["x"], before)


@pytest.mark.parametrize(
    "other",
    [
        MEMBERS["y"].iloc[1:],
        MEMBERS["y"].assign(clip=["c/a", "c/b", "c/d"] * 2),
        MEMBERS["y"].assign(emotion="fear"),
        MEMBERS["y"].rename(columns={"p_fear": "p_joy"}),
    ],
    ids=["a row less", "another clip", "another truth", "another class"],
)
def test_members_that_differ_are_an_error(other):
    with pytest.raises(InputError, match="y and x predict different clips or emotions"):
        fuse({"x": MEMBERS["x"], "y": other}, TABLE, MEAN)


def test_nothing_to_fuse_is_an_error():
    with pytest.raises(InputError, match="no predictions to fuse"):
        fuse({}, TABLE, MEAN)


def test_members_are_chosen_by_name():
    assert list(select_members(MEMBERS, [])) == ["x", "y", "z"]
    assert list(select_members(MEMBERS, ["z", "x"])) == ["z", "x"]
    with pytest.raises(InputError, match="fuse.members names w, but the models are x, y, z"):
        select_members(MEMBERS, ["x", "w"])


def test_stacking_is_the_regression_on_log_probabilities():
    probabilities, truth = labelled(4, 90, [1.0, 2.0])
    columns = np.hstack(list(np.log(probabilities)))
    expected = LogisticRegression(C=0.1, class_weight="balanced", max_iter=10_000).fit(columns, truth)
    found = apply(probabilities, learn_stacking(probabilities, truth, 0.1))
    assert np.allclose(found, expected.predict_proba(columns), atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
@each(*SETTINGS)
def test_a_rule_is_the_same_after_it_was_stored(settings, classes):
    probabilities, truth = labelled(7, 60, [1.0, 2.0], classes=classes)
    rule = learn(probabilities, truth, settings)
    stored = json.loads(json.dumps(rule.as_json()))
    assert np.array_equal(apply(probabilities, Rule.of_json(stored)), apply(probabilities, rule))


@each(*SETTINGS)
def test_two_classes_are_stacked_as_scikit_learn_does(settings):
    probabilities, truth = labelled(8, 60, [1.0, 2.0], classes=2)
    fused = apply(probabilities, learn(probabilities, truth, settings))
    assert np.allclose(fused.sum(axis=1), 1)
    if settings is STACKING:
        columns = np.hstack(list(np.log(probabilities)))
        expected = LogisticRegression(C=0.01, class_weight="balanced", max_iter=10_000).fit(columns, truth)
        assert np.allclose(fused, expected.predict_proba(columns), atol=1e-6)


@each("calibrated mean", *WEIGH)
def test_the_rule_for_use_is_learnt_from_the_validation_rows_of_all_folds(models, settings):
    tables, clips = models
    rows = {name: table[table["part"] == "validation"].sort_values(["fold", "clip"]) for name, table in tables.items()}
    probabilities = np.stack([probabilities_of(table) for _, table in sorted(rows.items())])
    expected = learn(probabilities, truth_of(rows["good"]), settings)
    found = fuse_tables(tables, clips, settings).for_use
    assert all(np.allclose(one, other) for one, other in zip(found[1:], expected[1:], strict=True))


@each(*WEIGH)
def test_an_emotion_that_no_validation_row_has_keeps_its_probability(settings):
    probabilities, truth = labelled(5, 90, [1.0, 2.0], classes=4)
    known = truth != 2
    rule = learn(probabilities[:, known], truth[known], settings)
    fused = apply(probabilities, rule)
    assert fused.shape == (90, 4)
    assert np.allclose(fused.sum(axis=1), 1)
    assert np.mean(fused[truth == 2].argmax(axis=1) == 2) > 0.6
    if settings is STACKING:
        assert np.allclose(fused[:, 2], probabilities[:, :, 2].mean(axis=0))


@each(*WEIGH)
@pytest.mark.parametrize("rows", [0, 1])
def test_nearly_nothing_to_learn_from_leaves_all_members_alike(settings, rows):
    probabilities, truth = labelled(6, 20, [1.0, 1.0])
    rule = learn(probabilities[:, :rows], truth[:rows], settings)
    assert np.isfinite(apply(probabilities, rule)).all()
    if rows == 0:
        assert np.allclose(rule.weights, 0.5)


@each(*WEIGH)
def test_the_fused_table_keeps_the_contract_and_prefers_the_better_member(models, settings):
    tables, clips = models
    fused, weights = fuse(tables, clips, settings)
    check_table(fused, "ensemble")
    assert sorted(fused["clip"]) == sorted(tables["good"]["clip"])
    means = weights.groupby("member")["weight"].mean()
    assert means["good"] > means["fair"] > means["guess"]
    assert weights.groupby("fold")["weight"].sum().to_numpy() == pytest.approx(np.ones(4))


def stored(rules: dict[int, Rule], for_use: Rule) -> str:
    return json.dumps([{fold: rule.as_json() for fold, rule in rules.items()}, for_use.as_json()])


@each("calibrated mean", *WEIGH)
def test_no_test_row_has_a_say(models, settings):
    """Other labels and probabilities of the test rows leave all rules and the validation rows as they were."""
    tables, clips = models
    rng = np.random.default_rng(0)
    columns = [f"p_{emotion}" for emotion in EMOTIONS]
    emotions = pd.Series(rng.permutation(clips["emotion"]), index=clips["clip"])
    spoilt = {}
    for name, table in tables.items():
        test = (table["part"] == "test").to_numpy()
        spoilt[name] = table.copy()
        spoilt[name].loc[test, columns] = rng.dirichlet(np.ones(4), test.sum())
        spoilt[name].loc[test, "emotion"] = table.loc[test, "clip"].map(emotions)
    (before, *rules), (after, *rules_after) = (fuse_tables(t, clips, settings) for t in (tables, spoilt))
    assert stored(*rules_after) == stored(*rules)
    is_validation = before["part"] == "validation"
    pd.testing.assert_frame_equal(after[is_validation], before[is_validation], check_exact=True)


@each("calibrated mean", *WEIGH)
def test_test_rows_are_fused_by_their_own_folds_validation_rows(models, settings):
    tables, clips = models
    fused, _ = fuse(tables, clips, settings)
    rows = {name: t.query("fold == 1").sort_values(["part", "clip"]) for name, t in sorted(tables.items())}
    parts = {
        part: np.stack([probabilities_of(t[t["part"] == part]) for t in rows.values()])
        for part in ("test", "validation")
    }
    truth = truth_of(rows["good"].query("part == 'validation'"))
    expected = apply(parts["test"], learn(parts["validation"], truth, settings))
    assert np.allclose(probabilities_of(fused.query("fold == 1 and part == 'test'")), expected)


@each("calibrated mean", *WEIGH)
def test_a_validation_row_is_fused_by_what_other_speakers_taught(models, settings):
    """Swapping the labels of one validation speaker changes others of the fold, but none of this speaker."""
    tables, clips = models
    speaker = clips.set_index("clip")["speaker"]
    changed = {name: table.copy() for name, table in tables.items()}
    for table in changed.values():
        own = (table["part"] == "validation") & (table["clip"].map(speaker) == "s03")
        table.loc[own, "emotion"] = table.loc[own, "emotion"].map(dict(zip(EMOTIONS, EMOTIONS[::-1], strict=True)))
        fold = table.loc[own, "fold"].iloc[0]
    rows, rows_after = (fuse(t, clips, settings)[0] for t in (tables, changed))
    before, after = probabilities_of(rows), probabilities_of(rows_after)
    own = (rows["clip"].map(speaker) == "s03").to_numpy()
    validation = ((rows["part"] == "validation") & (rows["fold"] == fold)).to_numpy()
    assert np.array_equal(before[own & validation], after[own & validation])
    assert not np.allclose(before[~own & validation], after[~own & validation])
    assert np.array_equal(before[(rows["fold"] != fold).to_numpy()], after[(rows["fold"] != fold).to_numpy()])


@pytest.mark.parametrize(
    ("speaker", "statement", "expected"),
    [
        (["a", "b", "b"], ["1", "1", "2"], ["a", "b", "b"]),
        (["a", "a", "a"], ["1", "1", "2"], ["1", "1", "2"]),
        (["a", "b", ""], ["1", "1", "2"], ["a", "b", CLIPS[2]]),
        (["a", "a", ""], ["1", "1", "2"], ["1", "1", "2"]),
        (["", "", ""], ["", "1", "2"], [CLIPS[0], "1", "2"]),
        (["", "", ""], ["", "", "2"], CLIPS),
    ],
    ids=["speakers", "one speaker", "an unknown speaker", "one known speaker", "an unknown statement", "nothing known"],
)
def test_cross_fits_keep_together_what_is_known_to_belong_together(speaker, statement, expected):
    rows = MEMBERS["x"].sort_values(["fold", "part", "clip"], ignore_index=True)
    clips = TABLE.assign(speaker=speaker, statement=statement)
    assert speaker_groups(rows, clips).tolist() == expected * 2


@pytest.mark.parametrize(
    ("speakers", "settings", "said"),
    [
        (["s1", "s1", "s1", "s2"], "stacking", "1 of 2 folds .* coefficients are learnt"),
        (["s1", "s1", "s2", "s2"], "weights", "2 of 2 folds .* weights are learnt"),
        (["s1", "", "s1", "s2"], "weights", "1 of 2 folds .* weights are learnt"),
        (["s1", "s1", "s1", "s2"], "calibrated mean", "1 of 2 folds .* temperatures are learnt"),
        (["s1", "s1", "s2", "s2"], "calibrated pool", "2 of 2 folds .* temperatures and weights are learnt"),
        (["s1", "s2", "s1", "s2"], "calibrated pool", None),
        (["s1", "s1", "s1", "s1"], "mean", None),
    ],
)
def test_an_ensemble_that_learns_from_the_voice_that_validates_it_says_so(speakers, settings, said):
    clips = pd.DataFrame({"clip": list("abcd"), "speaker": speakers})
    rows = pd.DataFrame({"clip": list("abcdcd"), "fold": [0, 0, 1, 1, 0, 0], "part": ["validation"] * 4 + ["test"] * 2})
    warning = one_voice_warning(rows, clips, SETTINGS[settings])
    assert warning is None if said is None else re.match(said, warning)


def test_every_row_is_held_out_once_and_its_group_with_it():
    groups = np.array([f"s{number % 13}" for number in range(60)])
    splits = cross_fit_splits(groups)
    assert len(splits) == 10
    assert sorted(np.concatenate([held_out for _, held_out in splits])) == list(range(60))
    for taught, held_out in splits:
        assert not set(groups[taught]) & set(groups[held_out])
    ((taught, held_out),) = cross_fit_splits(np.array(["s", "s"]))
    assert (len(taught), len(held_out)) == (0, 2)


@each(*WEIGH)
def test_folds_without_validation_rows_are_fused_alike(settings):
    bare = {name: table[table["part"] == "test"] for name, table in MEMBERS.items()}
    fused, weights = fuse(bare, TABLE, settings)
    assert len(fused) == 3
    assert np.allclose(weights["weight"], 1 / 3)


def overconfident(table: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Return a table whose logits are `factor` times what they were."""
    columns = [f"p_{emotion}" for emotion in EMOTIONS]
    odds = table[columns] ** factor
    return table.assign(**odds.div(odds.sum(axis=1), axis=0))


def test_a_member_that_is_too_sure_of_itself_has_no_more_say_for_it():
    """However sure of themselves members are, calibrated ones are fused alike; as they are the surest decides."""
    (one, clips), (other, _) = predictions(1, skill=2.0), predictions(2, skill=2.0)
    tables, loud = {"a": one, "b": other}, {"a": one, "b": overconfident(other, 4.0)}
    clips = clips.assign(statement="")
    for name in ("calibrated mean", "calibrated pool"):
        (fused, weights), (fused_loud, weights_loud) = (fuse(t, clips, SETTINGS[name]) for t in (tables, loud))
        np.testing.assert_allclose(weights_loud["weight"], weights["weight"], atol=0.02)
        agree = probabilities_of(fused).argmax(axis=1) == probabilities_of(fused_loud).argmax(axis=1)
        assert agree.mean() > 0.98  # what it is floored at differs
    rights = {}
    for name in ("mean", "calibrated mean"):
        table = fuse(loud, clips, SETTINGS[name])[0].query("part == 'test'")
        rights[name] = (probabilities_of(table).argmax(axis=1) == truth_of(table)).mean()
    assert rights["calibrated mean"] > rights["mean"] + 0.02
    weights = fuse(loud, clips, WEIGHTS)[1].groupby("member")["weight"].mean()
    calibrated = fuse(loud, clips, settings_of("weights", calibrate=True))[1].groupby("member")["weight"].mean()
    assert weights["b"] < 0.35 and abs(calibrated["b"] - 0.5) < 0.1  # a smaller weight was all that made it quieter


def test_temperatures_of_a_fold_are_those_of_its_validation_rows(models):
    tables, clips = models
    fusion = fuse_tables(tables, clips, SETTINGS["calibrated mean"])
    validation = [table[table["part"] == "validation"] for _, table in sorted(tables.items())]
    for fold, rule in fusion.rules.items():
        of_fold = [rows[rows["fold"] == fold] for rows in validation]
        assert rule.temperatures == pytest.approx([temperature_of(rows) for rows in of_fold], rel=1e-5)
    assert fusion.for_use.temperatures == pytest.approx([temperature_of(rows) for rows in validation], rel=1e-5)


def test_rules_of_before_are_read_and_what_does_nothing_is_not_stored():
    old = {"method": "weights", "weights": [0.3, 0.7], "coefficients": [], "intercepts": [], "met": []}
    rule = Rule.of_json(old)
    assert rule.as_json() == old
    probabilities, _ = labelled(1, 9, [1.0, 2.0])
    assert np.array_equal(apply(probabilities, rule), pool(probabilities, np.array([0.3, 0.7])))


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperatures": [1.0]},
        {"temperatures": [1.0, 0.0]},
        {"temperatures": ["warm", 1]},
        {"power": 1.5},
        {"power": []},
    ],
)
def test_a_damaged_rule_is_an_error(wrong):
    rule = Rule("weights", np.array([0.3, 0.7]), temperatures=np.array([1.0, 2.0]), power=0.5)
    assert Rule.of_json(rule.as_json()).as_json() == rule.as_json()
    with pytest.raises((ValueError, TypeError)):
        Rule.of_json(rule.as_json() | wrong)
