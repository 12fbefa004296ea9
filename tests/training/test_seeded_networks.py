"""Several networks that differ by their seed alone, as one model: trained, killed, stored, taken over, used."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pandas as pd
import pytest

import ser
from conftest import ROOT, count_epochs, run_stage, set_params, stop_after, workplace
from ser.exporting.model_export import export
from ser.models import classical, lstm, stored_model
from ser.networks import torch_training
from ser.networks.batches import Examples
from ser.networks.checkpoints import Checkpoint
from ser.networks.several_seeds import mean_history
from ser.settings.all_sections import load_params
from ser.storage.clip_tables import read_clips
from ser.storage.samples import to_float
from ser.storage.shards import Ragged
from ser.training import kept_fits, trainer_loop
from ser.training.dataset import open_inputs
from ser.training.seeded_networks import SeveralNetworks, library_of, seeds_of

RATE = 16000
CLASSES, FEATURES, EPOCHS = 3, 4, 3
PARAMS = load_params(ROOT / "params.yaml")
SETTINGS = SimpleNamespace(
    **vars(PARAMS.train_lstm) | dict(hidden_size=4, batch_size=16, epochs=EPOCHS, mixed_precision=False, seeds=3)
)
NATIVE = {"settings.json", "weights.pt"}


def examples(count: int, seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    labels, lengths = np.arange(count) % CLASSES, np.full(count, 12)
    frames = (rng.normal(size=(count, 12, FEATURES)) + labels[:, None, None]).astype(np.float32)
    index = np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1)
    names = np.arange(count).astype(str)
    return Examples(Ragged([frames.reshape(-1, FEATURES)], index), labels, names, names)


FIT = (examples(36, 1), examples(12, 2), CLASSES)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def several(settings: SimpleNamespace = SETTINGS) -> SeveralNetworks:
    return library_of("ser.models.lstm", {"settings": settings})


def with_settings(**changes) -> SimpleNamespace:
    return SimpleNamespace(**vars(SETTINGS) | changes)


@pytest.fixture(scope="module")
def fitted():
    return several().fit(*FIT, settings=SETTINGS, seed=5)


def test_one_seed_is_the_network_itself():
    assert library_of("ser.models.lstm", {"settings": with_settings(seeds=1)}) is lstm
    assert library_of("ser.models.classical", {"settings": PARAMS.train_ml, "name": "svm_rbf"}) is classical
    assert library_of("ser.models.classical", {"settings": PARAMS.train_ml, "name": "mlp"}) is classical
    more = PARAMS.train_ml.model_copy(update={"mlp": PARAMS.train_ml.mlp.model_copy(update={"seeds": 4})})
    assert seeds_of({"settings": more.of_model("mlp"), "name": "mlp"}) == 4
    assert seeds_of({"settings": more.of_model("svm_rbf"), "name": "svm_rbf"}) == 1


def test_the_first_is_the_network_of_a_single_seed_and_the_others_are_others(fitted, tmp_path):
    alone = lstm.fit(*FIT, settings=SETTINGS, seed=5)
    for name, model in (("alone", alone.model), *((f"{number}", each) for number, each in enumerate(fitted.model))):
        (tmp_path / name).mkdir()
        lstm.save(model, tmp_path / name)
    assert contents(tmp_path / "alone") == contents(tmp_path / "0")
    weights = [contents(tmp_path / str(number))["weights.pt"] for number in range(3)]
    assert len(set(weights)) == 3
    assert fitted.model[0].state_dict()["mean"].equal(fitted.model[2].state_dict()["mean"])  # of the same clips


def test_the_history_is_the_mean_over_those_that_trained_so_long():
    first = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0]})
    second = pd.DataFrame({"epoch": [1, 2], "loss": [5.0, 1.0]})
    assert mean_history([first, second]).to_dict("list") == {"epoch": [1, 2, 3], "loss": [4.0, 1.5, 1.0]}


def test_each_stops_by_itself_and_the_median_is_reported():
    settings = with_settings(patience=2, epochs=12, learning_rate=0.03)
    train, validation, _ = FIT
    shuffled = train._replace(labels=np.random.default_rng(2).permutation(train.labels))
    alone = []

    def fit(*given, **own):
        alone.append(lstm.fit(*given, **own))
        return alone[-1]

    library = SeveralNetworks(SimpleNamespace(fit=fit), 5)
    together = library.fit(shuffled, validation, CLASSES, settings=settings, seed=5)
    lengths = [len(each.history) for each in alone]
    assert len(set(lengths)) > 1  # else this tests nothing
    assert len(together.history) == max(lengths)
    assert together.epochs == sorted(each.epochs for each in alone)[2]
    assert list(together.history) == list(alone[0].history)


def test_a_refit_trains_each_for_the_given_epochs(monkeypatch):
    trained = count_epochs(lstm, monkeypatch)
    fitted = several().fit(FIT[0], None, CLASSES, settings=SETTINGS, seed=5, epochs=2)
    assert (fitted.epochs, len(fitted.history), len(trained)) == (2, 2, 6)


def test_a_killed_training_goes_on_and_trains_no_finished_network_again(fitted, tmp_path, monkeypatch):
    """Killed in the second of three networks; nothing is written but at the ends, as half a minute is never over."""
    checkpoint = Checkpoint(tmp_path / "key")
    with monkeypatch.context() as patch:
        patch.setattr(lstm, "_train_epoch", stop_after(EPOCHS + 1, lstm._train_epoch))
        with pytest.raises(KeyboardInterrupt):
            several().fit(*FIT, settings=SETTINGS, seed=5, checkpoint=checkpoint)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key-1"]
    trained = count_epochs(lstm, monkeypatch)
    resumed = several().fit(*FIT, settings=SETTINGS, seed=5, checkpoint=Checkpoint(tmp_path / "key"))
    assert len(trained) == 2 * EPOCHS
    assert resumed.history.equals(fitted.history) and resumed.epochs == fitted.epochs
    for one, other in zip(resumed.model, fitted.model, strict=True):
        assert all(values.equal(other.state_dict()[name]) for name, values in one.state_dict().items())
    several().fit(*FIT, settings=SETTINGS, seed=5, checkpoint=Checkpoint(tmp_path / "key"))
    assert len(trained) == 2 * EPOCHS  # all have ended


def test_a_network_goes_on_from_its_own_state(fitted, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(lstm, "_train_epoch", stop_after(EPOCHS + 2, lstm._train_epoch))
        with pytest.raises(KeyboardInterrupt):
            several().fit(*FIT, settings=SETTINGS, seed=5, checkpoint=Checkpoint(tmp_path / "key", interval=0))
    trained = count_epochs(lstm, monkeypatch)
    resumed = several().fit(*FIT, settings=SETTINGS, seed=5, checkpoint=Checkpoint(tmp_path / "key"))
    assert len(trained) == 1 + EPOCHS
    assert resumed.history.equals(fitted.history)


def test_each_network_writes_its_end_and_nothing_else_within_half_a_minute(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(torch_training, "_state", lambda *state: written.append(len(state[-1])) or b"")
    several().fit(*FIT, settings=SETTINGS, seed=5, checkpoint=Checkpoint(tmp_path / "key"))
    assert written == [EPOCHS] * 3


def test_the_folder_holds_each_network_and_one_graph_of_all(fitted, tmp_path):
    several().save(fitted.model, tmp_path)
    assert set(contents(tmp_path)) == {"model.onnx", *(f"seed_{k}/{name}" for k in (1, 2, 3) for name in NATIVE)}
    inputs = examples(20, 3).inputs
    each = [lstm.predict_proba(lstm.load(tmp_path / f"seed_{k}"), inputs) for k in (1, 2, 3)]
    found = stored_model.predict_proba(stored_model.load(tmp_path), inputs)
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-5)
    library = several()
    np.testing.assert_array_equal(
        library.predict_proba(library.load(tmp_path), inputs), np.mean(each, axis=0, dtype=float).astype(np.float32)
    )
    assert library.network_layers(fitted.model) == lstm.network_layers(fitted.model[0])


def test_the_mlp_has_nothing_but_the_graph(tmp_path):
    train_ml = PARAMS.train_ml.model_copy(
        update={"balance": "none", "mlp": PARAMS.train_ml.mlp.model_copy(update={"seeds": 3, "epochs": 5})}
    )
    own = {"settings": train_ml.of_model("mlp"), "name": "mlp"}
    rng = np.random.default_rng(0)
    labels, names = np.arange(60) % CLASSES, np.arange(60).astype(str)
    inputs = (rng.normal(size=(60, FEATURES)) + labels[:, None]).astype(np.float32)
    train = Examples(inputs, labels, names, names)
    library = library_of("ser.models.classical", own)
    fitted = library.fit(train, train, CLASSES, seed=1, **own)
    library.save(fitted.model, tmp_path)
    assert set(contents(tmp_path)) == {"model.onnx"} and list(tmp_path.iterdir()) == [tmp_path / "model.onnx"]
    each = [pipeline.predict_proba(inputs) for pipeline in fitted.model]
    np.testing.assert_allclose(
        stored_model.predict_proba(stored_model.load(tmp_path), inputs), np.mean(each, axis=0), atol=1e-5
    )
    assert library.network_layers(fitted.model) == []
    assert np.abs(each[0] - each[1]).max() > 0.01


# --- the stage, and what its folder is used for


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    """A folder in which the data of the LSTM is ready, without pitch, so that an exported graph takes samples."""
    folder = workplace(tmp_path_factory.mktemp("seeds") / "work", extract__frames__groups=["mfcc", "energy"])
    for command in ("prepare", "split", "augment", "extract prepared", "extract augmented"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    return folder


def train(work: Path, seeds: int, *, anew: bool = True) -> dict[str, bytes]:
    """Run the stage as DVC does, or over what an earlier one left; return what lies in the model's folder."""
    if anew:
        for name in ("models", "predictions", "history", "importance", "checkpoints"):
            shutil.rmtree(work / "data" / name, ignore_errors=True)
    set_params(work, {"train_lstm.seeds": seeds})
    run = run_stage(work, "train_lstm")
    assert run.returncode == 0, run.stderr
    return contents(work / "data/models/train_lstm/lstm")


