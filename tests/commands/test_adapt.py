"""ser adapt: a new folder that predicts as any other, says what it is, and refuses what it cannot do in a line."""

import csv
import json
import shutil

import numpy as np
import pytest
import scipy.signal
import soundfile

import ser
from conftest import run_stage, set_params, workplace

STEPS = ("prepare", "split", "augment", "extract prepared", "extract augmented", "train_ml", "train_lstm")
LEFT_OUT = ("train_residual_keras", "train_cnn")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with an SVM, an LSTM and their ensemble; its clips in wavs/, and in dull/ as of a bad microphone."""
    folder = workplace(
        tmp_path_factory.mktemp("adapt") / "work",
        train_ml__models=["svm_rbf"],
        **{f"{trainer}__enabled": False for trainer in LEFT_OUT},
    )
    for command in (*STEPS, *LEFT_OUT, "gather_transformers", "fuse", "demo wavs"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    b, a = scipy.signal.butter(3, 0.04)  # 320 Hz
    for file in (folder / "wavs").rglob("*.wav"):
        y, sr = soundfile.read(file)
        place = folder / "dull" / file.relative_to(folder / "wavs")
        place.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(place, scipy.signal.lfilter(b, a, y), sr)
    return folder


@pytest.fixture
def adapt(trained):
    """What runs the command; what it writes is gone afterwards."""

    def run(model, folder, *options, output="new"):
        return run_stage(trained, "adapt", model, folder, "--output", output, *options)

    yield run
    shutil.rmtree(trained / "new", ignore_errors=True)


def right(trained, model, folder):
    """Return the share of clips that a model tells rightly; their names begin with who speaks and what is shown."""
    files = sorted((trained / folder).rglob("*.wav"))
    answers = ser.load(trained / model).predict_many(files)
    return np.mean([answer.emotion == file.stem.split("-")[1] for file, answer in zip(files, answers, strict=True)])


@pytest.mark.parametrize("model", ["svm_rbf", "lstm", "ensemble"])
def test_a_dull_microphone_is_heard_through(trained, adapt, model):
    run = adapt(model, "dull")
    assert run.returncode == 0, run.stderr
    assert "new: adapted to 72 recordings of 6 speakers" in run.stdout
    before = ser.load(next((trained / "data/models").glob(f"*/{model}"))).folder.relative_to(trained)
    clear, dull, adapted = right(trained, before, "wavs"), right(trained, before, "dull"), right(trained, "new", "dull")
    assert adapted >= dull and (model == "lstm" or adapted > dull + 0.1), (clear, dull, adapted)
    description = json.loads((trained / "new/model.json").read_text())
    assert description["adapted"]["clips"] == 72 and description["adapted"]["one_mood"] is False
    assert "It was adapted to 72 recordings of 6 speakers" in (trained / "new/model_card.md").read_text()
    names = {file.name for file in (trained / "new").rglob("*") if file.is_file()}
    assert names == {"model.json", "model.onnx", "model_card.md"}  # nothing to learn on with, and no pickle


def test_recordings_like_those_are_usual_now(trained, adapt):
    file = min((trained / "dull").rglob("*.wav"))
    assert ser.load(trained / "data/models/train_ml/svm_rbf").predict(file).unfamiliar
    assert adapt("svm_rbf", "dull").returncode == 0
    assert not ser.load(trained / "new").predict(file).unfamiliar


def test_all_else_takes_an_adapted_model(trained, adapt):
    assert adapt("svm_rbf", "dull").returncode == 0
    file = str(min((trained / "dull").rglob("*.wav")))
    told = ser.load(trained / "new").predict(file).as_dict()
    run = run_stage(trained, "predict", file, "--model", "new", "--format", "jsonl")
    assert run.returncode == 0 and json.loads(run.stdout)["p_anger"] == pytest.approx(told["anger"], abs=1e-5)
    assert run_stage(trained, "timeline", file, "--model", "new").returncode == 0
    assert run_stage(trained, "export", "new", "--output", "exported.onnx").returncode == 0
    again = run_stage(trained, "adapt", "new", "wavs", "--output", "new/again")
    assert again.returncode == 0, again.stderr


def test_the_same_bytes_in_any_order_of_names(trained, adapt):
    assert adapt("svm_rbf", "dull").returncode == 0
    first = (trained / "new/model.onnx").read_bytes(), (trained / "new/model.json").read_bytes()
    shutil.rmtree(trained / "new")
    assert adapt("svm_rbf", "dull").returncode == 0
    assert first == ((trained / "new/model.onnx").read_bytes(), (trained / "new/model.json").read_bytes())


def test_one_mood_is_warned_about(trained, adapt):
    for file in (trained / "wavs").rglob("*-sadness-*.wav"):
        place = trained / "sad" / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    run = adapt("svm_rbf", "sad")
    assert run.returncode == 0 and "warning: the voices vary as little as within one mood" in run.stderr
    assert json.loads((trained / "new/model.json").read_text())["adapted"]["one_mood"] is True
    shutil.rmtree(trained / "new")
    assert "one mood" not in adapt("svm_rbf", "wavs").stderr


def test_labels_are_learnt_from_in_the_clone(trained, adapt, tmp_path):
    files = sorted((trained / "wavs").rglob("*.wav"))
    table = tmp_path / "labels.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "emotion"])
        writer.writerows([(path, path.stem.split("-")[1]) for path in files[:24]])
    for model in ("svm_rbf", "lstm"):
        run = adapt(model, "wavs", "--labels", str(table))
        assert run.returncode == 0, run.stderr
        assert "; the labels count " in run.stdout
        assert json.loads((trained / "new/model.json").read_text())["adapted"]["labelled_clips"] == 24
        shutil.rmtree(trained / "new")
    table.write_text(table.read_text().replace("anger", "joy"))
    run = adapt("svm_rbf", "wavs", "--labels", str(table))
    assert run.returncode == 1 and "says joy: the model knows anger, neutral, sadness" in run.stderr
    table.write_text("file,emotion\nelsewhere.wav,anger\n")
    run = adapt("svm_rbf", "wavs", "--labels", str(table))
    assert run.returncode == 1 and "which is none of the recordings" in run.stderr
    table.write_text(f"file,emotion\n{files[0]},anger\n")
    run = adapt("svm_rbf", "wavs", "--labels", str(table))
    assert run.returncode == 1 and "of 1 speakers labelled recordings can be used: at least 2 are wanted" in run.stderr


def test_other_data_than_the_model_learnt_from_are_refused(trained, adapt, tmp_path):
    files = sorted((trained / "wavs").rglob("*.wav"))
    table = tmp_path / "labels.csv"
    table.write_text("file,emotion\n" + "".join(f"{path},{path.stem.split('-')[1]}\n" for path in files[:24]))
    clips = trained / "data/prepared/clips.csv"
    kept = clips.read_text()
    model = json.loads((trained / "data/models/train_ml/svm_rbf/model.json").read_text())
    model["learnt_from"]["clips"] += 1
    shutil.copytree(trained / "data/models/train_ml/svm_rbf", tmp_path / "other")
    (tmp_path / "other/model.json").write_text(json.dumps(model))
    run = adapt(str(tmp_path / "other"), "wavs", "--labels", str(table))
    assert run.returncode == 1 and "data/ holds other clips or features than svm_rbf learnt from" in run.stderr
    assert clips.read_text() == kept and not (trained / "new").exists()


@pytest.mark.parametrize(
    ("model", "folder", "said"),
    [
        ("svm_rbf", "few", "5 recordings of 6 (first of the others: few/broken.wav: "),
        ("svm_rbf", "empty", "empty: no audio file in it"),
        ("nobody", "wavs", "nobody is no model folder"),
    ],
)
def test_what_cannot_be_done_is_one_line(trained, adapt, model, folder, said):
    (trained / "empty").mkdir(exist_ok=True)
    (trained / "few").mkdir(exist_ok=True)
    for file in sorted((trained / "wavs").rglob("*.wav"))[:5]:
        shutil.copy(file, trained / "few")
    (trained / "few/broken.wav").write_bytes(b"RIFF")
    run = adapt(model, folder)
    assert run.returncode == 1 and said in run.stderr and "Traceback" not in run.stderr
    assert not (trained / "new").exists()


def test_copies_of_one_recording_are_one(trained, adapt):
    """Statistics of it would say that nothing ever changes."""
    (trained / "same").mkdir()
    for number in range(25):
        shutil.copy(min((trained / "wavs").rglob("*.wav")), trained / "same" / f"{number}.wav")
    run = adapt("svm_rbf", "same")
    assert run.returncode == 1 and "1 recordings of 25 (first of the others: same/1.wav: the same as " in run.stderr


def test_what_cannot_be_used_is_said_and_counts(trained, adapt):
    for file in (trained / "wavs").rglob("*.wav"):
        place = trained / "partly" / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    (trained / "partly/broken.wav").write_bytes(b"RIFF")
    run = adapt("svm_rbf", "partly")
    assert run.returncode == 1 and "partly/broken.wav: " in run.stderr and (trained / "new/model.onnx").is_file()


def test_labels_are_for_the_model_as_it_was_trained(trained, adapt, tmp_path):
    """An adapted one reads what it learnt from as if that were the recordings; and settings of now are not its own."""
    files = sorted((trained / "wavs").rglob("*.wav"))
    table = tmp_path / "labels.csv"
    table.write_text("file,emotion\n" + "".join(f"{path},{path.stem.split('-')[1]}\n" for path in files[:24]))
    assert adapt("svm_rbf", "dull").returncode == 0
    run = adapt("new", "wavs", "--labels", str(table), output="newer")
    assert run.returncode == 1 and "new was adapted already" in run.stderr
    shutil.rmtree(trained / "new")
    set_params(trained, {"train_ml.svm_rbf.C": 0.01})
    try:
        run = adapt("svm_rbf", "wavs", "--labels", str(table))
        assert (
            run.returncode == 1 and "params.yaml has other settings of svm_rbf than it was trained with" in run.stderr
        )
    finally:
        set_params(trained, {"train_ml.svm_rbf.C": 5.0})
    assert adapt("svm_rbf", "wavs", "--labels", str(table)).returncode == 0
    assert "and told the emotion of 24: it is for such recordings" in (trained / "new/model_card.md").read_text()


def test_what_was_told_before_is_not_forgotten(trained, adapt, tmp_path):
    files = sorted((trained / "wavs").rglob("*.wav"))
    table = tmp_path / "labels.csv"
    table.write_text("file,emotion\n" + "".join(f"{path},{path.stem.split('-')[1]}\n" for path in files[:24]))
    assert adapt("ensemble", "wavs", "--labels", str(table)).returncode == 0
    assert "told the emotion of 24" in (trained / "new/model_card.md").read_text()
    again = run_stage(trained, "adapt", "new", "dull", "--output", "new/again")
    assert again.returncode == 0, again.stderr
    assert "told the emotion of 24" in (trained / "new/again/model_card.md").read_text()


def test_nothing_is_written_over(trained, adapt):
    (trained / "new").mkdir()
    run = adapt("svm_rbf", "wavs")
    assert run.returncode == 1 and "new is there already: remove it, or name another --output" in run.stderr


def test_a_model_by_speaker_has_nothing_to_adapt(trained, adapt):
    set_params(trained, {"train.normalization": "speaker"})
    try:
        place = trained / "data/models/train_ml"
        shutil.copytree(place, trained / "kept")
        assert run_stage(trained, "train_ml").returncode == 0
        run = adapt("svm_rbf", "wavs")
        assert run.returncode == 1 and "normalises each speaker by themselves" in run.stderr
    finally:
        set_params(trained, {"train.normalization": "train"})
        shutil.rmtree(place)
        (trained / "kept").rename(place)
