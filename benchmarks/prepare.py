"""How fast the stage prepare is, audit included, and how much memory it takes: a corpus of the size of CREMA-D.

7,442 synthetic clips under CREMA-D's names, 16 kHz, 16 bits, are prepared by one worker and by two.
Writes reports/benchmarks/prepare.json.
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))

import pandas as pd  # noqa: E402
import soundfile  # noqa: E402

from ser.audio.cleaning import to_int16  # noqa: E402
from ser.compute.parallel import parallel_map  # noqa: E402
from ser.corpora.cremad import EMOTIONS, SENTENCES  # noqa: E402
from ser.demo.synthetic_speech import demo_table, synthesize  # noqa: E402
from ser.settings.compute_section import Compute  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402
from stage_runs import run, set_params  # noqa: E402

CLIPS = 7442
ACTORS = 91
RATE = 16000  # Hz


def bench(clips: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ser-bench-") as name:
        folder = Path(name)
        (folder / "stages").symlink_to(ROOT / "stages")
        seconds = write_corpus(folder / "data/raw/cremad/AudioWAV", clips)
        print(f"{clips} clips, {seconds / 60:.0f} min of audio")
        runs = {}
        for workers in (1, 2):
            changes = {"prepare": {"corpora": ["cremad"]}, "compute": {"workers": workers}}
            set_params(folder, changes, ROOT / "params.yaml")
            taken, peaks = run(folder, "prepare")
            kept = len(pd.read_csv(folder / "data/prepared/clips.csv"))
            runs[f"workers_{workers}"] = {
                "seconds": round(taken, 1),
                "clips_per_second_and_core": round(clips / taken / workers, 1),
                "clips_kept": kept,
                "peak_mib_of_each_process": peaks,
            }
            print(f"  {workers} workers: {runs[f'workers_{workers}']}", flush=True)
    machine = {"processor": platform.processor() or platform.machine(), "cores": len(os.sched_getaffinity(0))}
    result = {"clips": clips, "seconds_of_audio": round(seconds), "sample_rate": RATE, "machine": machine} | runs
    write_json(result, ROOT / "reports/benchmarks/prepare.json")


def write_corpus(folder: Path, clips: int) -> float:
    """Write synthetic speech under names of CREMA-D; return its length in s."""
    table = demo_table(
        {"seed": 1, "speakers": ACTORS, "emotions": sorted(EMOTIONS.values()), "sentences": 8, "takes": 2}
    )
    names = [
        (int(speaker[-2:]), emotion, f"{1000 + int(speaker[-2:])}_{sentence}_{code}_{intensity}")
        for speaker in table["speaker"].unique()
        for code, emotion in EMOTIONS.items()
        for sentence in sorted(SENTENCES)
        for intensity in (["LO", "MD", "HI"] if sentence == "IEO" and code != "NEU" else ["XX"])
    ]
    folder.mkdir(parents=True)
    rows = {key: group.to_dict("records") for key, group in table.groupby(["speaker", "emotion"])}
    items = [
        (rows[f"demo:s{actor:02d}", emotion].pop(), folder / f"{name}.wav") for actor, emotion, name in names[:clips]
    ]
    compute = Compute(workers=0, backend="loky", address=None)
    return sum(parallel_map(write_clip, items, compute=compute, label="write", chunk=32))


def write_clip(item: tuple[dict, Path]) -> float:
    clip, path = item
    samples = to_int16(synthesize(clip, 1, RATE))
    soundfile.write(path, samples, RATE)
    return len(samples) / RATE


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=CLIPS, help="how many (default: %(default)s)")
    bench(parser.parse_args().clips)
