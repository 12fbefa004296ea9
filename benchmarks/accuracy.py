"""How good the sets of functionals are: three classifiers on each, and on those of openSMILE if it is installed.

Speaker-independent: RAVDESS in the folds of data/protocols, other corpora leaving one speaker out; then, for every two
corpora, learning from one and testing on the other, on the emotions that both show. The classifiers are logistic
regression, discriminant analysis and the RBF SVM as train_ml in params.yaml has them, with balance: weights: every
emotion counts the same, whatever the set. Normalised by the training clips (train) and, for logistic regression, each
speaker by their own mean and deviation (speaker). UAR pooled over all folds, with 95 % intervals over the speakers, and
the differences of our full set to openSMILE's sets. With --part validation the model is scored on the speakers of the
fold after the tested one, and neither of the two is learnt from: what choices are to be made by; there is then nothing
between corpora. Writes reports/benchmarks/accuracy.json (not for --part validation).
"""

import argparse
import os
import sys
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stages"))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before anything loads a BLAS: the cores are for the processes

import joblib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import recipes  # noqa: E402
from feature_tables import feature_table, usable_clips  # noqa: E402
from ser.evaluation.confusions import left_out_scores, uar  # noqa: E402
from ser.evaluation.intervals import paired_difference, score_interval  # noqa: E402
from ser.folds.split_schemes import assign_folds  # noqa: E402
from ser.models.classifiers import build_pipeline  # noqa: E402
from ser.settings.all_sections import Params, load_params  # noqa: E402
from ser.storage.whole_files import write_json  # noqa: E402

REPORT = ROOT / "reports/benchmarks/accuracy.json"
LEFT_OUT = ("floor", "librosa")  # recipes that are there to be timed
OURS, THEIRS = "full", ("ComParE_2016", "eGeMAPSv02")  # what is compared
CLASSIFIERS = ("logistic_regression", "discriminant_analysis", "svm_rbf")
NORMALIZED = ("train", "speaker")
SEED = 1  # of the principal components


class Job(NamedTuple):
    """What one model learns from and is scored on: rows of the two tables."""

    learnt: np.ndarray
    scored: np.ndarray


def compare(raw: Path, corpora: list[str], part: str, cache: Path | None) -> dict:
    """Score all sets on all corpora, print tables, and return what is in the report."""
    params = load_params(ROOT / "params.yaml")
    sets = {name: recipe for name, recipe in recipes.file_recipes(params).items() if name not in LEFT_OUT}
    clips = {corpus: usable_clips(corpus, raw, params) for corpus in corpora}
    tables = {
        corpus: {n: feature_table(raw, clips[corpus], r, f"{corpus} {n}", params, cache) for n, r in sets.items()}
        for corpus in corpora
    }
    os.chdir(ROOT)  # where the protocol lies
    result = {}
    for corpus in corpora:
        jobs, scheme = jobs_within(corpus, clips[corpus], params, part)
        result[corpus] = {"clips": len(clips[corpus]), "scheme": scheme}
        result[corpus] |= scores(tables[corpus], tables[corpus], clips[corpus], clips[corpus], jobs, params)
    for source, target in permutations(corpora, 2) if part == "test" else ():
        shared = sorted(set(clips[source]["emotion"]) & set(clips[target]["emotion"]))
        job = Job(*(np.flatnonzero(clips[corpus]["emotion"].isin(shared)) for corpus in (source, target)))
        name = f"{source} to {target}"
        result[name] = {"clips": len(job.scored), "scheme": "cross_corpus", "emotions": shared}
        result[name] |= scores(tables[source], tables[target], clips[source], clips[target], [job], params)
    print_tables(result, list(sets))
    return result


def jobs_within(corpus: str, clips: pd.DataFrame, params: Params, part: str) -> tuple[list[Job], str]:
    """Return what is learnt from and scored in each fold, and the scheme of the folds."""
    scheme = "predefined" if corpus == "ravdess" else "loso"
    folds = assign_folds(clips, params.split.model_copy(update={"scheme": scheme}))
    number, jobs = folds.max() + 1, []
    for fold in range(number):
        scored = folds == ((fold + 1) % number if part == "validation" else fold)
        jobs.append(Job(np.flatnonzero(~scored & (folds != fold)), np.flatnonzero(scored)))
    return jobs, scheme


def scores(
    learnt: dict[str, np.ndarray],
    scored: dict[str, np.ndarray],
    teachers: pd.DataFrame,
    clips: pd.DataFrame,
    jobs: list[Job],
    params: Params,
) -> dict:
    """Return the UAR of each set, normalisation and classifier, and the differences of our set to openSMILE's.

    Parameters
    ----------
    learnt, scored : dict of str to np.ndarray, shape (clips, features)
        The table of each set that models learn from, and that they are scored on: the same within a corpus.
    teachers, clips : pd.DataFrame
        The clips of both, with the columns ``emotion`` and ``speaker``.
    jobs : list of Job
    params : Params
    """
    found: dict[tuple[str, str, str], np.ndarray] = {}
    result: dict[str, dict] = {name: {"features": x.shape[1]} for name, x in learnt.items()}
    for name in learnt:
        for kind in NORMALIZED:
            x, unseen = learnt[name], scored[name]
            if kind == "speaker":
                x, unseen = by_speaker(x, teachers["speaker"]), by_speaker(unseen, clips["speaker"])
            for classifier in CLASSIFIERS if kind == "train" else CLASSIFIERS[:1]:
                confusions = confusions_of(x, unseen, teachers, clips, jobs, classifier, params)
                found[name, kind, classifier] = confusions
                result[name].setdefault(kind, {})[classifier] = with_interval(confusions)
    for other in THEIRS:
        if other in learnt and OURS in learnt:
            differences: dict[str, dict] = {}
            for kind, classifier in [key[1:] for key in found if key[0] == OURS]:
                pair = found[OURS, kind, classifier], found[other, kind, classifier]
                differences.setdefault(kind, {})[classifier] = difference(*pair)
            result[f"{OURS} less {other}"] = differences
    return result


