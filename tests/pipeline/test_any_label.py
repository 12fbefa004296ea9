"""Labels and speakers of one's own, in any script and of any look, from prepare to report, predict and export.

The corpus is speech of the demo's under other words, in a table that names files. The long form, all trainers and two
classes as well, is for `make verify`.
"""

import csv
import json
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import soundfile

from conftest import run_stage, workplace
from dvc_clone import MODELS
from ser.audio.cleaning import to_int16
from ser.demo.synthetic_speech import demo_table, synthesize
from ser.evaluation.protocol import read_folds
from ser.storage.prediction_tables import read_predictions

SEVEN = {
    "anger": "满意",
    "boredom": "راضٍ جدا",
    "disgust": "007",
    "fear": "क्षमा",
    "happiness": "very happy indeed",
    "neutral": 'so, "so" / 50|50 <b>$x_1$</b>',
    "sadness": "NA",
}
TWO = {"anger": "satisfied", "neutral": "0"}
SPEAKERS = ["NA", "None", "007", "1e5", "null", "7"]
NETWORKS = ("train_lstm", "train_residual_keras", "train_cnn")


def write_corpus(raw: Path, words: dict[str, str], *, takes: int) -> None:
    """Write speech of six speakers as WAV files, and ``mine.csv``, which says who says what how."""
    table = demo_table({"seed": 3, "speakers": 6, "emotions": list(words), "sentences": 2, "takes": takes})
    (raw / "clips").mkdir(parents=True)
    with (raw / "mine.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "emotion", "speaker", "sex", "statement"])
        for number, clip in enumerate(table.to_dict("records")):
            name = f"clips/{number:03d}.wav"
            soundfile.write(raw / name, to_int16(synthesize(clip, 3, 16000)), 16000)
            speaker = SPEAKERS[int(clip["speaker"][-2:]) - 1]
            rows.writerow([name, words[clip["emotion"]], speaker, clip["sex"], {"a": "NA"}.get(clip["statement"], "b")])


def run_pipeline(folder: Path, words: dict[str, str], *, takes: int) -> Path:
    write_corpus(folder / "data/raw", words, takes=takes)
    steps = ("prepare", "split", "augment", "extract prepared", "extract augmented", *MODELS, "fuse", "evaluate")
    for step in (*steps, "overview", "report"):
        run = run_stage(folder, *step.split())
        assert run.returncode == 0, f"{step}: {run.stderr}"
        assert "Traceback" not in run.stderr
    return folder


def check_run(folder: Path, words: dict[str, str], models: set[str]) -> None:
    """Check what the stages have written, and what is read back of it."""
    labels = sorted(words.values())
    clips = pd.read_csv(folder / "data/prepared/clips.csv", dtype=str, keep_default_na=False)
    assert sorted(clips["emotion"].unique()) == labels
    assert clips["emotion"].value_counts().nunique() == 1
    assert set(clips["speaker"]) == {f"mine:{speaker}" for speaker in SPEAKERS}
    assert set(clips["statement"]) == {"NA", "b"}

    folds = read_folds(folder / "data/folds.csv").merge(clips[["clip", "speaker"]], on="clip")
    for fold in (column for column in folds if column.startswith("fold_")):
        assert folds.groupby("speaker")[fold].nunique().eq(1).all()  # nobody is on two sides

    tables = read_predictions(folder / "data/predictions", [*MODELS, "fuse"])
    assert set(tables) == {*models, "ensemble"}
    truth = clips.set_index("clip")["emotion"]
    for table in tables.values():
        assert list(table.columns[4:]) == [f"p_{label}" for label in labels]
        assert (table["emotion"] == table["clip"].map(truth)).all()

    metrics = json.loads((folder / "reports/metrics.json").read_text(encoding="utf-8"))
    assert all(0 <= value <= 1 for scores in metrics.values() for value in scores.values())
    assert metrics["logistic_regression"]["uar"] > 1.3 / len(labels)  # of what a label means nothing is lost on the way
    for name, column in {"per_class": "emotion", "confusion": "actual", "data/counts": "emotion"}.items():
        table = pd.read_csv(folder / f"reports/{name}.csv", dtype=str, keep_default_na=False)
        assert sorted(table[column].unique()) == labels, name
    groups = pd.read_csv(folder / "reports/groups.csv", dtype=str, keep_default_na=False)
    assert set(groups.loc[groups["group"] == "speaker", "value"]) == {f"mine:{speaker}" for speaker in SPEAKERS}

    import markupsafe

    pages = {"report.html": markupsafe.escape, "data/audit.html": markupsafe.escape, "model_card.md": _in_markdown}
    for page, escape in pages.items():
        text = (folder / "reports" / page).read_text(encoding="utf-8")
        assert [label for label in labels if str(escape(label)) not in text] == [], page
        assert "<b>$x_1$</b>" not in text or page.endswith(".md")


def _in_markdown(label: str) -> str:
    return label.split("|")[0]  # how the rest is escaped, the tests of reports tell


def check_predictions(folder: Path, words: dict[str, str], trainer: str, model: str) -> None:
    """Check that `ser predict` says of a fold's test clips what the trainer wrote, under the same labels."""
    place = f"data/models/{trainer}/{model}/fold_0"
    for form in ("csv", "jsonl", "json"):
        run = run_stage(folder, "predict", "data/raw/clips", "--model", place, "--output", f"out.{form}")
        assert run.returncode == 0, run.stderr
    found = pd.read_csv(folder / "out.csv", dtype={"emotion": str}, keep_default_na=False)
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == json.loads((folder / "out.json").read_text(encoding="utf-8"))
    assert [line["emotion"] for line in lines] == list(found["emotion"])
    expected = read_predictions(folder / "data/predictions", [trainer])[model].query("fold == 0")
    clips = pd.read_csv(folder / "data/prepared/clips.csv", dtype=str, keep_default_na=False).set_index("clip")
    found.index = found["file"].str.removeprefix("data/raw/")
    rows = found.loc[expected["clip"].map(clips["source"])]
    columns = [f"p_{label}" for label in sorted(words.values())]
    np.testing.assert_allclose(rows[columns], expected[columns], rtol=0, atol=1e-5)
    named = [row[f"p_{row['emotion']}"] for _, row in rows.iterrows()]
    np.testing.assert_allclose(named, rows[columns].max(axis=1), rtol=0, atol=1e-5)  # trees may be of two minds


def check_use(folder: Path, words: dict[str, str], pictures: tuple[str, ...] = ("png", "svg")) -> None:
    """Check what else a model is for: timelines in all formats, ONNX."""
    labels = set(words.values())
    suffixes = ("csv", "json", "rttm", "vtt", "srt", "txt", "TextGrid", "eaf", *pictures)
    outputs = [argument for suffix in suffixes for argument in ("--output", f"timeline.{suffix}")]
    clip = sorted((folder / "data/raw/clips").iterdir())[0]
    run = run_stage(folder, "timeline", str(clip), "--model", "lightgbm", *outputs)
    assert run.returncode == 0, run.stderr
    assert all((folder / f"timeline.{suffix}").stat().st_size for suffix in suffixes)
    table = pd.read_csv(folder / "timeline.csv", dtype=str, keep_default_na=False)
    assert set(table.loc[table["speech"] == "true", "emotion"]) <= labels
    assert [column[2:] for column in table if column.startswith("p_")] == sorted(labels)
    run = run_stage(folder, "export", "lightgbm", "--output", "lightgbm.onnx")
    assert run.returncode == 0, run.stderr
    stated = {entry.key: entry.value for entry in onnx.load(folder / "lightgbm.onnx").metadata_props}
    assert json.loads(stated["emotions"]) == sorted(labels)


def few(folder: Path, words: dict[str, str]) -> Path:
    changes = {f"{network}__enabled": False for network in NETWORKS}
    models = ["lightgbm", "logistic_regression"]
    changes |= {"train_ml__models": models, "prepare__corpora": ["mine"], "train__importance_repeats": 1}
    return run_pipeline(workplace(folder / "work", **changes), words, takes=1)


def test_labels_and_speakers_may_be_any_words(tmp_path):
    words = {emotion: SEVEN[emotion] for emotion in ("anger", "boredom", "neutral", "sadness")}
    folder = few(tmp_path, words)
    check_run(folder, words, {"lightgbm", "logistic_regression"})
    check_predictions(folder, words, "train_ml", "lightgbm")
    check_use(folder, words, pictures=())


@pytest.mark.verify
@pytest.mark.parametrize("method", ["mean", "stacking"])
@pytest.mark.parametrize("words", [SEVEN, TWO], ids=["seven", "two"])
def test_every_trainer_takes_any_words(words, method, tmp_path):
    changes = {"prepare__corpora": ["mine"], "fuse__method": method, "split__folds": 3}
    folder = run_pipeline(workplace(tmp_path / "work", **changes), words, takes=2)
    check_run(folder, words, {model for models in MODELS.values() for model in models})
    for trainer, models in MODELS.items():
        for model in models:
            check_predictions(folder, words, trainer, model)
    check_use(folder, words)
    run = run_stage(folder, "predict", "data/raw/clips", "--certainty", "0.5", "--calibrated", "--format", "jsonl")
    assert run.returncode == 0, run.stderr
    assert {json.loads(line)["emotion"] for line in run.stdout.splitlines()} <= {*words.values(), "unsure"}


@pytest.mark.parametrize("word", ["unsure", "macro average"])
def test_a_word_that_means_something_else_in_results_is_refused(word, tmp_path):
    folder = workplace(tmp_path / "work", prepare__corpora=["mine"])
    write_corpus(folder / "data/raw", {"anger": word, "neutral": "calm"}, takes=1)
    run = run_stage(folder, "prepare")
    assert run.returncode == 1 and f"{word}: …" in run.stderr and "prepare.rename" in run.stderr
