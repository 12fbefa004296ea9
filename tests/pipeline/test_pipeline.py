"""The pipeline as a whole: `dvc repro` in a clone."""

import contextlib
import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import audonnx
import nbformat
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import soundfile
from joblib.externals.loky import get_reusable_executor
from nbclient import NotebookClient
from sklearn.metrics import recall_score

import ser
from conftest import SMALL, environment, run_script, run_stage, set_params
from dvc_clone import MODELS, clone, dvc
from ser.exporting.model_export import export
from ser.folds.split_schemes import shared_between_parts
from ser.models import stored_model
from ser.storage.samples import audio_digests, to_float, to_int16
from ser.storage.shards import Ragged
from ser.training import trainer_loop
from ser.training.dataset import open_inputs

# one emotion more would be more to compute, and show nothing else: a minute of processor time, most of it imports
TINY = SMALL | {
    "demo.speakers": 4,
    "demo.takes": 1,
    "train_residual_keras.blocks": 1,
    "train_residual_keras.epochs": 1,
    "train_cnn.filters": [4],
    "train_cnn.epochs": 1,
    "train.importance_repeats": 1,
}


@pytest.fixture(scope="module")
def repro(tmp_path_factory) -> Path:
    """A clone in which the whole pipeline has run on a tiny demo corpus."""
    folder = clone(tmp_path_factory.mktemp("clone"))
    set_params(folder, TINY)
    (folder / "dvc.lock").unlink()  # of another corpus: DVC would read all of it again and again
    run = dvc(folder, "repro")
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def recordings(repro, tmp_path_factory) -> Path:
    """Demo speech of one speaker, and a file that is none."""
    folder = tmp_path_factory.mktemp("recordings") / "wavs"
    assert run_stage(repro, "demo", str(folder), "--speakers", "1").returncode == 0
    (folder / "text.wav").write_text("no audio")
    return folder


def test_nothing_is_left_to_do(repro):
    assert "up to date" in dvc(repro, "status").stdout


def test_git_sees_only_results(repro):
    """What the run wrote is either a result that is meant for git, or ignored."""
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=repro, capture_output=True, text=True).stdout
    paths = [line[3:] for line in changed.splitlines()]
    assert all(path.startswith("reports/") or path in ("dvc.lock", "params.yaml") for path in paths), changed


@pytest.mark.parametrize(
    ("trainer", "model"), [(t, m) for t, models in MODELS.items() for m in models] + [("fuse", "ensemble")]
)
def test_predictions_keep_the_contract(repro, trainer, model):
    clips = pd.read_csv(repro / "data/prepared/clips.csv")
    folds = pd.read_csv(repro / "data/folds.csv").set_index("clip")
    table = pd.read_csv(repro / f"data/predictions/{trainer}/{model}.csv")
    assert sorted(table.loc[table["part"] == "test", "clip"]) == sorted(clips["clip"])
    for row in table.itertuples():
        assert folds.loc[row.clip, f"fold_{row.fold}"] == row.part
    truth = table["clip"].map(clips.set_index("clip")["emotion"])
    assert (truth == table["emotion"]).all()
    probabilities = table[[f"p_{emotion}" for emotion in sorted(set(clips["emotion"]))]]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-3)


def test_metrics_are_those_of_the_predictions(repro):
    metrics = json.loads((repro / "reports/metrics.json").read_text())
    assert sorted(metrics) == sorted([*sum(MODELS.values(), []), "ensemble"])
    for path in (repro / "data/predictions").glob("*/*.csv"):
        table = pd.read_csv(path).query("part == 'test'")
        predicted = table.filter(like="p_").idxmax(axis=1).str.removeprefix("p_")
        uar = recall_score(table["emotion"], predicted, average="macro")
        assert metrics[path.stem]["uar"] == pytest.approx(uar, abs=1e-4)


