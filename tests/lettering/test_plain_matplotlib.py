"""Whatever a person has set for Matplotlib and whatever fonts there are, pictures have the same bytes."""

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from hostile_configuration import MATPLOTLIBRC, own_home

SET = ("HOME", "MATPLOTLIBRC", "MPLBACKEND", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")


def pictures(folder: Path, **variables: str) -> dict[str, bytes]:
    """Draw every picture in another process; return the files by name."""
    folder.mkdir(exist_ok=True)
    path = os.pathsep.join([str(ROOT / "stages"), str(ROOT / "tests")])
    there = {name: value for name, value in os.environ.items() if name not in SET} | {"PYTHONPATH": path} | variables
    program = [sys.executable, str(ROOT / "tests/every_picture.py"), str(folder / "drawn")]
    run = subprocess.run(program, cwd=folder, env=there, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    files = [path for path in (folder / "drawn").rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_matplotlibrc_and_own_fonts_change_no_picture(tmp_path):
    """A verify test has one that a variable names, a home that is not there, and other back ends."""
    home = own_home(tmp_path)
    plain = pictures(tmp_path / "plain", HOME=str(tmp_path))
    assert len(plain) > 40 and {Path(name).suffix for name in plain} >= {".html", ".pdf", ".png", ".svg"}
    (tmp_path / "set").mkdir()
    (tmp_path / "set/matplotlibrc").write_text(MATPLOTLIBRC)  # of the working folder, which Matplotlib reads first
    found = pictures(tmp_path / "set", HOME=str(home), MPLBACKEND="TkAgg")
    assert sorted(found) == sorted(plain)
    assert [name for name in plain if found[name] != plain[name]] == []


def test_whoever_makes_figures_makes_them_plain():
    library = ROOT / "stages/ser"
    makers = {path for path in library.rglob("*.py") if re.search(r"FigureCanvasAgg\(|pyplot", path.read_text())}
    assert {path.stem for path in makers} >= {"figures", "layer_graph", "timeline_picture", "clip_pictures"}
    heedless = {path for path in makers if not re.search("plain_matplotlib|saved_picture|rcdefaults", path.read_text())}
    assert {path.name for path in heedless} <= {"keras_backend.py"}  # which hides pyplot
