"""The command `ser` as a whole: help, mistakes, interruptions, completion; and that stages explain themselves."""

import importlib
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import ROOT, environment, run_script, run_stage
from ser.commands.command_line import ENTRIES, GROUPS, help_of, require_writable, without_tilde
from ser.storage.whole_files import written

SER = (sys.executable, "-m", "ser.commands")
STAGES = sorted((ROOT / "stages").glob("*.py"))
MODULES = {path.stem for path in (ROOT / "stages/ser/commands").glob("[!_]*.py")} - {"command_line"}
NOTHING_THERE = {  # arguments that are right, but name what is not there
    "predict": ["missing.wav"],
    "timeline": ["missing.wav"],
    "show": ["missing.wav"],
    "explain": ["missing", "missing.wav"],
    "adapt": ["missing", "."],
    "export": ["missing"],
    "serve": ["--model", "missing"],
    "audit": ["missing"],
    "corpus": ["ravdess"],
    "checkpoint": ["somebody/missing", "folder"],
    "collect": [],
    "demo": ["file/folder"],
    "override": ["missing"],
    "tune": [],
    "ablation": [],
    "experiments": [],
    "pr-report": [],
    "gate": [],
    "compare-machine": [],
    "features": [],
    "corpora": [],
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder that is no clone, and no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("script", STAGES, ids=lambda script: script.stem)
def test_a_stage_says_what_it_does_and_does_nothing_else(script, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [str(script), "--help"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(script), run_name="__main__")
    assert stop.value.code == 0
    summary = runpy.run_path(str(script), run_name="script")["__doc__"].splitlines()[0]
    assert summary in capsys.readouterr().out
    assert not list(Path.cwd().iterdir())


def test_every_command_is_listed_in_a_line_under_its_heading(tmp_path):
    assert {entry.module for entry in ENTRIES.values()} == MODULES
    shown = run_stage(tmp_path, "--help").stdout
    for heading, (example, entries) in GROUPS.items():
        assert f"{heading}, as in `{example}`:" in shown
        for name, entry in entries.items():
            assert any(line.split() == [name, *entry.about.split()] for line in shown.splitlines()), name


@pytest.mark.parametrize("name", ENTRIES)
def test_a_command_says_what_it_does_and_does_nothing_else(name, tmp_path):
    for option in ("--help", "-h"):
        run = run_stage(tmp_path, name, option)
        assert run.returncode == 0, run.stderr
        summary = importlib.import_module(f"ser.commands.{ENTRIES[name].module}").__doc__.splitlines()[0]
        assert " ".join(summary.split()) in " ".join(run.stdout.split())
    assert not list(tmp_path.iterdir())


def test_paragraphs_in_columns_keep_their_lines():
    text = "Do it.\n\nReads   this\nWrites  that\n\nSome words\nmore words."
    assert help_of(text) == "Do it.\n\n\b\nReads   this\nWrites  that\n\nSome words\nmore words."


@pytest.mark.parametrize("name", ENTRIES)
def test_a_wrong_option_is_named(name, tmp_path):
    run = run_stage(tmp_path, name, "--no-such-option")
    assert run.returncode == 2
    assert "--no-such-option" in run.stderr and f"ser {name} --help" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_slip_in_a_commands_name_is_guessed(tmp_path):
    run = run_stage(tmp_path, "predcit")
    assert run.returncode == 2
    assert "No such command 'predcit'" in run.stderr and "predict" in run.stderr


@pytest.mark.parametrize("name", sorted({*ENTRIES} - {"completion"}))
def test_what_is_missing_is_said_in_a_line(name, tmp_path):
    (tmp_path / "file").touch()
    run = run_stage(tmp_path, name, *NOTHING_THERE[name])
    assert run.returncode == (2 if name == "gate" else 1)  # its 1 means worse
    last = run.stderr.splitlines()[-1]
    assert last.startswith("error: ") or "missing" in last
    assert "Traceback" not in run.stderr
    if ENTRIES[name].needs_clone:
        assert last == f"error: `ser {name}` works in a clone of the project: change to its root, where dvc.yaml is"


@pytest.mark.parametrize("name", ENTRIES)
def test_an_interruption_is_a_line(name, tmp_path, monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    command = importlib.import_module(f"ser.commands.{ENTRIES[name].module}").command
    monkeypatch.setattr(command, "callback", interrupted)
    (tmp_path / "dvc.yaml").touch()
    run = run_stage(tmp_path, name, *NOTHING_THERE.get(name, ["bash"]))
    assert (run.returncode, run.stderr.split()) == (130, ["interrupted"])


def test_a_running_command_is_interrupted_without_a_traceback(tmp_path):
    process = subprocess.Popen(
        [*SER, "demo", "clips"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    while not list(tmp_path.glob("clips/demo/*/*.wav")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert (process.returncode, said.split()) == (130, ["interrupted"])


def test_a_reader_that_goes_away_is_no_error():
    for piped in ("--help | true", "features | head -n 1"):
        command = f"cd {ROOT}; {' '.join(SER)} {piped}"
        run = subprocess.run(["bash", "-c", command], env=environment(), capture_output=True, text=True)
        assert not run.stderr


def test_the_version_names_the_commit_of_a_clone(tmp_path):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    said = run_stage(tmp_path, "--version").stdout
    assert said.startswith("ser ") and f"(commit {commit.strip()}" in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell, tmp_path):
    script = run_stage(tmp_path, "completion", shell).stdout
    assert "_SER_COMPLETE" in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        assert subprocess.run([shell, "-n", "script"], cwd=tmp_path).returncode == 0
    for words, expected in (("ser pre", "predict"), ("ser predict --mo", "--model")):
        *_, word = typed = words.split()
        asked = {
            "_SER_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": word if shell == "fish" else str(len(typed) - 1),
        }
        run = subprocess.run([*SER], env=environment() | asked, capture_output=True, text=True)
        assert expected in run.stdout and "tune" not in run.stdout


def test_help_imports_nothing_that_is_slow():
    code = (
        "import sys; sys.argv = ['ser', *sys.argv[1:]]\n"
        "from ser.commands.command_line import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, sep='\\n')"
    )
    for arguments in (["--help"], *([name, "--help"] for name in ("predict", "audit", "demo", "checkpoint", "gate"))):
        run = subprocess.run(
            [sys.executable, "-c", code, *arguments], env=environment(), capture_output=True, text=True, check=True
        )
        assert {"numpy", "pandas", "pydantic", "scipy", "tqdm"}.isdisjoint(run.stdout.split())


def test_what_is_not_installed_is_named_with_its_extra(tmp_path):
    (tmp_path / "optuna.py").write_text("raise ModuleNotFoundError(\"No module named 'optuna'\", name='optuna')")
    (tmp_path / "dvc.yaml").touch()
    run = run_script(tmp_path, "tune")
    assert run.returncode == 1
    assert run.stderr.startswith("error: optuna is not installed: pip install -e '.[tune]' -c constraints.txt")


@pytest.mark.parametrize(
    ("argument", "read"),
    [
        ("~/a.wav", "{home}/a.wav"),
        ("~", "{home}"),
        ("--output=~/out.csv", "--output={home}/out.csv"),
        ("raw.path=~/corpora", "raw.path={home}/corpora"),
        ("./~/a.wav", "./~/a.wav"),
        ("a~b.wav", "a~b.wav"),
        ("key=a=~b", "key=a=~b"),
        ("--certainty=0.5", "--certainty=0.5"),
        ("", ""),
    ],
)
def test_a_tilde_is_the_home_folder_wherever_an_argument_names_a_path(argument, read, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert without_tilde(argument) == read.format(home=tmp_path)


def test_no_folder_is_called_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    run = run_script(tmp_path, "demo", "--speakers=1", "~/clips")
    assert run.returncode == 0, run.stderr
    assert list((tmp_path / "home/clips").rglob("*.wav")) and not (tmp_path / "~").exists()


# arguments that are no text, as the system hands them over; none may end in a traceback, whatever the terminal shows
BYTES = {
    "predict": [b"caf\xe9.wav"],
    "timeline": [b"caf\xe9.wav"],
    "explain": [b"caf\xe9", b"caf\xe9.wav"],
    "export": [b"caf\xe9"],
    "serve": [b"--model", b"caf\xe9"],
    "audit": [b"clips\xe9"],
    "checkpoint": [b"caf\xe9/a", b"caf\xe9"],
    "override": [b"caf\xe9"],
    "corpus": [b"caf\xe9"],
}


@pytest.mark.parametrize("command", BYTES)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_names_that_are_no_utf8_are_refused_in_a_line(command, encoding, tmp_path):
    (tmp_path / os.fsdecode(b"clips\xe9")).mkdir()
    (tmp_path / os.fsdecode(b"clips\xe9/a.wav")).write_bytes(b"RIFF")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    run = subprocess.run(
        [*SER, command, *BYTES[command]],
        cwd=tmp_path,
        env=environment() | {"PYTHONIOENCODING": f"{encoding}:strict", "LC_ALL": "C"},
        capture_output=True,
        timeout=60,
    )
    assert run.returncode in (1, 2), run.stderr
    assert b"Traceback" not in run.stderr and run.stderr.strip().splitlines()


def test_asking_whether_a_file_can_be_written_takes_no_other_command_its_half(tmp_path):
    with written(tmp_path / "out.csv") as temporary:
        temporary.write_text("of another command")
        require_writable(tmp_path / "out.csv")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.csv", "of another command")]
