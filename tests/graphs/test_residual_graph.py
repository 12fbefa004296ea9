"""The residual network's graph: TensorFlow's probabilities."""

import numpy as np
import pytest
from random_networks import layer_weights, randomized, stored

from ser.graphs.residual_graph import residual_model
from ser.models import stored_model

FEATURES = 20


@pytest.fixture(scope="module", autouse=True)
def keras():
    """Import Keras in the process that runs these tests only: each collects all tests, and it takes seconds."""
    global residual, KerasModel, inference
    from ser.models import residual
    from ser.networks.keras_saved import KerasModel, inference


@pytest.mark.parametrize(("blocks", "classes", "limit"), [(1, 2, 3.0), (3, 5, 1.5)])
def test_it_gives_the_probabilities_of_keras(blocks, classes, limit, tmp_path):
    rng = np.random.default_rng(blocks)
    settings = dict(features=FEATURES, classes=classes, units=16, blocks=blocks, limit=limit)
    settings |= dict(input_dropout=0.1, dropout=0.1)
    network = randomized(residual.build_network(**settings), rng)
    mean, deviation = rng.normal(-50, 5, FEATURES).astype(np.float32), rng.uniform(5, 15, FEATURES).astype(np.float32)
    session = stored(residual_model(settings, mean, deviation, layer_weights(network)), tmp_path)
    assert stored_model.input_name(session) == "functionals"
    inputs = rng.normal(-50, 30, (2 * stored_model.BLOCK + 1, FEATURES)).astype(np.float32)
    assert np.mean(np.abs((inputs - mean) / deviation) > limit) > 0.1  # which the limit changes
    expected = residual.predict_proba(KerasModel(network, mean, deviation, settings, inference(network)), inputs)
    np.testing.assert_allclose(stored_model.predict_proba(session, inputs), expected, atol=1e-5)
