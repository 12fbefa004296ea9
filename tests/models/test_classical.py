"""The classical models: what they learn from, what is stored, and that both give the same probabilities."""

import os
import pickle
import subprocess
import sys
from functools import cache

import lightgbm
import numpy as np
import onnx
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import recall_score
from sklearn.pipeline import Pipeline as PlainPipeline
from threadpoolctl import threadpool_limits

from conftest import ROOT
from ser.errors import InputError
from ser.models import classical
from ser.networks.batches import Examples
from ser.settings.all_sections import load_params
from ser.settings.train_ml_section import TrainMl

MODELS = ["logistic_regression", "discriminant_analysis", "svm_rbf", "svm_poly", "random_forest", "mlp", "lightgbm"]
FEATURES, SPEAKERS = 12, 8


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As in the workers of a stage; with so few clips more threads mostly wait for each other, which takes CPU time."""
    with threadpool_limits(1):
        yield


def make_examples(seed: int, classes: int = 3, clips: int = 20) -> Examples:
    """Learnable clips: classes differ in their means, speakers are shifted against each other."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(classes), SPEAKERS * clips // classes + 1)[: SPEAKERS * clips]
    speakers = np.repeat([f"s{seed}-{number}" for number in range(SPEAKERS)], clips)
    means = np.random.default_rng(7).standard_normal((classes, FEATURES))
    shifts = np.repeat(0.5 * rng.standard_normal((SPEAKERS, FEATURES)), clips, axis=0)
    inputs = means[labels] + shifts + rng.standard_normal((len(labels), FEATURES))
    clips = np.array([f"clip {number}" for number in range(len(labels))])
    return Examples(inputs.astype(np.float32), labels, speakers, clips)


def settings(**changes) -> TrainMl:
    return load_params().train_ml.model_copy(update=changes)


def arguments_of_fit(name: str, classes: int = 3, **changes) -> dict:
    parts = dict(train=make_examples(1, classes), validation=make_examples(2, classes))
    return parts | dict(classes=classes, settings=settings(**changes), seed=5, name=name)


def fit(name: str, classes: int = 3, **changes):
    return classical.fit(**arguments_of_fit(name, classes, **changes))


@cache
def fitted_once(name: str):
    """Return what `fit` does, for tests that only look at it."""
    return fit(name)


