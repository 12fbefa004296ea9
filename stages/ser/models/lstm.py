"""Training, storing and using the LSTM, in PyTorch; the network itself is in `lstm_network`."""

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from ser.errors import InputError
from ser.examples import Examples, Fitted
from ser.files import write_json, written
from ser.models.early_stopping import EarlyStopping, check_epochs, validation_scores
from ser.models.lstm_network import LSTMNetwork
from ser.models.network_graph import Layer
from ser.models.standardization import check_finite, frame_statistics
from ser.seeds import derive_seed, generator
from ser.shards import Ragged

torch.set_num_threads(1)  # several threads add up in another order: other bytes
torch.use_deterministic_algorithms(True)
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # which on a GPU needs this before its first use

PREDICTION_BATCH = 64  # clips


def fit(
    train: Examples,
    validation: Examples | None,
    classes: int,
    settings,
    seed: int,
    epochs: int | None = None,
) -> Fitted:
    """Train an LSTM.

    Parameters
    ----------
    train, validation : Examples with inputs Ragged of arrays (frames, features), float32
        Means and deviations are those of the training frames.
    classes : int
        Number of emotions.
    settings : object
        Section ``train_lstm`` of the parameters as attributes.
    seed : int
    epochs : int, optional
        Train exactly so many epochs; without `validation` only.

    Returns
    -------
    Fitted
        With `validation`, the model of its best epoch; see `EarlyStopping`.

    Raises
    ------
    InputError
        If an input or the training loss is not finite.
    ValueError
        If neither or both of `validation` and `epochs` are given.
    """
    check_epochs(validation, epochs)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    stopping = EarlyStopping(settings.patience)
    history = []
    with torch.random.fork_rng():  # leaves the caller's random numbers as they were
        torch.manual_seed(derive_seed(seed, "lstm"))
        network = _build(train.inputs, classes, settings).to(device)
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        for epoch in range(1, (epochs or settings.epochs) + 1):
            row = {"epoch": epoch} | _train_epoch(network, optimizer, train, settings, generator(seed, "lstm", epoch))
            if validation is not None:
                scores = validation_scores(predict_proba(network, validation.inputs), validation.labels)
                stopping.update(epoch, scores, lambda: copy.deepcopy(network.state_dict()))
                row |= {f"validation_{name}": value for name, value in scores._asdict().items()}
            history.append(row)
            if stopping.is_over:
                break
    if validation is not None:
        network.load_state_dict(stopping.best_weights)
    return Fitted(network.eval().cpu(), pd.DataFrame(history), epochs or stopping.best_epoch)


def _build(clips: Ragged, classes: int, settings) -> LSTMNetwork:
    mean, deviation = frame_statistics(clips)
    network = LSTMNetwork(
        len(mean), classes, settings.layers, settings.hidden_size, settings.bidirectional, settings.dropout
    )
    network.mean.copy_(torch.from_numpy(mean))
    network.deviation.copy_(torch.from_numpy(deviation))
    return network


def _train_epoch(
    network: LSTMNetwork, optimizer: torch.optim.Optimizer, train: Examples, settings, rng: np.random.Generator
) -> dict[str, float]:
    device = network.mean.device
    network.train()
    loss_sum, correct = 0.0, 0
    for items in bucketed_batches(train.inputs.lengths, settings.batch_size, rng):
        labels = torch.from_numpy(train.labels[items].astype(np.int64)).to(device)
        logits = network(*_padded(train.inputs, items, device))
        loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_clip)
        optimizer.step()
        loss_sum += loss.item() * len(items)
        correct += (logits.argmax(dim=1) == labels).sum().item()
    if not np.isfinite(loss_sum):
        raise InputError("lstm: the training loss is not finite; lower its learning_rate")
    return {"loss": loss_sum / len(train.labels), "accuracy": correct / len(train.labels)}


def bucketed_batches(lengths: np.ndarray, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the positions of the clips of each batch: clips of similar length, in an order drawn by `rng`.

    Sorting within pools of 20 batches, not over all clips, lets the company of a clip change from epoch to epoch.
    """
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), 20 * batch_size):
        pool = order[start : start + 20 * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches.extend(pool[first : first + batch_size] for first in range(0, len(pool), batch_size))
    for batch in rng.permutation(len(batches)):
        yield batches[batch]


def _padded(clips: Ragged, items: np.ndarray, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Read a batch: frames, shape (time, batch, features), and their numbers, shape (batch,).

    Time is a multiple of 8: oneDNN compiles and keeps code for each length it meets (300 MB for a hundred lengths).
    """
    arrays = [clips[item] for item in items]
    lengths = np.array([len(array) for array in arrays])
    frames = np.zeros((-(-lengths.max() // 8) * 8, len(arrays), arrays[0].shape[1]), dtype=np.float32)
    for position, array in enumerate(arrays):
        frames[: len(array), position] = array
    return torch.from_numpy(frames).to(device), torch.from_numpy(lengths).to(device)


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
    model.eval()
    probabilities = np.empty((len(inputs), model.settings["classes"]), dtype=np.float32)
    by_length = np.argsort(inputs.lengths, kind="stable")
    with torch.no_grad():
        for start in range(0, len(inputs), PREDICTION_BATCH):
            items = by_length[start : start + PREDICTION_BATCH]
            logits = model(*_padded(inputs, items, model.mean.device))
            probabilities[items] = torch.softmax(logits, dim=1).cpu().numpy()
    return probabilities


def _check_inputs(model: LSTMNetwork, inputs: Ragged) -> None:
    features = model.settings["features"]
    for position, frames in enumerate(inputs):
        if frames.shape[0] == 0 or frames.shape[1] != features:
            raise InputError(f"clip {position}: shape {frames.shape}, needs (at least 1, {features})")
        check_finite(frames)


def save(model: LSTMNetwork, folder: Path) -> None:
    """Write ``settings.json`` and ``weights.pt`` (the state dictionary) to `folder`."""
    write_json(model.settings, Path(folder) / "settings.json")
    with written(Path(folder) / "weights.pt") as temporary, temporary.open("wb") as file:
        torch.save(model.state_dict(), file)  # to an open file: given a name, torch stores it in the archive


def load(folder: Path) -> LSTMNetwork:
    """Read what `save` wrote; runs no code from `folder`."""
    network = LSTMNetwork(**json.loads((Path(folder) / "settings.json").read_text()))
    network.load_state_dict(torch.load(Path(folder) / "weights.pt", map_location="cpu", weights_only=True))
    return network.eval()


def network_layers(model: LSTMNetwork) -> list[Layer]:
    """Return the layers in the order of their computation; see `Layer`."""
    settings = model.settings
    width = settings["hidden_size"] * (2 if settings["bidirectional"] else 1)
    layers = [
        Layer("frames", "input", f"frames × {settings['features']}", 0, ()),
        Layer("standardise", "standardisation", f"frames × {settings['features']}", 0, (0,)),
    ]
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
    layers.append(Layer("mean and maximum", "pooling over time", str(2 * width), 0, (last,)))
    layers.append(Layer("linear", "dense", str(settings["classes"]), _parameters(model.linear), (last + 1,)))
    layers.append(Layer("softmax", "softmax activation", str(settings["classes"]), 0, (last + 2,)))
    return layers


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
