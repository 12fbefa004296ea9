"""Trials as DVC experiments: run one in a copy of the repository, read its score.

Every function works on the repository that the process runs in (its root is the working directory).
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ser.errors import InputError
from ser.settings.overrides import format_value

VALIDATION = "reports/validation.json"
LOCKS: list[int] = []  # open files whose locks an experiment holds, too: it outlives a search that is killed
PATIENCE = 60  # s that an interrupted `dvc exp run` gets to tidy up


class TrialError(Exception):
    """An experiment that failed; the message is its reason."""


@contextmanager
def interruptible(folder: Path) -> Iterator[None]:
    """Run a search or an ablation until it is done or interrupted (SIGINT, SIGTERM), which is an `InputError`.

    Nothing else that keeps its files in `folder` runs in this repository meanwhile; `InputError` if something does.
    """
    if not Path(".dvc").is_dir():
        raise InputError(f"{Path.cwd()} is not the root of a DVC repository: run it from there")
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs ignore the first
        signal.signal(number, signal.default_int_handler)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                f"another {folder.name} runs in this repository, or an experiment of one that was killed: wait for it, "
                "or interrupt it"
            ) from None
        try:
            LOCKS.append(lock.fileno())
            yield
        except KeyboardInterrupt:
            raise InputError("interrupted: the workspace is as it was; run it again to go on") from None
        finally:
            LOCKS.remove(lock.fileno())


def require_finished_commit(*, without: str = "") -> str:
    """Return the commit that the workspace holds; `InputError` unless all of it is committed and reproduced.

    In a fresh clone, whose cache is empty, DVC 3.67 cannot restore a stage of an experiment from the run-cache.

    Parameters
    ----------
    without : str
        See `require_clean`.
    """
    require_clean(without=without)
    status = subprocess.run([sys.executable, "-m", "dvc", "status", "--json"], capture_output=True, text=True)
    if status.returncode:
        raise InputError(f"dvc status fails: {_reason(status.stderr)}")
    if changed := list(json.loads(status.stdout or "{}")):
        raise InputError(
            f"{', '.join(changed[:3])} would run again: `dvc repro` and commit first, it is what to compare with"
        )
    return _git("rev-parse", "HEAD").strip()


def require_clean(commit: str | None = None, *, without: str = "") -> None:
    """Raise `InputError` if files that git knows were changed, or if HEAD is no longer `commit`.

    Files in the folder `without`, of which no experiment takes notice, may be.
    """
    exceptions = ["--", ".", f":(exclude){without}"] if without else []
    changed = _git("status", "--porcelain", "--untracked-files=no", *exceptions).splitlines()
    if changed:
        names = ", ".join(line[3:] for line in changed[:3]) + (", …" if len(changed) > 3 else "")
        raise InputError(
            f"uncommitted changes ({names}): commit them, or `git restore --staged --worktree . && dvc checkout`; "
            "they would become part of every experiment"
        )
    if commit is not None and _git("rev-parse", "HEAD").strip() != commit:
        raise InputError(
            f"HEAD is no longer {commit[:7]}, which the experiments start from: check it out, or start anew"
        )


def run_experiment(
    name: str, commit: str, settings: dict[str, Any], copied: list[str], log: Path, stages: Sequence[str] = ()
) -> bool:
    """Run the pipeline with some settings changed as the experiment `name`, in a copy of the repository.

    One of that name with the same settings is kept; with others it is of an older search and removed.

    Parameters
    ----------
    name : str
    commit : str
        That the experiment starts from: the workspace's.
    settings : dict
        Values by dotted key.
    copied : list of str
        Paths that the copy needs and neither git nor DVC has; see `ser.experiments.copied_inputs`.
    log : Path
        What the run prints.
    stages : sequence of str
        Run only these and those that they depend on; by default all.

    Returns
    -------
    bool
        Whether it ran now.

    Raises
    ------
    TrialError
        The run failed.
    InputError
        Another DVC command keeps the repository locked.
    """
    if experiment_exists(name, commit):
        if _has_settings(name, commit, settings):
            return False
        subprocess.run([sys.executable, "-m", "dvc", "exp", "remove", "--quiet", name], check=True)
    overrides = [part for key, value in settings.items() for part in ("-S", f"{key}={format_value(value)}")]
    copies = [part for path in copied for part in ("-C", path)]
    command = [sys.executable, "-m", "dvc", "exp", "run", "--temp", "--name", name, *overrides, *copies, *stages]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        code = _run_interruptibly(command, output)
    if not experiment_exists(name, commit):
        reason = _reason(log.read_text(errors="replace"))
        if "Unable to acquire lock" in reason:  # not the settings' fault
            raise InputError(f"another DVC command is at work in this repository: run this again after it ({log})")
        if code < 0:  # nor is this
            raise InputError(f"the experiment {name} was killed (signal {-code}; {log}): run this again to go on")
        raise TrialError(f"{reason} (exit {code}; {log})")
    return True


def apply_experiment(name: str) -> None:
    """Bring an experiment into the workspace."""
    run = subprocess.run([sys.executable, "-m", "dvc", "exp", "apply", name], capture_output=True, text=True)
    if run.returncode:
        raise InputError(f"dvc exp apply {name} fails: {_reason(run.stderr)}")


def validation_uar(revision: str, model: str) -> float:
    """Return the UAR of a model on the validation rows of a commit or experiment; nothing of its test rows is read."""
    try:
        scores = json.loads(_git("show", f"{revision}:./{VALIDATION}"))["validation"]
    except (subprocess.CalledProcessError, ValueError, KeyError):
        raise TrialError(f"{VALIDATION}, the UAR of the validation rows, is not in git there") from None
    if model not in scores:
        raise TrialError(f"there is no model {model}; tune.model is one of {', '.join(sorted(scores))}")
    return float(scores[model])


def reference(name: str, commit: str) -> str:
    """Return the full name by which git knows an experiment that starts from a commit."""
    return f"refs/exps/{commit[:2]}/{commit[2:]}/{name}"


def experiment_exists(name: str, commit: str) -> bool:
    """Tell whether an experiment was finished."""
    return bool(_git("for-each-ref", reference(name, commit)).strip())


def _has_settings(name: str, commit: str, settings: dict[str, Any]) -> bool:
    content = YAML(typ="safe", pure=True).load(_git("show", f"{reference(name, commit)}:./params.yaml"))
    for key, value in settings.items():
        place = content
        for part in key.split("."):
            place = place[part]
        if place != value:
            return False
    return True


def _run_interruptibly(command: list[str], output) -> int:
    """Run a command; on Ctrl-C wait until it has tidied up, because a killed DVC leaves its copy behind."""
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=LOCKS)
    try:
        return process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        raise


def _reason(text: str) -> str:
    """Return the line of an output that says what went wrong: the stage's own before DVC's."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in ("error: ", "ERROR: "):
        if marked := [line for line in lines if line.startswith(mark)]:
            return marked[-1].removeprefix(mark)
    return lines[-1] if lines else "no output"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout
