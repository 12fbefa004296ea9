"""Convolutional, optionally recurrent network on log-mel spectra of any length, in Keras.

Clips are padded at their end to the length of their batch; the padding is masked out behind every block and of the
pooling over time, so that a clip's output depends on nothing but the clip. In training it is part of the statistics of
batch normalisation, which stands before the mask.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser.compute.bfloat16 import multiplies_bfloat16
from ser.errors import InputError
from ser.features.column_normalization import mean_subtracted
from ser.features.column_statistics import check_finite, frame_statistics
from ser.features.filter_banks import mel_frequencies
from ser.graphs.cnn_graph import cnn_model
from ser.graphs.graph_writer import write_model
from ser.networks.batch_perturbation import perturbed_batch, warped
from ser.networks.batches import (
    Examples,
    bucketed_batches,
    epoch_batches,
    epoch_examples,
    example_weights,
    padded,
    smoothed_targets,
)
from ser.networks.early_stopping import Fitted, check_epochs, validation_scores
from ser.networks.keras_backend import DEVICE, keras
from ser.networks.keras_layers import (
    AttentivePooling,
    BatchNormalization,
    BidirectionalGRU,
    MaskPadding,
    MeanMaxPooling,
)
from ser.networks.keras_saved import KerasModel, inference, keras_layers, load_model, save_model
from ser.storage.seeds import derive_seed
from ser.storage.shards import Ragged

if TYPE_CHECKING:
    from ser.networks.checkpoints import Checkpoint
    from ser.networks.keras_training import Batches
    from ser.networks.layer_graph import Layer

PREDICTION_BATCH = 32  # clips
LENGTH_MULTIPLE = 32  # frames; of whole pooled frames, and few different lengths


def build_network(
    bands: int,
    classes: int,
    filters: list[int],
    recurrent_units: int,
    pooling: str,
    dropout: float,
    subtract_mean: bool,
    downsampling: str = "pooling",
    precision: str = "float32",
) -> keras.Model:
    """Return convolution blocks, an optional recurrent layer, pooling over time and a softmax.

    Parameters
    ----------
    bands : int
        Of the spectra.
    classes : int
    filters : list of int
        Of each block. Every block halves the frequency and the first two also the time; the first halves both once
        more by its stride: at full resolution it alone would take most of the time.
    recurrent_units : int
        Of a bidirectional GRU in each direction; 0: none.
    pooling : {"attention", "mean_max"}
    dropout : float
        Share of the values set to zero before the recurrent and the dense layer while training.
    subtract_mean : bool
        Whether the network is given spectra less the mean of their clip; see `ser.features.column_normalization`.
    downsampling : {"stride", "pooling"}
        How the blocks after the first halve: by the stride of their convolution, or by keeping the largest of what a
        convolution of all places gives, which is up to four times as much to compute. Networks that were stored before
        there was a choice pool.
    precision : str
        Keras's dtype policy of the convolutions: ``float32``, or ``mixed_bfloat16`` to train faster on some CPUs.
    """
    layers = keras.layers
    inputs = keras.Input((None, bands), name="log_mel")
    present = keras.Input((None, 1), name="present")
    x = layers.Reshape((-1, bands, 1), name="channel")(inputs)
    step = 1
    for block, channels in enumerate(filters, start=1):
        halved = (2 if block <= 2 else 1, 2)  # time, frequency
        pools = block == 1 or downsampling == "pooling"
        stride = (2, 2) if block == 1 else (1, 1) if pools else halved
        x = layers.Conv2D(
            channels,
            kernel_size=5 if block == 1 else 3,
            strides=stride,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"block_{block}_convolution",
            dtype=precision,
        )(x)
        if pools:
            x = layers.MaxPooling2D(halved, padding="same", name=f"block_{block}_pooling", dtype=precision)(x)
        x = BatchNormalization(name=f"block_{block}_normalisation")(x)  # after pooling: less work
        x = layers.ReLU(name=f"block_{block}_relu")(x)
        step *= halved[0] * (2 if block == 1 else 1)
        x = MaskPadding(step, name=f"block_{block}_mask")([x, present])
    # Pooled over time only: where in the spectrum the energy lies is what tells voices apart.
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="bands_to_channels")(x)
    if recurrent_units:
        x = layers.Dropout(dropout, name="recurrent_dropout")(x)
        x = BidirectionalGRU(recurrent_units, step, name="recurrent")([x, present])
    pool = AttentivePooling if pooling == "attention" else MeanMaxPooling
    x = pool(step, name="pooling")([x, present])
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(classes, activation="softmax", name="softmax")(x)
    return keras.Model([inputs, present], outputs, name="cnn")


def fit(
    train: Examples,
    validation: Examples | None,
    classes: int,
    settings,
    seed: int,
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
    *,
    frame_rate: float,
    sample_rate: int,
) -> Fitted:
    """Train a convolutional network.

    Parameters
    ----------
    train, validation : Examples with inputs Ragged of arrays (frames, bands), float32
        Means and deviations are those of the training frames, with ``subtract_mean`` less the mean of their clip.
    classes : int
        Number of emotions.
    settings : object
        Section ``train_cnn`` of the parameters as attributes.
    seed : int
    epochs : int, optional
        Train exactly so many epochs; without `validation` only.
    checkpoint : Checkpoint, optional
        Where the state is kept now and then, and what a training that was interrupted goes on from.
    frame_rate : float
        Frames a second, Hz.
    sample_rate : int
        Of the audio, Hz: the bands reach to half of it.

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
    from ser.networks.keras_training import (  # here: who predicts needs no training loop
        initialized,
        train_network,
        training_of,
    )

    check_epochs(validation, epochs)
    train = train._replace(inputs=mean_subtracted(train.inputs, settings.subtract_mean))
    mean, deviation = frame_statistics(train.inputs)
    arguments = dict(
        bands=len(mean),
        classes=classes,
        filters=list(settings.filters),
        recurrent_units=settings.recurrent_units,
        pooling=settings.pooling,
        dropout=settings.dropout,
        subtract_mean=settings.subtract_mean,
        downsampling=settings.downsampling,
    )
    network = initialized(build_network, arguments, derive_seed(seed, "cnn"))
    bfloat16 = settings.mixed_precision and DEVICE == "cpu" and multiplies_bfloat16()
    precision = {"precision": "mixed_bfloat16" if bfloat16 else "float32"}
    training = training_of(network, build_network, arguments | precision, settings)
    model = KerasModel(network, mean, deviation, arguments, inference(network))

    def score():
        return validation_scores(predict_proba(model, validation.inputs), validation.labels)

    longest = max(1, round(settings.seconds * frame_rate))
    centres = mel_frequencies(len(mean) + 2, sample_rate / 2)[1:-1]
    batches = training_batches(model, train, settings, longest, centres)
    scored = score if validation is not None else None
    history, epoch = train_network(network, training, batches, scored, settings, seed, epochs, checkpoint)
    return Fitted(model, history, epoch)


