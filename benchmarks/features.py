"""How fast and how large the features are: ours against librosa, openSMILE, asrfront and a floor, and themselves.

All recipes run on one core, by turns on the same clips: from file to vector; from samples to mel bands; augmentation.
A number is the median of the rounds, in processor time; stages run by the clock.
Writes reports/benchmarks/features.json and reports/benchmarks/features.png.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before anything loads a BLAS

import soundfile  # noqa: E402
import soxr  # noqa: E402

import recipes  # noqa: E402
import stage_runs  # noqa: E402
from charts import draw_speeds  # noqa: E402
from ser.audio.cleaning import UnusableAudioError, load_clip, to_float, to_int16  # noqa: E402
from ser.demo.synthetic_speech import demo_table, synthesize  # noqa: E402
from ser.settings.all_sections import Params, load_params  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402

REPORTS = ROOT / "reports/benchmarks"
DEMO_RATE = 48000  # Hz, that of RAVDESS
TWO_WORKERS = 4800  # clips
GROWTH = (1000, 30000)  # clips
PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "librosa", "opensmile", "asrfront")
# name → what it divides by what, and what is wanted of it; the times are those of all clips
RATIOS = {
    "full_faster_than_ComParE": ("ComParE_2016", "full", ">= 10"),
    "full_faster_than_librosa": ("librosa", "full", ">= 1.5"),
    "full_cost_over_floor": ("full", "floor", "<= 6"),
    "compact_faster_than_eGeMAPS": ("eGeMAPSv02", "compact", ">= 15"),
    "compact_cost_over_floor": ("compact", "floor", "<= 4"),
    "logmel_faster_than_asrfront": ("asrfront", "log-mel", ">= 1"),
    "mfcc_faster_than_asrfront": ("asrfront", "mfcc", ">= 1"),
    "pitch_faster_than_librosa": ("librosa pitch", "pitch", ">= 5"),
    "stretch_faster_than_librosa": ("librosa stretch", "stretch", ">= 5"),
}


def bench(audio: Path | None, clips: int, rounds: int, skip_growth: bool) -> None:
    params = load_params(ROOT / "params.yaml")
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    with tempfile.TemporaryDirectory(prefix="ser-bench-") as folder:
        paths = choose_clips(audio or write_demo(Path(folder), clips, params), clips, params)
        seconds = sum(soundfile.info(path).duration for path in paths)
        print(f"{len(paths)} clips, {seconds:.0f} s of audio, {rounds} rounds on one core")
        features = by_turns(recipes.file_recipes(params), paths, rounds)
        signals = [to_float(load_clip(path, params.prepare)) for path in paths]
    cleaned = sum(map(len, signals)) / params.prepare.sample_rate
    bands = by_turns(recipes.band_recipes(params), signals, rounds)
    changes = by_turns(recipes.change_recipes(params), signals, rounds)
    os.sched_setaffinity(0, cores)

    result = {
        "machine": describe_machine(),
        "corpus": {"name": audio.name if audio else "demo", "clips": len(paths), "seconds": round(seconds, 1)},
        "rounds": rounds,
        "features": describe_times(features, seconds),
        "bands": describe_times(bands, cleaned),
        "augmentation": describe_times(changes, cleaned),
        "ratios": ratios(features | bands | changes),
    }
    with stage_runs.workplace() as folder:
        print("stages/extract.py: two workers against one")
        result["two_workers"] = stage_runs.two_workers(folder, TWO_WORKERS, min(rounds, 3))
        result["ratios"]["two_workers_faster_than_one"] = judged(result["two_workers"]["ratio"], ">= 1.7")
        if not skip_growth:
            print(f"stages/extract.py: from {GROWTH[0]} clips to {GROWTH[1]}")
            result["growth"] = grown = stage_runs.growth(folder, GROWTH)
            peak = max(run["peak_mib_together"] for run in grown["runs"].values())
            result["ratios"]["time_of_a_clip_30000_over_1000"] = judged(grown["time_ratio"], "<= 1.15")
            result["ratios"]["peak_memory_gib"] = judged(round(peak / 1024, 3), "<= 1.5")
    write_json(result, REPORTS / "features.json")
    draw_speeds(result, REPORTS / "features.png")
    for name, ratio in result["ratios"].items():
        print(f"  {name:<32} {ratio['value']:8.2f}   wanted {ratio['wanted']:<8} {'' if ratio['met'] else 'NOT MET'}")


def write_demo(folder: Path, clips: int, params: Params) -> Path:
    """Write some clips of the demo corpus, evenly spread over it, as WAV files of 48 kHz."""
    table = demo_table(params.demo.model_dump())
    sr = params.prepare.sample_rate
    for clip in evenly(table.to_dict("records"), clips):
        y = soxr.resample(synthesize(clip, params.demo.seed, sr), sr, DEMO_RATE)
        soundfile.write(folder / f"{Path(clip['clip']).name}.wav", to_int16(y), DEMO_RATE)
    return folder


def choose_clips(folder: Path, clips: int, params: Params) -> list[Path]:
    """Choose WAV and FLAC files of a folder, evenly spread over its usable ones."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".wav", ".flac"))
    chosen = []
    for path in evenly(files, clips):
        try:
            load_clip(path, params.prepare)
        except UnusableAudioError as error:
            print(f"{path.name} is left out: {error}")
        else:
            chosen.append(path)
    if not chosen:
        raise SystemExit(f"error: no usable WAV or FLAC file in {folder}")
    return chosen