@pytest.fixture(scope="module")
def alone(work) -> dict[str, bytes]:
    return train(work, 1)


@pytest.fixture(scope="module")
def trained(work, alone) -> tuple[Path, dict[str, bytes]]:
    return work / "data/models/train_lstm/lstm", train(work, 2)


def test_a_single_network_is_the_first_of_several_in_every_fold(alone, trained):
    _, files = trained
    for place in ("", "fold_0/", "fold_1/"):
        for name in NATIVE:
            assert files[f"{place}seed_1/{name}"] == alone[f"{place}{name}"]
        assert files[f"{place}seed_2/weights.pt"] != alone[f"{place}weights.pt"]
        assert not NATIVE & {name.removeprefix(place) for name in files}
        assert json.loads(files[f"{place}model.json"])["seeds"] == 2
        assert "It is 2 networks that differ by their seed alone" in files[f"{place}model_card.md"].decode()
        assert json.loads(alone[f"{place}model.json"])["seeds"] == 1
        assert "networks that differ" not in alone[f"{place}model_card.md"].decode()


def test_the_same_bytes_again_fitted_and_taken_over(work, trained):
    folder, files = trained
    assert train(work, 2) == files
    for name in ("models", "predictions", "history", "importance"):
        shutil.rmtree(work / "data" / name)
    run = run_stage(work, "train_lstm")
    assert "3 of 3 fits taken over" in run.stdout, run.stderr
    assert contents(folder) == files
    assert not (work / "data/checkpoints/train_lstm").exists()