def training_batches(model: KerasModel, train: Examples, settings, longest: int, centres: np.ndarray) -> Batches:
    """Return the batches of an epoch: clips of similar length, perturbed, at most `longest` frames of each."""
    from ser.networks.keras_training import Batches

    lengths = np.minimum(train.inputs.lengths, longest)
    targets = smoothed_targets(train, model.settings["classes"], settings.label_smoothing)

    def draw(rng: np.random.Generator) -> list[np.ndarray]:
        def one_pass() -> list[np.ndarray]:
            order = epoch_examples(train.labels, settings.balance, rng)
            return list(bucketed_batches(lengths, order, settings.batch_size, rng))

        return epoch_batches(one_pass)

    def read(items: np.ndarray, rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
        starts = rng.integers(0, train.inputs.lengths[items] - lengths[items] + 1)
        clips = [clip[start : start + longest] for clip, start in zip(train.inputs.read(items), starts, strict=True)]
        if settings.warp:
            clips = warped(clips, centres, settings.warp, rng)
        batch, frames, mixed = perturbed_batch(clips, targets[items], model.mean, settings, rng, LENGTH_MULTIPLE)
        batch -= model.mean
        batch /= model.deviation
        return [batch, presence(batch, frames)], mixed

    return Batches(draw, read, example_weights(train.labels, settings.balance))


def presence(batch: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return 1 where a padded batch, shape (batch, time, bands), has a clip: float32 of shape (batch, time, 1)."""
    return (np.arange(batch.shape[1]) < lengths[:, None])[:, :, None].astype(np.float32)


def predict_proba(model: KerasModel, inputs: Ragged) -> np.ndarray:
    """Return the probabilities of the classes, shape (n, classes), float32.

    Parameters
    ----------
    model : KerasModel
    inputs : Ragged of arrays (frames, bands), at least one frame each

    Raises
    ------
    InputError
        If a clip has no frames, another number of bands than the model was trained on or a value that is not finite.
    """
    bands = model.settings["bands"]
    fill = np.zeros(bands, dtype=np.float32)
    probabilities = np.empty((len(inputs), model.settings["classes"]), dtype=np.float32)
    by_length = np.argsort(inputs.lengths, kind="stable")
    for start in range(0, len(inputs), PREDICTION_BATCH):
        items = by_length[start : start + PREDICTION_BATCH]
        clips = []
        for item in items:
            frames = inputs[item]
            if frames.shape[0] == 0 or frames.shape[1] != bands:
                raise InputError(f"clip {item}: shape {frames.shape}, needs (at least 1, {bands})")
            check_finite(frames)
            clips.append(model.standardize(mean_subtracted([frames], model.settings["subtract_mean"])[0]))
        batch, lengths = padded(clips, fill, LENGTH_MULTIPLE)
        probabilities[items] = model.forward(batch, presence(batch, lengths)).numpy()
    return probabilities


def save(model: KerasModel, folder: Path) -> None:
    """Write the model to `folder`, see `save_model`, and besides it ``model.onnx``."""
    save_model(model, folder)
    weights = {layer.name: layer.get_weights() for layer in model.network.layers}
    write_model(
        cnn_model(model.settings, model.mean, model.deviation, weights, LENGTH_MULTIPLE), Path(folder) / "model.onnx"
    )


def load(folder: Path) -> KerasModel:
    """Read what `save` wrote; runs no code from `folder`."""
    return load_model(folder, build_network)


def network_layers(model: KerasModel) -> list[Layer]:
    """Return the layers in the order of their computation; see `Layer`."""
    return keras_layers(model.network)
