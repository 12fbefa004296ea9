"""The LSTM's graph: PyTorch's probabilities, for all settings and lengths."""

from itertools import product

import numpy as np
import pytest
import torch
from random_networks import ragged, stored

from ser.graphs.lstm_graph import lstm_model
from ser.models import lstm, stored_model
from ser.networks.recurrent_layers import LSTMNetwork

FEATURES, CLASSES = 5, 3
LAYERS = [(1, True), (2, False), (3, True)]


def network_of(layers: int, bidirectional: bool, downsample: int, stack: int, pooling: str, subtract_mean: bool):
    torch.manual_seed(layers + 10 * downsample + 100 * stack)
    network = LSTMNetwork(
        FEATURES, CLASSES, layers, 6, bidirectional, downsample, pooling, 0.1, subtract_mean, stack
    ).eval()
    for weights in network.parameters():
        weights.data *= 2  # as drawn they hardly tell one clip from another
    network.linear.weight.data *= 4
    network.mean.copy_(10 * torch.randn(FEATURES))
    network.deviation.copy_(torch.rand(FEATURES) + 5)
    return network


def model_of(network: LSTMNetwork):
    return lstm_model(network.settings, {name: values.numpy() for name, values in network.state_dict().items()})


@pytest.mark.parametrize(("downsample", "stack"), list(product([1, 2, 3, 4], [1, 2, 3])))
@pytest.mark.parametrize(("pooling", "subtract_mean"), [("attention", False), ("mean_max", True)])
def test_it_gives_the_probabilities_of_pytorch(downsample, stack, pooling, subtract_mean, tmp_path):
    rng, group = np.random.default_rng(downsample + 10 * stack), downsample * stack
    lengths = sorted({1, 2, group, group + 1, 2 * group - 1, *rng.integers(3, 300, 3)})
    clips = [rng.normal(rng.uniform(-9, 9), 10, (length, FEATURES)).astype(np.float32) for length in lengths]
    for layers, bidirectional in LAYERS:
        network = network_of(layers, bidirectional, downsample, stack, pooling, subtract_mean)
        session = stored(model_of(network), tmp_path)
        assert stored_model.input_name(session) == "frames"
        expected = lstm.predict_proba(network, ragged(clips))
        assert expected.std(axis=0).max() > 0.01
        np.testing.assert_allclose(stored_model.predict_proba(session, ragged(clips)), expected, atol=1e-5)


def test_a_clip_may_be_long(tmp_path):
    network = network_of(2, True, 3, 2, "attention", True)
    clips = ragged([np.random.default_rng(1).normal(3, 10, (2000, FEATURES)).astype(np.float32)])
    session = stored(model_of(network), tmp_path)
    np.testing.assert_allclose(
        stored_model.predict_proba(session, clips), lstm.predict_proba(network, clips), atol=1e-5
    )
