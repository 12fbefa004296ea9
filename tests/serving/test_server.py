"""The service as a process: where it writes, and how it ends."""

import os
import signal
import stat
import subprocess
import sys

import pytest

from conftest import environment, run_stage
from running_service import KIND, RAW, halted, head, rest, running, until
from ser.serving.uploads import LOCK, PREFIX, remove_abandoned

START = [sys.executable, "-m", "ser.commands", "serve"]


def test_it_writes_into_its_own_folder_only_and_leaves_nothing(trained, tmp_path, clips, compressed):
    models = {path: path.stat().st_mtime_ns for path in (trained / "data/models").rglob("*")}
    with running(trained, tmp_path) as service, service.client() as client:
        for content, kind in ((clips[0].read_bytes(), "audio/wav"), (compressed, "audio/ogg")):
            assert client.post("/predict", content=content, headers={"Content-Type": kind}).status_code == 200
            assert client.post("/predict", files={"file": ("a.wav", content)}).status_code == 200
        client.post("/predict", content=b"x" * 9000, headers=RAW)
        with service.connect(head("/predict", KIND, "Content-Length: 9000") + bytes(5000)):
            until(lambda: len(service.files()["tmp"]) == 3)
            (own,) = service.places["tmp"].iterdir()
            assert stat.S_IMODE(own.stat().st_mode) == 0o700
            assert sorted(path.name for path in own.iterdir())[-1] == LOCK  # and the upload, which is a number
        until(lambda: len(service.files()["tmp"]) == 2)
        assert service.files() == {"home": [], "cwd": [], "tmp": [own.name, f"{own.name}/{LOCK}"]}
        assert service.end() == 0
        assert service.files() == {"home": [], "cwd": [], "tmp": []}
        assert "a.wav" not in service.log.read_text()
    assert models == {path: path.stat().st_mtime_ns for path in (trained / "data/models").rglob("*")}


@pytest.mark.parametrize(("by", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)])
def test_a_signal_ends_it_without_a_word_too_many(trained, tmp_path, by, code):
    with running(trained, tmp_path) as service:
        with service.connect(head("/predict", KIND, "Content-Length: 9000") + bytes(5000)) as opened, service.connect():
            until(lambda: len(service.files()["tmp"]) == 3)
            assert service.end(by) == code
            assert rest(opened).startswith(b"HTTP/1.1 503 ")
        assert service.files()["tmp"] == []
        assert "Traceback" not in service.log.read_text() and "internal error" not in service.log.read_text()
        with pytest.raises(ConnectionRefusedError):
            service.connect()


def test_what_is_being_worked_on_is_finished(trained, tmp_path, compressed):
    asked = head("/predict", "Content-Type: audio/ogg", f"Content-Length: {len(compressed)}") + compressed
    with running(trained, tmp_path, "--workers", "1") as service:
        with service.client() as client:
            client.post("/predict", content=compressed, headers={"Content-Type": "audio/ogg"})
        with halted(service):
            opened = service.connect(asked)
            until(lambda: service.metric("ser_workers_busy") == 1)
            service.process.send_signal(signal.SIGTERM)
            until(lambda: refused(service))
        with opened:
            answer = rest(opened)
        assert answer.startswith(b"HTTP/1.1 200 ") and b'"emotion"' in answer
        assert service.process.wait(60) == 0
        assert service.files()["tmp"] == []


def test_what_takes_too_long_is_told_503(trained, tmp_path, compressed):
    asked = head("/predict", "Content-Type: audio/ogg", f"Content-Length: {len(compressed)}") + compressed
    with running(trained, tmp_path, "--workers", "1") as service:
        with service.client() as client:
            client.post("/predict", content=compressed, headers={"Content-Type": "audio/ogg"})
        with halted(service):
            with service.connect(asked) as opened:
                until(lambda: service.metric("ser_workers_busy") == 1)
                service.process.send_signal(signal.SIGTERM)
                answer = rest(opened)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert service.process.wait(60) == 0
        assert service.files()["tmp"] == []


def refused(service) -> bool:
    try:
        service.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_folder_of_a_service_that_was_killed_is_removed_by_the_next(trained, tmp_path):
    with running(trained, tmp_path / "first") as service:
        with service.connect(head("/predict", KIND, "Content-Length: 9000") + bytes(5000)):
            until(lambda: len(service.files()["tmp"]) == 3)
            assert service.end(signal.SIGKILL) == -signal.SIGKILL
        left, parent = service.files()["tmp"], service.places["tmp"]
        assert len(left) == 3
    remove_abandoned(parent)
    assert [*parent.iterdir()] == []


def test_folders_of_services_that_live_or_of_somebody_else_stay(trained, tmp_path):
    with running(trained, tmp_path) as service:
        foreign = service.places["tmp"] / f"{PREFIX}foreign"
        foreign.mkdir()
        (service.places["tmp"] / f"{PREFIX}link").symlink_to(tmp_path)
        before = service.files()
        remove_abandoned(service.places["tmp"])
        assert service.files() == before


@pytest.mark.parametrize("option", ["--megabytes", "--minutes", "--patience"])
@pytest.mark.parametrize("value", ["nan", "inf", "0", "-1"])
def test_a_limit_that_is_none_is_refused(trained, option, value):
    # without a token it would not begin to serve at such a host if it took the limit
    run = run_stage(trained, "serve", "--model", "svm_rbf", "--host", "0.0.0.0", option, value)
    assert run.returncode == 2 and f"Invalid value for '{option}'" in run.stderr, run.stderr


def test_a_port_that_is_taken_is_one_line(service, trained):
    command = [*START, "--model", "svm_rbf", "--port", str(service.port)]
    run = subprocess.run(command, cwd=trained, env=environment(), capture_output=True, text=True)
    assert run.returncode == 1 and run.stdout == ""
    *warnings, line = run.stderr.splitlines()
    assert line.startswith(f"error: cannot listen at 127.0.0.1, port {service.port}: Address already in use; choose")
    assert all(warning.startswith("warning: ") for warning in warnings)


def test_nobody_needs_to_read_its_log(trained, tmp_path, clips):
    """`ser serve 2>&1 | head -1`: the rest of what it prints goes nowhere."""
    reading, writing = os.pipe()
    command = [*START, "--model", str(trained / "data/models/train_ml/svm_rbf"), "--port", "0"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=writing, text=True
    )
    os.close(writing)
    try:
        port = process.stdout.readline().partition("127.0.0.1:")[2].partition("/")[0]
        os.close(reading)
        import httpx

        for _ in range(3):
            answer = httpx.post(f"http://127.0.0.1:{port}/predict", content=clips[0].read_bytes(), headers=RAW)
            assert answer.status_code == 200
    finally:
        process.terminate()
    assert process.wait(60) == 0
