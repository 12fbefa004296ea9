"""ONNX graphs as functions of one array, as whoever uses an exported model runs them."""

from collections.abc import Callable

import numpy as np
import onnxruntime

from ser.graphs.graph_writer import GraphWriter


def written(write: Callable[[GraphWriter, str], str], shape: list[int | str]) -> bytes:
    """Return the bytes of a graph of one input of this shape; `write` adds the operators and names what they give."""
    graph = GraphWriter("tried")
    graph.output(write(graph, graph.input("x", shape)), "y", None)
    return graph.model().SerializeToString(deterministic=True)


def function(write: Callable[[GraphWriter, str], str], shape: list[int | str]) -> Callable[[np.ndarray], np.ndarray]:
    """Return what runs a graph (see `written`) in one session."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(written(write, shape), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]
