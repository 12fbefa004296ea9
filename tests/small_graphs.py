"""Small graphs of models, and what they read."""

import numpy as np

from ser.adaptation.adapted_graph import Reference, last_layer_statistics
from ser.adaptation.input_statistics import statistics_of
from ser.graphs.dense_operators import softmax_layer
from ser.graphs.graph_writer import GraphWriter
from ser.storage.shards import Ragged

COLUMNS, CLASSES = 6, 3


def classifier(seed=0):
    """A linear model of functionals."""
    rng, graph = np.random.default_rng(seed), GraphWriter("linear")
    inputs = graph.input("functionals", ["clips", COLUMNS])
    weights = rng.normal(size=(COLUMNS, CLASSES))
    graph.output(softmax_layer(graph, inputs, weights, np.zeros(CLASSES)), "probabilities", ["clips", CLASSES])
    return graph.model()


def network(seed=0):
    """A network of sequences: what a dense layer makes of each frame, its mean over time, a dense layer."""
    rng, graph = np.random.default_rng(seed), GraphWriter("network")
    frames = graph.input("frames", ["time", COLUMNS])
    hidden = graph.Tanh(graph.MatMul(frames, rng.normal(size=(COLUMNS, 8)).astype(np.float32)))
    pooled = graph.ReduceMean(hidden, [0], keepdims=1)
    weights = rng.normal(size=(8, CLASSES))
    graph.output(softmax_layer(graph, pooled, weights, rng.normal(size=CLASSES)), "probabilities", [1, CLASSES])
    return graph.model()


def sequences(clips=40, seed=1, offset=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clips, 1, COLUMNS))
    return [
        (offset + scale * (centre + rng.normal(size=(rng.integers(5, 30), COLUMNS)))).astype(np.float32)
        for centre in centres
    ]


def reference_of(model, clips):
    return Reference(statistics_of(clips), last_layer_statistics(model, clips))


def as_ragged(clips):
    """Return clips as they are read from shards."""
    lengths = np.array([len(clip) for clip in clips])
    return Ragged([np.concatenate(clips)], np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1))
