"""Reports on pull requests and the gate, in a scratch repository of git and DVC with small predictions."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from conftest import ROOT, environment
from ser.commands.command_line import main
from synthetic_predictions import collapsed_in
from toy_repository import dvc, init_dvc

EMOTIONS = ["anger", "neutral", "sadness"]
SPEAKERS = [f"x:{number:02d}" for number in range(8)]
HOSTILE = "x:07|<b>`@all`"  # the name of a speaker
SUBJECT = "More | <script> @everyone `x`"
BASE_RIGHT = [2, 3, 2, 2, 1, 3, 2, 2]  # of the four clips of each speaker in each emotion
HEAD_RIGHT = {
    "better": [3, 4, 3, 3, 3, 4, 3, 4],
    "noisy": [3, 2, 2, 2, 2, 2, 3, 2],
    "same": BASE_RIGHT,
    "worse": [1, 1, 1, 1, 0, 1, 1, 1],
}
PIPELINE = """
stages:
  prepare:
    cmd: mkdir -p data/prepared && cp in/clips.csv data/prepared/
    deps: [in/clips.csv]
    outs: [data/prepared]
  train_ml:
    cmd: mkdir -p data/predictions && cp -r in/train_ml data/predictions/
    deps: [in/train_ml]
    outs: [data/predictions/train_ml]
"""


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commit(folder: Path, subject: str) -> None:
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", subject)


def write_results(folder: Path, right: dict[str, list[int]], *, folds: int = 4) -> None:
    """Write clips, predictions, metrics and a chart, `right` clips of each speaker and emotion being correct."""
    names = [name if name != "x:07" else HOSTILE for name in SPEAKERS]
    rows = [(f"x/{s}/{e}/{n}", "x", names[s], e) for s in range(8) for e in EMOTIONS for n in range(4)]
    clips = pd.DataFrame(rows, columns=["clip", "corpus", "speaker", "emotion"])
    (folder / "in/train_ml").mkdir(parents=True, exist_ok=True)
    clips.to_csv(folder / "in/clips.csv", index=False)
    where = clips["clip"].str.split("/", expand=True)
    speaker, number = where[1].astype(int), where[3].astype(int)
    metrics = {}
    for model, counts in right.items():
        correct = number < np.array(counts)[speaker]
        said = clips["emotion"].where(
            correct, clips["emotion"].map(dict(zip(EMOTIONS, np.roll(EMOTIONS, 1), strict=True)))
        )
        table = clips[["clip"]].assign(fold=speaker % folds, part="test", emotion=clips["emotion"])
        for emotion in EMOTIONS:
            table[f"p_{emotion}"] = (said == emotion) * 0.7 + 0.1
        table.to_csv(folder / f"in/train_ml/{model}.csv", index=False)
        score = recall_score(clips["emotion"], said, average="macro")
        metrics[model] = {"uar": round(score, 4), "accuracy": round(correct.mean(), 4)}
    for path in (folder / "in/train_ml").glob("*.csv"):
        if path.stem not in right:
            path.unlink()
    images = folder / "reports/images/evaluation"
    images.mkdir(parents=True, exist_ok=True)
    (images / "scores.png").write_bytes(json.dumps(metrics).encode())
    (images / "always.png").write_bytes(b"same")
    (folder / "reports/metrics.json").write_text(json.dumps(metrics))
    (folder / "reports/data").mkdir(exist_ok=True)
    counts = clips.groupby(["corpus", "emotion", "speaker"]).size().rename("clips").reset_index()
    counts.to_csv(folder / "reports/data/counts.csv", index=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Branches old (without scores), main, change (four models change in four ways) and folds (of another split)."""
    return make_project(tmp_path_factory.mktemp("project"))


def make_project(repository: Path, subfolder: str = "") -> Path:
    """Make the branches of `project`, in a sub-folder of a larger repository if one is named."""
    folder = repository / subfolder
    folder.mkdir(exist_ok=True)
    run(repository, "git", "init", "-q", "-b", "old")
    init_dvc(folder, *(["--subdir"] if subfolder else []))
    shutil.copy(ROOT / ".gitignore", folder)
    (folder / "params.yaml").write_text("train_ml:\n  C: 1.0\n  note: plain\n")
    commit(folder, "Begin")
    run(folder, "git", "switch", "-qc", "main")
    (folder / "dvc.yaml").write_text(PIPELINE)
    write_results(folder, dict.fromkeys(HEAD_RIGHT, BASE_RIGHT) | {"removed": BASE_RIGHT})
    dvc(folder, "repro")
    commit(folder, "Results")
    run(folder, "git", "switch", "-qc", "folds")
    write_results(folder, HEAD_RIGHT, folds=2)
    dvc(folder, "repro")
    commit(folder, "Other folds")
    run(folder, "git", "switch", "-q", "main")
    run(folder, "git", "switch", "-qc", "change")
    write_results(folder, HEAD_RIGHT | {"added": BASE_RIGHT})
    (folder / "params.yaml").write_text("train_ml:\n  C: 3.0\n  note: '| <i>@all'\n")
    dvc(folder, "repro")
    commit(folder, SUBJECT)
    run(folder, "git", "switch", "-q", "main")
    (folder / "README.md").write_text("later\n")
    commit(folder, "Main moves on")
    run(folder, "git", "switch", "-q", "change")
    dvc(folder, "checkout")
    return folder


def clone(project: Path, folder: Path, branch: str = "change", *, cache: bool = False) -> Path:
    run(project, "git", "clone", "-q", "-b", branch, str(project), str(folder))
    if cache:
        (folder / ".dvc/config.local").write_text(f"[cache]\n    dir = {project / '.dvc/cache'}\n")
    return folder


@pytest.fixture
def call(monkeypatch, capsys):
    """Call a command as from the command line; returns its exit code, what it printed, and its report."""

    def script(folder: Path, name: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["ser", name, *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        report = folder / "reports/pr.md"
        return code, "".join(capsys.readouterr()), report.read_text() if report.exists() else ""

    return script


def test_a_report_on_better_worse_same_and_noisy_models(project, call):
    code, printed, report = call(project, "pr-report", "--base", "main", "--model", "better")
    assert code == 0
    assert printed.startswith("Better: better gains 0.312 UAR, 0.531 → 0.844 (95 % interval +")
    assert report.splitlines()[1].startswith("## Better: `better` gains 0.312 UAR")
    cells = [line.strip("| ").split(" | ") for line in report.splitlines() if line.startswith("| ")]
    verdicts = {row[0].strip("*`"): row[6].strip("*") for row in cells if len(row) == 7}
    assert verdicts == {
        "model": "verdict",
        "better": "better",
        "noisy": "no evidence",
        "same": "unchanged",
        "worse": "worse",
        "added": "added",
        "removed": "removed",
    }
    assert "| `train_ml.C` | `1.0` | `3.0` |" in report
    assert "1 commit; `main` has 1 newer one, which is not in this comparison" in report
    assert "uncommitted" not in report
    assert "Prepared clips" not in report and "prepared clips the same" in report
    assert run(project, "git", "status", "--porcelain") == ""  # the report is no part of the repository


def test_a_sub_folder_of_a_larger_repository_gets_the_same_verdicts(project, call, tmp_path):
    _, expected, _ = call(project, "pr-report", "--base", "main", "--model", "better")
    folder = make_project(tmp_path, "research")
    code, printed, report = call(folder, "pr-report", "--base", "main", "--model", "better")
    assert (code, printed) == (0, expected)
    assert "pr/base/images/evaluation/scores.png" in report
    assert call(folder, "gate", "--base", "main", "--model", "worse")[0] == 1
    assert call(folder, "gate", "--base", "main", "--model", "better")[0] == 0


def test_results_of_another_normalisation_are_not_compared(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone", cache=True)
    dvc(folder, "checkout")
    (folder / "reports/protocol.json").write_text('{"normalisation": "train"}')
    commit(folder, "Normalised by training clips")
    (folder / "reports/protocol.json").write_text('{"normalisation": "speaker"}')
    code, printed, report = call(folder, "pr-report", "--base", "HEAD")
    assert code == 0
    assert "No intervals and no verdicts: the old scores are normalised by train, the new ones by speaker" in report
    code, printed, _ = call(folder, "gate", "--base", "HEAD", "--model", "better")
    assert code == 2
    assert "are never compared" in printed


def test_the_pictures_of_a_report_are_there(project, call):
    _, _, report = call(project, "pr-report", "--model", "better")
    links = re.findall(r"!\[[^]]*\]\(([^)]*)\)", report)
    assert links == ["pr/differences.png", "pr/base/images/evaluation/scores.png", "images/evaluation/scores.png"]
    contents = [(project / "reports" / link).read_bytes() for link in links]
    assert contents[0].startswith(b"\x89PNG")
    assert contents[1] == run(project, "git", "show", "main:reports/images/evaluation/scores.png").encode()
    assert contents[1] != contents[2]
    _, _, report = call(project, "pr-report", "--images", "https://example.org/o/r/raw/")
    commits = [run(project, "git", "rev-parse", name).strip() for name in ("main~1", "change")]
    links = re.findall(r"!\[[^]]*\]\(([^)]*)\)", report)
    path = "reports/images/evaluation/scores.png"
    assert links == [f"https://example.org/o/r/raw/{name}/{path}" for name in commits]


def test_hostile_names_do_nothing(project, call):
    _, _, report = call(project, "pr-report", "--model", "better")
    assert "<script" not in report and "<b>" not in report and "<i>" not in report and "@" not in report
    for text in (HOSTILE, SUBJECT, "| <i>@all"):
        escaped = "".join(f"&#{ord(c)};" if c in "|<>`@" else c for c in text)
        assert f"<code>{escaped}</code>" in report


@pytest.mark.parametrize(("model", "code"), [("better", 0), ("same", 0), ("noisy", 0), ("worse", 1)])
def test_the_gate_stops_what_is_worse_and_nothing_else(project, call, model, code):
    found, printed, _ = call(project, "gate", "--base", "main", "--model", model)
    assert found == code
    assert printed.startswith("failed: UAR of worse 0.531 → 0.219" if code else "passed: UAR of ")
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "wrose"], "MODEL is one of added, better, noisy, removed, same, worse"),
        (["--model", "added"], "only this branch has added"),
        (["--base", "nowhere"], "run `git fetch origin nowhere"),
        (["--base=--help"], "git knows no commit '--help'"),
        (["--base", "old", "--model", "worse"], "only this branch has worse"),
    ],
)
def test_a_gate_that_cannot_compare_says_why(project, call, arguments, message):
    code, printed, _ = call(project, "gate", *arguments)
    assert code == 2
    assert message in printed
    assert len(printed.splitlines()) == 1


