"""A stored model on the files themselves gives what the pipeline wrote for their clips."""

import os
import shutil
from functools import partial

import av
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.metrics import recall_score

from conftest import CORPORA, needs_corpora, run_script, run_stage, set_params, workplace


def run_to_train_ml(folder):
    for command in ("prepare", "split", "augment", "extract prepared", "extract augmented", "train_ml"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_ravdess):
    folder = workplace(
        tmp_path_factory.mktemp("predict") / "work",
        raw__path=str(small_ravdess),
        prepare__corpora=["ravdess"],
        train_ml__models=["logistic_regression", "lightgbm"],
    )
    run_to_train_ml(folder)
    return folder


@pytest.mark.parametrize("model", ["logistic_regression", "lightgbm"])
@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_predict_gives_the_probabilities_of_the_pipeline(trained, small_ravdess, model, suffix):
    output = trained / f"out.{suffix}"
    folder = f"data/models/train_ml/{model}/fold_0"
    run = run_stage(trained, "predict", str(small_ravdess), "--model", folder, "--output", str(output))
    assert run.returncode == 0, run.stderr
    table = pd.read_csv(output) if suffix == "csv" else pd.read_json(output)
    table["clip"] = "ravdess/" + table["file"].str.rsplit("/", n=1).str[1].str.removesuffix(".wav")
    expected = pd.read_csv(trained / f"data/predictions/train_ml/{model}.csv").query("fold == 0")
    both = expected.merge(table, on="clip", suffixes=("_expected", ""))
    assert len(both) == len(expected) > 0
    for column in expected.filter(like="p_"):
        np.testing.assert_allclose(both[column], both[f"{column}_expected"], atol=1e-5)
    assert (both[sorted(expected.filter(like="p_"))].idxmax(axis=1) == "p_" + both["emotion"]).all()


def test_a_bad_file_is_named_and_the_others_go_on(trained, small_ravdess):
    good = next(small_ravdess.rglob("*.wav"))
    folder = "data/models/train_ml/lightgbm"
    run = run_stage(trained, "predict", "missing.wav", str(good), "params.yaml", "--model", folder)
    assert run.returncode == 1
    assert "missing.wav: No such file or directory" in run.stderr
    assert "params.yaml: not readable as audio" in run.stderr
    assert "Traceback" not in run.stderr
    assert good.name in run.stdout


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32\nsize 73498\n"
REFUSED = {  # what looks like audio in a folder, and cannot be used: content, and what is said of it
    "book.aax": (b"\x00\x00\x00\x24ftypaax ", "encrypted by who sold it"),
    "call.vox": (b"\x08\x80" * 99, "samples without a header"),
    "pointer.wav": (LFS.encode(), "run `git lfs pull`"),
    "page.mp3": (b"<!DOCTYPE html><title>404", "a web page"),
    "empty.flac": (b"", "the file is empty"),
    "more.zip": (b"PK\x03\x04" + bytes(90) + b"PK\x05\x06" + bytes(18), "an archive: unpack it"),
    "half.zip": (b"PK\x03\x04", "a zip archive without its end"),
    "pointer.zip": (LFS.encode(), "run `git lfs pull`"),
    ".late.m4a.icloud": (b"bplist00", "still in iCloud"),
    "half.wav.part": (b"RIFF", "a download that has not ended"),
}
PASSED_OVER = {"notes.txt": b"OggS", "cover.jpg": b"\xff\xd8\xff\xe0", "README": b"read me", ".hidden.wav": b"RIFF"}


