"""Training, storing and using the LSTM, in PyTorch; the network itself is in `ser.networks.recurrent_layers`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser.compute.bfloat16 import multiplies_bfloat16
from ser.errors import InputError
from ser.features.column_normalization import mean_subtracted
from ser.features.column_statistics import check_finite, frame_statistics
from ser.graphs.graph_writer import write_model
from ser.graphs.lstm_graph import lstm_model
from ser.networks.batch_perturbation import perturbed_batch
from ser.networks.batches import (
    Examples,
    bucketed_batches,
    epoch_batches,
    epoch_examples,
    padded,
    smoothed_targets,
)
from ser.networks.early_stopping import Fitted, check_epochs
from ser.networks.recurrent_layers import LSTMNetwork
from ser.networks.torch_backend import nn, torch
from ser.storage.seeds import derive_seed, generator
from ser.storage.shards import Ragged
from ser.storage.whole_files import write_json, written

if TYPE_CHECKING:
    from ser.networks.checkpoints import Checkpoint
    from ser.networks.layer_graph import Layer

PREDICTION_BATCH = 64  # clips


def fit(
    train: Examples,
    validation: Examples | None,
    classes: int,
    settings,
    seed: int,
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Train an LSTM.

    Parameters
    ----------
    train, validation : Examples with inputs Ragged of arrays (frames, features), float32
        Means and deviations are those of the training frames, with ``subtract_mean`` less the mean of their clip.
    classes : int
        Number of emotions.
    settings : object
        Section ``train_lstm`` of the parameters as attributes.
    seed : int
    epochs : int, optional
        Train exactly so many epochs; without `validation` only.
    checkpoint : Checkpoint, optional
        Where the state is kept now and then, and what a training that was interrupted goes on from.

    Returns
    -------
    Fitted
        With `validation`, the model of the epoch that `EarlyStopping` keeps.

    Raises
    ------
    InputError
        If an input or the training loss is not finite.
    ValueError
        If neither or both of `validation` and `epochs` are given.
    """
    from ser.networks.torch_training import run_epochs  # here: who predicts needs no training loop

    check_epochs(validation, epochs)
    train = train._replace(inputs=mean_subtracted(train.inputs, settings.subtract_mean))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with torch.random.fork_rng():  # leaves the caller's random numbers as they were
        torch.manual_seed(derive_seed(seed, "lstm"))
        network = _build(train.inputs, classes, settings).to(device)
    groups = [{"params": network.parameters(), "relative_rate": 1.0}]
    optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay, fused=True)
    history, best_epoch = run_epochs(
        network,
        optimizer,
        partial(_train_epoch, network, optimizer, train, settings, seed),
        predict_proba,
        validation=validation,
        epochs=epochs or settings.epochs,
        patience=settings.patience,
        checkpoint=checkpoint,
    )
    return Fitted(network.eval().cpu(), history, epochs or best_epoch)


def _build(clips: Ragged, classes: int, settings) -> LSTMNetwork:
    mean, deviation = frame_statistics(clips)
    network = LSTMNetwork(
        len(mean),
        classes,
        settings.layers,
        settings.hidden_size,
        settings.bidirectional,
        settings.downsample,
        settings.pooling,
        settings.dropout,
        settings.subtract_mean,
        settings.stack,
    )
    network.mean.copy_(torch.from_numpy(mean))
    network.deviation.copy_(torch.from_numpy(deviation))
    return network