def test_no_two_parts_of_a_fold_share_a_speaker_or_audio(repro):
    clips = pd.read_csv(repro / "data/prepared/clips.csv", keep_default_na=False)
    folds = pd.read_csv(repro / "data/folds.csv")
    digests = audio_digests(Ragged.open(repro / "data/prepared/audio"))
    assert len(clips) == len(digests) > 0
    assert shared_between_parts(clips, folds, digests).empty


def test_no_copy_is_outside_its_parents_part(repro):
    """Every fold's model has learnt from its training clips and their copies: their number says so in its folder."""
    folds = pd.read_csv(repro / "data/folds.csv")
    copies = pd.read_csv(repro / "data/augmented/clips.csv")
    assert set(copies["parent"]) == set(folds["clip"])
    descriptions = sorted((repro / "data/models").glob("train_*/*/fold_*/model.json"))
    assert len(descriptions) == len(sum(MODELS.values(), [])) * 2
    for path in descriptions:
        train = folds["clip"][folds[path.parent.name] == "train"]
        description = json.loads(path.read_text())
        assert description["learnt_from"]["clips"] == len(train)
        assert description["learnt_from"]["examples"] == len(train) + copies["parent"].isin(train).sum()


def test_histories_and_networks(repro):
    for trainer, model in (("train_lstm", "lstm"), ("train_residual_keras", "residual"), ("train_cnn", "cnn")):
        history = pd.read_csv(repro / f"data/history/{trainer}/{model}.csv")
        assert {"fold", "epoch", "loss", "accuracy", "validation_uar"} <= set(history.columns)
        assert set(history["fold"]) == {0, 1}
        assert (repro / f"reports/images/networks/{model}.png").stat().st_size > 5000


