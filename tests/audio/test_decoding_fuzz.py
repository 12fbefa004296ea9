"""Decoding of hostile files: samples or a reason, soon, within memory and in silence; never a crash."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import FULL, ROOT

MOST_SECONDS = 5.0  # of processor time, for one file
PER_PROCESS = 500  # files; a process that crashes names the file it died of by its last line
WORKER = """
import io, json, resource, sys, tempfile, time
from pathlib import Path
sys.path[:0] = ["stages", "tests"]
import numpy as np
from hostile_files import hostile_file
from ser.audio.cleaning import load_clip
from ser.audio.decoding import UnusableAudioError
from ser.settings.all_sections import load_params

first, last, most = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_CPU, (most, most))  # a file that never ends
settings = load_params().prepare
with tempfile.TemporaryDirectory() as folder:
    for seed in range(first, last):
        print(json.dumps({"seed": seed}), flush=True)
        suffix, content = hostile_file(seed)
        path = Path(folder) / f"clip{suffix}"
        path.write_bytes(content)
        outcomes, seconds = [], []
        for source in (path, io.BytesIO(content)):
            start = time.process_time()
            try:
                samples = load_clip(source, settings)
                assert samples.dtype == np.int16 and samples.ndim == 1 and len(samples) >= 0.3 * 16000
                outcomes.append(len(samples))
            except UnusableAudioError as error:
                assert str(error)
                outcomes.append(str(error).split(":")[0])
            seconds.append(time.process_time() - start)
        path.unlink()
        print(json.dumps({"seed": seed, "seconds": max(seconds), "outcomes": outcomes}), flush=True)
"""


def decode_hostile(first: int, last: int) -> list[dict]:
    """Decode the files of some seeds in a process of its own, and say which it was that ended it, if one did."""
    limits = map(str, (first, last, 60 + round(MOST_SECONDS * (last - first))))
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", WORKER, *limits], cwd=ROOT, capture_output=True, text=True
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0, f"{lines[-1]}: exit code {run.returncode}\n{run.stderr[-3000:]}"
    assert run.stderr == ""
    return [line for line in lines if "outcomes" in line]


def check(first: int, count: int) -> None:
    starts = range(first, first + count, min(count, PER_PROCESS))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(lambda start: decode_hostile(start, min(start + PER_PROCESS, first + count)), starts)
        results = [result for part in parts for result in part]
    assert len(results) == count
    assert max(result["seconds"] for result in results) < MOST_SECONDS
    read = [result for result in results if isinstance(result["outcomes"][0], int)]
    assert 0.02 * count < len(read) < 0.9 * count  # neither everything nor nothing is refused


def test_hostile_files_give_samples_or_a_reason():
    check(0, 300)


@pytest.mark.verify
def test_thousands_of_hostile_files_give_samples_or_a_reason():
    check(1000, 10_000 if FULL else 2000)
