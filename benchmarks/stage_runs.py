"""Runs of stages/extract.py as DVC runs it: two workers against one, and growth from 1,000 clips to 30,000."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import psutil
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
START = 64  # clips, two chunks: a run of so many is the start-up of the stage and its workers and little more
POLL = 0.25  # s; looking costs time that the workers then lack


@contextmanager
def workplace() -> Iterator[Path]:
    """Make a folder with the audio of some 200 demo clips in which stages run, with the full set of functionals."""
    with tempfile.TemporaryDirectory(prefix="ser-bench-") as name:
        folder = Path(name)
        (folder / "stages").symlink_to(ROOT / "stages")
        (folder / "data/raw").mkdir(parents=True)
        set_params(folder, {"prepare": {"corpora": ["demo"]}, "demo": {"speakers": 4}}, ROOT / "params.yaml")
        run(folder, "prepare")
        clips = pd.read_csv(folder / "data/prepared/clips.csv")
        print(f"  {len(clips)} demo clips of {clips['seconds'].mean():.2f} s on average")
        (folder / "data/prepared/clips.csv").rename(folder / "clips.csv")
        (folder / "data/prepared/audio").rename(folder / "audio")
        yield folder


def set_params(folder: Path, changes: dict[str, dict], source: Path | None = None) -> None:
    """Change keys of sections of a folder's params.yaml, or of a copy of another."""
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load(source or folder / "params.yaml")
    content["extract"]["functionals"]["set"] = "full"
    for section, values in changes.items():
        content[section] |= values
    yaml.dump(content, folder / "params.yaml")


def list_clips(folder: Path, count: int) -> None:
    """Let data/prepared have so many clips: the same few again and again, but each time in files of their own.

    The files are hard links: they take no space, and are mapped one by one as those of a large corpus are.
    """
    audio = folder / "data/prepared/audio"
    audio.mkdir(exist_ok=True)
    for file in audio.iterdir():
        file.unlink()
    index = np.load(folder / "audio/index.npy")
    shards = sorted((folder / "audio").glob("shard_*.npy"))
    rounds, chosen = np.divmod(np.arange(count), len(index))
    for number in range(rounds[-1] + 1):
        for position, shard in enumerate(shards):
            os.link(shard, audio / f"shard_{number * len(shards) + position:03d}.npy")
    np.save(audio / "index.npy", index[chosen] + np.outer(rounds, [len(shards), 0, 0]))
    clips = pd.read_csv(folder / "clips.csv", dtype=str, keep_default_na=False).iloc[chosen]
    clips = clips.assign(clip=[f"demo/{row:06d}" for row in range(count)])
    clips.to_csv(folder / "data/prepared/clips.csv", index=False)


def run(folder: Path, *command: str) -> tuple[float, list[float]]:
    """Run a stage; return its seconds and the peak resident memory of each of its processes, MiB, largest first."""
    script, *arguments = command
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, f"stages/{script}.py", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    peaks: dict[int, int] = {}
    while process.returncode is None:
        for pid in process_tree(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), peak_bytes(pid))
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{script} failed:\n{process.stderr.read()[-3000:]}")
    return seconds, [round(peak / 2**20, 1) for peak in sorted(peaks.values(), reverse=True)]


def process_tree(pid: int) -> list[int]:
    """Return a process and all its descendants, by their ids."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def peak_bytes(pid: int) -> int:
    """Return the largest resident memory a process has had, mapped files included; without /proc, what it has now."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return psutil.Process(pid).memory_info().rss
    except (OSError, psutil.Error):
        return 0  # it has just ended


def extract(folder: Path, count: int, workers: int) -> tuple[float, list[float]]:
    """Run the stage extract on so many clips."""
    list_clips(folder, count)
    set_params(folder, {"compute": {"workers": workers}})
    return run(folder, "extract", "prepared")


def two_workers(folder: Path, count: int, rounds: int) -> dict:
    """Compare one worker with two, run by turns: seconds of the stage less those of the stage on a few clips."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        for workers, measured in seconds.items():
            whole, start = (extract(folder, clips, workers)[0] for clips in (count, START))
            measured.append(whole - start)
        print(f"  round {number + 1}: one worker {seconds[1][-1]:.1f} s, two {seconds[2][-1]:.1f} s", flush=True)
    one, two = median(seconds[1]), median(seconds[2])
    return {
        "clips": count - START,
        "one_worker_seconds": round(one, 2),
        "two_workers_seconds": round(two, 2),
        "ratio": round(one / two, 2),
    }


def growth(folder: Path, counts: tuple[int, int]) -> dict:
    """Compare a large corpus with a small one on two workers: time of a further clip, and peak memory.

    The small one is run before the large one and after it.
    """
    few, many = counts
    measured: dict[int, list[tuple[float, list[float]]]] = {few: [], many: [], START: []}
    for count in (START, few, many, few, START):
        measured[count].append(extract(folder, count, workers=2))
        print(f"  {count} clips: {measured[count][-1][0]:.1f} s, MiB {measured[count][-1][1]}", flush=True)
    start = median(seconds for seconds, _ in measured[START])
    runs = {}
    for count in counts:
        seconds = median(seconds for seconds, _ in measured[count])
        peaks = max((peaks for _, peaks in measured[count]), key=sum)
        runs[str(count)] = {
            "seconds": round(seconds, 2),
            "milliseconds_per_clip": round((seconds - start) / (count - START) * 1000, 3),
            "peak_mib_of_each_process": peaks,
            "peak_mib_together": round(sum(peaks), 1),
        }
    few_run, many_run = runs[str(few)], runs[str(many)]
    return {
        "workers": 2,
        "start_up_seconds": round(start, 2),
        "runs": runs,
        "time_ratio": round(many_run["milliseconds_per_clip"] / few_run["milliseconds_per_clip"], 3),
    }
