"""The page of a clip in a browser: on a phone and on a desk, by day and by night, by keyboard, without a network."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from browsers import LOW_CONTRAST, UNLABELLED, launched, sync_api
from conftest import run_stage
from served_page import tab_to

pytestmark = pytest.mark.verify
NAME = "a recording with a name that is_so_long_that_no_telephone_has_room_for_it <b>&amp;.wav"
# what lies right of its window, or is cut off by a parent that nobody can scroll
HIDDEN = """() => [...document.querySelectorAll("main *, header *")].filter(element => {
  if (!element.checkVisibility() || element.closest("svg, .scroll, input, .runs")) return false;
  const box = element.getBoundingClientRect();
  return box.right > innerWidth + 1 || box.left < -1
    || getComputedStyle(element).overflowX === "hidden" && element.scrollWidth > element.clientWidth + 1;
}).map(element => element.outerHTML.slice(0, 80))"""
OVERLAPPING = """() => {
  const bad = [];
  for (const marks of document.querySelectorAll(".times, .runs, .plot")) {
    const boxes = [...marks.querySelectorAll("span")].filter(e => e.textContent.trim()).map(e => {
      const range = document.createRange();
      range.selectNodeContents(e);
      return [e.textContent, range.getBoundingClientRect(), e.getBoundingClientRect()];
    }).filter(([_, text, box]) => text.top < box.bottom);  // a name below has no room and is not seen
    boxes.forEach(([text, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) bad.push(`${text}/${other}`);
    }));
  }
  return bad;
}"""
CUT_NAMES = """() => [...document.querySelectorAll(".runs bdi")].filter(name => {
  const text = name.getBoundingClientRect(), box = name.parentElement.getBoundingClientRect();
  return text.top < box.bottom - 1 && text.right > box.right + 1;
}).map(name => name.textContent)"""
CURSORS = """() => [...document.querySelectorAll(".plot")].map(plot => {
  const box = plot.getBoundingClientRect(), cursor = plot.querySelector(".cursor").getBoundingClientRect();
  return (cursor.left - box.left) / box.width;
})"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright, launched(playwright) as found:
        yield found


