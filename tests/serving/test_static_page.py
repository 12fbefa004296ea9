"""The page that needs no server, in a browser: its numbers are those of Python, whatever is given to it."""

import hashlib
import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

import ser
from browsers import LOW_CONTRAST, UNLABELLED, launched, sync_api
from conftest import CORPORA, needs_corpora, run_script, run_stage, workplace
from ser.audio.recordings import UnusableAudioError
from ser.errors import InputError
from ser.serving import static_page
from ser.serving.resampling_tables import measured
from ser.serving.static_page import RATES, RUNTIME, write_static_page
from ser.timelines.json_timeline import read_json
from served_page import opened, tab_to

pytestmark = pytest.mark.verify
expect = sync_api.expect
STEPS = (
    "prepare",
    "split",
    "augment",
    "extract prepared",
    "extract augmented",
    "train_lstm",
    "train_cnn",
    "demo clips",
)
RATE = 16000
NODE = shutil.which("node")
RESAMPLE = """
import { readFileSync, writeFileSync } from "node:fs";
import { readTable, resampled } from "./resampling.js";
const [table, given, found] = process.argv.slice(2), bytes = path => new Uint8Array(readFileSync(path)).buffer;
writeFileSync(found, await resampled(new Float32Array(bytes(given)), readTable(bytes(table))));
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a CNN and an LSTM without pitch, and the clips of the demo as files."""
    folder = workplace(tmp_path_factory.mktemp("trained") / "work", extract__frames__groups=["mfcc", "energy"])
    for command in STEPS:
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def runtime() -> str:
    """onnxruntime-web from the user's cache, or its publisher."""
    try:
        return str(static_page._runtime(None))
    except InputError as error:
        pytest.skip(f"no onnxruntime-web: {error}")


@pytest.fixture(scope="module")
def folders(trained, runtime, tmp_path_factory) -> dict[str, Path]:
    """The page of each model."""
    place, found = tmp_path_factory.mktemp("pages"), {}
    for trainer, name in (("train_cnn", "cnn"), ("train_lstm", "lstm")):
        found[name] = place / name
        write_static_page(trained / "data/models" / trainer / name, found[name], runtime=runtime)
    return found


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *given) -> None:
        pass


