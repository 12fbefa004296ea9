"""The process that decodes compressed audio: what kills it costs one file, and nothing that it does is heard of."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from media_files import encoded
from ser.audio import decoder_process
from ser.audio.decoding import UnusableAudioError, decode
from ser.errors import InputError

TONE = 0.3 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000).astype(np.float32)
DOES = """
import json, os, sys, time; sys.path[:] = json.loads(sys.argv[1])
import ser.audio.compressed_decoding as real, ser.audio.decoder_process as process
whole = real.decode_compressed
def decode_compressed(file, *arguments):
    if file.read().endswith(b"trap"):
        {}
    return whole(file, *arguments)
real.decode_compressed = decode_compressed
process.CPU_SECONDS = 0
process.serve()
"""


@pytest.fixture
def mp3() -> bytes:
    return encoded(TONE, "mp3", "libmp3lame")


@pytest.fixture
def does(monkeypatch):
    """Make the decoder of this test do something else with a file that ends in ``trap``."""

    def change(what: str) -> None:
        monkeypatch.setattr(decoder_process, "START", DOES.format(what))
        decoder_process._own.__dict__.clear()

    yield change
    decoder_process._own.__dict__.clear()


def refusal(content: bytes, max_seconds: float = 5) -> str:
    with pytest.raises(UnusableAudioError) as error:
        decode(io.BytesIO(content), max_seconds=max_seconds)
    return str(error.value)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_decoder_that_dies_costs_the_file_it_died_of(does, mp3, number):
    does(f"os.kill(os.getpid(), {int(number)})")
    for _ in range(3):
        assert refusal(mp3 + b"trap") == decoder_process.DIED
        assert len(decode(io.BytesIO(mp3), max_seconds=5).y) == len(TONE)


def test_a_decoder_that_never_ends_is_ended(does, mp3):
    does("while True: pass")
    assert refusal(mp3 + b"trap", max_seconds=1) == decoder_process.TOO_LONG
    assert len(decode(io.BytesIO(mp3), max_seconds=5).y) == len(TONE)


BURN = """
        import threading
        def burn(seconds):
            end = time.process_time() + seconds
            while time.process_time() < end:
                pass
        burn(0.95)
        threading.Thread(target=burn, args=(0.9,)).start()
"""


def test_what_a_file_leaves_to_clean_up_is_not_taken_for_the_next_ones_time(does, mp3):
    does(BURN.strip())
    decode(io.BytesIO(mp3 + b"trap"), max_seconds=20)  # a second is allowed, and what is missing to a whole one
    process = decoder_process._own.decoder.process
    time.sleep(2)
    assert len(decode(io.BytesIO(mp3), max_seconds=5).y) == len(TONE)
    assert decoder_process._own.decoder.process is process


def test_a_decoder_that_wants_all_memory_gets_none(does, mp3):
    does("bytearray(8 << 30)")
    assert "more memory" in refusal(mp3 + b"trap")
    assert len(decode(io.BytesIO(mp3), max_seconds=5).y) == len(TONE)


def test_what_a_decoder_prints_is_no_reply(does, mp3, capfd):
    does("print('noise', flush=True); os.write(1, b'noise'); os.write(2, b'noise')")
    decode(io.BytesIO(mp3 + b"trap"), max_seconds=5)
    assert capfd.readouterr() == ("", "")


def test_a_decoder_that_does_not_start_is_no_fault_of_the_file(monkeypatch, mp3):
    monkeypatch.setattr(decoder_process, "START", "import no_such_module")
    decoder_process._own.__dict__.clear()
    with pytest.raises(InputError, match="import av"):
        decode(io.BytesIO(mp3), max_seconds=5)


def test_a_thread_has_a_decoder_of_its_own_which_ends_with_it(mp3):
    found, processes = [], []

    def work() -> None:
        for _ in range(5):
            found.append(decode(io.BytesIO(mp3), max_seconds=5).y)
        processes.append(decoder_process._own.decoder.process)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for y in found:
        np.testing.assert_array_equal(y, found[0])
    assert len({process.pid for process in processes}) == 3
    assert all(process.poll() is not None for process in processes)


def test_samples_may_be_changed(mp3):
    assert decode(io.BytesIO(mp3), max_seconds=5).y.flags.writeable


IMPORTS = """
import io, os, sys, time
sys.path[:0] = ["stages"]
from ser.audio import decoder_process
from ser.audio.decoding import decode
"""
PARENT = """
decode(io.BytesIO(sys.stdin.buffer.read()), max_seconds=5)
print(decoder_process._own.decoder.process.pid, flush=True)
{}
"""


def gone(pid: int) -> bool:
    for _ in range(1000):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("end", ["", "os._exit(0)", "os.kill(os.getpid(), 9)", "raise SystemExit(3)"])
def test_the_decoder_ends_with_the_process_that_started_it(mp3, end):
    run = subprocess.run([sys.executable, "-c", IMPORTS + PARENT.format(end)], input=mp3, cwd=ROOT, capture_output=True)
    assert run.stderr == b""
    assert gone(int(run.stdout))


FORK = """
content = sys.stdin.buffer.read()
y = decode(io.BytesIO(content), max_seconds=5).y
child = os.fork()
same = (decode(io.BytesIO(content), max_seconds=5).y == y).all()
print(decoder_process._own.decoder.process.pid, same, flush=True)
if child:
    os.waitpid(child, 0)
