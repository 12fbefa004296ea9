"""Fits that finished runs have left: taken over where nothing that they depend on has changed, and never otherwise."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import forget_what_was_read, set_params, workplace
from ser.networks.layer_graph import Layer
from ser.settings.all_sections import load_params
from ser.storage.csv_tables import write_csv
from ser.storage.whole_files import write_json
from ser.training import kept_fits, model_fits
from ser.training.dataset import Source, dataset_of, file_stamps
from ser.training.kept_fits import Outcome, digest_of, keep_fit, kept_json, restore_fit
from ser.training.trainer_loop import cross_fit

EMOTIONS = ["anger", "neutral"]
MODELS = ["logistic_regression", "svm_rbf", "mlp"]


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """A folder with the data of eight speakers, in which trainers run."""
    folder = workplace(tmp_path / "work", train_ml__models=MODELS, train_ml__mlp__epochs=3, train__importance_repeats=1)
    monkeypatch.chdir(folder)
    rng = np.random.default_rng(1)
    rows = [(f"c{s}{n}", f"s{s}", EMOTIONS[n % 2]) for s in range(8) for n in range(6)]
    clips = pd.DataFrame(rows, columns=["clip", "speaker", "emotion"]).assign(corpus="demo", language="de", seconds=1.5)
    for column in ("sex", "age", "ethnicity", "intensity", "statement", "source", "fold"):
        clips[column] = ""
    copies = clips.rename(columns={"clip": "parent"}).assign(recipe="noise")
    copies.insert(0, "clip", copies["parent"] + "#1")
    parts = np.repeat(["test", "validation", "train", "train"], 12)
    folds = pd.DataFrame({"clip": clips["clip"], "fold_0": parts, "fold_1": np.roll(parts, 12)})
    for path, table in (("prepared/clips", clips), ("augmented/clips", copies), ("folds", folds)):
        write_csv(table, f"data/{path}.csv")
    save("data/prepared/recordings.npy", rng.standard_normal((len(clips), 1)))
    corpora = {"demo": {"licence": "CC0", "synthetic": True}}
    write_json({"profile": ["level, dBFS"], "corpora": corpora}, "data/prepared/origin.json")
    labels = np.array([EMOTIONS.index(emotion) for emotion in clips["emotion"]])[:, np.newaxis]
    for part in ("prepared", "augmented"):
        save(f"data/features/{part}/functionals.npy", labels + rng.standard_normal((len(clips), 3)))
    description = {"kind": "functionals", "names": ["f0_mean", "f0_std", "rms_mean"], "audio": {"sample_rate": 16000}}
    write_json(description, "data/features/prepared/functionals.json")
    return folder


def save(path: str, values: np.ndarray) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values.astype(np.float32))


def train(**changes) -> tuple[dict[str, bytes], list[tuple[str, str | None]]]:
    """Run train_ml as if DVC had: without its outputs. Return these, and the models and folds that were fitted."""
    for folder in ("models", "predictions", "history", "importance"):
        for path in sorted(Path("data", folder).rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    set_params(Path(), {key.replace("__", "."): value for key, value in changes.items()})
    params, fitted, run = load_params(), [], model_fits._run_job
    fits = {name: {"settings": params.train_ml.of_model(name), "name": name} for name in params.train_ml.models}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            model_fits, "_run_job", lambda job, *more: fitted.append((job.model, job.fold)) or run(job, *more)
        )
        cross_fit(
            "train_ml", "ser.models.classical", "functionals", fits, settings=params.train, compute=params.compute
        )
    forget_what_was_read()  # the next run would be another process
    paths = [path for path in Path("data").rglob("*") if path.is_file()]
    outputs = [path for path in paths if path.parts[1] in ("models", "predictions", "history", "importance")]
    return {str(path): path.read_bytes() for path in outputs}, fitted


def everything(*models: str) -> set:
    return {(model, fold) for model in models for fold in ("fold_0", "fold_1", None)}


def test_all_fits_are_taken_over_with_the_same_bytes(work, capsys):
    fresh, fitted = train()
    assert set(fitted) == everything(*MODELS)
    assert "taken over" not in capsys.readouterr().out
    again, fitted = train()
    assert fitted == [] and again == fresh
    assert "  9 of 9 fits taken over from earlier runs\n" in capsys.readouterr().out
    assert not (work / "data/checkpoints/train_ml").exists()


def test_a_changed_setting_of_a_model_refits_that_model_only(work):
    before, _ = train()
    after, fitted = train(train_ml__svm_rbf__C=0.1)
    assert set(fitted) == everything("svm_rbf")
    changed = {path for path in before if after[path] != before[path]}
    assert changed <= {path for path in before if "svm_rbf" in path or path.endswith("temperatures.json")}
    (kept_fits.FITS / "anything").unlink(missing_ok=True)
    for path in kept_fits.FITS.iterdir():
        path.unlink()
    assert train()[0] == after  # as if nothing had been kept
    assert train(train_ml__grid={"mlp": {"alpha": [0.1]}}, train_ml__lightgbm__num_leaves=5)[1] == []
    assert set(train(train_ml__models=["mlp", "random_forest"])[1]) == everything("random_forest")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("train.seed", 7),
        ("train.normalization", "speaker"),
        ("train.logit_adjustment", 0.7),
        ("train.importance_repeats", 2),
        ("train_ml.limit", 2.0),
        ("train_ml.balance", "weights"),
        ("train_ml.select", 2),
        ("train_ml.tune", True),
    ],
)
def test_a_setting_that_all_share_refits_all(work, setting, value):
    train(train_ml__models=["logistic_regression"])
    fresh, fitted = train(**{setting: value})
    assert set(fitted) == everything("logistic_regression")
    assert train() == (fresh, [])


def change(path: str, change) -> None:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    change(table)
    write_csv(table, path)


def change_array(path: str) -> None:
    values = np.load(path)
    values[-1, 0] += 0.25
    np.save(path, values)


DATA_CHANGES = {
    "input": lambda: change_array("data/features/prepared/functionals.npy"),
    "copy's input": lambda: change_array("data/features/augmented/functionals.npy"),
    "recording": lambda: change_array("data/prepared/recordings.npy"),
    "speaker": lambda: change(
        "data/prepared/clips.csv", lambda table: table.__setitem__("speaker", table["speaker"].replace("s7", "s8"))
    ),
    "language": lambda: change("data/prepared/clips.csv", lambda table: table.__setitem__("language", "en")),
    "parent": lambda: change(
        "data/augmented/clips.csv", lambda table: table.__setitem__("parent", table["parent"].to_numpy()[::-1])
    ),
    "licence": lambda: rewrite("data/prepared/origin.json", "CC0", "CC BY 4.0"),
    "description": lambda: rewrite("data/features/prepared/functionals.json", "f0_std", "f0_p90"),
    "clip": lambda: [
        change(path, lambda table: table.__setitem__("clip", table["clip"].replace("c70", "d70")))
        for path in ("data/prepared/clips.csv", "data/folds.csv")
    ],
}


def rewrite(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


@pytest.mark.parametrize("change_data", DATA_CHANGES.values(), ids=DATA_CHANGES)
def test_other_data_refit_all(work, change_data):
    train(train_ml__models=["logistic_regression"])
    change_data()
    assert set(train()[1]) == everything("logistic_regression")


def test_a_fold_that_changes_is_fitted_anew(work):
    train(train_ml__models=["logistic_regression"])
    other = {"test": "validation", "validation": "test"}
    change("data/folds.csv", lambda table: table.__setitem__("fold_1", table["fold_1"].replace(other)))
    assert train()[1] == [("logistic_regression", "fold_1")]


def test_a_process_that_outlives_a_run_opens_the_folds_of_the_next(work):
    """As the worker of a Dask cluster does; here it is this process."""
    source = Source("the same data", "functionals", "train", file_stamps("functionals"))
    before = dataset_of(source)
    folds = Path("data/folds.csv")
    folds.write_text(folds.read_text().replace("validation", "test"))
    os.utime(folds, ns=(1, 1))  # however fast this was
    after = dataset_of(replace(source, files=file_stamps("functionals")))
    assert "validation" in before.folds.to_numpy()
    assert "validation" not in after.folds.to_numpy()


def test_other_code_refits_all(work, monkeypatch):
    train(train_ml__models=["logistic_regression"])
    monkeypatch.setattr(kept_fits, "HERE", "another")
    monkeypatch.setattr(model_fits, "HERE", "another")
    assert len(train()[1]) == 3  # which are not kept: the stage still runs the old
    assert len(train()[1]) == 3


def test_what_was_edited_while_it_was_fitted_is_not_kept(work, monkeypatch):
    train(train_ml__models=["logistic_regression"])
    save_model = model_fits.learnt_from

    def edited(data, rows):
        os.utime("data/prepared/recordings.npy", ns=(1, 1))
        return save_model(data, rows)

    with monkeypatch.context() as patch:
        patch.setattr(model_fits, "learnt_from", edited)
        train(train__seed=5)
    assert len(train()[1]) == 3


def test_damaged_and_lost_fits_are_made_anew(work):
    fresh, _ = train(train_ml__models=["logistic_regression"])
    entries = sorted(kept_fits.FITS.iterdir(), key=lambda path: path.stat().st_size)[-3:]
    entries[0].unlink()
    entries[1].write_bytes(entries[1].read_bytes()[:-100])
    content = bytearray(entries[2].read_bytes())
    content[len(content) // 2] ^= 1
    entries[2].write_bytes(content)
    again, fitted = train()
    assert len(fitted) == 3 and again == fresh
    assert train() == (fresh, [])


def test_an_early_stopped_model_for_use_follows_its_folds(work):
    order = train(train_ml__models=["mlp", "logistic_regression"])[1]
    assert order.index(("mlp", None)) == 1 + max(order.index(("mlp", fold)) for fold in ("fold_0", "fold_1"))
    assert order.index(("mlp", None)) < order.index(("logistic_regression", "fold_1"))


def test_times_are_measured_and_decide_nothing(work):
    fresh, _ = train()
    times = json.loads((work / "data/checkpoints/seconds.json").read_text())
    assert set(times) == {f"train_ml/{model}" for model in MODELS} and min(times.values()) > 0
    (work / "data/checkpoints/seconds.json").write_text("{damaged")
    assert train(train__seed=load_params().train.seed + 1)[0].keys() == fresh.keys()
    assert train(train__seed=load_params().train.seed - 1) == (fresh, [])


# --- the store


@pytest.fixture
def model(tmp_path, monkeypatch) -> Path:
    """A model's folder, in a folder in which nothing is kept yet."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.npy").write_bytes(bytes(1000))
    (folder / "model.json").write_text("{}")
    (folder / "other.txt").write_text("of another fit")
    return folder


