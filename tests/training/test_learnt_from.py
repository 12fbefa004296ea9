"""What a model's folder says it learnt from, and which recordings lie outside."""

import numpy as np
import pandas as pd
import pytest

from ser.prediction.unfamiliar_recordings import usual_of, why_unfamiliar
from ser.storage.shards import Ragged
from ser.training.dataset import Dataset
from ser.training.learnt_from import BEYOND, learnt_from, usual_recordings

NAMES = ["level, dBFS", "clipped, %", "1000-2000 Hz, dB"]
SPEAKERS, CLIPS, COLUMNS = 10, 40, 6


def dataset(speakers: int = SPEAKERS, *, kind: str = "functionals", known: bool = True) -> Dataset:
    """Speakers with a level and a spectrum of their own; the last is of another corpus."""
    rng = np.random.default_rng(1)
    number = np.repeat(np.arange(speakers), CLIPS)
    clips = pd.DataFrame({"clip": np.arange(len(number)).astype(str), "language": np.where(number % 2, "de", "")})
    clips["corpus"] = np.where(number == speakers - 1, "demo", "mine")
    clips["speaker"] = [f"x:{n}" if known else "" for n in number]
    of_speaker = 0.5 * rng.normal(size=(speakers, 3))
    recordings = of_speaker[number] + rng.normal(size=(len(number), 3)) + [-30, 0, -10]
    recordings[:, 1] = 0
    inputs = (rng.normal(size=(speakers, COLUMNS))[number] + rng.normal(size=(len(number), COLUMNS))).astype(np.float32)
    if kind != "functionals":
        lengths = np.full(len(number), 5)
        index = np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1)
        inputs = Ragged([np.repeat(inputs, 5, axis=0)], index)
    corpora = {"mine": {"licence": "", "synthetic": False}, "demo": {"licence": "CC0", "synthetic": True}}
    origin = {"profile": NAMES, "corpora": corpora}
    none = pd.DataFrame()
    description = {"kind": kind} if kind == "audio" else {"kind": kind, "names": list("abcdef")}
    return Dataset(clips, none, none, ["a"], inputs, inputs, description, inputs, recordings.astype("f4"), origin)


def test_corpora_people_languages_and_licences_are_told():
    data = dataset()
    rows = np.arange(len(data.clips)) >= (SPEAKERS - 3) * CLIPS
    assert learnt_from(data, rows) == {
        "clips": 3 * CLIPS,
        "speakers": 3,
        "corpora": {
            "demo": {"clips": CLIPS, "speakers": 1, "languages": ["de"], "licence": "CC0", "synthetic": True},
            "mine": {"clips": 2 * CLIPS, "speakers": 2, "languages": ["de"], "licence": "", "synthetic": False},
        },
    }


def unfamiliar(data: Dataset, rows: np.ndarray, others: np.ndarray, shift: np.ndarray | float = 0.0) -> float:
    """Return the share of other recordings, changed by so much, that are unlike those of `rows`."""
    usual = usual_recordings(data, rows)
    inputs = [None if data.description["kind"] == "audio" else data.raw_inputs[row] for row in np.flatnonzero(others)]
    reasons = [
        why_unfamiliar(usual_of(usual), profile + shift, values)
        for profile, values in zip(data.recordings[others], inputs, strict=True)
    ]
    return np.mean([bool(reason) for reason in reasons])


@pytest.mark.parametrize("kind", ["functionals", "frames", "audio"])
def test_few_of_other_speakers_lie_outside_and_all_that_is_far(kind):
    data = dataset(kind=kind)
    rows = np.repeat(np.arange(SPEAKERS) < SPEAKERS - 2, CLIPS)
    assert unfamiliar(data, rows, ~rows) <= 0.1
    for shift in ([-15, 0, 0], [0, 1, 0], [0, 0, 15]):
        assert unfamiliar(data, rows, ~rows, np.array(shift)) == 1


def test_inputs_far_from_their_mean_are_told_with_their_range():
    data = dataset()
    rows = np.ones(len(data.clips), dtype=bool)
    usual = usual_recordings(data, rows)
    assert usual["names"] == [*NAMES, BEYOND]
    reasons = why_unfamiliar(usual_of(usual), data.recordings[0], data.raw_inputs[0] + 100)
    assert reasons["inputs beyond 3 deviations"].startswith("inputs beyond 3 deviations 100 % (usual: ")


def test_the_worst_comes_first_and_not_all_is_told():
    usual = {"names": ["a, x", "b, x", "c, x", "d, x", "e, x"], "low": [0] * 5, "high": [1] * 5}
    reasons = why_unfamiliar(usual_of(usual), np.array([0.5, 2.0, 9.0, 3.0, 4.0]), np.zeros(9))
    assert [*reasons.values()] == [*(f"{x} x (usual: 0 to 1)" for x in ("c 9", "e 4", "d 3")), "and 1 more"]
    assert why_unfamiliar(usual_of(usual), np.full(5, 0.5), np.zeros(9)) == {}


@pytest.mark.parametrize(("speakers", "known"), [(1, True), (10, False)])
def test_without_speakers_to_leave_out_ranges_are_wide(speakers, known):
    data = dataset(speakers, known=known)
    everything = np.ones(len(data.clips), dtype=bool)
    assert unfamiliar(data, everything, everything) == 0
