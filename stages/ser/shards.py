"""Ragged arrays on disk: the rows of all clips one after another in a few ``.npy`` files, and where each begins."""

from pathlib import Path

import numpy as np

from ser.files import written

SHARD_BYTES = 128 * 2**20  # some ten files a corpus: DVC hashes few large files far faster than many small ones


class Ragged:
    """A sequence of arrays of unequal length, memory-mapped: reading one item reads no other.

    Parameters
    ----------
    shards : list of np.ndarray or Path
        Arrays, or ``.npy`` files that are mapped when an item of theirs is first read.
    index : np.ndarray of int64, shape (n, 3)
        Shard, first row and number of rows of each item.
    """

    def __init__(self, shards: list[np.ndarray | Path], index: np.ndarray):
        self._shards = list(shards)
        self._maps: dict[int, np.ndarray] = {}
        self.index = index

    @classmethod
    def open(cls, folder: Path | str) -> "Ragged":
        """Open what a `RaggedWriter` wrote to `folder`."""
        folder = Path(folder)
        return cls(sorted(folder.glob("shard_*.npy")), np.load(folder / "index.npy", mmap_mode="r"))

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, item: int) -> np.ndarray:
        if not 0 <= item < len(self):  # also what ends a for loop
            raise IndexError(item)
        shard, start, rows = self.index[item]
        if shard not in self._maps:
            source = self._shards[shard]
            self._maps[shard] = np.load(source, mmap_mode="r") if isinstance(source, Path) else source
        return self._maps[shard][start : start + rows]

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_maps": {}}  # a pickled map would be a copy of its file

    @property
    def lengths(self) -> np.ndarray:
        """Number of rows of each item, shape (n,)."""
        return np.asarray(self.index[:, 2])

    def select(self, items: np.ndarray) -> "Ragged":
        """Return the items of a list of positions or of a boolean mask, in that order, without reading them."""
        return Ragged(self._shards, np.asarray(self.index[items]))

    def concatenate(self, other: "Ragged") -> "Ragged":
        """Return the items of both, without reading them."""
        moved = np.asarray(other.index) + np.array([len(self._shards), 0, 0])
        return Ragged(self._shards + other._shards, np.concatenate([self.index, moved]))


class RaggedWriter:
    """Write arrays that share their dtype and all dimensions but the first, one after another.

    No more than one shard is held in memory. Use it as a context: the index is written when the block ends.

    Parameters
    ----------
    folder : Path
        Gets ``shard_000.npy``, ``shard_001.npy``, … and ``index.npy`` (see `Ragged`).
    shard_bytes : int
        A shard is closed by the array that takes it to this size.
    """

    def __init__(self, folder: Path | str, shard_bytes: int = SHARD_BYTES):
        self.folder = Path(folder)
        self.shard_bytes = shard_bytes
        self._index: list[tuple[int, int, int]] = []
        self._pending: list[np.ndarray] = []
        self._rows = self._bytes = self._shard = 0  # of the shard that is open

    def __enter__(self) -> "RaggedWriter":
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        if error_type is None:
            self._close_shard()
            _save(self.folder / "index.npy", np.array(self._index, dtype=np.int64).reshape(-1, 3))

    def append(self, array: np.ndarray) -> None:
        """Add the next item, of shape (rows, ...)."""
        self._index.append((self._shard, self._rows, len(array)))
        self._pending.append(array)
        self._rows += len(array)
        self._bytes += array.nbytes
        if self._bytes >= self.shard_bytes:
            self._close_shard()

    def _close_shard(self) -> None:
        if self._pending:
            _save(self.folder / f"shard_{self._shard:03d}.npy", np.concatenate(self._pending))
            self._pending = []
            self._rows = self._bytes = 0
            self._shard += 1


def drop_items(folder: Path | str, items: np.ndarray) -> None:
    """Forget items of what a `RaggedWriter` wrote; their rows stay in the shards, unread.

    Parameters
    ----------
    folder : Path
    items : np.ndarray of int
        Positions.
    """
    path = Path(folder) / "index.npy"
    _save(path, np.delete(np.load(path), items, axis=0))


def _save(path: Path, array: np.ndarray) -> None:
    with written(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
