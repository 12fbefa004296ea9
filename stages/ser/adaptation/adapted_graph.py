"""A model's graph, moved to other recordings: by statistics of its inputs, or of what its last layers read.

A model of functionals standardises them by the clips that it learnt from. Recordings of another microphone lie
elsewhere; moved to where those clips lay, without a label, they are told far better. A network that reads sequences
learnt from what changes along a clip: statistics of its frames are of pauses and of how fast somebody speaks, too.
There what the last layer reads is moved, one vector a clip, as batch normalisation is adapted [1]_; and the frames only
where the answers then tell more of which recording they are of.

References
----------
.. [1] Y. Li, N. Wang, J. Shi, X. Hou, J. Liu, "Adaptive batch normalization for practical domain adaptation", Pattern
   Recognition 80, 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from ser.adaptation.input_statistics import Statistics, beyond_chance, middle_statistics, movement, statistics_of
from ser.graphs.graph_session import session_of

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

BLOCK = 256  # clips whose functionals go through the graph at a time
WORTH_MOVING = 0.05  # nats more that answers have to tell: chosen on validation speakers, as they are and filtered


class Reference(NamedTuple):
    """What a model expects.

    Attributes
    ----------
    inputs : Statistics
        Of its inputs: of functionals `middle_statistics` over clips, of sequences `statistics_of` their frames.
    last_layers : list of Statistics
        Of what each of its last layers reads, over clips; empty of a model of functionals.
    """

    inputs: Statistics
    last_layers: list[Statistics]


class Adapted(NamedTuple):
    """A graph that was moved.

    Attributes
    ----------
    model : ModelProto
    reference : Reference
        What it expects now.
    found : Statistics
        Of the inputs that it was moved to.
    inputs_moved : bool
        Whether the inputs are moved; else what the last layers read is, alone.
    """

    model: ModelProto
    reference: Reference
    found: Statistics
    inputs_moved: bool


def adapt(model: ModelProto, inputs: np.ndarray | Sequence[np.ndarray], reference: Reference) -> Adapted:
    """Return the graph moved to clips.

    Parameters
    ----------
    model : ModelProto
        Such as a model's folder holds.
    inputs : np.ndarray, shape (n, columns), or sequence of n arrays (frames, columns)
        What it reads of the clips.
    reference : Reference
    """
    if model.graph.input[0].name == "functionals":
        found = middle_statistics(inputs)
        expected = beyond_chance(reference.inputs, found, inputs)
        return Adapted(with_moved_inputs(model, reference.inputs, expected), Reference(expected, []), found, True)
    found = statistics_of(inputs)
    kept = _last_layers_moved(model, inputs, reference)
    moved = _last_layers_moved(with_moved_inputs(model, reference.inputs, found), inputs, reference)
    before, after = (information(probabilities_of(each[0], inputs)) for each in (kept, moved))
    if after - before < WORTH_MOVING:
        return Adapted(kept[0], Reference(reference.inputs, kept[1]), found, False)
    return Adapted(moved[0], Reference(found, moved[1]), found, True)


def last_layer_statistics(model: ModelProto, inputs: np.ndarray | Sequence[np.ndarray]) -> list[Statistics]:
    """Return the statistics of what each last layer reads of clips; of none in a model of functionals.

    Parameters
    ----------
    model, inputs
        See `adapt`.
    """
    if model.graph.input[0].name == "functionals":
        return []
    return [statistics_of([values]) for values in last_layer_inputs(model, inputs)]


def last_layer_inputs(model: ModelProto, inputs: np.ndarray | Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return what each last layer reads of clips, float32 of shape (n, width).

    Parameters
    ----------
    model, inputs
        See `adapt`.
    """
    return _run(model, inputs, [layer.input[0] for layer in last_layers(model)])[1:]


def last_layers(model: ModelProto) -> list[NodeProto]:
    """Return the dense layers that a softmax over the classes follows: one a network."""
    softmax = {node.input[0] for node in model.graph.node if node.op_type == "Softmax"}
    return [node for node in model.graph.node if node.op_type == "Gemm" and softmax.intersection(node.output)]


