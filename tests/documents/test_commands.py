"""Every command of README and docs/ is one: what is quick runs in a clone, of the rest the words are checked.

A block ```bash or ```console holds commands, in the latter behind ``$``. One that is neither run nor checked fails.
"""

import itertools
import re
import shlex
import subprocess
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from conftest import ROOT, SMALL, environment, run_stage, set_params
from dvc_clone import clone, dvc
from ser.commands.command_line import ser

pytestmark = pytest.mark.verify
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(bash|console)\n(.*?)^```", re.M | re.S)
RUN = re.compile(  # what takes less than two minutes in a small clone, and no download
    r"ser (demo|predict|timeline|adapt|show|audit|override|features|corpora|completion) .*"
    r"|dvc exp run (?!--queue|.*checkpoints|.*corpora\)).*|dvc exp apply mine"
    r"|dvc (params|metrics|plots) diff.*|dvc repro"
)
WORDS = {  # tools of others
    *("git", "cd", "source", "python", "python3", "pip", "dask", "PYTHONPATH=stages", "export", "rm", "curl", "docker"),
}


def commands() -> list[tuple[str, str]]:
    """Return every command with the name of its page, lines that go on joined, comments taken away."""
    found = []
    for page in PAGES:
        for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            lines = text.replace("\\\n", " ").splitlines()
            if kind == "console":
                lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
            for line in lines:
                if command := re.sub(r"(^|\s+)#.*", "", line).strip():
                    found += [(page.name, part.strip()) for part in re.split(r"\s+&&\s+", command)]
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A clone in which the pipeline has run on a small corpus, and is committed; and a corpus of somebody's own."""
    folder = clone(tmp_path_factory.mktemp("clone") / "ser")
    set_params(folder, SMALL | {"train_ml.models": ["svm_rbf", "logistic_regression"]})
    run = dvc(folder, "repro")
    assert run.returncode == 0, run.stderr
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "small")
    assert run_stage(folder, "demo", "../own").returncode == 0
    for file in (folder.parent / "own").rglob("*.wav"):
        target = folder.parent / "recordings/mine" / file.name.split("-")[1] / file.parent.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    (folder.parent / "corpora").mkdir()
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], cwd=folder, check=True)


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_of_the_documents_is_one(page, command, place):
    if RUN.fullmatch(command):
        if re.search("../(clips|call)", command) and not (place.parent / "clips").exists():
            assert run_stage(place, "demo", "../clips", "--speakers", "1").returncode == 0
        if "../call.wav" in command and not (place.parent / "call.wav").exists():
            clips = [soundfile.read(path)[0] for path in sorted((place.parent / "clips").rglob("*-b-1.wav"))]
            soundfile.write(place.parent / "call.wav", np.concatenate(clips), 16000)
        run = subprocess.run(["bash", "-c", command], cwd=place, env=environment(), capture_output=True, text=True)
        git(place, "restore", ".")
        assert dvc(place, "checkout").returncode == 0
        assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
        return
    words = shlex.split(re.sub(r"\$\(([^)]*)\)", "/data/corpora", command).replace("…", "x"))
    first, *rest = words
    if first == "ser":
        check_ser(rest)
    elif first == "make":
        assert subprocess.run(["make", "--dry-run", *rest], cwd=ROOT, capture_output=True).returncode == 0
    elif first == "dvc":
        check_dvc(rest, place)
    elif words[:3] == ["python", "-m", "pytest"]:
        assert (ROOT / words[-1]).is_file()
    else:
        assert first in WORDS, f"{page}: {command}: run or check it here"


def check_ser(words: list[str]) -> None:
    """Let the command read its arguments, without running it."""
    name, *arguments = words
    command = ser.get_command(click.Context(ser), name)
    assert command is not None, name
    command.make_context(name, arguments)


def check_dvc(words: list[str], place: Path) -> None:
    """Ask DVC for its help with this, and the settings' schema whether it takes those that are set."""
    nested = words[0] in ("exp", "queue", "remote")
    run = dvc(place, *words[: 1 + nested], "--help")
    assert run.returncode == 0, run.stderr
    options = [word for word in words if word.startswith("--")]
    assert [option for option in options if option not in run.stdout] == []
    settings = [value for option, value in itertools.pairwise(words) if option == "-S" and not value.startswith("+")]
    if settings:
        content = {key: re.split(",(?![^[]*])", value)[0] for key, value in (each.split("=", 1) for each in settings)}
        checked = run_stage(place, "override", *(f"{key}={value}" for key, value in content.items()))
        git(place, "restore", "params.yaml")
        assert checked.returncode == 0, checked.stderr