def test_an_unknown_base_is_one_line(project, call):
    code, printed, _ = call(project, "pr-report", "--base", "nowhere")
    assert code == 1
    assert re.fullmatch("error: git knows no commit 'nowhere' here: run `git fetch origin nowhere:.*`\n", printed)


def test_a_base_older_than_scores(project, call):
    code, _, report = call(project, "pr-report", "--base", "old")
    assert code == 0
    assert report.splitlines()[1].startswith("## New model: `better` has UAR 0.844")
    assert "WARNING" not in report


def test_other_folds_give_scores_without_intervals(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone", "folds", cache=True)
    code, _, report = call(folder, "pr-report", "--base", "main", "--model", "worse")
    assert code == 0
    assert report.splitlines()[1] == "## Cannot be told: UAR of `worse` 0.531 → 0.219, without an interval"
    assert "the two revisions have other folds" in report
    assert call(folder, "gate", "--base", "main", "--model", "worse")[0] == 2


def test_without_a_cache_a_report_says_so_and_with_a_remote_it_needs_none(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone")
    code, _, report = call(folder, "pr-report", "--base", "main", "--model", "worse")  # main is only on origin
    assert code == 0
    base = run(project, "git", "rev-parse", "--short=7", "main~1").strip()
    assert report.splitlines()[1].startswith("## Cannot be told")
    assert f"DVC has no predictions of {base}: run `dvc repro` once with {base} checked out" in report
    assert "| `added` |" in report
    assert call(folder, "gate", "--base", "main", "--model", "worse")[0] == 2

    # the cache of the project has the layout of a remote
    dvc(folder, "remote", "add", "--local", "--default", "store", str(project / ".dvc/cache"))
    code, _, report = call(folder, "pr-report", "--base", "main", "--model", "worse")
    assert report.splitlines()[1].startswith("## Worse: `worse` loses 0.312 UAR")
    assert call(folder, "gate", "--base", "main", "--model", "worse")[0] == 1


def test_nothing_is_changed_beside_the_same_commit(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone")  # has no predictions, and needs none
    code, _, report = call(folder, "pr-report", "--base", "HEAD")
    assert code == 0
    assert report.splitlines()[1] == "## No change: every model gives every test clip the same emotion as before"
    assert "the same commit, 0 commits" in report
    code, printed, _ = call(folder, "gate", "--base", "change", "--model", "worse")
    assert code == 0
    assert "every test clip gets the same emotion" in printed


def test_predictions_that_are_not_those_of_the_scores_are_not_compared(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone", cache=True)
    dvc(folder, "checkout")
    shutil.copy(folder / "data/predictions/train_ml/better.csv", tmp_path)
    (folder / "data/predictions/train_ml/worse.csv").unlink()
    shutil.copy(tmp_path / "better.csv", folder / "data/predictions/train_ml/worse.csv")
    _, _, report = call(folder, "pr-report", "--base", "main", "--model", "worse")
    assert "the predictions of worse have UAR 0.8438, reports/metrics.json says 0.2188" in report
    assert report.splitlines()[1].startswith("## Cannot be told")


def test_predictions_that_contradict_the_scores_do_not_pass_because_the_lock_is_the_same(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone", cache=True)
    dvc(folder, "checkout")
    path = folder / "data/predictions/train_ml/better.csv"
    path.unlink()
    shutil.copy(path.with_name("worse.csv"), path)
    code, printed, _ = call(folder, "gate", "--base", "HEAD", "--model", "better")
    assert code == 2
    assert "the predictions of better have UAR" in printed


def test_a_branch_does_not_choose_how_sure_the_gate_must_be(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone", cache=True)
    (folder / "params.yaml").write_text("evaluate:\n  confidence: 0.9999999\n")
    code, printed, _ = call(folder, "gate", "--base", "main", "--model", "worse")
    assert code == 1
    assert "95 % interval" in printed


def test_with_few_folds_the_gate_says_what_it_cannot_see(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone", "folds", cache=True)
    write_results(folder, dict.fromkeys(HEAD_RIGHT, BASE_RIGHT), folds=2)
    dvc(folder, "repro")
    commit(folder, "As good as before")
    code, printed, _ = call(folder, "gate", "--base", "HEAD~1", "--model", "better")
    assert code == 1
    assert "note: with so few folds this may be the luck of one training" in printed
    _, _, report = call(folder, "pr-report", "--base", "HEAD~1", "--model", "better")
    assert "With so few folds the intervals do not know" in report


def test_uncommitted_changes_are_said(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone", cache=True)
    (folder / "params.yaml").write_text("train_ml:\n  C: 9.0\n")
    _, _, report = call(folder, "pr-report", "--model", "worse")
    assert "**with uncommitted changes**" in report
    assert "| `train_ml.C` | `1.0` | `9.0` |" in report
    assert "| `train_ml.note` | `plain` | – |" in report
    assert report.splitlines()[1].startswith("## Worse: `worse` loses 0.312 UAR")


@pytest.mark.parametrize(("path", "kind"), [("reports/metrics.json", "JSON"), ("params.yaml", "YAML")])
def test_files_with_marks_of_a_conflict_are_one_line(project, call, tmp_path, path, kind):
    folder = clone(project, tmp_path / "clone")
    (folder / path).write_text("{<<<<<<< HEAD\n")
    code, printed, _ = call(folder, "pr-report")
    assert code == 1
    assert printed.startswith(f"error: {path} is not {kind}: ")
    assert len(printed.splitlines()) == 1
    assert call(folder, "gate", "--model", "worse")[0] == 2


def test_a_model_that_collapsed_in_a_fold_is_told_by_report_and_gate(project, call, tmp_path):
    folder = clone(project, tmp_path / "clone", cache=True)
    dvc(folder, "checkout")
    path, metrics = folder / "data/predictions/train_ml/better.csv", folder / "reports/metrics.json"
    table = collapsed_in(pd.read_csv(path), 1, EMOTIONS[0])
    path.unlink()  # a link into the cache
    table.to_csv(path, index=False)
    said = table.filter(like="p_").idxmax(axis=1).str.removeprefix("p_")
    uar = round(recall_score(table["emotion"], said, average="macro"), 4)
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"better": {"uar": uar}}))
    rows = pd.DataFrame(
        {"model": ["better"], "fold": 1, "emotion": EMOTIONS[0], "share": 1.0, "uar": 0.3, "reason": "?"}
    )
    rows.to_csv(folder / "reports/collapsed.csv", index=False)
    code, printed, report = call(folder, "gate", "--base", "main", "--model", "better")
    assert code == 0  # no worse than chance explains
    assert "note: better collapsed in fold 1: see reports/collapsed.csv" in printed
    _, _, report = call(folder, "pr-report", "--base", "main", "--model", "better")
    assert (
        f"> Collapsed, and not so before: `better` in fold 1 (it says `{EMOTIONS[0]}` for nearly every clip)." in report
    )
    commit(folder, "Collapsed")
    _, _, report = call(folder, "pr-report", "--base", "HEAD", "--model", "better")
    assert "Collapsed, and" not in report
