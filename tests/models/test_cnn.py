import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from conftest import ROOT, stop_after
from ser.errors import InputError
from ser.models import stored_model
from ser.networks.batches import LEAST_BATCHES, Examples
from ser.networks.checkpoints import Checkpoint
from ser.settings.all_sections import load_params
from ser.storage.shards import Ragged

CLASSES, BANDS, FRAME_RATE, SAMPLE_RATE = 3, 16, 10.0, 16000
SETTINGS = SimpleNamespace(
    **vars(load_params(ROOT / "params.yaml").train_cnn)
    | dict(filters=[4, 8], seconds=2.4, batch_size=16, learning_rate=0.01, mixup=0.0, feature_masks=0)
    | dict(epochs=10, patience=5)
)
# For tests that do not ask how well it learns. Most of a fit's time goes into tracing its network, whatever the
# examples: so this one is smaller, and its fits are shared.
SMALL = SimpleNamespace(**vars(SETTINGS) | dict(filters=[4], epochs=3, mixup=0.2, balance="sampling"))


@pytest.fixture(scope="module", autouse=True)
def keras():
    """Import Keras in the process that runs these tests only: each collects all tests, and it takes seconds."""
    global cnn, keras_training
    from ser.models import cnn
    from ser.networks import keras_training


def ragged(arrays: list[np.ndarray]) -> Ragged:
    lengths = np.array([len(array) for array in arrays])
    return Ragged([np.concatenate(arrays)], np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1))


