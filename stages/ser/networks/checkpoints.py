"""Checkpoints: a training that was killed goes on from its last epoch.

A checkpoint is found by a digest of all that its training depends on, so one of other data, settings or code is never
met. The folder is git-ignored and no output of a stage; the stage removes it when it ends well.
"""

import hashlib
import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ser.networks.batches import Examples
from ser.storage.shards import Ragged

CHECKPOINTS = Path("data/checkpoints")
LIBRARIES = ("numpy", "torch", "tensorflow", "keras", "scikit-learn", "imbalanced-learn", "transformers")


class Checkpoint:
    """The last state of one training on disk.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path):
        self.path = path

    def read(self) -> bytes | None:
        """Return what was written last, None if nothing was."""
        return self.path.read_bytes() if self.path.exists() else None

    def write(self, state: bytes) -> None:
        """Replace what was written before.

        The temporary name is this process's own: workers of a stage that was killed live on for a while and may write
        at the same time. Whichever state comes last is a whole one, of the same training.
        """
        temporary = self.path.with_name(f".tmp-{os.getpid()}-{self.path.name}")
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(state)
        temporary.replace(self.path)


def open_checkpoint(trainer: str, *identity: object, parts: list[Examples]) -> Checkpoint:
    """Return the checkpoint of one training.

    Parameters
    ----------
    trainer : str
        Names the folder.
    *identity : object
        What else the training depends on: model, settings, seed, number of epochs; told apart by how they print.
    parts : list of Examples
        What it learns from and is stopped by.
    """
    digest = hashlib.sha256(repr((identity, CODE)).encode())
    for examples in parts:
        for values in (examples.labels, *([examples.inputs] if isinstance(examples.inputs, np.ndarray) else [])):
            digest.update(np.ascontiguousarray(values).data)
        if isinstance(examples.inputs, Ragged):
            digest.update(np.ascontiguousarray(examples.inputs.lengths).data)
            for frames in examples.inputs:
                digest.update(np.ascontiguousarray(frames).data)
    return Checkpoint(CHECKPOINTS / trainer / digest.hexdigest()[:32])


def code_digest() -> str:
    """Return a digest of this library's code and of the versions of the libraries that networks are trained with."""
    digest = hashlib.sha256(" ".join(map(_version, LIBRARIES)).encode())
    for source in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:  # transformers is optional
        return "none"


# of the code that this process runs, whatever becomes of the files meanwhile
CODE = code_digest()


def remove_checkpoints(trainer: str) -> None:
    """Forget the checkpoints of a trainer: its stage has ended well."""
    shutil.rmtree(CHECKPOINTS / trainer, ignore_errors=True)
