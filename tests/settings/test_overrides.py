"""Named settings: those in overrides/ are valid, and writing them into params.yaml changes nothing else."""

import re
import shutil

import pytest
from ruamel.yaml import YAML

from conftest import ROOT, run_stage
from ser.errors import InputError
from ser.settings.all_sections import load_params
from ser.settings.overrides import (
    change_values,
    collect_settings,
    describe_files,
    present_value,
    read_settings,
    with_settings,
)
from ser.settings.params_file import Section

TEXT = (ROOT / "params.yaml").read_text()
PARAMS = load_params(ROOT / "params.yaml")
COMMENT = re.compile(r"#.*")


def settings_of(section: Section, prefix: str = "") -> dict:
    """Return all settings by dotted key."""
    found, values = {}, section.model_dump()
    for name in type(section).model_fields:
        part, key = getattr(section, name), f"{prefix}{name}"
        found |= settings_of(part, f"{key}.") if isinstance(part, Section) else {key: values[name]}
    return found


def values_of(text: str) -> dict:
    return YAML(typ="safe", pure=True).load(text)


def folder_with(tmp_path, name: str, text: str):
    (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", describe_files(ROOT / "overrides"))
def test_committed_files_are_valid_and_change_something(name):
    settings = collect_settings([name], ROOT / "overrides")
    assert with_settings(PARAMS, settings, name) != PARAMS
    assert describe_files(ROOT / "overrides")[name][0].islower() or name in ("ravdess", "emodb")


def test_the_last_of_equal_keys_counts(tmp_path):
    folder = folder_with(tmp_path, "a", "# one\ntrain.seed: 2\nsplit.folds: 3\n")
    folder_with(tmp_path, "b-1", "# two\ntrain.seed: 4\n")
    assert collect_settings(["a", "b-1", "split.scheme=random"], folder) == {
        "train.seed": 4,
        "split.folds": 3,
        "split.scheme": "random",
    }
    assert collect_settings(["b-1", "a", "train.seed=7", "train.seed=8"], folder)["train.seed"] == 8
    assert describe_files(folder) == {"a": "one", "b-1": "two"}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("raw.path=/data/my corpora=1", "/data/my corpora=1"),
        ("train_lstm.learning_rate=1e-05", 1e-05),
        ("prepare.corpora=[ravdess, emodb]", ["ravdess", "emodb"]),
        ("prepare.rename={calm: neutral}", {"calm": "neutral"}),
        ("train_ml.select=null", None),
        ("train_ml.tune=true", True),
        ("split.scheme=no", "no"),
    ],
)
def test_assignments_are_read_as_params_are(tmp_path, argument, value):
    (found,) = collect_settings([argument], tmp_path).values()
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train:\n  seed: 2\n", "is no list of settings: write a dotted key"),
        ("- train.seed\n", "is no list of settings"),
        ("# nothing\n", "is no list of settings"),
        ("train.seed: [1\n", "is not valid YAML"),
        ("train.seed: 1\ntrain.seed: 2\n", "is not valid YAML"),
    ],
)
def test_files_that_are_no_settings(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_settings(folder_with(tmp_path, "a", text) / "a.yaml")
    assert "a.yaml" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["b", "../a", "a.yaml", "seed=1", "train.seed", ""])
