import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from conftest import ROOT, count_epochs, stop_after
from ser.errors import InputError
from ser.features.column_statistics import column_statistics
from ser.models import stored_model
from ser.networks.batches import Examples
from ser.networks.checkpoints import Checkpoint
from ser.settings.all_sections import load_params

CLASSES, FEATURES = 3, 12
SETTINGS = SimpleNamespace(
    **vars(load_params(ROOT / "params.yaml").train_residual_keras)
    | dict(units=16, blocks=2, input_dropout=0.0, dropout=0.2, mixup=0.0, batch_size=16, learning_rate=0.01)
    | dict(label_smoothing=0.0, limit=5.0, epochs=25, patience=10)
)
# For tests that do not ask how well it learns. Most of a fit's time goes into tracing its network, whatever the
# examples: so this one is smaller, its fits are shared, and each kind of balance is part of one of the other fits.
SMALL = SimpleNamespace(**vars(SETTINGS) | dict(blocks=1, epochs=5, mixup=0.5, balance="smote"))


@pytest.fixture(scope="module", autouse=True)
def keras():
    """Import Keras in the process that runs these tests only: each collects all tests, and it takes seconds."""
    global residual, keras_training
    from ser.models import residual
    from ser.networks import keras_training


def examples(count: int, seed: int, classes: int = CLASSES) -> Examples:
    """Classes of one mean that lie on circles of different radius: no linear model tells them apart."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    inputs = rng.normal(0, 1, (count, FEATURES))
    angle = rng.uniform(0, 2 * np.pi, count)
    radius = 3 * labels
    inputs[:, 3], inputs[:, 7] = radius * np.cos(angle), radius * np.sin(angle)
    scales = np.geomspace(0.01, 1000, FEATURES)
    return Examples(
        (inputs * scales + 5 * scales).astype(np.float32),
        labels,
        np.array(["speaker"] * count),
        np.arange(count).astype(str),
    )


SMALL_FIT = dict(train=examples(60, 1), validation=examples(15, 2), classes=CLASSES, settings=SMALL, seed=6)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def fitted():
    return residual.fit(examples(400, 1), examples(60, 2), CLASSES, SETTINGS, seed=1)


@pytest.fixture(scope="module")
def undisturbed():
    """What `SMALL_FIT` gives when it runs through: the same is expected of it in other circumstances."""
    return residual.fit(**SMALL_FIT)


@pytest.fixture(scope="module")
def refit():
    """The same without validation, for fewer epochs than it could train."""
    return residual.fit(**SMALL_FIT | {"validation": None}, epochs=3)


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """The same fit, killed twice, each time after two more epochs; and its checkpoint."""
    checkpoint = Checkpoint(tmp_path_factory.mktemp("resumed") / "checkpoint", interval=0)
    for _ in range(2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keras_training, "_train_epoch", stop_after(2, keras_training._train_epoch))
            with pytest.raises(KeyboardInterrupt):
                residual.fit(**SMALL_FIT, checkpoint=checkpoint)
    return residual.fit(**SMALL_FIT, checkpoint=checkpoint), checkpoint


def test_learns_what_no_linear_model_can(fitted):
    test = examples(300, 4)
    accuracy = np.mean(residual.predict_proba(fitted.model, test.inputs).argmax(axis=1) == test.labels)
    assert accuracy > 0.7  # chance: 0.33


def test_keeps_the_epoch_with_the_highest_validation_uar(fitted):
    ranked = fitted.history.sort_values(["validation_uar", "validation_loss"], ascending=[False, True])
    assert fitted.epochs == ranked["epoch"].iloc[0]
    validation = examples(60, 2)
    predicted = residual.predict_proba(fitted.model, validation.inputs).argmax(axis=1)
    assert np.mean(predicted == validation.labels) == pytest.approx(ranked["validation_accuracy"].iloc[0])
    assert fitted.history["accuracy"].between(0, 1).all()


def test_refit_trains_exactly_the_given_epochs(refit):
    assert refit.epochs == 3
    assert list(refit.history) == ["epoch", "loss", "accuracy"]
    assert list(refit.history["epoch"]) == [1, 2, 3]


def test_validation_does_not_change_the_training(refit, undisturbed):
    np.testing.assert_array_equal(refit.history["loss"], undisturbed.history["loss"][:3])


def test_fewer_examples_than_a_batch_and_a_class_missing_from_validation():
    settings = SimpleNamespace(**vars(SMALL) | {"balance": "sampling", "epochs": 1})
    history = residual.fit(examples(9, 1), examples(4, 2, classes=2), CLASSES, settings, seed=1).history
    assert history["validation_uar"].between(0, 1).all()


def test_probabilities_do_not_depend_on_batch_mates(fitted):
    inputs = examples(300, 5).inputs  # more than a batch
    together = residual.predict_proba(fitted.model, inputs)
    np.testing.assert_allclose(together[290:], residual.predict_proba(fitted.model, inputs[290:]), atol=1e-6)
    np.testing.assert_allclose(together, residual.predict_proba(fitted.model, inputs[::-1])[::-1], atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-6)
    assert together.dtype == np.float32


@pytest.mark.parametrize("value", [0.0, 1234.567, 1e-3, -5e6])
def test_a_constant_column_is_divided_by_one(value):
    inputs = examples(30, 1).inputs
    inputs[:, 5] = value
    mean, deviation = column_statistics(inputs)
    assert mean[5] == pytest.approx(value)
    assert deviation[5] == 1
    np.testing.assert_allclose(np.delete(deviation, 5), np.delete(inputs.std(axis=0), 5), rtol=1e-4)


def test_a_value_that_is_not_finite_is_an_error_that_names_the_column(fitted):
    broken = examples(30, 1)
    broken.inputs[7, 11] = np.nan
    with pytest.raises(InputError, match="column 11"):
        residual.fit(broken, None, CLASSES, SETTINGS, seed=1, epochs=1)
    with pytest.raises(InputError, match="column 11"):
        residual.predict_proba(fitted.model, broken.inputs)
    with pytest.raises(InputError, match="3 features"):
        residual.predict_proba(fitted.model, np.zeros((2, 3), dtype=np.float32))


def test_a_diverging_training_is_an_error():
    settings = SimpleNamespace(**vars(SETTINGS) | {"learning_rate": 1e38, "blocks": 1, "balance": "none"})
    with pytest.raises(InputError, match="learning_rate"):
        residual.fit(examples(60, 1), None, CLASSES, settings, seed=1, epochs=3)


@pytest.mark.parametrize("balance", ["none", "weights", "sampling", "smote"])
def test_a_rare_class_counts_as_much_as_the_others_where_that_is_asked_for(fitted, balance):
    common = examples(400, 1)
    kept = np.concatenate([np.flatnonzero(common.labels > 0), np.flatnonzero(common.labels == 0)[:12]])
    train = Examples(*(values[kept] for values in common))
    batches = residual.training_batches(
        fitted.model, train, SimpleNamespace(**vars(SETTINGS) | {"balance": balance}), 1
    )
    rng = np.random.default_rng(0)
    counted = np.zeros(3)
    for items in batches.draw(rng):
        _, targets = batches.read(items, rng)
        counted += (targets * batches.weights[items, None]).sum(axis=0)
    share = counted[0] / counted.sum()
    assert share < 0.15 if balance == "none" else 0.27 < share < 0.4


def test_a_training_goes_on_from_its_checkpoint(undisturbed, resumed):
    assert undisturbed.epochs <= 2  # before both interruptions: the weights of the best epoch have to be kept, too
    resumed, _ = resumed
    assert resumed.history.equals(undisturbed.history)
    for values, expected in zip(
        resumed.model.network.get_weights(), undisturbed.model.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(values, expected)


def test_a_network_that_has_ended_is_taken_from_its_checkpoint(undisturbed, tmp_path, monkeypatch):
    residual.fit(**SMALL_FIT, checkpoint=Checkpoint(tmp_path / "key").of_network(1))
    trained = count_epochs(keras_training, monkeypatch)
    again = residual.fit(**SMALL_FIT, checkpoint=Checkpoint(tmp_path / "key").of_network(1))
    assert trained == []
    assert (again.epochs, again.history.equals(undisturbed.history)) == (undisturbed.epochs, True)
    for values, expected in zip(
        again.model.network.get_weights(), undisturbed.model.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(values, expected)


def test_a_checkpoint_of_another_device_is_not_gone_on_with(resumed, tmp_path, monkeypatch):
    _, finished = resumed
    checkpoint = Checkpoint(Path(shutil.copy(finished.path, tmp_path)), interval=0)
    trained = count_epochs(keras_training, monkeypatch)
    residual.fit(**SMALL_FIT, checkpoint=checkpoint)
    assert len(trained) == 0
    monkeypatch.setattr(keras_training, "DEVICE", "another")
    for _ in range(2):  # the second time the training is found finished
        residual.fit(**SMALL_FIT, checkpoint=checkpoint)
    assert len(trained) == 5


def test_the_stored_graph_gives_the_probabilities_of_the_trained_network(fitted, tmp_path):
    residual.save(fitted.model, tmp_path)
    inputs = examples(40, 6).inputs
    found = stored_model.predict_proba(stored_model.load(tmp_path), inputs)
    np.testing.assert_allclose(found, residual.predict_proba(fitted.model, inputs), atol=1e-5)


def test_loaded_model_predicts_the_same(fitted, tmp_path):
    residual.save(fitted.model, tmp_path)
    inputs = examples(20, 6).inputs
    loaded = residual.load(tmp_path)
    np.testing.assert_array_equal(residual.predict_proba(loaded, inputs), residual.predict_proba(fitted.model, inputs))


def test_same_bytes_in_the_same_and_in_another_process(undisturbed, resumed, tmp_path):
    residual.save(undisturbed.model, tmp_path / "first")
    residual.save(resumed[0].model, tmp_path / "second")  # which began anew in this process
    # It reads what it fits, for to import this module would take much longer than what a fit imports.
    code = (
        "import pickle, sys; from pathlib import Path; from ser.models import residual\n"
        "fitted = residual.fit(**pickle.loads(Path(sys.argv[1]).read_bytes()))\n"
        "residual.save(fitted.model, Path(sys.argv[2]))"
    )
    (tmp_path / "arguments").write_bytes(pickle.dumps(SMALL_FIT))
    environment = os.environ | {"OMP_NUM_THREADS": "4", "OMP_THREAD_LIMIT": "4", "PYTHONPATH": str(ROOT / "stages")}
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "arguments", tmp_path / "third"], env=environment, check=True
    )
    first = contents(tmp_path / "first")
    assert sorted(first) == ["model.onnx", "network.weights.h5", "settings.json", "statistics.npy"]
    assert first == contents(tmp_path / "second")
    assert first == contents(tmp_path / "third")


def test_layers_count_all_parameters_and_show_the_skip_connections(fitted):
    layers = residual.network_layers(fitted.model)
    assert sum(layer.parameters for layer in layers) == fitted.model.network.count_params()
    sums = [layer for layer in layers if layer.kind == "Add"]
    assert len(sums) == SETTINGS.blocks
    assert [layers[min(layer.inputs)].name for layer in sums] == ["projection relu", "block 1 relu 2"]
    assert layers[0].inputs == ()
    assert layers[1].inputs == (0,)
