"""What is done with probabilities gives the same as a graph and in NumPy."""

from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from ser.exporting.probability_graph import adjusted, at_temperature, fused
from ser.fusion.ensemble_weights import learn
from ser.graphs.graph_writer import DOUBLE, FLOAT, GraphWriter
from ser.probabilities.fused import Rule, fuse
from ser.probabilities.logit_adjustment import adjust
from ser.probabilities.temperature import scale


def drawn(seed: int, *shape: int) -> np.ndarray:
    """Draw probabilities, some of them 0 or 1."""
    rng = np.random.default_rng(seed)
    odds = rng.exponential(size=shape) ** 3 * (rng.random(shape) > 0.1)
    odds[..., 0] += 1e-9
    return (odds / odds.sum(axis=-1, keepdims=True)).astype(np.float32)


def run(write, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Write a graph on inputs of shape (clips, classes) and run it."""
    graph = GraphWriter("test")
    names = [graph.input(name, ["clips", values.shape[1]]) for name, values in inputs.items()]
    graph.output(graph.Cast(write(graph, names), to=FLOAT), "probabilities", ["clips", 3])
    session = onnxruntime.InferenceSession(graph.model().SerializeToString())
    return session.run(None, inputs)[0]


@pytest.mark.parametrize("factors", [[1.0, 1.0, 1.0], [1.0, 2.5, 7.0]])
def test_rare_emotions_are_made_more_probable(factors):
    p = drawn(1, 50, 3)
    found = run(lambda graph, names: adjusted(graph, names[0], factors), {"p": p})
    np.testing.assert_allclose(found, adjust(p, factors), atol=1e-6)


@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 20.0])
def test_probabilities_at_a_temperature(temperature):
    p = drawn(2, 50, 3)
    found = run(lambda graph, names: at_temperature(graph, names[0], temperature), {"p": p})
    np.testing.assert_allclose(found, scale(p, temperature), atol=1e-6)


@pytest.mark.parametrize("classes", [3, 2, 1], ids=["all met", "two met", "one met"])
@pytest.mark.parametrize("calibrate", [False, True], ids=["as they are", "calibrated"])
@pytest.mark.parametrize(
    ("method", "power"), [("mean", 0.0), ("weights", 0.0), ("weights", 0.4), ("weights", 1.0), ("stacking", 0.0)]
)
def test_members_are_fused(method, power, calibrate, classes):
    p = drawn(3, 3, 50, 3)
    truth = np.random.default_rng(0).integers(classes, size=50)
    settings = SimpleNamespace(method=method, calibrate=calibrate, powers=[power], shrinkage=3.0, C=0.1)
    rule = learn(p.astype(float), truth, settings)
    assert rule.power == power and len(rule.temperatures) == 3 * calibrate
    members = {f"p{number}": values for number, values in enumerate(p)}
    found = run(lambda graph, names: fused(graph, names, rule), members)
    np.testing.assert_allclose(found, fuse(p.astype(float), rule), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_doubles_are_kept_within():
    graph = GraphWriter("test")
    graph.input("p", ["clips", 3])
    graph.output(fused(graph, ["p"], Rule("mean", np.ones(1))), "probabilities", ["clips", 3], DOUBLE)
    assert onnxruntime.InferenceSession(graph.model().SerializeToString()).get_outputs()[0].type == "tensor(double)"
