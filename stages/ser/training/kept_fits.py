"""Finished fits, kept so that a stage whose settings changed for one model fits that model only.

A fit is found by a digest of all that it depends on: its own settings, data, code, libraries, kind of CPU. The folder
is git-ignored and no output of a stage, as DVC deletes those before a stage runs; it may be deleted at any time, and
then everything is fitted anew. What has not been used for longest goes when there is too much.
"""

import contextlib
import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from platform import python_version
from typing import NamedTuple

import pandas as pd

from ser.compute.cpu_kind import describe_graphics_cards, describe_machine
from ser.networks.checkpoints import CHECKPOINTS, CODE
from ser.networks.layer_graph import Layer
from ser.storage.kept_folders import kept_folder
from ser.storage.model_formats import remove_seed_folders
from ser.storage.whole_files import write_bytes

FITS = CHECKPOINTS / "fits"
MOST_BYTES = 2 * 2**30
LARGEST_BYTES = MOST_BYTES // 8  # of one fit: a fine-tuned encoder would drive out all others
ABANDONED = 3600  # s after which a file that was being written is a killed run's
TABLES = ("predictions", "history", "importance")
# what people set to have libraries compute in another way
VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)
MACHINE = describe_machine(), describe_graphics_cards(), python_version(), [os.environ.get(name) for name in VARIABLES]
# the code and the machine of this process: a worker may have been started elsewhere, or after an edit
HERE = hashlib.sha256(repr((CODE, MACHINE)).encode()).hexdigest()


class Outcome(NamedTuple):
    """What a fit leaves besides its model folder.

    Attributes
    ----------
    predictions, history, importance : pd.DataFrame
        Of a fold; without rows of a model for use.
    epochs : int or None
        The kept one; None of a model without epochs.
    seconds : float
        That the fit took.
    layers : list of Layer
        Of a network for use.
    """

    predictions: pd.DataFrame
    history: pd.DataFrame
    importance: pd.DataFrame
    epochs: int | None
    seconds: float
    layers: list[Layer]


def digest_of(*identity: object) -> str:
    """Return the name of what depends on some values, told apart by how they print, on this code and this machine."""
    return hashlib.sha256(repr((identity, HERE)).encode()).hexdigest()


def keep_fit(key: str, outcome: Outcome, folder: Path, names: list[str]) -> bool:
    """Keep what a fit left, and return whether that was possible.

    Parameters
    ----------
    key : str
        See `digest_of`.
    outcome : Outcome
    folder : Path
        Of the model.
    names : list of str
        Its files, in the order in which they are to be restored.
    """
    if sum((folder / name).stat().st_size for name in names) > LARGEST_BYTES:
        return False
    buffer = io.BytesIO()
    about = {"epochs": outcome.epochs, "seconds": outcome.seconds, "layers": outcome.layers}
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("about.json", json.dumps(about))
        for name in TABLES:
            archive.writestr(f"{name}.feather", _feather(getattr(outcome, name)))
        for name in names:
            archive.writestr(f"model/{name}", (folder / name).read_bytes())
    return _keep(key, buffer.getvalue())


def restore_fit(key: str, folder: Path) -> Outcome | None:
    """Write the model folder of a kept fit and return what else it left; None if it is not there or damaged."""
    content = _kept(key)
    if content is None:
        return None
    remove_seed_folders(folder)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.startswith("model/"):
                write_bytes(archive.read(name), folder / name.removeprefix("model/"))
        about = json.loads(archive.read("about.json"))
        tables = [pd.read_feather(io.BytesIO(archive.read(f"{name}.feather"))) for name in TABLES]
    layers = [Layer(*values, tuple(inputs)) for *values, inputs in about["layers"]]
    return Outcome(*tables, about["epochs"], about["seconds"], layers)


def kept_json(key: str, compute: Callable[[], dict], may_be_kept: Callable[[], bool]) -> dict:
    """Return what `compute` returned when it was first called for a key, a dictionary that JSON holds exactly.

    It is kept if `may_be_kept` says so after it was computed.
    """
    content = _kept(key)
    if content is None:
        content = json.dumps(compute()).encode()
        if may_be_kept():
            _keep(key, content)
    return json.loads(content)


def _feather(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_feather(buffer, compression="uncompressed")
    return buffer.getvalue()


def _place() -> Path:
    return kept_folder(FITS, Path.cwd())


def _keep(key: str, content: bytes) -> bool:
    """Write an entry, its digest first, as a whole file; then make room. Where that fails the run goes on without."""
    folder = _place()
    try:
        write_bytes(hashlib.sha256(content).digest() + content, folder / key)
        _make_room(folder)
    except OSError as error:
        print(f"  warning: a finished fit is not kept for later runs ({error})")
        return False
    return True


def _kept(key: str) -> bytes | None:
    path = _place() / key
    try:
        entry = path.read_bytes()
        os.utime(path)  # used last
    except OSError:  # not there, or removed by another stage a moment ago
        return None
    if hashlib.sha256(entry[32:]).digest() == entry[:32]:
        return entry[32:]
    path.unlink(missing_ok=True)
    return None


def _make_room(folder: Path) -> None:
    """Remove what was not used for longest until no more than `MOST_BYTES` are left."""
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another stage makes room, too
            status = path.stat()
            if not path.name.startswith(".tmp-"):
                found.append((status.st_mtime_ns, status.st_size, path))
            elif time.time() - status.st_mtime > ABANDONED:
                path.unlink()
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= MOST_BYTES:
            break
        path.unlink(missing_ok=True)
        total -= size
