"""Files: a reader meets the old file or the new one, never half a file."""

import errno
import json
import math
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from conftest import environment
from ser.errors import refusal
from ser.storage.csv_tables import write_csv
from ser.storage.whole_files import temporary_name, write_json, write_metrics, written


def test_file_appears_under_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    with written(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == tmp_path  # the same file system: renaming is one step
    assert path.read_text() == "half"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="full"), written(path) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("full")
    assert path.read_text() == "old"


def test_failed_first_write_leaves_no_file_of_the_name(tmp_path):
    with pytest.raises(RuntimeError), written(tmp_path / "a.txt") as temporary:
        temporary.write_text("ne")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_renamed_is_not_left_behind(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OSError), written(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_run_left_behind_is_written_over(tmp_path):
    temporary_name(tmp_path / "a.txt").write_text("what was left behind")
    with written(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_missing_folders_are_made(tmp_path):
    write_json({}, tmp_path / "a" / "b" / "c.json")
    assert (tmp_path / "a" / "b" / "c.json").is_file()


def test_table_is_written_without_index_and_with_six_digits(tmp_path):
    table = pd.DataFrame({"clip": ["a", "ü"], "p": [1 / 3, 1e-9]}, index=[5, 7])
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == "clip,p\na,0.333333\nü,1e-09\n".encode()


def test_failed_table_leaves_the_old_one(tmp_path):
    class Unprintable:
        def __str__(self):
            raise RuntimeError("unprintable")

    write_csv(pd.DataFrame({"a": [1]}), tmp_path / "t.csv")
    with pytest.raises(RuntimeError, match="unprintable"):
        write_csv(pd.DataFrame({"a": [2, Unprintable()]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "a\n1\n"


def test_json_is_readable_and_keeps_other_alphabets(tmp_path):
    content = {"b": [1, 2.5, None], "a": {"name": "Jörg 北京"}}
    write_json(content, tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == content
    assert "Jörg 北京" in text
    assert text.endswith("}\n")
    assert text.index('"b"') < text.index('"a"')


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan")])
def test_json_refuses_what_it_has_no_number_for_and_leaves_the_old_file(tmp_path, value):
    write_json({"uar": 0.5}, tmp_path / "a.json")
    with pytest.raises(ValueError, match="JSON"):
        write_json({"uar": value}, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == {"uar": 0.5}


def test_metrics_are_what_dvc_shows(tmp_path):
    metrics = {
        "svm": {"uar": 0.12345678, "ece": np.float64(-0.00001), "auc": math.nan, "clips": np.int64(7)},
        "mlp": {"uar": np.float32(0.1), "auc": None, "gain": math.inf},
    }
    write_metrics(metrics, tmp_path / "m.json")
    text = (tmp_path / "m.json").read_text()
    assert json.loads(text) == {"svm": {"uar": 0.1235, "ece": 0.0, "clips": 7}, "mlp": {"uar": 0.1}}
    assert "-0.0" not in text and '"clips": 7\n' in text


@pytest.mark.parametrize("value", [True, np.bool_(True), [0.5], "0.5", (1, 2), np.array([0.5, 0.7])])
def test_what_dvc_does_not_compare_is_no_metric(tmp_path, value):
    with pytest.raises(TypeError, match="metric svm.uar is .*; allowed are numbers"):
        write_metrics({"svm": {"uar": value}}, tmp_path / "m.json")
    assert not (tmp_path / "m.json").exists()


def test_two_that_write_the_same_file_at_once_do_not_meet(tmp_path):
    """As two `ser predict --output` do: with one temporary name the second would take the first one's away."""
    path = tmp_path / "a.txt"
    with written(path) as first:
        first.write_text("the first, ")
        with written(path) as second:
            assert second != first
            second.write_text("the second")
        assert path.read_text() == "the second"
        with first.open("a") as file:
            file.write("whole")
    assert path.read_text() == "the first, whole"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


REFUSED = """
import resource, sys
import numpy as np
from ser.errors import stage_errors
from ser.storage.shards import RaggedWriter
from ser.storage.whole_files import write_text, written

resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))  # bytes of a file, in place of a disk that is full
with stage_errors():
    if sys.argv[1] == "text":
        write_text("x" * 100_000, "out/a.txt")
    elif sys.argv[1] == "array":  # NumPy says "… requested and … written"
        with written("out/a.npy") as temporary, temporary.open("wb") as file:
            np.save(file, np.zeros(100_000))
    elif sys.argv[1] == "network":  # HDF5 says it in its own words
        import h5py
        with written("out/a.h5") as temporary, h5py.File(temporary, "w") as file:
            file["x"] = np.zeros(100_000)
    else:
        with RaggedWriter("out") as writer:
            writer.append(np.zeros((100_000, 1)))
"""


@pytest.mark.parametrize(
    ("kind", "name"), [("text", "a.txt"), ("array", "a.npy"), ("network", "a.h5"), ("shards", "shard_000.npy")]
)
def test_what_the_disk_does_not_take_is_a_line_with_the_file_and_leaves_nothing(tmp_path, kind, name):
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, kind], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, f"error: out/{name}: File too large\n")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "a: No space left on device: free some space and run it again"),
        (errno.EDQUOT, "a: Disk quota exceeded: free some space and run it again"),
        (errno.EROFS, "a: Read-only file system: make it writable, or name another place"),
        (errno.EACCES, "a: Permission denied: make it accessible, or name another place"),
        (errno.ENOENT, "a: No such file or directory"),
    ],
)
def test_a_refusal_names_the_file_and_the_remedy(number, said):
    assert refusal(OSError(number, "the library's words", ".tmp-12-a")) == said
    assert refusal(pickle.loads(pickle.dumps(OSError(number, "from a worker", "a")))) == said
    assert refusal(OSError(number, "of two that write at once", b".tmp-12-34-a")) == said
