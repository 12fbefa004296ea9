import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from conftest import ROOT, count_epochs, stop_after
from ser.errors import InputError
from ser.models import lstm, stored_model
from ser.networks import torch_training
from ser.networks.batches import Examples
from ser.networks.checkpoints import Checkpoint
from ser.networks.layer_graph import draw_network
from ser.networks.recurrent_layers import LSTMNetwork, average_neighbours, join_neighbours
from ser.settings.all_sections import load_params
from ser.storage.shards import Ragged

CLASSES, FEATURES = 3, 5
SETTINGS = SimpleNamespace(
    **vars(load_params(ROOT / "params.yaml").train_lstm)
    | dict(downsample=1, hidden_size=8, batch_size=16, learning_rate=0.03, mixup=0.0, stretch=0.0, feature_mask_width=2)
    | dict(epochs=15, patience=5)
)


def ragged(arrays: list[np.ndarray]) -> Ragged:
    lengths = np.array([len(array) for array in arrays])
    return Ragged([np.concatenate(arrays)], np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1))


def examples(count: int, seed: int, classes: int = CLASSES) -> Examples:
    """Rising, falling and level courses of one feature among noise: only the order of the frames tells them apart."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    arrays = []
    for label in labels:
        frames = rng.normal(50, 10, (rng.integers(5, 30), FEATURES)).astype(np.float32)
        frames[:, 2] += np.linspace(-20, 20, len(frames)) * (label - 1)
        arrays.append(frames)
    return Examples(ragged(arrays), labels, np.array(["speaker"] * count), np.arange(count).astype(str))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def fitted():
    return lstm.fit(examples(150, 1), examples(45, 2), CLASSES, SETTINGS, seed=1)


def test_learns_what_only_the_order_of_frames_tells(fitted):
    test = examples(150, 4)
    accuracy = np.mean(lstm.predict_proba(fitted.model, test.inputs).argmax(axis=1) == test.labels)
    assert accuracy > 0.8  # chance: 0.33


def test_keeps_the_epoch_with_the_highest_validation_uar(fitted):
    ranked = fitted.history.sort_values(["validation_uar", "validation_loss"], ascending=[False, True])
    assert fitted.epochs == ranked["epoch"].iloc[0]
    validation = examples(45, 2)
    predicted = lstm.predict_proba(fitted.model, validation.inputs).argmax(axis=1)
    assert np.mean(predicted == validation.labels) == pytest.approx(ranked["validation_accuracy"].iloc[0])


def test_stops_when_patience_runs_out():
    train, validation = examples(30, 1), examples(15, 2)
    shuffled = train._replace(labels=np.random.default_rng(0).permutation(train.labels))
    result = lstm.fit(shuffled, validation, CLASSES, SimpleNamespace(**vars(SETTINGS) | {"patience": 1}), seed=1)
    uar = result.history["validation_uar"]
    assert len(uar) < SETTINGS.epochs
    assert uar.iloc[-1] <= uar.iloc[:-1].max()


def test_refit_trains_exactly_the_given_epochs():
    result = lstm.fit(examples(30, 1), None, CLASSES, SETTINGS, seed=1, epochs=2)
    assert result.epochs == 2
    assert list(result.history) == ["epoch", "loss", "accuracy"]
    assert list(result.history["epoch"]) == [1, 2]


@pytest.mark.parametrize(("validation", "epochs"), [(None, None), (examples(3, 1), 2)])
def test_what_ends_the_training_must_be_unambiguous(validation, epochs):
    with pytest.raises(ValueError, match="number of epochs"):
        lstm.fit(examples(6, 1), validation, CLASSES, SETTINGS, seed=1, epochs=epochs)


def test_a_class_may_be_missing_from_validation():
    validation = examples(10, 2, classes=2)
    history = lstm.fit(examples(30, 1), validation, CLASSES, SETTINGS, seed=1).history
    assert history["validation_uar"].between(0, 1).all()


def test_probabilities_do_not_depend_on_batch_mates(fitted):
    rng = np.random.default_rng(5)
    arrays = [rng.normal(50, 10, (length, FEATURES)).astype(np.float32) for length in (1, 7, 300, 12, 2)]
    together = lstm.predict_proba(fitted.model, ragged(arrays))
    alone = np.concatenate([lstm.predict_proba(fitted.model, ragged([array])) for array in arrays])
    backwards = lstm.predict_proba(fitted.model, ragged(arrays[::-1]))[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together, backwards, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-6)
    assert together.dtype == np.float32


@pytest.mark.parametrize("pooling", ["attention", "mean_max"])
@pytest.mark.parametrize(("downsample", "stack"), [(1, 1), (3, 1), (1, 2), (3, 2)])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_padding_changes_neither_output_nor_gradients(bidirectional, downsample, stack, pooling):
    torch.manual_seed(0)
    network = LSTMNetwork(FEATURES, CLASSES, 2, 6, bidirectional, downsample, pooling, 0.0, False, stack)
    lengths = torch.tensor([4, 9])
    frames = torch.randn(12, 2, FEATURES)

    def run(padding: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        padded = frames.clone()
        padded[4:, 0] = padding
        padded.requires_grad_()
        logits = network(padded, lengths)
        network.zero_grad()
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 2])).backward()
        return logits, network.ahead[0].weight_ih_l0.grad.clone(), padded.grad

    zeros, large = run(0.0), run(1e6)
    assert torch.equal(zeros[0], large[0])
    assert torch.equal(zeros[1], large[1])
    assert (large[2][4:, 0] == 0).all()
    assert (large[2][:4, 0] != 0).any()


def test_neighbours_are_averaged_within_their_clip():
    frames = torch.arange(1.0, 13.0).reshape(6, 2, 1) * torch.tensor([[[1.0], [1.0]]])
    frames[4:, 0] = 0.0  # the padding of the first clip, 4 frames long: 1, 3, 5, 7; the second: 2, 4, …, 12
    averaged, lengths = average_neighbours(frames, torch.tensor([4, 6]), 3)
    assert averaged[:, :, 0].tolist() == [[3.0, 4.0], [7.0, 10.0]]
    assert lengths.tolist() == [2, 2]


def test_neighbours_are_joined_side_by_side():
    frames = torch.arange(8.0).reshape(4, 2, 1)  # of the first clip 0, 2, 4, 6, of the second 1, 3, 5, 7
    joined, lengths = join_neighbours(frames, torch.tensor([4, 3]), 2)
    assert joined.tolist() == [[[0.0, 2.0], [1.0, 3.0]], [[4.0, 6.0], [5.0, 7.0]]]
    assert lengths.tolist() == [2, 2]


def test_a_network_that_was_stored_without_a_choice_of_steps_is_read(fitted, tmp_path):
    model = lstm.fit(
        examples(30, 1), None, CLASSES, SimpleNamespace(**vars(SETTINGS) | {"stack": 1}), 1, epochs=1
    ).model
    lstm.save(model, tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text())
    del settings["stack"]
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    inputs = examples(5, 3).inputs
    np.testing.assert_array_equal(lstm.predict_proba(lstm.load(tmp_path), inputs), lstm.predict_proba(model, inputs))


def test_a_training_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    train, validation = examples(60, 1), examples(15, 2)
    settings = SimpleNamespace(**vars(SETTINGS) | dict(epochs=4, mixup=0.2, stretch=0.1, balance="sampling"))
    undisturbed = lstm.fit(train, validation, CLASSES, settings, seed=3)
    for interrupted_after in (1, 3):
        checkpoint = Checkpoint(tmp_path / str(interrupted_after), interval=0)
        with monkeypatch.context() as patch:
            patch.setattr(lstm, "_train_epoch", stop_after(interrupted_after, lstm._train_epoch))
            with pytest.raises(KeyboardInterrupt):
                lstm.fit(train, validation, CLASSES, settings, seed=3, checkpoint=checkpoint)
        for _ in range(2):  # the second time the training is found finished
            resumed = lstm.fit(train, validation, CLASSES, settings, seed=3, checkpoint=checkpoint)
            assert resumed.history.equals(undisturbed.history)
            for name, values in undisturbed.model.state_dict().items():
                assert torch.equal(resumed.model.state_dict()[name], values)


def test_a_checkpoint_of_another_device_is_not_gone_on_with(tmp_path, monkeypatch):
    train, checkpoint = examples(30, 1), Checkpoint(tmp_path / "checkpoint", interval=0)
    trained = count_epochs(lstm, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(torch_training, "_device_name", lambda network: "another")
        for _ in range(2):  # the second time the training is found finished
            lstm.fit(train, None, CLASSES, SETTINGS, seed=3, epochs=3, checkpoint=checkpoint)
    assert len(trained) == 3
    lstm.fit(train, None, CLASSES, SETTINGS, seed=3, epochs=3, checkpoint=checkpoint)
    assert len(trained) == 6


def test_statistics_are_those_of_the_training_frames():
    train = examples(30, 1)
    model = lstm.fit(train, None, CLASSES, SETTINGS, seed=1, epochs=1).model
    frames = np.concatenate(list(train.inputs))
    np.testing.assert_allclose(model.mean, frames.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(model.deviation, frames.std(axis=0), rtol=1e-4)


def test_a_value_that_is_not_finite_is_an_error_that_names_the_column(fitted):
    arrays = list(examples(6, 1).inputs)
    arrays[3] = arrays[3].copy()
    arrays[3][2, 4] = np.inf
    broken = Examples(ragged(arrays), np.arange(6) % 3, np.array(["speaker"] * 6), np.arange(6).astype(str))
    with pytest.raises(InputError, match="column 4"):
        lstm.fit(broken, None, CLASSES, SETTINGS, seed=1, epochs=1)
    with pytest.raises(InputError, match="column 4"):
        lstm.predict_proba(fitted.model, broken.inputs)
    with pytest.raises(InputError, match=r"\(3, 2\)"):
        lstm.predict_proba(fitted.model, ragged([np.zeros((3, 2), dtype=np.float32)]))


def test_the_stored_graph_gives_the_probabilities_of_the_trained_network(fitted, tmp_path):
    lstm.save(fitted.model, tmp_path)
    inputs = examples(40, 6).inputs
    found = stored_model.predict_proba(stored_model.load(tmp_path), inputs)
    np.testing.assert_allclose(found, lstm.predict_proba(fitted.model, inputs), atol=1e-5)


def test_loaded_model_predicts_the_same(fitted, tmp_path):
    lstm.save(fitted.model, tmp_path)
    inputs = examples(20, 6).inputs
    loaded = lstm.load(tmp_path)
    np.testing.assert_array_equal(lstm.predict_proba(loaded, inputs), lstm.predict_proba(fitted.model, inputs))


def test_same_bytes_in_the_same_and_in_another_process(tmp_path):
    arguments = dict(train=examples(40, 1), validation=examples(15, 2), classes=CLASSES, settings=SETTINGS, seed=3)
    torch.manual_seed(7)  # what was drawn before must not matter
    for name in ("first", "second"):
        lstm.save(lstm.fit(**arguments).model, tmp_path / name)
    # It reads what it fits, for to import this module would take longer than what a fit imports.
    code = (
        "import pickle, sys; from pathlib import Path; from ser.models import lstm\n"
        "fitted = lstm.fit(**pickle.loads(Path(sys.argv[1]).read_bytes()))\n"
        "lstm.save(fitted.model, Path(sys.argv[2]))"
    )
    (tmp_path / "arguments").write_bytes(pickle.dumps(arguments))
    environment = os.environ | {"OMP_NUM_THREADS": "4", "OMP_THREAD_LIMIT": "4", "PYTHONPATH": str(ROOT / "stages")}
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "arguments", tmp_path / "third"], env=environment, check=True
    )
    first = contents(tmp_path / "first")
    assert sorted(first) == ["model.onnx", "settings.json", "weights.pt"]
    assert first == contents(tmp_path / "second")
    assert first == contents(tmp_path / "third")


def test_fit_leaves_the_random_state_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    lstm.fit(examples(6, 1), None, CLASSES, SETTINGS, seed=1, epochs=1)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(("bidirectional", "pooling"), [(True, "attention"), (False, "mean_max")])
def test_layers_count_all_parameters(bidirectional, pooling, tmp_path):
    network = LSTMNetwork(FEATURES, CLASSES, 3, 6, bidirectional, 2, pooling, 0.1, False)
    layers = lstm.network_layers(network)
    assert sum(layer.parameters for layer in layers) == sum(values.numel() for values in network.parameters())
    assert sum(layer.kind == "LSTM" for layer in layers) == (6 if bidirectional else 3)
    draw_network(layers, tmp_path / "lstm.png", "LSTM")
    assert (tmp_path / "lstm.png").stat().st_size > 5000


def test_what_a_microphone_adds_to_all_frames_goes_with_their_mean():
    settings = SimpleNamespace(**vars(SETTINGS) | {"subtract_mean": True})
    model, unseen = lstm.fit(examples(30, 1), None, CLASSES, settings, seed=1, epochs=2).model, examples(10, 2)
    filtered = ragged([frames + np.float32([8, -4, 2, 0, 1]) for frames in unseen.inputs])
    expected = lstm.predict_proba(model, unseen.inputs)
    np.testing.assert_allclose(lstm.predict_proba(model, filtered), expected, atol=1e-4)
