import numpy as np
import pytest

from ser.networks import checkpoints
from ser.networks.batches import Examples
from ser.networks.checkpoints import open_checkpoint, remove_checkpoints
from ser.storage.shards import Ragged


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def examples(inputs) -> Examples:
    return Examples(inputs, np.array([0, 1]), np.array(["a", "b"]), np.array(["c", "d"]))


def table(value: float = 1.0) -> Examples:
    return examples(np.array([[value, 2], [3, 4]], dtype=np.float32))


def sequences(value: float = 1.0, cut: int = 2) -> Examples:
    rows = np.array([[value], [2], [3], [4], [5]], dtype=np.float32)
    return examples(Ragged([rows], np.array([[0, 0, cut], [0, cut, 5 - cut]])))


def test_the_same_training_finds_what_it_wrote():
    assert open_checkpoint("lstm", "fold_0", {"epochs": 3}, parts=[table()]).read() is None
    open_checkpoint("lstm", "fold_0", {"epochs": 3}, parts=[table()]).write(b"state")
    assert open_checkpoint("lstm", "fold_0", {"epochs": 3}, parts=[table()]).read() == b"state"


@pytest.mark.parametrize("kind", [table, sequences])
def test_another_training_does_not(kind, monkeypatch):
    open_checkpoint("lstm", "fold_0", 7, parts=[kind()]).write(b"state")
    assert open_checkpoint("lstm", "fold_1", 7, parts=[kind()]).read() is None
    assert open_checkpoint("lstm", "fold_0", 8, parts=[kind()]).read() is None
    assert open_checkpoint("lstm", "fold_0", 7, parts=[kind(1.5)]).read() is None
    assert open_checkpoint("lstm", "fold_0", 7, parts=[kind(), kind()]).read() is None
    other_labels = kind()._replace(labels=np.array([1, 0]))
    assert open_checkpoint("lstm", "fold_0", 7, parts=[other_labels]).read() is None
    monkeypatch.setattr(checkpoints, "CODE", "other code")
    assert open_checkpoint("lstm", "fold_0", 7, parts=[kind()]).read() is None


def test_other_libraries_and_other_code_make_another_training(monkeypatch, tmp_path):
    assert checkpoints.code_digest() == checkpoints.CODE
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "version", lambda library: "9.9" if library == "scikit-learn" else "1.0")
        assert checkpoints.code_digest() != checkpoints.CODE
    monkeypatch.setattr(
        checkpoints, "__file__", str(tmp_path / "networks" / "checkpoints.py")
    )  # a library without modules
    assert checkpoints.code_digest() != checkpoints.CODE


def test_code_that_is_edited_while_it_runs_is_not_what_the_training_depends_on(monkeypatch):
    open_checkpoint("lstm", parts=[table()]).write(b"state")
    monkeypatch.setattr(checkpoints, "code_digest", lambda: "edited")
    assert open_checkpoint("lstm", parts=[table()]).read() == b"state"


def test_the_same_frames_cut_elsewhere_are_other_clips():
    open_checkpoint("lstm", parts=[sequences(cut=2)]).write(b"state")
    assert open_checkpoint("lstm", parts=[sequences(cut=3)]).read() is None


def test_a_finished_stage_leaves_none(tmp_path):
    open_checkpoint("lstm", parts=[table()]).write(b"state")
    open_checkpoint("cnn", parts=[table()]).write(b"state")
    remove_checkpoints("lstm")
    remove_checkpoints("residual")  # that has none
    assert [path.name for path in (tmp_path / "data/checkpoints").iterdir()] == ["cnn"]
