"""Split: which clips train, validate and test the model of each fold.

Reads   data/prepared/
Writes  data/folds.csv: a row a clip, a column a fold, in it train, validation or test
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ser.errors import InputError, stage_errors
from ser.folds.split_schemes import assign_parts, shared_between_parts, stated_folds
from ser.settings.params_file import load_sections
from ser.settings.split_section import Split
from ser.storage.clip_tables import read_clips, speakers_in_words
from ser.storage.csv_tables import write_csv
from ser.storage.samples import audio_digests
from ser.storage.shards import Ragged

PREPARED = Path("data/prepared")
SPEAKER_DEPENDENT = ("random", "predefined")  # schemes that may put one speaker on two sides; evaluate reports it


def split() -> None:
    params = load_sections(split=Split)
    clips = read_clips(PREPARED / "clips.csv")
    digests = audio_digests(Ragged.open(PREPARED / "audio"))
    folds = assign_parts(clips.assign(audio=digests), params.split)
    audit(clips, folds, params.split.scheme, digests)
    write_csv(folds, "data/folds.csv")
    if params.split.scheme == "predefined" and (note := stated_folds(clips, params.split.predefined)[1]):
        print(note)
    describe(clips, folds)
    if warning := uneven_validation(folds, params.split.validation_fraction):
        print(warning)


def audit(clips: pd.DataFrame, folds: pd.DataFrame, scheme: str, digests: Sequence[str]) -> None:
    """Stop if a fold leaks; where the scheme or the corpus allows no better, say so."""
    shared = shared_between_parts(clips, folds, digests)
    tested = shared["parts"].str.contains("test")
    leaks = shared[tested & ((shared["kind"] == "audio") | (scheme not in SPEAKER_DEPENDENT))]
    if len(leaks):
        leak = leaks.iloc[0]
        remedy = "take all but one of these clips away"
        if leak["kind"] == "speaker":
            remedy = "split.scheme kfold or loso keeps speakers apart"
            if scheme == "cross_corpus":
                remedy = f"the corpora share people: {remedy}; or take corpora out of prepare.corpora"
        raise InputError(
            f"{leak['fold']}: {leak['kind']} {leak['value']} is in {leak['parts']} (leaks: {len(leaks)}); {remedy}"
        )
    if tested.any() or (clips["speaker"] == "").any():
        why = "the same speakers are trained and tested on" if tested.any() else "the speakers are unknown"
        print(f"\033[31msplit: speaker-dependent: {why}; scores will be far too high\033[0m")
    elif len(shared):
        print("split: too few speakers: validation clips have the training clips' speakers (test clips do not)")
    else:
        print("split: no speaker and no audio is in two parts of a fold")


def describe(clips: pd.DataFrame, folds: pd.DataFrame) -> None:
    """Print the size of every part, and how many clips are never tested."""
    for fold in folds.columns[1:]:
        counts = []
        for part in ("train", "validation", "test"):
            speakers = clips.loc[(folds[fold] == part).to_numpy(), "speaker"]
            counts.append(f"{part} {len(speakers)} clip{'s' * (len(speakers) != 1)} of {speakers_in_words(speakers)}")
        print(f"  {fold}: {', '.join(counts)}")
    untested = (folds.iloc[:, 1:] != "test").all(axis=1).sum()
    print(f"  {untested} of {len(clips)} clips are tested in no fold")


def uneven_validation(folds: pd.DataFrame, wanted: float) -> str:
    """Say which fold validates by far more or fewer clips than was asked; an empty text where none does."""
    found = {fold: (folds[fold] == "validation").sum() / (folds[fold] != "test").sum() for fold in folds.columns[1:]}
    fold, share = max(found.items(), key=lambda each: abs(np.log(each[1] / wanted)))
    if wanted / 2 <= share <= 2 * wanted:
        return ""
    return (
        f"split: warning: {fold} validates by {share:.0%} of the clips that it does not test, "
        f"split.validation_fraction is {wanted:.0%}: its speakers are few or very unequal; "
        "another split.seed may do better"
    )


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        split()
