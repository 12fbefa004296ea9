"""Every script says what it does, and does nothing else, when it is asked for help."""

import runpy
from pathlib import Path

import pytest

from conftest import ROOT

COMMANDS = ROOT / "stages/ser/commands"
SCRIPTS = sorted([*(ROOT / "stages").glob("*.py"), *COMMANDS.glob("[!_]*.py")])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_help(script, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(script), "--help"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(script), run_name="__main__")
    assert stop.value.code == 0
    summary = runpy.run_path(str(script), run_name="script")["__doc__"].splitlines()[0]
    assert summary in capsys.readouterr().out
    assert not list(Path.cwd().iterdir())
