"""How a stage ends that is ended from outside: with what ran it, with nothing half-written, in one line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import environment

STAGE = """
import sys, time
from ser.errors import stage_errors
from ser.storage.whole_files import written
with stage_errors(), written("out.txt") as temporary:
    temporary.write_text("half")
    open("begun", "w").close()
    time.sleep(600)
"""
IMPORTING = """
import os, time
parent = os.getppid()
import ser
open("begun", "w").close()
while os.getppid() == parent:
    time.sleep(0.02)
from ser.errors import stage_errors
with stage_errors():
    time.sleep(600)
"""
DVC = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], env=os.environ | {"DVC_STAGE": "toy"})
print(child.pid, flush=True)
child.wait()
"""


def is_running(number: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False


def wait_for(condition) -> None:
    while not condition():
        time.sleep(0.02)


@pytest.mark.parametrize("script", [STAGE, IMPORTING])
def test_a_stage_ends_when_dvc_is_killed(tmp_path, script):
    """Else it would go on writing while the next `dvc repro` runs the same stage."""
    process = subprocess.Popen(
        [sys.executable, "-c", DVC, script], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    stage = int(process.stdout.readline())
    wait_for((tmp_path / "begun").exists)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not is_running(stage))
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 128 + 15, "")]
)
def test_an_interrupted_stage_leaves_nothing_half_written(tmp_path, number, code, said):
    process = subprocess.Popen(
        [sys.executable, "-c", STAGE], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    )
    wait_for((tmp_path / "begun").exists)
    process.send_signal(number)
    printed = process.communicate()[1]
    assert (process.returncode, printed) == (code, said)
    assert [path.name for path in tmp_path.iterdir()] == ["begun"]
