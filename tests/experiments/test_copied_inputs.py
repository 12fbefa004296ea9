"""What experiments take along into their copy of the repository, and what they refuse before the first one."""

import os
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml

from conftest import ROOT, set_params
from ser.errors import InputError
from ser.experiments.copied_inputs import COMMANDS, path_settings, untracked_inputs
from ser.settings.all_sections import Params, load_params
from ser.settings.overrides import with_settings
from ser.settings.params_file import Section
from toy_repository import DVC_YAML, call, dvc, init_dvc, run, toy_repository

PARAMS = load_params(ROOT / "params.yaml")
NO_PATHS = {  # settings of text that look like paths, or like what names one, and what they are
    "prepare.manifest.path": "the name of a column",
    "compute.address": "of a scheduler",
}
WITH_FOLDS = DVC_YAML.replace("data/raw]", "data/raw, '${split.predefined}', code]")


def texts(section: Section, place: str = "") -> dict[str, list[str]]:
    """Return every setting that texts are allowed for, of one's own and not of a few words, and those it has."""
    found = {}
    for name, annotation in get_type_hints(type(section), include_extras=True).items():
        if name not in type(section).model_fields:
            continue
        value, key = getattr(section, name), f"{place}{name}"
        if isinstance(value, Section):
            found |= texts(value, f"{key}.")
        elif any(part is str for part in parts(annotation)):
            values = value if isinstance(value, list) else [value]
            found[key] = [text for text in values if isinstance(text, str) and text]
    return found


def parts(annotation) -> list:
    return [annotation, *(part for inner in get_args(annotation) for part in parts(inner))]


def test_no_setting_that_names_a_path_is_forgotten():
    """By its name, or by what params.yaml says: it is a path, or it has an exception here."""
    checkpoint = with_settings(PARAMS, {"train_transformer.checkpoints": {"w": "data/pretrained/w"}}, "test")
    found = set(path_settings(checkpoint))
    assert {"raw.path", "split.predefined", "train_transformer.checkpoints.w"} <= found
    known = {key.removesuffix(".w") for key in found} | NO_PATHS.keys()
    for key, values in texts(PARAMS).items():
        named = re.search(r"path|folder|file|dir|predefined|source|checkpoint|address", key.rpartition(".")[2])
        if named or any("/" in value or (ROOT / value).exists() for value in values):
            assert key in known or key.partition(".")[0] in COMMANDS, f"{key} names a path: give it the type PathText"


def test_every_path_that_a_stage_depends_on_is_among_them():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    deps = [dep for stage in stages for dep in stage.get("do", stage)["deps"]]
    names = {name for dep in deps for name in re.findall(r"\$\{([\w.]+)\}", dep)}
    assert {"raw.path", "split.predefined", "augment.noise_folder"} <= names
    assert {name for name in names if not name.startswith("item")} <= set(path_settings(PARAMS))


