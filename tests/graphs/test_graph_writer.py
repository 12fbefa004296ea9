"""Writing graphs: constants, operators of another model, the same bytes."""

import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from random_networks import stored

from conftest import ROOT
from ser.graphs.graph_writer import DOUBLE, FLOAT, INT64, GraphWriter, write_model
from ser.models import stored_model

LSTM = """
import sys
from pathlib import Path
import numpy as np
from ser.graphs.graph_writer import write_model
from ser.graphs.lstm_graph import lstm_model

rng = np.random.default_rng(0)
shapes = {"ahead.0.weight_ih_l0": (16, 6), "ahead.0.weight_hh_l0": (16, 4), "ahead.0.bias_ih_l0": (16,)}
shapes |= {"ahead.0.bias_hh_l0": (16,), "mean": (3,), "deviation": (3,), "linear.weight": (2, 8), "linear.bias": (2,)}
weights = {name: rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
settings = dict(features=3, classes=2, layers=1, bidirectional=False, downsample=3, pooling="mean_max", stack=2)
write_model(lstm_model(settings | dict(subtract_mean=True), weights), Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("value", "kind", "shape"),
    [
        (1.5, FLOAT, ()),
        (np.float64(1.5), DOUBLE, ()),
        (3, INT64, ()),
        ([1, -1], INT64, (2,)),
        (np.ones((2, 3), dtype=np.float32).T, FLOAT, (3, 2)),
        (np.zeros((0, 2)), DOUBLE, (0, 2)),
    ],
)
def test_constants_keep_their_type_and_shape(value, kind, shape):
    graph = GraphWriter("constants")
    graph.Identity(value)
    (constant,) = graph.model().graph.initializer
    assert (constant.data_type, tuple(constant.dims)) == (kind, shape)
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(constant), np.asarray(value))


def test_equal_constants_are_stored_once():
    graph = GraphWriter("constants")
    names = [graph.constant(value) for value in (1.0, 1, np.float32(1), [1], np.ones(1, dtype=np.int64), 0.0, -0.0)]
    assert names[0] == names[2] and names[3] == names[4]
    assert len(set(names)) == 5


def test_what_an_included_model_does_not_need_is_left_out(tmp_path):
    other = GraphWriter("other")
    given = other.input("X", [None, 2])
    other.output(other.ArgMax(other.Mul(given, np.float32([5, 6])), axis=1), "label", [None], INT64)
    other.output(other.Add(given, np.float32([1, 2])), "scores", [None, 2])
    graph = GraphWriter("both")
    inputs = graph.input("functionals", ["clips", 2])
    once = graph.include(other.model(), graph.Neg(inputs), "scores")
    graph.output(graph.include(other.model(), once, "scores"), "probabilities", ["clips", 2])
    model = graph.model()
    kinds = [node.op_type for node in model.graph.node]
    assert "ArgMax" not in kinds and "Mul" not in kinds and kinds.count("Add") == 2
    values = np.float32([[1, 2], [3, 4]])
    np.testing.assert_allclose(
        stored_model.predict_proba(stored(model, tmp_path), values), 2 * np.array([1, 2]) - values
    )


def test_another_process_writes_the_same_bytes(tmp_path):
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "stages")}
        subprocess.run([sys.executable, "-c", LSTM, tmp_path / hash_seed], env=environment, check=True)
    content = (tmp_path / "1").read_bytes()
    assert content == (tmp_path / "2").read_bytes()
    assert b"stages" not in content and b".py" not in content  # where it was written


def test_metadata_is_part_of_the_file(tmp_path):
    graph = GraphWriter("identity")
    graph.output(graph.input("x", ["n"]), "y", ["n"])
    write_model(graph.model({"b": "2", "a": "1"}), tmp_path / "model.onnx")
    stored_properties = onnx.load(tmp_path / "model.onnx").metadata_props
    assert [(entry.key, entry.value) for entry in stored_properties] == [("a", "1"), ("b", "2")]
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_attributes_that_are_no_operators_are_errors():
    with pytest.raises(AttributeError, match="relu"):
        GraphWriter("x").relu("y")