def test_what_is_kept_needs_no_state_of_its_networks_any_more(work, trained, monkeypatch):
    """A stage may fit for hours and end long after its first folds: their networks would lie there several times."""
    _, files = trained
    monkeypatch.setattr(trainer_loop, "remove_checkpoints", lambda stage: None)
    assert train(work, 2) == files
    assert list((work / "data/checkpoints/train_lstm").iterdir()) == []
    shutil.rmtree(work / "data/checkpoints")
    monkeypatch.setattr(kept_fits, "LARGEST_BYTES", 0)
    assert train(work, 2) == files
    assert len(list((work / "data/checkpoints/train_lstm").iterdir())) == 3 * 2


def test_networks_of_an_earlier_run_do_not_stay(work, trained):
    folder, files = trained
    train(work, 3, anew=False)
    assert (folder / "fold_1/seed_3").is_dir()
    assert train(work, 2, anew=False) == files  # taken over
    train(work, 3, anew=False)
    (work / "data/checkpoints/fits").rename(work / "data/away")
    assert train(work, 2, anew=False) == files  # fitted


def test_it_predicts_as_its_networks_do_in_the_mean(work, trained):
    folder, _ = trained
    model, frames = ser.load(folder / "fold_0"), open_inputs(work / "data/features/prepared", "frames")
    clips = read_clips(work / "data/prepared/clips.csv")["clip"]
    table = pd.read_csv(work / "data/predictions/train_lstm/lstm.csv").query("fold == 0").set_index("clip")
    places = [position for position, clip in enumerate(clips) if clip in table.index]
    inputs = frames.select(np.array(places))
    each = [lstm.predict_proba(lstm.load(folder / f"fold_0/seed_{k}"), inputs) for k in (1, 2)]
    columns = [f"p_{emotion}" for emotion in model.emotions]
    np.testing.assert_allclose(table.loc[clips.iloc[places], columns], np.mean(each, axis=0), atol=2e-5)


def test_it_makes_timelines_and_exports_like_any_other(work, trained):
    folder, _ = trained
    clips = Ragged.open(work / "data/prepared/audio")
    speech = to_float(np.concatenate([np.pad(clips[number], RATE) for number in range(3)]))
    model = ser.load(folder)
    expected = model.predict(speech, RATE).probabilities
    session = onnxruntime.InferenceSession(export(folder).model.SerializeToString())
    (found,) = session.run(["probabilities"], {"signal": speech[None]})
    np.testing.assert_allclose(found[0], expected, atol=1e-4)
    (channel,) = model.timeline(speech, RATE).channels
    said = [segment for segment in channel.segments if segment.speech]
    assert len(said) > 1 and {segment.emotion for segment in said} <= set(model.emotions)


@pytest.mark.parametrize("seeds", [0, 21, 1.5])
def test_other_numbers_are_refused(work, seeds):
    set_params(work, {"train_lstm.seeds": seeds})
    run = run_stage(work, "train_lstm")
    set_params(work, {"train_lstm.seeds": 2})
    assert run.returncode != 0 and "train_lstm.seeds" in run.stderr and "Traceback" not in run.stderr
