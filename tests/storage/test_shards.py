"""Ragged arrays on disk: what is appended is read back, item by item, without loading the rest."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.errors import InputError
from ser.storage.shards import Ragged, RaggedWriter, TableWriter, drop_items

STAGES = Path(__file__).parents[2] / "stages"


def arrays(lengths, columns=3, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((length, columns)).astype(np.float32) for length in lengths]


def write(folder, items, **options):
    with RaggedWriter(folder, **options) as writer:
        for item in items:
            writer.append(item)
    return Ragged.open(folder)


def assert_same(ragged, items):
    assert len(ragged) == len(items)
    for read, item in zip(ragged, items, strict=True):
        np.testing.assert_array_equal(read, item)
        assert read.dtype == item.dtype


@pytest.mark.parametrize("shard_bytes", [1, 100, 1000, 2**20])
def test_items_are_read_back_from_any_number_of_shards(tmp_path, shard_bytes):
    items = arrays([5, 1, 20, 3, 0, 8])
    ragged = write(tmp_path, items, shard_bytes=shard_bytes)
    assert_same(ragged, items)
    assert ragged.lengths.tolist() == [5, 1, 20, 3, 0, 8]


def test_shards_are_closed_at_their_size(tmp_path):
    write(tmp_path, arrays([10] * 10), shard_bytes=240)  # 120 bytes an item
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "index.npy",
        *(f"shard_{number:03d}.npy" for number in range(5)),
    ]


def test_flat_16_bit_samples_are_read_back(tmp_path):
    items = [np.arange(length, dtype=np.int16) for length in (4, 9, 1)]
    assert_same(write(tmp_path, items), items)


@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(st.lists(st.integers(0, 30), max_size=12), st.integers(1, 600))
def test_any_lengths_and_shard_sizes_are_read_back(tmp_path_factory, lengths, shard_bytes):
    items = arrays(lengths)
    assert_same(write(tmp_path_factory.mktemp("ragged"), items, shard_bytes=shard_bytes), items)


def test_nothing_written_is_read_as_empty(tmp_path):
    ragged = write(tmp_path, [])
    assert len(ragged) == 0
    assert list(ragged) == []
    assert ragged.lengths.tolist() == []


def test_items_without_rows_keep_their_columns(tmp_path):
    ragged = write(tmp_path, arrays([0, 0]))
    assert [item.shape for item in ragged] == [(0, 3), (0, 3)]


@pytest.mark.parametrize("item", [-1, 3, 100])
def test_position_outside_is_an_index_error(tmp_path, item):
    with pytest.raises(IndexError):
        write(tmp_path, arrays([1, 2, 3]))[item]


def test_shards_are_mapped_not_loaded(tmp_path):
    item = write(tmp_path, arrays([5, 5]))[1]
    assert isinstance(item, np.memmap)
    assert not item.flags.writeable


# --- selecting and joining


def test_select_takes_positions_in_their_order(tmp_path):
    items = arrays([5, 1, 20, 3])
    ragged = write(tmp_path, items, shard_bytes=100)
    assert_same(ragged.select(np.array([3, 0, 3])), [items[3], items[0], items[3]])
    assert_same(ragged.select(np.array([], dtype=int)), [])


def test_select_takes_a_mask(tmp_path):
    items = arrays([5, 1, 20, 3])
    mask = np.array([True, False, False, True])
    assert_same(write(tmp_path, items, shard_bytes=100).select(mask), [items[0], items[3]])


def test_selections_can_be_selected_again(tmp_path):
    items = arrays([5, 1, 20, 3])
    ragged = write(tmp_path, items, shard_bytes=100)
    assert_same(ragged.select(np.array([3, 1, 0])).select(np.array([2, 0])), [items[0], items[3]])


def test_several_items_are_read_in_the_order_asked_for(tmp_path):
    items = arrays([5, 1, 20, 3, 8])
    ragged = write(tmp_path, items, shard_bytes=100)
    wanted = np.array([4, 0, 2, 0, 3])
    read = ragged.read(wanted)
    assert len(read) == len(wanted)
    for array, item in zip(read, wanted, strict=True):
        np.testing.assert_array_equal(array, items[item])
    assert ragged.read(np.array([], dtype=int)) == []


def test_selecting_leaves_the_original_as_it_was(tmp_path):
    items = arrays([5, 1, 20])
    ragged = write(tmp_path, items)
    ragged.select(np.array([2]))
    assert_same(ragged, items)


def test_concatenate_gives_the_items_of_both(tmp_path):
    first, second = arrays([5, 1, 20], seed=1), arrays([2, 0, 7], seed=2)
    left = write(tmp_path / "a", first, shard_bytes=60)
    right = write(tmp_path / "b", second, shard_bytes=60)
    assert_same(left.concatenate(right), first + second)
    assert_same(right.concatenate(left), second + first)
    assert_same(
        left.select(np.array([2])).concatenate(right.select(np.array([2, 0]))), [first[2], second[2], second[0]]
    )


def test_concatenate_with_nothing_gives_the_same_items(tmp_path):
    items = arrays([5, 1])
    ragged, empty = write(tmp_path / "a", items), write(tmp_path / "b", [])
    assert_same(ragged.concatenate(empty), items)
    assert_same(empty.concatenate(ragged), items)


def test_arrays_in_memory_serve_as_shards():
    data = np.arange(12).reshape(6, 2)
    ragged = Ragged([data], np.array([[0, 0, 2], [0, 2, 4]]))
    assert_same(ragged, [data[:2], data[2:]])


# --- sending it to other processes


def test_pickle_holds_paths_and_not_the_data(tmp_path):
    items = arrays([10_000, 10_000])
    ragged = write(tmp_path, items)
    content = pickle.dumps(ragged)
    assert len(content) < 2000
    assert_same(pickle.loads(content), items)


def test_pickle_stays_small_after_reading(tmp_path):
    ragged = write(tmp_path, arrays([10_000, 10_000]))
    assert len(ragged[0]) == 10_000
    assert len(pickle.dumps(ragged)) < 2000


def test_pickle_does_not_grow_with_the_number_of_items(tmp_path):
    items = arrays([1] * 1000)
    content = pickle.dumps(write(tmp_path, items))
    assert len(content) < 2000
    assert_same(pickle.loads(content), items)


# --- dropping


def test_dropped_items_are_gone_and_the_others_keep_their_order(tmp_path):
    items = arrays([5, 1, 20, 3])
    write(tmp_path, items, shard_bytes=100)
    drop_items(tmp_path, np.array([2, 0]))
    assert_same(Ragged.open(tmp_path), [items[1], items[3]])


def test_dropping_nothing_changes_no_byte(tmp_path):
    write(tmp_path, arrays([5, 1]))
    before = (tmp_path / "index.npy").read_bytes()
    drop_items(tmp_path, np.array([], dtype=int))
    assert (tmp_path / "index.npy").read_bytes() == before


def test_all_items_can_be_dropped(tmp_path):
    write(tmp_path, arrays([5, 1]))
    drop_items(tmp_path, np.array([0, 1]))
    assert len(Ragged.open(tmp_path)) == 0


# --- files


def test_same_items_give_the_same_bytes(tmp_path):
    items = arrays([5, 1, 20, 3])
    for name in ("a", "b"):
        write(tmp_path / name, items, shard_bytes=100)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "b").iterdir())
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_writer_stopped_by_an_error_leaves_no_index_and_hides_no_error(tmp_path):
    with pytest.raises(RuntimeError, match="disk"), RaggedWriter(tmp_path, shard_bytes=1) as writer:
        writer.append(np.zeros(3))
        raise RuntimeError("disk")
    assert not (tmp_path / "index.npy").exists()


def test_killed_writer_leaves_no_index(tmp_path):
    program = (
        "import os, sys, numpy as np\n"
        "from ser.storage.shards import RaggedWriter\n"
        "with RaggedWriter(sys.argv[1], shard_bytes=1) as writer:\n"
        "    writer.append(np.zeros(3))\n"
        "    os._exit(9)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    assert subprocess.run(command, env={"PYTHONPATH": str(STAGES)}, check=False).returncode == 9
    assert (tmp_path / "shard_000.npy").exists()
    assert not (tmp_path / "index.npy").exists()
    with pytest.raises(FileNotFoundError):
        Ragged.open(tmp_path)


# --- one table, row by row


@pytest.mark.parametrize("rows", [[3], [0, 1, 2, 100], [0], [12_345, 1]])
@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_table_has_the_bytes_of_np_save(tmp_path, rows, dtype):
    items = [array.astype(dtype) for array in arrays(rows)]
    with TableWriter(tmp_path / "table.npy") as table:
        for item in items:
            table.append(item)
    np.save(tmp_path / "saved.npy", np.concatenate(items))
    assert (tmp_path / "table.npy").read_bytes() == (tmp_path / "saved.npy").read_bytes()


def test_table_of_columns_first_arrays_lies_row_by_row(tmp_path):
    items = [np.asfortranarray(item) for item in arrays([4, 5])]
    with TableWriter(tmp_path / "table.npy") as table:
        for item in items:
            table.append(item)
    read = np.load(tmp_path / "table.npy")
    assert read.flags.c_contiguous
    np.testing.assert_array_equal(read, np.concatenate(items))


def test_table_is_not_there_before_its_end_nor_after_an_error(tmp_path):
    path = tmp_path / "table.npy"
    with pytest.raises(RuntimeError, match="disk"), TableWriter(path) as table:
        table.append(np.zeros((2, 3)))
        assert not path.exists()
        raise RuntimeError("disk")
    assert not path.exists()


@pytest.mark.parametrize("other", [np.zeros((1, 4)), np.zeros((1, 3), dtype=np.float32), np.zeros(3)])
def test_table_refuses_rows_of_another_kind(tmp_path, other):
    with pytest.raises(ValueError, match="table.npy has rows of float64"), TableWriter(tmp_path / "table.npy") as table:
        table.append(np.zeros((1, 3)))
        table.append(other)


def test_a_reader_gets_the_old_items_or_a_refusal_while_they_are_written_anew(tmp_path):
    """It would read rows of the new shards where the old index says."""
    old, new = arrays([3, 4, 5]), arrays([4, 3, 5], seed=2)
    reader = write(tmp_path, old, shard_bytes=1)
    assert_same(reader.select(np.array([0])), old[:1])
    pickled = pickle.dumps(reader)
    write(tmp_path, new, shard_bytes=1)
    for read in (lambda: reader[1], lambda: reader.select(np.array([2]))[0], lambda: pickle.loads(pickled)):
        with pytest.raises(InputError, match="was written anew while it was read: run this again"):
            read()
    assert_same(Ragged.open(tmp_path), new)


def test_what_a_writer_replaces_is_gone_before_its_first_item(tmp_path):
    """Killed from here on, it leaves no index: else that of an earlier run would go with the new shards."""
    write(tmp_path, arrays([3, 4, 5]), shard_bytes=1)
    with RaggedWriter(tmp_path) as writer:
        assert list(tmp_path.iterdir()) == []
        writer.append(arrays([2])[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.npy", "shard_000.npy"]
