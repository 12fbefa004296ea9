"""The picture of the benchmark."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from ser.storage.whole_files import written

OURS, OTHERS = "#1f6fb4", "#9a9a9a"
LABELS = {
    "floor": "floor: decode, resample, one FFT a frame",
    "librosa": "librosa: mean MFCC, chroma, mel",
    "mean": "ours: mean",
    "compact": "ours: compact",
    "full": "ours: full",
    "eGeMAPSv02": "openSMILE: eGeMAPSv02",
    "ComParE_2016": "openSMILE: ComParE 2016",
    "log-mel": "ours: log-mel",
    "log-mel of 400": "ours: log-mel, frames as asrfront's",
    "mfcc": "ours: MFCC",
    "asrfront": "asrfront: log-mel",
    "librosa pitch": "librosa: pitch_shift",
    "librosa stretch": "librosa: time_stretch",
    "pitch": "ours: pitch",
    "stretch": "ours: stretch",
    "speed": "ours: speed (resampling)",
}


def draw_speeds(result: dict, path: Path) -> None:
    """Draw how many times faster than real time each recipe is.

    Parameters
    ----------
    result : dict
        What benchmarks/features.py writes as JSON.
    path : Path
        A PNG file.
    """
    parts = {
        "File to features": result["features"],
        "80 mel bands in memory": result["bands"],
        "Augmentation in memory": result["augmentation"],
    }
    heights = [len(part) for part in parts.values()]
    figure, axes = plt.subplots(len(parts), 1, figsize=(9, 8.5), height_ratios=heights, layout="constrained")
    for axis, (title, part) in zip(axes, parts.items(), strict=True):
        rows = sorted(part.items(), key=lambda row: row[1]["times_real_time"])
        speeds = [times["times_real_time"] for _, times in rows]
        labels = [LABELS[name] for name, _ in rows]
        bars = axis.barh(labels, speeds, color=[OURS if label.startswith("ours") else OTHERS for label in labels])
        axis.bar_label(bars, [f"{speed:,.0f}" for speed in speeds], padding=4)
        axis.set_xscale("log")
        axis.set_xlim(min(speeds) / 2, max(speeds) * 2)
        axis.set_title(title, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("times real time on one core (log)")
    corpus, machine = result["corpus"], result["machine"]
    figure.suptitle(
        f"{corpus['name']}: {corpus['clips']} clips, {corpus['seconds']:.0f} s; median of {result['rounds']} rounds; "
        f"{machine['processor']}",
        fontsize=10,
    )
    with written(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")
    plt.close(figure)