def test_the_sections_left_out_are_those_that_no_stage_reads():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    read = {name.partition(".")[0] for stage in stages for name in stage.get("do", stage).get("params", [])}
    assert set(Params.model_fields) - read == {*COMMANDS, "compute"}  # compute names no path


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with a folder for each kind of input, all named by params.yaml."""
    folder = tmp_path / "repository"
    for name in ("raw", "noise", "rooms", "folds", "code"):
        (folder / name).mkdir(parents=True)
    for name in ("raw/in git.wav", "folds/published.csv", "code/model.py"):
        (folder / name).touch()
    (folder / "dvc.yaml").write_text(
        "stages: {train: {cmd: make, deps: ['${raw.path}', code, data/folds.csv], params: [raw.path], outs: [data/m]}, "
        "split: {cmd: make, deps: ['${split.predefined}'], outs: [data/folds.csv]}}"
    )
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (folder / ".dvcignore").write_text("__pycache__/\n")
    (folder / ".gitignore").write_text("/raw/mine\n/data\n__pycache__/\n")
    names = {"raw.path": "raw", "augment.noise_folder": "noise", "augment.room_folder": "rooms"}
    set_params(folder, names | {"split.predefined": "folds/published.csv"})
    run(folder, "git", "init", "-q")
    init_dvc(folder)
    (folder / "raw/kept").mkdir()
    (folder / "raw/kept/1.wav").write_text("kept by DVC")
    dvc(folder, "add", "raw/kept")
    run(folder, "git", "add", "-A")
    monkeypatch.chdir(folder)
    return folder


def lacking(**changes) -> list[str]:
    params = load_params("params.yaml")
    return untracked_inputs(
        params, with_settings(params, {key.replace("__", "."): changes[key] for key in changes}, "test")
    )


def make(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(path)


def test_what_git_and_dvc_keep_is_not_taken_along(repository):
    make("data/folds.csv")
    make("data/m")
    make("code/__pycache__/model.pyc")
    make("elsewhere/notes.txt")
    assert lacking() == []


def test_what_only_the_folder_has_is_taken_along(repository):
    for path in ("raw/mine/anger/1.wav", "noise/street.wav", "folds/mine.csv", "code/new.py", "code/room/new.py"):
        make(path)
    assert lacking() == ["code/new.py", "code/room", "noise", "raw/mine"]
    assert lacking(split__predefined="folds/mine.csv", raw__path=str(Path("raw").resolve())) == [
        "code/new.py",
        "code/room",
        "folds/mine.csv",
        "noise",
    ]
    set_params(repository, {"raw.path": str(Path("raw").resolve())})  # is read where it is
    assert "raw/mine" not in lacking()
    make("pretrained/wavlm/config.json")
    checkpoints = {"w": "pretrained/wavlm", "h": "microsoft/wavlm-base-plus"}
    assert "pretrained/wavlm" in lacking(train_transformer__checkpoints=checkpoints)


def test_names_are_names_and_no_patterns_of_git(repository):
    make("noise/1.wav")
    make("folds/own.csv")
    make(":(top)own/[f]*.csv")
    make("folds/*.csv")
    assert lacking(split__predefined="folds/*.csv") == ["folds/*.csv", "noise"]
    assert lacking(augment__noise_folder=":(top)own") == [":(top)own"]


def test_what_dvc_keeps_and_git_does_not_know_of_is_taken_along(repository):
    make("noise/street/1.wav")
    dvc(repository, "add", "noise/street")
    assert "noise" in lacking()
    run(repository, "git", "add", "noise")
    assert lacking() == []


def test_links_are_taken_along_as_what_they_lead_to(repository, tmp_path):
    (tmp_path / "corpus").mkdir()
    os.symlink(tmp_path / "corpus", "raw/linked")
    os.symlink("nothing", "raw/broken")
    assert lacking() == ["raw/linked"]


@pytest.mark.parametrize(
    ("key", "path", "message"),
    [
        ("split.predefined", "folds/none.csv", "split.predefined is folds/none.csv, which is not there: every"),
        ("raw.path", "/no/such/folder", "raw.path is /no/such/folder, which is not there"),
        (
            "raw.path",
            "../beside",
            "raw.path is ../beside, which leads out of the repository or through a link, .*: name",
        ),
        ("augment.noise_folder", "linked", "augment.noise_folder is linked, which leads out of .*: name .*/beside"),
        ("augment.room_folder", "linked/rooms", "augment.room_folder is linked/rooms, which leads out of"),
        ("split.predefined", "own/folds.csv", "own/folds.csv is in no folder that git keeps: `git add` and commit it"),
        ("augment.noise_folder", "hollow", "hollow/gone is a link to nothing, which cannot be copied"),
        ("augment.noise_folder", "committed", "committed/out is a link to ../../beside, where .*: make it absolute"),
    ],
)
def test_what_cannot_be_taken_along_is_refused(repository, tmp_path, key, path, message):
    (tmp_path / "beside/rooms").mkdir(parents=True)
    os.symlink("../beside", "linked")
    make("own/folds.csv")
    make("hollow/1.wav")
    os.symlink("nothing", "hollow/gone")
    Path("committed").mkdir()
    os.symlink("../../beside", "committed/out")
    run(repository, "git", "add", "committed")
    with pytest.raises(InputError, match=message) as caught:
        lacking(**{key: path})
    assert "\n" not in str(caught.value)


# --- real experiments


def toy_with_folds(folder: Path, **changes) -> Path:
    """Make a small repository whose stage reads a CSV of folds and a module that git does not know."""
    from toy_repository import STAGE

    script = STAGE + "\nassert Path('code/own.py').is_file()\n"
    script += "name = YAML(typ='safe', pure=True).load(Path('params.yaml'))['split']['predefined']\n"
    script += "if not Path(name).read_text(): sys.exit('error: no folds')\n"
    for place in ("code/model.py", "code/own.py", "folds/first.csv", "folds/own.csv"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text("clip,fold\n")
    (folder / ".git/info").mkdir(parents=True)
    (folder / ".git/info/exclude").write_text("own.*\n")
    return toy_repository(folder, script, WITH_FOLDS, split__predefined="folds/own.csv", **changes)


CHOICES = {"train_ml.svm_rbf.C": [10.0], "train_ml.svm_rbf.gamma": [0.01]}


def test_a_search_takes_along_folds_that_git_does_not_track(tmp_path):
    folder = toy_with_folds(tmp_path, tune__space=CHOICES)
    assert "best 0.9000 (+0.1202); 1 trials, 0 failed" in call(folder, "tune", "--trials", "1")


def test_a_choice_that_is_not_there_stops_the_search_before_its_first_trial(tmp_path):
    space = CHOICES | {"augment.noise_folder": ["data/raw", "data/none"]}
    places = {"augment__noise_folder": "data/raw", "augment__room_folder": "data/raw"}
    folder = toy_with_folds(tmp_path, tune__space=space, **places)
    printed = call(folder, "tune", "--trials", "2", code=1)
    assert (
        "error: augment.noise_folder is data/none, which is not there: every experiment with it would fail" in printed
    )
    assert not list(folder.glob(".dvc/tmp/tune/*/*.log"))
