"""What prepare takes over of licences."""

import json

import pytest

from conftest import run_stage, set_params, workplace


@pytest.fixture
def folder(small_ravdess, tmp_path):
    return workplace(tmp_path / "work", raw__path=str(small_ravdess), prepare__corpora=["ravdess"])


def prepared(folder, **changes) -> str:
    set_params(folder, {key.replace("__", "."): value for key, value in changes.items()})
    run = run_stage(folder, "prepare")
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_stated_licence_arrives(folder):
    prepared(folder, prepare__corpora=["demo", "ravdess"], prepare__licences={"RAVDESS": "bought"})
    corpora = json.loads((folder / "data/prepared/origin.json").read_text())["corpora"]
    assert corpora == {
        "demo": {"licence": "", "synthetic": True},
        "ravdess": {"licence": "bought", "synthetic": False},
    }
    set_params(folder, {"prepare.licences": {"mine": "MIT"}})
    run = run_stage(folder, "prepare")
    assert run.returncode == 1 and run.stderr.startswith(
        "error: prepare.licences names mine, which is no corpus of this"
    )
