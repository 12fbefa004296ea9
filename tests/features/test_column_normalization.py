"""Normalisation by speaker and by clip: without emotions, without reading what is not asked for."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser.errors import InputError
from ser.features.column_normalization import (
    NormalizedRagged,
    WithoutMean,
    mean_subtracted,
    normalize_by_speaker,
    speaker_statistics,
)
from ser.storage.csv_tables import write_csv
from ser.storage.shards import Ragged, RaggedWriter, TableWriter
from ser.storage.whole_files import write_json
from ser.training.dataset import examples, open_dataset
from ser.training.permutation_importance import exchange

EMOTIONS = ["anger", "neutral"]
KINDS = pytest.mark.parametrize("kind", ["functionals", "frames"])
COLUMNS = 3


def write_data(folder: Path, *, change_copies: float = 0.0) -> None:
    """Write five clips of each of four speakers, a copy of each, two folds, functionals and frames.

    Every speaker has a level and a spread of their own; the last column is constant for each.
    """
    rng = np.random.default_rng(5)
    rows = [(f"x/{s}-{n}", "x", f"x:{s}", EMOTIONS[n % 2]) for s in range(4) for n in range(5)]
    clips = pd.DataFrame(rows, columns=["clip", "corpus", "speaker", "emotion"]).assign(seconds=1.0)
    copies = clips.assign(parent=clips["clip"], clip=clips["clip"] + "#1", recipe="noise")
    parts = np.repeat(["test", "validation", "train", "train"], 5)
    folds = pd.DataFrame({"clip": clips["clip"], "fold_0": parts, "fold_1": np.roll(parts, 5)})
    number = np.arange(len(clips)) // 5
    write_csv(clips, folder / "data/prepared/clips.csv")
    np.save(folder / "data/prepared/recordings.npy", np.zeros((len(clips), 1), dtype=np.float32))
    write_json({"profile": ["level, dBFS"], "corpora": {}}, folder / "data/prepared/origin.json")
    write_csv(copies, folder / "data/augmented/clips.csv")
    write_csv(folds, folder / "data/folds.csv")
    for part, shift in (("prepared", 0.0), ("augmented", 1.0 + change_copies)):
        place = folder / "data/features" / part
        with (
            TableWriter(place / "functionals.npy") as functionals,
            RaggedWriter(place / "frames", shard_bytes=100) as frames,
        ):
            for speaker in number:
                for writer, length in ((functionals, 1), (frames, int(rng.integers(2, 9)))):
                    values = 100 * speaker + (1 + speaker) * rng.normal(size=(length, COLUMNS)) + shift
                    values[:, -1] = 7 * speaker
                    writer.append(values.astype(np.float32))
        for kind in ("functionals", "frames"):
            write_json({"kind": kind, "names": list("abc")}, place / f"{kind}.json")


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("normalization")
    write_data(folder)
    return folder


@pytest.fixture
def place(written, monkeypatch) -> Path:
    monkeypatch.chdir(written)
    return written


def arrays_of(inputs) -> list[np.ndarray]:
    """Return a two-dimensional array a clip, whatever the kind."""
    return [np.atleast_2d(inputs[row]) for row in range(len(inputs))]


def expected(original: list[np.ndarray], speakers: pd.Series, copies: list[np.ndarray]) -> list[np.ndarray]:
    """Return what normalising by speaker comes to, with pandas."""
    frames = pd.DataFrame(np.concatenate(original)).groupby(np.repeat(speakers.to_numpy(), list(map(len, original))))
    mean, deviation = frames.mean(), frames.std(ddof=0)
    deviation = deviation.where(deviation > 1e-6, 1.0)
    return [
        (array - mean.loc[speaker].to_numpy()) / deviation.loc[speaker].to_numpy()
        for array, speaker in zip([*original, *copies], [*speakers, *speakers], strict=True)
    ]


@KINDS
def test_every_speaker_is_normalised_by_their_own_originals(place, kind):
    plain, data = open_dataset(kind), open_dataset(kind, "speaker")
    found = [*arrays_of(data.inputs), *arrays_of(data.copy_inputs)]
    wanted = expected(arrays_of(plain.inputs), plain.clips["speaker"], arrays_of(plain.copy_inputs))
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


@KINDS
def test_each_speaker_comes_out_with_mean_0_and_deviation_1_and_constants_as_0(place, kind):
    data = open_dataset(kind, "speaker")
    for speaker in set(data.clips["speaker"]):
        rows = np.flatnonzero(data.clips["speaker"] == speaker)
        frames = np.concatenate([np.atleast_2d(data.inputs[row]) for row in rows])
        np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(frames.std(axis=0), [1, 1, 0], atol=1e-4)


@KINDS
def test_train_leaves_the_inputs_as_they_are(place, kind):
    data = open_dataset(kind)
    assert isinstance(data.inputs, Ragged if kind == "frames" else np.memmap)
    assert not isinstance(data.inputs, NormalizedRagged)


@KINDS
def test_neither_emotions_nor_copies_nor_folds_have_a_say(place, kind, tmp_path, monkeypatch):
    before = arrays_of(open_dataset(kind, "speaker").inputs)
    write_data(tmp_path, change_copies=50.0)
    clips = pd.read_csv(tmp_path / "data/prepared/clips.csv")
    write_csv(clips.assign(emotion=clips["emotion"].to_numpy()[::-1]), tmp_path / "data/prepared/clips.csv")
    folds = pd.read_csv(tmp_path / "data/folds.csv")
    write_csv(folds.assign(fold_0=np.roll(folds["fold_1"], 5)), tmp_path / "data/folds.csv")
    monkeypatch.chdir(tmp_path)
    for ours, theirs in zip(arrays_of(open_dataset(kind, "speaker").inputs), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@KINDS
def test_examples_of_a_part_are_the_normalised_clips_and_their_copies(place, kind):
    data = open_dataset(kind, "speaker")
    rows = (data.folds["fold_0"] == "train").to_numpy()
    train = examples(data, rows, with_copies=True)
    wanted = [inputs[row] for inputs in (data.inputs, data.copy_inputs) for row in np.flatnonzero(rows)]
    assert len(train.inputs) == len(train.labels) == 20
    for ours, theirs in zip(train.inputs, wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_sequences_are_read_one_at_a_time_and_survive_selection_and_pickling(place):
    data = open_dataset("frames", "speaker")
    both = data.inputs.select(np.array([7, 2, 11])).concatenate(data.copy_inputs.select(np.array([19, 0])))
    items = [data.inputs[7], data.inputs[2], data.inputs[11], data.copy_inputs[19], data.copy_inputs[0]]
    assert both.lengths.tolist() == [len(item) for item in items]
    assert both._mapped[1] is None  # nothing has been read
    content = pickle.dumps(both)
    assert len(content) < 3000 + 40 * 20 * len(str(place))  # paths and statistics, no frames
    for ours in (both, pickle.loads(content), both.select(np.ones(5, dtype=bool))):
        assert len(ours) == 5
        for read, item in zip(ours, items, strict=True):
            np.testing.assert_array_equal(read, item)


def test_statistics_of_different_origin_are_kept_apart(place):
    """Joined, each sequence is still normalised by what it came with."""
    inputs = open_dataset("frames").inputs
    first, second = np.repeat("a", 20), np.repeat(["a", "b"], 10)
    parts = [normalize_by_speaker(inputs, who, speaker_statistics(inputs, who)) for who in (first, second)]
    joined = parts[0].concatenate(parts[1])
    for row in range(20):
        np.testing.assert_array_equal(joined[row], parts[0][row])
        np.testing.assert_array_equal(joined[20 + row], parts[1][row])


def test_exchanged_sequences_are_normalised_ones(place):
    data = open_dataset("frames", "speaker")
    exchanged = exchange(data.inputs.select(np.array([0, 19])), np.array([1]), np.array([1, 0]))
    np.testing.assert_array_equal(exchanged[0][:, 0], data.inputs[0][:, 0])
    assert exchanged[0][0, 1] == data.inputs[19][0, 1]


def test_unknown_speakers_are_refused_with_the_remedy(tmp_path, monkeypatch):
    write_data(tmp_path)
    clips = pd.read_csv(tmp_path / "data/prepared/clips.csv")
    write_csv(clips.assign(speaker=clips["speaker"].where(clips.index != 3, "")), tmp_path / "data/prepared/clips.csv")
    monkeypatch.chdir(tmp_path)
    open_dataset("functionals")
    with pytest.raises(InputError, match=r"unknown for 1 \(first: x/0-3\): name the speakers, or use train.norm"):
        open_dataset("functionals", "speaker")


def test_a_value_that_is_no_number_is_named():
    with pytest.raises(InputError, match="column 1"):
        speaker_statistics(np.array([[0.0, np.nan]]), np.array(["a"]))


def test_without_copies_there_is_nothing_to_normalise(tmp_path, monkeypatch):
    write_data(tmp_path)
    place = tmp_path / "data/features/augmented"
    write_csv(pd.read_csv(tmp_path / "data/augmented/clips.csv").head(0), tmp_path / "data/augmented/clips.csv")
    np.save(place / "functionals.npy", np.empty((0, COLUMNS), dtype=np.float32))
    np.save(place / "frames/index.npy", np.empty((0, 3), dtype=np.int64))
    monkeypatch.chdir(tmp_path)
    for kind in ("functionals", "frames"):
        data = open_dataset(kind, "speaker")
        assert len(data.copy_inputs) == 0
        assert len(examples(data, np.ones(20, dtype=bool), with_copies=True).labels) == 20


@pytest.fixture
def clips() -> Ragged:
    rng = np.random.default_rng(1)
    lengths = np.array([4, 1, 9])
    rows = rng.normal(100, 3, (lengths.sum(), 5)).astype(np.float32)
    return Ragged([rows], np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1))


def test_clips_come_out_with_mean_0(clips):
    without = WithoutMean(clips)
    assert len(without) == len(clips) == len(list(without))
    assert without.lengths.tolist() == clips.lengths.tolist()
    for frames, original in zip(without, clips, strict=True):
        assert frames.dtype == np.float32
        np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(np.diff(frames, axis=0), np.diff(original, axis=0), atol=1e-4)


def test_they_stay_as_they_are_if_that_is_wanted(clips):
    assert mean_subtracted(clips, False) is clips
