"""Decoding opens the file that it is given and nothing else, whatever that names; the calls of the system show it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import FULL, ROOT
from tempting_files import tempting_files
from traced_worker import BEGIN, END, PAUSE, RESUME, outcome

CALLS = "open,openat,openat2,creat,execve,execveat,socket,connect,bind,sendto,mkdir,rename,symlink,link"
STRACE = ["strace", "-f", "--seccomp-bpf", "-qq", "-s", "4096", "-e", "signal=none", "-e", f"trace={CALLS}"]
OPENING = re.compile(r'\d+ +(open|openat|openat2|creat)\((?:AT_FDCWD, )?"([^"]*)"')
CALL = re.compile(r"\d+ +(\w+)\(")


@pytest.fixture
def port():
    """A port of this computer to which something may connect, though nothing should."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener.getsockname()[1]
        # what connected to it, if anything
        with pytest.raises(BlockingIOError):
            listener.accept()


def is_harmless(outcome: str) -> bool:
    """Tell whether a file was refused, or gave the tone it holds and nothing of the one that it names."""
    if not outcome.startswith("read:"):
        return bool(outcome)
    own, other = map(float, outcome.split()[1:])
    return own > 0.3 and other < 0.01


def test_files_that_name_others_give_their_own_sound_or_a_reason(tmp_path, port):
    outcomes = {}
    for name, content in tempting_files(tmp_path / "other.wav", port).items():
        (tmp_path / name).write_bytes(content)
        outcomes[name] = outcome(tmp_path / name)
    assert {name: said for name, said in outcomes.items() if not is_harmless(said)} == {}
    read = {name for name, said in outcomes.items() if said.startswith("read:")}
    assert {"segment.mkv", "tags.mp3", "picture.mp3", "list.wav"} <= read
    assert not read & {name for name in outcomes if name.endswith((".g722", ".m4a", ".ts", ".rm"))}


def decoding_calls(trace: Path) -> tuple[list[str], list[str]]:
    """Return the watched calls of the decoding, and those after it."""
    during, after, place = [], [], "before"
    for line in trace.read_text(errors="replace").splitlines():
        marked = next((name for name in (BEGIN, END, PAUSE, RESUME) if f'"{name}"' in line), None)
        if marked:
            place = {BEGIN: "during", PAUSE: "pause", RESUME: "during", END: "after"}[marked]
        elif CALL.match(line):
            {"during": during, "after": after}.get(place, []).append(line)
    return during, after


def opened(line: str) -> str | None:
    match = OPENING.match(line)
    return match[2] if match else None


@pytest.mark.verify
def test_no_other_file_and_no_address_is_opened_while_thousands_of_hostile_files_are_decoded(tmp_path):
    if not shutil.which("strace") or subprocess.run([*STRACE, "-o", "/dev/null", "true"]).returncode:
        pytest.skip("strace, which watches the calls of the system, is not installed or may not watch here")
    trace, count = tmp_path / "trace", 5000 if FULL else 300
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        arguments = map(str, (tmp_path, port, 200_000, 200_000 + count))
        run = subprocess.run(
            [*STRACE, "-o", str(trace), sys.executable, "tests/traced_worker.py", *arguments],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": f"stages{os.pathsep}tests"}, capture_output=True, text=True,
        )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stderr == ""
    told = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line for line in told if not all(map(is_harmless, line["outcomes"]))] == []
    during, after = decoding_calls(trace)
    given = f"{tmp_path}/given/"
    assert sum(given in line for line in during) > 2 * count  # each was written and read
    assert [line for line in during if not (opened(line) or "").startswith(given)] == []
    assert any(opened(line) == f"{tmp_path}/other.wav" for line in after)  # such a call would have been seen
    assert any(CALL.match(line)[1] == "connect" and "127.0.0.1" in line for line in after)