@pytest.fixture(scope="module", params=MODELS)
def trained(request, tmp_path_factory):
    fitted = fitted_once(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    classical.save(fitted.model, folder)
    return request.param, fitted, folder


def test_every_model_learns(trained):
    _, _, folder = trained
    unseen = make_examples(3)
    predicted = classical.predict_proba(classical.load(folder), unseen.inputs).argmax(axis=1)
    assert recall_score(unseen.labels, predicted, average="macro") > 0.75


def test_the_stored_model_gives_the_probabilities_of_the_trained_one(trained):
    _, fitted, folder = trained
    unseen = make_examples(3)
    stored = classical.predict_proba(classical.load(folder), unseen.inputs)
    assert stored.shape == (len(unseen.labels), 3)
    np.testing.assert_allclose(stored.sum(axis=1), 1, atol=1e-5)
    difference = np.abs(stored - fitted.model.predict_proba(unseen.inputs)).max(axis=1)
    assert difference.max() < 1e-5


def test_two_fits_store_the_same_bytes(trained, tmp_path):
    name, _, folder = trained
    classical.save(fit(name).model, tmp_path)
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted(path.name for path in tmp_path.iterdir())
    assert all((folder / file).read_bytes() == (tmp_path / file).read_bytes() for file in files)


def test_nothing_stored_is_a_pickle(trained):
    _, _, folder = trained
    assert {path.suffix for path in folder.iterdir()} <= {".onnx", ".txt"}


@pytest.mark.parametrize("name", MODELS)
def test_two_emotions_are_enough(name, tmp_path):
    model, unseen = fit(name, classes=2).model, make_examples(3, 2)
    classical.save(model, tmp_path)
    probabilities = classical.predict_proba(classical.load(tmp_path), unseen.inputs)
    np.testing.assert_allclose(probabilities, model.predict_proba(unseen.inputs), atol=1e-5)
    assert np.mean(probabilities.argmax(axis=1) == unseen.labels) > 0.75


def test_the_trees_that_are_stored_beside_it_are_those_of_the_graph(tmp_path):
    fitted, unseen = fitted_once("lightgbm"), make_examples(3)
    classical.save(fitted.model, tmp_path)
    trees = lightgbm.Booster(model_file=tmp_path / "trees.txt")
    assert trees.current_iteration() == fitted.epochs < settings().lightgbm.n_estimators
    expected = trees.predict(fitted.model[:-1].transform(unseen.inputs))
    np.testing.assert_allclose(classical.predict_proba(classical.load(tmp_path), unseen.inputs), expected, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_graph_takes_functionals_and_gives_probabilities_alone(name, tmp_path):
    classical.save(fitted_once(name).model, tmp_path)
    onnx.checker.check_model(tmp_path / "model.onnx", full_check=True)
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert [value.name for value in graph.input] == ["functionals"]
    assert [value.name for value in graph.output] == ["probabilities"]
    assert {"ZipMap", "ArgMax", "ArrayFeatureExtractor"}.isdisjoint(node.op_type for node in graph.node)  # of labels


def test_a_forest_that_is_sure_of_one_of_two_emotions_stays_within_0_and_1(tmp_path):
    forest = settings().random_forest.model_copy(update={"n_estimators": 77})
    classical.save(fit("random_forest", classes=2, random_forest=forest).model, tmp_path)
    inputs = np.concatenate([scale * make_examples(3, 2).inputs for scale in (1, 3, 10)])
    probabilities = classical.predict_proba(classical.load(tmp_path), inputs)
    assert probabilities.min() >= 0 and probabilities.max() <= 1


@pytest.mark.parametrize("name", ["logistic_regression", "svm_rbf", "lightgbm"])
def test_selection_and_tuning(name, tmp_path):
    fitted = fit(name, select=6, tune=True, balance="none")
    assert fitted.model.named_steps["select"].k == 6
    classical.save(fitted.model, tmp_path)
    unseen = make_examples(3)
    predicted = classical.predict_proba(classical.load(tmp_path), unseen.inputs).argmax(axis=1)
    assert np.mean(predicted == unseen.labels) > 0.6


def test_tuning_takes_the_better_value():
    own = settings(tune=True, grid={"logistic_regression": {"C": [1e-9, 0.1]}})
    fitted = classical.fit(make_examples(1), None, 3, own, 5, name="logistic_regression")
    assert fitted.model[-1].C == 0.1


@pytest.mark.parametrize(
    ("name", "key", "values"),
    [
        ("mlp", "hidden_sizes", [[4], [8]]),
        ("mlp", "learning_rate", [0.001, 0.1]),
        ("lightgbm", "feature_fraction", [0.5]),
    ],
)
def test_a_grid_takes_the_keys_of_the_parameters(name, key, values):
    few = {"epochs": 5} if name == "mlp" else {"n_estimators": 5}
    own = getattr(settings(), name).model_copy(update=few)
    fitted = fit(name, tune=True, grid={name: {key: values}}, **{name: own})
    names = {"hidden_sizes": "hidden_layer_sizes", "learning_rate": "learning_rate_init"}
    chosen = getattr(fitted.model[-1], names.get(key, "colsample_bytree"))
    assert chosen in [tuple(value) if key == "hidden_sizes" else value for value in values]


def test_tuning_leaves_out_an_emotion_that_the_held_out_speakers_do_not_show():
    """Some speakers show two of three emotions; a choice that once answers with the third is not worse for that."""
    labels = np.array([0, 1] * 4 + [0, 1, 2] * 4)
    train = Examples(np.zeros((20, 1)), labels, np.array(["a"] * 8 + ["b"] * 12), np.arange(20).astype(str))
    answers = {"errs": [0, 1, 0, 1, 0, 1, 2, 1], "worse": [0, 1, 0, 1, 0, 0, 1, 1]}  # UAR 0.875 and 0.75
    splits = [(np.arange(8, 20), np.arange(8))]

    class Fixed(DummyClassifier):
        def predict(self, X):
            return np.array(answers[self.constant])

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

    pipeline = PlainPipeline([("classifier", Fixed(constant="worse"))])
    choices = [Fixed(constant="worse"), Fixed(constant="errs")]
    assert classical.tune(pipeline, choices, splits, train)[-1].constant == "errs"


def test_more_inner_folds_than_clips_of_any_emotion_are_as_many_as_there_can_be():
    train = make_examples(1)
    few = np.concatenate([np.flatnonzero(train.labels == label)[:4] for label in range(3)])
    rows = Examples(*(values[few] for values in train))._replace(speakers=np.arange(12).astype(str))
    assert len(classical.speaker_splits(rows, 3, 10, 5)) == 4
    single = Examples(*(values[::4] for values in rows))
    with pytest.raises(InputError, match="too few training clips"):
        classical.speaker_splits(single, 3, 10, 5)


def test_a_diverging_mlp_is_an_error_that_says_what_to_lower():
    own = settings().mlp.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(InputError, match="not finite; lower train_ml.mlp.learning_rate"):
        fit("mlp", mlp=own)


def test_inner_splits_keep_speakers_apart():
    train = make_examples(1)
    for inner, held_out in classical.speaker_splits(train, 3, 3, 5):
        assert not set(train.speakers[inner]) & set(train.speakers[held_out])


@pytest.mark.parametrize("seed", range(12))
def test_as_many_inner_folds_as_speakers_hold_each_out_once(seed):
    """Of 12 speakers of two kinds scikit-learn left folds empty by some of these seeds."""
    speakers = np.repeat([f"s{number:02d}" for number in range(12)], 4)
    labels = np.array([label + 2 * (number % 2) for number in range(12) for label in (0, 0, 1, 1)])
    rows = Examples(np.zeros((48, 1), dtype=np.float32), labels, speakers, np.arange(48).astype(str))
    splits = classical.speaker_splits(rows, 4, 12, seed)
    assert [len(set(speakers[held_out])) for _, held_out in splits] == [1] * 12


def test_inner_splits_do_not_depend_on_what_clips_are_called():
    train = make_examples(1)._replace(speakers=np.full(len(make_examples(1).labels), ""))
    places = np.arange(len(train.labels))
    one, other = (
        train._replace(parents=np.char.add(prefix, (places * sign + 500).astype(str)))
        for prefix, sign in (("x", 1), ("y", -1))
    )
    for a, b in zip(*(classical.speaker_splits(rows, 3, 3, 5) for rows in (one, other)), strict=True):
        assert a[1].tolist() == b[1].tolist()


def test_the_mlp_keeps_the_epoch_with_the_best_validation_uar():
    fitted = fitted_once("mlp")
    best = fitted.history.sort_values(["validation_uar", "validation_loss"], ascending=[False, True]).iloc[0]
    assert fitted.epochs == best["epoch"]
    assert len(fitted.history) > fitted.epochs


def test_lightgbm_keeps_the_round_with_the_lowest_validation_loss():
    fitted = fitted_once("lightgbm")
    assert fitted.epochs == fitted.history["validation_loss"].idxmin() + 1


@pytest.mark.parametrize("name", ["logistic_regression", "svm_rbf", "random_forest"])
def test_models_without_epochs_do_not_see_the_validation_part(name, tmp_path):
    garbage = Examples(
        np.full((4, FEATURES), 1e6, dtype=np.float32), np.zeros(4, dtype=int), np.array(["x"] * 4), np.array([*"abcd"])
    )
    classical.save(fitted_once(name).model, tmp_path / "a")
    classical.save(classical.fit(**arguments_of_fit(name) | {"validation": garbage}).model, tmp_path / "b")
    assert (tmp_path / "a/model.onnx").read_bytes() == (tmp_path / "b/model.onnx").read_bytes()


@pytest.mark.parametrize("name", ["mlp", "lightgbm"])
def test_the_refit_takes_as_many_epochs_as_it_is_told(name):
    fitted = classical.fit(make_examples(1), None, 3, settings(), 5, epochs=4, name=name)
    assert fitted.epochs == 4
    model = fitted.model[-1]
    rounds = len(model.loss_curve_) if name == "mlp" else model.booster_.current_iteration()
    assert rounds == 4


@pytest.mark.parametrize("speakers", ["", "one"])
def test_without_speakers_inner_splits_keep_a_clip_and_its_copies_together(speakers):
    train = make_examples(1)
    parents = np.repeat(np.arange(len(train.labels) // 4), 4).astype(str)
    labels = np.repeat(train.labels[: len(parents) // 4], 4)
    unknown = train._replace(speakers=np.full(len(parents), speakers), parents=parents, labels=labels)
    for inner, held_out in classical.speaker_splits(unknown, 3, 3, 5):
        assert not set(parents[inner]) & set(parents[held_out])


@pytest.mark.parametrize("name", ["svm_rbf", "svm_poly"])
def test_an_svm_on_principal_components_is_stored_with_them(name, tmp_path):
    own = getattr(settings(), name).model_copy(update={"components": 5})
    fitted, unseen = fit(name, **{name: own}), make_examples(3)
    assert fitted.model[-1].estimator.n_features_in_ == 5
    classical.save(fitted.model, tmp_path)
    stored = classical.predict_proba(classical.load(tmp_path), unseen.inputs)
    np.testing.assert_allclose(stored, fitted.model.predict_proba(unseen.inputs), atol=1e-5)
    assert recall_score(unseen.labels, stored.argmax(axis=1), average="macro") > 0.6


def test_one_unknown_speaker_does_not_part_the_clips_of_the_others():
    train = make_examples(1)
    speakers = train.speakers.astype("U40")
    speakers[::7] = ""
    for inner, held_out in classical.speaker_splits(train._replace(speakers=speakers), 3, 3, 5):
        assert set(speakers[inner]) & set(speakers[held_out]) <= {""}


@pytest.mark.parametrize("clips", [2, 3])
def test_a_rare_emotion_leaves_the_svm_its_calibration(clips):
    """The third emotion is shown by one speaker in so few clips that SMOTE gets fewer neighbours."""
    train = make_examples(1)
    rare = np.flatnonzero((train.labels == 2) & (train.speakers == train.speakers[0]))[:clips]
    rows = np.sort(np.concatenate([np.flatnonzero(train.labels < 2), rare]))
    few = Examples(*(values[rows] for values in train))
    fitted = classical.fit(few, make_examples(2), 3, settings(inner_folds=2), 5, name="svm_rbf")
    probabilities = fitted.model.predict_proba(make_examples(3).inputs)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_an_emotion_of_a_single_clip_cannot_be_calibrated():
    train = make_examples(1)
    rows = np.sort(np.concatenate([np.flatnonzero(train.labels < 2), np.flatnonzero(train.labels == 2)[:1]]))
    with pytest.raises(InputError, match="too few training clips"):
        classical.fit(Examples(*(values[rows] for values in train)), None, 3, settings(), 5, name="svm_rbf")


@pytest.mark.parametrize(("hash_seed", "name"), [("1", "svm_rbf"), ("2", "random_forest"), ("3", "lightgbm")])
def test_another_order_of_sets_stores_the_same_bytes(hash_seed, name, tmp_path):
    """Python draws the order of a set of strings anew in every process."""
    # It reads what it fits, for to import this module would take longer than what a fit imports.
    code = (
        "import pickle, sys; from pathlib import Path; from ser.models import classical\n"
        "fitted = classical.fit(**pickle.loads(Path(sys.argv[1]).read_bytes()))\n"
        "classical.save(fitted.model, Path(sys.argv[2]))"
    )
    (tmp_path / "arguments").write_bytes(pickle.dumps(arguments_of_fit(name)))
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "stages")}
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "arguments", tmp_path / "other"], env=environment, check=True
    )
    classical.save(fitted_once(name).model, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == (tmp_path / "other" / "model.onnx").read_bytes()
