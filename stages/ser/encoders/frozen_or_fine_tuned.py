"""Using a model on a pretrained encoder, frozen or fine-tuned, on samples; what it takes is all in its folder."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import nn

from ser.encoders import fine_tuned, frozen_head
from ser.encoders.speech_encoder import DEVICE, Encoder, encoder_of, layer_means, load_encoder
from ser.networks.several_seeds import mean_probabilities
from ser.storage.model_formats import seed_folders
from ser.storage.samples import to_float
from ser.storage.shards import Ragged


class FrozenTransformer(NamedTuple):
    """An encoder and the heads, one a seed, that were trained on its embeddings of samples at `sample_rate` Hz."""

    encoder: Encoder
    heads: list[frozen_head.FrozenHead]
    sample_rate: int


def load(folder: Path) -> FrozenTransformer | nn.Module:
    """Read a model that `encoder_head` or `fine_tuned` stored, and its encoder; runs no code from there."""
    description = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))["input"]
    if description["kind"] == "audio":
        return fine_tuned.load(folder)
    encoder = load_encoder(encoder_of(folder))
    encoder.network.to(DEVICE)
    heads = [frozen_head.load(place) for place in seed_folders(Path(folder)) or [Path(folder)]]
    return FrozenTransformer(encoder, heads, description["audio"]["sample_rate"])


def embed(model: FrozenTransformer, samples: Ragged) -> Ragged:
    """Return the embeddings of clips, Ragged of float32 arrays (1, layers * width), given int16 arrays (samples,)."""
    means = [layer_means(model.encoder, to_float(clip), model.sample_rate).reshape(1, -1) for clip in samples]
    return Ragged(means, np.array([(row, 0, 1) for row in range(len(means))], dtype=np.int64).reshape(-1, 3))


def predict_proba(model: FrozenTransformer | nn.Module, inputs: Ragged) -> np.ndarray:
    """Return the probabilities of the classes, shape (n, classes), float32.

    Parameters
    ----------
    model : what `load` returns
    inputs : Ragged
        Of a frozen encoder its embeddings, see `embed`, otherwise int16 arrays (samples,).
    """
    if isinstance(model, FrozenTransformer):
        return mean_probabilities(frozen_head.predict_proba, model.heads, inputs)
    return fine_tuned.predict_proba(model, inputs)
