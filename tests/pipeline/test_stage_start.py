"""How a stage starts: without what a person has set for Python and for the libraries, and so do its own processes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from dvc_clone import DVC_YAML
from hostile_configuration import LIBRARIES, THREADS
from ser.errors import PLAIN_PYTHON, steering

FLAGS = ["-X", "utf8", "-Es"]
STAGE = """
import json, os, subprocess, sys
from ser.errors import stage_errors
WORKER = "import os, sys; f = sys.flags; print(f.utf8_mode, f.no_user_site, f.safe_path, f.optimize, sys.path[0])"
with stage_errors():
    worker = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True).stdout
    found = {"variables": dict(os.environ), "arguments": sys.argv, "worker": worker.split()}
    print(json.dumps(found | {"utf8": sys.flags.utf8_mode, "path": sys.path}))
"""
HOSTILE_PYTHON = {"PYTHONOPTIMIZE": "2", "PYTHONUTF8": "0", "PYTHONWARNINGS": "error", "PYTHONHASHSEED": "7"}


@pytest.fixture
def stage(tmp_path) -> Path:
    """A stage beside as much of the library as it needs to start."""
    script = tmp_path / "stages/show.py"
    (tmp_path / "stages/ser").mkdir(parents=True)
    for name in ("__init__.py", "errors.py"):
        shutil.copy(ROOT / "stages/ser" / name, tmp_path / "stages/ser")
    script.write_text(STAGE)
    return script


def start(stage: Path, *command: str, **variables: str) -> subprocess.CompletedProcess:
    place = stage.parents[1]
    there = {name: value for name, value in os.environ.items() if not steering([name])} | variables
    run = subprocess.run([sys.executable, *command], cwd=place, env=there, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run


def test_every_stage_is_started_so():
    commands = [definition.get("do", definition)["cmd"].split() for definition in DVC_YAML.values()]
    assert [command[:4] for command in commands] == [["python", *FLAGS]] * len(DVC_YAML)


def test_libraries_find_none_of_what_steers_them(stage):
    run = start(stage, *FLAGS, "stages/show.py", "an argument", **LIBRARIES, **dict.fromkeys(THREADS, "3"))
    found = json.loads(run.stdout)
    left = {name for name in LIBRARIES if name in found["variables"]}
    assert left == {name for name in LIBRARIES if name.startswith("OMP_")} | {
        "KERAS_BACKEND",  # set by ser.networks.keras_backend, as the next
        "TF_ENABLE_ONEDNN_OPTS",
        "MKL_DYNAMIC",  # how many threads, as OMP_DYNAMIC
    }
    assert {*THREADS} <= set(found["variables"])  # how many threads is up to the user
    assert found["arguments"] == ["stages/show.py", "an argument"] and found["utf8"]
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("note: ATEN_CPU_CAPABILITY, DNNL_MAX_CPU_ISA, ") and "not heeded" in run.stderr


def test_nothing_is_said_where_nothing_steers(stage):
    terraform = {"TF_CLI_CONFIG_FILE": "/etc/terraformrc", "TF_VAR_region": "x", "TF_LOG": "INFO"}
    run = start(stage, *FLAGS, "stages/show.py", TF_CPP_MIN_LOG_LEVEL="0", OMP_NUM_THREADS="2", **terraform)
    assert run.stderr == ""
    assert json.loads(run.stdout)["variables"].items() >= terraform.items()


def test_what_is_set_whenever_python_starts_starts_no_stage_for_ever(stage):
    """As a .pth file of an environment does."""
    lines = "import os\nprint('started', file=__import__('sys').stderr)\nos.environ['MKL_CBWR'] = 'AVX2'\n"
    stage.write_text(lines + STAGE)
    run = start(stage, *FLAGS, "stages/show.py")
    assert run.stderr.splitlines() == [
        "started",
        "note: MKL_CBWR: not heeded, results would change",
        "started",
        "warning: MKL_CBWR: set as Python starts, results may change",
    ]
    assert not any(name.startswith("SER_") for name in json.loads(run.stdout)["variables"])


def test_what_is_set_for_python_reaches_neither_a_stage_nor_its_processes(stage, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("raise SystemExit('sitecustomize was run')")
    run = start(stage, *FLAGS, "stages/show.py", PYTHONPATH=str(own), PYTHONUSERBASE=str(own), **HOSTILE_PYTHON)
    found = json.loads(run.stdout)
    assert found["utf8"] == 1 and str(own) not in found["path"]
    assert {name: value for name, value in found["variables"].items() if name.startswith("PYTHON")} == PLAIN_PYTHON
    assert found["worker"][:4] == ["1", "1", "True", "0"] and found["worker"][4] not in ("", str(stage.parents[1]))


def test_the_back_end_of_a_notebook_is_forgotten_before_matplotlib_is_imported(stage):
    """Matplotlib refuses one that is not installed: a stage that draws would not start."""
    notebook = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    stage.write_text("import os, ser\nimport matplotlib\nprint(os.environ.get('MPLBACKEND'))")
    assert start(stage, *FLAGS, "stages/show.py", **notebook).stdout == "None\n"
    code = "import sys; sys.path.insert(0, 'stages'); import os, ser; print(os.environ['MPLBACKEND'])"
    assert start(stage, "-c", code, **notebook).stdout == f"{notebook['MPLBACKEND']}\n"  # this one wants its own


def test_a_program_that_runs_a_stage_is_not_replaced(stage):
    code = "import runpy, sys; sys.argv = ['stages/show.py']; sys.path.insert(0, 'stages'); runpy.run_path(sys.argv[0])"
    run = start(stage, "-c", f"{code}; print('and goes on')", PYTHONHASHSEED="7", OPENBLAS_CORETYPE="Nehalem")
    found, after = run.stdout.splitlines()
    assert after == "and goes on"
    assert json.loads(found)["variables"]["PYTHONHASHSEED"] == "7"


def test_a_file_that_is_not_there_is_a_line_with_the_place_in_the_code(stage):
    """It may be a fault of the program, of which a traceback would have told."""
    stage.write_text("from ser.errors import stage_errors\nwith stage_errors():\n    open('data/none.csv')\n")
    usual = os.environ | {"TF2_BEHAVIOR": "1"}  # as in a notebook that has imported TensorFlow
    command = [sys.executable, "stages/show.py"]
    run = subprocess.run(command, cwd=stage.parents[1], env=usual, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "error: data/none.csv: No such file or directory (stages/show.py, line 3)\n"
