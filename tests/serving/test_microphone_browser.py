"""Speaking into the page: a browser whose microphone plays a recording."""

import re

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate, resample_poly

from browsers import LOW_CONTRAST, UNLABELLED, launched, sync_api
from conftest import CORPORA, needs_corpora
from running_service import running
from served_page import opened, tab_to

pytestmark = [pytest.mark.verify, needs_corpora]
pytest_plugins = ["running_service"]
expect = sync_api.expect
SILENCE = 2.0  # s before the first word
TOKEN = "a-token-of-24-characters"
PROCESSING = ("echoCancellation", "noiseSuppression", "autoGainControl")
DISOBEDIENT = """
const settings = MediaStreamTrack.prototype.getSettings;
MediaStreamTrack.prototype.getSettings = function () {
  return { ...settings.call(this), autoGainControl: true, noiseSuppression: true };
};
"""


def recorded_speech(actor: str = "Actor_05", files: int = 2) -> tuple[np.ndarray, int]:
    parts = []
    for file in sorted((CORPORA / "ravdess" / actor).glob("*.flac"))[8 : 8 + files]:
        y, sr = soundfile.read(file, dtype="float32", always_2d=True)
        assert sr == 48000
        parts.append(y.mean(axis=1))
    return np.concatenate(parts), sr


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """A WAV file that the microphone plays."""
    y, sr = recorded_speech()
    file = tmp_path_factory.mktemp("spoken") / "spoken.wav"
    soundfile.write(file, np.concatenate([np.zeros(int(SILENCE * sr), np.float32), y]), sr, subtype="PCM_16")
    return file


@pytest.fixture(scope="module")
def live_service(trained, tmp_path_factory):
    with running(trained, tmp_path_factory.mktemp("live")) as found:
        yield found


@pytest.fixture(scope="module")
def playwright():
    with sync_api.sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def browser(playwright, spoken):
    with launched(playwright, spoken) as found:
        yield found


def speak(page, seconds: float) -> None:
    page.locator("#speak:enabled").click()
    expect(page.locator("#stop")).to_be_focused()
    page.wait_for_timeout(1000 * seconds)


def saved_recording(page, folder) -> tuple[np.ndarray, int]:
    with page.expect_download() as download:
        page.locator("#keep").click()
    assert download.value.suggested_filename.startswith("microphone ")
    download.value.save_as(folder / "kept.wav")
    y, sr = soundfile.read(folder / "kept.wav", dtype="float32")
    assert y.ndim == 1
    return y, sr


def decibels(y: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(y, dtype=np.float64)))


