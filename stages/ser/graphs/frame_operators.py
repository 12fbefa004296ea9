"""What the graphs of sequence models share: the frames of one clip, padded, less their mean, pooled over time.

There are no masks: a graph reads one clip, so what is no part of it can be cut off instead.
"""

import numpy as np

from ser.graphs.graph_writer import DOUBLE, FLOAT, GraphWriter


def number_of_frames(graph: GraphWriter, frames: str) -> str:
    """Return the number of frames, shape (1,), of frames, shape (time, columns)."""
    return graph.Shape(frames, start=0, end=1)


def less_mean(graph: GraphWriter, frames: str) -> str:
    """Return frames, shape (time, columns), less their mean; it is added up in double precision and then rounded."""
    mean = graph.ReduceMean(graph.Cast(frames, to=DOUBLE), [0], keepdims=1)
    return graph.Sub(frames, graph.Cast(mean, to=FLOAT))


def padded(graph: GraphWriter, frames: str, count: str, multiple: int) -> str:
    """Return frames, shape (time, columns), followed by zeros up to a multiple of so many frames.

    Parameters
    ----------
    graph : GraphWriter
    frames : str
    count : str
        Their number, shape (1,).
    multiple : int
    """
    missing = graph.Mod(graph.Neg(count), [multiple])  # has the sign of the divisor, as in Python
    return graph.Pad(frames, graph.Concat([0, 0], missing, [0], axis=0))


def whole_groups(graph: GraphWriter, count: str, size: int) -> str:
    """Return how many groups of `size` frames hold `count` of them, shape (1,); the last group may be smaller."""
    return graph.Div(graph.Add(count, [size - 1]), [size])


def first(graph: GraphWriter, values: str, count: str, axis: int = 0) -> str:
    """Return the first so many values of an axis; `count` has shape (1,)."""
    return graph.Slice(values, [0], count, [axis])


def attentive_pooling(
    graph: GraphWriter, hidden: str, first_layer: tuple[np.ndarray, np.ndarray], scores: tuple[np.ndarray, np.ndarray]
) -> str:
    """Return mean and deviation over time, weighted by attention, shape (1, 2 · width), of shape (time, width).

    Parameters
    ----------
    graph : GraphWriter
    hidden : str
    first_layer, scores : tuple of np.ndarray
        Weights, shape (inputs, outputs), and biases of the two layers that say how much a frame counts.
    """
    attention = graph.Tanh(graph.Add(graph.MatMul(hidden, first_layer[0]), first_layer[1]))
    weights = graph.Softmax(graph.Add(graph.MatMul(attention, scores[0]), scores[1]), axis=0)
    mean = graph.ReduceSum(graph.Mul(weights, hidden), [0], keepdims=1)
    distance = graph.Sub(hidden, mean)
    variance = graph.ReduceSum(graph.Mul(weights, graph.Mul(distance, distance)), [0], keepdims=1)
    return graph.Concat(mean, graph.Sqrt(graph.Add(variance, 1e-6)), axis=1)


def mean_max_pooling(graph: GraphWriter, hidden: str) -> str:
    """Return mean and maximum over time, shape (1, 2 · width), of shape (time, width)."""
    return graph.Concat(graph.ReduceMean(hidden, [0], keepdims=1), graph.ReduceMax(hidden, [0], keepdims=1), axis=1)
