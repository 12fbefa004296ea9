"""What the group level is worth and what it costs: a logistic regression with and without it, on validation speakers.

The model and the folds are those of accuracy.py; scored is the part of validation, as the default was chosen by this.
Beside the unweighted average recall (UAR) stand the shares of answers that another gain of the recordings changes with
the level, unclipped, and the UAR then: a microphone that is set or held otherwise. Prints a Markdown table.
"""

import argparse
import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import recall_score

import accuracy  # sets up the path and the threads
import recipes
from feature_tables import feature_table, usable_clips
from ser.settings.all_sections import Params, load_params
from ser.storage.recorded_level import LEVELS

MODEL = "logistic_regression"
GAIN = 12.0  # dB
SHIFTED = ("level_peak", "level_active")  # all else that is read of a recording stays as it is


def compare(raw: Path, corpora: list[str]) -> None:
    params = load_params(accuracy.ROOT / "params.yaml")
    print("| corpus | set | UAR without | UAR with `level` |", end="")
    print(f" answers changed at +{GAIN:g} dB | at -{GAIN:g} dB | UAR then |\n" + "|---" * 7 + "|", flush=True)
    os.chdir(accuracy.ROOT)  # where the protocol lies
    for corpus in corpora:
        clips = usable_clips(corpus, raw, params)
        jobs, _ = accuracy.jobs_within(corpus, clips, params, "validation")
        labels = pd.Categorical(clips["emotion"]).codes
        for name in ("compact", "full"):
            groups = [*(group for group in params.extract.functionals.groups if group != "level"), "level"]
            settings = params.extract.functionals.model_copy(update={"set": name, "groups": groups})
            recipe = partial(recipes.functional_set, params=params, settings=settings)
            x = feature_table(raw, clips, recipe, f"{corpus} {name}", params, None)
            print(f"| {corpus} | `{name}` | {row(x, labels, jobs, params)} |", flush=True)


def row(x: np.ndarray, labels: np.ndarray, jobs: list[accuracy.Job], params: Params) -> str:
    """Return the cells of a set, whose functionals `x` end with the level."""
    rest, gains = x.shape[1] - len(LEVELS), (0.0, GAIN, -GAIN)
    shifted = rest + np.array([LEVELS.index(name) for name in SHIFTED])
    without, answers = [], []
    for job in jobs:
        learnt, own, unseen = x[job.learnt], labels[job.learnt], np.repeat(x[job.scored][None], len(gains), axis=0)
        unseen[:, :, shifted] += np.array(gains)[:, None, None]
        without.append(accuracy.predict(learnt[:, :rest], own, x[job.scored, :rest], MODEL, params))
        answers.append(accuracy.predict(learnt, own, np.concatenate(unseen), MODEL, params).reshape(len(gains), -1))
    truth = labels[np.concatenate([job.scored for job in jobs])]
    usual, *others = np.concatenate(answers, axis=1)
    scores = [f"{uar(found, truth):.3f}" for found in (np.concatenate(without), usual, *others)]
    changed = [f"{100 * np.mean(found != usual):.1f} %" for found in others]
    return " | ".join([*scores[:2], *changed, ", ".join(scores[2:])])


def uar(found: np.ndarray, truth: np.ndarray) -> float:
    return recall_score(truth, found, average="macro")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=Path, help="folder that holds one folder a corpus")
    parser.add_argument("corpora", nargs="+", help="names of corpora, such as ravdess")
    arguments = parser.parse_args()
    compare(arguments.raw.resolve(), arguments.corpora)
