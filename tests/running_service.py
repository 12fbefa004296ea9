"""A service as a person starts it: `ser serve` in a process of its own, with places of its own to write to."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from conftest import environment

MODEL = "svm_rbf"
RAW = {"Content-Type": "audio/wav"}
KIND = "Content-Type: audio/wav"


@dataclass
class Running:
    """A service that runs; `places` are all folders that it could want to write to, `log` is its standard error."""

    process: subprocess.Popen
    port: int
    places: dict[str, Path]
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=60, **options)

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Return a connection on which so much was sent."""
        found = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        found.sendall(sent)
        return found

    def ask(self, sent: bytes) -> bytes:
        """Return all that comes for bytes that are no good HTTP, until the connection is closed."""
        with self.connect(sent) as opened:
            return rest(opened)

    def metric(self, name: str) -> float:
        with self.client() as client:
            found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def files(self) -> dict[str, list[str]]:
        """Return what lies in the places."""
        return {
            name: sorted(str(path.relative_to(place)) for path in place.rglob("*"))
            for name, place in self.places.items()
        }

    def end(self, by: int = signal.SIGTERM) -> int:
        """Return the exit code after a signal."""
        self.process.send_signal(by)
        return self.process.wait(60)


@contextmanager
def running(work: Path, places: Path, *options: str, token: str = "", files: int = 1000) -> Iterator[Running]:
    """Yield a service of a model that was trained in `work`, which may open so many files; ended behind the block."""
    folders = {name: places / name for name in ("home", "tmp", "cwd")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    own = {"HOME": str(folders["home"]), "TMPDIR": str(folders["tmp"]), "PYTHONDONTWRITEBYTECODE": "1"}
    own |= {"SER_TOKEN": token} if token else {}
    command = [sys.executable, "-m", "ser.commands", "serve", "--model", str(work / "data/models/train_ml" / MODEL)]
    log = places / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, "--port", "0", *options],
            cwd=folders["cwd"],
            env=environment() | own,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
        )
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+:(\d+)/", line)
        assert found, line + log.read_text()
        yield Running(process, int(found[1]), folders, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def rest(opened: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    found = b""
    try:
        while chunk := opened.recv(1 << 16):
            found += chunk
    except ConnectionResetError:
        pass
    return found


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for what comes true by itself; a slow machine only makes it wait for longer."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def halted(service: Running) -> Iterator[None]:
    """Stop the decoders of compressed audio meanwhile, so that whoever needs one waits."""
    decoders = children(service.process.pid)
    assert decoders
    for each in decoders:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in decoders:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    """Return a request's header for this machine."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def memory(process: int) -> int:
    """Return the bytes that a process and its children hold."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024 + sum(map(memory, children(process)))


def children(process: int) -> list[int]:
    """Return the processes that the threads of a process have started."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def open_files(process: int) -> int:
    """Return how many files a process has open."""
    return len(os.listdir(f"/proc/{process}/fd"))
