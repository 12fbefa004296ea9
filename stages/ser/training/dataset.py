"""What a trainer reads: the clips, their copies, the folds and one kind of input."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.features.column_normalization import NormalizedTable, normalize_by_speaker, speaker_statistics
from ser.networks.batches import Examples
from ser.storage.clip_tables import read_clips
from ser.storage.recorded_level import RecordedLevel
from ser.storage.shards import Ragged
from ser.training.copy_uses import by_use

DATA = Path("data")
LEVELS = frozenset(RecordedLevel._fields)


class Inputs(NamedTuple):
    """One kind of input of all clips and copies; see `Dataset`."""

    clips: np.ndarray | Ragged
    copies: np.ndarray | Ragged
    description: dict


class Dataset(NamedTuple):
    """Clips and copies with one kind of input; row i of an input belongs to row i of its table.

    Attributes
    ----------
    clips, copies : pd.DataFrame
        The tables of data/prepared and data/augmented, of this without the copies that are to answer by.
    folds : pd.DataFrame
        The part of each clip in each fold, in the order of `clips`.
    classes : list of str
        The emotions, sorted.
    inputs, copy_inputs : np.ndarray, shape (n, features), or Ragged of arrays (frames, features)
        Or one that is normalised by speaker when it is read.
    description : dict
        The settings of audio and features that the inputs came from, and the names of their columns.
    raw_inputs : np.ndarray or Ragged
        `inputs`, not normalised.
    recordings : np.ndarray of float32, shape (clips, numbers)
        What each recording sounded like as it came; see `ser.audio.recording_profile`.
    origin : dict
        ``profile`` (names of these numbers) and ``corpora`` (by name their ``licence``, and whether they are
        ``synthetic``).
    left_out : str
        A line on what extract measured and no model reads; empty if there is nothing.
    answer_copies : dict of str to an input
        By their recipe the inputs of the copies that an answer is the mean of, a row a clip; nothing learns from them.
    """

    clips: pd.DataFrame
    copies: pd.DataFrame
    folds: pd.DataFrame
    classes: list[str]
    inputs: np.ndarray | NormalizedTable | Ragged
    copy_inputs: np.ndarray | NormalizedTable | Ragged
    description: dict
    raw_inputs: np.ndarray | Ragged
    recordings: np.ndarray
    origin: dict
    left_out: str = ""
    answer_copies: Mapping[str, np.ndarray | NormalizedTable | Ragged] = MappingProxyType({})


@dataclass(frozen=True)
class Source:
    """A data set, as a worker is told of it.

    Attributes
    ----------
    digest : str
        Of all that is in it but the folds; see `data_digest`.
    kind, normalization
        See `open_dataset`.
    files : tuple
        See `file_stamps`.
    """

    digest: str
    kind: str | Inputs = field(compare=False)
    normalization: str
    files: tuple


@lru_cache(maxsize=1)
def dataset_of(source: Source) -> Dataset:
    """Return a data set, opened once a process; a worker may outlive a run: digest and files tell data sets apart."""
    return open_dataset(source.kind, source.normalization)


def data_digest(data: Dataset) -> str:
    """Return a digest of everything in a data set that is not normalised but who is in which part of a fold."""
    digest = hashlib.sha256(json.dumps([data.description, data.origin, [*data.answer_copies]]).encode())
    for table in (data.clips, data.copies):
        digest.update(table.to_csv(lineterminator="\n").encode())
    # of sequences the shards are those of the copies to learn from, too
    answering = [own.index if isinstance(own, Ragged) else own for own in data.answer_copies.values()]
    for values in (data.recordings, data.inputs, data.copy_inputs, *answering):
        for array in _arrays(values):
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _arrays(values: np.ndarray | Ragged) -> Iterator[np.ndarray]:
    if isinstance(values, Ragged):
        yield values.index
        yield from values.arrays()
    else:
        yield values


def file_stamps(kind: str | Inputs) -> tuple:
    """Return what tells that a file of `open_dataset` was written anew: path, size and time of each that is there."""
    names = ("prepared/clips.csv", "prepared/origin.json", "prepared/recordings.npy", "augmented/clips.csv")
    paths = [DATA / "folds.csv", *(DATA / name for name in names)]
    if isinstance(kind, str):
        paths += sorted(path for path in (DATA / "features").glob(f"*/{kind}*") if path.is_file())
        paths += sorted((DATA / "features").glob(f"*/{kind}/*.npy"))
    found = [(path, path.stat()) for path in paths if path.exists()]
    return tuple((str(path), status.st_size, status.st_mtime_ns) for path, status in found)


def open_dataset(kind: str | Inputs, normalization: str = "train") -> Dataset:
    """Open the data of one kind of input: ``functionals``, ``frames`` or ``logmel``, or of inputs that are open.

    Where every fold tests corpora that it has not learnt from, functionals come without the recorded level: it tells
    corpora and microphones apart, and nothing of it holds for the next ones.

    Parameters
    ----------
    kind : str or Inputs
    normalization : {"train", "speaker"}
        ``train`` leaves the inputs as they are: each model standardises by its training clips anyway. ``speaker``
        normalises those of every speaker by their own statistics before; see `ser.features.column_normalization`.

    Raises
    ------
    InputError
        If a file is missing, the tables do not belong together, or speakers are needed and not known.
    """
    clips = read_clips(DATA / "prepared" / "clips.csv")
    copies = read_clips(DATA / "augmented" / "clips.csv")
    try:
        folds = pd.read_csv(DATA / "folds.csv", dtype=str, keep_default_na=False)
        raw_inputs, copy_inputs, description = read_features(kind) if isinstance(kind, str) else kind
        recordings = np.load(DATA / "prepared" / "recordings.npy", mmap_mode="r")
        origin = json.loads((DATA / "prepared" / "origin.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} not found: run `dvc repro`") from None
    consistent = len(raw_inputs) == len(recordings) == len(clips) and len(copy_inputs) == len(copies)
    if not consistent or not folds["clip"].equals(clips["clip"].astype(folds["clip"].dtype)):
        raise InputError(
            "data/prepared, data/augmented, data/folds.csv and data/features are not of one run: run `dvc repro`"
        )
    left_out = ""
    if reads_level(description) and crosses_corpora(clips, folds):
        raw_inputs, copy_inputs, description = without_level(Inputs(raw_inputs, copy_inputs, description))
        left_out = "level is left out of the functionals: every fold tests corpora that it has not learnt from"
    copies, copy_inputs, answer_copies = by_use(copies, copy_inputs, clips)
    inputs = raw_inputs
    if normalization == "speaker":
        require_speakers(clips)
        speakers, statistics = clips["speaker"], speaker_statistics(inputs, clips["speaker"])
        inputs = normalize_by_speaker(inputs, speakers, statistics)
        copy_inputs = normalize_by_speaker(copy_inputs, copies["speaker"], statistics)
        answer_copies = {name: normalize_by_speaker(own, speakers, statistics) for name, own in answer_copies.items()}
    classes = sorted(clips["emotion"].unique())
    found = (inputs, copy_inputs, description, raw_inputs, recordings, origin, left_out, answer_copies)
    return Dataset(clips, copies, folds, classes, *found)


def require_speakers(clips: pd.DataFrame) -> None:
    """Raise an InputError unless every clip's speaker is known."""
    unknown = clips.loc[clips["speaker"] == "", "clip"]
    if len(unknown):
        raise InputError(
            f"train.normalization speaker needs the speaker of every clip, unknown for {len(unknown)} (first: "
            f"{unknown.iloc[0]}): name the speakers, or use train.normalization train"
        )


