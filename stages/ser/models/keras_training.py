"""What the Keras models share: TensorFlow made quiet and deterministic, the training loop, the model folder."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.examples import Examples
from ser.files import write_json, written
from ser.models.early_stopping import EarlyStopping, ValidationScores
from ser.models.network_graph import Layer
from ser.seeds import generator


@contextmanager
def _without_start_messages() -> Iterator[None]:
    """Drop what TensorFlow's C++ part writes to standard error while it is imported; no setting stops it."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
with _without_start_messages():
    import keras
    import tensorflow as tf

    # Several threads add up in another order: other bytes.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)  # otherwise the first process takes all its memory


class KerasModel(NamedTuple):
    """A network, the statistics its inputs are standardised by, and what it takes to build it anew.

    Attributes
    ----------
    network : keras.Model
    mean, deviation : np.ndarray of float32, shape (columns,)
    settings : dict
        Arguments of the function that built the network.
    """

    network: keras.Model
    mean: np.ndarray
    deviation: np.ndarray
    settings: dict

    def standardize(self, inputs: np.ndarray) -> np.ndarray:
        """Return inputs, shape (n, columns), with the training inputs' mean at 0 and deviation at 1."""
        return (inputs - self.mean) / self.deviation


def compiled(build: Callable[..., keras.Model], settings: dict, learning_rate: float, seed: int) -> keras.Model:
    """Build a network for training, its initial weights and dropout masks drawn by `seed`."""
    keras.backend.clear_session()  # before the seed, which is part of the session
    keras.utils.set_random_seed(seed)
    network = build(**settings)
    # XLA compiles for seconds and then runs these small networks no faster.
    network.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    return network


def train_network(
    network: keras.Model,
    read: Callable[[np.ndarray, np.random.Generator], np.ndarray],
    train: Examples,
    score: Callable[[], ValidationScores] | None,
    settings,
    seed: int,
    epochs: int | None,
) -> tuple[pd.DataFrame, int]:
    """Train a network that `compiled` built, and leave it with the weights of its best epoch.

    Parameters
    ----------
    network : keras.Model
    read : callable
        Returns the inputs of a batch for the positions of its examples; may draw from the generator.
    train : Examples
    score : callable or None
        Returns the scores of the validation examples; None trains exactly `epochs` epochs.
    settings : object
        With batch_size, epochs, patience, plateau_patience.
    seed : int
    epochs : int or None

    Returns
    -------
    history : pd.DataFrame
        As in `Fitted`.
    epoch : int
        The best epoch; `epochs` if that was given.
    """
    # The training loss, not the validation's, sets the learning rate: the refit has no validation part and shall go
    # the same way.
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=settings.plateau_patience)
    plateau.set_model(network)
    plateau.on_train_begin()
    stopping = EarlyStopping(settings.patience)
    history = []
    for epoch in range(1, (epochs or settings.epochs) + 1):
        rng = generator(seed, network.name, epoch)
        row = {"epoch": epoch} | _train_epoch(network, read, train, settings.batch_size, rng)
        plateau.on_epoch_end(epoch, {"loss": row["loss"]})
        if score is not None:
            scores = score()
            stopping.update(epoch, scores, network.get_weights)
            row |= {f"validation_{name}": value for name, value in scores._asdict().items()}
        history.append(row)
        if stopping.is_over:
            break
    if score is not None:
        network.set_weights(stopping.best_weights)
    return pd.DataFrame(history), epochs or stopping.best_epoch


def _train_epoch(
    network: keras.Model, read: Callable, train: Examples, batch_size: int, rng: np.random.Generator
) -> dict[str, float]:
    # Batches of one size: TensorFlow traces another size anew, and batch normalisation learns nothing good from a
    # last batch of two. The few examples left out are others in each epoch.
    batch_size = min(batch_size, len(train.labels))
    whole_batches = len(train.labels) // batch_size
    order = rng.permutation(len(train.labels))[: whole_batches * batch_size]
    scores = [
        network.train_on_batch(read(items, rng), train.labels[items], return_dict=True)
        for items in order.reshape(whole_batches, batch_size)
    ]
    averages = {name: float(np.mean([of_batch[name] for of_batch in scores])) for name in ("loss", "accuracy")}
    if not np.isfinite(averages["loss"]):
        raise InputError(f"{network.name}: the training loss is not finite; lower its learning_rate")
    return averages


def predict_batches(network: keras.Model, inputs: Iterator[np.ndarray], batch_size: int) -> np.ndarray:
    """Return the network's output for inputs that come one at a time, shape (n, classes), float32.

    All batches have the same size, the last one filled up with its first input: TensorFlow traces once.
    """
    outputs, batch = [], []
    for array in inputs:
        batch.append(array)
        if len(batch) == batch_size:
            outputs.append(network.predict_on_batch(np.stack(batch)))
            batch = []
    if batch:
        filled = np.stack(batch + batch[:1] * (batch_size - len(batch)))
        outputs.append(network.predict_on_batch(filled)[: len(batch)])
    return np.concatenate(outputs) if outputs else np.empty((0, network.output_shape[1]), dtype=np.float32)


def save_model(model: KerasModel, folder: Path) -> None:
    """Write ``settings.json``, ``statistics.npy`` (mean, deviation) and ``network.weights.h5`` to `folder`.

    Not an ``.npz``: what a zip says about itself differs between releases of Python.
    """
    folder = Path(folder)
    write_json(model.settings, folder / "settings.json")
    with written(folder / "statistics.npy") as temporary, temporary.open("wb") as file:
        np.save(file, np.stack([model.mean, model.deviation]))
    with written(folder / "network.weights.h5") as temporary:
        model.network.save_weights(temporary)


def load_model(folder: Path, build: Callable[..., keras.Model]) -> KerasModel:
    """Read what `save_model` wrote, into a network that `build` makes from the settings; runs no code from `folder`."""
    folder = Path(folder)
    settings = json.loads((folder / "settings.json").read_text())
    network = build(**settings)
    network.load_weights(folder / "network.weights.h5")
    mean, deviation = np.load(folder / "statistics.npy", allow_pickle=False)
    return KerasModel(network, mean, deviation, settings)


def keras_layers(network: keras.Model) -> list[Layer]:
    """Return the layers of a functional network, with the standardisation that goes before it; see `Layer`."""
    layers = []
    position = {}
    for layer in network.layers:
        tensors = layer.input if isinstance(layer.input, list) else [layer.input]
        is_input = isinstance(layer, keras.layers.InputLayer)
        sources = () if is_input else tuple(position[tensor._keras_history.operation.name] for tensor in tensors)
        shape = " × ".join(str(size) for size in layer.output.shape[1:])
        layers.append(Layer(layer.name.replace("_", " "), type(layer).__name__, shape, layer.count_params(), sources))
        if is_input:
            layers.append(Layer("standardise", "Standardisation", shape, 0, (len(layers) - 1,)))
        position[layer.name] = len(layers) - 1
    return layers
