"""Several graphs that read the same as one, which gives the mean of their probabilities."""

import numpy as np
from onnx import ModelProto, ValueInfoProto

from ser.graphs.graph_writer import DOUBLE, FLOAT, GraphWriter


def mean_model(models: list[ModelProto]) -> ModelProto:
    """Return models side by side as one.

    The arithmetic mean in double precision: float32 would round at each addition, so that the order of the networks
    would be part of the result, and a sum of certain answers could pass 1.

    Parameters
    ----------
    models : list of ModelProto
        Each has one input and one output, of the same names and shapes in all.
    """
    (given,), (output,) = models[0].graph.input, models[0].graph.output
    graph = GraphWriter(models[0].graph.name)
    inputs = graph.input(given.name, _shape(given))
    each = [graph.Cast(graph.include(model, inputs, output.name), to=DOUBLE) for model in models]
    mean = graph.Div(graph.Sum(*each), np.array(float(len(each))))
    graph.output(graph.Cast(mean, to=FLOAT), output.name, _shape(output))
    return graph.model()


def _shape(value: ValueInfoProto) -> list[int | str]:
    return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
