"""The page of the service in a browser: files, timelines, exports; as a reader would use it."""

import io
import json
import os

import numpy as np
import pytest
import soundfile

from browsers import LOW_CONTRAST, UNLABELLED, launched, sync_api
from running_service import running
from ser.timelines.formats import FORMATS, read_json
from served_page import analyse, opened, tab_to

pytestmark = pytest.mark.verify
pytest_plugins = ["running_service"]
expect = sync_api.expect
WIDTHS = (375, 1280)
TOKEN = "a-token-of-24-characters"
HOSTILE = "<img src=x onerror=alert(1)>.wav"
NOW = "document.querySelector('audio').currentTime"
COUNT_RECTANGLES = """() => {
  window.rectangles = 0;
  const fill = CanvasRenderingContext2D.prototype.fillRect;
  CanvasRenderingContext2D.prototype.fillRect = function (...given) { rectangles++; fill.apply(this, given); };
}"""
AT = "Number(document.querySelector('.scroller').getAttribute('aria-valuenow'))"


@pytest.fixture(scope="module")
def page_service(trained, tmp_path_factory):
    with running(trained, tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright, launched(playwright) as found:
        yield found


@pytest.fixture(scope="module")
def talk(clips, tmp_path_factory):
    """A conversation of two channels: utterances with a second of silence between them, and no two at a time."""
    folder = tmp_path_factory.mktemp("talk")
    left, right = [], []
    for number, clip in enumerate(clips[:12]):
        y, sr = soundfile.read(clip, dtype="float32")
        silence, pause = np.zeros_like(y), np.zeros(sr, np.float32)
        left += [y if number % 2 else silence, pause]
        right += [silence if number % 2 else y, pause]
    soundfile.write(folder / "talk.wav", np.column_stack([np.concatenate(left), np.concatenate(right)]), sr)
    soundfile.write(folder / "alone.wav", np.concatenate(left), sr)
    return folder


@pytest.fixture
def page(browser, page_service):
    size = {"width": 1280, "height": 800}
    with opened(browser, page_service.address + "/", viewport=size, reduced_motion="reduce") as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_its_window_and_can_be_read(browser, page_service, talk, width, scheme):
    size = {"width": width, "height": 800}
    with opened(browser, page_service.address + "/", viewport=size, color_scheme=scheme) as page:
        page.locator("#choose:enabled").wait_for()
        page.locator("#settings summary").click()
        for shown in (None, talk / "talk.wav"):
            if shown:
                analyse(page, shown)
                page.get_by_label("pauses too").check()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate(LOW_CONTRAST) == []
            assert page.evaluate(UNLABELLED) == []
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")


def test_what_the_model_learnt_and_must_not_do_stands_on_the_page(page):
    page.locator("#corpora tbody tr").wait_for()
    assert page.locator("#corpora tbody tr").all_inner_texts()[0].split("\t")[0] == "demo"
    assert "synthetic" in page.locator("#corpora").inner_text()
    assert page.locator("#synthetic").inner_text().startswith("⚠ Synthetic speech only")
    assert "stays on this machine" in page.locator("#where").inner_text()
    law = page.locator("main").inner_text()
    for part in (
        "(EU) 2024/1689",
        "Article 5(1)(f)",
        "Annex III, point 1(c)",
        "Article 50(3)",
        "not what a person feels",
    ):
        assert part in law


def test_a_timeline_is_played_and_read_in_step(page, talk):
    analyse(page, talk / "talk.wav")
    assert page.locator("#whole > span").count() == 2
    rows = page.locator(".segments tbody tr")
    assert rows.count() > 6
    texts = [row.split("\t") for row in rows.all_inner_texts()]
    starts = [minutes_to_seconds(row[2]) for row in texts]
    assert starts == sorted(starts)
    assert {row[1].strip() for row in texts} == {"1", "2"}
    rows.nth(3).locator("button").click()
    expect(rows.nth(3)).to_have_class("here")
    end = minutes_to_seconds(texts[3][3])
    expect(page.locator("audio")).to_have_js_property("paused", False)
    expect(page.locator("audio")).to_have_js_property("paused", True, timeout=20_000)  # at the segment's end
    assert page.evaluate(NOW) == pytest.approx(end, abs=0.06)  # the table has a digit; however late it noticed
    assert page.evaluate(AT) == pytest.approx(end, abs=0.06)
    channel = int(texts[3][1]) - 1
    page.evaluate(f"document.querySelector('audio').currentTime = {starts[3] + 0.1}")
    expect(page.locator(".current h4").nth(channel)).to_contain_text(texts[3][4].strip())
    assert page.locator(".current .bars").nth(channel).locator("li.most").inner_text().startswith(texts[3][4].strip())
    assert texts[3][4].strip() in page.locator(".scroller").get_attribute("aria-valuetext")


def minutes_to_seconds(text: str) -> float:
    minutes, seconds = text.strip().split(":")
    return 60 * int(minutes) + float(seconds)


def test_a_pointer_seeks_drags_zooms_and_scrolls(page, talk):
    analyse(page, talk / "alone.wav")
    scroller = page.locator(".scroller")
    scroller.scroll_into_view_if_needed()
    box = scroller.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 40)
    middle = page.evaluate(AT)
    assert middle > 1
    assert page.evaluate(NOW) == pytest.approx(middle, abs=0.02)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 40, steps=4)
    page.mouse.up()
    assert page.evaluate(AT) > middle + 1
    dragged = page.evaluate(AT)
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40)
    assert page.evaluate(AT) == dragged  # it is let go
    before = page.evaluate("document.querySelector('.length').offsetWidth")
    page.get_by_label("Zoom in").click()
    assert page.evaluate("document.querySelector('.length').offsetWidth") > before
    page.get_by_label("Show the whole recording").click()
    assert page.evaluate("document.querySelector('.scroller').scrollWidth") <= box["width"] + 1
    overview = page.locator(".overview-box").bounding_box()
    page.mouse.click(overview["x"] + 2, overview["y"] + 5)
    assert page.evaluate(AT) < 0.5


