"""What a prediction costs, beside another revision: a cold start, a folder, a clip in a process that runs already.

Both revisions are cloned to a temporary folder and train on the demo corpus (a fold, and the models for use). Then, by
turns:

- cold: processor seconds of the whole process that predicts one clip, by every model of MODELS
- folder: the same for 240 clips, by the SVM and the CNN
- warm: wall seconds for one 3 s clip in a process that has loaded the SVM on the set full, file to probabilities

and what a cold start imports: the packages by model, with the seconds that each takes to import.
Writes reports/benchmarks/prediction.json.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from ruamel.yaml import YAML

from training import children_seconds, cpu_name

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "e919297"  # had no command `ser`, no graph of a network, and no ensemble to predict with
MODELS = {
    "svm_rbf": "train_ml",
    "lightgbm": "train_ml",
    "discriminant_analysis": "train_ml",
    "lstm": "train_lstm",
    "residual": "train_residual_keras",
    "cnn": "train_cnn",
    "ensemble": "fuse",
}
STAGES = ("prepare", "split", "augment", "extract prepared", "extract augmented", *dict.fromkeys(MODELS.values()))
FOLDER = ("svm_rbf", "cnn")
WARM = """
import json, sys, time
import numpy as np
times = []
for _ in range({rounds}):
    started = time.perf_counter()
    predict()
    times.append(time.perf_counter() - started)
