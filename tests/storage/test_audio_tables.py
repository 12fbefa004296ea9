"""Single files out of tables of many, in any order, and how much memory that takes."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ser.storage import audio_tables
from ser.storage.audio_tables import AudioTable, source_of, table_and_row
from ser.storage.delimited_tables import BrokenTableError

ROWS, SIZE = 300, 100_000
MIB = 2**20
STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def clip(row: int) -> bytes:
    return np.random.default_rng(row).bytes(SIZE)  # that no compression makes small


@pytest.fixture(scope="module")
def table():
    audio = pa.array([{"bytes": clip(row), "path": f"{row}.wav"} for row in range(ROWS)], STRUCT)
    return pa.table({"audio": audio, "label": [str(row % 3) for row in range(ROWS)]})


@pytest.fixture(scope="module", params=["groups.parquet", "one.parquet", "stream.arrow", "file.arrow"])
def path(request, table, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / request.param
    if request.param.endswith(".parquet"):
        pq.write_table(table, path, row_group_size=ROWS if request.param.startswith("one") else 50)
        return path
    write = pa.ipc.new_stream if request.param.startswith("stream") else pa.ipc.new_file
    with write(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=50)
    return path


def most_held(action) -> int:
    """Return how many bytes Arrow holds at most while something is done, beyond those before."""
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before, usual = pa.total_allocated_bytes(), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        action()
        return pool.max_memory()
    finally:
        pa.set_memory_pool(usual)
        assert pa.total_allocated_bytes() <= before + 400 * MIB


def test_listing_does_not_read_the_files(path):
    def listed():
        with path.open("rb") as file:
            table = AudioTable(file, path.name)
            names = [name for part in table.table.columns(["audio.path", "label"]) for name in part["audio.path"]]
            assert [str(name) for name in names] == [f"{row}.wav" for row in range(ROWS)]
            assert list(table.have_bytes()) == [True] * ROWS

    assert most_held(listed) < 2 * MIB < ROWS * SIZE / 10


@pytest.mark.parametrize("order", ["ascending", "of their texts", "any"])
def test_reading_in_any_order(path, order, monkeypatch):
    monkeypatch.setattr(audio_tables, "CACHED", 8 * MIB)
    monkeypatch.setattr(audio_tables, "PART", 2 * MIB)
    rows = list(range(ROWS))
    if order == "of their texts":  # 1, 10, 100, 101, …
        rows.sort(key=str)
    elif order == "any":
        rows = np.random.default_rng(0).permutation(ROWS)[:40].tolist()

    def read():
        with path.open("rb") as file:
            table = AudioTable(file, path.name)
            for row in rows:
                assert table.read(row) == clip(row)

    # Parquet that pyarrow writes has pages of up to 1024 values, each of which is read as a whole
    page = ROWS * SIZE if path.name.startswith("one") else 50 * SIZE
    assert most_held(read) < page + 8 * MIB + 3 * 2 * MIB


def test_rows_that_hold_no_file():
    audio = pa.array(
        [{"bytes": b"a", "path": "a"}, {"bytes": None, "path": "b"}, None, {"bytes": b"", "path": ""}], STRUCT
    )
    for name in ("t.parquet", "t.arrow"):
        written = io.BytesIO()
        if name == "t.parquet":
            pq.write_table(pa.table({"audio": audio}), written)
        else:
            with pa.ipc.new_stream(written, pa.schema([("audio", STRUCT)])) as writer:
                writer.write_table(pa.table({"audio": audio}))
        table = AudioTable(io.BytesIO(written.getvalue()), name)
        assert list(table.have_bytes()) == [True, False, False, True]
        assert (table.read(0), table.read(3)) == (b"a", b"")
        for row in (1, 2):
            with pytest.raises(BrokenTableError, match=f"{name} holds no file in row {row}"):
                table.read(row)
        for row in (-1, 4):
            with pytest.raises(BrokenTableError, match=f"{name} has no row {row} with audio"):
                table.read(row)


def test_sources():
    assert source_of("d/t.parquet", 17, "x/a01.wav") == "d/t.parquet/17/a01.wav"
    assert table_and_row("c.zip/d/t.parquet/17/a01.wav") == ("c.zip/d/t.parquet", 17)
    assert table_and_row("d/t.ARROW/0") == ("d/t.ARROW", 0)
    for path in ("d/t.parquet", "t.parquet/x/1.wav", "t.parquet/1/x/1.wav", "17/a01.wav", "t.parquet/²/a.wav"):
        assert table_and_row(path) is None


def test_more_rows_than_any_corpus_has():
    rows = pa.table({"label": pa.nulls(1_000_001)})
    written = io.BytesIO()
    pq.write_table(rows, written)
    with pytest.raises(BrokenTableError, match="states 1000001 rows; at most 1000000 are read"):
        AudioTable(io.BytesIO(written.getvalue()), "t.parquet")
