"""The workflow of pull requests: it asks for no more than it needs, and its check of dvc.lock finds what is stale."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, environment
from ser.commands.command_line import ENTRIES
from toy_repository import dvc, init_dvc

WORKFLOW = yaml.load((ROOT / ".github/workflows/pr.yml").read_text(), yaml.BaseLoader)
STEPS = WORKFLOW["jobs"]["review"]["steps"]
PIPELINE = """
stages:
  prepare:
    cmd: mkdir -p data/prepared && cat data/raw/*/* > data/prepared/clips
    deps: [data/raw]
    params: [prepare]
    outs: [data/prepared]
  train:
    cmd: cp data/prepared/clips model
    deps: [data/prepared]
    params: [train]
    outs: [model]
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)


def commit(folder: Path) -> None:
    assert run(folder, "git", "add", "-A").returncode == 0
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    assert run(folder, "git", *identity, "commit", "-qm", "t").returncode == 0


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Two stages and a corpus that DVC tracks, as they are in a fresh clone: without data, without cache."""
    origin = tmp_path_factory.mktemp("origin")
    run(origin, "git", "init", "-q")
    init_dvc(origin)
    (origin / "dvc.yaml").write_text(PIPELINE)
    (origin / "params.yaml").write_text("prepare: 1\ntrain: 1\n")
    (origin / "data/raw/emodb").mkdir(parents=True)
    (origin / "data/raw/emodb/a.wav").write_text("a")
    (origin / "data/raw/.gitkeep").touch()
    (origin / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/check_lock", origin / ".ci")
    shutil.copy(ROOT / ".gitignore", origin)
    dvc(origin, "add", "data/raw/emodb")
    dvc(origin, "repro")
    commit(origin)
    folder = tmp_path_factory.mktemp("clone") / "project"
    assert run(origin, "git", "clone", "-q", str(origin), str(folder)).returncode == 0
    return folder


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("params.yaml", "prepare: 1", "prepare: 1"),  # nothing changes
        ("params.yaml", "prepare: 1", "prepare: 2"),  # DVC says what it would run
        ("params.yaml", "train: 1", "train: 2"),  # DVC fails, as the inputs are not there
        ("data/raw/emodb.dvc", "md5: ", "md5: 0"),
    ],
)
def test_the_check_of_the_lock_finds_what_was_not_rerun(project, path, old, new):
    content = (project / path).read_text()
    (project / path).write_text(content.replace(old, new))
    same = old == new
    if not same:
        commit(project)
    check = run(project, "bash", ".ci/check_lock", "HEAD~1" if not same else "HEAD")
    if not same:
        run(project, "git", "reset", "-q", "--hard", "HEAD~1")
    assert check.returncode == (0 if same else 1), check.stdout + check.stderr
    assert ("run `dvc repro` and commit dvc.lock" in check.stderr) is not same


def test_the_check_works_in_a_sub_folder_and_where_git_would_write_crlf(project, tmp_path):
    folder = tmp_path / "larger" / "research"
    assert run(tmp_path, "git", "init", "-q", "larger").returncode == 0
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".git", ".dvc"))
    shutil.copy(ROOT / ".gitattributes", folder)
    init_dvc(folder, "--subdir")
    commit(folder)
    clone = tmp_path / "clone"
    assert run(tmp_path, "git", "-c", "core.autocrlf=true", "clone", "-q", "larger", str(clone)).returncode == 0
    run(clone, "git", "config", "core.autocrlf", "true")
    check = run(clone / "research", "bash", ".ci/check_lock")
    assert check.returncode == 0, check.stdout + check.stderr
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    assert b"\r" not in (clone / "research/params.yaml").read_bytes()
    (clone / "research/params.yaml").write_text("prepare: 2\ntrain: 1\n")
    commit(clone)
    assert run(clone / "research", "bash", ".ci/check_lock").returncode == 1


def test_what_is_not_committed_does_not_hide_a_stale_lock(project):
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text("prepare: 5\ntrain: 5\n")
    check = run(project, "bash", ".ci/check_lock")
    (project / "params.yaml").write_text(params)
    assert check.returncode == 0, check.stderr


def test_the_workflow_may_do_little():
    assert set(WORKFLOW["on"]) == {"pull_request"}  # never pull_request_target
    assert WORKFLOW["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert all("permissions" not in job for job in WORKFLOW["jobs"].values())
    checkout = next(step for step in STEPS if step.get("uses", "").startswith("actions/checkout@"))
    assert checkout["with"]["fetch-depth"] == "0"
    assert checkout["with"]["persist-credentials"] == "false"


def test_no_command_contains_what_others_wrote():
    commands = [step["run"] for step in STEPS if "run" in step]
    assert len(commands) >= 6
    assert not [command for command in commands if "${{" in command]


def test_every_step_that_may_hang_has_a_limit():
    assert int(WORKFLOW["jobs"]["review"]["timeout-minutes"]) <= 60
    assert WORKFLOW["concurrency"]["cancel-in-progress"] == "true"


def test_make_and_scripts_that_the_workflow_names_exist():
    targets = set(re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = "\n".join(step["run"] for step in STEPS if "run" in step)
    assert {"test", "pr-report"} <= set(re.findall(r"make ([\w-]+)", commands)) <= targets
    for script in re.findall(r"bash (\S+)", commands):
        assert (ROOT / script).is_file(), script
    named = re.findall(r"^\s*ser ([\w-]+)", commands, re.MULTILINE)
    assert named and {*named} <= {*ENTRIES}


@pytest.mark.parametrize(("code", "passes"), [(0, True), (1, False), (2, True)])
def test_the_gate_decides_the_job(tmp_path, code, passes):
    """The step's own shell, with a gate that ends with each of the codes that the real one documents."""
    step = next(step for step in STEPS if step.get("name") == "Gate")
    done = run(tmp_path, "bash", "-e", "-c", f"ser() {{ return {code}; }}\n{step['run']}")
    assert (done.returncode == 0) is passes
    assert ("::warning" in done.stdout) is (code == 2)
