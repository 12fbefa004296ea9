"""What only a GPU shows; the tests of the LSTM and of the encoders train on one as well where there is one."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_lstm import CLASSES, SETTINGS, examples, ragged

from ser.encoders import fine_tuned
from ser.encoders.head_layers import FineTunedEncoder
from ser.encoders.speech_encoder import layer_means, load_encoder
from ser.models import lstm
from tiny_encoders import TINY

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wavlm")
    transformers.WavLMModel(transformers.WavLMConfig(**TINY)).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("bidirectional", "pooling"), [(True, "attention"), (False, "mean_max")])
def test_mixed_precision_learns_as_well_and_repeats_itself(bidirectional, pooling):
    def fit(mixed_precision: bool) -> tuple[float, dict[str, torch.Tensor]]:
        changes = dict(mixed_precision=mixed_precision, bidirectional=bidirectional, pooling=pooling)
        settings = SimpleNamespace(**vars(SETTINGS) | changes)
        model = lstm.fit(examples(150, 1), examples(45, 2), CLASSES, settings, seed=1).model
        test = examples(90, 3)
        correct = lstm.predict_proba(model, test.inputs).argmax(axis=1) == test.labels
        return correct.mean(), model.state_dict()

    score, weights = fit(True)
    again_score, again = fit(True)
    single_score, single = fit(False)
    assert min(score, single_score) > 0.8
    assert score == again_score
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert not torch.equal(weights["linear.weight"], single["linear.weight"])  # it did compute with fewer bits


def test_a_model_answers_on_the_cpu_as_on_the_gpu():
    model = lstm.fit(examples(60, 1), None, CLASSES, SETTINGS, seed=1, epochs=3).model
    inputs = examples(40, 2).inputs
    on_cpu = lstm.predict_proba(model, inputs)
    np.testing.assert_allclose(lstm.predict_proba(model.cuda(), inputs), on_cpu, atol=1e-5)


def test_an_encoder_hears_on_the_cpu_what_it_hears_on_the_gpu(encoder):
    samples = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    loaded = load_encoder(encoder)
    on_cpu = layer_means(loaded, samples, 16000)
    loaded.network.cuda()
    np.testing.assert_allclose(layer_means(loaded, samples, 16000), on_cpu, atol=1e-4)
    clips = ragged([np.int16(1000 * samples)] * 2)
    network = FineTunedEncoder(load_encoder(encoder), CLASSES, 8, 0.0, "attention", 16000)
    on_cpu = fine_tuned.predict_proba(network, clips)
    np.testing.assert_allclose(fine_tuned.predict_proba(network.cuda(), clips), on_cpu, atol=1e-5)