@contextmanager
def served(folder: Path):
    """Yield the address of a folder served as `python -m http.server` does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def playwright():
    with sync_api.sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def browser(playwright):
    with launched(playwright) as found:
        yield found


@pytest.fixture(scope="module")
def address(folders):
    with served(folders["cnn"]) as found:
        yield found


@pytest.fixture
def page(browser, address):
    with opened(browser, address, viewport={"width": 1280, "height": 800}) as found:
        yield found


def answer(page, recording: Path) -> dict | str:
    """Give the page a file; return the JSON that it saves, or what it refuses it with."""
    page.locator("#choose:enabled").wait_for(timeout=60_000)
    page.set_input_files("#file", recording)
    page.wait_for_function(
        "name => document.getElementById('progress').hidden && (!document.getElementById('error').hidden"
        " || document.getElementById('result-name').textContent === name)",
        arg=recording.name,
        timeout=120_000,
    )
    if page.locator("#error").is_visible():
        return page.locator("#error").inner_text()
    with page.expect_download() as download:
        page.locator("#save-json").click()
    return json.loads(Path(download.value.path()).read_text())


@pytest.fixture(scope="module")
def recordings(trained, tmp_path_factory) -> list[Path]:
    """WAV files of all kinds: of the demo, and of real speech at the rates it was recorded with."""
    place, found = tmp_path_factory.mktemp("recordings"), []

    def write(name: str, y: np.ndarray, sr: int, **options) -> None:
        found.append(place / f"{len(found):02d}-{name}.wav")
        soundfile.write(found[-1], y, sr, **options)

    clips = [soundfile.read(file, dtype="float32") for file in sorted((trained / "clips").rglob("*.wav"))]
    for y, sr in clips[::5]:
        write("demo", y, sr)
    y = clips[3][0]
    for sr in RATES:
        write(f"{sr}", soxr.resample(y, RATE, sr, "VHQ"), sr, subtype="PCM_24")
    for subtype in ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"):
        write(subtype, y, RATE, subtype=subtype)
    other = clips[7][0][: len(y)]
    stereo = np.stack([y[: len(other)], other], axis=1)
    write("stereo", stereo, RATE)
    write("extensible", stereo, RATE, format="WAVEX", subtype="PCM_24")
    write("32-channels", np.tile(y[:, None], (1, 32)) * np.linspace(0.1, 1, 32, dtype=np.float32), RATE)
    write("cancelling", np.stack([y, -0.9 * y], axis=1), RATE)
    write("quiet-ends", np.concatenate([np.zeros(9000), y, np.zeros(7000)]), 48000)
    write("beyond-full-scale", 3 * y, 44100, subtype="FLOAT")
    write("short", y[4000:9000], RATE)
    for corpus in ("ravdess", "emodb"):
        files = sorted((CORPORA / corpus).rglob("*.flac"))
        for file in files[:: max(1, len(files) // 12)]:
            write(corpus, *soundfile.read(file, dtype="float32"))
    return found


@pytest.mark.parametrize("name", ["cnn", "lstm"])
def test_its_numbers_are_those_of_python(browser, folders, trained, recordings, name):
    model = ser.load(next((trained / "data/models").glob(f"*/{name}")))
    differences = {}
    with served(folders[name]) as address, opened(browser, address) as page:
        page.locator("#settings summary").click()
        page.locator("#windows").uncheck()
        for recording in recordings:
            expected, found = model.predict(recording), answer(page, recording)
            whole = found["whole"]
            assert whole["emotion"] == expected.emotion
            assert whole["seconds"] == pytest.approx(expected.seconds, abs=1e-9)
            each = np.array([whole["probabilities"][emotion] for emotion in expected.emotions])
            differences[recording.stem] = float(np.abs(each - expected.probabilities).max())
            shown = [float(cell.split("\t")[1]) for cell in page.locator("#probabilities tbody tr").all_inner_texts()]
            assert np.abs(expected.probabilities - shown).max() < 1.5e-4
        page.locator("#calibrated").check()
        expected, found = model.predict(recordings[0], calibrated=True), answer(page, recordings[0])
        each = [found["whole"]["probabilities"][emotion] for emotion in expected.emotions]
        assert np.abs(each - expected.probabilities).max() < 1e-4
    print(name, len(differences), "largest difference", max(differences.values()))
    assert len(differences) >= 40 or not CORPORA.is_dir()
    assert max(differences.values()) <= 1e-4, differences


@needs_corpora
def test_flac_is_decoded_at_its_own_rate(page, trained):
    model = ser.load(trained / "data/models/train_cnn/cnn")
    for corpus in ("ravdess", "emodb"):
        recording = sorted((CORPORA / corpus).rglob("*.flac"))[5]
        found, expected = answer(page, recording), model.predict(recording)
        each = [found["whole"]["probabilities"][emotion] for emotion in expected.emotions]
        assert np.abs(each - expected.probabilities).max() < 2e-3  # Chromium scales samples above 0 by 32767
        assert "decoded by the browser" in found["remarks"][0]


def test_a_longer_recording_becomes_windows(page, trained, tmp_path):
    model = ser.load(trained / "data/models/train_cnn/cnn")
    clips = [soundfile.read(file, dtype="float32")[0] for file in sorted((trained / "clips").rglob("*.wav"))]
    y = np.concatenate([*clips[:30], np.zeros(5 * RATE, np.float32), *clips[30:50]])[: 70 * RATE]
    soundfile.write(tmp_path / "long.wav", np.repeat(y, 3), 3 * RATE, subtype="FLOAT")
    found = answer(page, tmp_path / "long.wav")
    assert found["whole"]["refused"] == refusal(model, tmp_path / "long.wav")
    timeline = read_json(json.dumps(found))  # it is one of `ser timeline`
    segments = timeline.channels[0].segments
    assert len(segments) == int(timeline.seconds) - 2
    assert not all(segment.speech for segment in segments)
    resampled = soxr.resample(np.repeat(y, 3), 3 * RATE, RATE)
    for number, segment in enumerate(segments):
        if segment.speech:
            expected = model.predict(resampled[number * RATE : (number + 3) * RATE], RATE).probabilities
            assert np.abs(expected - segment.probabilities).max() < 1e-4
    page.locator(".segments tbody button").nth(2).click()
    page.wait_for_function("document.querySelector('audio').currentTime > 2.5")
    with page.expect_download() as download:
        page.locator("#save-csv").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("channel,start,end,speech,emotion,p_")
    assert len(lines) == 1 + len(segments)


def refusal(model, recording: Path) -> str:
    with pytest.raises(UnusableAudioError) as error:
        model.predict(recording)
    return str(error.value)


def test_what_python_refuses_is_refused_in_its_words(page, trained, tmp_path):
    model = ser.load(trained / "data/models/train_cnn/cnn")
    rng = np.random.default_rng(0)
    speech = soundfile.read(sorted((trained / "clips").rglob("*.wav"))[0], dtype="float32")[0]
    click = np.zeros(RATE, np.float32)
    click[100] = 1e-5
    given = {
        "silent": (np.zeros(RATE), RATE, "PCM_16"),
        "almost silent": (1e-5 * rng.standard_normal(RATE), RATE, "FLOAT"),
        "short": (speech[:4000], RATE, "PCM_16"),
        "infinite": (np.where(np.arange(RATE) == 5, np.inf, 0.1), RATE, "FLOAT"),
        "enormous": (np.full(RATE, 2000.0), RATE, "FLOAT"),
        "high": (np.sin(2 * np.pi * 20000 * np.arange(48000) / 48000) * 1e-3, 48000, "FLOAT"),
        "click": (np.concatenate([speech[:100], np.zeros(RATE)]), RATE, "FLOAT"),
        "rate": (np.zeros(2000), 2000, "PCM_16"),
        "channels": (np.zeros((RATE, 33)), RATE, "PCM_16"),
        "empty": (np.zeros(0), RATE, "PCM_16"),
    }
    for name, (y, sr, subtype) in given.items():
        file = tmp_path / f"{name}.wav"
        soundfile.write(file, y, sr, subtype=subtype)
        check_refusal(page, model, file)
    cut = tmp_path / "cut.wav"
    cut.write_bytes((tmp_path / "high.wav").read_bytes()[:100_000])
    check_refusal(page, model, cut)
    soundfile.write(tmp_path / "rifx.wav", speech, RATE, endian="BIG")
    assert "big-endian" in answer(page, tmp_path / "rifx.wav")  # Chromium decodes it, as if it were not
    (tmp_path / "nothing.wav").write_bytes(b"")
    check_refusal(page, model, tmp_path / "nothing.wav")
    (tmp_path / "<img src=x onerror=alert(1)>.wav").write_text("no audio at all")
    assert "cannot decode <img" in answer(page, tmp_path / "<img src=x onerror=alert(1)>.wav")


def check_refusal(page, model, file: Path) -> None:
    said, expected = answer(page, file), refusal(model, file)
    assert isinstance(said, str), (file.name, expected)
    assert said.lower().rstrip(".") == expected.lower().rstrip("."), file.name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_fits_its_window_and_can_be_read(browser, address, recordings, width, scheme):
    with opened(browser, address, viewport={"width": width, "height": 800}, color_scheme=scheme) as page:
        page.locator("#choose:enabled").wait_for()
        page.locator("#settings summary").click()
        for shown in (None, recordings[-1]):
            if shown:
                answer(page, shown)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate(LOW_CONTRAST) == []
            assert page.evaluate(UNLABELLED) == []


def test_what_the_model_learnt_and_must_not_do_stands_on_the_page(page):
    page.locator("#corpora tbody tr").wait_for()
    assert page.locator("#synthetic").inner_text().startswith("⚠ Synthetic speech only")
    text = page.locator("body").inner_text()
    assert "changed copies" not in text
    for part in ("(EU) 2024/1689", "Article 5(1)(f)", "Annex III, point 1(c)", "Article 50(3)", "Nothing leaves it"):
        assert part in text


def test_it_answers_by_recordings_alone_and_says_so(browser, trained, runtime, recordings, tmp_path):
    """A browser cannot make the copies that a model answers by, too."""
    alone = ser.load(trained / "data/models/train_cnn/cnn")
    folder = shutil.copytree(alone.folder, tmp_path / "cnn")
    about = json.loads((folder / "model.json").read_text()) | {"copies": ["speed 0.92", "pitch -1.5"]}
    (folder / "model.json").write_text(json.dumps(about))
    run = run_stage(tmp_path, "serve", "--model", str(folder), "--static", "page", "--runtime", runtime)
    assert run.returncode == 0, run.stderr
    assert "the page answers by recordings alone, not by their copies: speed 0.92, pitch -1.5" in run.stdout
    assert json.loads((tmp_path / "page/about.json").read_text())["copies_left_out"] == about["copies"]
    with served(tmp_path / "page") as address, opened(browser, address) as page:
        page.locator("#settings summary").click()
        page.locator("#windows").uncheck()
        found = answer(page, recordings[0])["whole"]["probabilities"]
        text = page.locator("#knows").inner_text()
    assert "Nor does it answer by changed copies of a recording, too (speed 0.92, pitch -1.5)" in text
    expected = [ser.load(place).predict(recordings[0]).as_dict() for place in (alone.folder, folder)]
    assert max(abs(found[emotion] - expected[0][emotion]) for emotion in found) < 1e-4
    assert max(abs(found[emotion] - expected[1][emotion]) for emotion in found) > 1e-4


def test_it_is_used_by_keyboard(page, recordings):
    page.locator("#choose:enabled").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, "#choose")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(recordings[-1])
    expect(page.locator("#result-title")).to_be_focused(timeout=60_000)
    tab_to(page, "#save-json")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == f"{recordings[-1].stem}.json"


def test_spoken_into_the_microphone(playwright, folders, trained, tmp_path):
    """The recording that the page keeps gives Python the numbers that the page shows."""
    clips = [soundfile.read(file, dtype="float32")[0] for file in sorted((trained / "clips").rglob("*.wav"))[:4]]
    soundfile.write(tmp_path / "spoken.wav", soxr.resample(np.concatenate(clips), RATE, 48000), 48000)
    with (
        launched(playwright, tmp_path / "spoken.wav") as browser,
        served(folders["cnn"]) as address,
        opened(browser, address) as page,
    ):
        page.locator("#speak:enabled").click()
        page.locator("#live-bars .most").wait_for(timeout=20_000)
        page.wait_for_timeout(2500)
        assert "kHz" in page.locator("#capture-line").inner_text()
        page.locator("#stop").click()
        expect(page.locator("#result-title")).to_be_focused(timeout=60_000)
        with page.expect_download() as download:
            page.locator("#keep").click()
        kept = tmp_path / "kept.wav"
        download.value.save_as(kept)
        with page.expect_download() as download:
            page.locator("#save-json").click()
        whole = json.loads(Path(download.value.path()).read_text())["whole"]
    expected = ser.load(trained / "data/models/train_cnn/cnn").predict(kept)
    each = [whole["probabilities"][emotion] for emotion in expected.emotions]
    assert np.abs(each - expected.probabilities).max() < 1e-4


def test_opened_as_a_file_it_says_what_to_do(browser, folders):
    page = browser.new_page()
    page.goto((folders["cnn"] / "index.html").as_uri())
    assert "python -m http.server" in page.locator("#from-file").inner_text()
    page.close()


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("drawing.js", "A file of this page is missing"),
        ("model.onnx", "model.onnx is missing beside the page"),
        ("predictor.js", "is a file of the folder missing"),
    ],
)
def test_what_is_missing_is_said(browser, folders, tmp_path, missing, line):
    shutil.copytree(folders["cnn"], tmp_path / "page")
    (tmp_path / "page" / missing).unlink()
    with served(tmp_path / "page") as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.locator("body")).to_contain_text(line, ignore_case=True)
        page.close()


def test_without_its_web_server_it_goes_on_or_says_so(browser, folders, recordings):
    by_name = {file.stem[3:]: file for file in recordings}
    page = browser.new_page()
    with served(folders["cnn"]) as address:
        page.goto(address)
        page.locator("#choose:enabled").wait_for(timeout=60_000)
    assert isinstance(answer(page, by_name["16000"]), dict)
    assert "resampling-8000.bin cannot be fetched" in answer(page, by_name["8000"]).lower()
    page.close()


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("target", [8000, 16000, 22050, 48000])
def test_javascript_resamples_as_soxr(folders, tmp_path, target):
    shutil.copy(folders["cnn"] / "resampling.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "resample.js").write_text(RESAMPLE)
    rng = np.random.default_rng(0)
    for source in set(RATES) - {target}:
        (tmp_path / "table").write_bytes(measured(source, target).to_bytes())
        for seconds in (0.3, 2.7183):
            y = (0.2 * rng.standard_normal(round(seconds * source))).astype(np.float32)
            y.tofile(tmp_path / "y")
            subprocess.run([NODE, "resample.js", "table", "y", "found"], cwd=tmp_path, check=True)
            found, expected = np.fromfile(tmp_path / "found", np.float32), soxr.resample(y, source, target)
            assert found.shape == expected.shape
            assert np.abs(found - expected).max() < 1e-6, source


def test_the_command_writes_it_and_says_what_it_cannot(trained, runtime, tmp_path):
    run = run_script(trained, "serve", "--static", str(tmp_path / "page"), "--model", "cnn", "--runtime", runtime)
    assert run.returncode == 0, run.stderr
    assert "http.server" in run.stdout
    assert "synthetic speech only" in run.stderr
    files = {path.relative_to(tmp_path / "page").as_posix() for path in (tmp_path / "page").rglob("*.*")}
    assert {"index.html", "model.onnx", "resampling-44100.bin", "onnxruntime-web/LICENSE.txt"} <= files
    other = tmp_path / RUNTIME
    other.write_bytes(b"something else")
    run = run_script(trained, "serve", "--static", str(tmp_path / "other"), "--model", "cnn", "--runtime", str(other))
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1 and "SHA-256" in run.stderr
    assert not (tmp_path / "other").exists()
    run = run_script(trained, "serve", "--static", str(trained / "data/models/train_cnn/cnn"), "--model", "cnn")
    assert run.returncode == 1 and "own folder" in run.stderr
    assert run_script(trained, "serve", "--runtime", runtime).returncode == 2


def test_a_model_that_needs_python_is_refused_and_others_named(trained, tmp_path):
    folder = trained / "data/models/train_lstm/lstm"
    shutil.copytree(folder, tmp_path / "pitch")
    description = json.loads((folder / "model.json").read_text())
    description["input"]["extract"]["frames"]["groups"].append("pitch")
    (tmp_path / "pitch/model.json").write_text(json.dumps(description))
    run = run_script(trained, "serve", "--static", str(tmp_path / "page"), "--model", str(tmp_path / "pitch"))
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "data/models/train_cnn/cnn, data/models/train_lstm/lstm" in run.stderr
    (tmp_path / "nowhere").mkdir()
    run = run_script(
        tmp_path / "nowhere", "serve", "--static", str(tmp_path / "page"), "--model", str(tmp_path / "pitch")
    )
    assert run.returncode == 1 and "none does" in run.stderr


def test_writing_again_gives_the_same_bytes(folders, trained, runtime, tmp_path):
    write_static_page(trained / "data/models/train_cnn/cnn", tmp_path / "again", runtime=runtime)

    def digests(folder: Path) -> dict[str, str]:
        return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.*")}

    assert digests(tmp_path / "again") == digests(folders["cnn"])
