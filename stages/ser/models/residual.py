"""Dense residual network on functionals, in Keras."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser.errors import InputError
from ser.features.column_statistics import check_finite, column_statistics
from ser.graphs.graph_writer import write_model
from ser.graphs.residual_graph import residual_model
from ser.networks.batch_perturbation import draw_mixture
from ser.networks.batches import (
    Examples,
    epoch_batches,
    epoch_examples,
    example_weights,
    oversample,
    smoothed_targets,
)
from ser.networks.early_stopping import Fitted, check_epochs, validation_scores
from ser.networks.keras_backend import keras
from ser.networks.keras_layers import BatchNormalization
from ser.networks.keras_saved import KerasModel, inference, keras_layers, load_model, save_model
from ser.storage.seeds import derive_seed

if TYPE_CHECKING:
    from ser.networks.checkpoints import Checkpoint
    from ser.networks.keras_training import Batches
    from ser.networks.layer_graph import Layer

PREDICTION_BATCH = 256  # clips


def build_network(
    features: int, classes: int, units: int, blocks: int, input_dropout: float, dropout: float, limit: float
) -> keras.Model:
    """Return a projection to `units`, `blocks` residual blocks (He et al. 2016) and a softmax.

    Parameters
    ----------
    features, classes : int
        Columns of the inputs and of the probabilities.
    units : int
        Width of the projection and of every block.
    blocks : int
    input_dropout, dropout : float
        Share of the inputs, and of the values inside each block and before the softmax, set to zero while training.
    limit : float
        Inputs are cut to so many deviations: functionals such as kurtosis have long tails.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016.
    """
    layers = keras.layers
    inputs = keras.Input((features,), name="functionals")
    x = layers.Lambda(keras.ops.clip, arguments=dict(x_min=-limit, x_max=limit), name="limit")(inputs)
    x = layers.Dropout(input_dropout, name="input_dropout")(x)
    x = layers.Dense(units, use_bias=False, name="projection")(x)
    x = BatchNormalization(name="projection_normalisation")(x)
    x = layers.ReLU(name="projection_relu")(x)
    for block in range(1, blocks + 1):
        skip = x
        x = layers.Dense(units, use_bias=False, kernel_initializer="he_normal", name=f"block_{block}_dense_1")(x)
        x = BatchNormalization(name=f"block_{block}_normalisation_1")(x)
        x = layers.ReLU(name=f"block_{block}_relu_1")(x)
        x = layers.Dropout(dropout, name=f"block_{block}_dropout")(x)
        x = layers.Dense(units, use_bias=False, kernel_initializer="he_normal", name=f"block_{block}_dense_2")(x)
        x = BatchNormalization(name=f"block_{block}_normalisation_2")(x)
        x = layers.Add(name=f"block_{block}_add")([skip, x])
        x = layers.ReLU(name=f"block_{block}_relu_2")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(classes, activation="softmax", name="softmax")(x)
    return keras.Model(inputs, outputs, name="residual")


def fit(
    train: Examples,
    validation: Examples | None,
    classes: int,
    settings,
    seed: int,
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Train a dense residual network.

    Parameters
    ----------
    train, validation : Examples with inputs of shape (n, features), float32
        Means and deviations are those of the training inputs.
    classes : int
        Number of emotions.
    settings : object
        Section ``train_residual_keras`` of the parameters as attributes.
    seed : int
    epochs : int, optional
        Train exactly so many epochs; without `validation` only.
    checkpoint : Checkpoint, optional
        Where the state is kept now and then, and what a training that was interrupted goes on from.

    Returns
    -------
    Fitted
        With `validation`, the model of the epoch that `EarlyStopping` keeps.

    Raises
    ------
    InputError
        If an input or the training loss is not finite.
    ValueError
        If neither or both of `validation` and `epochs` are given.
    """
    from ser.networks.keras_training import (  # here: who predicts needs no training loop
        initialized,
        train_network,
        training_of,
    )

    check_epochs(validation, epochs)
    mean, deviation = column_statistics(train.inputs)
    arguments = dict(
        features=train.inputs.shape[1],
        classes=classes,
        units=settings.units,
        blocks=settings.blocks,
        input_dropout=settings.input_dropout,
        dropout=settings.dropout,
        limit=settings.limit,
    )
    network = initialized(build_network, arguments, derive_seed(seed, "residual"))
    training = training_of(network, build_network, arguments, settings)
    model = KerasModel(network, mean, deviation, arguments, inference(network))

    def score():
        return validation_scores(predict_proba(model, validation.inputs), validation.labels)

    batches = training_batches(model, train, settings, derive_seed(seed, "smote"))
    scored = score if validation is not None else None
    history, epoch = train_network(network, training, batches, scored, settings, seed, epochs, checkpoint)
    return Fitted(model, history, epoch)


def training_batches(model: KerasModel, train: Examples, settings, seed: int) -> Batches:
    """Return the batches of an epoch: standardised inputs, mixed with others of their batch."""
    from ser.networks.keras_training import Batches

    inputs, labels = model.standardize(train.inputs), train.labels
    if settings.balance == "smote":
        inputs, labels = oversample(inputs, labels, seed)
    targets = smoothed_targets(train._replace(labels=labels), model.settings["classes"], settings.label_smoothing)
    # Batches of one size: batch normalisation learns nothing good from a last batch of two. The few examples left out
    # are others in each epoch.
    size = min(settings.batch_size, len(labels))

    def draw(rng: np.random.Generator) -> list[np.ndarray]:
        def one_pass() -> list[np.ndarray]:
            order = epoch_examples(labels, settings.balance, rng)
            return list(order[: len(order) // size * size].reshape(-1, size))

        return epoch_batches(one_pass)

    def read(items: np.ndarray, rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
        mixture = draw_mixture(len(items), settings.mixup, rng)
        return [mixture.mix(inputs[items])], mixture.mix(targets[items])

    return Batches(draw, read, example_weights(labels, settings.balance))


def predict_proba(model: KerasModel, inputs: np.ndarray) -> np.ndarray:
    """Return the probabilities of the classes, shape (n, classes), float32.

    Parameters
    ----------
    model : KerasModel
    inputs : np.ndarray, shape (n, features)

    Raises
    ------
    InputError
        If there is another number of features than the model was trained on, or a value is not finite.
    """
    if inputs.shape[1] != len(model.mean):
        raise InputError(f"inputs have {inputs.shape[1]} features, the model was trained on {len(model.mean)}")
    check_finite(inputs)
    parts = [np.empty((0, model.settings["classes"]), dtype=np.float32)]
    for start in range(0, len(inputs), PREDICTION_BATCH):
        parts.append(model.forward(model.standardize(inputs[start : start + PREDICTION_BATCH])).numpy())
    return np.concatenate(parts)


def save(model: KerasModel, folder: Path) -> None:
    """Write the model to `folder`, see `save_model`, and besides it ``model.onnx``."""
    save_model(model, folder)
    weights = {layer.name: layer.get_weights() for layer in model.network.layers}
    graph = residual_model(model.settings, model.mean, model.deviation, weights)
    write_model(graph, Path(folder) / "model.onnx")


def load(folder: Path) -> KerasModel:
    """Read what `save` wrote; runs no code from `folder`."""
    return load_model(folder, build_network)


def network_layers(model: KerasModel) -> list[Layer]:
    """Return the layers in the order of their computation; see `Layer`."""
    return keras_layers(model.network)