@pytest.fixture(scope="module")
def page_file(trained, clips, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    y = max((soundfile.read(clip)[0] for clip in clips), key=len)
    soundfile.write(folder / NAME, np.concatenate([np.zeros(8000), y]), 16000)
    path = folder / "page.html"
    models = ("--model", "svm_rbf", "--model", "data/models/train_ml/svm_rbf/fold_0")
    assert run_stage(trained, "show", str(folder / NAME), "--output", str(path), *models).returncode == 0
    return path


@pytest.fixture
def opened(browser, page_file, request):
    """The page, at a width and in a scheme; at the end, it has asked for nothing and complained of nothing."""
    width, scheme = getattr(request, "param", (1280, "light"))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page, asked = context.new_page(), []
    page.on("request", lambda each: asked.append(each.url))
    for event in ("console", "pageerror", "dialog"):
        page.on(event, lambda what: asked.append(str(what)))
    page.goto(page_file.as_uri())
    yield page
    context.close()
    assert [what for what in asked if not what.startswith(("file:", "data:"))] == []


def text(page, key: str) -> str:
    return page.locator(f'[data-is="{key}"]').inner_text()


@pytest.mark.parametrize(
    "opened", [(width, scheme) for width in (375, 1280) for scheme in ("light", "dark")], indirect=True, ids=str
)
def test_the_page_fits_its_window_and_can_be_read(opened):
    background = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = opened.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == dark
    assert (opened.evaluate("getComputedStyle(document.querySelector('.spectrogram image')).filter") != "none") == dark
    for share in (0, 0.3, 0.6, 1):
        opened.locator("#slider").evaluate(
            "(slider, share) => { slider.value = share * slider.max; slider.dispatchEvent(new Event('input')); }", share
        )
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert opened.evaluate(HIDDEN) == []
    assert opened.evaluate(OVERLAPPING) == []
    assert opened.evaluate(CUT_NAMES) == []
    assert opened.evaluate(LOW_CONTRAST) == []
    assert opened.evaluate(UNLABELLED) == []
    assert opened.locator("h1").inner_text() == NAME
    opened.evaluate("document.querySelector('.facts').style.minWidth = '2000px'")
    assert opened.evaluate(HIDDEN) != []  # what is too wide is found


def test_the_cursor_goes_by_keyboard_and_says_what_the_tables_say(opened):
    numbers = opened.evaluate("JSON.parse(document.getElementById('numbers').textContent)")
    voiced = next(i for i, f0 in enumerate(numbers["f0"]) if f0 and i > 20)
    tab_to(opened, "#slider")
    for _ in range(voiced):
        opened.keyboard.press("ArrowRight")
    assert text(opened, "time") == f"{numbers['start'] + voiced * numbers['hop']:.2f} s"
    assert text(opened, "f0") == f"{numbers['f0'][voiced]:.1f} Hz"
    assert [text(opened, name) for name in ("f1", "f2", "f3")] == [
        f"{numbers[f][voiced]} Hz" for f in ("f1", "f2", "f3")
    ]
    assert text(opened, "level") == f"{numbers['level'][voiced]:.1f} dBFS".replace("-", "−")
    spoken = opened.locator("#slider").get_attribute("aria-valuetext")
    assert f"F0 {numbers['f0'][voiced]:.1f} Hz" in spoken and "dBFS" in spoken
    time = numbers["start"] + voiced * numbers["hop"]
    for model, parts in enumerate(numbers["models"]):
        part = next(each for each in parts if each["start"] <= time < each["end"])
        cells = opened.locator(f"#values-{model} [data-p]").all_inner_texts()
        assert [float(cell) for cell in cells] == pytest.approx(part["p"], abs=0.0051)
    opened.keyboard.press("Home")
    assert text(opened, "time") == f"{numbers['start']:.2f} s"
    opened.keyboard.press("End")
    assert text(opened, "time") == f"{numbers['start'] + numbers['seconds']:.2f} s"
    opened.locator("h1").click()
    opened.keyboard.press("ArrowLeft")  # also where the slider has no focus
    assert float(text(opened, "time")[:-2]) < numbers["start"] + numbers["seconds"] - 0.004


def test_a_click_moves_the_cursor_of_every_picture(opened):
    plot = opened.locator(".plot").nth(2)
    box = plot.bounding_box()
    plot.click(position={"x": 0.25 * box["width"], "y": box["height"] / 2})
    cursors = opened.evaluate(CURSORS)
    assert len(cursors) == 6 and cursors == pytest.approx([0.25] * 6, abs=0.005)
    slider = opened.locator("#slider").evaluate("slider => slider.value / slider.max")
    assert slider == pytest.approx(0.25, abs=0.01)


def test_space_plays_the_sound_and_stops_it_and_the_cursor_goes_along(opened):
    tab_to(opened, "#play")
    opened.keyboard.press("Space")
    sync_api.expect(opened.locator("#play")).to_have_text("Pause")
    opened.wait_for_function("document.getElementById('sound').currentTime > 0.2")
    opened.keyboard.press("Space")
    sync_api.expect(opened.locator("#play")).to_have_text("Play")
    at, share = opened.evaluate(
        "[document.getElementById('sound').currentTime, document.getElementById('sound').duration]"
    )
    assert opened.evaluate(CURSORS)[0] == pytest.approx(at / share, abs=0.02)
    tab_to(opened, "#slider")
    opened.keyboard.press("Space")
    sync_api.expect(opened.locator("#play")).to_have_text("Pause")
    opened.wait_for_function("document.getElementById('sound').ended")
    sync_api.expect(opened.locator("#play")).to_have_text("Play")
    assert opened.evaluate(CURSORS)[0] == pytest.approx(1, abs=0.005)


def test_on_paper_all_that_is_measured_is_there(opened):
    opened.emulate_media(media="print", color_scheme="dark")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.evaluate("getComputedStyle(document.querySelector('.spectrogram image')).filter") == "none"
    assert opened.evaluate(LOW_CONTRAST) == []
    assert opened.locator(".at").is_hidden() and opened.locator(".plot svg").first.is_visible()