else:
    os._exit(0)
"""


def test_a_fork_starts_a_decoder_of_its_own(mp3):
    run = subprocess.run([sys.executable, "-c", IMPORTS + FORK], input=mp3, cwd=ROOT, capture_output=True)
    lines = run.stdout.decode().split()
    assert lines[1::2] == ["True", "True"], run.stderr.decode()
    assert lines[0] != lines[2]


def test_relative_paths_are_read_wherever_this_process_has_gone(tmp_path, monkeypatch, mp3):
    (tmp_path / "a.mp3").write_bytes(mp3)
    decode(io.BytesIO(mp3), max_seconds=5)
    monkeypatch.chdir(tmp_path)
    assert len(decode("a.mp3", max_seconds=5).y) == len(TONE)
    os.remove("a.mp3")
    with pytest.raises(FileNotFoundError):
        decode("a.mp3", max_seconds=5)


ELSEWHERE = """
del os.fork, os.register_at_fork
sys.modules["resource"] = None
"""
NO_MEMORY_LIMIT = """
import json, resource, sys; sys.path[:] = json.loads(sys.argv[1])
def setrlimit(limit, values):
    if limit == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
resource.setrlimit = setrlimit
from ser.audio.decoder_process import serve; serve()
"""
READ = """
y = decode(io.BytesIO(sys.stdin.buffer.read()), max_seconds=5).y
print(len(y))
"""


def test_audio_is_decoded_where_nothing_forks_nor_limits(mp3):
    lines = IMPORTS.replace("import io, os, sys, time", f"import io, os, sys, time{ELSEWHERE}")
    run = subprocess.run([sys.executable, "-c", lines + READ], input=mp3, cwd=ROOT, capture_output=True)
    assert run.stdout.decode().split() == [str(len(TONE))], run.stderr.decode()


def test_a_system_that_refuses_to_limit_memory_decodes(monkeypatch, mp3):
    monkeypatch.setattr(decoder_process, "START", NO_MEMORY_LIMIT)
    decoder_process._own.__dict__.clear()
    assert len(decode(io.BytesIO(mp3), max_seconds=5).y) == len(TONE)
    decoder_process._own.__dict__.clear()


def test_no_code_is_run_that_lies_where_a_person_works(tmp_path, monkeypatch, mp3):
    (tmp_path / "json.py").write_text("open('run', 'w').close()")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path / "of no string", "no such place.zip"])
    decoder_process._own.__dict__.clear()
    assert len(decode(io.BytesIO(mp3), max_seconds=5).y) == len(TONE)
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_the_standard_input_is_read(tmp_path, mp3):
    (tmp_path / "a.mp3").write_bytes(mp3)
    lines = IMPORTS + "print(len(decode('/dev/stdin', max_seconds=5).y))"
    with (tmp_path / "a.mp3").open("rb") as file:
        run = subprocess.run([sys.executable, "-c", lines], stdin=file, cwd=ROOT, capture_output=True)
    assert run.stdout.decode().split() == [str(len(TONE))], run.stderr.decode()