def test_the_notebook_runs_and_leaves_the_clone_as_it_was(repro, tmp_path, monkeypatch):
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("PATH", "PYTHONPATH"):
        monkeypatch.setenv(name, environment()[name])
    before = git_status(repro)
    notebook = nbformat.read(repro / "docs/notebook.ipynb", as_version=4)
    place = {"metadata": {"path": str(repro / "docs")}}  # where Jupyter runs it
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    assert git_status(repro) == before
    assert dvc(repro, "exp", "list", "--name-only").stdout.split() in ([], ["refs/exps"])
    assert "up to date" in dvc(repro, "status").stdout

    said = {cell.id: "".join(map(shown_text, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"}
    assert not [text for text in said.values() if re.search("^error: ", text, re.M | re.I)]  # of a command
    fold, clip = re.match(r".*\n?fold_(\d)", said["load"], re.S)[1], said["predict"].split()[0]
    table = pd.read_csv(repro / "data/predictions/fuse/ensemble.csv").set_index(["clip", "fold", "part"])
    row = table.loc[(clip, int(fold), "test")].filter(like="p_").astype(float)
    assert f"is heard as {row.idxmax().removeprefix('p_')}\n" in said["predict"]
    for name, probability in row.items():
        assert float(re.search(rf"{name.removeprefix('p_')} +([0-9.]+)", said["predict"])[1]) == pytest.approx(
            probability, abs=0.002
        )
    changed = re.search(r"ensemble\.uar +\S+ +\S+ +(\S+)", said["experiment"])
    difference = float(re.search(r"UAR ([+-][0-9.]+) by learnt weights", said["compare"])[1])
    assert difference == pytest.approx(float(changed[1]) if changed else 0, abs=2e-4)
    assert "Removed experiments: 'notebook'" in said["tidy"]


def git_status(folder: Path) -> str:
    return subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True).stdout


def shown_text(output: dict) -> str:
    """Return what an output of a cell says."""
    return output.get("text") or output.get("data", {}).get("text/plain", "")


ALL_MODELS = [(trainer, model) for trainer, models in MODELS.items() for model in models] + [("fuse", "ensemble")]
every_model = pytest.mark.parametrize(("trainer", "model"), ALL_MODELS)


@every_model
def test_predict_works_on_files_with_every_model(repro, recordings, tmp_path, trainer, model):
    folder, output = f"data/models/{trainer}/{model}", tmp_path / "out.csv"
    run = run_stage(repro, "predict", str(recordings), "--model", folder, "--output", str(output))
    assert run.returncode == 1
    assert f"{recordings}/text.wav: not readable as audio" in run.stderr
    assert "Traceback" not in run.stderr
    table = pd.read_csv(output)
    assert len(table) == 3 * 2
    np.testing.assert_allclose(table.filter(like="p_").sum(axis=1), 1, atol=1e-3)


@pytest.fixture(scope="module")
def own_recordings(repro, tmp_path_factory) -> Path:
    """The clips of the run as files."""
    folder = tmp_path_factory.mktemp("own")
    assert run_stage(repro, "demo", str(folder)).returncode == 0
    return folder


@every_model
@pytest.mark.parametrize("fold", [0, 1])
def test_the_model_of_a_fold_gives_the_probabilities_of_its_test_rows(repro, own_recordings, trainer, model, fold):
    table = pd.read_csv(repro / f"data/predictions/{trainer}/{model}.csv")
    expected = table[(table["part"] == "test") & (table["fold"] == fold)]
    loaded = ser.load(repro / "data/models" / trainer / model / f"fold_{fold}")
    answers = loaded.predict_many([own_recordings / f"{clip}.wav" for clip in expected["clip"]])
    found = np.stack([answer.probabilities for answer in answers])
    np.testing.assert_allclose(found, expected[[f"p_{emotion}" for emotion in loaded.emotions]], atol=1e-5)


@every_model
def test_the_exported_graph_gives_the_probabilities_of_the_model(repro, own_recordings, trainer, model):
    """In onnxruntime, of any length; at the temperature too."""
    folder = repro / "data/models" / trainer / model
    loaded = ser.load(folder)
    y, sr = soundfile.read(min(own_recordings.rglob("*.wav")), dtype="float32")
    for calibrated in (False, True):
        exported = export(folder, calibrated=calibrated)
        session = onnxruntime.InferenceSession(exported.model.SerializeToString())
        for seconds in (0.35, 1.0, 7.0):
            samples = np.resize(y, int(seconds * sr))
            inputs = {"signal": samples[None]} if "signal" in exported.inputs else loaded.features(samples, sr)
            (found,) = session.run(["probabilities"], inputs)
            expected = loaded.predict(samples, sr, calibrated=calibrated).probabilities
            np.testing.assert_allclose(found, expected[None], atol=1e-5)


@every_model
def test_a_folder_for_audonnx_gives_the_probabilities_of_the_model(repro, own_recordings, tmp_path, trainer, model):
    folder = repro / "data/models" / trainer / model
    run = run_stage(repro, "export", str(folder), "--audonnx", str(tmp_path / "exported"))
    assert run.returncode == 0, run.stderr
    loaded, other = ser.load(folder), audonnx.load(str(tmp_path / "exported"))
    assert other.labels() == list(loaded.emotions)
    for path in sorted(own_recordings.rglob("*.wav"))[:3]:
        y, sr = soundfile.read(path, dtype="float32")
        np.testing.assert_allclose(other(y, sr), loaded.predict(path).probabilities[None], atol=1e-5)


@pytest.mark.parametrize("model", ["cnn", "svm_rbf"])
def test_audonnx_hands_over_channels_integers_and_another_rate(repro, own_recordings, tmp_path, model):
    """Samples go to the graph through a function that asks for their rate; features are computed for any."""
    assert run_stage(repro, "export", model, "--audonnx", str(tmp_path)).returncode == 0
    with contextlib.chdir(repro):
        loaded, other = ser.load(model), audonnx.load(str(tmp_path))
    y, sr = soundfile.read(min(own_recordings.rglob("*.wav")), dtype="float32")
    whole = to_int16(y)
    expected = loaded.predict(whole, sr).probabilities[None]
    channels = np.stack([to_float(whole), to_float(whole)])
    for signal in (whole, whole[None], channels, to_float(whole).astype(float)):
        np.testing.assert_allclose(other(signal, sr), expected, atol=1e-5)
    if model == "cnn":
        with pytest.raises(ValueError, match="the model takes samples at 16000 Hz, not 8000"):
            other(y, 8000)
    else:
        assert other(y[::2], 8000).shape == (1, 3)


def test_a_models_own_folder_is_not_overwritten(repro):
    before = (repro / "data/models/train_cnn/cnn/model.onnx").read_bytes()
    for arguments in (["--audonnx", "data/models/train_cnn/cnn"], ["--output", "data/models/train_cnn/cnn/model.onnx"]):
        run = run_stage(repro, "export", "cnn", *arguments)
        assert run.returncode == 1
        assert "is a model's own folder: name another for " in run.stderr
    assert (repro / "data/models/train_cnn/cnn/model.onnx").read_bytes() == before


@pytest.mark.parametrize("model", ["cnn", "lightgbm", "ensemble"])
def test_an_export_has_the_same_bytes_in_another_process_and_says_what_it_is(repro, tmp_path, model):
    for name in ("one", "two"):
        arguments = (model, "--output", str(tmp_path / f"{name}.onnx"))
        run = run_stage(repro, "export", *arguments) if name == "one" else run_script(repro, "export", *arguments)
        assert run.returncode == 0, run.stderr
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.onnx", "two.onnx"]
    stored = onnx.load_model(tmp_path / "one.onnx")
    onnx.checker.check_model(stored, full_check=True)
    about = {each.key: each.value for each in stored.metadata_props}
    assert json.loads(about["emotions"]) == ["anger", "neutral", "sadness"]
    kinds = ("signal",) if model == "cnn" else ("functionals", "frames", "logmel")
    assert about["input"].startswith(kinds)
    assert str(repro) not in str(stored) and "stages/" not in str(stored)


@pytest.mark.parametrize(
    ("trainer", "model"), [("train_lstm", "lstm"), ("train_cnn", "cnn"), ("train_residual_keras", "residual")]
)
def test_networks_for_use_give_what_their_training_library_gives(repro, trainer, model):
    folder = repro / "data/models" / trainer / model
    library = importlib.import_module(f"ser.models.{model}")
    kind = json.loads((folder / "model.json").read_text())["input"]["kind"]
    inputs = open_inputs(repro / "data/features/prepared", kind)
    expected = library.predict_proba(library.load(folder), inputs)
    found = stored_model.predict_proba(stored_model.load(folder), inputs)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_default_is_the_best_on_validation_speakers(repro, recordings):
    validation = json.loads((repro / "reports/validation.json").read_text())["validation"]
    default = json.loads((repro / "data/models/default.json").read_text())
    assert validation[default["model"]] == max(validation.values()) == default["validation_uar"]
    clip = str(min(recordings.rglob("s01*.wav")))
    without, named = (run_stage(repro, "predict", clip, *more) for more in ((), ("--model", default["model"])))
    assert without.returncode == named.returncode == 0
    assert without.stdout == named.stdout


def test_the_default_gives_the_same_answers_at_another_level(repro, own_recordings):
    """12 dB softer and louder, in 16 bits and unclipped: how a microphone is set changes 5 % of the answers at most."""
    with contextlib.chdir(repro):
        model = ser.load()
    changed = []
    for path in sorted(own_recordings.rglob("*.wav")):
        y, sr = soundfile.read(path)
        usual, *others = (to_int16(10 ** (level / 20) * y / np.abs(y).max()) for level in (-14, -26, -2))
        answer = model.predict(usual, sr).emotion
        changed += [model.predict(other, sr).emotion != answer for other in others]
    assert len(changed) >= 48 and np.mean(changed) <= 0.05


def test_another_worker_count_gives_the_same_bytes(repro, monkeypatch):
    """The classical trainer and the features anew in two processes, compared with what one process wrote."""
    before = {path: path.read_bytes() for path in outputs(repro)}
    set_params(repro, {"compute.workers": 2})
    shutil.rmtree(repro / "data/checkpoints")  # fits that would be taken over
    monkeypatch.setattr(trainer_loop, "START", 0)  # so little to do would be done by one
    get_reusable_executor().shutdown()  # of another test, in another folder
    try:
        for command in (["augment"], ["extract", "augmented"], ["train_ml"]):
            run = run_stage(repro, *command)
            assert run.returncode == 0, run.stderr[-2000:]
    finally:
        get_reusable_executor().shutdown()
        set_params(repro, {"compute.workers": 1})
    assert outputs(repro) == sorted(before)
    assert [str(path) for path in before if path.read_bytes() != before[path]] == []
    assert "taken over" not in run.stdout


def outputs(folder: Path) -> list[Path]:
    folders = ("data/augmented", "data/features", "data/models/train_ml", "data/predictions/train_ml")
    return sorted(path for name in folders for path in (folder / name).rglob("*") if path.is_file())


def test_a_cached_run_comes_back_without_running(repro):
    """Going to another parameter and back restores the results from the run-cache."""
    weights = (repro / "reports/fusion.csv").read_bytes()
    set_params(repro, {"fuse.members": ["lstm", "cnn"]})
    assert dvc(repro, "repro", "fuse").returncode == 0
    assert (repro / "reports/fusion.csv").read_bytes() != weights
    set_params(repro, {"fuse.members": []})
    run = dvc(repro, "repro", "fuse")
    assert "is cached - skipping run" in run.stdout
    assert (repro / "reports/fusion.csv").read_bytes() == weights


def test_a_trainer_is_left_out_and_comes_back(repro):
    models = {path: path.read_bytes() for path in (repro / "data/models/train_cnn").rglob("*") if path.is_file()}
    set_params(repro, {"train_cnn.enabled": False})
    run = dvc(repro, "repro", "fuse")
    assert run.returncode == 0, run.stderr[-2000:]
    assert "is empty" not in run.stdout + run.stderr
    assert "cnn" not in set(pd.read_csv(repro / "reports/fusion.csv")["member"])
    assert [path.name for path in (repro / "data/models/train_cnn").iterdir()] == ["models.json"]
    assert "up to date" in dvc(repro, "status", "fuse").stdout
    set_params(repro, {"train_cnn.enabled": True})
    assert "Stage 'train_cnn' is cached - skipping run" in dvc(repro, "repro", "fuse").stdout
    assert [path for path in models if path.read_bytes() != models[path]] == []


LIGHT = """
import json, sys
from pathlib import Path
import ser

recording, *folders = map(Path, sys.argv[1:])
seen = {}
for folder in folders:
    ser.load(folder).predict(recording)
    seen[folder.name] = sorted(sys.modules)
print(json.dumps(seen))
"""


def test_predicting_imports_neither_what_trains_nor_what_is_heavy(repro, recordings):
    """In a fresh interpreter, one model after another: what one of them imports the next ones have too."""
    models = ("train_ml/svm_rbf", "train_ml/lightgbm", "train_lstm/lstm", "train_cnn/cnn", "fuse/ensemble")
    recording = next(recordings.rglob("*-anger-*.wav"))
    command = [sys.executable, "-c", LIGHT, str(recording), *(str(repro / "data/models" / model) for model in models)]
    done = subprocess.run(command, cwd=repro, env=environment(), capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)["ensemble"]
    seen = {module.split(".")[0] for module in loaded}
    tables = {"pandas", "pyarrow", "sklearn", "joblib", "matplotlib"}
    trainers = {"lightgbm", "torch", "tensorflow", "keras", "imblearn", "skl2onnx", "onnx"}
    assert "onnxruntime" in seen
    assert seen.isdisjoint(tables | trainers | {"librosa", "numba", "pydantic", "dvc", "tqdm", "tarfile"})
    assert "scipy.signal" not in loaded
    rooms = {module.split(".")[1] for module in loaded if module.startswith("ser.")}
    assert rooms == {
        "audio",
        "augmentation",  # what changes a recording to answer by copies of it: NumPy and soxr
        "channels",
        "errors",
        "features",
        "graphs",  # what makes a graph ready to run, of which ONNX Runtime is all that it needs
        "models",
        "prediction",
        "probabilities",
        "settings",
        "storage",
    }
