"""Checkpoints: a training that was killed goes on from where it was half a minute before.

A checkpoint is found by a digest of all that its training depends on, so one of other data, settings or code is never
met. The folder is git-ignored and no output of a stage; the stage removes it when it ends well.
"""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CHECKPOINTS = Path("data/checkpoints")
SECONDS = 30.0  # of work that a killed training repeats at most, and then its epoch

# what the bytes of a fit depend on besides this code: whatever trains, stores and uses models
LIBRARIES = (
    "h5py",
    "imbalanced-learn",
    "keras",
    "lightgbm",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "safetensors",
    "scikit-learn",
    "scipy",
    "skl2onnx",
    "tensorflow",
    "torch",
    "transformers",
)
# all that a trainer imports (a test compares): an edit of the others makes no training another one
ROOMS = (
    "adaptation",
    "compute",
    "encoders",
    "features",
    "folds",
    "graphs",
    "models",
    "networks",
    "probabilities",
    "settings",
    "storage",
    "training",
)


class Checkpoint:
    """The last state of one training on disk.

    Parameters
    ----------
    path : Path
    interval : float
        Seconds from one state that is written to the next, and from the beginning to the first; 0: every one.
    keeps_end : bool
        Whether the last state of a training that has ended is written in any case: where others follow in the same fit.
    """

    def __init__(self, path: Path, interval: float = SECONDS, *, keeps_end: bool = False):
        self.path = path
        self.interval = interval
        self.keeps_end = keeps_end
        self._written = time.monotonic()

    def of_network(self, number: int) -> "Checkpoint":
        """Return the checkpoint of one of the networks of a fit that trains several, one after another."""
        return Checkpoint(self.path.with_name(f"{self.path.name}-{number}"), self.interval, keeps_end=True)

    def remove(self) -> None:
        """Forget the training and those of its networks: what came of it is kept elsewhere."""
        for path in [self.path, *self.path.parent.glob(f"{self.path.name}-*")]:
            path.unlink(missing_ok=True)

    def read(self) -> bytes | None:
        """Return what was written last, None if nothing was."""
        return self.path.read_bytes() if self.path.exists() else None

    def write(self, state: Callable[[], bytes], *, ended: bool = False) -> None:
        """Replace what was written before, where that is long ago; `state` is called only then.

        Also where the training has `ended` and `keeps_end` asks for that.

        The temporary name is this process's own: workers of a stage that was killed live on for a while and may write
        at the same time. Whichever state comes last is a whole one, of the same training. Where the disk takes no more
        the training goes on without.
        """
        if time.monotonic() - self._written < self.interval and not (ended and self.keeps_end):
            return
        temporary = self.path.with_name(f".tmp-{os.getpid()}-{self.path.name}")
        content = state()
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            temporary.replace(self.path)
        except OSError as error:
            print(f"  warning: what a training has learnt so far is not kept ({error})")
            with contextlib.suppress(OSError):
                temporary.unlink()
        self._written = time.monotonic()


def open_checkpoint(stage: str, key: str) -> Checkpoint:
    """Return the checkpoint of one training.

    Parameters
    ----------
    stage : str
        Names the folder.
    key : str
        A digest of all that the training depends on.
    """
    return Checkpoint(CHECKPOINTS / stage / key)


def code_digest() -> str:
    """Return a digest of the code that trainers import and of the versions of the libraries that they use."""
    digest = hashlib.sha256(" ".join(map(_version, LIBRARIES)).encode())
    library = Path(__file__).parents[1]
    for source in [library / "errors.py", *sorted(path for room in ROOMS for path in (library / room).rglob("*.py"))]:
        digest.update(source.relative_to(library).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:  # transformers is optional
        return "none"


# of the code that this process runs, whatever becomes of the files meanwhile
CODE = code_digest()


def remove_checkpoints(stage: str) -> None:
    """Forget the checkpoints of a stage: it has ended well."""
    shutil.rmtree(CHECKPOINTS / stage, ignore_errors=True)
