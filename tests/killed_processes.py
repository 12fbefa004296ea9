"""Processes that die at a drawn moment of their writing, and what they leave behind.

A `sitecustomize` of the test's own counts in every Python process what it writes below a folder: files opened for
writing, made, renamed, removed (PEP 578). At the number that was drawn the process gets a signal, or may write only so
many bytes more: the kernel then ends it in the middle of a file. Moments are drawn of writing and not of time, as most
of the time of a stage goes into importing what it needs.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from conftest import environment

HOOK = """
import json, os, resource, signal, sys, threading, time

given = json.loads(os.environ["SER_TEST_KILL"])
words = getattr(sys, "orig_argv", [])
role = "other"
ROLES = {"worker": ("popen_loky",), "stage": ("stages/", "ser.commands", "script.py"), "dvc": ("dvc",)}
for name, marks in ROLES.items():
    if any(mark in word for mark in marks for word in words):
        role = name
        break
seen, limited = 0, False


def path_of(path, folder_number=-1):
    path = os.fsdecode(path)
    if isinstance(folder_number, int) and folder_number >= 0:
        path = os.path.join(os.readlink(f"/proc/self/fd/{folder_number}"), path)
    return os.path.abspath(path)


def written(event, values):
    if event == "open":
        path, _, flags = values
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        return path_of(path) if writes and isinstance(path, (str, bytes)) else None
    if event == "os.rename":
        return path_of(values[1], values[3])
    if event in ("os.remove", "os.rmdir"):
        return path_of(values[0], values[1])
    if event == "os.mkdir":
        return path_of(values[0], values[2])
    if event in ("os.link", "os.symlink"):
        return path_of(values[1])
    return None


def hook(event, values):
    global seen, limited
    if event != "open" and not event.startswith("os."):
        return
    try:
        path = written(event, values)
    except (OSError, TypeError, ValueError, IndexError):
        return
    if path is None or not path.startswith(given["folder"] + os.sep) or "__pycache__" in path:
        return
    seen += 1
    shown = os.path.relpath(path, given["folder"])
    if not limited:  # or the log itself would be too long
        os.write(LOG, f"{role} {event} {shown}\\n".encode())
    if role != given["role"] or seen < given["at"] or seen > given["at"] and given["bytes"] is None:
        return
    if given["once"] and seen == given["at"]:
        try:
            os.close(os.open(given["log"] + ".killed", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            given["role"] = "none"  # another worker died already
            return
    if given["bytes"] is not None and event == "open":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
            resource.setrlimit(resource.RLIMIT_FSIZE, (given["bytes"], given["bytes"]))
            limited = True
            return
        except ValueError:  # not in this thread
            pass
    if seen == given["at"] and given["later"]:
        threading.Thread(target=die, daemon=True).start()
    elif seen == given["at"]:
        os.kill(os.getpid(), given["signal"])


def die():
    time.sleep(given["later"])
    os.kill(os.getpid(), given["signal"])


LOG = os.open(given["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY)
sys.addaudithook(hook)
"""


class Kill(NamedTuple):
    """When a process dies.

    Attributes
    ----------
    role : {"stage", "worker", "dvc"}
        Which processes count: a stage's or a command's own, its workers, DVC.
    at : int
        The writing event, counted from 1, before which it dies.
    signal : int
    bytes : int or None
        Instead of a signal: so many bytes of a file may still be written.
    """

    role: str
    at: int
    signal: int = signal.SIGKILL
    bytes: int | None = None
    later: float = 0.0  # s after that event


NEVER = Kill("none", 0)


def start(command: list[str], folder: Path, log: Path, kill: Kill = NEVER, **options) -> subprocess.Popen:
    """Start a command in a folder, that dies at the moment of `kill`; `log` gets a line for each writing event."""
    hooks = log.parent / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "sitecustomize.py").write_text(HOOK)
    for old in (log, Path(f"{log}.killed")):
        old.unlink(missing_ok=True)
    given = kill._asdict() | {"folder": str(folder.resolve()), "log": str(log), "once": True}
    env = environment()
    env |= {"PYTHONPATH": f"{hooks}{os.pathsep}{env['PYTHONPATH']}", "SER_TEST_KILL": json.dumps(given)}
    # no pipe: workers hold its end for longer than the command lives; and what is printed is no file that gets too long
    with Path(f"{log}.printed" if kill.bytes is None else os.devnull).open("w") as printed:
        return subprocess.Popen(command, cwd=folder, env=env, stdout=printed, stderr=subprocess.STDOUT, **options)


def events(log: Path, role: str) -> list[str]:
    """Return what processes of a role wrote, in order."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{role} ")]


def drawn(rng: np.random.Generator, role: str, count: int) -> Kill:
    """Draw a moment among `count` events, and a way to die: at once, in order, or in the middle of a file."""
    way = rng.choice(["SIGKILL", "SIGTERM", "SIGINT", "within"], p=[0.4, 0.1, 0.1, 0.4])
    at = int(rng.integers(1, count + 1))
    if way == "within":
        return Kill(role, at, bytes=int(rng.choice([0, 10, 300])))
    return Kill(role, at, getattr(signal, way))


def ser(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ser.commands", *arguments]


def was_killed(log: Path) -> bool:
    return Path(f"{log}.killed").exists()