def test_a_folder_is_read_as_a_whole_and_what_cannot_be_is_named(trained, small_ravdess, tmp_path):
    y, sr = soundfile.read(next(small_ravdess.rglob("*.wav")))
    kinds = {"1.wav": "WAV", "x.mpga": "MP3", "sub/voice.oga": "OGG", "PTT-WA0001": "OGG", "call.rec": "FLAC"}
    for name, kind in kinds.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, y, sr, format=kind)
    write_with_ffmpeg(tmp_path / "old.mp2", y, sr, "mp2", "mp2")
    for name, (content, _) in REFUSED.items():
        (tmp_path / name).write_bytes(content)
    for name, content in PASSED_OVER.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "gone.wav").symlink_to(tmp_path / "absent")
    (tmp_path / "folder.wav").mkdir()
    arguments = [str(tmp_path), "--model", "data/models/train_ml/lightgbm", "--output", "out.csv"]
    run = run_stage(trained, "predict", *arguments)
    assert run.returncode == 1
    read = pd.read_csv(trained / "out.csv")
    named = {path.removeprefix(f"{tmp_path}/") for path in read["file"]}
    assert named == {*kinds, "old.mp2"}
    assert read["emotion"].nunique() == 1
    said = [line.partition(": ") for line in run.stderr.splitlines() if line.startswith(str(tmp_path))]
    reasons = {path.removeprefix(f"{tmp_path}/"): reason for path, _, reason in said}
    assert set(reasons) == {*REFUSED, "gone.wav", "folder.wav"}
    assert all(reason in reasons[name] for name, (_, reason) in REFUSED.items())

    for name in (*REFUSED, "gone.wav"):
        (tmp_path / name).unlink()
    (tmp_path / "folder.wav").rmdir()
    assert run_stage(trained, "predict", *arguments).returncode == 0
    assert len(pd.read_csv(trained / "out.csv")) == 6


def test_a_folder_of_nothing_that_is_read_says_why(trained, tmp_path):
    (tmp_path / "call.vox").write_bytes(b"\x08\x80" * 99)
    run = run_stage(trained, "predict", str(tmp_path), "--model", "data/models/train_ml/lightgbm")
    assert run.returncode == 1
    assert run.stderr.splitlines()[0].startswith(f"{tmp_path}/call.vox: samples without a header")
    assert run.stdout == ""


def test_formats_to_print_and_to_write(trained, small_ravdess, tmp_path):
    files = sorted(map(str, small_ravdess.rglob("*.wav")))[:2]
    arguments = [files[0], files[1], files[0], "--model", "lightgbm"]  # a file that is named twice is one
    tables = []
    for form in ("csv", "jsonl"):
        run = run_stage(trained, "predict", *arguments, "--format", form, "--output", str(tmp_path / f"out.{form}"))
        assert run.returncode == 0
        assert (tmp_path / f"out.{form}").read_text() == run.stdout
        read = pd.read_csv if form == "csv" else partial(pd.read_json, lines=True)
        tables.append(read(tmp_path / f"out.{form}").drop(columns="unfamiliar"))
    assert tables[0]["file"].tolist() == files
    pd.testing.assert_frame_equal(*tables)


def test_what_is_asked_for_and_cannot_be_answered_is_unsure(trained, small_ravdess):
    files = sorted(map(str, small_ravdess.rglob("*.wav")))[:9]
    arguments = [*files, "--model", "lightgbm", "--format", "csv"]
    sure = run_stage(trained, "predict", *arguments, "--certainty", "0")
    unsure = run_stage(trained, "predict", *arguments, "--certainty", "1")
    assert "unsure" not in sure.stdout and "at a certainty of" not in sure.stderr
    assert unsure.stdout.count(",unsure,") == 9
    assert "note: at a certainty of 0.95 this model answered" in unsure.stderr
    calibrated = run_stage(trained, "predict", *arguments, "--calibrated")
    assert calibrated.stdout != sure.stdout
    for impossible in ("nan", "1.1", "-0.1"):
        run = run_stage(trained, "predict", *arguments, "--certainty", impossible)
        assert run.returncode == 2 and "allowed are 0 to 1" in run.stderr


