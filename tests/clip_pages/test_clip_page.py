"""`ser show`: what the page says is what is measured and predicted elsewhere, whatever file and model it is of."""

import json
import re
import shutil
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

import ser
from conftest import run_stage
from ser.audio.cleaning import load_clip
from ser.clip_pages.model_answers import ModelAnswers, unfamiliar_to
from ser.features.descriptors import REFERENCE_F0, describe
from ser.features.frames import spectrum
from ser.prediction.answers import Prediction
from ser.storage.samples import to_float
from sounds import at_level

RATE = 16000
WINDOW, HOP = 1.2, 0.3  # of the command


class Page(HTMLParser):
    """What a browser would find: tags, text by element, the numbers of the script."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.texts, self._open = [], {}, []
        self.feed(text)
        self.numbers = json.loads(re.search(r'<script type="application/json" id="numbers">(.*?)</script>', text)[1])

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        for tag in {*self._open}:
            self.texts[tag] = self.texts.get(tag, "") + data


def show(folder, *arguments):
    return run_stage(folder, "show", *map(str, arguments))


def shown(folder, file, tmp_path, *arguments) -> Page:
    done = show(folder, file, "--output", tmp_path / "page.html", *arguments)
    assert done.returncode == 0, done.stderr
    return Page((tmp_path / "page.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model(trained):
    return ser.load(trained / "data/models/train_ml/svm_rbf")


@pytest.fixture(scope="module")
def clip(clips, tmp_path_factory):
    """A recording with silence at its ends, at another rate, and so quiet that cleaning amplifies it."""
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    y = max((soundfile.read(clip)[0] for clip in clips), key=len)
    y = np.concatenate([np.zeros(RATE), y, np.zeros(RATE // 2)])
    soundfile.write(path, np.repeat(0.1 * y, 3), 3 * RATE)
    return path


def test_f0_and_formants_are_those_of_the_features(trained, model, clip, tmp_path):
    numbers = shown(trained, clip, tmp_path).numbers
    read = model.description["input"]
    extract = read["extract"]
    samples = to_float(load_clip(clip, SimpleNamespace(**read["audio"])))
    cut = spectrum(samples, RATE, n_fft=extract["n_fft"], hop_length=extract["hop_length"])
    found = describe(cut, SimpleNamespace(**extract["functionals"]), {"pitch", "formants"})
    voiced = np.array(numbers["f0"]) > 0
    assert voiced.sum() > 20 and (~voiced).sum() > 5
    np.testing.assert_array_equal(voiced, found.voiced)
    np.testing.assert_allclose(np.array(numbers["f0"])[voiced], REFERENCE_F0 * 2 ** (found.voice["f0"] / 12), atol=0.06)
    for name in ("f1", "f2", "f3"):
        np.testing.assert_allclose(np.array(numbers[name])[voiced], found.voice[name], atol=0.51)
        assert not np.array(numbers[name])[~voiced].any()
    assert numbers["hop"] == extract["hop_length"] / RATE
    assert numbers["seconds"] == pytest.approx(len(samples) / RATE, abs=1e-4)
    assert numbers["start"] > 1  # s of silence
    there = soundfile.read(clip)[0][round(3 * RATE * numbers["start"]) :: 3][: len(samples)]
    assert np.corrcoef(there, samples)[0, 1] > 0.95


@pytest.mark.parametrize("db", [-20.0, -50.0])
def test_the_level_is_that_of_the_recording_and_not_of_the_amplified_sound(trained, db, tmp_path):
    sine = np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE)
    soundfile.write(tmp_path / "a.wav", at_level(sine, db), RATE, subtype="FLOAT")
    page = shown(trained, tmp_path / "a.wav", tmp_path)
    assert np.median(page.numbers["level"]) == pytest.approx(db, abs=0.15)
    sign = "−" if db + 3 < 0 else ""
    assert f"peak {sign}{abs(db + 3):.1f} dBFS, loudness −" in page.texts["dd"]
    loudness = float(re.search("loudness −([0-9.]+) LUFS", page.texts["dd"])[1])
    assert -loudness == pytest.approx(db - 0.04, abs=0.2)  # of 1 kHz: K-weighting takes 0.691 dB and adds as much


def test_answers_are_those_of_predict_and_timeline(trained, model, clip, tmp_path):
    page = shown(trained, clip, tmp_path)
    (parts,) = page.numbers["models"]
    expected = [each for each in model.timeline(clip, window=WINDOW, hop=HOP).channels[0].segments if each.speech]
    assert len(parts) == len(expected) > 3
    for part, segment in zip(parts, expected, strict=True):
        assert (part["start"], part["end"]) == pytest.approx((segment.start, segment.end), abs=1e-3)
        assert part["p"] == pytest.approx(segment.probabilities.tolist(), abs=6e-4)
    answer = model.predict(clip)
    cells = re.findall(r"[01]\.\d\d", page.texts["td"])
    assert cells == [f"{p:.2f}" for p in answer.probabilities]
    assert f"svm_rbf: the whole {answer.emotion} {answer.certainty:.2f}" in page.texts["figcaption"]
    reasons = [text for text in answer.unfamiliar.split("; ") if text and not re.match(r"and \d+ more", text)]
    assert reasons and all(reason in page.texts["p"] for reason in reasons)


def test_a_clip_shorter_than_a_window_has_one_answer(trained, model, clip, tmp_path):
    page = shown(trained, clip, tmp_path, "--window", "9")
    ((part,),) = page.numbers["models"]
    assert part["p"] == pytest.approx(model.predict(clip).probabilities.tolist(), abs=6e-4)
    assert part["start"] <= page.numbers["start"] and part["end"] >= page.numbers["start"] + page.numbers["seconds"]
    assert "shorter than a window of 9 s: one answer" in page.texts["figcaption"]


def test_two_runs_write_the_same_bytes_wherever_the_file_lies(trained, clip, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(clip, tmp_path / "elsewhere")
    pages = []
    for file, page in ((clip, "a.html"), (tmp_path / "elsewhere/clip.wav", "elsewhere/b.html")):
        assert show(trained, file, "--output", tmp_path / page).returncode == 0
        pages.append((tmp_path / page).read_bytes())
    assert pages[0] == pages[1]
    assert str(tmp_path).encode() not in pages[0] and str(trained).encode() not in pages[0]


def test_names_that_are_code_are_text(trained, clip, tmp_path):
    name = "<img src=x onerror=alert(1)>'\"&{{ 7*7 }}.wav"
    shutil.copy(clip, tmp_path / name)
    word = "</script><img src=x onerror=alert(1)>"
    folder = tmp_path / "model"
    shutil.copytree(trained / "data/models/train_ml/svm_rbf", folder)
    about = json.loads((folder / "model.json").read_text())
    about["classes"][0], about["model"] = word, "<b>bold</b>"
    (folder / "model.json").write_text(json.dumps(about))
    page = shown(trained, tmp_path / name, tmp_path, "--model", folder)
    assert not [tag for tag, attributes in page.tags if tag == "img" or "onerror" in attributes]
    assert page.texts["h1"] == page.texts["title"] == name
    assert word in page.texts["th"] and "<b>bold</b>" in page.texts["th"]


def test_a_name_that_is_no_utf_8_is_shown_as_it_can_be(trained, clip, tmp_path):
    name = b"caf\xe9.wav".decode(errors="surrogateescape")
    try:
        shutil.copy(clip, tmp_path / name)
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    assert shown(trained, tmp_path / name, tmp_path).texts["h1"] == "caf?.wav"


def test_without_models_the_page_says_so(clip, tmp_path):
    """In a folder that is no clone the sound is shown by the default settings."""
    done = show(tmp_path, clip)
    assert done.returncode == 0, done.stderr
    page = Page((tmp_path / "clip.html").read_text(encoding="utf-8"))
    assert "No model has been trained here: `dvc repro` trains some" in page.texts["p"]
    assert page.numbers["models"] == [] and max(page.numbers["f0"]) > 50
    assert "table" not in page.texts


def test_a_model_that_cannot_be_loaded_is_left_out_unless_it_is_named(trained, clip, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(trained / "data/models", folder / "data/models")
    shutil.copytree(folder / "data/models/train_ml/svm_rbf", folder / "data/models/train_ml/damaged")
    (folder / "data/models/train_ml/damaged/model.onnx").write_bytes(b"no graph")
    page = shown(folder, clip, tmp_path)
    assert len(page.numbers["models"]) == 1
    assert "data/models/train_ml/damaged is left out: " in page.texts["p"]
    done = show(folder, clip, "--model", "damaged")
    assert done.returncode == 1 and done.stderr.startswith("error: data/models/train_ml/damaged: ")
    assert not (folder / "clip.html").exists()


def test_of_a_model_that_normalises_by_speaker_the_whole_is_answered_only(trained, clip, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(trained / "data/models/train_ml/svm_rbf", folder)
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(about | {"normalization": "speaker"}))
    page = shown(trained, clip, tmp_path, "--model", folder)
    assert page.numbers["models"] == [[]]
    assert "no answers over time" in page.texts["figcaption"]
    assert "the only clip of its speaker" in page.texts["p"]


def test_models_of_one_name_are_numbered_and_others_settings_said(trained, clip, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(trained / "data/models/train_ml/svm_rbf", folder)
    about = json.loads((folder / "model.json").read_text())
    about["input"]["audio"]["trim_db"] = 20.0
    (folder / "model.json").write_text(json.dumps(about))
    page = shown(trained, clip, tmp_path, "--model", "svm_rbf", "--model", folder)
    assert "svm_rbf (2): cleans or cuts the sound otherwise than is shown here" in page.texts["p"]
    assert len(page.numbers["models"]) == 2


def test_channels_with_different_speech_are_said_to_be_mixed(trained, clips, tmp_path):
    one, other = (soundfile.read(path)[0] for path in (clips[0], clips[-1]))
    quiet = np.zeros(RATE)
    parts = [
        np.concatenate([one, quiet, np.zeros(len(other)), one]),
        np.concatenate([np.zeros(len(one)), quiet, other]),
    ]
    length = max(map(len, parts))
    y = np.stack([np.pad(part, (0, length - len(part))) for part in parts], axis=1)
    soundfile.write(tmp_path / "two.wav", y, RATE)
    page = shown(trained, tmp_path / "two.wav", tmp_path)
    assert "channels 1 and 2 carry different speech, and are mixed here" in page.texts["p"]
    assert "2 channels" in page.texts["dd"]


def test_the_sound_is_what_the_models_read_and_can_be_left_out(trained, model, clip, tmp_path):
    import base64
    import io

    page = shown(trained, clip, tmp_path)
    (source,) = [attributes["src"] for tag, attributes in page.tags if tag == "audio"]
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(source.partition(",")[2])), dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(heard, load_clip(clip, SimpleNamespace(**model.description["input"]["audio"])))
    page = shown(trained, clip, tmp_path, "--no-sound")
    assert "audio" not in dict(page.tags) and "button" not in dict(page.tags)


def test_a_file_that_is_no_page_of_ours_is_left_alone_unless_it_is_named(trained, clip, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(trained / "data/models", folder / "data/models")
    page = folder / "clip.html"
    page.write_text("mine")
    done = show(folder, clip)
    assert done.returncode == 1 and "clip.html exists and is no page of `ser show`" in done.stderr
    assert page.read_text() == "mine"
    assert show(folder, clip, "--output", "clip.html").returncode == 0
    before = page.read_bytes()
    assert show(folder, clip, "--no-sound").returncode == 0  # one of ours is written anew
    assert len(page.read_bytes()) < len(before)
    assert sorted(path.name for path in folder.iterdir()) == ["clip.html", "data"]


def test_a_recording_that_cannot_be_shown_is_a_line(trained, clip, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    soundfile.write(tmp_path / "long.wav", np.tile(soundfile.read(clip)[0], 12), RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    for name, reason in (("broken", "not readable"), ("long", "`ser timeline` takes it"), ("silent", "silent")):
        done = show(trained, tmp_path / f"{name}.wav", "--output", tmp_path / "page.html")
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(f"error: {tmp_path / name}.wav: ") and reason in done.stderr
        assert not (tmp_path / "page.html").exists()
    assert show(trained, tmp_path / "missing.wav", "--output", tmp_path / "page.html").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "a.wav"], "a.wav: allowed are .html"),
        (["--window", "0.1"], "windows of 0.1 s"),
        (["--window", "2", "--hop", "5"], "every 5 s"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(trained, arguments, said):
    done = show(trained, "missing.wav", *arguments)
    assert done.returncode == 2 and said in " ".join(done.stderr.split())


def test_what_is_unfamiliar_is_said_once_for_all_models():
    texts = {
        "a": "level -60 dB (usual: -9 to 0); and 2 more",
        "b": "level -60 dB (usual: -8 to 0); noise 3 dB (usual: 1 to 2)",
        "c": "level -60 dB (usual: -9 to 0); noise 3 dB (usual: 1 to 2)",
    }
    answers = [
        ModelAnswers(name, ("x",), Prediction("x", np.ones(1), ("x",), text, 1.0), (), "", False)
        for name, text in texts.items()
    ]
    assert unfamiliar_to(answers) == {
        "all models": ["level -60 dB (usual: -9 to 0)"],
        "all models but a": ["noise 3 dB (usual: 1 to 2)"],
        "a": ["and more"],
    }
    assert unfamiliar_to(answers[:1]) == {"the model": ["level -60 dB (usual: -9 to 0)", "and more"]}


def test_whispered_sound_has_no_f0(trained, tmp_path):
    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    soundfile.write(tmp_path / "noise.wav", at_level(noise, -20), RATE)
    page = shown(trained, tmp_path / "noise.wav", tmp_path)
    assert not any(page.numbers["f0"]) and not any(page.numbers["f2"])
    assert "no frame is voiced" in page.texts["dd"]
    assert "no speech was found: no answers over time" in page.texts["figcaption"]
