"""Training, storing and using an encoder that is fine-tuned together with its head, in PyTorch."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser.encoders.head_layers import FineTunedEncoder
from ser.encoders.pretrained_files import StoredEncoder
from ser.encoders.pretrained_tensors import read_tensors, write_tensors
from ser.encoders.speech_encoder import DEVICE, encoder_of, input_values, load_encoder
from ser.networks.batch_perturbation import draw_mixture
from ser.networks.batches import Examples, bucketed_batches, epoch_examples, soft_targets
from ser.networks.early_stopping import Fitted, check_epochs
from ser.networks.torch_backend import torch
from ser.storage.samples import to_float
from ser.storage.seeds import derive_seed, generator
from ser.storage.shards import Ragged
from ser.storage.whole_files import write_json

if TYPE_CHECKING:
    from ser.networks.checkpoints import Checkpoint

MASK_FRAMES = 10  # that are masked in a row (Baevski et al. 2020)


def fit(
    train: Examples,
    validation: Examples | None,
    classes: int,
    settings,
    encoder: StoredEncoder,
    sample_rate: int,
    seed: int,
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Train all of an encoder but its convolutions, and a head on it; on a GPU if there is one.

    Parameters
    ----------
    train, validation : Examples with inputs Ragged of int16 arrays (samples,)
    classes : int
        Number of emotions.
    settings : object
        Section ``train_transformer.fine_tuned`` of the parameters as attributes.
    encoder : StoredEncoder
        The pretrained encoder.
    sample_rate : int
        Of the inputs, Hz.
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
        If the training loss is not finite.
    ValueError
        If neither or both of `validation` and `epochs` are given.
    """
    from ser.networks.torch_training import run_epochs  # here: who predicts needs no training loop

    check_epochs(validation, epochs)
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "weights"))
        network = FineTunedEncoder(
            load_encoder(encoder.folder),
            classes,
            settings.hidden_units,
            settings.dropout,
            settings.pooling,
            sample_rate,
        )
    network.to(DEVICE)
    optimizer = _optimizer(network, settings)
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


def _optimizer(network: FineTunedEncoder, settings) -> torch.optim.Optimizer:
    learnt = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    encoder = [parameter for name, parameter in learnt.items() if name.startswith("encoder.")]
    head = [parameter for name, parameter in learnt.items() if not name.startswith("encoder.")]
    faster = settings.head_learning_rate / settings.learning_rate
    groups = [{"params": encoder, "relative_rate": 1.0}, {"params": head, "relative_rate": faster}]
    return torch.optim.AdamW(groups, weight_decay=settings.weight_decay)


def _train_epoch(
    network: FineTunedEncoder,
    optimizer: torch.optim.Optimizer,
    train: Examples,
    settings,
    seed: int,
    epoch: int,
) -> dict[str, float]:
    from ser.networks.torch_training import train_batches

    rng = generator(seed, "order", epoch)
    order = epoch_examples(train.labels, settings.balance, rng)
    batches = bucketed_batches(train.inputs.lengths, order, settings.batch_size, rng)

    def read_batch(items: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> tuple:
        values = cropped_batch(network, train.inputs, items, settings.seconds, rng)
        masked = mask(len(items), frames_of(network, values.shape[1]), settings.masked, rng)
        mixture = draw_mixture(len(items), settings.mixup, rng)
        return (mixture.mix(values), masked), mixture.mix(targets)

    targets = soft_targets(train.labels, network.settings["classes"], settings.label_smoothing)
    return train_batches(network, optimizer, train.labels, targets, batches, read_batch, settings, seed, epoch)


def cropped_batch(
    network: FineTunedEncoder, clips: Ragged, items: np.ndarray, seconds: float, rng: np.random.Generator
) -> np.ndarray:
    """Read clips and cut them, at random places, to the length of the shortest and to at most `seconds`.

    There is no padding: many published checkpoints normalise over time and cannot be told what is padding. As
    the clips of a batch are of similar length, little is cut off.

    Returns
    -------
    np.ndarray of float32, shape (clips, samples)
        See `ser.encoders.speech_encoder.input_values`.
    """
    sr = network.settings["sample_rate"]
    arrays = [np.asarray(clips[item]) for item in items]
    length = min(min(map(len, arrays)), int(seconds * sr))
    starts = [int(rng.integers(len(array) - length + 1)) for array in arrays]
    cut = [to_float(array[start : start + length]) for array, start in zip(arrays, starts, strict=True)]
    return np.stack([input_values(network.extractor, samples, sr) for samples in cut])


def frames_of(network: FineTunedEncoder, samples: int) -> int:
    """Return how many frames the encoder's convolutions make of a number of samples."""
    config = network.encoder.config
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def mask(clips: int, frames: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Draw spans of frames that are masked, bool of shape (clips, frames); at most about a share of them."""
    masked = np.zeros((clips, frames), dtype=bool)
    span = min(MASK_FRAMES, frames)
    for row in masked:
        for _ in range(int(share * frames / span + rng.random())):
            start = rng.integers(frames - span + 1)
            row[start : start + span] = True
    return masked


def predict_proba(model: FineTunedEncoder, inputs: Ragged) -> np.ndarray:
    """Return the probabilities of the classes, shape (n, classes), float32; each clip goes through the network alone.

    Parameters
    ----------
    model : FineTunedEncoder
    inputs : Ragged of int16 arrays (samples,)
    """
    model.eval()
    probabilities = np.empty((len(inputs), model.settings["classes"]), dtype=np.float32)
    with torch.inference_mode():
        for row, samples in enumerate(inputs):
            values = input_values(model.extractor, to_float(samples), model.settings["sample_rate"])
            logits = model(torch.from_numpy(values)[np.newaxis].to(model.encoder.device))
            probabilities[row] = torch.softmax(logits[0], dim=0).cpu().numpy()
    return probabilities


def save(model: FineTunedEncoder, folder: Path) -> None:
    """Write ``settings.json`` and ``weights.safetensors`` to `folder`: what differs from the encoder beside them."""
    write_json(model.settings, Path(folder) / "settings.json")
    write_tensors(model.learnt_weights(), Path(folder) / "weights.safetensors")


def load(folder: Path) -> FineTunedEncoder:
    """Read what `save` wrote, and the encoder in `folder` or the one above; runs no code from there.

    Raises
    ------
    ValueError
        If the weights are not those of the encoder.
    """
    settings = json.loads((Path(folder) / "settings.json").read_text(encoding="utf-8"))
    network = FineTunedEncoder(load_encoder(encoder_of(folder)), **settings)
    weights = read_tensors(Path(folder) / "weights.safetensors")
    if weights.keys() != network.learnt_weights().keys():
        raise ValueError("weights.safetensors does not belong to the encoder")
    network.load_state_dict(weights, strict=False)
    return network.eval().to(DEVICE)
