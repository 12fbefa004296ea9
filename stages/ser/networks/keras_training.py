"""The training loop of the Keras models, epoch by epoch, and its checkpoints."""

import io
import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.networks.checkpoints import Checkpoint
from ser.networks.early_stopping import EarlyStopping, ValidationScores
from ser.networks.keras_backend import DEVICE, keras, tf
from ser.networks.learning_rate import scheduled_rate
from ser.storage.seeds import generator

LONGEST_MOMENTUM = 0.99  # Keras's own, of batch normalisation
AVERAGED_SHARE = 0.1  # of the steps so far; the last of them have nearly the weights that the network is left with


class Batches(NamedTuple):
    """Where an epoch's batches come from.

    Attributes
    ----------
    draw : callable
        Returns the positions of the examples of each batch of an epoch, a list of arrays, drawn by a generator.
    read : callable
        Returns inputs and targets, shape (batch, classes), for the positions of a batch; may draw from the generator.
    weights : np.ndarray of float32, shape (n,)
        What each example counts in the loss.
    """

    draw: Callable[[np.random.Generator], list[np.ndarray]]
    read: Callable[[np.ndarray, np.random.Generator], tuple]
    weights: np.ndarray


def compiled(build: Callable[..., keras.Model], arguments: dict, settings, seed: int) -> keras.Model:
    """Build a network for training, its initial weights and dropout masks drawn by `seed`.

    `settings` has weight_decay and gradient_clip; the learning rate is set batch by batch.
    """
    keras.backend.clear_session()  # before the seed, which is part of the session
    keras.utils.set_random_seed(seed)
    network = build(**arguments)
    # XLA compiles for seconds and then runs these small networks no faster.
    network.compile(
        optimizer=keras.optimizers.AdamW(weight_decay=settings.weight_decay, global_clipnorm=settings.gradient_clip),
        loss="categorical_crossentropy",
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],  # by its name, Keras would trace each step twice
        jit_compile=False,
    )
    network.optimizer.build(network.trainable_variables)
    momentum = tf.Variable(0.0, trainable=False)  # one of TensorFlow's: a layer would save one of Keras's
    for layer in normalizations(network):
        layer.momentum = momentum
    return network


def normalizations(network: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Return the layers of batch normalisation."""
    return [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]


def normalization_momentum(step: int) -> float:
    """Return by how much a step keeps the means and variances that batch normalisation predicts with.

    With a fixed momentum of 0.99 two thirds of them would still be those that a network begins with after 45 steps, as
    few as a small corpus gives: what predicts would be another network than the one that has learnt. So they are a mean
    over the last `AVERAGED_SHARE` of the steps ("polynomial-decay averaging" [1]_ with η = 9), however many there are
    and whenever training stops, until there are so many that 0.99 is reached.

    Parameters
    ----------
    step : int
        From 1; the first keeps nothing.

    References
    ----------
    .. [1] O. Shamir, T. Zhang, "Stochastic gradient descent for non-smooth optimization: convergence results and
       optimal averaging schemes", ICML 2013.
    """
    weight = 1 / AVERAGED_SHARE
    return min(LONGEST_MOMENTUM, 1 - weight / (step + weight - 1))


def train_network(
    network: keras.Model,
    batches: Batches,
    score: Callable[[], ValidationScores] | None,
    settings,
    seed: int,
    epochs: int | None,
    checkpoint: Checkpoint | None,
) -> tuple[pd.DataFrame, int]:
    """Train a network that `compiled` built, and leave it with the weights of the epoch that is kept.

    Parameters
    ----------
    network : keras.Model
    batches : Batches
    score : callable or None
        Returns the scores of the validation examples; None trains exactly `epochs` epochs.
    settings : object
        With epochs, patience and what `scheduled_rate` needs.
    seed : int
    epochs : int or None
    checkpoint : Checkpoint or None
        Where the state is kept now and then, and what a training that was interrupted goes on from.

    Returns
    -------
    history : pd.DataFrame
        As in `Fitted`.
    epoch : int
        The kept epoch, see `EarlyStopping`; `epochs` if that was given.
    """
    stopping, history = EarlyStopping(settings.patience), []
    _restore(checkpoint, network, stopping, history)
    for epoch in range(len(history) + 1, (epochs or settings.epochs) + 1):
        if stopping.is_over:
            break
        row = {"epoch": epoch} | _train_epoch(network, batches, settings, epoch, generator(seed, network.name, epoch))
        if score is not None:
            scores = score()
            stopping.update(epoch, scores, network.get_weights)
            row |= {f"validation_{name}": value for name, value in scores._asdict().items()}
        history.append(row)
        _keep(checkpoint, network, stopping, history)
    if score is not None:
        network.set_weights(stopping.best_weights)
    return pd.DataFrame(history), epochs or stopping.best_epoch


def _train_epoch(
    network: keras.Model, batches: Batches, settings, epoch: int, rng: np.random.Generator
) -> dict[str, float]:
    drawn = batches.draw(rng)
    sums = {"loss": 0.0, "accuracy": 0.0}
    momentum = [layer.momentum for layer in normalizations(network)][:1]  # all share one
    for number, items in enumerate(drawn):
        for shared in momentum:
            shared.assign(normalization_momentum((epoch - 1) * len(drawn) + number + 1))
        network.optimizer.learning_rate = scheduled_rate(epoch - 1 + number / len(drawn), settings)
        inputs, targets = batches.read(items, rng)
        scores = network.train_on_batch(inputs, targets, sample_weight=batches.weights[items], return_dict=True)
        sums = {name: sums[name] + float(scores[name]) * len(items) for name in sums}
    averages = {name: value / sum(map(len, drawn)) for name, value in sums.items()}
    if not np.isfinite(averages["loss"]):
        raise InputError(f"{network.name}: the training loss is not finite; lower its learning_rate")
    return averages


def _keep(checkpoint: Checkpoint | None, network: keras.Model, stopping: EarlyStopping, history: list[dict]) -> None:
    if checkpoint is not None:
        checkpoint.write(lambda: _state(network, stopping, history))


def _state(network: keras.Model, stopping: EarlyStopping, history: list[dict]) -> bytes:
    # those of the dropout's random numbers are among the network's variables
    arrays = {f"variable_{number}": value.numpy() for number, value in enumerate(_variables(network))}
    arrays |= {f"best_{number}": value for number, value in enumerate(stopping.best_weights or [])}
    about = json.dumps({"device": DEVICE, "stopping": stopping.state, "history": history})
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array(about), **arrays)
    return buffer.getvalue()


def _restore(checkpoint: Checkpoint | None, network: keras.Model, stopping: EarlyStopping, history: list[dict]) -> None:
    """Put everything into the state that `_keep` kept, if it did."""
    content = checkpoint.read() if checkpoint else None
    if content is None:
        return
    with np.load(io.BytesIO(content), allow_pickle=False) as state:
        about = json.loads(str(state["about"]))
        if about["device"] != DEVICE:  # what another one went on with would be the bytes of neither
            return
        for number, variable in enumerate(_variables(network)):
            variable.assign(state[f"variable_{number}"])
        best = [state[f"best_{number}"] for number in range(sum(name.startswith("best_") for name in state.files))]
    stopping.restore(about["stopping"], best or None)
    history.extend(about["history"])


def _variables(network: keras.Model) -> list:
    return network.variables + network.optimizer.variables