def outcome(**changes) -> Outcome:
    predictions = pd.DataFrame(
        {"clip": ["a", "b"], "fold": [0, 0], "p_anger": np.array([0.1, 1 / 3], dtype=np.float32)}
    )
    history = pd.DataFrame({"fold": [0], "epoch": [1], "loss": [0.1 + 0.2]})
    importance = pd.DataFrame(columns=["fold", "group", "features", "uar_drop"])
    layers = [Layer("frames", "input", "frames × 3", 0, ()), Layer("dense", "Dense", "2", 8, (0,))]
    return Outcome(predictions, history, importance, 3, 1.25, layers)._replace(**changes)


@pytest.mark.parametrize("left", [outcome(), outcome(history=pd.DataFrame(), epochs=None, layers=[])])
def test_what_was_kept_comes_back_exactly(model, tmp_path, left):
    assert keep_fit("key", left, model, ["weights.npy", "model.json"])
    restored = restore_fit("key", tmp_path / "again")
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == ["model.json", "weights.npy"]
    assert (tmp_path / "again/weights.npy").read_bytes() == bytes(1000)
    assert restored[3:] == left[3:]
    for table, expected in zip(restored[:3], left[:3], strict=True):
        assert table.columns.equals(expected.columns) or not len(expected)
        assert table.to_csv(index=False) == expected.to_csv(index=False)
        assert (table.dtypes == expected.dtypes).all() or not len(expected)