def with_last_layers(model: ModelProto, layers: Sequence[tuple[np.ndarray, np.ndarray]]) -> ModelProto:
    """Return a copy of the graph with other weights, shape (width, classes), and biases in its last layers."""
    changed = _copy(model)
    for number, (node, values) in enumerate(zip(last_layers(changed), layers, strict=True)):
        for place, array in enumerate(values, start=1):
            name = f"last_layer_{number}_{'weights' if place == 1 else 'biases'}"
            _remove_initializer(changed, name)
            node.input[place] = name
            changed.graph.initializer.append(numpy_helper.from_array(np.asarray(array, dtype=np.float32), name))
    used = {name for node in changed.graph.node for name in node.input}
    for initializer in [each for each in changed.graph.initializer if each.name not in used]:
        changed.graph.initializer.remove(initializer)
    return changed


def layer_weights(model: ModelProto) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights, shape (width, classes), and biases of the last layers."""
    constants = {each.name: each for each in model.graph.initializer}
    return [
        (numpy_helper.to_array(constants[layer.input[1]]), numpy_helper.to_array(constants[layer.input[2]]))
        for layer in last_layers(model)
    ]


def with_moved_inputs(model: ModelProto, old: Statistics, new: Statistics) -> ModelProto:
    """Return a copy of the graph that moves its inputs from new statistics to old ones before anything else."""
    changed = _copy(model)
    graph, count = changed.graph, len(changed.graph.node)
    given, names = graph.input[0].name, [f"moved_{count}_{step}" for step in ("subtract", "factor", "add")]
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == given:
                node.input[place] = names[-1]
    value, nodes = given, []
    for name, operator, array in zip(names, ("Sub", "Mul", "Add"), movement(old, new), strict=True):
        graph.initializer.append(numpy_helper.from_array(array, f"{name}_by"))
        nodes.append(helper.make_node(operator, [value, f"{name}_by"], [name], name=name))
        value = name
    others = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *others])
    return changed


def probabilities_of(model: ModelProto, inputs: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """Return the probabilities that a graph gives clips, float32 of shape (n, classes)."""
    return _run(model, inputs)[0]


def information(probabilities: np.ndarray) -> float:
    """Return the mutual information of recordings and answers, nats: how varied answers are, and yet how certain [1]_.

    Parameters
    ----------
    probabilities : np.ndarray, shape (n, classes)

    References
    ----------
    .. [1] J. S. Bridle, A. J. R. Heading, D. J. C. MacKay, "Unsupervised classifiers, mutual information and 'phantom
       targets'", NIPS 4, 1991.
    """
    return _entropy(probabilities.mean(axis=0)) - float(np.mean([_entropy(each) for each in probabilities]))


def _entropy(probabilities: np.ndarray) -> float:
    positive = probabilities[probabilities > 0].astype(np.float64)
    return float(-(positive * np.log(positive)).sum())


def _last_layers_moved(
    model: ModelProto, inputs: Sequence[np.ndarray], reference: Reference
) -> tuple[ModelProto, list[Statistics]]:
    """Return a copy of the graph with last layers that expect what they read of clips, and the statistics of that."""
    expected, layers = [], []
    read = last_layer_inputs(model, inputs)
    for values, old, (weights, biases) in zip(read, reference.last_layers, layer_weights(model), strict=True):
        new = beyond_chance(old, statistics_of([values]), values)
        subtract, factor, add = (each.astype(np.float64) for each in movement(old, new))
        layers.append((factor[:, None] * weights, biases + (add - subtract * factor) @ weights))
        expected.append(new)
    return with_last_layers(model, layers), expected


def _run(model: ModelProto, inputs: np.ndarray | Sequence[np.ndarray], values: Sequence[str] = ()) -> list[np.ndarray]:
    """Return the probabilities of clips, and some of the values in between, each of shape (n, columns)."""
    wanted = _copy(model)
    wanted.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in values)
    session = session_of(wanted.SerializeToString())
    given = session.get_inputs()[0].name
    if given == "functionals":
        blocks = [inputs[start : start + BLOCK] for start in range(0, len(inputs), BLOCK)]
    else:
        blocks = list(inputs)
    found = [session.run(None, {given: np.asarray(block, dtype=np.float32)}) for block in blocks]
    return [np.concatenate(each) for each in zip(*found, strict=True)]


def _remove_initializer(model: ModelProto, name: str) -> None:
    for initializer in [each for each in model.graph.initializer if each.name == name]:
        model.graph.initializer.remove(initializer)


def _copy(model: ModelProto) -> ModelProto:
    copy = type(model)()
    copy.CopyFrom(model)
    return copy
