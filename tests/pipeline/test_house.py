"""The house: where code lies, what may import what, and that dvc.yaml names all that a stage needs."""

import ast
import hashlib
import json
import re
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from dvc_clone import DVC_YAML
from import_graph import FLOOR_OF, circles, code_deps, imported_also_indirectly, room_of, upward_imports
from ser.storage.prediction_tables import FUSE, TRAINERS

STAGES = ROOT / "stages"
LIBRARY = STAGES / "ser"
ROOMS = sorted(path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name != "__pycache__")
MAY_GROW = ("corpora", "commands", "annotations")
EDITED_OFTEN = ("reporting", "charts", "review", "experiments", "commands")
WEB_PAGES = [LIBRARY / "serving" / folder for folder in ("page", "static")]  # their files are served as they are
WHOLE_SETTINGS = "stages/ser/settings"  # of the stage that reads every section


def definition(stage: str) -> dict:
    return DVC_YAML[stage].get("do", DVC_YAML[stage])


def script_of(stage: str) -> Path:
    return ROOT / next(word for word in definition(stage)["cmd"].split() if word.startswith("stages/"))


def code_of(stage: str) -> set[str]:
    return {dep for dep in definition(stage)["deps"] if dep.startswith("stages/")}


def test_top_of_the_library():
    assert sorted(path.name for path in LIBRARY.glob("*.py")) == ["__init__.py", "errors.py"]
    assert sorted(FLOOR_OF) == ROOMS


def test_stages_holds_the_scripts_of_dvc_yaml_and_nothing_else():
    assert sorted(STAGES.glob("*.py")) == sorted(map(script_of, DVC_YAML))


@pytest.mark.parametrize("room", ROOMS)
def test_room_is_small_and_imports_nothing_by_itself(room):
    modules = list((LIBRARY / room).glob("*.py"))
    assert room in MAY_GROW or len(modules) <= 16
    assert {path.stem: lines for path in modules if (lines := path.read_text().count("\n")) > 300} == {}
    tree = ast.parse((LIBRARY / room / "__init__.py").read_text())
    assert len(tree.body) == 1 and len(ast.get_docstring(tree).splitlines()) == 2
    assert [path.stem for path in modules if path.stem == room] == []  # no audio/audio.py


def test_templates_and_defaults_lie_beside_the_module_that_reads_them():
    others = [path for path in LIBRARY.rglob("*.*") if path.suffix not in (".py", ".pyc", ".typed")]
    others = [path for path in others if path.parent not in WEB_PAGES]
    assert len(others) == 12
    assert [path for path in others if not path.with_suffix(".py").is_file()] == []


def test_no_import_runs_up_and_no_rooms_import_each_other():
    assert upward_imports(STAGES) == []
    assert circles(STAGES) == []


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_an_upward_import_a_circle_and_a_room_that_deps_miss_are_found(tmp_path):
    write(tmp_path / "ser/audio/cleaning.py", "from ser.storage.samples import to_int16\n")
    write(tmp_path / "ser/storage/samples.py", "def f():\n    from ser.audio import cleaning\n")
    write(tmp_path / "ser/errors.py", "")
    write(tmp_path / "x.py", "import ser.audio.cleaning\nfrom ser.errors import InputError\n")
    assert upward_imports(tmp_path) == ["ser/storage/samples.py imports audio"]
    assert circles(tmp_path) == ["audio", "storage"]
    deps = {f"{tmp_path.name}/{name}" for name in ("x.py", "ser/audio", "ser/errors.py", "ser/storage")}
    assert code_deps(tmp_path / "x.py", tmp_path) == deps


@pytest.mark.parametrize("stage", DVC_YAML)
def test_deps_are_the_rooms_that_a_script_imports(stage):
    """DVC doesn't follow imports: a room that is missing here would not make the stage run again."""
    listed, needed = code_of(stage), code_deps(script_of(stage), STAGES)
    if WHOLE_SETTINGS in listed:
        needed = {dep for dep in needed if not dep.startswith(WHOLE_SETTINGS)} | {WHOLE_SETTINGS}
    assert listed == needed