print(json.dumps(sorted(times)[len(times) // 2]))
"""
WARM_NOW = """
import ser
model = ser.load("data/models/train_ml/svm_rbf")
def predict():
    return model.predict({clip!r}).probabilities
"""
WARM_BEFORE = """
import importlib, sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, "stages")
import predict as command
folder = Path("data/models/train_ml/svm_rbf")
description = command.read_description(folder)
library = importlib.import_module(command.LIBRARIES[description["trainer"]])
model, bar = library.load(folder), SimpleNamespace(update=lambda: None)
def predict():
    inputs = command.read_inputs({{0: Path({clip!r})}}, description["input"], bar)
    together = command.stacked(list(inputs.values()), description["input"]["kind"])
    return command.adjust(library.predict_proba(model, together), description["class_factors"])
"""


def bench(rounds: int, warm_rounds: int) -> None:
    """Train, measure by turns, and write the report."""
    with tempfile.TemporaryDirectory(prefix="ser-bench-") as name:
        folders = {revision: clone(Path(name), revision) for revision in ("HEAD", BEFORE)}
        for folder in folders.values():
            train(folder, STAGES)
        ser(folders["HEAD"], "demo", f"{name}/clips", "--speakers", "4")
        clips = Path(name) / "clips"
        clip = min(clips.rglob("*.wav"))
        report = {
            "machine": {"processor": cpu_name(), "cores": len(os.sched_getaffinity(0))},
            "cold": {model: cold(folders, model, clip, rounds) for model in MODELS},
            "folder": {
                "clips": len([*clips.rglob("*.wav")]),
                **{model: cold(folders, model, clips, max(rounds // 3, 1)) for model in FOLDER},
            },
            "imports": {model: imports(folders["HEAD"], model, clip) for model in MODELS},
        }
        y, sr = soundfile.read(clip)
        long_clip = Path(name) / "clip.wav"
        soundfile.write(long_clip, np.resize(y, 3 * sr), sr)
        for folder in folders.values():
            set_params(folder, {"extract": {"functionals": {"set": "full"}}, "train_ml": {"models": ["svm_rbf"]}})
            train(folder, ("extract prepared", "extract augmented", "train_ml"))
        report["warm"] = warm(folders, long_clip, rounds, warm_rounds)
        (ROOT / "reports/benchmarks/prediction.json").write_text(json.dumps(report, indent=2) + "\n")


def clone(parent: Path, revision: str) -> Path:
    """Clone a revision, with one fold of the demo corpus."""
    folder = parent / revision
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, folder], check=True)
    subprocess.run(["git", "-C", folder, "checkout", "--quiet", "--detach", revision], check=True)
    set_params(folder, {"split": {"scheme": "holdout"}})
    return folder


def set_params(folder: Path, changes: dict) -> None:
    """Change settings of a clone."""
    yaml = YAML()
    content = yaml.load(folder / "params.yaml")
    for section, values in changes.items():
        for key, value in values.items():
            if isinstance(value, dict):
                content[section][key].update(value)
            else:
                content[section][key] = value
    yaml.dump(content, folder / "params.yaml")


def train(folder: Path, stages: tuple[str, ...]) -> None:
    """Run stages of a clone."""
    for stage in stages:
        name, *arguments = stage.split()
        code = [sys.executable, f"stages/{name}.py", *arguments]
        subprocess.run(code, cwd=folder, env=environment(folder), check=True, stdout=subprocess.DEVNULL)
        print(f"  {folder.name}: {stage}", flush=True)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which a clone's own library is imported, and nothing is set that libraries read."""
    kept = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    return kept | {"PYTHONPATH": str(folder / "stages"), "TF_CPP_MIN_LOG_LEVEL": "3"}


def ser(folder: Path, *arguments: str | Path) -> None:
    """Run a command of HEAD."""
    command = [sys.executable, "-m", "ser.commands", *arguments]
    subprocess.run(command, cwd=folder, env=environment(folder), check=True, capture_output=True)


def command_of(revision: str, folder: Path, model: str, path: Path) -> list[str]:
    """Return what predicts files in a revision."""
    program = ["-m", "ser.commands", "predict"] if revision == "HEAD" else ["stages/predict.py"]
    return [sys.executable, *program, str(path), "--model", f"data/models/{MODELS[model]}/{model}"]


def cold(folders: dict[str, Path], model: str, path: Path, rounds: int) -> dict:
    """Measure whole processes of both revisions by turns, in processor seconds; the first round warms the disk."""
    seconds: dict[str, list[float]] = {revision: [] for revision in folders}
    for turn in range(rounds + 1):
        for revision, folder in folders.items():
            if revision == "HEAD" or model != "ensemble":
                before = children_seconds()
                command = command_of(revision, folder, model, path)
                subprocess.run(command, cwd=folder, env=environment(folder), check=True, capture_output=True)
                seconds[revision] += [children_seconds() - before] if turn else []
    found = {revision: round(median(each), 3) for revision, each in seconds.items() if each}
    if len(found) == 2:
        found["ratio"] = round(found["HEAD"] / found[BEFORE], 3)
    print(f"  {path.name} by {model}: {found}", flush=True)
    return found


def warm(folders: dict[str, Path], clip: Path, rounds: int, predictions: int) -> dict:
    """Measure predictions of a process that has loaded the model, in wall seconds, by turns."""
    seconds: dict[str, list[float]] = {revision: [] for revision in folders}
    for _ in range(rounds):
        for revision, folder in folders.items():
            start = (WARM_NOW if revision == "HEAD" else WARM_BEFORE).format(clip=str(clip))
            command = [sys.executable, "-c", start + WARM.format(rounds=predictions)]
            run = subprocess.run(
                command, cwd=folder, env=environment(folder), check=True, stdout=subprocess.PIPE, text=True
            )
            seconds[revision].append(float(run.stdout))
    found = {revision: round(median(each), 5) for revision, each in seconds.items()}
    found["ratio"] = round(found["HEAD"] / found[BEFORE], 3)
    print(f"  warm: {found}", flush=True)
    return found


def imports(folder: Path, model: str, clip: Path) -> dict[str, float]:
    """Return the packages that a cold start imports, with the seconds that each takes by itself and what it imports."""
    command = command_of("HEAD", folder, model, clip)
    command.insert(1, "-Ximporttime")
    run = subprocess.run(command, cwd=folder, env=environment(folder), check=True, capture_output=True, text=True)
    lines = re.findall(r"import time:\s+(\d+) \|\s+\d+ \| +([\w.]+)$", run.stderr, re.MULTILINE)
    own: dict[str, float] = {}
    for microseconds, module in lines:
        package = module.split(".")[0]
        if package not in sys.stdlib_module_names:
            own[package] = own.get(package, 0.0) + int(microseconds) / 1e6
    return {package: round(seconds, 3) for package, seconds in sorted(own.items(), key=lambda item: -item[1])}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="of every comparison (default: %(default)s)")
    parser.add_argument("--warm-rounds", type=int, default=200, help="predictions of a process (default: %(default)s)")
    options = parser.parse_args()
    bench(options.rounds, options.warm_rounds)
