"""Training, storing and using a head on the embeddings of a frozen encoder, in PyTorch."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser.encoders.head_layers import FrozenHead
from ser.encoders.pretrained_tensors import read_tensors, write_tensors
from ser.errors import InputError
from ser.features.column_statistics import check_finite, frame_statistics
from ser.networks.batch_perturbation import draw_mixture
from ser.networks.batches import Examples, epoch_examples, soft_targets
from ser.networks.early_stopping import Fitted, check_epochs
from ser.networks.torch_backend import torch
from ser.storage.seeds import derive_seed, generator
from ser.storage.shards import Ragged
from ser.storage.whole_files import write_json

if TYPE_CHECKING:
    from ser.networks.checkpoints import Checkpoint

PREDICTION_BATCH = 256  # clips


def fit(
    train: Examples,
    validation: Examples | None,
    classes: int,
    settings,
    layers: int,
    seed: int,
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Train a head. On the CPU: it is small, and its bytes do not depend on the device.

    Parameters
    ----------
    train, validation : Examples with inputs Ragged of arrays (1, layers * width), float32
        See `ser.encoders.embeddings.embed_clips`. Means and deviations are those of the training examples.
    classes : int
        Number of emotions.
    settings : object
        Section ``train_transformer.frozen`` of the parameters as attributes.
    layers : int
        Number of hidden states in an embedding.
    seed : int
    epochs : int, optional
        Train exactly so many epochs; without `validation` only.
    checkpoint : Checkpoint, optional
        Where the state is kept now and then, and what a training that was interrupted goes on from.

    Returns
    -------
    Fitted
        With `validation`, the model of the epoch that `ser.networks.early_stopping.EarlyStopping` keeps.

    Raises
    ------
    InputError
        If an embedding or the training loss is not finite.
    ValueError
        If neither or both of `validation` and `epochs` are given.
    """
    from ser.networks.torch_training import run_epochs  # here: who predicts needs no training loop

    check_epochs(validation, epochs)
    mean, deviation = frame_statistics(train.inputs)
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "weights"))
        network = FrozenHead(layers, len(mean) // layers, classes, settings.hidden_units, settings.dropout)
    network.mean.copy_(torch.from_numpy(mean))
    network.deviation.copy_(torch.from_numpy(deviation))
    groups = [{"params": network.parameters(), "relative_rate": 1.0}]
    optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    history, best_epoch = run_epochs(
        network,
        optimizer,
        partial(_train_epoch, network, optimizer, matrix(train.inputs), train.labels, settings, seed),
        predict_proba,
        validation=validation,
        epochs=epochs or settings.epochs,
        patience=settings.patience,
        checkpoint=checkpoint,
    )
    return Fitted(network.eval(), history, epochs or best_epoch)


def matrix(embeddings: Ragged) -> np.ndarray:
    """Read all embeddings, float32 of shape (n, layers * width)."""
    # copies: a view would keep its file open, and a system allows a process some hundred
    return np.concatenate([np.array(embedding) for embedding in embeddings])


def _train_epoch(
    network: FrozenHead,
    optimizer: torch.optim.Optimizer,
    embeddings: np.ndarray,
    labels: np.ndarray,
    settings,
    seed: int,
    epoch: int,
) -> dict[str, float]:
    from ser.networks.torch_training import train_batches

    order = epoch_examples(labels, settings.balance, generator(seed, "order", epoch))
    batches = [order[start : start + settings.batch_size] for start in range(0, len(order), settings.batch_size)]

    def read_batch(items: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> tuple:
        mixture = draw_mixture(len(items), settings.mixup, rng)
        return (mixture.mix(embeddings[items]),), mixture.mix(targets)

    targets = soft_targets(labels, network.settings["classes"], settings.label_smoothing)
    return train_batches(network, optimizer, labels, targets, batches, read_batch, settings, seed, epoch)


def predict_proba(model: FrozenHead, inputs: Ragged) -> np.ndarray:
    """Return the probabilities of the classes, shape (n, classes), float32.

    Parameters
    ----------
    model : FrozenHead
    inputs : Ragged of arrays (1, layers * width)

    Raises
    ------
    InputError
        If an embedding has another size than those the model was trained on, or a value that is not finite.
    """
    model.eval()
    parts = [np.empty((0, model.settings["classes"]), dtype=np.float32)]
    for start in range(0, len(inputs), PREDICTION_BATCH):
        embeddings = matrix(inputs.select(np.arange(start, min(start + PREDICTION_BATCH, len(inputs)))))
        if embeddings.shape[1] != len(model.mean):
            raise InputError(f"embeddings of {embeddings.shape[1]} values, the model needs {len(model.mean)}")
        check_finite(embeddings)
        with torch.no_grad():
            parts.append(torch.softmax(model(torch.from_numpy(embeddings)), dim=1).numpy())
    return np.concatenate(parts)


def save(model: FrozenHead, folder: Path) -> None:
    """Write ``settings.json`` and ``weights.safetensors`` to `folder`."""
    write_json(model.settings, Path(folder) / "settings.json")
    write_tensors(model.state_dict(), Path(folder) / "weights.safetensors")


def load(folder: Path) -> FrozenHead:
    """Read what `save` wrote; runs no code from `folder`."""
    network = FrozenHead(**json.loads((Path(folder) / "settings.json").read_text()))
    network.load_state_dict(read_tensors(Path(folder) / "weights.safetensors"))
    return network.eval()
