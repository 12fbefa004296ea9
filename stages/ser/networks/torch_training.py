"""What the PyTorch networks share: the training loop, epoch by epoch, and its checkpoints."""

import io
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.networks.batches import Examples, example_weights
from ser.networks.checkpoints import Checkpoint
from ser.networks.early_stopping import EarlyStopping, validation_scores
from ser.networks.learning_rate import scheduled_rate
from ser.networks.torch_backend import nn, torch
from ser.storage.seeds import derive_seed, generator
from ser.storage.shards import Ragged


def run_epochs(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    train_epoch: Callable[[int], dict[str, float]],
    predict_proba: Callable[[nn.Module, Ragged], np.ndarray],
    *,
    validation: Examples | None,
    epochs: int,
    patience: int | None,
    checkpoint: Checkpoint | None,
) -> tuple[pd.DataFrame, int | None]:
    """Train epoch after epoch until patience runs out or there were enough; leave the kept weights in the network.

    Parameters
    ----------
    network : nn.Module
        Its method ``learnt_weights`` returns by name what training changes.
    optimizer : torch.optim.Optimizer
    train_epoch : callable
        Trains the epoch of a number, counted from 1, and returns its ``loss`` and ``accuracy``; draws from generators
        that are seeded by that number, so that it does not matter what ran before it.
    predict_proba : callable
        Returns the probabilities that a network gives inputs.
    validation : Examples or None
        None: all epochs are trained, and the last weights are left.
    epochs : int
    patience : int or None
        See `EarlyStopping`.
    checkpoint : Checkpoint or None
        Where the state is kept now and then, and what a training that was interrupted goes on from.

    Returns
    -------
    history : pd.DataFrame
        See `ser.networks.early_stopping.Fitted`.
    best_epoch : int or None
        The kept one; None without validation.
    """
    stopping, history = EarlyStopping(patience), []
    _restore(checkpoint, network, optimizer, stopping, history)
    for epoch in range(len(history) + 1, epochs + 1):
        if stopping.is_over:
            break
        with torch.random.fork_rng():  # leaves the caller's random numbers as they were
            row = {"epoch": epoch} | train_epoch(epoch)
        if validation is not None:
            scores = validation_scores(predict_proba(network, validation.inputs), validation.labels)
            stopping.update(epoch, scores, lambda: _copy(network.learnt_weights()))
            row |= {f"validation_{name}": value for name, value in scores._asdict().items()}
        history.append(row)
        _keep(checkpoint, network, optimizer, stopping, history)
    _keep(checkpoint, network, optimizer, stopping, history, ended=True)
    if validation is not None:
        network.load_state_dict(stopping.best_weights, strict=False)
    return pd.DataFrame(history), stopping.best_epoch


def train_batches(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    labels: np.ndarray,
    targets: np.ndarray,
    batches: Iterable[np.ndarray],
    read_batch: Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[tuple[np.ndarray, ...], np.ndarray]],
    settings,
    seed: int,
    epoch: int,
    mixed_precision: bool = False,
) -> dict[str, float]:
    """Train one epoch on batches; return its ``loss`` and ``accuracy``.

    Parameters
    ----------
    network : nn.Module
    optimizer : torch.optim.Optimizer
        ``relative_rate`` of each of its groups is a multiple of the scheduled learning rate.
    labels : np.ndarray of int, shape (n,)
    targets : np.ndarray of float32, shape (n, classes)
        What is to be learnt of each example; see `ser.networks.batches.soft_targets`.
    batches : iterable of np.ndarray of int
        Positions of the examples of each batch.
    read_batch : callable
        Returns what the network takes of a batch, and what it is to learn of it, shape (batch, classes): is called with
        the positions, with the targets of these examples, and with a generator that perturbs or mixes them.
    settings : object
        balance, gradient_clip and what `scheduled_rate` takes.
    seed, epoch : int
    mixed_precision : bool
        Compute in bfloat16 where it is safe.

    Raises
    ------
    InputError
        If the loss is not finite.
    """
    torch.manual_seed(derive_seed(seed, "dropout", epoch))  # no state but the epoch's number
    rng, device, batches = generator(seed, "batches", epoch), next(network.parameters()).device, list(batches)
    weights = example_weights(labels, settings.balance)
    loss_sum, correct, count = 0.0, 0, sum(map(len, batches))
    learnt = [each for each in network.parameters() if each.requires_grad]
    network.train()
    for number, items in enumerate(batches):
        inputs, wanted = read_batch(items, targets[items], rng)
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed_precision):
            logits = network(*(torch.from_numpy(array).to(device) for array in inputs))
        losses = nn.functional.cross_entropy(logits.float(), torch.from_numpy(wanted).to(device), reduction="none")
        loss = (losses * torch.from_numpy(weights[items]).to(device)).mean()
        for group in optimizer.param_groups:
            group["lr"] = group["relative_rate"] * scheduled_rate(epoch - 1 + number / len(batches), settings)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learnt, settings.gradient_clip, foreach=True)
        optimizer.step()
        loss_sum += loss.item() * len(items)
        correct += (logits.argmax(dim=1).cpu().numpy() == labels[items]).sum().item()
    if not np.isfinite(loss_sum):
        raise InputError("the training loss is not finite; lower the learning_rate")
    return {"loss": loss_sum / count, "accuracy": correct / count}


def _copy(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in weights.items()}


def _device_name(network: nn.Module) -> str:
    device = next(network.parameters()).device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _keep(
    checkpoint: Checkpoint | None,
    network,
    optimizer,
    stopping: EarlyStopping,
    history: list[dict],
    *,
    ended: bool = False,
) -> None:
    if checkpoint is not None:
        checkpoint.write(lambda: _state(network, optimizer, stopping, history), ended=ended)


def _state(network, optimizer, stopping: EarlyStopping, history: list[dict]) -> bytes:
    state = {
        "device": _device_name(network),
        "network": network.learnt_weights(),
        "optimizer": optimizer.state_dict(),
        "stopping": stopping.state,
        "best_weights": stopping.best_weights,
        "history": history,
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _restore(checkpoint: Checkpoint | None, network, optimizer, stopping: EarlyStopping, history: list[dict]) -> None:
    """Put everything into the state that `_keep` kept, if it did."""
    content = checkpoint.read() if checkpoint else None
    if content is None:
        return
    state = torch.load(io.BytesIO(content), map_location=next(network.parameters()).device, weights_only=True)
    if state["device"] != _device_name(network):  # what another one went on with would be the bytes of neither
        return
    network.load_state_dict(state["network"], strict=False)
    optimizer.load_state_dict(state["optimizer"])
    stopping.restore(state["stopping"], state["best_weights"])
    history.extend(state["history"])
