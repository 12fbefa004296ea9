"""No test clip teaches anything: all of a fold's are replaced, and its models and what is learnt after them stay.

With all switched on that makes more models or learns after them: refit, inner models, seeds, copies to answer by,
calibrated members, weights of the ensemble.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import FULL, run_stage, workplace
from tiny_encoders import TINY

EVERYTHING = {
    "augment__answers": ["speed 0.92"],
    "train__refit": True,
    "train__importance_repeats": 1,
    "train_ml__tune": True,
    "train_ml__grid": {"logistic_regression": {"C": [0.001, 0.1]}},
    "train_ml__select": 40,
    "train_ml__mlp__seeds": 2,
    "train_lstm__patience": 1,
    "train_lstm__seeds": 2,
    "train_residual_keras__seeds": 2,
    "train_cnn__patience": 1,
    "train_cnn__seeds": 2,
    "fuse__method": "weights",
    "fuse__calibrate": True,
    "fuse__powers": [0.0, 1.0],
}
TRAINERS = ("train_ml", "train_lstm", "train_residual_keras", "train_cnn")
SCHEMES = ("kfold", "holdout", "loso", "predefined", "random", "cross_corpus")
DATA = ("split", "augment", "extract prepared", "extract augmented")


def run(folder: Path, *steps: str) -> None:
    for step in steps:
        done = run_stage(folder, *step.split())
        assert done.returncode == 0, done.stderr


def replace_test_clips(folder: Path) -> pd.Series:
    """Replace whatever the data tell of the test clips of the first fold and their copies; return which these are."""
    folds = pd.read_csv(folder / "data/folds.csv", dtype=str)
    names = set(folds.loc[folds["fold_0"] == "test", "clip"])
    rng = np.random.default_rng(9)
    for part, owner in (("prepared", "clip"), ("augmented", "parent")):
        path = folder / f"data/{part}/clips.csv"
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        rows = table[owner].isin(names).to_numpy()
        emotions = sorted(set(table["emotion"]))
        following = dict(zip(emotions, [*emotions[1:], emotions[0]], strict=True))
        table.loc[rows, "emotion"] = table.loc[rows, "emotion"].map(following)
        table.to_csv(path, index=False)
        features = folder / "data/features" / part
        spoil(features / "functionals.npy", rows, rng)
        if part == "prepared":
            spoil(folder / "data/prepared/recordings.npy", rows, rng)
        for place in (features / "frames", features / "logmel", folder / f"data/{part}/audio"):
            index = np.load(place / "index.npy")
            for number, shard in enumerate(sorted(path for path in place.glob("*.npy") if path.stem != "index")):
                touched = np.zeros(len(np.load(shard, mmap_mode="r")), dtype=bool)
                for _, start, length in index[rows & (index[:, 0] == number)]:
                    touched[start : start + length] = True
                spoil(shard, touched, rng)
    return folds["fold_0"] == "test"


def spoil(path: Path, rows: np.ndarray, rng: np.random.Generator) -> None:
    values = np.load(path)
    scale = 3000 if values.dtype == np.int16 else 30  # samples, or features
    values[rows] = (scale * rng.standard_normal(values[rows].shape)).astype(values.dtype)
    np.save(path, values)


def left(folder: Path) -> tuple[dict[str, bytes], dict[str, list[str]]]:
    """Return what the models of the first fold are made of, and the validation rows of every model in it."""
    parts = {}
    for path in sorted((folder / "data/models").rglob("*")):
        inside = path.relative_to(folder / "data/models")
        if path.is_file() and len(inside.parts) > 3 and inside.parts[2] == "fold_0" and path.suffix != ".md":
            parts[str(inside)] = without_scores(path)
    return parts, rows_of(folder, "validation")


def rows_of(folder: Path, part: str) -> dict[str, list[str]]:
    """Return the first fold's rows of a part by model."""
    tables = sorted((folder / "data/predictions").glob("*/*.csv"))
    return {path.stem: [line for line in path.read_text().splitlines() if f",0,{part}," in line] for path in tables}


def probabilities(rows: list[str]) -> list[list[str]]:
    """Return what a model answers, without the emotion that a clip is said to show."""
    return [row.split(",")[4:] for row in rows]


def without_scores(path: Path) -> bytes:
    """Return a file's content; of model.json all but what the fold's test rows tell."""
    if path.name != "model.json":
        return path.read_bytes()
    description = json.loads(path.read_text())
    description["scores"].pop("test_uar")
    description.pop("certainty")
    return json.dumps(description).encode()


def check(folder: Path, models: int, trainers: tuple[str, ...] = TRAINERS) -> None:
    """Train, replace the test clips of the first fold, train again and compare."""
    steps = (*trainers, "fuse")
    run(folder, *steps)
    (before, rows), answers = left(folder), rows_of(folder, "test")
    test = replace_test_clips(folder)
    run(folder, *steps)
    after, rows_after = left(folder)
    assert 0 < test.sum() < len(test)
    assert len({path.split("/")[1] for path in before}) == models == len(rows)
    assert before.keys() == after.keys()
    assert [path for path in before if before[path] != after[path]] == []
    assert rows == rows_after and all(rows.values())
    replaced = rows_of(folder, "test")
    assert all(probabilities(answers[model]) != probabilities(replaced[model]) for model in answers)  # they were read


def test_every_trainer(tmp_path):
    folder = workplace(tmp_path / "work", **EVERYTHING)
    run(folder, "prepare", *DATA)
    check(folder, models=11)


@pytest.mark.verify
def test_heads_on_encoders_and_encoders_that_learn(tmp_path):
    transformers = pytest.importorskip("transformers")
    changes = {
        "train_transformer__checkpoints": {"tiny": "encoder"},
        "train_transformer__modes": ["frozen", "fine_tuned"],
        "train_transformer__frozen__seeds": 2,
        "train_transformer__frozen__epochs": 3,
        "train_transformer__fine_tuned__epochs": 2,
        "train_ml__models": ["logistic_regression"],
        "train_ml__tune": False,
    }
    folder = workplace(tmp_path / "work", **EVERYTHING | changes)
    transformers.WavLMModel(transformers.WavLMConfig(**TINY)).save_pretrained(folder / "encoder")
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(folder / "encoder")
    run(folder, "prepare", *DATA)
    stages = ("train_transformer tiny frozen", "train_transformer tiny fine_tuned", "gather_transformers")
    check(folder, models=4, trainers=("train_ml", *stages))


@pytest.mark.verify
@pytest.mark.parametrize("inner_models", [1, 3] if FULL else [3])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_protocol(tmp_path, small_ravdess, scheme, inner_models):
    changes = EVERYTHING | {"split__scheme": scheme, "train__inner_models": inner_models, "compute__workers": 1}
    if scheme == "cross_corpus":
        changes |= {"raw__path": str(small_ravdess), "prepare__corpora": ["demo", "ravdess"]}
        changes |= {"prepare__emotions": "shared"}
    folder = workplace(tmp_path / "work", **changes)
    run(folder, "prepare")
    if scheme == "predefined":
        clips = pd.read_csv(folder / "data/prepared/clips.csv", dtype=str)
        speakers = sorted(set(clips["speaker"]))
        protocol = pd.DataFrame({"speaker": speakers, "fold": np.arange(len(speakers)) % 2})
        protocol.to_csv(folder / "data/protocols/ravdess_emobox.csv", index=False)
    run(folder, *DATA)
    check(folder, models=11)
