"""Pretrained encoders as files: found in a folder or on the Hugging Face hub, and checked before they are loaded."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import NamedTuple

from ser.errors import InputError, install

ARCHITECTURES = {  # by what config.json calls them, the class of transformers
    "hubert": "HubertModel",
    "wav2vec2": "Wav2Vec2Model",
    "wavlm": "WavLMModel",
    "data2vec-audio": "Data2VecAudioModel",
}
CONFIG, EXTRACTOR = "config.json", "preprocessor_config.json"
SAFE = ("*.safetensors", "*.safetensors.index.json")
PICKLED = ("pytorch_model*.bin", "pytorch_model.bin.index.json")
HUB_NAME = re.compile(r"(?P<repository>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w./-]+))?", re.ASCII)
FETCH = "ser checkpoint"
INSTALL = install("transformers")

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # nothing calls home


class StoredEncoder(NamedTuple):
    """Where an encoder lies, and the digest of its files, which tells a training on it from one on others."""

    folder: Path
    digest: str


def find_checkpoint(source: str) -> Path:
    """Return the folder of a checkpoint, fetched from the hub if it is no folder here.

    Parameters
    ----------
    source : str
        A folder, or a name on the hub, such as ``microsoft/wavlm-base-plus``, with ``@revision`` for one of its
        versions. Whatever the hub has, only weights stored as safetensors are fetched.

    Raises
    ------
    InputError
        If it is neither, or no checkpoint that can be used; see `check_checkpoint`.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        folder = fetch_from_hub(source, (CONFIG, EXTRACTOR, *SAFE))
    check_checkpoint(folder, source)
    return folder


def fetch_from_hub(source: str, patterns: tuple[str, ...]) -> Path:
    """Return the folder, in the cache of `huggingface_hub`, with the files of a checkpoint; fetch what is not there.

    Raises
    ------
    InputError
        If `source` is no name on the hub, the hub does not have it, or cannot be reached.
    """
    name = HUB_NAME.fullmatch(source)
    if name is None:
        raise InputError(f"checkpoint {source}: no such folder, and no name on the Hugging Face hub")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, HTTPError
    except ModuleNotFoundError:
        raise InputError(f"checkpoint {source}: huggingface_hub is not installed: {INSTALL}") from None
    try:
        return Path(snapshot_download(name["repository"], revision=name["revision"], allow_patterns=list(patterns)))
    except (HFValidationError, HTTPError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"checkpoint {source}: no such folder here, and the Hugging Face hub does not give it ({reason}): correct "
            f"the name, or run `{FETCH} {source} FOLDER` on a machine with access and name that folder instead"
        ) from None


def check_checkpoint(folder: Path, source: str, *, pickled: bool = False) -> None:
    """Raise an `InputError` unless a folder has all files of a supported encoder.

    Parameters
    ----------
    folder : Path
    source : str
        What the message calls it.
    pickled : bool
        Whether weights may be a pickle instead of safetensors.
    """
    for name in (CONFIG, EXTRACTOR):
        if not (folder / name).is_file():
            raise InputError(f"checkpoint {source}: {folder} has no {name}: name a folder that `save_pretrained` wrote")
    architecture = architecture_of(folder)
    if architecture not in ARCHITECTURES:
        raise InputError(f"checkpoint {source} is of type {architecture}: allowed are {', '.join(ARCHITECTURES)}")
    if not any(folder.glob(PICKLED[0] if pickled else SAFE[0])):
        if pickled:
            raise InputError(f"checkpoint {source} has no weights for PyTorch")
        raise InputError(
            f"checkpoint {source} has no weights as safetensors; others are pickles, which can run code when they are "
            f"loaded: convert them with `{FETCH} {source} FOLDER` and name that folder instead"
        )


def checkpoint_digest(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of a checkpoint's files, as hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in (CONFIG, EXTRACTOR, *SAFE) for path in folder.glob(pattern)):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def architecture_of(folder: Path) -> str:
    """Return the type of a checkpoint as its ``config.json`` states it, such as ``hubert``; empty if it does not."""
    path = folder / CONFIG
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON ({error}): fetch the checkpoint again") from None
    return content.get("model_type", "") if isinstance(content, dict) else ""
