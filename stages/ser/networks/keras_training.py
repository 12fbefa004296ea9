"""The training loop of the Keras models, epoch by epoch, and its checkpoints."""

import io
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.networks.checkpoints import Checkpoint
from ser.networks.early_stopping import EarlyStopping, ValidationScores
from ser.networks.keras_backend import DEVICE, keras, tf
from ser.networks.learning_rate import normalization_momentum, scheduled_rate
from ser.storage.seeds import generator

STACKED_BYTES = 2 * 2**20  # of the inputs of steps that are taken in one call
BETAS, EPSILON = (0.9, 0.999), 1e-7  # Keras's own, of Adam


class Batches(NamedTuple):
    """Where an epoch's batches come from.

    Attributes
    ----------
    draw : callable
        Returns the positions of the examples of each batch of an epoch, a list of arrays, drawn by a generator.
    read : callable
        Returns the inputs, a list of arrays, and the targets, shape (batch, classes), for the positions of a batch; may
        draw from the generator.
    weights : np.ndarray of float32, shape (n,)
        What each example counts in the loss.
    """

    draw: Callable[[np.random.Generator], list[np.ndarray]]
    read: Callable[[np.ndarray, np.random.Generator], tuple]
    weights: np.ndarray


class Training(NamedTuple):
    """A network that is trained, with the state of its optimizer, and the compiled function that takes steps.

    Attributes
    ----------
    network : keras.Model
    moments : list of tf.Variable
        Adam's, first and second, of each trained variable.
    taken : tf.Variable
        Number of steps taken.
    steps : callable
        Takes inputs, targets and weights of several batches of one size, each with a first axis of steps, and rate and
        momentum of each step; returns the sums of loss and correct answers over all examples.
    """

    network: keras.Model
    moments: list
    taken: tf.Variable
    steps: Callable

    @property
    def variables(self) -> list:
        """All that changes in training; the state of the dropout's random numbers is among it."""
        return [*self.network.variables, *self.moments, self.taken]


def initialized(build: Callable[..., keras.Model], arguments: dict, seed: int) -> keras.Model:
    """Build a network; its weights, and its dropout masks in training, are drawn by `seed`."""
    keras.backend.clear_session(free_memory=False)  # before the seed, which is part of the session
    keras.utils.set_random_seed(seed)
    return build(**arguments)


@lru_cache(maxsize=1)
def _compiled(build: Callable[..., keras.Model], arguments: str, weight_decay: float, gradient_clip: float) -> Training:
    """Build and compile a network for training, once for all fits that a process makes: it takes seconds.

    A step is traced once for clips of any length. What `keras.Model.train_on_batch` does took longer than the
    arithmetic of these small networks, and traced up to three times. XLA compiles for seconds and then runs no faster.

    Parameters
    ----------
    build : callable
    arguments : str
        JSON, of `build`.
    weight_decay, gradient_clip : float
        As of Keras's AdamW [1]_ and its ``global_clipnorm``.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """
    network = build(**json.loads(arguments))
    momentum = tf.Variable(0.0, trainable=False)  # one of TensorFlow's: a layer would save one of Keras's
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum
    learnt = [variable.value for variable in network.trainable_variables]
    moments = [(tf.Variable(tf.zeros_like(each)), tf.Variable(tf.zeros_like(each))) for each in learnt]
    taken = tf.Variable(0, dtype=tf.int64, trainable=False)

    def update(gradients: list, rate) -> None:
        """Take a step of AdamW; TensorFlow's kernel computes what Keras's optimizer puts together."""
        count = tf.cast(taken.assign_add(1), tf.float32)
        powers = [tf.pow(beta, count) for beta in BETAS]
        gradients, _ = tf.clip_by_global_norm(gradients, gradient_clip)
        for variable, gradient, (first, second) in zip(learnt, gradients, moments, strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate * weight_decay, delta=variable)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=first.handle, v=second.handle, beta1_power=powers[0], beta2_power=powers[1],
                lr=rate, beta1=BETAS[0], beta2=BETAS[1], epsilon=EPSILON, grad=gradient,
            )  # fmt: skip

    def step(inputs: list, targets, weights, rate, new_momentum) -> tuple:
        momentum.assign(new_momentum)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(learnt)
            probabilities = network(inputs if len(inputs) > 1 else inputs[0], training=True)
            losses = weights * keras.losses.categorical_crossentropy(targets, probabilities)
            loss = tf.reduce_mean(losses)
        update(tape.gradient(loss, learnt), rate)
        correct = tf.argmax(targets, axis=1) == tf.argmax(probabilities, axis=1)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(correct, tf.float32))

    of_a_batch = [(None, None, *tensor.shape[1:]) for tensor in network.inputs]
    of_an_example = [(None, None, network.output_shape[-1]), (None, None)]
    specification = [
        [tf.TensorSpec(shape) for shape in of_a_batch], *map(tf.TensorSpec, [*of_an_example, (None,), (None,)])
    ]  # fmt: skip

    @tf.function(input_signature=specification, autograph=False)
    def steps(inputs, targets, weights, rates, momenta):
        def take(number, loss, correct):
            of_step = (values[number] for values in (targets, weights, rates, momenta))
            more, right = step([values[number] for values in inputs], *of_step)
            return number + 1, loss + more, correct + right

        count = tf.shape(rates)[0]
        return tf.while_loop(lambda number, *_: number < count, take, (0, 0.0, 0.0), parallel_iterations=1)[1:]

    return Training(network, [moment for pair in moments for moment in pair], taken, steps)


