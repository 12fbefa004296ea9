"""Bad input, through the stage scripts: one clear line and exit code 1, or quarantine and the run goes on."""

import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import run_stage, set_params, workplace

RATE = 48000
BAD = {
    "03-01-05-01-01-01-02.wav": "the name says actor 02, the folder Actor_01",
    "03-01-05-01-01-02-01.wav": "truncated",
    "03-01-05-01-02-02-01.wav": "not readable as audio",
    "03-01-01-01-02-02-01.wav": "the file is empty",
    "03-01-01-01-02-01-01.wav": "silent",
    "03-01-01-01-01-02-01.wav": "NaN or infinite samples",
    "03-01-04-01-01-02-01.wav": "no samples",
    "holiday.wav": "the name is not seven two-digit fields",
}


@pytest.fixture
def place(tmp_path, small_ravdess):
    """A workplace with a small RAVDESS of its own."""
    folder = workplace(tmp_path / "work", prepare__corpora=["ravdess"])
    shutil.copytree(small_ravdess / "ravdess", folder / "data/raw/ravdess")
    return folder


def refused(run) -> str:
    """Check that a stage stopped with one line, and return it."""
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    return line


def test_bad_files_are_quarantined_with_their_reason_and_the_run_goes_on(place):
    actor = place / "data/raw/ravdess/Actor_01"
    speech = actor / "03-01-05-01-01-01-01.wav"
    whole = speech.read_bytes()
    (actor / "03-01-05-01-01-01-02.wav").write_bytes(whole)
    (actor / "03-01-05-01-01-02-01.wav").write_bytes(whole[: len(whole) // 2])
    (actor / "03-01-05-01-02-02-01.wav").write_text("this is a text file")
    (actor / "03-01-01-01-02-02-01.wav").write_bytes(b"")
    soundfile.write(actor / "03-01-01-01-02-01-01.wav", np.zeros(RATE), RATE)
    y = np.random.default_rng(1).standard_normal(RATE) * 0.1
    y[100] = np.nan
    soundfile.write(actor / "03-01-01-01-01-02-01.wav", y, RATE, subtype="FLOAT")
    soundfile.write(actor / "03-01-04-01-01-02-01.wav", np.zeros(0), RATE)
    (actor / "holiday.wav").write_bytes(whole)
    stereo = actor / "03-01-04-01-01-01-01.wav"
    y, _ = soundfile.read(stereo)
    soundfile.write(stereo, np.stack([y[::6], y[::6]], axis=1), RATE // 6, subtype="PCM_U8")

    run = run_stage(place, "prepare")
    assert run.returncode == 0, run.stderr
    assert f"{len(BAD)} files quarantined" in run.stdout
    table = pd.read_csv(place / "reports/data/quarantine.csv")
    assert sorted(table["file"]) == sorted(f"ravdess/Actor_01/{name}" for name in BAD)
    for row in table.itertuples():
        assert row.reason.startswith(BAD[row.file.rsplit("/", 1)[1]]), row.reason
    clips = pd.read_csv(place / "data/prepared/clips.csv")
    assert len(clips) == 4 * 12 - 6  # two of the bad names were not there before
    assert "ravdess/03-01-04-01-01-01-01" in set(clips["clip"])  # 8 kHz, 8 bits, stereo: usable
    index = np.load(place / "data/prepared/audio/index.npy")
    np.testing.assert_allclose(index[:, 2] / 16000, clips["seconds"], atol=1e-5)


def test_the_same_audio_twice_is_used_once_or_not_at_all(place):
    folder = place / "data/raw/ravdess"
    shutil.copy(folder / "Actor_01/03-01-05-01-01-01-01.wav", folder / "Actor_01/03-01-05-01-01-02-01.wav")
    shutil.copy(folder / "Actor_02/03-01-05-01-01-01-02.wav", folder / "Actor_02/03-01-04-01-01-01-02.wav")
    assert run_stage(place, "prepare").returncode == 0
    reasons = pd.read_csv(place / "reports/data/quarantine.csv").set_index("file")["reason"]
    assert reasons["ravdess/Actor_01/03-01-05-01-01-02-01.wav"] == "same audio as ravdess/03-01-05-01-01-01-01"
    contradictory = reasons[reasons.str.contains("which has another emotion")]
    assert sorted(contradictory.index) == [
        "ravdess/Actor_02/03-01-04-01-01-01-02.wav",
        "ravdess/Actor_02/03-01-05-01-01-01-02.wav",
    ]
    assert len(reasons) == 3


def test_a_contradiction_with_an_emotion_that_is_not_selected_counts_too(place):
    folder = place / "data/raw/ravdess"
    shutil.copy(folder / "Actor_02/03-01-05-01-01-01-02.wav", folder / "Actor_02/03-01-04-01-01-01-02.wav")
    set_params(place, {"prepare.emotions": ["anger", "neutral"]})
    assert run_stage(place, "prepare").returncode == 0
    table = pd.read_csv(place / "reports/data/quarantine.csv")
    assert list(table["file"]) == ["ravdess/Actor_02/03-01-05-01-01-01-02.wav"]  # what is not selected is not there
    assert "ravdess/03-01-04-01-01-01-02, which has another emotion" in table["reason"][0]
    clips = pd.read_csv(place / "data/prepared/clips.csv")
    assert set(clips["emotion"]) == {"anger", "neutral"}
    index = np.load(place / "data/prepared/audio/index.npy")
    np.testing.assert_allclose(index[:, 2] / 16000, clips["seconds"], atol=1e-5)


def test_one_corpus_under_two_names(place):
    (place / "data/raw/ravdess.csv").write_text("path,emotion\nravdess/Actor_01/03-01-05-01-01-01-01.wav,anger\n")
    set_params(place, {"prepare.corpora": ["ravdess.csv", "ravdess"]})
    assert "raw holds ravdess, ravdess.csv: keep one" in refused(run_stage(place, "prepare"))
    (place / "data/raw/ravdess").rename(place / "data/raw/RAVDESS")
    set_params(place, {"prepare.corpora": ["ravdess.csv", "RAVDESS"]})
    assert "prepare.corpora names the corpus ravdess twice" in refused(run_stage(place, "prepare"))


def test_an_unknown_key_of_params(place):
    text = (place / "params.yaml").read_text()
    (place / "params.yaml").write_text(text + "train_lsmt:\n  layers: 2\n")
    for stage in ("prepare", "split", "train_ml", "evaluate"):
        assert "unknown key train_lsmt" in refused(run_stage(place, stage))


def test_a_missing_corpus_and_an_empty_one(place):
    set_params(place, {"prepare.corpora": ["emodb"]})
    assert "corpus emodb: no folder, archive or table of this name in data/raw (there: ravdess)" in refused(
        run_stage(place, "prepare")
    )
    (place / "data/raw/emodb").mkdir()
    (place / "data/raw/emodb/readme.txt").write_text("to be downloaded")
    assert "corpus emodb: no audio file (.wav, " in refused(run_stage(place, "prepare"))


def test_a_corpus_with_one_emotion(place):
    for file in (place / "data/raw/ravdess").rglob("*.wav"):
        if file.name[6:8] != "05":
            file.unlink()
    assert "all clips show anger" in refused(run_stage(place, "prepare"))


def test_a_corpus_of_which_nothing_is_usable(place):
    for file in (place / "data/raw/ravdess").rglob("*.wav"):
        file.write_text("no audio")
    assert "no usable clip: reports/data/quarantine.csv says why" in refused(run_stage(place, "prepare"))
    assert len(pd.read_csv(place / "reports/data/quarantine.csv")) == 48


def test_more_folds_than_speakers(place):
    assert run_stage(place, "prepare").returncode == 0
    set_params(place, {"split.folds": 5})
    assert "split.folds 5 needs at least 5 speakers; there are 4" in refused(run_stage(place, "split"))


def test_a_corpus_of_ones_own_without_speakers(place):
    """One folder an emotion: speakers are unknown, so that only a random split is possible, reported in red."""
    for number, file in enumerate(sorted((place / "data/raw/ravdess").rglob("*.wav"))):
        emotion = {"05": "angry", "01": "neutral", "04": "sad"}[file.name[6:8]]
        target = place / "data/raw/mine" / emotion / f"клип {number}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    set_params(place, {"prepare.corpora": ["mine"]})
    assert run_stage(place, "prepare").returncode == 0
    assert "needs the speaker of every clip, unknown for 48" in refused(run_stage(place, "split"))
    set_params(place, {"split.scheme": "random"})
    assert run_stage(place, "split").returncode == 0


def test_a_stage_before_its_inputs_are_there(place):
    assert "data/prepared/clips.csv not found: run `dvc repro`" in refused(run_stage(place, "split"))
    assert "data/prepared/clips.csv not found" in refused(run_stage(place, "train_ml"))


def test_predict_without_a_model(place):
    line = refused(run_stage(place, "predict", "data/raw/ravdess"))
    assert "data/models/default.json names no model" in line
    assert "dvc pull" in line