def examples(count: int, seed: int, classes: int = CLASSES) -> Examples:
    """Spectra with a band of energy that falls, stays or rises from frame to frame, again and again, in dB."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    arrays = []
    for label in labels:
        time = np.arange(rng.integers(12, 60))
        frames = rng.normal(-50, 4, (len(time), BANDS))
        frames[time, (rng.integers(BANDS) + (label - 1) * time) % BANDS] += 30
        arrays.append(frames.astype(np.float32))
    return Examples(ragged(arrays), labels, np.array(["speaker"] * count), np.arange(count).astype(str))


def fit(*arguments, **options):
    return cnn.fit(*arguments, **options, frame_rate=FRAME_RATE, sample_rate=SAMPLE_RATE)


SMALL_FIT = dict(train=examples(60, 1), validation=examples(15, 2), classes=CLASSES, settings=SMALL, seed=20)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def fitted():
    return fit(examples(240, 1), examples(45, 2), CLASSES, SETTINGS, seed=1)


@pytest.fixture(scope="module")
def undisturbed():
    """What `SMALL_FIT` gives when it runs through: the same is expected of it in other circumstances."""
    return fit(**SMALL_FIT)


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """The same fit, killed after two epochs and gone on with; and its checkpoint."""
    checkpoint = Checkpoint(tmp_path_factory.mktemp("resumed") / "checkpoint", interval=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_training, "_train_epoch", stop_after(2, keras_training._train_epoch))
        with pytest.raises(KeyboardInterrupt):
            fit(**SMALL_FIT, checkpoint=checkpoint)
    return fit(**SMALL_FIT, checkpoint=checkpoint), checkpoint


@pytest.fixture(scope="module")
def refit():
    settings = SimpleNamespace(**vars(SETTINGS) | {"pooling": "mean_max", "warp": 0.1})
    return fit(examples(30, 1), None, CLASSES, settings, seed=1, epochs=2)


@pytest.fixture(scope="module")
def recurrent():
    """Trained on two batches of one size, as another takes two seconds to trace; so few need the full rate at once."""
    layers = dict(pooling="attention", recurrent_units=3, warmup_epochs=0)
    settings = SimpleNamespace(**vars(SETTINGS) | layers)
    return fit(examples(2 * SETTINGS.batch_size, 1), None, CLASSES, settings, seed=1, epochs=1)


def test_learns_the_movement_of_energy_in_spectra(fitted):
    test = examples(150, 4)
    accuracy = np.mean(cnn.predict_proba(fitted.model, test.inputs).argmax(axis=1) == test.labels)
    assert accuracy > 0.7  # chance: 0.33


def test_keeps_the_epoch_with_the_highest_validation_uar(fitted):
    ranked = fitted.history.sort_values(["validation_uar", "validation_loss"], ascending=[False, True])
    assert fitted.epochs == ranked["epoch"].iloc[0]
    validation = examples(45, 2)
    predicted = cnn.predict_proba(fitted.model, validation.inputs).argmax(axis=1)
    assert np.mean(predicted == validation.labels) == pytest.approx(ranked["validation_accuracy"].iloc[0])


def test_refit_trains_exactly_the_given_epochs(refit):
    assert refit.epochs == 2
    assert list(refit.history) == ["epoch", "loss", "accuracy"]
    assert list(refit.history["epoch"]) == [1, 2]


@pytest.mark.parametrize(("name", "pooling", "units"), [("recurrent", "attention", 3), ("refit", "mean_max", 0)])
def test_probabilities_do_not_depend_on_batch_mates(request, name, pooling, units):
    fitted = request.getfixturevalue(name)
    assert (fitted.model.settings["pooling"], fitted.model.settings["recurrent_units"]) == (pooling, units)
    rng = np.random.default_rng(5)
    lengths = [1, 7, 8, 32, 33, 200] + [400] * 30  # more than a batch of them
    arrays = [rng.normal(-50, 10, (length, BANDS)).astype(np.float32) for length in lengths]
    together = cnn.predict_proba(fitted.model, ragged(arrays))
    alone = np.concatenate([cnn.predict_proba(fitted.model, ragged([array])) for array in arrays])
    backwards = cnn.predict_proba(fitted.model, ragged(arrays[::-1]))[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together, backwards, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-6)
    assert together.dtype == np.float32


def test_all_of_a_long_clip_counts(fitted):
    falling, level, _ = examples(3, 8).inputs
    halves = [np.concatenate([clip[:12]] * 8) for clip in (falling, level)]
    alone = cnn.predict_proba(fitted.model, ragged(halves))
    assert list(alone.argmax(axis=1)) == [0, 1]
    joined = cnn.predict_proba(fitted.model, ragged([np.concatenate(halves)]))[0]
    for emotion, (own, other) in enumerate([(0, 1), (1, 0)]):  # between what either half says
        assert alone[other, emotion] + 0.05 < joined[emotion] < alone[own, emotion] - 0.05


def test_statistics_are_those_of_the_training_frames(fitted):
    frames = np.concatenate(list(examples(240, 1).inputs))
    np.testing.assert_allclose(fitted.model.mean, frames.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(fitted.model.deviation, frames.std(axis=0), rtol=1e-4)


def test_inputs_that_do_not_fit_are_errors(fitted):
    arrays = list(examples(6, 1).inputs)
    arrays[3] = arrays[3].copy()
    arrays[3][2, 4] = np.nan
    with pytest.raises(InputError, match="column 4"):
        cnn.predict_proba(fitted.model, ragged(arrays))
    with pytest.raises(InputError, match="column 4"):
        fit(
            Examples(ragged(arrays), np.arange(6) % 3, np.array(["speaker"] * 6), np.arange(6).astype(str)),
            None,
            3,
            SETTINGS,
            seed=1,
            epochs=1,
        )
    with pytest.raises(InputError, match=r"\(3, 2\)"):
        cnn.predict_proba(fitted.model, ragged([np.zeros((3, 2), dtype=np.float32)]))


@pytest.mark.parametrize("downsampling", ["stride", "pooling"])
def test_many_blocks_fit_a_short_clip(downsampling):
    network = cnn.build_network(8, 3, [2] * 5, 0, "attention", 0.1, False, downsampling)
    clip = np.zeros((2, cnn.LENGTH_MULTIPLE, 8), dtype=np.float32)
    assert cnn.inference(network)(clip, cnn.presence(clip, np.array([1, 32]))).shape == (2, 3)


def test_training_reads_at_most_so_many_seconds_of_a_clip(fitted):
    train = examples(60, 1)
    batches = cnn.training_batches(fitted.model, train, SETTINGS, 20, np.arange(1.0, BANDS + 1))
    drawn = batches.draw(np.random.default_rng(0))
    passes = -(-LEAST_BATCHES // 4)  # of four batches
    np.testing.assert_array_equal(np.bincount(np.concatenate(drawn)), np.full(60, passes))
    for items in drawn:
        (batch, present), targets = batches.read(items, np.random.default_rng(1))
        assert batch.shape[1] == present.shape[1] == cnn.LENGTH_MULTIPLE
        assert present.sum(axis=1).max() <= 20 * (1 + SETTINGS.stretch) + 1
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)


def test_a_training_goes_on_from_its_checkpoint(undisturbed, resumed):
    assert undisturbed.epochs <= 2  # before the interruption: the weights of the best epoch have to be kept, too
    first, checkpoint = resumed
    for resumed in (first, fit(**SMALL_FIT, checkpoint=checkpoint)):  # the second time the training is found finished
        assert resumed.history.equals(undisturbed.history)
        for values, expected in zip(
            resumed.model.network.get_weights(), undisturbed.model.network.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(values, expected)


def test_the_stored_graph_gives_the_probabilities_of_the_trained_network(fitted, tmp_path):
    cnn.save(fitted.model, tmp_path)
    inputs = examples(40, 6).inputs
    found = stored_model.predict_proba(stored_model.load(tmp_path), inputs)
    np.testing.assert_allclose(found, cnn.predict_proba(fitted.model, inputs), atol=1e-5)


def test_loaded_model_predicts_the_same(fitted, tmp_path):
    cnn.save(fitted.model, tmp_path)
    inputs = examples(20, 6).inputs
    np.testing.assert_array_equal(
        cnn.predict_proba(cnn.load(tmp_path), inputs), cnn.predict_proba(fitted.model, inputs)
    )


def test_both_ways_to_halve_give_as_many_steps_and_bands():
    from ser.networks.keras_saved import keras_layers

    def layers(downsampling: str) -> list:
        network = cnn.build_network(40, 3, [4, 6, 8], 0, "attention", 0.0, False, downsampling)
        return [layer for layer in keras_layers(network) if "relu" in layer.name]

    strided, pooled = layers("stride"), layers("pooling")
    assert [layer.shape for layer in strided] == [layer.shape for layer in pooled]
    assert strided[-1].shape == "frames × 3 × 8"


def test_a_network_that_was_stored_without_a_choice_of_halving_is_read(tmp_path):
    settings = SimpleNamespace(**vars(SETTINGS) | {"downsampling": "pooling"})
    model = fit(examples(30, 1), None, 3, settings, seed=1, epochs=1).model
    cnn.save(model, tmp_path)
    stored = json.loads((tmp_path / "settings.json").read_text())
    del stored["downsampling"]
    (tmp_path / "settings.json").write_text(json.dumps(stored))
    inputs = examples(5, 6).inputs
    np.testing.assert_array_equal(cnn.predict_proba(cnn.load(tmp_path), inputs), cnn.predict_proba(model, inputs))


def test_same_bytes_in_the_same_and_in_another_process(undisturbed, resumed, tmp_path):
    cnn.save(undisturbed.model, tmp_path / "first")
    cnn.save(resumed[0].model, tmp_path / "second")  # which began anew in this process
    # It reads what it fits, for to import this module would take much longer than what a fit imports.
    code = (
        "import pickle, sys; from pathlib import Path; from ser.models import cnn\n"
        "fitted = cnn.fit(**pickle.loads(Path(sys.argv[1]).read_bytes()))\n"
        "cnn.save(fitted.model, Path(sys.argv[2]))"
    )
    rates = {"frame_rate": FRAME_RATE, "sample_rate": SAMPLE_RATE}
    (tmp_path / "arguments").write_bytes(pickle.dumps(SMALL_FIT | rates))
    environment = os.environ | {"OMP_NUM_THREADS": "4", "OMP_THREAD_LIMIT": "4", "PYTHONPATH": str(ROOT / "stages")}
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "arguments", tmp_path / "third"], env=environment, check=True
    )
    first = contents(tmp_path / "first")
    assert sorted(first) == ["model.onnx", "network.weights.h5", "settings.json", "statistics.npy"]
    assert first == contents(tmp_path / "second")
    assert first == contents(tmp_path / "third")


def test_layers_count_all_parameters(fitted):
    layers = cnn.network_layers(fitted.model)
    assert sum(layer.parameters for layer in layers) == fitted.model.network.count_params()
    assert [layer.name for layer in layers[-3:]] == ["pooling", "dropout", "softmax"]
    assert not any("mask" in layer.name or "present" in layer.name for layer in layers)


def test_what_a_microphone_adds_to_all_frames_goes_with_their_mean():
    settings = SimpleNamespace(**vars(SMALL) | {"subtract_mean": True})
    model, unseen = fit(examples(30, 1), None, CLASSES, settings, seed=1, epochs=1).model, examples(10, 2)
    filtered = ragged([frames + np.linspace(-9, 9, BANDS, dtype=np.float32) for frames in unseen.inputs])
    np.testing.assert_allclose(cnn.predict_proba(model, filtered), cnn.predict_proba(model, unseen.inputs), atol=1e-4)
