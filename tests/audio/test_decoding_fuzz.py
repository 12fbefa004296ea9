"""Decoding of hostile files: samples or a reason, soon, within memory and in silence; never a crash of this process."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np
import pytest

from conftest import FULL, ROOT
from container_fields import fields, ogg_pages, parts, with_ogg_checksums
from hostile_files import hostile_file
from media_files import encoded
from ser.audio.decoder_process import DIED, FAILED, TOO_LONG
from undamaged_files import KINDS, _undamaged, tone, undamaged

MOST_SECONDS = 5.0  # of processor time, for one file, of all processes together
MOST_MEMORY = 500.0  # MB that a process ever holds; half a minute at 48 kHz in 32 channels is 184 MB
WARM = 500  # files after which a process has what it needs
STEP = 1.0  # MB; more at once is the block of a long file, which the allocator keeps for the next
MOST_LEAKED = 4.0  # kB a file, in steps smaller than that; the files have 20 kB


def decode_hostile(first: int, last: int) -> list[dict]:
    """Decode the files of some seeds in a process of its own, and say which it was that ended it, if one did."""
    limits = map(str, (first, last, 60 + round(MOST_SECONDS * (last - first))))
    path = os.pathsep.join(str(ROOT / folder) for folder in ("stages", "tests"))
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "tests/hostile_worker.py", *limits],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0, f"{lines[-1]}: exit code {run.returncode}\n{run.stderr[-3000:]}"
    assert run.stderr == ""
    return [line for line in lines if "outcomes" in line]


def check(first: int, count: int, per_process: int) -> None:
    """Decode files in as many processes as there are cores, `per_process` files each before it is a new one."""
    starts = range(first, first + count, per_process)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = [*pool.map(lambda start: decode_hostile(start, min(start + per_process, first + count)), starts)]
    results = [result for part in parts for result in part]
    assert len(results) == count
    print(summary(results, parts))  # `pytest -rP` shows it
    first_outcomes = [result["outcomes"][0] for result in results]
    # neither everything nor nothing is refused
    assert 0.2 * count < sum(outcome.startswith("read:") for outcome in first_outcomes) < 0.8 * count
    # what is decoded does not depend on where the file lies
    assert [result for result in results if len(set(result["outcomes"])) > 1] == []
    # no error of Python's is behind a refusal
    failed = FAILED.partition("{")[0]
    assert [result for result in results if failed in result["outcomes"][0]] == []
    assert max(result["seconds"] for result in results) < MOST_SECONDS
    for part in parts:
        assert max(max(result["memory"]) for result in part) < MOST_MEMORY
        assert max(leaked(part)) < MOST_LEAKED
        files = {tuple(result["open_files"]) for result in part if result["decoder"]}
        assert len(files) == 1  # none is left open


def leaked(part: list[dict]) -> list[float]:
    """Return by how much each process of a part grew from file to file, in kB a file: this one, and its decoders."""
    growths = [0.0]
    for _, lives in groupby(part[WARM:], lambda result: result["decoder"]):
        memory = np.array([result["memory"] for result in lives])
        steps = np.diff(memory, axis=0)
        if len(steps) > WARM:
            growths += [*(1000 * np.where(abs(steps) < STEP, steps, 0).mean(axis=0))]
    return growths


def summary(results: list[dict], parts: list[list[dict]]) -> str:
    outcomes = Counter(outcome for result in results for outcome in set(result["outcomes"]))
    ended = {reason: outcomes[f"refused: {reason}"] for reason in (DIED, TOO_LONG)}
    slowest = max(results, key=lambda result: result["seconds"])
    read = sum(result["outcomes"][0].startswith("read:") for result in results)
    most = [max(result["memory"][which] for result in results) for which in (0, 1)]
    return (
        f"{len(results)} files, {read} read; the slowest took {slowest['seconds']:.2f} s (seed {slowest['seed']}); "
        f"{ended}; at most {most[0]:.0f} and {most[1]:.0f} MB, "
        f"growth up to {max(max(leaked(part)) for part in parts):.2f} kB a file"
    )


def test_hostile_files_give_samples_or_a_reason():
    check(0, 400, 200)


@pytest.mark.verify
def test_thousands_of_hostile_files_give_samples_or_a_reason():
    check(1000, 100_000 if FULL else 5000, 10_000 if FULL else 2500)


# --- what the files are made by


def test_hostile_files_are_the_same_for_the_same_seed():
    once = [hostile_file(seed) for seed in range(60)]
    _undamaged.cache_clear()
    time.sleep(1.1)  # a writer that notes the time does so in seconds
    assert [hostile_file(seed) for seed in range(60)] == once


def test_checksums_of_ogg_are_those_of_its_writers():
    content = encoded(tone(48000, 1), "ogg", "libopus", sr=48000)
    blank = bytearray(content)
    for place, _, _ in ogg_pages(content):
        blank[place + 22 : place + 26] = bytes(4)
    assert blank != content
    assert with_ogg_checksums(bytes(blank)) == content


@pytest.mark.parametrize("kind", [kind for kind in range(len(KINDS)) if KINDS[kind][0] != "g722"])
def test_fields_and_parts_of_a_file_lie_within_it(kind):
    content = undamaged(kind)
    assert len(fields(content)) > 20
    assert all(0 <= place < place + width <= len(content) + 8 for place, width, *_ in fields(content))
    assert all(part.start < part.stop <= len(content) for part in parts(content))
