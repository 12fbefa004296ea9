"""How good the sets of functionals are: a plain logistic regression on each, and on those of openSMILE if installed.

Speaker-independent: RAVDESS in the folds of data/protocols, other corpora leaving one speaker out. StandardScaler and
LogisticRegression(C=0.01, class_weight="balanced"), normalised by the training clips (train) or each speaker by their
own mean and deviation (speaker). UAR pooled over all folds. With --part validation the model is scored on the speakers
of the fold after the tested one, and neither of the two is learnt from: what choices are to be made by.
Writes reports/benchmarks/accuracy.json (not for --part validation).
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before anything loads a BLAS: the cores are for the processes

import joblib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import recall_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from tqdm import tqdm  # noqa: E402

import recipes  # noqa: E402
from ser.audio.cleaning import UnusableAudioError, load_clip  # noqa: E402
from ser.audit.duplicates import find_duplicates  # noqa: E402
from ser.corpora.corpus_entries import read_corpus  # noqa: E402
from ser.folds.split_schemes import assign_folds  # noqa: E402
from ser.settings.all_sections import Params, load_params  # noqa: E402
from ser.storage.samples import audio_digests  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402

REPORT = ROOT / "reports/benchmarks/accuracy.json"
LEFT_OUT = ("floor", "librosa")  # recipes that are there to be timed


def compare(raw: Path, corpora: list[str], part: str) -> None:
    params = load_params(ROOT / "params.yaml")
    sets = {name: recipe for name, recipe in recipes.file_recipes(params).items() if name not in LEFT_OUT}
    result = {}
    for corpus in corpora:
        clips = usable_clips(corpus, raw, params)
        scheme = "predefined" if corpus == "ravdess" else "loso"
        os.chdir(ROOT)  # where the protocol lies
        folds = assign_folds(clips, params.split.model_copy(update={"scheme": scheme}))
        result[corpus] = {"clips": len(clips), "scheme": scheme}
        for name, recipe in sets.items():
            x = feature_table(raw, clips, recipe, f"{corpus} {name}")
            result[corpus][name] = {"features": x.shape[1]} | {
                kind: round(uar(values, clips["emotion"].to_numpy(), folds, part), 4)
                for kind, values in (("train", x), ("speaker", by_speaker(x, clips["speaker"].to_numpy())))
            }
    print_table(result, list(sets))
    if part == "test":
        write_json(result, REPORT)


def usable_clips(corpus: str, raw: Path, params: Params) -> pd.DataFrame:
    """List the clips that `prepare` would use."""
    clips, _ = read_corpus(corpus, raw)
    audio = joblib.Parallel(-1)(
        joblib.delayed(load_or_none)(raw / source, params.prepare) for source in clips["source"]
    )
    usable = [row for row, samples in enumerate(audio) if samples is not None]
    clips = clips.iloc[usable].reset_index(drop=True)
    duplicates = find_duplicates(clips, audio_digests([audio[row] for row in usable]))
    return clips.drop(index=duplicates["row"]).reset_index(drop=True)


def load_or_none(path: Path, settings) -> np.ndarray | None:
    try:
        return load_clip(path, settings)
    except UnusableAudioError:
        return None


def feature_table(raw: Path, clips: pd.DataFrame, recipe: Callable, label: str) -> np.ndarray:
    """Return the functionals of all clips, shape (clips, features)."""
    paths = tqdm([raw / source for source in clips["source"]], desc=label, unit="clip", leave=False)
    if "smile" in getattr(recipe, "keywords", {}):  # openSMILE's objects cannot be sent to another process
        return np.array([recipe(path) for path in paths], dtype=float)
    return np.array(joblib.Parallel(-1, batch_size=16)(joblib.delayed(recipe)(path) for path in paths), dtype=float)


def by_speaker(x: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Normalise each speaker's clips by their own mean and deviation."""
    table = pd.DataFrame(x).groupby(speakers)
    deviation = table.transform("std", ddof=0).to_numpy()
    return (x - table.transform("mean").to_numpy()) / np.where(deviation > 0, deviation, 1)


def uar(x: np.ndarray, emotions: np.ndarray, folds: np.ndarray, part: str) -> float:
    """Return the unweighted average recall over all folds together."""
    number = folds.max() + 1
    jobs = []
    for fold in range(number):
        scored = folds == ((fold + 1) % number if part == "validation" else fold)
        jobs.append((scored, ~scored & (folds != fold)))
    predicted = joblib.Parallel(-1)(joblib.delayed(predict)(x[learnt], emotions[learnt], x[s]) for s, learnt in jobs)
    truth = np.concatenate([emotions[scored] for scored, _ in jobs])
    return recall_score(truth, np.concatenate(predicted), average="macro")


def predict(x: np.ndarray, emotions: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=1000))
    return model.fit(x, emotions).predict(unseen)


def print_table(result: dict, sets: list[str]) -> None:
    """Print a Markdown table, a row a set."""
    columns = [(corpus, kind) for kind in ("train", "speaker") for corpus in result]
    print("| set | features | " + " | ".join(f"{corpus}, {kind}" for corpus, kind in columns) + " |")
    print("|---|---|" + "---|" * len(columns))
    for name in sets:
        scores = " | ".join(f"{result[corpus][name][kind]:.3f}" for corpus, kind in columns)
        print(f"| {name} | {next(iter(result.values()))[name]['features']} | {scores} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=Path, help="folder that holds one folder a corpus")
    parser.add_argument("corpora", nargs="+", help="names of corpora, such as ravdess")
    parser.add_argument("--part", choices=["test", "validation"], default="test", help="(default: %(default)s)")
    arguments = parser.parse_args()
    compare(arguments.raw.resolve(), arguments.corpora, arguments.part)
