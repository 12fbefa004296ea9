"""Ragged arrays on disk: the rows of all clips one after another in a few ``.npy`` files, and where each begins."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from ser.errors import InputError
from ser.storage.whole_files import temporary_name, written

Stamp = tuple[int, int, int]  # of a file: inode, bytes, time of its last change, ns
SHARD_BYTES = 128 * 2**20  # some ten files a corpus: DVC hashes few large files far faster than many small ones


class Ragged:
    """A sequence of arrays of unequal length, memory-mapped: reading one item reads no other.

    One file is mapped at a time, as what was read of a mapped file counts as memory of the process. Pickled, it is a
    few paths: whoever reads it must see the same files. Files that `open` has found and
    that were written anew since are refused (`InputError`): their rows are others than the index says.

    Parameters
    ----------
    shards : list of np.ndarray or Path
        Arrays, or ``.npy`` files.
    index : np.ndarray of int64, shape (n, 3)
        Shard, first row and number of rows of each item.
    """

    def __init__(self, shards: list[np.ndarray | Path], index: np.ndarray):
        self._shards = list(shards)
        self._mapped: tuple[int, np.ndarray | None] = (-1, None)  # position and content of the shard read last
        self._index_file: Path | None = None
        self._stamps: dict[Path, Stamp] = {}  # of the files when they were opened
        self.index = index

    @classmethod
    def open(cls, folder: Path | str) -> "Ragged":
        """Open what a `RaggedWriter` wrote to `folder`."""
        folder = Path(folder)
        path, shards = folder / "index.npy", sorted(folder.glob("shard_*.npy"))
        stamps = {each: _stamp(each) for each in (path, *shards)}  # a writer removes the index first, writes it last
        ragged = cls(shards, np.load(path, mmap_mode="r"))
        ragged._index_file, ragged._stamps = path, stamps
        ragged._require_same(path)
        return ragged

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, item: int) -> np.ndarray:
        if not 0 <= item < len(self):  # also what ends a for loop
            raise IndexError(item)
        shard, start, rows = self.index[item]
        mapped, array = self._mapped  # read and written as one: another thread may be between two lines
        if mapped != shard:
            array = self._load(shard)
            self._mapped = (shard, array)
        return array[start : start + rows]

    def read(self, items: np.ndarray) -> list[np.ndarray]:
        """Return several items, as for each of them ``self[item]``, and change from shard to shard as seldom as can be.

        Parameters
        ----------
        items : np.ndarray of int, shape (n,)
        """
        arrays: dict[int, np.ndarray] = {}
        for position in np.argsort(self.index[items, 0], kind="stable"):
            arrays[position] = self[items[position]]
        return [arrays[position] for position in range(len(items))]

    def __getstate__(self) -> dict:
        index = self.index if self._index_file is None else None
        return self.__dict__ | {"_mapped": (-1, None), "index": index}  # a pickled map would be a copy of its file

    def __setstate__(self, state: dict) -> None:
        self.__dict__ |= state
        if self._index_file is not None:
            self.index = np.load(self._index_file, mmap_mode="r")
            self._require_same(self._index_file)

    @property
    def lengths(self) -> np.ndarray:
        """Number of rows of each item, shape (n,)."""
        return np.asarray(self.index[:, 2])

    def arrays(self) -> Iterator[np.ndarray]:
        """Yield the arrays that hold the rows of all items, one of them mapped at a time."""
        for shard in range(len(self._shards)):
            yield self._load(shard)

    def _load(self, shard: int) -> np.ndarray:
        source = self._shards[shard]
        if not isinstance(source, Path):
            return source
        array = np.load(source, mmap_mode="r")
        self._require_same(source)
        return array

    def _require_same(self, path: Path) -> None:
        if path in self._stamps and _stamp(path) != self._stamps[path]:
            raise InputError(f"{path} was written anew while it was read: run this again")

    def select(self, items: np.ndarray) -> "Ragged":
        """Return the items of a list of positions or of a boolean mask, in that order, without reading them."""
        chosen = Ragged(self._shards, np.asarray(self.index[items]))
        chosen._stamps = self._stamps
        return chosen

    def concatenate(self, other: "Ragged") -> "Ragged":
        """Return the items of both, without reading them."""
        moved = np.asarray(other.index) + np.array([len(self._shards), 0, 0])
        both = Ragged(self._shards + other._shards, np.concatenate([self.index, moved]))
        both._stamps = self._stamps | other._stamps
        return both


class TableWriter:
    """Write what `np.save` would write of the concatenation of many arrays, holding one of them in memory.

    Use it as a context: the file is there when the block ends without an error. Without any array it is not made.

    Parameters
    ----------
    path : Path
        A ``.npy`` file.

    Attributes
    ----------
    rows, bytes : int
        What has been written.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.rows = self.bytes = 0
        self._file = None

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        if error_type is None:
            self.close()
        elif self._file is not None:
            if isinstance(error, OSError) and error.filename is None:
                error.filename = str(self.path)
            with suppress(OSError):  # what is left of it goes with it
                self._file.close()
            temporary_name(self.path).unlink(missing_ok=True)

    def append(self, array: np.ndarray) -> None:
        """Add an array of shape (rows, ...); all share their dtype and the other dimensions."""
        if self._file is None:
            self._dtype, self._columns = array.dtype, array.shape[1:]
            self._file = temporary_name(self.path).open("wb")
            self._write_header()
        if array.dtype != self._dtype or array.shape[1:] != self._columns:
            raise ValueError(
                f"{self.path.name} has rows of {self._dtype} {self._columns}, not {array.dtype} {array.shape[1:]}"
            )
        self._file.write(np.ascontiguousarray(array).data)
        self.rows += len(array)
        self.bytes += array.nbytes

    def close(self) -> None:
        """Complete the file."""
        if self._file is None:
            return
        with self._file:
            self._file.seek(0)
            self._write_header()
        temporary_name(self.path).replace(self.path)

    def _write_header(self) -> None:
        # NumPy pads a header for any number of rows: it is as long at the end as it was at the beginning
        shape = (self.rows, *self._columns)
        header = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, header)


class RaggedWriter:
    """Write arrays that share their dtype and all dimensions but the first, one after another.

    Use it as a context: what was there goes when the block begins, and the index is written when it ends, so that
    nobody takes a part of it, or an older index, for the whole.

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
        self._shard = 0
        self._table = self._shard_writer()

    def __enter__(self) -> "RaggedWriter":
        for old in [self.folder / "index.npy", *sorted(self.folder.glob("shard_*.npy"))]:  # of an earlier run
            old.unlink(missing_ok=True)
        return self

    def __exit__(self, error_type, error, traceback) -> None:
        self._table.__exit__(error_type, error, traceback)
        if error_type is None:
            _save(self.folder / "index.npy", np.array(self._index, dtype=np.int64).reshape(-1, 3))

    def append(self, array: np.ndarray) -> None:
        """Add the next item, of shape (rows, ...)."""
        self._index.append((self._shard, self._table.rows, len(array)))
        self._table.append(array)
        if self._table.bytes >= self.shard_bytes:
            self._table.close()
            self._shard += 1
            self._table = self._shard_writer()

    def _shard_writer(self) -> TableWriter:
        return TableWriter(self.folder / f"shard_{self._shard:03d}.npy")


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


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _save(path: Path, array: np.ndarray) -> None:
    with written(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