@pytest.mark.parametrize("stage", DVC_YAML)
def test_params_of_a_stage_are_the_sections_it_reads(stage):
    """A section that the script reads and DVC does not know would not make the stage run again."""
    read = set()
    for node in ast.walk(ast.parse(script_of(stage).read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "load_sections":
            read |= {keyword.arg for keyword in node.keywords}
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "params":
            read.add(node.attr)
    listed = {param.split(".")[0] for param in definition(stage).get("params", [])}
    through_data = {"compute"}  # the number of workers changes no result
    assert read - through_data == listed


@pytest.mark.parametrize("stage", [stage for stage in DVC_YAML if stage not in ("prepare", "evaluate", "report")])
def test_what_is_edited_often_makes_no_long_stage_due(stage):
    rooms = {room_of(module, STAGES) for module in imported_also_indirectly(script_of(stage), STAGES)}
    assert rooms.isdisjoint({*EDITED_OFTEN, "audio"})


def test_charts_and_commands_are_nothing_to_prepare():
    assert code_of("prepare").isdisjoint(f"stages/ser/{room}" for room in EDITED_OFTEN)


@pytest.mark.parametrize(
    ("stage", "folders"),
    [
        ("fuse", {"predictions": TRAINERS}),
        ("evaluate", {"predictions": (*TRAINERS, FUSE), "history": TRAINERS, "importance": TRAINERS}),
        ("report", {"predictions": (*TRAINERS, FUSE)}),
    ],
)
def test_folders_that_are_read_are_the_declared_ones(stage, folders):
    """`ser.storage.prediction_tables` opens these and no others."""
    read = {f"data/{folder}/{trainer}" for folder, trainers in folders.items() for trainer in trainers}
    declared = {dep for dep in definition(stage)["deps"] if re.match("data/(predictions|history|importance)", dep)}
    assert declared == read


def test_dvc_yaml_fits_a_head():
    text = (ROOT / "dvc.yaml").read_text()
    assert len(text.splitlines()) <= 480
    stages = re.split(r"^(?=  \w+:$)", text.split("\nplots:\n")[0], flags=re.MULTILINE)[1:]
    assert len(stages) == len(DVC_YAML)
    assert max(len(stage.splitlines()) for stage in stages) <= 75


def digest(path: Path) -> str:
    """Return the MD5 that DVC gives a file or, of the list of its files, a folder."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = [file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    entries = [{"md5": digest(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    listed = json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True)
    return hashlib.md5(listed.encode()).hexdigest() + ".dir"


def test_metrics_are_written_as_dvc_compares_them():
    """All files under metrics: by the one function that rounds to what DVC shows and refuses what it does not."""
    files = {
        Path(next(iter(metric)) if isinstance(metric, dict) else metric).name
        for stage in DVC_YAML
        for metric in definition(stage).get("metrics", [])
    }
    calls = [
        (node.func.id, ast.unparse(node.args[1]))
        for path in STAGES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2
    ]
    written = {file: {name for name, place in calls if f"'{file}'" in place} for file in files}
    assert written == dict.fromkeys({"metrics.json", "validation.json", "audit.json"}, {"write_metrics"})


def test_the_committed_lock_is_of_the_committed_code():
    """Otherwise a fresh clone would end with another dvc.lock."""
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    deps = {dep["path"]: dep["md5"] for stage in lock.values() for dep in stage["deps"]}
    code = {path: md5 for path, md5 in deps.items() if path.startswith("stages/")}
    assert set(code) == set.union(*(code_of(stage) for stage in DVC_YAML if "matrix" not in DVC_YAML[stage]))
    assert {path: digest(ROOT / path) for path in code} == code
