"""Clips whose emotion is told by a single cue that was planted in them: at one time, or in one group of features."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from ser.corpora import ravdess
from ser.demo.synthetic_phonetics import CUES, SENTENCES
from ser.demo.synthetic_speech import synthesize
from ser.features.column_groups import feature_groups
from ser.storage.clip_tables import read_clips

SR = 16000
TONE_HZ, TONE_SECONDS, TONE_DB = 2800.0, 0.35, 0.0  # dB re the speech's root mean square
RAISED = 5.0  # semitones
BAND_HZ, BAND_DB = (4000.0, 6000.0), -10.0
CUED, PLAIN = "anger", "sadness"  # neither sounds like it: all is spoken as the demo's neutral voice
CODES = {CUED: "05", PLAIN: "04"}
CUE_KINDS = ("tone", "pitch", "band", "none")  # none: as many clips of each emotion, at random


class Planted(NamedTuple):
    """A clip: its samples, float32 at `SR`, and where its cue begins and ends in s, if it is one of time."""

    y: np.ndarray
    start: float
    end: float


def planted(number: int, cue: str, *, cued: bool) -> Planted:
    """Return a clip of two neutral sentences, another one for each number; every 24th is of the same speaker."""
    rng = np.random.default_rng([77, number])
    with pytest.MonkeyPatch.context() as patch:
        if cue == "pitch" and cued:  # of a neutral voice, which has no effect otherwise
            patch.setitem(CUES["f0_level"].effects, "neutral", RAISED)
        y = np.concatenate([synthesize(_row(number, part, rng), 5, SR) for part in range(2)]).astype(np.float64)
    level = np.sqrt(np.mean(np.square(y)))
    start, length = rng.uniform(0.3, len(y) / SR - 0.3 - TONE_SECONDS), int(TONE_SECONDS * SR)
    if cue == "tone" and cued:
        at = int(start * SR)
        tone = np.sin(2 * np.pi * TONE_HZ * np.arange(length) / SR) * np.hanning(length) ** 0.25
        y[at : at + length] += level * 10 ** (TONE_DB / 20) * np.sqrt(2) * tone
    if cue == "band" and cued:
        spectrum = np.fft.rfft(rng.standard_normal(len(y)))
        frequencies = np.fft.rfftfreq(len(y), 1 / SR)
        spectrum[(frequencies < BAND_HZ[0]) | (frequencies > BAND_HZ[1])] = 0
        noise = np.fft.irfft(spectrum, len(y))
        y += noise * level * 10 ** (BAND_DB / 20) / np.sqrt(np.mean(np.square(noise)))
    return Planted((0.5 * y / np.abs(y).max()).astype(np.float32), start, start + TONE_SECONDS)


def _row(number: int, part: int, rng: np.random.Generator) -> dict:
    return {
        "clip": f"planted-{number}-{part}",
        "speaker": f"planted:{number % 24}",
        "sex": "male" if number % 2 else "female",
        "emotion": "neutral",
        "statement": str(rng.choice(list(SENTENCES))),
    }


def write_planted(raw: Path, cue: str, clips: int) -> Path:
    """Write such clips under the names of RAVDESS, half of them with the cue; returns the folder of raw data."""
    labels = np.random.default_rng(9).permuted(np.tile([CUED, PLAIN], (24, -(-clips // 48))), axis=1)
    for number in range(clips):
        speaker, round_ = number % 24, number // 24
        emotion = labels[speaker, round_]
        taken = int((labels[speaker, :round_] == emotion).sum())  # statement, repetition and intensity count them
        codes = f"{1 + taken // 4 % 2:02d}-{1 + taken // 2 % 2:02d}-{1 + taken % 2:02d}"
        assert taken < 8 and ravdess.EMOTIONS[CODES[emotion]] == emotion
        path = raw / "ravdess" / f"Actor_{speaker + 1:02d}" / f"03-01-{CODES[emotion]}-{codes}-{speaker + 1:02d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, planted(number, cue, cued=emotion == CUED).y, SR)
    return raw


def plant_in_features(folder: Path, kind: str, group: str, by: float) -> None:
    """Move a group of features of the clips of a run, and of their copies: up where they are `CUED`, down else.

    Parameters
    ----------
    folder : Path
        Of a run whose features were extracted.
    kind, group : str
        Such as ``frames`` and ``pitch``.
    by : float
        Deviations of each column between clips.
    """
    places = [folder / "data/features" / part for part in ("prepared", "augmented")]
    own, emotions = [], []
    for place in places:
        table = "data/prepared/clips.csv" if place.name == "prepared" else "data/augmented/clips.csv"
        emotions.append(read_clips(folder / table)["emotion"].to_numpy())
        if kind == "functionals":
            own.append(list(np.load(place / "functionals.npy", mmap_mode="r+")))
        else:
            index, shards = np.load(place / kind / "index.npy"), sorted((place / kind).glob("shard_*.npy"))
            mapped = [np.load(shard, mmap_mode="r+") for shard in shards]
            own.append([mapped[shard][start : start + rows] for shard, start, rows in index])
    columns = feature_groups(json.loads((places[0] / f"{kind}.json").read_text()))[group]
    means = np.stack([np.atleast_2d(clip).mean(axis=0) for clip in own[0]])
    for clips, told in zip(own, emotions, strict=True):
        for clip, emotion in zip(clips, told, strict=True):
            clip[..., columns] += (1 if emotion == CUED else -1) * by * means.std(axis=0)[columns]
    (folder / f"{kind}-{group}.json").write_text(json.dumps((by * means.std(axis=0)).tolist()))


def with_cue(folder: Path, read: np.ndarray, kind: str, columns: np.ndarray) -> np.ndarray:
    """Return what a model reads of a clip, with the cue that `plant_in_features` gave those of `CUED`."""
    (moved,) = folder.glob(f"{kind}-*.json")
    changed = np.array(read)
    changed[..., columns] += np.array(json.loads(moved.read_text()))[columns].astype(np.float32)
    return changed