def read_features(kind: str) -> Inputs:
    """Open what extract wrote of a kind."""
    inputs, copy_inputs = (open_inputs(DATA / "features" / part, kind) for part in ("prepared", "augmented"))
    return Inputs(inputs, copy_inputs, json.loads((DATA / "features" / "prepared" / f"{kind}.json").read_text()))


def reads_level(description: dict) -> bool:
    """Whether the recorded level is among functionals that extract has described."""
    return description["kind"] == "functionals" and not LEVELS.isdisjoint(description["names"])


def crosses_corpora(clips: pd.DataFrame, folds: pd.DataFrame) -> bool:
    """Whether no fold learns from a corpus that it tests, as where ``split.scheme`` is cross_corpus."""
    corpora = clips["corpus"]
    return all(
        set(corpora[(folds[fold] == "test").to_numpy()]).isdisjoint(corpora[(folds[fold] == "train").to_numpy()])
        for fold in folds.columns[1:]
    )


def without_level(found: Inputs) -> Inputs:
    """Leave the recorded level out of functionals, and out of what is said of them.

    Raises
    ------
    InputError
        If there is nothing else.
    """
    clips, copies, description = found
    names = [name for name in description["names"] if name not in LEVELS]
    if not names:
        raise InputError(
            "extract.functionals.groups has nothing but level, which is no help where every fold tests corpora that it "
            "has not learnt from: add other groups"
        )
    extract = description["extract"]
    functionals = extract["functionals"]
    groups = [group for group in functionals["groups"] if group != "level"]
    extract = extract | {"functionals": functionals | {"groups": groups}}
    columns = slice(len(names))  # levels are the last: what is left of a table that is mapped stays mapped
    return Inputs(clips[:, columns], copies[:, columns], description | {"extract": extract, "names": names})


def open_inputs(folder: Path, kind: str) -> np.ndarray | Ragged:
    """Open what extract wrote of one part, memory-mapped."""
    return np.load(folder / "functionals.npy", mmap_mode="r") if kind == "functionals" else Ragged.open(folder / kind)


def fold_names(data: Dataset) -> list[str]:
    """Return ``fold_0``, ``fold_1``, …"""
    return list(data.folds.columns[1:])


def rows_of_part(data: Dataset, fold: str, part: str) -> np.ndarray:
    """Return which clips are of a part of a fold, a boolean mask."""
    return (data.folds[fold] == part).to_numpy()


def examples(data: Dataset, rows: np.ndarray, *, with_copies: bool) -> Examples:
    """Return clips with their labels and, where the model is to learn from them, with the copies made of them.

    A copy goes where its parent goes and nowhere else: copies of validation and test clips are in no part.

    Parameters
    ----------
    rows : np.ndarray of bool, shape (clips,)
    with_copies : bool
        True for a training part only.
    """
    clips = data.clips[rows]
    tables, inputs = [clips.assign(parent=clips["clip"])], take(data.inputs, rows)
    if with_copies and len(data.copies):
        copies = data.copies["parent"].isin(clips["clip"]).to_numpy()
        tables.append(data.copies[copies])
        more = take(data.copy_inputs, copies)
        inputs = inputs.concatenate(more) if isinstance(inputs, Ragged) else np.concatenate([inputs, more])
    table = pd.concat(tables)
    labels = pd.Categorical(table["emotion"], categories=data.classes).codes.astype(int)
    return Examples(inputs, labels, table["speaker"].to_numpy(dtype=str), table["parent"].to_numpy(dtype=str))


def take(inputs: np.ndarray | NormalizedTable | Ragged, rows: np.ndarray) -> np.ndarray | Ragged:
    """Return the rows of an input."""
    return inputs.select(rows) if isinstance(inputs, Ragged) else inputs[rows]
