"""Several graphs as one: the mean of what they give, exactly."""

import numpy as np
import pytest
from random_networks import stored

from ser.graphs.dense_operators import linear_probabilities
from ser.graphs.graph_writer import GraphWriter
from ser.graphs.mean_graph import mean_model
from ser.models import stored_model

CLASSES, COLUMNS = 4, 6


def network(seed: int, name: str, rows: int | str) -> GraphWriter:
    rng = np.random.default_rng(seed)
    graph = GraphWriter("net")
    x = graph.input(name, [rows, COLUMNS])
    if name == "frames":
        x = graph.ReduceMean(x, [0])
    weights = rng.normal(size=(CLASSES, COLUMNS)).astype(np.float32)
    probabilities = linear_probabilities(graph, x, weights, rng.normal(size=CLASSES).astype(np.float32))
    graph.output(probabilities, "probabilities", ["clips" if name == "functionals" else 1, CLASSES])
    return graph


@pytest.mark.parametrize("count", [2, 3, 7])
def test_probabilities_are_the_rounded_mean_in_any_order(tmp_path, count):
    models = [network(seed, "functionals", "clips").model() for seed in range(count)]
    inputs = np.random.default_rng(9).normal(size=(300, COLUMNS)).astype(np.float32)

    def predicted(model, place: str) -> np.ndarray:
        (tmp_path / place).mkdir()
        return stored_model.predict_proba(stored(model, tmp_path / place), inputs)

    each = [predicted(model, str(number)) for number, model in enumerate(models)]
    found = predicted(mean_model(models), "mean")
    np.testing.assert_array_equal(found, np.mean(each, axis=0, dtype=np.float64).astype(np.float32))
    np.testing.assert_array_equal(found, predicted(mean_model(models[::-1]), "reversed"))
    assert np.abs(each[0] - found).max() > 0.1  # they do not say the same


def test_answers_that_are_certain_stay_so(tmp_path):
    models = [network(0, "functionals", "clips").model()] * 11
    inputs = 1000 * np.random.default_rng(9).normal(size=(50, COLUMNS)).astype(np.float32)
    assert stored_model.predict_proba(stored(mean_model(models), tmp_path), inputs).max() == 1


def test_names_and_axes_of_any_length_stay(tmp_path):
    model = mean_model([network(seed, "frames", "time").model() for seed in range(2)])
    session = stored(model, tmp_path)
    (given,), (output,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape) == ("frames", ["time", COLUMNS])
    assert (output.name, output.shape) == ("probabilities", [1, CLASSES])


def test_the_mean_of_means_can_be_written(tmp_path):
    """As an export or an ensemble includes the graph of several networks."""
    pairs = [mean_model([network(seed, "functionals", "clips").model() for seed in pair]) for pair in ((0, 1), (2, 3))]
    inputs = np.ones((2, COLUMNS), dtype=np.float32)
    each = [network(seed, "functionals", "clips").model() for seed in range(4)]
    found = []
    for place, model in (("pairs", mean_model(pairs)), ("all", mean_model(each))):
        (tmp_path / place).mkdir()
        found.append(stored_model.predict_proba(stored(model, tmp_path / place), inputs))
    np.testing.assert_allclose(*found, atol=1e-7)