def evenly(items: Sequence, count: int) -> list:
    """Take so many items at equal distances, or all there are."""
    count = min(count, len(items))
    return [items[number * len(items) // count] for number in range(count)]


def by_turns(functions: dict[str, Callable], items: Sequence, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of processor time that each function takes for all items, round by round, all by turns.

    Processor time, as each runs in one thread: what else the machine does matters less.
    """
    for function in functions.values():  # compiles, loads and caches what there is to
        for item in items[:2]:
            function(item)
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds):
        for name, function in functions.items():
            started = time.process_time()
            for item in items:
                function(item)
            seconds[name].append(time.process_time() - started)
        print(
            f"  round {number + 1}: " + ", ".join(f"{name} {seconds[name][-1]:.3f} s" for name in functions), flush=True
        )
    return seconds


def describe_times(seconds: dict[str, list[float]], audio_seconds: float) -> dict[str, dict]:
    """Describe the rounds of each recipe: their median, least and most seconds, and the speed of the median."""
    return {
        name: {
            "seconds": round(median(values), 4),
            "least": round(min(values), 4),
            "most": round(max(values), 4),
            "times_real_time": round(audio_seconds / median(values), 1),
        }
        for name, values in seconds.items()
    }


def ratios(seconds: dict[str, list[float]]) -> dict[str, dict]:
    """Return the ratios of medians of those recipes that were run."""
    return {
        name: judged(round(median(seconds[above]) / median(seconds[below]), 2), wanted)
        for name, (above, below, wanted) in RATIOS.items()
        if above in seconds and below in seconds
    }


def judged(value: float, wanted: str) -> dict:
    """Say whether a value is as wanted, such as ``>= 10``."""
    sign, bound = wanted.split()
    return {"value": value, "wanted": wanted, "met": value >= float(bound) if sign == ">=" else value <= float(bound)}


def describe_machine() -> dict:
    """Return the processor, the cores, and the versions of Python and of the libraries that matter."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # opensmile, asrfront
    processor = models[0] if models else platform.machine()
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
    } | versions


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, help="folder of WAV or FLAC files (default: the demo corpus at 48 kHz)")
    parser.add_argument("--clips", type=int, default=40, help="how many of them, evenly spread (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each recipe runs (default: %(default)s)")
    parser.add_argument("--skip-growth", action="store_true", help="leave out the 30,000 clips, which take minutes")
    arguments = parser.parse_args()
    bench(arguments.audio, arguments.clips, arguments.rounds, arguments.skip_growth)