def by_speaker(x: np.ndarray, speakers: pd.Series) -> np.ndarray:
    """Normalise each speaker's clips by their own mean and deviation."""
    table = pd.DataFrame(x).groupby(speakers.to_numpy())
    deviation = table.transform("std", ddof=0).to_numpy()
    return (x - table.transform("mean").to_numpy()) / np.where(deviation > 0, deviation, 1)


def confusions_of(
    x: np.ndarray,
    unseen: np.ndarray,
    teachers: pd.DataFrame,
    clips: pd.DataFrame,
    jobs: list[Job],
    classifier: str,
    params: Params,
) -> np.ndarray:
    """Return the confusion matrices of the scored clips of all jobs, shape (speakers, emotions, emotions)."""
    shown = clips.iloc[np.concatenate([job.scored for job in jobs])]
    emotions, truth = np.unique(shown["emotion"], return_inverse=True)
    taught = pd.Categorical(teachers["emotion"], categories=emotions).codes
    answers = joblib.Parallel(-1)(
        joblib.delayed(predict)(x[job.learnt], taught[job.learnt], unseen[job.scored], classifier, params)
        for job in jobs
    )
    who = np.unique(shown["speaker"], return_inverse=True)[1]
    shape = (who.max() + 1, len(emotions), len(emotions))
    cells = np.ravel_multi_index((who, truth, np.concatenate(answers)), shape)
    return np.bincount(cells, minlength=np.prod(shape)).reshape(shape)


def predict(x: np.ndarray, labels: np.ndarray, unseen: np.ndarray, classifier: str, params: Params) -> np.ndarray:
    """Learn from some clips and return the labels of others."""
    settings = params.train_ml.model_copy(update={"balance": "weights", "select": None})
    counts = np.bincount(labels)
    model = build_pipeline(classifier, settings, len(counts), len(x), counts.min(), x.shape[1], SEED)
    return model.fit(x, labels).predict(unseen)


def with_interval(confusions: np.ndarray) -> dict[str, float]:
    """Return the UAR and its 95 % interval; see `ser.evaluation.intervals`."""
    interval = score_interval(uar(confusions.sum(axis=0)), left_out_scores(uar, confusions), sizes=confusions.sum(-1))
    return rounded({"uar": interval.value, "low": interval.low, "high": interval.high})


def difference(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Return the difference of two UAR on the same clips, its 95 % interval and the p-value that there is none."""
    value = uar(first.sum(axis=0)) - uar(second.sum(axis=0))
    left_out = left_out_scores(uar, first) - left_out_scores(uar, second)
    return rounded(paired_difference(value, left_out, sizes=first.sum(-1))._asdict())


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in values.items()}


def print_tables(result: dict, sets: list[str]) -> None:
    """Print a Markdown table of scores, a row a set and classifier, and one of differences."""
    pairs = [(classifier, kind) for kind in NORMALIZED for classifier in CLASSIFIERS[: 3 if kind == "train" else 1]]
    heads = " | ".join(f"{name} ({result[name]['clips']})" for name in result)
    print(f"\n| set | features | classifier | {heads} |\n|---|---|---|" + "---|" * len(result))
    for name in sets:
        for classifier, kind in pairs:
            found = [result[corpus][name][kind][classifier] for corpus in result]
            cells = " | ".join(f"{one['uar']:.3f} ({one['low']:.3f} to {one['high']:.3f})" for one in found)
            label = classifier + (", by speaker" if kind == "speaker" else "")
            print(f"| {name} | {result[next(iter(result))][name]['features']} | {label} | {cells} |")
    print(f"\n| difference | classifier | {heads} |\n|---|---|" + "---|" * len(result))
    for name in (f"{OURS} less {other}" for other in THEIRS if other in sets):
        for classifier, kind in pairs:
            found = [result[corpus][name][kind][classifier] for corpus in result]
            cells = " | ".join(f"{one['value']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})" for one in found)
            print(f"| {name} | {classifier + (', by speaker' if kind == 'speaker' else '')} | {cells} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=Path, help="folder that holds one folder a corpus")
    parser.add_argument("corpora", nargs="+", help="names of corpora, such as ravdess")
    parser.add_argument("--part", choices=["test", "validation"], default="test", help="(default: %(default)s)")
    parser.add_argument("--cache", type=Path, help="folder to keep tables of functionals in (default: none are kept)")
    parser.add_argument("--output", type=Path, help=f"(default: {REPORT.relative_to(ROOT)} of the part test)")
    arguments = parser.parse_args()
    output = arguments.output or (REPORT if arguments.part == "test" else None)
    cache, output = (None if path is None else path.resolve() for path in (arguments.cache, output))
    report = compare(arguments.raw.resolve(), arguments.corpora, arguments.part, cache)
    if output is not None:
        write_json(report, output)
