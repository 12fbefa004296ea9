"""How long evaluate, the overview and report take, and how much memory: 30,000 clips, nine models and their ensemble.

100 speakers, six emotions, five folds; predictions are drawn, the audio is that of demo clips, the 121 features are
drawn. The size of the report is with and without sounds.
Writes reports/benchmarks/evaluate.json.
"""

import argparse
import os
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from drawn_features import write_features  # noqa: E402
from ser.storage.clip_tables import read_clips  # noqa: E402
from ser.storage.csv_tables import write_csv  # noqa: E402
from ser.storage.prediction_tables import write_predictions  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402
from stage_runs import list_clips, run, set_params, workplace  # noqa: E402

MODELS, SPEAKERS, FOLDS = 9, 100, 5
SEED = 1
STAGES = ("fuse", "evaluate", "overview", "report")


def bench(count: int) -> None:
    with workplace() as folder:
        list_clips(folder, count)
        write_tables(folder)
        stages = {}
        for stage in STAGES:
            seconds, peaks = run(folder, stage)
            stages[stage] = {"seconds": round(seconds, 1), "peak_mib": peaks[0]}
            print(f"  {stage}: {seconds:.1f} s, {peaks[0]:.0f} MiB", flush=True)
        size = (folder / "reports/report.html").stat().st_size
        set_params(folder, {"report": {"sounds": False}})
        run(folder, "report")
        silent = (folder / "reports/report.html").stat().st_size
    machine = {"processor": platform.processor() or platform.machine(), "cores": len(os.sched_getaffinity(0))}
    result = {"clips": count, "models": MODELS + 1, "speakers": SPEAKERS, "machine": machine} | stages
    sizes = {"report_mib": round(size / 2**20, 1), "report_mib_without_sounds": round(silent / 2**20, 1)}
    write_json(result | sizes, ROOT / "reports/benchmarks/evaluate.json")


def write_tables(folder: Path) -> None:
    """Spread the clips over speakers and folds, and draw what models of unequal skill predict."""
    clips = read_clips(folder / "data/prepared/clips.csv")
    who = np.arange(len(clips)) % SPEAKERS
    sexes = np.where(who % 2 == 0, "female", "male")
    write_csv(clips.assign(speaker=[f"demo:{n:03d}" for n in who], sex=sexes), folder / "data/prepared/clips.csv")
    folds = clips[["clip"]].copy()
    for fold in range(FOLDS):
        folds[f"fold_{fold}"] = np.select(
            [who % FOLDS == fold, (who + 1) % FOLDS == fold], ["test", "validation"], "train"
        )
    write_csv(folds, folder / "data/folds.csv")
    write_features(folder, read_clips(folder / "data/prepared/clips.csv"), "compact", SEED)
    rng = np.random.default_rng(SEED)
    emotions = sorted(clips["emotion"].unique())
    truth = pd.get_dummies(clips["emotion"])[emotions].to_numpy(dtype=float)
    for model in range(MODELS):
        parts = []
        for part, shift in (("test", 0), ("validation", 1)):
            odds = np.exp(rng.normal(size=truth.shape) + (0.8 + 0.1 * model) * truth)
            p = pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=[f"p_{emotion}" for emotion in emotions])
            rows = clips[["clip"]].assign(fold=(who + shift) % FOLDS, part=part, emotion=clips["emotion"])
            parts.append(rows.join(p))
        write_predictions(pd.concat(parts, ignore_index=True), folder / f"data/predictions/train_ml/model_{model}.csv")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=30_000, help="default: 30000")
    bench(parser.parse_args().clips)