def test_pictures_are_drawn_anew_in_another_window_and_other_colours(page, talk):
    analyse(page, talk / "alone.wav")
    pixels = "document.querySelector('.scroller canvas').toDataURL()"
    light, wide = page.evaluate(pixels), page.evaluate("document.querySelector('.scroller canvas').width")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(20, 22, 25)")
    assert page.evaluate(pixels) != light
    page.set_viewport_size({"width": 600, "height": 800})
    expect(page.locator(".scroller canvas")).not_to_have_js_property("width", wide)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_of_it_works_by_keyboard(page, talk):
    page.on("filechooser", lambda _: None)  # or the window could open before it is caught
    page.locator("#choose:enabled").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, "#choose")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(talk / "alone.wav")
    expect(page.locator("#result-title")).to_be_focused(timeout=60_000)
    tab_to(page, ".scroller")
    position = page.locator(".scroller")
    for key, expected in (("ArrowRight", 1), ("PageUp", 11), ("ArrowLeft", 10), ("Home", 0), ("ArrowUp", 1)):
        page.keyboard.press(key)
        assert page.evaluate(AT) == pytest.approx(expected, abs=0.02)
    first = minutes_to_seconds(page.locator(".segments tbody tr").first.inner_text().split("\t")[1])
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(AT) == pytest.approx(first, abs=0.06)
    assert "%" in position.get_attribute("aria-valuetext")
    page.keyboard.press("Space")
    expect(page.locator("audio")).to_have_js_property("paused", False)
    page.keyboard.press("Space")
    expect(page.locator("audio")).to_have_js_property("paused", True)
    wide = page.evaluate("document.querySelector('.length').offsetWidth")
    page.keyboard.press("+")
    assert page.evaluate("document.querySelector('.length').offsetWidth") > wide
    tab_to(page, "#exports button")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "alone.csv"
    tab_to(page, ".segments button")
    page.keyboard.press("Space")
    expect(page.locator("audio")).to_have_js_property("paused", False)