def test_without_an_answer_what_was_written_before_is_replaced(trained, tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    header = "file,emotion,p_anger,p_neutral,p_sadness,unfamiliar\n"
    for suffix, empty in {"csv": header, "json": "[]\n", "jsonl": ""}.items():
        output = tmp_path / f"out.{suffix}"
        output.write_text("old")
        arguments = [str(tmp_path / "text.wav"), "--model", "lightgbm", "--output", str(output)]
        assert run_stage(trained, "predict", *arguments).returncode == 1
        assert output.read_text() == empty


def test_a_folder_without_audio_beside_others_is_named(trained, small_ravdess, tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    file = next(small_ravdess.rglob("*.wav"))
    run = run_stage(trained, "predict", str(file), str(tmp_path), "--model", "lightgbm")
    assert run.returncode == 1
    assert f"{tmp_path}: no audio file in it" in run.stderr and str(file) in run.stdout


def test_a_name_that_is_not_utf8_is_shown(trained, small_ravdess, tmp_path):
    name = os.fsdecode(b"caf\xe9.wav")
    shutil.copy(next(small_ravdess.rglob("*.wav")), tmp_path / name)
    arguments = ["--model", "lightgbm", "--format", "csv", "--output", str(tmp_path / "out.csv")]
    run = run_script(trained, "predict", str(tmp_path), *arguments)
    assert run.returncode == 0, run.stderr
    assert "caf\\udce9.wav" in run.stdout
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == run.stdout


def test_a_name_with_a_line_break_stays_in_its_line(trained, small_ravdess, tmp_path):
    shutil.copy(next(small_ravdess.rglob("*.wav")), tmp_path / "a\nb.wav")
    (tmp_path / "c\x1b[2J.wav").write_text("no audio")
    run = run_stage(trained, "predict", str(tmp_path), "--model", "lightgbm")
    assert run.returncode == 1
    assert len(run.stdout.splitlines()) == 2 and "/a\\nb.wav " in run.stdout
    assert "/c\\x1b[2J.wav: not readable" in run.stderr


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("phone.m4a", "ipod", "aac"),
        ("phone.mp4", "mp4", "aac"),
        ("browser.webm", "webm", "libopus"),
        ("old.amr", "amr", "libopencore_amrnb"),
        ("memo.wma", "asf", "wmav2"),
        ("film.mkv", "matroska", "ac3"),
        ("PTT without a suffix", "mp4", "aac"),
    ],
)
def test_what_phones_and_browsers_write_is_predicted(name, container, codec, trained, small_ravdess, tmp_path):
    y, sr = soundfile.read(next(small_ravdess.rglob("*.wav")))
    step = 6 if codec == "libopencore_amrnb" else 1
    write_with_ffmpeg(tmp_path / name, y[::step], sr // step, container, codec)
    run = run_stage(trained, "predict", str(tmp_path), "--model", "data/models/train_ml/lightgbm")
    assert run.returncode == 0, run.stderr
    assert str(tmp_path / name) in run.stdout


def write_with_ffmpeg(path, y, sr, container, codec):
    """Write mono samples (full scale 1) by PyAV."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=sr, layout="mono")
        if codec == "wmav2":
            stream.bit_rate = 64000
        frame = av.AudioFrame.from_ndarray((y * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = sr
        resampler = av.AudioResampler(stream.format, "mono", sr, frame_size=stream.frame_size or 0)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))


def test_a_table_of_speakers_need_not_name_what_is_not_read(by_speaker, small_ravdess, tmp_path):
    files = sorted(small_ravdess.rglob("*.wav"))[:2]
    for file in files:
        shutil.copy(file, tmp_path)
    (tmp_path / "call.vox").write_bytes(b"\x08\x80" * 99)
    (tmp_path / "who.csv").write_text("file,speaker\n" + "".join(f"{file.name},anna\n" for file in files))
    arguments = [str(tmp_path), "--model", "data/models/train_ml/lightgbm", "--speakers", str(tmp_path / "who.csv")]
    run = run_stage(by_speaker, "predict", *arguments)
    assert run.returncode == 1
    assert "call.vox: samples without a header" in run.stderr
    assert all(file.name in run.stdout for file in files)


@pytest.fixture(scope="module")
def by_speaker(trained, tmp_path_factory):
    """The same models, trained on inputs that are normalised by speaker."""
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("speaker") / "work", symlinks=True)
    set_params(folder, {"train.normalization": "speaker"})
    run = run_stage(folder, "train_ml")
    assert run.returncode == 0, run.stderr
    assert "takes the emotion away" not in run.stdout
    return folder


def assert_as_predicted(folder, table, model="logistic_regression"):
    """Compare what predict wrote with the predictions of fold 0."""
    table = table.assign(clip="ravdess/" + table["file"].str.rsplit("/", n=1).str[1].str.removesuffix(".wav"))
    expected = pd.read_csv(folder / f"data/predictions/train_ml/{model}.csv").query("fold == 0")
    both = expected.merge(table, on="clip", suffixes=("_expected", ""))
    assert len(both) == len(expected) > 0
    for column in expected.filter(like="p_"):
        np.testing.assert_allclose(both[column], both[f"{column}_expected"], atol=1e-5)


def test_a_model_normalised_by_speaker_takes_a_folder_for_a_speaker(by_speaker, small_ravdess):
    place = "data/models/train_ml/lightgbm/fold_0"
    run = run_stage(by_speaker, "predict", str(small_ravdess), "--model", place, "--output", "out.csv")
    assert run.returncode == 0, run.stderr
    assert "few to know a voice by" not in run.stderr
    assert_as_predicted(by_speaker, pd.read_csv(by_speaker / "out.csv"), "lightgbm")


def test_a_table_says_who_speaks(by_speaker, small_ravdess, tmp_path):
    """All files in one folder, in an order in which the speakers alternate."""
    for file in small_ravdess.rglob("*.wav"):
        shutil.copy(file, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    speakers = [name.removesuffix(".wav")[-2:] for name in names]
    pd.DataFrame({"file": names, "speaker": speakers}).to_csv(tmp_path / "who.csv", index=False)
    arguments = [str(tmp_path), "--model", "data/models/train_ml/logistic_regression/fold_0", "--output", "out.csv"]
    run = run_stage(by_speaker, "predict", *arguments, "--speakers", str(tmp_path / "who.csv"))
    assert run.returncode == 0, run.stderr
    table = pd.read_csv(by_speaker / "out.csv")
    assert table["file"].tolist() == [str(tmp_path / name) for name in names]
    assert_as_predicted(by_speaker, table)
    assert run_stage(by_speaker, "predict", *arguments).returncode == 0
    with pytest.raises(AssertionError):
        assert_as_predicted(by_speaker, pd.read_csv(by_speaker / "out.csv"))  # taken for one speaker


def test_few_clips_of_a_speaker_are_warned_of(by_speaker, trained, small_ravdess):
    files = sorted(map(str, small_ravdess.rglob("*.wav")))[:2]
    arguments = [*files, "--model", "data/models/train_ml/logistic_regression"]
    run = run_stage(by_speaker, "predict", *arguments)
    assert run.returncode == 0
    assert "warning: 2 clips of the speaker" in run.stderr
    run = run_stage(trained, "predict", *arguments, "--speakers", "none.csv")
    assert run.returncode == 0
    assert "few to know a voice by" not in run.stderr
    assert "--speakers is not used" in run.stderr


def test_speakers_of_one_emotion_are_warned_of(by_speaker, tmp_path):
    folder = shutil.copytree(by_speaker, tmp_path / "work", symlinks=True)
    clips = pd.read_csv(folder / "data/prepared/clips.csv", dtype=str)
    clips["speaker"] += clips["emotion"]
    clips.to_csv(folder / "data/prepared/clips.csv", index=False)
    copies = pd.read_csv(folder / "data/augmented/clips.csv", dtype=str)
    copies.assign(speaker=copies["speaker"] + copies["emotion"]).to_csv(
        folder / "data/augmented/clips.csv", index=False
    )
    set_params(folder, {"train_ml.models": ["logistic_regression"]})
    assert "48 of 48 clips are of speakers who show one emotion only" in run_stage(folder, "train_ml").stdout


@needs_corpora
def test_real_speech_is_recognised_far_above_chance(tmp_path):
    """EMO-DB, speakers held out, no augmentation: chance is 0.14, means of MFCC, chroma and mel reach 0.53."""
    folder = workplace(
        tmp_path / "work",
        raw__path=str(CORPORA),
        prepare__corpora=["emodb"],
        split__folds=5,
        augment__copies=0,
        train_ml__models=["logistic_regression"],
    )
    run_to_train_ml(folder)
    table = pd.read_csv(folder / "data/predictions/train_ml/logistic_regression.csv").query("part == 'test'")
    assert len(table) == 535
    predicted = table.filter(like="p_").idxmax(axis=1).str.removeprefix("p_")
    assert 0.45 < recall_score(table["emotion"], predicted, average="macro") < 0.9
