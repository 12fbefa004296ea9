"""What is done with the probabilities of one or more models on their way to an answer, as an ONNX graph.

The counterpart of `ser.probabilities`: rare emotions, the mean over copies, fusion, temperature.

Probabilities have the shape (clips, classes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ser.graphs.graph_writer import DOUBLE, FLOAT
from ser.probabilities.fused import GEOMETRIC
from ser.probabilities.temperature import LEAST_PROBABILITY

if TYPE_CHECKING:
    from ser.graphs.graph_writer import GraphWriter
    from ser.probabilities.fused import Rule


def adjusted(graph: GraphWriter, probabilities: str, factors: list[float]) -> str:
    """Multiply the odds of classes by factors; see `ser.probabilities.logit_adjustment.adjust`."""
    if len(set(factors)) == 1:
        return probabilities
    odds = graph.Mul(graph.Cast(probabilities, to=DOUBLE), np.array(factors))
    return graph.Cast(graph.Div(odds, graph.ReduceSum(odds, [1])), to=FLOAT)


def mean_over_copies(graph: GraphWriter, answers: list[str]) -> str:
    """Return the mean of all rows of some probabilities, of shape (1, classes); see `ser.probabilities.copy_mean`."""
    rows = graph.Cast(graph.Concat(*answers, axis=0), to=DOUBLE)
    return graph.Cast(graph.ReduceMean(rows, [0], keepdims=1), to=FLOAT)


def fused(graph: GraphWriter, members: list[str], rule: Rule) -> str:
    """Fuse the probabilities of several models, in double precision; see `ser.probabilities.fused.fuse`."""
    doubles = [graph.Cast(member, to=DOUBLE) for member in members]
    if len(rule.temperatures):
        doubles = [at_temperature(graph, each, own) for each, own in zip(doubles, rule.temperatures, strict=True)]
    logs = [graph.Log(graph.Max(each, np.array(LEAST_PROBABILITY))) for each in doubles]
    if rule.method == "weights":
        between = rule.power >= GEOMETRIC
        terms = [graph.Exp(graph.Mul(each, np.array(rule.power))) for each in logs] if between else logs
        weighted = [graph.Mul(each, np.array(weight)) for each, weight in zip(terms, rule.weights, strict=True)]
        together = graph.Sum(*weighted)
        return graph.Softmax(graph.Div(graph.Log(together), np.array(rule.power)) if between else together, axis=1)
    mean = graph.Div(graph.Sum(*doubles), np.array(float(len(doubles))))
    if rule.method == "mean" or not len(rule.met):
        return mean
    scores = graph.MatMul(graph.Concat(*logs, axis=1), np.ascontiguousarray(rule.coefficients.T))
    shares = graph.Softmax(graph.Add(scores, rule.intercepts), axis=1)
    # the classes that were met share out what they have together, the others keep their mean
    together = graph.ReduceSum(graph.Gather(mean, rule.met, axis=1), [1])
    classes = rule.coefficients.shape[1] // len(members)
    places = np.zeros((len(rule.met), classes))
    places[np.arange(len(rule.met)), rule.met] = 1
    shared = graph.MatMul(graph.Mul(shares, together), places)
    return graph.Add(shared, graph.Mul(mean, 1 - places.sum(axis=0)))


def at_temperature(graph: GraphWriter, probabilities: str, temperature: float) -> str:
    """Scale probabilities by a temperature; see `ser.probabilities.temperature.scale`."""
    least = graph.Max(graph.Cast(probabilities, to=DOUBLE), np.array(LEAST_PROBABILITY))
    logs = graph.Log(graph.Div(least, graph.ReduceSum(least, [1])))
    return graph.Softmax(graph.Div(logs, np.array(temperature)), axis=1)
