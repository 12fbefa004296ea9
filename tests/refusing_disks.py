"""Folders on a full or a read-only disk, for one command: laid over the real ones in a mount namespace of its own."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from conftest import environment

SCRIPT = """
import hashlib, json, os, subprocess, sys
from pathlib import Path

given = json.loads(sys.argv[1])
disk = Path(given["disk"])


def call(*command):
    subprocess.run(command, check=True)


def contents():
    files = [path for place in given["places"] for path in Path(place).rglob("*") if path.is_file()]
    return {str(path): hashlib.md5(path.read_bytes()).hexdigest() for path in files}


call("mount", "-t", "tmpfs", "-o", f"size={64 * 2**20}", "tmpfs", str(disk))
for number, place in enumerate(given["places"]):
    upper, work = disk / f"upper{number}", disk / f"work{number}"
    upper.mkdir(), work.mkdir()
    call("mount", "-t", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={work}", "overlay", place)
if given["free"] is None:
    for place in given["places"]:
        call("mount", "-o", "remount,ro", place)
else:
    call("mount", "-o", f"remount,size={max(given['free'], 4096)}", str(disk))
    if not given["free"]:
        (disk / "filler").write_bytes(bytes(4096))
before = contents()
done = subprocess.run(given["command"], capture_output=True, text=True, timeout=500)
found = {"code": done.returncode, "out": done.stdout, "err": done.stderr, "before": before, "after": contents()}
print(json.dumps(found))
"""


class Refused(NamedTuple):
    """What a command did: its exit code and output, and the MD5 of every file in the places before and after."""

    code: int
    out: str
    err: str
    before: dict[str, str]
    after: dict[str, str]


@cache
def why_not() -> str:
    """Say why no folder can be laid over another here; "" if it can."""
    trial = "mount -t tmpfs t /mnt && mkdir /mnt/a /mnt/b /mnt/c"
    trial += " && mount -t overlay -o lowerdir=/mnt/a,upperdir=/mnt/b,workdir=/mnt/c o /mnt/a"
    try:
        done = subprocess.run(["unshare", "-rm", "sh", "-c", trial], capture_output=True, text=True)
    except OSError as error:
        return f"no mount namespaces here: {error}"
    return f"no mount namespaces here: {done.stderr.strip()}" if done.returncode else ""


def run_on_disk(command: list[str], folder: Path, places: tuple[str, ...], disk: Path, free: int | None) -> Refused:
    """Run a command in a folder, some places of which take `free` bytes more (None: nothing, they are read-only)."""
    disk.mkdir(exist_ok=True)
    given = {"command": command, "places": places, "disk": str(disk), "free": free}
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", SCRIPT, json.dumps(given)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Refused(**json.loads(done.stdout))