def test_what_is_not_there_is_not_restored(model, tmp_path):
    assert restore_fit("key", tmp_path / "again") is None
    assert not (tmp_path / "again").exists()


def test_what_was_not_used_for_longest_goes(model, tmp_path, monkeypatch):
    for key in "abc":
        keep_fit(key, outcome(), model, ["weights.npy"])
    size = (kept_fits.FITS / "a").stat().st_size
    for age, key in enumerate("abc"):
        os.utime(kept_fits.FITS / key, ns=(10**9 * age, 10**9 * age))
    assert restore_fit("a", tmp_path / "again") is not None  # used now
    (kept_fits.FITS / ".tmp-killed").write_bytes(bytes(10))
    os.utime(kept_fits.FITS / ".tmp-killed", (1, 1))
    (kept_fits.FITS / ".tmp-under-way").write_bytes(bytes(10))
    monkeypatch.setattr(kept_fits, "MOST_BYTES", 3 * size)
    keep_fit("d", outcome(), model, ["weights.npy"])
    assert sorted(path.name for path in kept_fits.FITS.iterdir()) == [".tmp-under-way", "a", "c", "d"]


def test_what_is_too_large_is_not_kept(model, monkeypatch):
    monkeypatch.setattr(kept_fits, "LARGEST_BYTES", 500)
    assert not keep_fit("key", outcome(), model, ["weights.npy"])
    assert not kept_fits.FITS.exists()


def test_a_dictionary_is_computed_once(model):
    computed = []

    def compute() -> dict:
        computed.append(1)
        return {"low": [0.1 + 0.2, -1e300], "names": ["level"]}

    assert kept_json("key", compute, lambda: True) == kept_json("key", compute, lambda: True) == compute()
    assert len(computed) == 2


def test_a_dictionary_of_data_that_changed_meanwhile_is_not_kept(model):
    assert kept_json("key", lambda: {"low": 1}, lambda: False) == {"low": 1}
    assert kept_json("key", lambda: {"low": 2}, lambda: True) == {"low": 2}
    assert kept_json("key", lambda: {"low": 3}, lambda: True) == {"low": 2}


def test_a_run_goes_on_where_nothing_can_be_kept(model, tmp_path, monkeypatch, capsys):
    (tmp_path / "a file").write_text("")
    monkeypatch.setattr(kept_fits, "FITS", tmp_path / "a file" / "fits")
    assert not keep_fit("key", outcome(), model, ["weights.npy"])
    assert "a finished fit is not kept" in capsys.readouterr().out
    assert restore_fit("key", model) is None


def test_names_tell_apart(monkeypatch):
    assert digest_of("a", 1) == digest_of("a", 1)
    names = [digest_of("a", 1), digest_of("a", "1"), digest_of("a1")]
    monkeypatch.setattr(kept_fits, "HERE", "another machine")
    assert len({*names, digest_of("a", 1)}) == 4
