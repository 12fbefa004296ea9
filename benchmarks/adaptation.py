"""What adapting brings: models of one corpus moved to another, with and without labels, and how often moods are told.

Run in a clone in which two corpora were crossed and trained, the report to be written last:

    ser override cross_corpus extract.functionals.set=full raw.path=$(realpath ../corpora)
    dvc repro
    python benchmarks/adaptation.py                    # recordings without labels, and simulated moods
    python benchmarks/adaptation.py --draws 5          # also with 20 labelled clips of two people, drawn so often

Writes reports/benchmarks/adaptation_<set>.json and .md. Before and after are of the same clips; intervals are over
speakers. With labels, the people who gave any are tested neither before nor after.
"""

import argparse
import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pandas as pd
from tqdm import tqdm

from ser.adaptation.adapted_description import reference_of
from ser.adaptation.adapted_graph import adapt, probabilities_of
from ser.adaptation.moods import effort, shows_one_mood
from ser.evaluation.comparisons import compare_uar
from ser.folds.split_schemes import labelled_parts
from ser.networks.batches import Examples
from ser.settings.all_sections import load_params
from ser.storage.clip_tables import read_clips
from ser.storage.prediction_tables import predicted_emotions
from ser.storage.samples import to_float
from ser.storage.seeds import derive_seed, generator
from ser.storage.shards import Ragged
from ser.training.adapted_folds import GRAPH, saved_graph
from ser.training.dataset import DATA, Dataset, examples, fold_names, open_dataset, rows_of_part, take
from ser.training.labelled_refit import refit_with_labels
from ser.training.learnt_again import MODULES, own_settings
from training import cpu_name

