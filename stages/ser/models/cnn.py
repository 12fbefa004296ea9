"""Convolutional network on log-mel spectra, in Keras.

The network sees windows of one length. Training draws a window anew in each epoch from a clip that is longer. A
prediction averages over windows that cover the whole clip, so it depends on nothing but the clip.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ser.errors import InputError
from ser.examples import Examples, Fitted
from ser.models.early_stopping import check_epochs, validation_scores
from ser.models.keras_training import (
    KerasModel,
    compiled,
    keras,
    keras_layers,
    load_model,
    predict_batches,
    save_model,
    train_network,
)
from ser.models.network_graph import Layer
from ser.models.standardization import check_finite, frame_statistics
from ser.seeds import derive_seed
from ser.shards import Ragged

PREDICTION_BATCH = 64  # windows


def build_network(
    frames: int, bands: int, classes: int, filters: list[int], dense_units: int, dropout: float
) -> keras.Model:
    """Return convolution blocks, mean and maximum over time, a dense layer and a softmax.

    Parameters
    ----------
    frames, bands : int
        Size of a window.
    classes : int
    filters : list of int
        Of each block. Every block halves time and frequency by pooling, the first also by its stride: at full
        resolution it alone would take most of the time.
    dense_units : int
    dropout : float
        Share of the values set to zero before the dense layer while training.
    """
    layers = keras.layers
    inputs = keras.Input((frames, bands), name="log_mel")
    x = layers.Reshape((frames, bands, 1), name="channel")(inputs)
    for block, channels in enumerate(filters, start=1):
        x = layers.Conv2D(
            channels,
            kernel_size=5 if block == 1 else 3,
            strides=2 if block == 1 else 1,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"block_{block}_convolution",
        )(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"block_{block}_pooling")(x)
        x = layers.BatchNormalization(name=f"block_{block}_normalisation")(x)  # after pooling: a quarter of the work
        x = layers.ReLU(name=f"block_{block}_relu")(x)
    # Pooled over time only: where in the spectrum the energy lies is what tells voices apart.
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]), name="bands_to_channels")(x)
    mean = layers.GlobalAveragePooling1D(name="mean")(x)
    maximum = layers.GlobalMaxPooling1D(name="maximum")(x)
    x = layers.Concatenate(name="mean_and_maximum")([mean, maximum])
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(dense_units, activation="relu", name="dense")(x)
    outputs = layers.Dense(classes, activation="softmax", name="softmax")(x)
    return keras.Model(inputs, outputs, name="cnn")


def fit(
    train: Examples,
    validation: Examples | None,
    classes: int,
    settings,
    seed: int,
    epochs: int | None = None,
    *,
    frame_rate: float,
) -> Fitted:
    """Train a convolutional network.

    Parameters
    ----------
    train, validation : Examples with inputs Ragged of arrays (frames, bands), float32
        Means and deviations are those of the training frames.
    classes : int
        Number of emotions.
    settings : object
        Section ``train_cnn`` of the parameters as attributes.
    seed : int
    epochs : int, optional
        Train exactly so many epochs; without `validation` only.
    frame_rate : float
        Frames a second, Hz.

    Returns
    -------
    Fitted
        With `validation`, the model of its best epoch; see `EarlyStopping`.

    Raises
    ------
    InputError
        If an input or the training loss is not finite.
    ValueError
        If neither or both of `validation` and `epochs` are given.
    """
    check_epochs(validation, epochs)
    mean, deviation = frame_statistics(train.inputs)
    arguments = dict(
        frames=max(1, round(settings.seconds * frame_rate)),
        bands=len(mean),
        classes=classes,
        filters=list(settings.filters),
        dense_units=settings.dense_units,
        dropout=settings.dropout,
    )
    network = compiled(build_network, arguments, settings.learning_rate, derive_seed(seed, "cnn"))
    model = KerasModel(network, mean, deviation, arguments)

    def read(items: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        slack = np.maximum(train.inputs.lengths[items] - arguments["frames"], 0)
        starts = rng.integers(0, slack + 1)
        return np.stack([_window(model, train.inputs[item], start) for item, start in zip(items, starts, strict=True)])

    def score():
        return validation_scores(predict_proba(model, validation.inputs), validation.labels)

    history, epoch = train_network(
        network,
        read,
        train,
        score if validation is not None else None,
        settings,
        seed,
        epochs,
    )
    return Fitted(model, history, epoch)


def _window(model: KerasModel, frames: np.ndarray, start: int) -> np.ndarray:
    """Cut a window from a clip; a shorter clip is padded at its end with the bands' training means.

    After standardisation that is 0, which the convolutions pad with, too. Silence would be far out (some -5
    deviations) and, where clips are trimmed, nothing that the network has to know.
    """
    window = np.zeros((model.settings["frames"], model.settings["bands"]), dtype=np.float32)
    part = frames[start : start + len(window)]
    window[: len(part)] = model.standardize(part)
    return window


def window_starts(frames: int, window: int) -> np.ndarray:
    """Return the first frames of windows that cover a clip evenly, each overlapping the next by half or more."""
    slack = max(frames - window, 0)
    return np.linspace(0, slack, 1 + int(np.ceil(slack / max(window // 2, 1)))).round().astype(int)


def predict_proba(model: KerasModel, inputs: Ragged) -> np.ndarray:
    """Return the probabilities of the classes, shape (n, classes), float32.

    Parameters
    ----------
    model : KerasModel
    inputs : Ragged of arrays (frames, bands), at least one frame each

    Raises
    ------
    InputError
        If a clip has no frames, another number of bands than the model was trained on or a value that is not finite.
    """
    starts = [window_starts(length, model.settings["frames"]) for length in inputs.lengths]
    counts = np.array([len(of_clip) for of_clip in starts])
    windows = predict_batches(model.network, _windows(model, inputs, starts), PREDICTION_BATCH)
    clip = np.repeat(np.arange(len(inputs)), counts)
    totals = np.zeros((len(inputs), windows.shape[1]))
    np.add.at(totals, clip, windows)
    return (totals / counts[:, None]).astype(np.float32)


def _windows(model: KerasModel, inputs: Ragged, starts: list[np.ndarray]) -> Iterator[np.ndarray]:
    bands = model.settings["bands"]
    for position, (frames, of_clip) in enumerate(zip(inputs, starts, strict=True)):
        if frames.shape[0] == 0 or frames.shape[1] != bands:
            raise InputError(f"clip {position}: shape {frames.shape}, needs (at least 1, {bands})")
        check_finite(frames)
        for start in of_clip:
            yield _window(model, frames, start)


def save(model: KerasModel, folder: Path) -> None:
    """Write the model to `folder`; see `save_model`."""
    save_model(model, folder)


def load(folder: Path) -> KerasModel:
    """Read what `save` wrote; runs no code from `folder`."""
    return load_model(folder, build_network)


def network_layers(model: KerasModel) -> list[Layer]:
    """Return the layers in the order of their computation; see `Layer`."""
    return keras_layers(model.network)