def _train_epoch(
    network: LSTMNetwork, optimizer: torch.optim.Optimizer, train: Examples, settings, seed: int, epoch: int
) -> dict[str, float]:
    from ser.networks.torch_training import train_batches

    rng, fill, multiple = generator(seed, "order", epoch), network.mean.cpu().numpy(), _length_multiple(network)

    def one_pass() -> list[np.ndarray]:
        order = epoch_examples(train.labels, settings.balance, rng)
        return list(bucketed_batches(train.inputs.lengths, order, settings.batch_size, rng))

    def read_batch(items: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> tuple:
        clips = train.inputs.read(items)
        frames, lengths, mixed = perturbed_batch(clips, targets, fill, settings, rng, multiple)
        return (time_first(frames), lengths), mixed

    targets = smoothed_targets(train, network.settings["classes"], settings.label_smoothing)
    batches = epoch_batches(one_pass)
    mixed_precision = settings.mixed_precision and (network.mean.device.type == "cuda" or multiplies_bfloat16())
    return train_batches(
        network, optimizer, train.labels, targets, batches, read_batch, settings, seed, epoch, mixed_precision
    )


def time_first(batch: np.ndarray) -> np.ndarray:
    """Return a batch, shape (batch, time, features), in the order the network takes: (time, batch, features)."""
    return batch.swapaxes(0, 1)


def _length_multiple(network: LSTMNetwork) -> int:
    """Return what the padded length is a multiple of, such that the LSTM layers see multiples of 8.

    oneDNN compiles and keeps code for each length it meets (300 MB for a hundred lengths).
    """
    return 8 * network.settings["downsample"] * network.settings["stack"]


def predict_proba(model: LSTMNetwork, inputs: Ragged) -> np.ndarray:
    """Return the probabilities of the classes, shape (n, classes), float32.

    Parameters
    ----------
    model : LSTMNetwork
    inputs : Ragged of arrays (frames, features), at least one frame each

    Raises
    ------
    InputError
        If a clip has no frames, another number of features than the model was trained on or a value that is not finite.
    """
    _check_inputs(model, inputs)
    inputs = mean_subtracted(inputs, model.settings["subtract_mean"])
    model.eval()
    probabilities = np.empty((len(inputs), model.settings["classes"]), dtype=np.float32)
    by_length, fill = np.argsort(inputs.lengths, kind="stable"), model.mean.cpu().numpy()
    with torch.no_grad():
        for start in range(0, len(inputs), PREDICTION_BATCH):
            items = by_length[start : start + PREDICTION_BATCH]
            frames, lengths = padded(inputs.read(items), fill, _length_multiple(model))
            arrays = (time_first(frames), lengths)
            logits = model(*(torch.from_numpy(array).to(model.mean.device) for array in arrays))
            probabilities[items] = torch.softmax(logits, dim=1).cpu().numpy()
    return probabilities


def _check_inputs(model: LSTMNetwork, inputs: Ragged) -> None:
    features = model.settings["features"]
    for position, frames in enumerate(inputs):
        if frames.shape[0] == 0 or frames.shape[1] != features:
            raise InputError(f"clip {position}: shape {frames.shape}, needs (at least 1, {features})")
        check_finite(frames)


def save(model: LSTMNetwork, folder: Path) -> None:
    """Write ``settings.json``, ``weights.pt`` (the state dictionary) and ``model.onnx`` to `folder`."""
    write_json(model.settings, Path(folder) / "settings.json")
    with written(Path(folder) / "weights.pt") as temporary, temporary.open("wb") as file:
        torch.save(model.state_dict(), file)  # to an open file: given a name, torch stores it in the archive
    weights = {name: values.cpu().numpy() for name, values in model.state_dict().items()}
    write_model(lstm_model(model.settings, weights), Path(folder) / "model.onnx")


def load(folder: Path) -> LSTMNetwork:
    """Read what `save` wrote; runs no code from `folder`."""
    network = LSTMNetwork(**json.loads((Path(folder) / "settings.json").read_text(encoding="utf-8")))
    network.load_state_dict(torch.load(Path(folder) / "weights.pt", map_location="cpu", weights_only=True))
    return network.eval()


def network_layers(model: LSTMNetwork) -> list[Layer]:
    """Return the layers in the order of their computation; see `Layer`."""
    from ser.networks.layer_graph import Layer  # which draws with matplotlib

    settings = model.settings
    width = settings["hidden_size"] * (2 if settings["bidirectional"] else 1)
    features = f"frames × {settings['features']}"
    layers = [Layer("frames", "input", features, 0, ()), Layer("standardise", "standardisation", features, 0, (0,))]
    if settings["downsample"] > 1:
        layers.append(Layer(f"every {settings['downsample']} frames", "average pooling", features, 0, (1,)))
    if settings["stack"] > 1:
        joined = f"frames × {settings['stack'] * settings['features']}"
        layers.append(Layer(f"each {settings['stack']} of them", "concatenation", joined, 0, (len(layers) - 1,)))
    for number in range(settings["layers"]):
        source = len(layers) - 1
        hidden = f"frames × {settings['hidden_size']}"
        layers.append(Layer(f"forward {number + 1}", "LSTM", hidden, _parameters(model.ahead[number]), (source,)))
        if settings["bidirectional"]:
            layers.append(Layer(f"backward {number + 1}", "LSTM", hidden, _parameters(model.back[number]), (source,)))
            layers.append(
                Layer(f"join {number + 1}", "concatenation", f"frames × {width}", 0, (source + 1, source + 2))
            )
        layers.append(Layer(f"dropout {number + 1}", "dropout", f"frames × {width}", 0, (len(layers) - 1,)))
    last = len(layers) - 1
    pooling = "attention" if settings["pooling"] == "attention" else "mean and maximum"
    layers.append(Layer(pooling, "pooling over time", str(2 * width), _parameters(model.pooling), (last,)))
    layers.append(Layer("pooled dropout", "dropout", str(2 * width), 0, (last + 1,)))
    layers.append(Layer("linear", "dense", str(settings["classes"]), _parameters(model.linear), (last + 2,)))
    layers.append(Layer("softmax", "softmax activation", str(settings["classes"]), 0, (last + 3,)))
    return layers


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