def test_names_that_are_none(tmp_path, name):
    with pytest.raises(InputError, match="is neither key=value nor a file of .*/, which has a"):
        collect_settings([name], folder_with(tmp_path, "a", "train.seed: 2\n"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_lstm.layer": 1}, "mine names train_lstm.layer, which params.yaml has not"),
        ({"trainlstm.layers": 1}, "mine names trainlstm.layers, which params.yaml has not"),
        ({"train.seed.x": 1}, "mine names train.seed.x, which params.yaml has not"),
        ({"extract.functionals": "full"}, "a section: name one of its settings \\(set, groups"),
        ({"train_lstm.layers": 9}, "mine: train_lstm.layers is 9: input should be less than or equal to 4"),
        ({"train_lstm.layers": 1, "split.scheme": "x"}, "mine: split.scheme is 'x': input should be 'holdout'"),
        ({"prepare.min_seconds": 40.0}, "mine: prepare: min_seconds, max_seconds is .40.0, 30.0.; allowed"),
    ],
)
def test_settings_that_are_not_allowed(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        with_settings(PARAMS, settings, "mine")
    assert "\n" not in str(caught.value)


def test_mappings_are_settings():
    assert present_value(PARAMS, "prepare.rename", "mine") == {}
    assert with_settings(PARAMS, {"prepare.rename": {"calm": "neutral"}}, "mine").prepare.rename["calm"] == "neutral"


# --- the text of params.yaml


def test_same_values_leave_the_text_as_it_is():
    assert change_values(TEXT, settings_of(PARAMS)) == TEXT


def test_all_values_change_and_comments_stay():
    """Every number, word and list is another; what comments are there, and in which order, is as before."""
    settings = settings_of(PARAMS)
    changed = {key: new_value(value) for key, value in settings.items() if not isinstance(value, dict)}
    text = change_values(TEXT, changed)
    expected = values_of(TEXT)
    for key, value in changed.items():
        *sections, name = key.split(".")
        place = expected
        for section in sections:
            place = place[section]
        place[name] = value
    assert values_of(text) == expected
    assert COMMENT.findall(text) == COMMENT.findall(TEXT)
    assert values_of(change_values(text, settings)) == values_of(TEXT)
    assert text.count("\n\n") == TEXT.count("\n\n")


def new_value(value):
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, str):
        return f"{value}: 'new"
    if isinstance(value, list):
        return [*(new_value(item) for item in value), "one more"]
    return value / 3 + 1e-7


@pytest.mark.parametrize("length", [0, 1, 9])
def test_lists_shrink_and_grow(length):
    """One with a comment beside its first item, one that an empty line follows, and an empty one."""
    keys = ["augment.kinds", "train_ml.grid.lightgbm.num_leaves", "fuse.members", "prepare.corpora"]
    text = change_values(TEXT, dict.fromkeys(keys, ["x"] * length))
    assert values_of(text)["fuse"]["members"] == values_of(text)["augment"]["kinds"] == ["x"] * length
    if length:
        assert text.count("\n\n") == TEXT.count("\n\n")
    untouched = [line for line in TEXT.splitlines() if line.startswith(("train_lstm:", "  noise:", "evaluate:"))]
    assert [line for line in text.splitlines() if line in untouched] == untouched
    if length == 9:
        assert "    - x                   # noise, speed, stretch, pitch" in text


def test_small_numbers_are_written_out():
    assert "\n  learning_rate: 0.00001" in change_values(TEXT, {"train_lstm.learning_rate": 1e-05})


def test_comments_keep_their_column():
    assert "  epochs: 40              # at most\n" in change_values(TEXT, {"train_lstm.epochs": 40})


# --- the script


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "stages").symlink_to(ROOT / "stages")
    shutil.copytree(ROOT / "overrides", tmp_path / "overrides")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


def test_script_writes_and_says_what_changed(folder):
    run = run_stage(folder, "override", "emodb", "raw.path=/data/corpora", "split.seed=1")
    assert run.returncode == 0, run.stderr
    params = load_params(folder / "params.yaml")
    assert (params.prepare.corpora, params.split.scheme, params.raw.path) == (["emodb"], "loso", "/data/corpora")
    assert "split.scheme: kfold -> loso\n" in run.stdout and "split.seed" not in run.stdout
    assert "5 of 6 settings changed" in run.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["overrides", "params.yaml", "stages"]


@pytest.mark.parametrize("bad", ["train_lstm.layers=9", "nothing"])
def test_script_leaves_the_file_alone_where_something_is_wrong(folder, bad):
    run = run_stage(folder, "override", "emodb", bad)
    assert run.returncode == 1 and run.stderr.startswith("error: ") and run.stderr.count("\n") == 1
    assert (folder / "params.yaml").read_text() == TEXT
    assert sorted(path.name for path in folder.iterdir()) == ["overrides", "params.yaml", "stages"]


def test_help_lists_the_files(folder):
    printed = run_stage(folder, "override", "--help").stdout
    assert "ravdess       RAVDESS in the six speaker-independent folds" in printed
