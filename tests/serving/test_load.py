"""The service under load, and asked whatever its description allows. Long: `make verify` runs it."""

import asyncio
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import cycle

import httpx
import pytest

from conftest import FULL, environment
from running_service import RAW, memory, open_files, running, until

pytestmark = pytest.mark.verify
UPLOADS = 200
REQUESTS = 10_000 if FULL else 1000
EXAMPLES = 500 if FULL else 50
REFUSALS = {429, 413, 415, 408}


@pytest.fixture(scope="module")
def said(trained, clips) -> list[dict[str, float]]:
    """What `ser predict` says of the clips: probabilities with 6 digits."""
    command = [sys.executable, "-m", "ser.commands", "predict", "--model", "svm_rbf", "--format", "jsonl", *clips]
    run = subprocess.run(command, cwd=trained, env=environment(), capture_output=True, text=True)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(rows) == len(clips)
    return [{k.removeprefix("p_"): v for k, v in row.items() if k.startswith("p_")} for row in rows]


def rounded(answer: httpx.Response) -> dict[str, float]:
    return {emotion: float(f"{p:.6g}") for emotion, p in answer.json()["probabilities"].items()}


async def at_once(address: str, contents: list[bytes], most: int) -> list[httpx.Response]:
    """Return the answers to uploads, so many of them at a time."""
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=300) as client:
        return await asyncio.gather(*(client.post("/predict", content=each, headers=RAW) for each in contents))


def test_of_200_uploads_at_once_each_is_answered_as_predict_does_or_refused(trained, tmp_path, clips, said):
    contents = [clip.read_bytes() for clip in clips]
    chosen = [number % len(clips) for number in range(UPLOADS)]
    with running(trained, tmp_path) as service:
        answers = asyncio.run(at_once(service.address, [contents[place] for place in chosen], UPLOADS))
        statuses = Counter(answer.status_code for answer in answers)
        assert {*statuses} <= {200, *REFUSALS} and statuses[200] >= 100, statuses
        for place, answer in zip(chosen, answers, strict=True):
            if answer.status_code == 200:
                assert rounded(answer) == said[place]
        assert service.metric('ser_requests_total{route="/predict",status="200"}') == statuses[200]


def test_memory_and_files_stay_as_they_are_over_many_requests(trained, tmp_path, clips, said, compressed):
    mixed = [*((clip.read_bytes(), 200) for clip in clips), (compressed, 200), (b"x" * 2000, 415), (bytes(400), 415)]
    with running(trained, tmp_path) as service:
        kinds = cycle(mixed)
        seen = []
        for _ in range(10):
            asked = [next(kinds) for _ in range(REQUESTS // 10)]
            answers = asyncio.run(at_once(service.address, [content for content, _ in asked], 8))
            assert [answer.status_code for answer in answers] == [status for _, status in asked]
            until(lambda: service.metric("ser_queue_length") == 0)
            seen.append((memory(service.process.pid), open_files(service.process.pid)))
        print("MB and open files:", [(round(size / 1e6, 1), files) for size, files in seen])
        sizes, files = zip(*seen, strict=True)
        assert max(sizes[5:]) - max(sizes[1:4]) < 5e6  # what one recording takes
        assert max(files[5:]) <= max(files[:5]) + 2
        assert len(service.files()["tmp"]) == 2


def test_nothing_that_the_description_allows_or_forbids_is_a_fault(trained, tmp_path):
    with running(trained, tmp_path, "--patience", "3") as service:
        command = ["run", f"{service.address}/openapi.json", "--max-examples", str(EXAMPLES), "--continue-on-failure"]
        # a description of recordings cannot say which bytes are one
        command += ["--exclude-checks", "positive_data_acceptance", "--seed", "1", "--no-color"]
        own = environment() | {"HOME": str(tmp_path)}
        run = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *command],
            cwd=tmp_path,
            env=own,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
        assert int(re.search(r"(\d+) generated", run.stdout)[1]) > 3 * EXAMPLES
        log = service.log.read_text()
        assert "internal error" not in log and not re.search(r" 5\d\d \d+ ms", log)
