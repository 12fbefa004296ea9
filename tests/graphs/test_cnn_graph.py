"""The CNN's graph: TensorFlow's probabilities, for all settings and lengths."""

import numpy as np
import pytest
from random_networks import layer_weights, ragged, randomized, stored

from ser.graphs.cnn_graph import cnn_model, same_padding
from ser.models import stored_model

LENGTHS = [1, 2, 4, 5, 8, 9, 31, 32, 33, 100, 257]
NETWORKS = [  # bands, filters, units of the GRU, pooling, how blocks halve, whether the mean is taken away
    (1, [3, 4, 5], 0, "mean_max", "pooling", False),
    (7, [4, 8, 4, 8], 5, "attention", "pooling", True),
    (9, [4, 8, 6], 0, "mean_max", "stride", True),
    (13, [8, 4, 4, 4], 3, "mean_max", "stride", False),
    (16, [4], 0, "attention", "stride", False),
    (17, [4, 8], 3, "mean_max", "pooling", True),
    (40, [16, 32, 64], 0, "attention", "stride", False),
]


@pytest.fixture(scope="module", autouse=True)
def keras():
    """Import Keras in the process that runs these tests only: each collects all tests, and it takes seconds."""
    global cnn, KerasModel, inference
    from ser.models import cnn
    from ser.networks.keras_saved import KerasModel, inference


def clip_of(rng: np.random.Generator, length: int, bands: int) -> np.ndarray:
    return rng.normal(rng.uniform(-70, -30), 10, (length, bands)).astype(np.float32)


@pytest.mark.parametrize(("bands", "filters", "units", "pooling", "downsampling", "subtract_mean"), NETWORKS)
def test_it_gives_the_probabilities_of_keras(bands, filters, units, pooling, downsampling, subtract_mean, tmp_path):
    rng = np.random.default_rng(bands)
    settings = dict(bands=bands, classes=3, filters=filters, recurrent_units=units, pooling=pooling, dropout=0.1)
    settings |= dict(subtract_mean=subtract_mean, downsampling=downsampling)
    network = randomized(cnn.build_network(**settings), rng)
    mean = rng.normal(0 if subtract_mean else -50, 5, bands).astype(np.float32)
    deviation = rng.uniform(5, 15, bands).astype(np.float32)
    model = KerasModel(network, mean, deviation, settings, inference(network))
    graph = cnn_model(settings, mean, deviation, layer_weights(network), cnn.LENGTH_MULTIPLE)
    session = stored(graph, tmp_path)
    assert stored_model.input_name(session) == "logmel"
    lengths = LENGTHS + ([2000] if units else [])
    clips = ragged([clip_of(rng, length, bands) for length in lengths])
    expected = cnn.predict_proba(model, clips)
    assert expected.std(axis=0).max() > 0.01
    np.testing.assert_allclose(stored_model.predict_proba(session, clips), expected, atol=1e-5)


@pytest.mark.parametrize("bands", [1, 2, 5, 8])
@pytest.mark.parametrize(("size", "strides"), [(5, (2, 2)), (3, (1, 1)), (3, (2, 2)), (3, (1, 2))])
def test_padding_is_that_of_tensorflow(size, strides, bands):
    from ser.networks.keras_backend import tf

    before, after, left = same_padding(size, strides, bands)
    values = np.random.default_rng(0).standard_normal((1, 8, bands, 1)).astype(np.float32)
    kernel = np.random.default_rng(1).standard_normal((size, size, 1, 1)).astype(np.float32)
    widths = [(0, 0), *zip(before, after, strict=True), (0, 0)]
    explicit = tf.nn.conv2d(np.pad(values, widths), kernel, strides, "VALID")
    assert explicit.shape[2] == left
    np.testing.assert_allclose(explicit, tf.nn.conv2d(values, kernel, strides, "SAME"), atol=1e-5)
