"""The ensemble as a model's folder."""

import json
from types import SimpleNamespace

import pytest

from ser.errors import InputError
from ser.fusion.ensemble_folder import copy_member, write_ensemble
from ser.fusion.ensemble_weights import fuse
from ser.probabilities.model_results import temperatures_of
from synthetic_predictions import predictions, write_trained

WEIGHTS = SimpleNamespace(method="weights", calibrate=False, powers=[0.0], shrinkage=3.0)


@pytest.fixture
def made(tmp_path):
    """Two members' folders and their fusion."""
    tables = {name: predictions(seed)[0] for seed, name in enumerate(("b", "a"))}
    write_trained(tmp_path, "train_ml", tables)
    fusion = fuse(tables, predictions(0)[1].assign(statement=""), WEIGHTS)
    folders = {name: tmp_path / "data/models/train_ml" / name for name in sorted(tables)}
    return folders, fusion, tmp_path / "ensemble"


def test_members_are_copied_with_the_rule_of_each_fold(made):
    folders, fusion, folder = made
    write_ensemble(folders, fusion, folder)
    for place, rule, own in [
        ("", fusion.for_use, "None"),
        *((f"fold_{k}", r, str(k)) for k, r in fusion.rules.items()),
    ]:
        description = json.loads((folder / place / "model.json").read_text())
        assert description["members"] == ["a", "b"]
        assert description["rule"]["weights"] == pytest.approx(rule.weights.tolist())
        assert "examples" not in description["learnt_from"]
        for name in "ab":
            assert (folder / place / "members" / name / "model.onnx").read_text() == f"{name} {own}"
        assert (folder / place / "model_card.md").read_text().startswith("# Model card: `ensemble`")
    temperatures = temperatures_of(fusion.table)
    of_fold = json.loads((folder / "fold_2/model.json").read_text())
    assert of_fold["temperature"] == temperatures[2]
    assert of_fold["fold"] == "fold_2"


def test_the_corpora_of_all_members_are_told(made):
    folders, fusion, folder = made
    about = json.loads((folders["b"] / "model.json").read_text())
    other = {"clips": 1, "speakers": 1, "languages": [], "licence": "CC BY-NC 4.0", "synthetic": False}
    about["learnt_from"]["corpora"] |= {"another": other}
    (folders["b"] / "model.json").write_text(json.dumps(about))
    write_ensemble(folders, fusion, folder)
    corpora = json.loads((folder / "model.json").read_text())["learnt_from"]["corpora"]
    assert list(corpora) == ["another", "c"] and corpora["another"] == other
    assert "another (non-commercial) may inherit its terms" in (folder / "model_card.md").read_text()


def test_it_replaces_the_one_before_and_has_the_same_bytes(made):
    folders, fusion, folder = made
    write_ensemble(folders, fusion, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / "members/old").mkdir()
    write_ensemble(folders, fusion, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (folder / "members/old").exists()


def test_a_missing_or_older_member_is_named(made):
    folders, fusion, folder = made
    about = json.loads((folders["b"] / "fold_1/model.json").read_text())
    (folders["b"] / "fold_1/model.json").write_text(json.dumps(about | {"format": 3}))
    with pytest.raises(InputError, match="b/fold_1 has format 3, .*: train the model again"):
        write_ensemble(folders, fusion, folder)
    (folders["a"] / "model.json").unlink()
    with pytest.raises(InputError, match="train_ml/a holds no model: run `dvc repro`"):
        write_ensemble(folders, fusion, folder)
    assert not folder.exists()


def test_only_what_predicts_is_copied(tmp_path):
    place = tmp_path / "lstm"
    (place / "fold_0").mkdir(parents=True)
    for name in ("model.json", "model.onnx", "model_card.md", "settings.json", "weights.pt"):
        (place / name).write_text(name)
    copy_member(place, tmp_path / "one")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["model.json", "model.onnx", "model_card.md"]


@pytest.mark.parametrize(("graph", "copied"), [(True, ["model.onnx"]), (False, ["seed_1/weights", "seed_2/weights"])])
def test_networks_of_several_seeds_are_copied_where_no_graph_is_all_of_them(tmp_path, graph, copied):
    place = tmp_path / "model"
    for name in ("seed_1/weights", "seed_2/weights", "fold_0/weights", *(["model.onnx"] if graph else [])):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(name)
    copy_member(place, tmp_path / "one")
    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(tmp_path / "one")) for path in files) == copied


def test_a_model_on_a_pretrained_encoder_is_copied_with_it_and_without_tables(tmp_path):
    place = tmp_path / "wavlm_frozen"
    (place / "encoder").mkdir(parents=True)
    (place / "fold_0").mkdir()
    for name in ("model.json", "head.safetensors", "predictions.csv", "temperatures.json", "encoder/config.json"):
        (place / name).write_text(name)
    copy_member(place, tmp_path / "one")
    found = {path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert found == {"model.json", "head.safetensors", "encoder/config.json"}
