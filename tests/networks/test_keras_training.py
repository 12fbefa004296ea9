"""Batch normalisation predicts with the statistics of the weights that a network is left with, after few steps too."""

from types import SimpleNamespace

import numpy as np
import pytest

from conftest import ROOT
from ser.networks.batches import Examples
from ser.networks.learning_rate import LONGEST_MOMENTUM, normalization_momentum

CLASSES, FEATURES = 4, 20


@pytest.fixture(scope="module")
def keras():
    """The modules that need Keras, which takes seconds to import: only in the process that runs these tests."""
    from ser.models import residual
    from ser.networks import keras_training

    return SimpleNamespace(residual=residual, training=keras_training)


def test_nothing_is_kept_of_what_a_network_begins_with():
    momentum = [normalization_momentum(step) for step in range(1, 3001)]
    assert momentum[0] == 0
    assert momentum == sorted(momentum)
    assert momentum[-1] == LONGEST_MOMENTUM


@pytest.mark.parametrize("steps", [10, 45, 300])
def test_statistics_are_a_mean_over_the_last_tenth_of_the_steps(steps):
    momentum = np.array([normalization_momentum(step) for step in range(1, steps + 1)])
    weights = (1 - momentum) * np.append(np.cumprod(momentum[::-1])[::-1][1:], 1)
    assert weights.sum() == pytest.approx(1)
    age = weights @ np.arange(steps)[::-1]
    assert age == pytest.approx(steps / 11, abs=1)


def clips(count: int, seed: int) -> Examples:
    """Classes with means of their own, as far apart as their clips are from each other."""
    centers = np.random.default_rng(0).normal(size=(CLASSES, FEATURES))
    labels = np.arange(count) % CLASSES
    inputs = (centers[labels] + 1.5 * np.random.default_rng(seed).normal(size=(count, FEATURES))).astype(np.float32)
    return Examples(inputs, labels, np.array(["s"] * count), np.arange(count).astype(str))


@pytest.mark.parametrize("epochs", [5, 50])
def test_a_network_on_few_clips_predicts_as_it_has_learnt(keras, epochs):
    """With Keras's own momentum the loss on clips it has learnt is above guessing, after 5 epochs and after 50."""
    from ser.settings.all_sections import load_params

    settings = load_params(ROOT / "params.yaml").train_residual_keras
    train, unseen = clips(40, 1), clips(200, 2)
    fitted = keras.residual.fit(train, None, CLASSES, settings, seed=1, epochs=epochs)
    for examples in (train, unseen):
        probabilities = keras.residual.predict_proba(fitted.model, examples.inputs)
        loss = -np.log(probabilities[np.arange(len(examples.labels)), examples.labels]).mean()
        assert loss < np.log(CLASSES)


def test_steps_are_those_of_keras_and_its_adamw(keras):
    """The same network, batches and settings, trained by `keras.Model.train_on_batch`."""
    from ser.networks.keras_backend import keras as library

    settings = SimpleNamespace(weight_decay=0.05, gradient_clip=0.5)
    arguments = dict(features=FEATURES, classes=CLASSES, units=8, blocks=1, input_dropout=0.0, dropout=0.0, limit=3.0)
    build, training = keras.residual.build_network, keras.training
    network = training.initialized(build, arguments, seed=3)
    own = training.training_of(network, build, arguments, settings)
    optimizer = library.optimizers.AdamW(weight_decay=0.05, global_clipnorm=0.5)
    network.compile(optimizer, "categorical_crossentropy")
    for layer in network.layers:
        if isinstance(layer, library.layers.BatchNormalization):
            layer.momentum = 0.9
    rng, rates = np.random.default_rng(0), np.float32([0.01, 0.02, 0.005])
    inputs = rng.normal(size=(3, 16, FEATURES)).astype(np.float32)
    targets = rng.dirichlet(np.ones(CLASSES), (3, 16)).astype(np.float32)
    weights = rng.uniform(0.5, 2, (3, 16)).astype(np.float32)
    loss, _ = own.steps([inputs], targets, weights, rates, np.full(3, 0.9, dtype=np.float32))
    losses = []
    for batch, wanted, weight, rate in zip(inputs, targets, weights, rates, strict=True):
        optimizer.learning_rate = rate
        losses.append(network.train_on_batch(batch, wanted, sample_weight=weight))
    assert float(loss) / 16 == pytest.approx(sum(losses), rel=1e-4)
    for value, expected in zip(own.network.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-5)


def test_a_fit_does_not_depend_on_the_fits_before_it_in_the_process(keras):
    from ser.settings.all_sections import load_params

    settings = load_params(ROOT / "params.yaml").train_residual_keras
    weights = []
    for seed in (1, 2, 1):
        fitted = keras.residual.fit(clips(40, 1), None, CLASSES, settings, seed=seed, epochs=2)
        weights.append(fitted.model.network.get_weights())
    assert all(np.array_equal(first, third) for first, third in zip(weights[0], weights[2], strict=True))
    assert not np.array_equal(weights[0][0], weights[1][0])