KINDS = {"train_lstm": "frames", "train_cnn": "logmel"}  # others read functionals
OWN = 200  # clips of its own corpus that a model is adapted to
SIMULATIONS, SIZES = 100, ((40, 6), (100, 10))  # of moods: draws of each kind; clips, of so many people at most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=0, help="of people who give labels")
    arguments = parser.parse_args()
    params, clips = load_params(), read_clips(DATA / "prepared/clips.csv")
    found = {"moods": moods(clips), "recordings": [], "labels": []}
    for trainer, module in MODULES.items():
        data = open_dataset(KINDS.get(trainer, "functionals"))
        for folder in sorted(path for path in (DATA / "models" / trainer).iterdir() if path.is_dir()):
            for fold in fold_names(data):
                found["recordings"].append(by_recordings(folder, data, fold))
                print(json.dumps(found["recordings"][-1]), flush=True)
            if arguments.draws:
                row = by_labels(folder, module, data, params, arguments.draws)
                found["labels"] += row
                print(json.dumps(row), flush=True)
    name = f"adaptation_{params.extract.functionals.set}"
    found["machine"] = cpu_name()
    place = Path("reports/benchmarks")
    (place / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
    (place / f"{name}.md").write_text(as_markdown(found))


def by_recordings(folder: Path, data: Dataset, fold: str) -> dict:
    """Return the UAR of a fold's model before and after, on the tested corpus; and on validation speakers of its own,
    adapted to clips that it learnt from.
    """
    model, reference = read(folder / fold)
    test, validation = (rows_of_part(data, fold, part) for part in ("test", "validation"))
    inputs = take(data.inputs, test)
    adapted = adapt(model, inputs, reference)
    before, after = (table_of(each, data, test) for each in (model, adapted.model))
    difference = compare_uar(after, before, data.clips, confidence=0.95)
    learnt = np.flatnonzero(rows_of_part(data, fold, "train"))
    some = np.isin(np.arange(len(test)), generator(1, folder.name, fold).permutation(learnt)[:OWN])
    own = adapt(model, take(data.inputs, some), reference)
    return {
        "model": folder.name,
        "tested": data.clips.loc[test, "corpus"].iloc[0],
        "before": uar(before),
        "after": uar(after),
        "change": round(difference.value, 4),
        "low": round(difference.low, 4),
        "high": round(difference.high, 4),
        "inputs_moved": adapted.inputs_moved,
        "own_before": uar(table_of(model, data, validation)),
        "own_after": uar(table_of(own.model, data, validation)),
    }


def by_labels(folder: Path, module: str, data: Dataset, params, draws: int) -> list[dict]:
    """Return the UAR over people who gave no labels, without and with those of others, by draw and fold."""
    library, trainer = importlib.import_module(module), folder.parent.name
    own, rows = own_settings(params, trainer, folder.name), []

    for fold in fold_names(data):
        model, reference = read(folder / fold)
        epochs = json.loads((folder / fold / "model.json").read_text())["epochs"]
        train = examples(data, rows_of_part(data, fold, "train"), with_copies=True)
        test = rows_of_part(data, fold, "test")
        adapted = adapt(model, take(data.inputs, test), reference)
        seed = derive_seed(params.train.seed, trainer, folder.name, fold)

        def fit(more: Examples, seed=seed, epochs=epochs):
            fitted = library.fit(more, None, len(data.classes), seed=seed, epochs=epochs, checkpoint=None, **own)
            return saved_graph(library, fitted.model)

        for draw in tqdm(range(draws), desc=f"{folder.name} {fold}", delay=3):
            setting = SimpleNamespace(labelled_speakers=2, labelled_clips=20, seed=draw)
            parts = labelled_parts(data.clips[test], setting, int(fold.removeprefix("fold_")))
            given, others = np.zeros_like(test), np.zeros_like(test)
            given[test], others[test] = parts == "labelled", parts == "test"
            labelled = examples(data, given, with_copies=False)
            again, share = refit_with_labels(
                model, adapted, reference, train, labelled, None if hasattr(library, "network_layers") else fit
            )
            rows.append(
                {
                    "model": folder.name,
                    "tested": data.clips.loc[test, "corpus"].iloc[0],
                    "draw": draw,
                    "share": share,
                    "without": uar(table_of(adapted.model, data, others)),
                    "with": uar(table_of(again, data, others)),
                }
            )
    return rows


def moods(clips: pd.DataFrame) -> list[dict]:
    """Return by corpus how many of simulated sets of recordings, of one mood and of all, are taken for one mood."""
    audio, sr = (
        Ragged.open(DATA / "prepared/audio"),
        json.loads((DATA / "prepared/audio.json").read_text())["sample_rate"],
    )
    efforts = np.stack([effort(to_float(audio[row]), sr) for row in tqdm(range(len(clips)), desc="effort", delay=3)])
    found = []
    for corpus in sorted(clips["corpus"].unique()):
        for size in SIZES:
            counts = {"one": 0, "mixed": 0}
            for number in range(SIMULATIONS):
                for kind in counts:
                    rows = drawn(clips, corpus, kind, size, generator(1, corpus, kind, number))
                    speakers = clips["speaker"].to_numpy()[rows]
                    counts[kind] += shows_one_mood(efforts[rows], speakers, synthetic=corpus == "demo")
            found.append({"corpus": corpus, "size": size} | {f"warned_{kind}": n for kind, n in counts.items()})
    return found


def drawn(clips: pd.DataFrame, corpus: str, kind: str, size: tuple[int, int], draw: np.random.Generator) -> np.ndarray:
    """Return the rows of clips of a few speakers: of one emotion that is drawn, or as they come."""
    own = clips[clips["corpus"] == corpus]
    people = draw.permutation(np.unique(own["speaker"]))[: size[1]]
    own = own[own["speaker"].isin(people)]
    if kind == "one":
        own = own[own["emotion"] == draw.choice(np.unique(own["emotion"]))]
    return draw.permutation(own.index.to_numpy())[: size[0]]


def read(folder: Path) -> tuple:
    """Return a model's graph and what it expects."""
    description = json.loads((folder / "model.json").read_text())
    return onnx.load_model(folder / GRAPH), reference_of(description, folder)


def table_of(model, data: Dataset, rows: np.ndarray) -> pd.DataFrame:
    """Return a graph's predictions of clips as a prediction table."""
    probabilities = probabilities_of(model, take(data.inputs, rows))
    table = data.clips.loc[rows, ["clip", "emotion"]].reset_index(drop=True).assign(fold=0, part="test")
    return pd.concat([table, pd.DataFrame(probabilities, columns=[f"p_{name}" for name in data.classes])], axis=1)


def uar(table: pd.DataFrame) -> float:
    """Return the unweighted average recall of a prediction table."""
    right = predicted_emotions(table) == table["emotion"]
    return round(float(right.groupby(table["emotion"]).mean().mean()), 4)


def as_markdown(found: dict) -> str:
    """Return the tables."""
    lines = [f"Written by `python benchmarks/adaptation.py`; {found['machine']}.", "", "## Without labels", ""]
    lines += [f"*Its own corpus*: what {OWN} clips that it learnt from change, on validation speakers.", ""]
    lines += [
        "| model | tested | before | after | change (95 % interval) | adapted to its own corpus |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['model']} | {row['tested']} | {row['before']:.3f} | {row['after']:.3f} | {row['change']:+.3f} "
        f"({row['low']:+.3f} to {row['high']:+.3f}) | {row['own_after'] - row['own_before']:+.3f} |"
        for row in found["recordings"]
    ]
    if found["labels"]:
        table = pd.DataFrame(found["labels"])
        mean = table.groupby(["model", "tested"], sort=False)[["without", "with", "share"]].mean()
        lines += ["", "## With 20 labelled clips of two people", ""]
        lines += [f"The mean of {table['draw'].nunique()} draws of these; tested on all others.", ""]
        lines += ["| model | tested | without | with | change | share of the weight |", "|---|---|--:|--:|--:|--:|"]
        lines += [
            f"| {model} | {tested} | {row['without']:.3f} | {row['with']:.3f} | {row['with'] - row['without']:+.3f} | "
            f"{row['share']:.2f} |"
            for (model, tested), row in mean.iterrows()
        ]
    lines += ["", "## One mood", ""]
    lines += [f"{SIMULATIONS} sets of each kind: of one emotion, or as clips come.", ""]
    lines += ["| corpus | clips, speakers at most | of one mood: warned | mixed: warned |", "|---|--:|--:|--:|"]
    lines += [
        f"| {row['corpus']} | {row['size'][0]}, {row['size'][1]} | {row['warned_one']} | {row['warned_mixed']} |"
        for row in found["moods"]
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