def training_of(network: keras.Model, build: Callable[..., keras.Model], arguments: dict, settings) -> Training:
    """Return the training of a network from its present weights and random state on.

    `settings` has weight_decay and gradient_clip; the learning rate is given step by step.
    """
    training = _compiled(build, json.dumps(arguments, sort_keys=True), settings.weight_decay, settings.gradient_clip)
    for variable, value in zip(training.network.variables, network.variables, strict=True):
        variable.assign(value)
    for variable in (*training.moments, training.taken):
        variable.assign(tf.zeros_like(variable))
    return training


def train_network(
    network: keras.Model,
    training: Training,
    batches: Batches,
    score: Callable[[], ValidationScores] | None,
    settings,
    seed: int,
    epochs: int | None,
    checkpoint: Checkpoint | None,
) -> tuple[pd.DataFrame, int]:
    """Train, and leave a network with the weights of the epoch that is kept.

    Parameters
    ----------
    network : keras.Model
        Has the weights of an epoch when it is scored.
    training : Training
        Of `network`; see `training_of`.
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
    stopping, history, hand_over = EarlyStopping(settings.patience), [], _copying(training.network, network)
    _restore(checkpoint, training, stopping, history)
    for epoch in range(len(history) + 1, (epochs or settings.epochs) + 1):
        if stopping.is_over:
            break
        row = {"epoch": epoch} | _train_epoch(training, batches, settings, epoch, generator(seed, network.name, epoch))
        if score is not None:
            hand_over()
            scores = score()
            stopping.update(epoch, scores, network.get_weights)
            row |= {f"validation_{name}": value for name, value in scores._asdict().items()}
        history.append(row)
        _keep(checkpoint, training, stopping, history)
    _keep(checkpoint, training, stopping, history, ended=True)
    if score is None:
        hand_over()
    else:
        network.set_weights(stopping.best_weights)
    return pd.DataFrame(history), epochs or stopping.best_epoch


def _copying(source: keras.Model, target: keras.Model) -> Callable[[], None]:
    """Return a function that gives a network the weights of another; one call takes less than one for each of them."""

    @tf.function(autograph=False)
    def copy() -> None:
        for old, new in zip(target.weights, source.weights, strict=True):
            old.value.assign(new.value)

    return copy


def _train_epoch(
    training: Training, batches: Batches, settings, epoch: int, rng: np.random.Generator
) -> dict[str, float]:
    drawn = batches.draw(rng)
    loss, correct, number = 0.0, 0.0, 0
    for group in _stacked(batches, drawn, rng):
        done = (epoch - 1) * len(drawn) + number
        places = range(number, number + len(group))
        rates = [scheduled_rate(epoch - 1 + place / len(drawn), settings) for place in places]
        momenta = [normalization_momentum(done + place + 1) for place in range(len(group))]
        inputs, targets, weights = zip(*group, strict=True)
        inputs = [np.stack(arrays) for arrays in zip(*inputs, strict=True)]
        sums = training.steps(inputs, np.stack(targets), np.stack(weights), np.float32(rates), np.float32(momenta))
        loss, correct, number = loss + float(sums[0]), correct + float(sums[1]), number + len(group)
    if not np.isfinite(loss):
        raise InputError(f"{training.network.name}: the training loss is not finite; lower its learning_rate")
    examples = sum(map(len, drawn))
    return {"loss": loss / examples, "accuracy": correct / examples}


def _stacked(batches: Batches, drawn: list[np.ndarray], rng: np.random.Generator) -> Iterator[list[tuple]]:
    """Yield inputs, targets and weights of batches, of one shape after another as many as a call may take."""
    group: list[tuple] = []
    size = 0
    for items in drawn:
        inputs, targets = batches.read(items, rng)
        more = sum(array.nbytes for array in inputs)
        if group and (size + more > STACKED_BYTES or inputs[0].shape != group[0][0][0].shape):
            yield group
            group, size = [], 0
        group.append((inputs, targets, batches.weights[items]))
        size += more
    yield group


def _keep(
    checkpoint: Checkpoint | None, training: Training, stopping: EarlyStopping, history: list[dict], ended: bool = False
) -> None:
    if checkpoint is not None:
        checkpoint.write(lambda: _state(training, stopping, history), ended=ended)


def _state(training: Training, stopping: EarlyStopping, history: list[dict]) -> bytes:
    arrays = {f"variable_{number}": value.numpy() for number, value in enumerate(training.variables)}
    arrays |= {f"best_{number}": value for number, value in enumerate(stopping.best_weights or [])}
    about = json.dumps({"device": DEVICE, "stopping": stopping.state, "history": history})
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array(about), **arrays)
    return buffer.getvalue()


def _restore(checkpoint: Checkpoint | None, training: Training, stopping: EarlyStopping, history: list[dict]) -> None:
    """Put everything into the state that `_keep` kept, if it did."""
    content = checkpoint.read() if checkpoint else None
    if content is None:
        return
    with np.load(io.BytesIO(content), allow_pickle=False) as state:
        about = json.loads(str(state["about"]))
        if about["device"] != DEVICE:  # what another one went on with would be the bytes of neither
            return
        for number, variable in enumerate(training.variables):
            variable.assign(state[f"variable_{number}"])
        best = [state[f"best_{number}"] for number in range(sum(name.startswith("best_") for name in state.files))]
    stopping.restore(about["stopping"], best or None)
    history.extend(about["history"])
