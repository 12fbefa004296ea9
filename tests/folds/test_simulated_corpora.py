"""Splitting random corpora by every scheme: whoever is tested is a stranger, whatever the corpus looks like.

Long: `make verify` runs it.
"""

import numpy as np
import pandas as pd
import pytest

from conftest import FULL
from ser.errors import InputError
from ser.folds.split_schemes import assign_parts
from ser.settings.split_section import Split
from split import audit

CORPORA = 1500 if FULL else 150
SCHEMES = ["kfold", "loso", "holdout", "cross_corpus", "predefined", "random"]
EMOTIONS = ["anger", "fear", "happiness", "neutral", "sadness"]
NO_REMEDY = ("n_splits", "members in", "n_samples", "array")  # words of scikit-learn and NumPy

pytestmark = pytest.mark.verify


def simulate(rng: np.random.Generator) -> pd.DataFrame:
    """Draw corpora of unequal speakers who may lack emotions, be unknown, or speak in several corpora."""
    emotions = EMOTIONS[: rng.integers(2, 6)]
    lacking, unknown = rng.choice([0.0, 0.0, 0.15, 0.4]), rng.choice([0.0, 0.0, 0.0, 0.3])
    shared, skew = rng.choice([0.0, 0.0, 0.4]), rng.choice([0.0, 0.5, 1.2])
    texts = rng.integers(0, 4)
    rows = []
    for corpus in "abc"[: rng.integers(1, 4)]:
        for number in range(rng.integers(1, 9)):
            speaker = f"P{rng.integers(6)}" if rng.random() < shared else f"{corpus}:{number}"
            sex, takes = rng.choice(["female", "male", ""]), int(np.ceil(3 * rng.lognormal(0, skew)))
            shown = [emotion for emotion in emotions if rng.random() >= lacking]
            for emotion, take in ((emotion, take) for emotion in shown for take in range(min(takes, 9))):
                text = f"t{take % texts}" if texts else ""
                rows.append((corpus, "" if rng.random() < unknown else speaker, sex, emotion, text, take))
    clips = pd.DataFrame(rows, columns=["corpus", "speaker", "sex", "emotion", "statement", "take"])
    clips["seconds"] = rng.permutation(len(clips)) / 100  # no two clips are alike in all but their name
    clips["clip"] = [f"{corpus}/{row:04d}" for row, corpus in enumerate(clips["corpus"])]
    return clips.drop(columns="take").assign(fold="")


def protocol_of(clips: pd.DataFrame, rng: np.random.Generator, path) -> pd.DataFrame:
    """Write a protocol that puts most speakers into folds; of some of them the clips state the fold themselves."""
    names = sorted(set(clips["speaker"]) - {""})
    table = pd.DataFrame({"speaker": names, "fold": rng.integers(0, 4, size=len(names))})
    table = table[rng.random(len(names)) < 0.8]
    own = clips["speaker"].map(table.set_index("speaker")["fold"])
    stating = own.notna() & (rng.random(len(clips)) < rng.choice([0.0, 0.3]))
    table.to_csv(path, index=False)
    return clips.assign(fold=own.where(stating).map(lambda fold: "" if pd.isna(fold) else str(int(fold))))


def split(clips: pd.DataFrame, setting: Split) -> pd.DataFrame | None:
    """Return the parts, or None where the stage stops; then the message has to be a line for people."""
    try:
        parts = assign_parts(clips, setting)
        audit(clips, parts, setting.scheme, [f"audio {row}" for row in range(len(clips))])
    except InputError as error:
        assert "\n" not in str(error)
        assert not any(word in str(error) for word in NO_REMEDY), error
        return None
    return parts


def check(clips: pd.DataFrame, parts: pd.DataFrame, setting: Split) -> None:
    """Hold the parts against what the scheme promises."""
    folds, known = parts.iloc[:, 1:], clips["speaker"] != ""
    tests = (folds == "test").sum(axis=1)
    counts = {
        "kfold": setting.folds,
        "loso": clips["speaker"].nunique(),
        "holdout": 1,
        "cross_corpus": clips["corpus"].nunique(),
        "random": setting.folds,
    }
    assert folds.shape[1] == counts.get(setting.scheme, folds.shape[1])
    assert (tests <= 1).all() if setting.scheme in ("holdout", "predefined") else (tests == 1).all()
    for fold in folds:
        assert set(folds[fold]) == {"train", "validation", "test"}
        assert set(clips["emotion"][folds[fold] == "train"]) == set(clips["emotion"])
        if setting.scheme == "random":
            continue
        of_speaker = folds[fold][known].groupby(clips["speaker"][known]).agg(set)
        assert all(len(sides) == 1 for sides in of_speaker if "test" in sides)
        outside = [sides for sides in of_speaker if "test" not in sides]
        assert len(outside) < 2 or all(len(sides) == 1 for sides in outside)


def test_random_corpora_are_split_as_promised_or_refused_in_a_line(tmp_path, capsys):
    refused = dict.fromkeys(SCHEMES, 0)
    parted = 0
    for number in range(CORPORA):
        rng = np.random.default_rng(number)
        drawn = simulate(rng)
        if drawn["emotion"].nunique() < 2:
            continue
        for scheme in SCHEMES:
            values = {"folds": int(rng.integers(2, 8)), "seed": number, "predefined": str(tmp_path / "protocol.csv")}
            values |= {name: float(rng.choice([0.1, 0.25, 0.5])) for name in ("test_fraction", "validation_fraction")}
            setting = Split(scheme=scheme, **values)
            clips = protocol_of(drawn, rng, tmp_path / "protocol.csv") if scheme == "predefined" else drawn
            parts = split(clips, setting)
            order = rng.permutation(len(clips))
            moved = clips.iloc[order].assign(clip=[f"x/{name}.flac" for name in rng.permutation(len(clips))])
            again = split(moved.reset_index(drop=True), setting)
            assert (again is None) == (parts is None)
            refused[scheme] += parts is None
            if parts is None:
                continue
            check(clips, parts, setting)
            assert again["clip"].tolist() == moved["clip"].tolist()
            assert again.iloc[:, 1:].equals(parts.iloc[order, 1:].reset_index(drop=True))
            if scheme == "cross_corpus":
                corpora = clips.groupby("speaker")["corpus"].nunique()
                assert corpora.max() == 1
            parted += 1
        capsys.readouterr()
    with capsys.disabled():
        print(f"\n{CORPORA} corpora: {parted} splits hold; refused: {refused}")
    assert all(count < 0.9 * CORPORA for count in refused.values())
