import pytest

from conftest import ROOT
from import_graph import imported_also_indirectly, room_of
from ser.networks import checkpoints
from ser.networks.checkpoints import ROOMS, Checkpoint, open_checkpoint, remove_checkpoints


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def never():
    raise AssertionError("nobody needs this state")


def write(state: bytes, stage: str = "lstm", key: str = "a") -> None:
    checkpoint = open_checkpoint(stage, key)
    checkpoint.interval = 0
    checkpoint.write(lambda: state)


def test_the_same_training_finds_what_it_wrote():
    assert open_checkpoint("lstm", "a").read() is None
    write(b"state")
    assert open_checkpoint("lstm", "a").read() == b"state"
    assert open_checkpoint("lstm", "b").read() is None


def test_states_are_written_now_and_then(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    checkpoint = open_checkpoint("lstm", "a")
    checkpoint.write(never)  # a fit that has just begun
    now[0] += checkpoints.SECONDS + 1
    checkpoint.write(lambda: b"first")
    checkpoint.write(never)
    now[0] += checkpoints.SECONDS - 1
    checkpoint.write(never)
    assert checkpoint.read() == b"first"
    now[0] += 2
    checkpoint.write(lambda: b"second")
    assert open_checkpoint("lstm", "a").read() == b"second"


def test_without_an_interval_every_state_is_written(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", interval=0)
    for state in (b"first", b"second"):
        checkpoint.write(lambda state=state: state)
        assert checkpoint.read() == state


def test_the_end_of_a_training_is_written_at_once_where_other_networks_follow():
    alone = open_checkpoint("lstm", "a")
    alone.write(never, ended=True)
    first, second = alone.of_network(1), alone.of_network(2)
    first.write(never)
    first.write(lambda: b"end", ended=True)
    assert open_checkpoint("lstm", "a").of_network(1).read() == b"end"
    assert alone.read() is second.read() is None
    write(b"state")
    write(b"other", key="b")
    alone.remove()
    assert alone.read() is first.read() is None and open_checkpoint("lstm", "b").read() == b"other"


def test_other_libraries_and_other_code_make_another_training(monkeypatch, tmp_path):
    assert checkpoints.code_digest() == checkpoints.CODE
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "version", lambda library: "9.9" if library == "scikit-learn" else "1.0")
        assert checkpoints.code_digest() != checkpoints.CODE
    for name in ("errors.py", "models/svm.py", "charts/roc.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a = 1")
    monkeypatch.setattr(checkpoints, "__file__", str(tmp_path / "networks" / "checkpoints.py"))
    before = checkpoints.code_digest()
    (tmp_path / "charts/roc.py").write_text("a = 2")
    assert checkpoints.code_digest() == before
    (tmp_path / "models/svm.py").write_text("a = 2")
    assert checkpoints.code_digest() != before


def test_no_room_that_a_trainer_imports_is_missed():
    stages = ROOT / "stages"
    for script in stages.glob("train_*.py"):
        modules = imported_also_indirectly(script, stages)
        assert {room_of(module, stages) for module in modules} <= {None, *ROOMS}


def test_a_finished_stage_leaves_none(tmp_path):
    write(b"state", "lstm")
    write(b"state", "cnn")
    remove_checkpoints("lstm")
    remove_checkpoints("residual")  # that has none
    assert [path.name for path in (tmp_path / "data/checkpoints").iterdir()] == ["cnn"]
