"""Augment: changed copies of every clip. They are training material only; no model is ever scored on them.

But for the copies of augment.answers, which no model learns from: an answer is the mean over a clip and these.

Reads   data/prepared/, and the recordings in augment.noise_folder and augment.room_folder where augment.kinds and
        augment.noise ask for them
Writes  data/augmented/clips.csv (with the columns parent and recipe; the recorded level is that of the parent, with the
        gain of a copy at another level) and data/augmented/audio/. With augment.answers there is the column use,
        learning or answering, and the copies to answer by come last, one recipe after another, each in the order of
        the clips
"""

import argparse
import math
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ser.augmentation.answer_copies import answer_copy
from ser.augmentation.changed_copies import augment as augment_audio
from ser.augmentation.changed_copies import draw_kinds, require_recordings
from ser.compute.parallel import parallel_map
from ser.errors import stage_errors
from ser.settings.augment_section import Augment
from ser.settings.compute_section import Compute
from ser.settings.params_file import load_sections
from ser.storage.clip_tables import read_audio_settings, read_clips, recorded_levels
from ser.storage.csv_tables import write_csv
from ser.storage.recorded_level import LEVELS
from ser.storage.samples import to_float, to_int16
from ser.storage.seeds import generator
from ser.storage.shards import Ragged, RaggedWriter

PREPARED = Path("data/prepared")
AUGMENTED = Path("data/augmented")


def augment() -> None:
    params = load_sections(augment=Augment, compute=Compute)
    settings = params.augment
    sr = read_audio_settings()["sample_rate"]
    require_recordings(sr, settings)
    clips = read_clips(PREPARED / "clips.csv")
    copies = pd.concat([copies_to_learn_from(clips, settings.copies), *copies_to_answer_by(clips, settings.answers)])

    items = list(zip(copies.index, copies["parent"], copies["number"], copies["recipe"], strict=True))
    recorded = recorded_levels(copies)
    work = partial(make_copy, audio=Ragged.open(PREPARED / "audio"), settings=settings, sr=sr)
    results = parallel_map(work, items, compute=params.compute, label="augment", chunk=32)
    recipes, seconds, levels = [], [], []
    with RaggedWriter(AUGMENTED / "audio") as writer:
        for level, (samples, recipe, gain_db) in zip(recorded, results, strict=True):
            writer.append(samples)
            recipes.append(recipe)
            seconds.append(len(samples) / sr)
            levels.append(level.amplified(gain_db))
    copies = copies.assign(seconds=np.array(seconds, dtype=float), recipe=recipes)
    copies[[*LEVELS]] = np.array(levels, dtype=float).reshape(-1, len(LEVELS))
    columns = [*clips.columns, "parent", "recipe", *(["use"] if settings.answers else [])]
    write_csv(copies[columns], AUGMENTED / "clips.csv")
    kinds = Counter(recipe.split(" ")[0] for recipe in recipes)
    print(f"augment: {len(copies)} copies of {len(clips)} clips", dict(sorted(kinds.items())))


def copies_to_learn_from(clips: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the rows of `count` copies of each clip, whose recipes will be drawn: `number` is that of the copy."""
    copies = clips.loc[clips.index.repeat(count)].rename(columns={"clip": "parent"})
    copies["number"] = copies.groupby("parent").cumcount() + 1
    copies.insert(0, "clip", copies["parent"] + "#" + copies["number"].astype(str))
    return copies.assign(recipe="", use="learning")


def copies_to_answer_by(clips: pd.DataFrame, recipes: list[str]) -> list[pd.DataFrame]:
    """Return for each recipe the rows of the copies of all clips."""
    copies = clips.rename(columns={"clip": "parent"})
    return [
        copies.assign(clip=copies["parent"] + f"#a{number}", number=number, recipe=recipe, use="answering")
        for number, recipe in enumerate(recipes, start=1)
    ]


def make_copy(
    item: tuple[int, str, int, str], audio: Ragged, settings: Augment, sr: int
) -> tuple[np.ndarray, str, float]:
    """Return samples, recipe and gain of a copy: row of its parent, name of that, number of the copy, recipe or "".

    The gain in dB is what a recording at another level has over the parent; other changes are no matter of level.
    """
    row, parent, number, recipe = item
    if recipe:
        return answer_copy(audio[row], sr, recipe), recipe, 0.0
    kind = draw_kinds(settings, generator(settings.seed, parent))[number - 1]
    y = to_float(audio[row])
    copy, recipe = augment_audio(y, sr, kind, settings, generator(settings.seed, parent, number))
    gain_db = 20 * math.log10(np.abs(copy).max() / np.abs(y).max()) if kind == "gain" else 0.0
    return to_int16(copy), recipe, gain_db


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        augment()
