"""Networks with random weights, and what their graphs are compared by."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from ser.graphs.graph_writer import IR_VERSION, ML_OPSET, OPSET, write_model
from ser.models import stored_model
from ser.storage.shards import Ragged


def ragged(arrays: list[np.ndarray]) -> Ragged:
    lengths = np.array([len(array) for array in arrays])
    return Ragged([np.concatenate(arrays)], np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1))


def stored(model: onnx.ModelProto, folder: Path) -> onnxruntime.InferenceSession:
    """Write a graph, check that it is a valid one of the versions that it names, and load it as a user would."""
    write_model(model, folder / "model.onnx")
    onnx.checker.check_model(folder / "model.onnx", full_check=True)
    versions = {operator_set.domain: operator_set.version for operator_set in model.opset_import}
    assert versions.pop("") == OPSET and model.ir_version == IR_VERSION
    assert versions in ({}, {"ai.onnx.ml": ML_OPSET})
    session = stored_model.load(folder)
    assert len(session.get_inputs()) == 1
    (output,) = session.get_outputs()
    assert (output.name, output.type) == ("probabilities", "tensor(float)")
    return session


def randomized(network, rng: np.random.Generator):
    """Give a Keras network weights and statistics of batch normalisation that training might leave."""
    for layer in network.layers:
        shapes = [values.shape for values in layer.get_weights()]
        # of He's size, so that what tells clips apart is still there behind several layers
        weights = [rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])) if shape[1:] else 0.3, shape) for shape in shapes]
        if "normalisation" in layer.name:
            (n,) = shapes[0]
            # some scales are negative
            weights = [rng.normal(0.5, 1, n), rng.normal(0, 0.5, n), rng.normal(0, 0.5, n), rng.uniform(0.5, 2, n)]
        layer.set_weights(weights)
    return network


def layer_weights(network) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in network.layers}
