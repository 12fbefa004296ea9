"""Overview: a map of all clips, and the features that tell their emotions apart, before and beside any model.

Reads   data/prepared/clips.csv, data/features/prepared/functionals.*
Writes  data/overview/: map.csv (the place of each clip), features.json (the telling features, the most telling first),
        speakers.csv (their medians by speaker and emotion), neighbours.json (how alike the nearest clips are);
        reports/telling_features.csv (quantiles of these features by emotion)
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from ser.errors import stage_errors
from ser.overview.clip_map import MANY, NEAREST, alike, clip_map, nearest_clips, principal_components
from ser.overview.feature_words import unit_and_meaning
from ser.overview.telling_features import distributions, speaker_medians, telling_features
from ser.storage.clip_tables import read_clips
from ser.storage.csv_tables import write_csv
from ser.storage.whole_files import write_json

FEATURES, FOLDER = Path("data/features/prepared"), Path("data/overview")
LABELS = ("emotion", "speaker", "corpus")


def overview() -> None:
    clips = read_clips("data/prepared/clips.csv")
    inputs = np.load(FEATURES / "functionals.npy", mmap_mode="r")
    names = json.loads((FEATURES / "functionals.json").read_text(encoding="utf-8"))["names"]
    write_map(clips, inputs)
    write_features(clips, inputs, names)


def write_map(clips: pd.DataFrame, inputs: np.ndarray) -> None:
    if len(clips) > MANY:
        print(f"overview: {len(clips)} clips are placed on a map, which takes a minute or more", flush=True)
    components = principal_components(inputs)
    neighbours = nearest_clips(components) if components.shape[1] else None
    places = clip_map(components, neighbours)
    write_csv(pd.DataFrame({"clip": clips["clip"], "x": places[:, 0], "y": places[:, 1]}), FOLDER / "map.csv")
    found = {name: alike(neighbours, clips[name].to_numpy(dtype=str)) for name in LABELS} if neighbours else {}
    shares = {
        name: {"nearest": round(share, 4), "others": round(chance, 4)}
        for name, (share, chance) in ((name, pair) for name, pair in found.items() if pair)
    }
    write_json({"nearest": NEAREST, "alike": shares}, FOLDER / "neighbours.json")
    told = [f"{share['nearest']:.0%} have its {name} ({share['others']:.0%} of all)" for name, share in shares.items()]
    print(f"overview: a map of {len(clips)} clips; of the {NEAREST} nearest to a clip " + (", ".join(told) or "none"))


def write_features(clips: pd.DataFrame, inputs: np.ndarray, names: list[str]) -> None:
    emotions, speakers = (clips[name].to_numpy(dtype=str) for name in ("emotion", "speaker"))
    # clips of unknown speakers are taken together by corpus: its microphone at least is the same
    voices = np.where(speakers != "", "speaker " + speakers, "corpus " + clips["corpus"].to_numpy(dtype=str))
    found = telling_features(inputs, emotions, voices)
    values = np.asarray(inputs[:, found.columns])
    chosen = [names[column] for column in found.columns]
    explained = found.explained[found.columns].round(4)
    about = [
        {"feature": name, "explained": share, **dict(zip(("unit", "meaning"), unit_and_meaning(name), strict=True))}
        for name, share in zip(chosen, explained.tolist(), strict=True)
    ]
    write_json({"of": len(names), "features": about}, FOLDER / "features.json")
    tables = {
        "reports/telling_features.csv": distributions(values, emotions),
        FOLDER / "speakers.csv": speaker_medians(values, emotions, speakers),
    }
    for path, table in tables.items():
        feature = np.array(chosen, dtype=str)[table.pop("number").to_numpy(dtype=int)]
        write_csv(table.assign(feature=feature)[["feature", *table.columns]], path)
    told = [f"{name} {share:.2f}" for name, share in zip(chosen, explained, strict=True)]
    print(f"  share of the variance within voices that goes with the emotion: {', '.join(told[:4]) or 'none'}")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        overview()
