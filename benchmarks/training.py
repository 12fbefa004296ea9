"""Where the time of the training stages goes, and how much of it another revision takes.

Two things, each in processor seconds, as a machine that does other work too tells them best:

- a profile of one fit of every network on the first fold: importing its framework, compiling, making batches, steps
  (forward, backward, update), scoring the validation clips, writing and reading the model, predicting
- with --against REVISION, every training stage of both revisions by turns, with its wall time and its largest process

Both revisions are cloned to a temporary folder, make their own data and train on them. --overrides takes what
`ser override` takes (files of overrides/ and settings); --folds keeps the first folds only, and the fits for use.
Writes reports/benchmarks/training.json, or what --report names.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "stages"), str(ROOT / "benchmarks")]

from ruamel.yaml import YAML  # noqa: E402

from stage_runs import run  # noqa: E402

DATA = ("prepare", "split", "augment", "extract prepared", "extract augmented")
TRAINERS = ("train_ml", "train_lstm", "train_residual_keras", "train_cnn")
MODULES = {"train_lstm": "lstm", "train_residual_keras": "residual", "train_cnn": "cnn"}
KINDS = {"train_lstm": "frames", "train_residual_keras": "functionals", "train_cnn": "logmel"}


def bench(arguments: argparse.Namespace) -> None:
    """Profile, compare and write the report."""
    with tempfile.TemporaryDirectory(prefix="ser-bench-") as name:
        revisions = ["HEAD", *([arguments.against] if arguments.against else [])]
        folders = {revision: made(Path(name), revision, arguments) for revision in revisions}
        result: dict = {
            "overrides": [each.rsplit("raw.path=")[0] or "raw.path" for each in arguments.overrides],
            "folds": arguments.folds,
            "machine": {"processor": cpu_name(), "cores": len(os.sched_getaffinity(0))},
            "profile": {
                trainer: profiled(folders["HEAD"], trainer) for trainer in arguments.trainers if trainer in KINDS
            },
        }
        if arguments.against:
            result["against"] = {"revision": arguments.against, "rounds": arguments.rounds}
            result["stages"] = compared(folders, arguments)
        (ROOT / "reports/benchmarks" / arguments.report).write_text(json.dumps(result, indent=2) + "\n")


def made(parent: Path, revision: str, arguments: argparse.Namespace) -> Path:
    """Clone a revision, set its parameters and make its data."""
    folder = parent / revision
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, folder], check=True)
    subprocess.run(["git", "-C", folder, "checkout", "--quiet", "--detach", revision], check=True)
    yaml, params = YAML(), folder / "params.yaml"
    content = yaml.load(params)
    for override in arguments.overrides:
        key, equals, value = override.partition("=")
        changes = {key: YAML(typ="safe").load(value)} if equals else yaml.load(folder / f"overrides/{override}.yaml")
        for dotted, wanted in changes.items():
            *sections, last = dotted.split(".")
            section = content
            for part in sections:
                section = section[part]
            section[last] = wanted
    yaml.dump(content, params)
    for stage in DATA:
        run(folder, *stage.split())
    if arguments.folds:
        lines = (folder / "data/folds.csv").read_text().splitlines()
        kept = [",".join(line.split(",")[: 1 + arguments.folds]) for line in lines]  # no clip's name holds a comma
        (folder / "data/folds.csv").write_text("\n".join(kept) + "\n")
    print(f"  {revision}: data made", flush=True)
    return folder


def compared(folders: dict[str, Path], arguments: argparse.Namespace) -> dict:
    """Run every trainer of both revisions by turns."""
    result = {}
    for trainer in arguments.trainers:
        runs: dict[str, list[dict]] = {revision: [] for revision in folders}
        for _ in range(arguments.rounds):
            for revision, folder in folders.items():
                shutil.rmtree(folder / "data/checkpoints", ignore_errors=True)  # finished fits would be taken over
                before = children_seconds()
                seconds, peaks = run(folder, trainer)
                cpu = children_seconds() - before
                runs[revision].append({"cpu_seconds": cpu, "seconds": seconds, "peak_mib_of_a_process": peaks[0]})
                print(f"  {trainer} {revision}: {cpu:.1f} s of CPU, {seconds:.1f} s, {peaks[0]:.0f} MiB", flush=True)
        medians = {
            revision: {key: round(median(each[key] for each in measured), 2) for key in measured[0]}
            for revision, measured in runs.items()
        }
        new, old = medians.values()
        ratio = {key: round(new[key] / old[key], 3) for key in new}
        result[trainer] = medians | {"ratio": ratio}
        print(f"  {trainer}: {ratio}", flush=True)
    return result


def profiled(folder: Path, trainer: str) -> dict[str, float]:
    """Profile one fit in a process of its own."""
    code = [sys.executable, __file__, "--profile", trainer]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    output = subprocess.run(code, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    print(f"  {trainer}: {found}", flush=True)
    return found


def profile(trainer: str) -> None:
    """Print where the processor time of a fit of the first fold goes, in the current folder."""
    import importlib

    seconds: Counter[str] = Counter()

    def timed(part: str, function):
        def call(*arguments, **options):
            started = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                seconds[part] += time.process_time() - started

        return call

    from ser.settings.all_sections import load_params
    from ser.training.dataset import examples, open_dataset, rows_of_part

    params, data = load_params(Path("params.yaml")), open_dataset(KINDS[trainer])
    train = examples(data, rows_of_part(data, "fold_0", "train"), with_copies=True)
    validation = examples(data, rows_of_part(data, "fold_0", "validation"), with_copies=False)
    model, settings = MODULES[trainer], getattr(params, trainer)
    library = timed("importing", importlib.import_module)(f"ser.models.{model}")
    loop = "torch_training" if model == "lstm" else "keras_training"
    training = timed("importing", importlib.import_module)(f"ser.networks.{loop}")
    if model == "lstm":
        library.perturbed_batch = timed("batches", library.perturbed_batch)
        network, of_batch = library.LSTMNetwork, library.LSTMNetwork.forward
        in_training = timed("forward", of_batch)
        network.forward = lambda self, *inputs: (in_training if self.training else of_batch)(self, *inputs)
        training.torch.Tensor.backward = timed("backward", training.torch.Tensor.backward)
        training.torch.optim.AdamW.step = timed("update", training.torch.optim.AdamW.step)
    else:
        own_batches, own_training = library.training_batches, training.training_of

        def batches(*arguments):
            found = own_batches(*arguments)
            return found._replace(read=timed("batches", found.read))

        def compiled(*arguments):
            found = own_training(*arguments)
            first = [timed("compiling and the first step", found.steps)]  # it is traced when it is first called
            steps = timed("steps", found.steps)
            return found._replace(steps=lambda *values: (first.pop() if first else steps)(*values))

        library.training_batches = batches
        training.training_of = timed("building", compiled)
    predict_proba, options = library.predict_proba, {}
    library.predict_proba = timed("scoring", predict_proba)
    if model == "cnn":
        description = data.description
        options["sample_rate"] = description["audio"]["sample_rate"]
        options["frame_rate"] = options["sample_rate"] / description["extract"]["hop_length"]
    classes, started = len(data.classes), time.process_time()
    fitted = library.fit(train, validation, classes, settings=settings, seed=1, **options)
    fit = time.process_time() - started
    timed("writing", library.save)(fitted.model, Path("data/profiled"))
    stored = timed("reading", library.load)(Path("data/profiled"))
    timed("predicting the validation clips", predict_proba)(stored, validation.inputs)
    shutil.rmtree("data/profiled")
    about = {"examples": len(train.labels), "epochs": len(fitted.history), "fit": fit}
    print(json.dumps({key: round(value, 2) for key, value in (about | seconds).items()}))


def children_seconds() -> float:
    """Return the processor time of all processes that were started and have ended, s."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_name() -> str:
    """Return what the system calls the CPU."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="REVISION", help="compare with this revision of the repository")
    parser.add_argument("--overrides", nargs="*", default=[], help="such as: ravdess strong raw.path=/data/corpora")
    parser.add_argument("--folds", type=int, help="keep so many folds (default: all)")
    parser.add_argument("--rounds", type=int, default=1, help="of the comparison (default: %(default)s)")
    parser.add_argument("--trainers", nargs="*", default=TRAINERS, choices=TRAINERS, help="default: all")
    parser.add_argument("--report", default="training.json", help="name of the report (default: %(default)s)")
    parser.add_argument("--profile", choices=KINDS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.profile:
        profile(given.profile)
    else:
        bench(given)
