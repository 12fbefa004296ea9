"""What the package says it needs agrees with what the pipeline is pinned to."""

import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

import ser
from conftest import ROOT, environment

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pinned(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    wanted = [Requirement(line.partition("#")[0]) for line in lines if line.partition("#")[0].strip()]
    return {each.name.lower().replace("_", "-"): str(each.specifier).removeprefix("==") for each in wanted}


def test_the_pipeline_is_the_package_with_the_extra_train():
    named = {Requirement(line).name.lower().replace("_", "-") for line in [*PROJECT["dependencies"], *EXTRAS["train"]]}
    assert named == {*pinned("requirements.txt")}


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_pins_are_among_the_versions_that_are_taken(extra):
    pins = pinned("constraints.txt")
    for line in EXTRAS[extra] if extra else PROJECT["dependencies"]:
        wanted = Requirement(line)
        if wanted.name != PROJECT["name"]:
            assert wanted.specifier.contains(pins[wanted.name.lower().replace("_", "-")], prereleases=True), line


def test_requirements_and_constraints_pin_the_same():
    pins = pinned("constraints.txt")
    assert {name: pins.get(name) for name in pinned("requirements.txt")} == pinned("requirements.txt")


def test_the_version_is_one_everywhere():
    assert re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.M)[1] == PROJECT["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_ser_alone_imports_no_room():
    code = "import sys, ser; print([name for name in sys.modules if name.startswith('ser.')])"
    run = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_ser_offers_load_and_the_version():
    assert ser.__all__ == ["__version__", "load"]
    assert ser.load.__module__ == "ser.prediction.trained_model"
    assert re.fullmatch(r"\d+\.\d+\.\d+", ser.__version__)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        ser.other  # noqa: B018
