"""What a pretrained encoder makes of each clip, computed once and kept.

The cache is no output of a stage and may be deleted at any time. An embedding is found again by the encoder's files,
the clip's samples, and the code and libraries that computed it: another head, split or seed computes none anew, another
corpus or augmentation only those of the clips that are new.
"""

import hashlib
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from ser.compute.parallel import parallel_map
from ser.encoders import speech_encoder as encoder_module
from ser.encoders.pretrained_files import checkpoint_digest
from ser.encoders.speech_encoder import DEVICE, Encoder, layer_means, load_encoder
from ser.settings.compute_section import Compute
from ser.storage import samples as samples_module
from ser.storage.kept_folders import kept_folder
from ser.storage.samples import to_float
from ser.storage.shards import Ragged
from ser.storage.whole_files import written

CACHE = Path(".cache/embeddings")


def embed_clips(audio: Ragged, sr: int, encoder: Path, *, compute: Compute, label: str) -> Ragged:
    """Return the embeddings of clips: the hidden states of all layers averaged over time, one after another.

    Parameters
    ----------
    audio : Ragged of int16 arrays (samples,)
    sr : int
        Hz.
    encoder : Path
        The folder of the encoder.
    compute : Compute
        See `parallel_map`. On a GPU one process does the work.
    label : str
        What the progress bar says.

    Returns
    -------
    Ragged of float32 arrays (1, layers * width)
        In the order of `audio`; each in a file of its own.
    """
    folder = kept_folder(CACHE, Path.cwd()) / encoder_key(encoder)
    work = partial(embed_clip, audio=audio, sr=sr, encoder=encoder, folder=folder)
    paths = list(parallel_map(work, range(len(audio)), compute=one_process_a_gpu(compute), label=label, chunk=8))
    index = np.stack([np.arange(len(paths)), np.zeros(len(paths)), np.ones(len(paths))], axis=1).astype(np.int64)
    return Ragged(paths, index)


def embed_clip(row: int, *, audio: Ragged, sr: int, encoder: Path, folder: Path) -> Path:
    """Return the file with the embedding of a clip, which is computed unless it is there."""
    samples = np.ascontiguousarray(audio[row])
    key = hashlib.sha256(f"{sr} {samples.dtype}\0".encode() + samples.tobytes()).hexdigest()
    path = folder / key[:2] / f"{key[2:32]}.npy"
    if not path.is_file():
        means = layer_means(open_encoder(encoder, folder.name), to_float(samples), sr)
        with written(path) as temporary, temporary.open("wb") as file:
            np.save(file, means.reshape(1, -1))
    return path


@lru_cache(maxsize=1)
def open_encoder(folder: Path, key: str) -> Encoder:
    """Return an encoder, on the GPU if there is one; loaded once a process. `key` tells versions of a folder apart."""
    encoder = load_encoder(folder)
    encoder.network.to(DEVICE)
    return encoder


def encoder_key(folder: Path) -> str:
    """Return what names the embeddings of an encoder: its files, and all that computes with them."""
    device = torch.cuda.get_device_name() if DEVICE == "cuda" else DEVICE
    code = [
        hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest() for module in (encoder_module, samples_module)
    ]
    libraries = version("transformers"), version("soxr"), torch.__version__
    parts = (checkpoint_digest(folder), *code, *libraries, device)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def one_process_a_gpu(compute: Compute) -> Compute:
    """Return where the work is done: by one process if there is a GPU, as several only compete for its memory."""
    return compute.model_copy(update={"workers": 1}) if DEVICE == "cuda" else compute
