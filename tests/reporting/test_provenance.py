"""What a page says of where its numbers come from: packages, settings that are no defaults, digests of the inputs."""

import ast
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from import_graph import imported_also_indirectly
from report_tables import make_clips, make_predictions
from ser.reporting import provenance
from ser.reporting.provenance import changed_settings, digest_inputs, package_versions
from ser.settings.all_sections import default_params
from ser.storage.shards import RaggedWriter

DEFAULTS = default_params().model_dump()
CLASSES = ["anger", "fear"]
CLIPS = make_clips(speakers=2, repeats=2, emotions=CLASSES)
SOUNDS = [np.arange(number, 40 + 3 * number, dtype=np.int16) for number in range(len(CLIPS))]
# read, write, draw or schedule; no number that is scored comes from them
NOT_COMPUTING = {
    *("PIL", "distributed", "huggingface_hub", "indexed_gzip", "jinja2", "joblib", "markupsafe", "matplotlib", "onnx"),
    *("pyarrow", "pydantic", "ruamel", "safetensors", "threadpoolctl", "tqdm"),
}
PACKAGES = {"imblearn": "imbalanced-learn", "sklearn": "scikit-learn"}  # by what they are imported as


def digests_of(folder: Path, order: list[int], clips: pd.DataFrame = CLIPS, sounds: list = SOUNDS, **options):
    """Return the digests of clips that lie in an order; `options` are ``shard_bytes``, ``rate`` and ``folds``."""
    with RaggedWriter(folder, shard_bytes=options.get("shard_bytes", 10**6)) as audio:
        for number in order:
            audio.append(sounds[number])
    rows = make_predictions(clips, 1.0, 0, CLASSES).assign(fold=options.get("folds", 0))
    ordered = clips.iloc[order].reset_index(drop=True)
    return digest_inputs(ordered, folder, options.get("rate", 16000), rows.iloc[order])


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return digests_of(tmp_path_factory.mktemp("usual") / "audio", list(range(len(CLIPS))))


def test_digests_are_the_same_wherever_and_in_whichever_order_the_data_lie(tmp_path, usual):
    assert digests_of(tmp_path / "elsewhere", list(range(len(CLIPS)))[::-1], shard_bytes=100) == usual
    assert len(list((tmp_path / "elsewhere").glob("shard_*"))) > 1
    assert len({*usual}) == 3 and {len(digest) for digest in usual} == {64}


def test_what_was_measured_is_no_label(tmp_path, usual):
    assert digests_of(tmp_path / "audio", list(range(len(CLIPS))), CLIPS.assign(seconds=0.7)) == usual


def test_each_digest_tells_a_change_of_its_own(tmp_path, usual):
    order = list(range(len(CLIPS)))
    louder = [*SOUNDS[:-1], SOUNDS[-1] + np.int16(1)]
    moved = [np.append(SOUNDS[0], SOUNDS[1][0]), SOUNDS[1][1:], *SOUNDS[2:]]  # from one clip to its neighbour
    other = CLIPS.assign(emotion=["fear", *CLIPS["emotion"][1:]])
    changes = {
        "louder": (digests_of(tmp_path / "a", order, sounds=louder), {"sound"}),
        "moved": (digests_of(tmp_path / "b", order, sounds=moved), {"sound"}),
        "rate": (digests_of(tmp_path / "c", order, rate=8000), {"sound"}),
        "label": (digests_of(tmp_path / "d", order, other), {"labels"}),
        "exchanged": (digests_of(tmp_path / "e", order, sounds=[SOUNDS[1], SOUNDS[0], *SOUNDS[2:]]), {"sound"}),
        "fold": (digests_of(tmp_path / "f", order, folds=[1] + [0] * (len(CLIPS) - 1)), {"folds"}),
    }
    for name, (digests, told) in changes.items():
        assert {field for field in usual._fields if getattr(digests, field) != getattr(usual, field)} == told, name


def test_packages_are_those_of_the_models_that_ran(monkeypatch):
    monkeypatch.setattr(provenance, "version", lambda name: "2.13.0+cpu")
    assert {*package_versions({"svm_rbf": "train_ml"}, DEFAULTS)}.isdisjoint({"torch", "keras", "lightgbm"})
    versions = package_versions({"lightgbm": "train_ml", "lstm": "train_lstm", "ensemble": "fuse"}, DEFAULTS)
    assert {"lightgbm", "torch", "numpy", "onnxruntime"} <= {*versions}
    assert {"keras", "tensorflow", "transformers", "pyloudnorm"}.isdisjoint(versions)
    assert [*versions] == sorted(versions) and {*versions.values()} == {"2.13.0"}  # without where torch came from
    assert "pyloudnorm" in package_versions({}, DEFAULTS | {"prepare": {"normalize": "loudness"}})


def test_a_package_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(provenance, "OF_EVERY_RUN", ("numpy", "no-such-package"))
    assert package_versions({}, DEFAULTS) == {"no-such-package": "not installed", "numpy": np.__version__}


@pytest.mark.parametrize("script", sorted(path.stem for path in (ROOT / "stages").glob("*.py")))
def test_whatever_a_stage_imports_is_told_or_computes_nothing(script):
    """A library that a new feature or model brings must not be missing from the page."""
    stages = ROOT / "stages"
    modules = [stages / f"{script}.py", *imported_also_indirectly(stages / f"{script}.py", stages)]
    names = {name for module in modules for name in imports_of(module)} - {*sys.stdlib_module_names, "ser"}
    found = {PACKAGES.get(name, name) for name in names}
    of_any = [*provenance.OF_TRAINERS.values(), *provenance.OF_MODELS.values(), (provenance.OF_LOUDNESS,)]
    told = {*provenance.OF_EVERY_RUN, *(package for packages in of_any for package in packages)}
    assert found <= told | NOT_COMPUTING


def imports_of(module: Path) -> set[str]:
    nodes = [*ast.walk(ast.parse(module.read_text()))]
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.split(".")[0] for name in names}


def test_settings_that_are_not_the_defaults():
    assert changed_settings(DEFAULTS, DEFAULTS) == []
    here = default_params().model_dump()
    here["split"]["folds"] = 5
    here["prepare"]["rename"] = {"calm": "neutral"}
    here["train_lstm"] |= {"enabled": False, "epochs": 3}  # of what is left out only that it is
    del here["tune"]
    assert [tuple(change) for change in changed_settings(here, DEFAULTS)] == [
        ("prepare.rename", "{}", '{"calm": "neutral"}'),
        ("split.folds", "4", "5"),
        ("train_lstm.enabled", "true", "false"),
    ]


def test_what_is_taken_out_of_a_mapping_is_told():
    before = {"tune": {"space": {"a": [1, 2], "b": [3, 4]}}}
    here = {"tune": {"space": {"a": [1, 2]}}}
    assert [change.key for change in changed_settings(here, before)] == ["tune.space"]
    assert [change.key for change in changed_settings(before, here)] == ["tune.space"]
    assert changed_settings({"tune": {"on": 1}}, {"tune": {"on": True}})[0].default == "true"
