"""How long the overview takes, a map of all clips and the most telling features: 1,500 and 30,000 clips.

Each with the compact and the full set of features, in one thread; features are drawn, of 100 speakers and six emotions.
Writes reports/benchmarks/clip_map.json.
"""

import argparse
import os
import platform
import resource
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from drawn_features import write_features  # noqa: E402
from ser.storage.csv_tables import write_csv  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402
from stage_runs import run  # noqa: E402

EMOTIONS = ("anger", "boredom", "fear", "happiness", "neutral", "sadness")
SPEAKERS = 100
SEED = 1


def bench(counts: list[int], sets: list[str]) -> None:
    rows = []
    for count in counts:
        for chosen in sets:
            with tempfile.TemporaryDirectory(prefix="ser-bench-") as name:
                folder = Path(name)
                (folder / "stages").symlink_to(ROOT / "stages")
                clips = drawn_clips(count)
                write_csv(clips, folder / "data/prepared/clips.csv")
                columns = write_features(folder, clips, chosen, SEED)
                before = processor_seconds()
                seconds, peaks = run(folder, "overview")
                used = processor_seconds() - before
            row = {"clips": count, "features": columns, "seconds": round(seconds, 1)}
            rows.append(row | {"processor_seconds": round(used, 1), "peak_mib": peaks[0]})
            print(f"  {count} clips, {columns} features: {seconds:.1f} s, {used:.1f} s of a core, {peaks[0]:.0f} MiB")
    machine = {"processor": platform.processor() or platform.machine(), "cores": len(os.sched_getaffinity(0))}
    write_json({"speakers": SPEAKERS, "machine": machine, "runs": rows}, ROOT / "reports/benchmarks/clip_map.json")


def processor_seconds() -> float:
    """Return what the processes that have ended took of a core: on a busy machine far less than the time they ran."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def drawn_clips(count: int) -> pd.DataFrame:
    who = np.arange(count) % SPEAKERS
    how = np.arange(count) // SPEAKERS % len(EMOTIONS)
    names = [f"drawn/{number:06d}" for number in range(count)]
    speakers = [f"drawn:{number:03d}" for number in who]
    return pd.DataFrame({"clip": names, "corpus": "drawn", "speaker": speakers, "emotion": np.array(EMOTIONS)[how]})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[1500, 30_000])
    parser.add_argument("--sets", nargs="+", default=["compact", "full"])
    arguments = parser.parse_args()
    bench(arguments.clips, arguments.sets)
