"""The stages of pretrained encoders as DVC sees them: none by default, and nothing stale when a checkpoint goes.

A small repository with the real dvc.yaml, as far as it matters here, and trainers that write tables and no models.
"""

import shutil
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, set_params
from toy_repository import run

TRAINER = """
import sys
from pathlib import Path

name, models = sys.argv[1], Path("data/models") / sys.argv[2]
rows = [f"c{row},0,{part},anger,0.{row},0.{10 - row}" for row, part in ((6, "test"), (7, "test"), (8, "validation"))]
table = "clip,fold,part,emotion,p_anger,p_fear\\n" + "\\n".join(rows) + "\\n"
for folder in [models, *map(Path, sys.argv[3:])]:
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("predictions", "history", "importance"):
        (folder / f"{kind if folder == models else name}.csv").write_text(table)
if name == "svm":
    Path("data/prepared").mkdir(exist_ok=True)
    clips = "".join(f"c{row},x:{row},,anger,1\\n" for row in (6, 7, 8))
    Path("data/prepared/clips.csv").write_text("clip,speaker,statement,emotion,seconds\\n" + clips)
with open("trained.log", "a") as log:
    log.write(name + "\\n")
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("matrix") / "repository"
    shutil.copytree(ROOT / "stages", folder / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "stages/trainer.py").write_text(TRAINER)
    (folder / ".gitignore").write_text("/data/?*\n/trained.log\n__pycache__/\n")
    shutil.copy(ROOT / ".dvcignore", folder)
    shutil.copy(ROOT / "params.yaml", folder)
    set_params(folder, {"fuse.method": "mean"})  # three clips are too few to learn weights from
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    matrix = stages["train_transformer"]
    matrix["deps"] = ["stages/trainer.py"]
    model = matrix["outs"][0].removeprefix("data/models/")
    matrix["cmd"] = f"python stages/trainer.py {model.split('/')[-1]} {model}"
    classical = {
        "cmd": "python stages/trainer.py svm train_ml data/predictions/train_ml",
        "deps": ["stages/trainer.py"],
        "outs": ["data/models/train_ml", "data/predictions/train_ml", "data/prepared/clips.csv"],
    }
    fuse = stages["fuse"]
    others = ("data/predictions/train_cnn", "data/predictions/train_lstm", "data/predictions/train_residual_keras")
    fuse["deps"] = [dep for dep in fuse["deps"] if dep not in others]
    names = ("train_transformer", "gather_transformers")
    pipeline = {"train_ml": classical} | {name: stages[name] for name in names} | {"fuse": fuse}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": pipeline}))
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "git", "config", "user.name", "t")
    run(folder, "git", "config", "user.email", "t@t")
    run(folder, "dvc", "init", "-q")
    run(folder, "dvc", "config", "core.analytics", "false")
    output = run(folder, "dvc", "repro")
    assert "is empty" not in output  # DVC's warning of empty folders
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "results")


def transformers(folder: Path, table: str = "predictions") -> list[str]:
    return sorted(path.name for path in (folder / "data" / table / "train_transformer").glob("*.csv"))


def trained(folder: Path) -> list[str]:
    return (folder / "trained.log").read_text().split()


@pytest.mark.verify
def test_checkpoints_come_and_go(repository):
    """One test for the history of one repository: every step starts where the last one ended."""
    assert transformers(repository) == []
    assert trained(repository) == ["svm"]
    lock = (repository / "dvc.lock").read_bytes()
    ensemble = (repository / "data/predictions/fuse/ensemble.csv").read_bytes()

    output = run(
        repository, "dvc", "exp", "run", "-S", "+train_transformer.checkpoints.tiny=someone/tiny-base@refs/pr/1"
    )
    assert "train_transformer@tiny-frozen" in output
    assert "ensemble of 2 models" in output
    for table in ("predictions", "history", "importance"):
        assert transformers(repository, table) == ["tiny_frozen.csv"]
    assert "up to date" in run(repository, "dvc", "status")
    commit(repository)

    fresh = repository.parent / "fresh"
    run(repository, "git", "clone", "-q", ".", str(fresh))
    assert "Data and pipelines are up to date" in run(fresh, "dvc", "repro", "--dry", "--allow-missing")

    output = run(repository, "dvc", "exp", "run", "--temp", "-S", "train_transformer.modes=[frozen,fine_tuned]")
    assert "Running stage 'train_transformer@tiny-fine_tuned'" in output
    assert "Running stage 'train_transformer@tiny-frozen'" not in output
    assert "ensemble of 3 models" in output
    assert transformers(repository) == ["tiny_frozen.csv"]

    set_params(repository, {"train_transformer.fine_tuned.epochs": 2})  # not the mode that was trained
    assert "up to date" in run(repository, "dvc", "status")

    set_params(repository, {"train_transformer.checkpoints": {}})
    run(repository, "dvc", "repro")
    assert transformers(repository) == []
    assert not (repository / "data/models/train_transformer").exists()
    assert (repository / "data/predictions/fuse/ensemble.csv").read_bytes() == ensemble
    assert "up to date" in run(repository, "dvc", "status")
    first, now = (yaml.safe_load(text)["stages"] for text in (lock, (repository / "dvc.lock").read_bytes()))
    assert {name: now[name] for name in first} == first

    set_params(repository, {"train_transformer.checkpoints": {"tiny": "someone/tiny-base@refs/pr/1"}})
    run(repository, "dvc", "repro")
    assert transformers(repository) == ["tiny_frozen.csv"]
    assert trained(repository) == ["svm", "tiny_frozen"]  # it came out of DVC's cache
