"""Writing an ONNX graph operator by operator, from weights, with the same bytes every time.

No framework's exporter: PyTorch 2.13's makes the time axis dynamic for the first recurrent model of a process only,
tf2onnx writes a GRU as a loop and other bytes each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

    from onnx import ModelProto

OPSET = 21
ML_OPSET = 3
IR_VERSION = 10  # of that opset; onnxruntime reads it from 1.18 on
ML_DOMAIN = "ai.onnx.ml"
FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64


class GraphWriter:
    """A graph being written: ``graph.Relu(x)`` adds an operator and returns the name of what it computes.

    Arguments of an operator are names of values, or arrays, which become constants (float64 and int64 stay what they
    are, Python's floats become float32, its integers int64); an argument that is left out is ``""``. Keywords are the
    operator's attributes, and ``outputs`` the number of its results: with several a list of names is returned.

    Parameters
    ----------
    name : str
        Of the graph.
    """

    def __init__(self, name: str):
        self.name = name
        self._nodes: list = []
        self._constants: dict[tuple, str] = {}
        self._initializers: list = []
        self._inputs: list = []
        self._outputs: list = []

    def input(self, name: str, shape: list[int | str], dtype: int = FLOAT) -> str:
        """Declare an input; an axis that is named by a text has any length."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value: str, name: str, shape: list[int | str], dtype: int = FLOAT) -> None:
        """Declare a value to be an output of this name."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"output_{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def constant(self, value: np.ndarray | float | int | list) -> str:
        """Return the name of a constant; equal ones are stored once."""
        if type(value) is float:  # NumPy's float64 is one, too, by inheritance
            value = np.float32(value)
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = f"constant_{len(self._constants)}"
            self._initializers.append(numpy_helper.from_array(array, self._constants[key]))
        return self._constants[key]

    def __getattr__(self, operator: str) -> Callable[..., str]:
        if not operator[0].isupper():
            raise AttributeError(operator)
        return partial(self.add, operator)

    def add(self, operator: str, *inputs, outputs: int = 1, domain: str = "", **attributes) -> str | list[str]:
        """Add an operator; see `GraphWriter`."""
        number = len(self._nodes)
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        results = [f"{operator.lower()}_{number}" + (f"_{place}" if place else "") for place in range(outputs)]
        node = helper.make_node(operator, names, results, name=f"{operator}_{number}", domain=domain, **attributes)
        self._nodes.append(node)
        return results if outputs > 1 else results[0]

    def include(self, model: ModelProto, value: str, output: str) -> str:
        """Add what another model computes an output by, and return the name that it has here.

        Parameters
        ----------
        model : ModelProto
            Has a single input and no operators with graphs of their own; they are valid in `OPSET` and `ML_OPSET`.
        value : str
            Takes the place of its input.
        output : str
            The output that is wanted; what only the others need is left out.
        """
        prefix = f"included_{len(self._nodes)}_"
        names = {model.graph.input[0].name: value, "": ""}
        needed, nodes = {output}, []
        for node in reversed(model.graph.node):
            if not needed.isdisjoint(node.output):
                needed.update(node.input)
                nodes.append(node)
        for node in reversed(nodes):
            added = type(node)()
            added.CopyFrom(node)
            added.name = prefix + node.name
            for attribute in ("input", "output"):
                del getattr(added, attribute)[:]
                getattr(added, attribute).extend(names.get(name, prefix + name) for name in getattr(node, attribute))
            self._nodes.append(added)
        for initializer in model.graph.initializer:
            if initializer.name in needed:
                added = type(initializer)()
                added.CopyFrom(initializer)
                added.name = prefix + initializer.name
                self._initializers.append(added)
        return names.get(output, prefix + output)

    def model(self, metadata: dict[str, str] | None = None) -> ModelProto:
        """Return the graph as a model.

        Parameters
        ----------
        metadata : dict of str to str, optional
            What the file tells of itself.
        """
        graph = helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, self._initializers)
        domains = {"": OPSET} | ({ML_DOMAIN: ML_OPSET} if any(node.domain for node in self._nodes) else {})
        opsets = [helper.make_opsetid(domain, version) for domain, version in sorted(domains.items())]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="reproducible-ser")
        helper.set_model_props(model, dict(sorted((metadata or {}).items())))
        return model


def write_model(model: ModelProto, path: Path) -> None:
    """Write a model as a whole file, with the same bytes every time."""
    from ser.storage.whole_files import written

    with written(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))
