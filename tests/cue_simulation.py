"""Simulated corpora of which nothing tells the emotions, or one number does: what does the audit report?"""

from collections import Counter
from unittest import mock

import numpy as np
import pandas as pd
from scipy import stats

from ser.audit import label_leaks
from ser.audit.label_leaks import measure_cues

CLIPS = (60, 200, 1000)
CLIPS_OF_A_SPEAKER = 20  # on average
EMOTIONS = ("anger", "boredom", "fear", "happiness", "neutral", "sadness")


def balanced(clips: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return a corpus as actors record it: all speakers say some sentences in each of four emotions."""
    speaker = np.arange(clips) // CLIPS_OF_A_SPEAKER
    emotion = np.resize(np.repeat(np.arange(4), CLIPS_OF_A_SPEAKER // 4), clips)
    statement = np.resize(np.arange(5), clips)
    return recorded(speaker, emotion, statement, np.full(clips, "WAV PCM_16"), rng)


def unbalanced(clips: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return a corpus as it is found: some speak much, most little, mostly neutral, each into a device of their own."""
    speakers = max(clips // CLIPS_OF_A_SPEAKER, 3)
    speaker = np.sort(rng.choice(speakers, clips, p=rng.dirichlet(np.full(speakers, 1.0))))
    emotion = rng.choice(len(EMOTIONS), clips, p=np.array([4, 2, 2, 3, 8, 3]) / 22)
    encoding = rng.choice(["WAV PCM_16", "MP4 AAC", "OGG VORBIS"], speakers)[speaker]
    table = recorded(speaker, emotion, rng.integers(clips // 4, size=clips), encoding, rng)
    return table.assign(speaker=np.where(rng.random(clips) < rng.choice([0.0, 0.0, 0.1, 1.0]), "", table["speaker"]))


def one_sided(clips: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return a corpus of speakers who show mostly one emotion each; only the speaker tells it."""
    speakers = max(clips // CLIPS_OF_A_SPEAKER, 3)
    speaker = np.arange(clips) % speakers
    usual = np.resize(np.arange(4), speakers)
    emotion = np.where(rng.random(clips) < 0.7, usual[speaker], rng.integers(4, size=clips))
    return recorded(speaker, emotion, np.resize(np.arange(7), clips), np.full(clips, "WAV PCM_16"), rng)


def several(clips: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return two corpora of the same emotions, of other rates and levels."""
    one, other = (balanced(clips // 2, rng) for _ in range(2))
    other = other.assign(corpus="d", speaker="d" + other["speaker"].str[1:], level_db=other["level_db"] - 10)
    return pd.concat([one.assign(sample_rate=16000), other.assign(sample_rate=48000)], ignore_index=True)


DRAWN = {"balanced": balanced, "unbalanced": unbalanced, "one-sided": one_sided, "several": several}


def recorded(speaker, emotion, statement, encoding, rng) -> pd.DataFrame:
    """Return clips with numbers that sound alike within speakers, some of them rare, rough or long-tailed."""
    clips, speakers = len(speaker), speaker.max() + 1

    def number(alike):
        """Return standard-normal numbers of which a share of the variance is that between speakers."""
        of_speakers = rng.standard_normal(speakers)[speaker]
        return np.sqrt(alike) * of_speakers + np.sqrt(1 - alike) * rng.standard_normal(clips)

    level = number(0.5)
    names = pd.Series(speaker).map("c:{}".format)
    return pd.DataFrame({
        "corpus": "c", "speaker": names, "emotion": np.take(EMOTIONS, emotion), "statement": statement.astype(str),
        "encoding": encoding, "seconds": np.exp(0.3 * number(0.3)),
        "leading_zeros": np.exp(number(0.2)) * (number(0.5) > 1.5), "trailing_zeros": np.floor(number(0.9)),
        "peak_db": level + 0.3 * number(0.5), "level_db": level, "level_active": level + 0.2 * number(0.5),
        "dc": np.cbrt(number(0.95)), "clipped": np.maximum(number(0.5) - 2, 0),
        "bandwidth": 8000 + 100 * np.round(number(0.8)), "sample_rate": 48000, "channels": 1 + (number(1.0) > 1),
    })  # fmt: skip


def shuffled(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the clips with the emotions of each speaker shuffled among the speaker's clips."""
    emotions = table.groupby(["corpus", "speaker"])["emotion"].transform(lambda of_one: rng.permutation(of_one))
    return table.assign(emotion=emotions)


def planted(table: pd.DataFrame, excess: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return the clips with lengths that tell the emotions with a UAR of so much above chance, by the best rule.

    Of two neighbouring emotions the lengths are a standard deviation times `distance` apart; the best rule is right in
    P(within half a distance) of the inner ones and P(not beyond half a distance) of the two outer ones.
    """
    codes, count = np.unique(table["emotion"], return_inverse=True)[1], table["emotion"].nunique()
    distance = 2 * stats.norm.ppf(0.5 + ((1 / count + excess) * count - 1) / (2 * (count - 1)))
    return table.assign(seconds=rng.permutation(count)[codes] * distance + rng.standard_normal(len(table)))


def reported(table: pd.DataFrame, seed: int) -> set[str]:
    """Return the cues that the audit reports.

    The trees take most of its time, and the test does not depend on them: where no cue would be reported if each told
    all emotions, none is.
    """
    with mock.patch.object(label_leaks, "_numeric_votes", lambda values, emotions, folds: np.ones(len(values))):
        possible = measure_cues(table, seed)
    if (possible["verdict"] == "").all():
        return set()
    cues = measure_cues(table, seed)
    return set(cues.loc[cues["verdict"] != "", "cue"])


def count_reported(draw, clips: int, runs: int) -> Counter:
    """Count the corpora of shuffled emotions in which something is reported, by what and, as ``any``, in all."""
    found = Counter({"any": 0})
    for run in range(runs):
        rng = np.random.default_rng([clips, run])
        cues = reported(shuffled(draw(clips, rng), rng), run)
        found.update({"any": bool(cues), **dict.fromkeys(cues, 1)})
    return found