def test_one_speaks_sees_it_live_gets_the_timeline_and_plays_it(browser, live_service, spoken, tmp_path):
    with opened(browser, live_service.address + "/") as page:
        speak(page, 6)
        expect(page.locator("#live-emotion")).to_have_text(re.compile("^(anger|neutral|sadness)$"))
        assert "all processing is off" in page.locator("#capture-line").inner_text()
        settings = page.evaluate("logged.tracks[0].getSettings()")
        assert [settings[name] for name in PROCESSING] == [False, False, False]
        page.locator("#stop").click()
        expect(page.locator("#result-title")).to_be_focused(timeout=30_000)
        log = page.evaluate("({ sent: logged.sent, shown: logged.shown, state: logged.tracks[0].readyState })")
        assert log["state"] == "ended"
        assert page.locator(".segments tbody tr").count() >= 1
        kept, sr = saved_recording(page, tmp_path)
        assert sum(samples for _, samples in log["sent"]) == len(kept)
        page.locator(".segments button").first.click()
        expect(page.locator("audio")).to_have_js_property("paused", False)
        expect(page.locator("audio")).not_to_have_js_property("currentTime", 0)

    played, rate = soundfile.read(spoken, dtype="float32")
    played = resample_poly(played, sr, rate)
    lag = int(correlate(kept, played, method="fft").argmax()) - (len(played) - 1)
    start, end = max(0, lag), min(len(kept), lag + len(played))
    level = decibels(kept[start:end]) - decibels(played[start - lag : end - lag])
    print(f"\nlevel of what was recorded: {level:+.2f} dB of the file's, at {sr} Hz")
    assert abs(level) < 0.5

    frames = np.abs(played[: len(played) // 441 * 441]).reshape(-1, 441).max(axis=1)
    onset = lag + 441 * int(np.argmax(frames > 0.03 * frames.max()))  # sample at which the voice begins
    sent = np.cumsum([samples for _, samples in log["sent"]])
    spoken_at = log["sent"][int(np.searchsorted(sent, onset))][0]
    shown_with = sent[np.searchsorted([when for when, _ in log["sent"]], log["shown"]) - 1]
    print(f"first probabilities {(log['shown'] - spoken_at) / 1000:.2f} s after the first word was sent, ", end="")
    print(f"when {(shown_with - onset) / sr:.2f} s of speech had been sent")
    assert 0 < shown_with - onset <= sr  # in samples: a machine that is slow is so on both sides


def test_speaking_works_by_keyboard_at_any_width_and_in_any_colours(browser, live_service):
    for width, scheme in ((375, "dark"), (1280, "light")):
        size = {"width": width, "height": 800}
        with opened(browser, live_service.address + "/", viewport=size, color_scheme=scheme) as page:
            page.locator("#speak:enabled").wait_for()
            tab_to(page, "#speak")
            page.keyboard.press("Space")
            expect(page.locator("#stop")).to_be_focused()
            expect(page.locator("#capture-line")).to_contain_text("kHz")
            page.wait_for_timeout(4500)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate(LOW_CONTRAST) == []
            assert page.evaluate(UNLABELLED) == []
            assert page.locator("#inputs").is_hidden()
            page.keyboard.press("Enter")
            expect(page.locator("#result-title")).to_be_focused(timeout=30_000)
            assert page.locator("#inputs").is_visible()


def test_a_browser_that_does_not_obey_is_told_of(browser, live_service):
    with opened(browser, live_service.address + "/", script=DISOBEDIENT) as page:
        speak(page, 1)
        line = page.locator("#not-obeyed").inner_text()
        assert "noise suppression and automatic gain control on although" in line
        assert "Do not trust" in line
        assert "all processing is off" not in page.locator("#capture-line").inner_text()
        page.locator("#stop").click()
        expect(page.locator("#result")).to_be_visible(timeout=30_000)


def test_a_stream_ends_by_itself_at_the_limit(trained, browser, tmp_path):
    with (
        running(trained, tmp_path / "short", "--minutes", "0.05") as short,
        opened(browser, short.address + "/") as page,
    ):
        speak(page, 0)
        expect(page.locator("#result")).to_be_visible(timeout=30_000)
        assert "Stopped by itself after 3 s" in page.locator("#remarks").inner_text()
        kept, sr = saved_recording(page, tmp_path)
        assert len(kept) == 3 * sr
        assert page.evaluate("logged.tracks[0].readyState") == "ended"


def test_what_was_said_is_kept_when_the_server_stops(trained, browser, tmp_path):
    with (
        running(trained, tmp_path / "stops") as stops,
        opened(browser, stops.address + "/", allowed=("Failed to load resource", "WebSocket")) as page,
    ):
        speak(page, 2)
        stops.process.kill()
        expect(page.locator("#error")).to_contain_text("The server does not answer", timeout=30_000)
        assert page.evaluate("logged.tracks[0].readyState") == "ended"
        expect(page.locator("#speak")).to_be_visible()
        again = page.locator("#send-again")
        again.click()
        expect(page.locator("#error")).to_contain_text("The server does not answer")
        expect(again).to_be_visible()  # it is not lost by that


def test_a_token_opens_the_stream(trained, browser, tmp_path):
    with (
        running(trained, tmp_path / "secret", token=TOKEN) as secret,
        opened(browser, f"{secret.address}/#token={TOKEN}") as page,
    ):
        speak(page, 1)
        page.locator("#stop").click()
        expect(page.locator("#result")).to_be_visible(timeout=30_000)


def test_what_is_too_loud_is_counted_and_said(playwright, live_service, tmp_path):
    y, sr = recorded_speech(files=1)
    loud = np.clip(1.5 * y / np.abs(y).max(), -1, 1)
    soundfile.write(tmp_path / "loud.wav", loud, sr, subtype="PCM_16")
    with launched(playwright, tmp_path / "loud.wav") as browser, opened(browser, live_service.address + "/") as page:
        speak(page, 3)
        expect(page.locator("#clipped")).to_contain_text("clipped")
        page.locator("#stop").click()
        expect(page.locator("#result")).to_be_visible(timeout=30_000)


def test_samples_are_rounded_and_held_at_the_ends(browser, live_service):
    with opened(browser, live_service.address + "/") as page:
        script = """async given => {
          const { toInt16 } = await import("./page/wav.js");
          const { out, clipped } = toInt16(new Float32Array(given));
          return [[...out], clipped];
        }"""
        given = [0.6, -0.6, 0.4, -0.4, 32766.4, 32767, 40000, -32768, -40000]
        found = page.evaluate(script, [each / 32768 for each in given])
    assert found == [[1, -1, 0, 0, 32766, 32767, 32767, -32768, -32768], 4]


def test_no_microphone_and_none_that_is_allowed_are_said_in_a_line(playwright, live_service):
    with launched(playwright) as bare, opened(bare, live_service.address + "/") as page:
        page.locator("#speak:enabled").click()
        expect(page.locator("#error")).to_contain_text("microphone")
        expect(page.locator("#speak")).to_be_enabled()
        expect(page.locator("#speak")).to_be_focused()
    waits = "navigator.mediaDevices.getUserMedia = () => new Promise(() => {});"
    with launched(playwright) as bare, opened(bare, live_service.address + "/", script=waits) as page:
        page.locator("#speak:enabled").click()
        page.locator("#stop").click()  # nobody answers the browser's question
        expect(page.locator("#speak")).to_be_focused()
        expect(page.locator("#error")).to_be_hidden()
    refuse = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
    with launched(playwright) as bare, opened(bare, live_service.address + "/", script=refuse) as page:
        page.locator("#speak:enabled").click()
        expect(page.locator("#error")).to_contain_text("The microphone is not allowed")
    insecure = "Object.defineProperty(window, 'isSecureContext', { value: false });"
    with launched(playwright) as bare, opened(bare, live_service.address + "/", script=insecure) as page:
        expect(page.locator("#live-limits")).to_contain_text("only over https")
        assert page.locator("#speak").is_disabled()