def test_every_format_is_saved(page, talk, tmp_path):
    with page.expect_response("**/timeline*") as answer:
        analyse(page, talk / "talk.wav")
    timeline = read_json(answer.value.text())
    for button, (name, kind) in zip(page.locator("#exports button").all(), FORMATS.items(), strict=True):
        with page.expect_download() as download:
            button.click()
        assert download.value.suggested_filename == f"talk{kind.suffix}", name
        saved = tmp_path / name
        download.value.save_as(saved)
        if name == "json":
            again = read_json(saved.read_text())
            assert [len(channel.segments) for channel in again.channels] == [len(c.segments) for c in timeline.channels]
        else:
            with saved.open(newline="") as file:
                assert file.read() == kind.write(timeline), name


def test_names_are_text(page, talk, tmp_path):
    content = (talk / "alone.wav").read_bytes()
    analyse(page, {"name": HOSTILE, "mimeType": "audio/wav", "buffer": content})
    assert page.locator("main img").count() == 0
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert "<" not in download.value.suggested_filename


def test_a_drop_anywhere_on_the_page_is_taken(page, talk):
    page.locator("#choose:enabled").wait_for()
    content = list((talk / "alone.wav").read_bytes())
    script = """([bytes, times]) => {
      const moved = new DataTransfer();
      for (let i = 0; i < times; i++) moved.items.add(new File([new Uint8Array(bytes)], "dropped.wav"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: moved, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(script, [content, 2])
    expect(page.locator("#error")).to_have_text("One file at a time, please.")
    page.evaluate(script, [content, 1])
    expect(page.locator("#result-name")).to_have_text("dropped.wav", timeout=60_000)
    expect(page.locator("#error")).to_be_hidden()


def test_an_upload_can_be_cancelled(page, talk):
    page.route("**/timeline*", lambda route: None)  # never answered
    page.locator("#choose:enabled").wait_for()
    page.set_input_files("#file", talk / "alone.wav")
    page.locator("#cancel").click()
    expect(page.locator("#status")).to_have_text("Cancelled.")
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator("#choose")).to_be_focused()
    expect(page.locator("#error")).to_be_hidden()


def test_what_is_no_audio_and_a_server_that_is_busy_are_said_in_a_line(browser, page_service, talk):
    with opened(browser, page_service.address + "/", allowed=("Failed to load resource",)) as page:
        page.locator("#choose:enabled").wait_for()
        page.set_input_files("#file", {"name": "no.wav", "mimeType": "audio/wav", "buffer": b"no audio at all" * 99})
        error = page.locator("#error")
        expect(error).to_be_visible(timeout=30_000)
        assert "\n" not in error.inner_text()
        assert len(error.inner_text()) > 15
        page.route("**/timeline*", lambda route: route.fulfill(status=429, headers={"Retry-After": "7"}, body="{}"))
        page.set_input_files("#file", talk / "alone.wav")
        expect(error).to_have_text("The server is busy: try again in 7 s.")
        page.unroute("**/timeline*")
        analyse(page, talk / "alone.wav")
        expect(error).to_be_hidden()


def test_a_file_that_is_too_large_is_not_sent(trained, browser, talk, tmp_path):
    with (
        running(trained, tmp_path / "small", "--megabytes", "0.01") as small,
        opened(browser, small.address + "/") as page,
    ):
        page.locator("#choose:enabled").wait_for()
        page.set_input_files("#file", talk / "alone.wav")
        expect(page.locator("#error")).to_contain_text("the server takes at most 10 kB")


def test_a_server_that_stopped_is_said(trained, browser, talk, tmp_path):
    with (
        running(trained, tmp_path / "stops") as stops,
        opened(browser, stops.address + "/", allowed=("Failed to load resource",)) as page,
    ):
        page.locator("#choose:enabled").wait_for()
        stops.end()
        page.set_input_files("#file", talk / "alone.wav")
        expect(page.locator("#error")).to_contain_text("The server does not answer")


def test_a_file_that_changes_while_it_is_sent_is_said(browser, page_service, talk, tmp_path):
    file = tmp_path / "written.wav"
    file.write_bytes((talk / "alone.wav").read_bytes())
    os.utime(file, (1e9, 1e9))  # browsers look at the second
    late = """const post = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function (form) { window.late = () => post.call(this, form); };"""
    with opened(browser, page_service.address + "/", allowed=("Failed to load resource",), script=late) as page:
        page.locator("#choose:enabled").wait_for()
        page.set_input_files("#file", file)
        expect(page.locator("#cancel")).to_be_focused()
        file.write_bytes(b"something else")
        page.evaluate("late()")
        expect(page.locator("#error")).to_contain_text("The file was changed")
        expect(page.locator("#choose")).to_be_focused()


def test_a_format_that_the_browser_cannot_play_has_its_timeline(browser, page_service, talk):
    y, sr = soundfile.read(talk / "alone.wav")
    content = io.BytesIO()
    soundfile.write(content, y, sr, format="AIFF")
    with opened(browser, page_service.address + "/", allowed=("Failed to load resource",)) as page:
        analyse(page, {"name": "old.aiff", "mimeType": "audio/aiff", "buffer": content.getvalue()})
        expect(page.locator("#unplayable")).to_contain_text("cannot play")
        expect(page.locator("audio")).to_be_hidden()
        page.locator(".scroller").focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate(AT) == pytest.approx(1)
        page.locator(".segments button").first.click()
        expect(page.locator(".segments tbody tr").first).to_have_class("here")


def test_a_token_after_the_hash_opens_and_leaves_the_address(trained, browser, talk, tmp_path):
    with running(trained, tmp_path / "secret", token=TOKEN) as secret:
        with opened(browser, secret.address + "/", allowed=("Failed to load resource",)) as page:
            expect(page.locator("#error")).to_contain_text("wants its token")
            assert page.locator("#choose").is_disabled()
        with opened(browser, f"{secret.address}/#token={TOKEN}") as page:
            analyse(page, talk / "alone.wav")
            assert page.evaluate("location.href") == secret.address + "/"
            with page.expect_download():
                page.get_by_role("button", name="RTTM").click()


def test_emotions_of_any_name_and_script_have_a_colour_and_their_own_number(page):
    names = ["שמחה", "غضب", "constructor", "__proto__"]
    shares = dict(zip(names, (0.6, 0.2, 0.1, 0.1), strict=True))
    segment = {"start": 0, "end": 1, "speech": True, "emotion": "", "probabilities": None, "unfamiliar": ""}
    segments = [segment | {"start": n, "end": n + 1, "emotion": name} for n, name in enumerate(names)]
    channel = {"shares": shares, "speaking_seconds": 4, "segments": segments, "peaks_per_second": 1, "peaks": [0.1] * 4}
    answer = {"name": "x.wav", "seconds": 4, "emotions": names, "model": "x", "remarks": [], "channels": [channel]}
    page.route("**/timeline*", lambda route: route.fulfill(body=json.dumps(answer), content_type="application/json"))
    analyse(page, {"name": "x.wav", "mimeType": "audio/wav", "buffer": b"nothing to play"})
    # left to right as it is read: each name before its number, whatever its direction
    places = """() => {
      const text = document.querySelector("#whole > span").firstChild, range = new Range();
      return ["שמחה", "60", "غضب", "20"].map(part => {
        const at = text.data.indexOf(part);
        range.setStart(text, at);
        range.setEnd(text, at + part.length);
        return range.getBoundingClientRect().left;
      });
    }"""
    found = page.evaluate(places)
    assert found == sorted(found)
    colour = "row => getComputedStyle(row.querySelector('b'), '::before').backgroundColor"
    squares = [row.evaluate(colour) for row in page.locator(".segments tbody tr").all()]
    assert len({*squares}) == 4 and "rgba(0, 0, 0, 0)" not in squares


def test_an_hour_does_not_fill_the_page(page):
    """What the server would answer for an hour of short utterances, of which there is no sound here."""
    emotions = ["anger", "neutral", "sadness"]
    probabilities = {"anger": 0.7, "neutral": 0.2, "sadness": 0.1}
    spoken = {"speech": True, "emotion": "anger", "probabilities": probabilities, "unfamiliar": ""}
    pause = {"speech": False, "emotion": "", "probabilities": None, "unfamiliar": ""}
    segments = [{"start": 0.3 * n, "end": 0.3 * n + 0.3, **(spoken if n % 2 else pause)} for n in range(12_000)]
    channel = {"shares": {"anger": 1.0}, "speaking_seconds": 1800, "segments": segments}
    channel |= {"peaks_per_second": 4000 / 3600, "peaks": [0.1] * 4000}
    hour = {"name": "hour.wav", "seconds": 3600, "emotions": emotions, "model": "x", "remarks": ["cut off"]}
    answer = json.dumps(hour | {"channels": [channel]})
    page.route("**/timeline*", lambda route: route.fulfill(body=answer, content_type="application/json"))
    analyse(page, {"name": "hour.wav", "mimeType": "audio/wav", "buffer": b"nothing to play"})
    expect(page.locator("#unplayable")).to_be_visible()
    expect(page.locator("#remarks")).to_have_text("Cut off.")
    rows = page.locator(".segments tbody tr")
    assert rows.count() < 100
    assert page.evaluate("document.querySelectorAll('*').length") < 2000
    assert page.evaluate("document.querySelector('.scroller canvas').width") < 3000
    page.get_by_label("Show the whole recording").click()
    page.evaluate(COUNT_RECTANGLES)
    page.locator(".scroller").press("PageUp")  # another segment: the picture is drawn anew
    assert 500 < page.evaluate("rectangles") < 6000  # less than a part for each utterance and emotion
    page.get_by_label("Zoom in").click(click_count=12)
    shown = rows.count()
    page.get_by_role("button", name="more").click()
    assert rows.count() == shown + 200
    page.locator(".scroller").focus()
    page.keyboard.press("End")
    assert page.evaluate("document.querySelector('.scroller').scrollLeft") > 10_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_what_decided_an_answer_is_shown_by_keyboard_alone(browser, page_service, talk, width, scheme):
    size = {"width": width, "height": 800}
    with opened(browser, page_service.address + "/", viewport=size, color_scheme=scheme) as page:
        analyse(page, talk / "alone.wav")
        page.locator(".scroller").focus()
        page.keyboard.press("Shift+ArrowRight")
        tab_to(page, "button.why")
        page.keyboard.press("Enter")
        page.locator("#explanation svg").wait_for(timeout=60_000)
        assert page.locator("#explanation svg rect").count() >= 3
        assert "stand" in page.locator("#explanation .of-time").inner_text()
        assert page.locator("#explanation .sides li").count() > 3
        span = page.locator(".current h4 small").inner_text()
        begin, end = (minutes_to_seconds(each) for each in span.split(" – "))
        tab_to(page, "#explanation summary")
        page.keyboard.press("Enter")
        times = [row.split("\t")[:2] for row in page.locator("#explanation tbody tr").all_inner_texts()]
        assert begin - 0.1 < float(times[0][0].split()[0]) < float(times[-1][1].split()[0]) < end + 0.1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(LOW_CONTRAST) == []
        assert page.evaluate(UNLABELLED) == []
        analyse(page, talk / "talk.wav")
        assert page.locator("#explanation").is_hidden()
