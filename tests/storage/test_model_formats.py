"""Folders of models of other formats are refused with what to do."""

import json
from pathlib import Path

import pytest

import ser
from ser.errors import InputError
from ser.storage.model_formats import FORMAT, check_format


def test_the_format_that_is_read_passes():
    check_format(FORMAT, Path("folder"))


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        (FORMAT + 1, f"folder has format {FORMAT + 1}, this version reads format {FORMAT}: update the package"),
        (FORMAT - 1, "train the model again"),
        (None, "folder is older than the numbers of formats, .*: train the model again"),
        ("1", "older than the numbers"),
    ],
)
def test_others_are_refused_with_the_remedy(found, remedy):
    with pytest.raises(InputError, match=remedy):
        check_format(found, Path("folder"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"trainer": "train_ml", "input": 3}'])
def test_a_folder_that_is_no_models_is_said_to_be_none(content, tmp_path):
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(InputError, match="is no model folder"):
        ser.load(tmp_path)


@pytest.mark.parametrize("change", [{"trainer": "os"}, {"input": {"kind": "other"}}])
def test_a_folder_cannot_choose_what_is_imported(change, tmp_path):
    description = {"format": FORMAT, "trainer": "train_ml", "input": {"kind": "functionals"}, "normalization": "train"}
    (tmp_path / "model.json").write_text(json.dumps(description | change))
    with pytest.raises(InputError, match="unknown trainer"):
        ser.load(tmp_path)
