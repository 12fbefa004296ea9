"""Importance of groups of features, against scikit-learn and by what must come out."""

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score

from ser.features.column_groups import feature_groups, group_of
from ser.features.extraction import input_names
from ser.networks.batches import Examples
from ser.settings.all_sections import load_params
from ser.storage.shards import Ragged
from ser.training.permutation_importance import exchange, group_importance


@pytest.fixture(scope="module")
def validation() -> Examples:
    """Two columns tell the three classes, together; a third is noise."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [150, 100, 50])
    inputs = rng.normal(size=(300, 3))
    inputs[:, 0] += 2.5 * labels
    inputs[:, 1] -= 1.5 * labels
    return Examples(inputs, labels, np.full(300, ""), np.arange(300).astype(str))


@pytest.fixture(scope="module")
def model(validation):
    return LogisticRegression().fit(validation.inputs, validation.labels)


def test_single_columns_fall_as_scikit_learn_says(validation, model):
    groups = {name: np.array([column]) for column, name in enumerate("abc")}
    ours = group_importance(model.predict_proba, validation, groups, classes="xyz", repeats=200, seed=1)
    scorer = make_scorer(recall_score, average="macro")
    theirs = permutation_importance(model, validation.inputs, validation.labels, scoring=scorer, n_repeats=200)
    np.testing.assert_allclose(ours["uar_drop"], theirs.importances_mean, atol=0.006)
    assert list(ours["group"]) == list("abc")


def test_a_group_moves_as_one(validation, model):
    both = group_importance(
        model.predict_proba, validation, {"ab": np.array([0, 1])}, classes="xyz", repeats=50, seed=1
    )
    fall = both["uar_drop"][0]
    intact = recall_score(validation.labels, model.predict(validation.inputs), average="macro")
    assert intact - fall == pytest.approx(1 / 3, abs=0.03)  # nothing is left but guessing
    assert both["features"][0] == 2


def test_the_recall_of_each_emotion_falls_by_what_tells_it():
    """Column a tells x from the others, column b tells y from z: without b, x is known as well as before."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], 100)
    inputs = rng.normal(size=(300, 2)) + 8 * np.stack([labels == 0, labels == 1], axis=1)
    model = LogisticRegression().fit(inputs, labels)
    clips = Examples(inputs, labels, np.full(300, ""), np.arange(300).astype(str))
    groups = {"a": np.array([0]), "b": np.array([1])}
    table = group_importance(model.predict_proba, clips, groups, classes="xyz", repeats=20, seed=1).set_index("group")
    by_emotion = table[[f"recall_drop_{name}" for name in "xyz"]]
    np.testing.assert_allclose(by_emotion.mean(axis=1), table["uar_drop"], atol=2e-4)
    assert by_emotion.loc["a", "recall_drop_x"] == pytest.approx(2 / 3, abs=0.05)
    assert by_emotion.loc["b", "recall_drop_y"] == pytest.approx(2 / 3, abs=0.05)
    assert by_emotion.loc["b", "recall_drop_x"] < 0.5 * by_emotion.loc["b", "recall_drop_y"]


def test_an_emotion_that_no_clip_shows_has_no_recall(validation, model):
    shown = validation.labels < 2
    clips = Examples(*(field[shown] for field in validation))
    table = group_importance(model.predict_proba, clips, {"a": np.array([0])}, classes="xyz", repeats=3, seed=1)
    assert np.isnan(table["recall_drop_z"][0])
    assert table["uar_drop"][0] == pytest.approx((table["recall_drop_x"][0] + table["recall_drop_y"][0]) / 2, abs=1e-4)


