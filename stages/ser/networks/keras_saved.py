"""What the Keras models share where they are used: the model folder, predicting, the list of layers."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ser.networks.keras_backend import keras, tf
from ser.networks.keras_layers import MaskPadding
from ser.storage.whole_files import write_bytes, write_json, written

if TYPE_CHECKING:
    from ser.networks.layer_graph import Layer


class KerasModel(NamedTuple):
    """A network, the statistics its inputs are standardised by, and what it takes to build it anew.

    Attributes
    ----------
    network : keras.Model
    mean, deviation : np.ndarray of float32, shape (columns,)
    settings : dict
        Arguments of the function that built the network.
    forward : callable
        What `inference` returns for the network.
    """

    network: keras.Model
    mean: np.ndarray
    deviation: np.ndarray
    settings: dict
    forward: Callable[..., tf.Tensor]

    def standardize(self, inputs: np.ndarray) -> np.ndarray:
        """Return inputs, shape (n, columns), with the training inputs' mean at 0 and deviation at 1."""
        return (inputs - self.mean) / self.deviation


def inference(network: keras.Model) -> Callable[..., tf.Tensor]:
    """Return a function that takes a network's inputs, batches of any size and length, and returns its output.

    `keras.Model.predict_on_batch` would trace the network anew for the first few shapes that it meets.
    """
    specification = [tf.TensorSpec(tensor.shape) for tensor in network.inputs]

    @tf.function(input_signature=specification, autograph=False)
    def forward(*inputs):
        return network(inputs if len(inputs) > 1 else inputs[0], training=False)

    return forward


def save_model(model: KerasModel, folder: Path) -> None:
    """Write ``settings.json``, ``statistics.npy`` (mean, deviation) and ``network.weights.h5`` to `folder`.

    Not an ``.npz``: what a zip says about itself differs between releases of Python.
    """
    folder = Path(folder)
    write_json(model.settings, folder / "settings.json")
    with written(folder / "statistics.npy") as temporary, temporary.open("wb") as file:
        np.save(file, np.stack([model.mean, model.deviation]))
    with tempfile.TemporaryDirectory() as scratch:  # where the disk of the folder is full, HDF5 takes the process along
        path = Path(scratch) / "network.weights.h5"
        model.network.save_weights(path)
        write_bytes(path.read_bytes(), folder / path.name)


def load_model(folder: Path, build: Callable[..., keras.Model]) -> KerasModel:
    """Read what `save_model` wrote, into a network that `build` makes from the settings; runs no code from `folder`."""
    folder = Path(folder)
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    network = build(**settings)
    network.load_weights(folder / "network.weights.h5")
    mean, deviation = np.load(folder / "statistics.npy", allow_pickle=False)
    return KerasModel(network, mean, deviation, settings, inference(network))


def keras_layers(network: keras.Model) -> list[Layer]:
    """Return the layers of a functional network, with the standardisation that goes before it; see `Layer`.

    What only keeps the padding of clips apart is left out: the input ``present`` and the layers `MaskPadding`.
    """
    from ser.networks.layer_graph import Layer  # which draws with matplotlib

    layers = []
    position = {}
    for layer in network.layers:
        tensors = layer.input if isinstance(layer.input, list) else [layer.input]
        is_input = isinstance(layer, keras.layers.InputLayer)
        origins = [] if is_input else [tensor._keras_history.operation.name for tensor in tensors]
        sources = tuple(position[name] for name in origins if name != "present")
        if layer.name == "present":
            continue
        if isinstance(layer, MaskPadding):
            position[layer.name] = sources[0]
            continue
        shape = " × ".join("frames" if size is None else str(size) for size in layer.output.shape[1:])
        layers.append(Layer(layer.name.replace("_", " "), type(layer).__name__, shape, layer.count_params(), sources))
        if is_input:
            layers.append(Layer("standardise", "Standardisation", shape, 0, (len(layers) - 1,)))
        position[layer.name] = len(layers) - 1
    return layers