def test_it_depends_on_the_seed_alone(validation, model):
    groups = {"a": np.array([0]), "b": np.array([1])}
    first = group_importance(model.predict_proba, validation, groups, classes="xyz", repeats=2, seed=1)
    other_order = group_importance(
        model.predict_proba, validation, dict(reversed(groups.items())), classes="xyz", repeats=2, seed=1
    )
    assert first.set_index("group")["uar_drop"].to_dict() == other_order.set_index("group")["uar_drop"].to_dict()
    assert not first.equals(group_importance(model.predict_proba, validation, groups, classes="xyz", repeats=2, seed=2))


@pytest.mark.parametrize("repeats", [0, 3])
def test_without_repeats_or_clips_there_is_none(validation, model, repeats):
    empty = Examples(*(field[: 300 * (repeats == 0)] for field in validation))
    table = group_importance(model.predict_proba, empty, {"a": np.array([0])}, classes="xyz", repeats=repeats, seed=1)
    assert list(table.columns) == ["group", "features", "uar_drop", *(f"recall_drop_{name}" for name in "xyz")]
    assert table.empty


def test_sequences_take_the_columns_of_another_clip_as_long_as_they_last():
    arrays = [np.full((length, 2), length, dtype=np.float32) + [0, 0.5] for length in (2, 5, 3)]
    arrays[0][:, 1] = [7, 8]
    index = [(position, 0, len(array)) for position, array in enumerate(arrays)]
    exchanged = exchange(Ragged(arrays, np.array(index)), np.array([1]), np.array([1, 0, 2]))
    assert [len(array) for array in exchanged] == [2, 5, 3]
    np.testing.assert_array_equal(exchanged[0][:, 1], [5.5, 5.5])
    np.testing.assert_array_equal(exchanged[1][:, 1], [7, 8, 7, 8, 7])
    np.testing.assert_array_equal(exchanged[1][:, 0], 5)
    np.testing.assert_array_equal(arrays[0][:, 1], [7, 8])  # the inputs are as they were


@pytest.mark.parametrize("kind", ["functionals", "frames", "logmel"])
@pytest.mark.parametrize("chosen", ["mean", "compact", "full"])
def test_every_column_is_in_one_group(kind, chosen):
    extract = load_params().extract
    functionals = extract.functionals.model_copy(update={"set": chosen})
    names = input_names(kind, 16000, extract.model_copy(update={"functionals": functionals}))
    groups = feature_groups({"kind": kind, "names": names, "audio": {"sample_rate": 16000}})
    assert sorted(np.concatenate(list(groups.values()))) == list(range(len(names)))
    if kind == "logmel":
        assert list(groups) == ["0-500 Hz", "500-2000 Hz", "2000-8000 Hz"]
    if kind == "frames":
        measured = ["mfcc", "energy", "pitch"]
        assert list(groups) == measured + [f"{group} derivatives" for group in measured]


def test_embeddings_are_grouped_by_layer_and_samples_not_at_all():
    groups = feature_groups({"kind": "embeddings", "layers": 3, "width": 2})
    assert {group: list(columns) for group, columns in groups.items()} == {
        "layer 0": [0, 1],
        "layer 1": [2, 3],
        "layer 2": [4, 5],
    }
    assert feature_groups({"kind": "audio"}) == {}


def test_without_groups_nothing_is_predicted(validation):
    assert group_importance(None, validation, {}, classes="xyz", repeats=3, seed=1).empty


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("f0_delta_p90", "pitch"),
        ("f1_bandwidth_mean", "formants"),
        ("voiced_flux_std", "spectral"),
        ("unvoiced_flux_std", "spectral"),
        ("unvoiced_share", "segments"),
        ("f1_bandwidth_delta_autocorrelation_10", "formants"),
        ("voiced_share", "segments"),
        ("seconds", "segments"),
        ("mfcc_1_delta_delta_std", "mfcc"),
        ("voiced_slope_0_500_mean", "balance"),
    ],
)
def test_groups_of_functionals(name, group):
    assert group_of(name) == group


def test_an_unknown_functional_is_no_group():
    with pytest.raises(LookupError, match="nonsense_mean"):
        group_of("nonsense_mean")
