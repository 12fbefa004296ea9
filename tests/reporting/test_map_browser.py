"""The map of all clips and the features in a browser: by pointer, by keyboard, on a telephone, in the dark."""

import json
import shutil
from pathlib import Path

import pytest

from browsers import LOW_CONTRAST, UNLABELLED, launched, sync_api
from conftest import ROOT, run_script, set_params
from report_tables import make_clips, write_charts_of, write_run
from ser.storage.clip_tables import read_clips
from ser.storage.csv_tables import write_csv
from served_page import tab_to

pytestmark = pytest.mark.verify
SPEAKERS, HEARD = 40, 30  # speakers: more than there are kinds of dots
# the share of a canvas that each of some colours has, as custom properties of the page
PAINTED = """(canvas, names) => {
  const { width, height } = canvas, context = () => {
    const copy = Object.assign(document.createElement("canvas"), { width, height });
    return copy.getContext("2d", { willReadFrequently: true });
  };
  const copied = context(), sample = context();
  copied.drawImage(canvas, 0, 0);
  const pixels = copied.getImageData(0, 0, width, height).data;
  return names.map(name => {
    sample.fillStyle = getComputedStyle(canvas).getPropertyValue(`--${name}`);
    sample.fillRect(0, 0, 1, 1);
    const [r, g, b] = sample.getImageData(0, 0, 1, 1).data;
    let count = 0;
    for (let i = 0; i < pixels.length; i += 4)
      count += pixels[i + 3] === 255 && pixels[i] === r && pixels[i + 1] === g && pixels[i + 2] === b;
    return count / (width * height);
  });
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    clips = make_clips(speakers=SPEAKERS, repeats=2, corpora=2)
    write_run(folder, clips)
    # on a lattice, so that it is known which clip is next to which
    side = 18
    places = clips[["clip"]].assign(
        x=[number % side / (side - 1) for number in clips.index],
        y=[number // side / (side - 1) for number in clips.index],
    )
    write_csv(places, folder / "data/overview/map.csv")
    write_charts_of(folder)
    shutil.copy(ROOT / "params.yaml", folder)
    set_params(folder, {"report.map_sounds": HEARD})
    (folder / "stages").symlink_to(ROOT / "stages")
    done = run_script(folder, "report")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright, launched(playwright) as found:
        yield found


@pytest.fixture
def open_page(browser, folder):
    """Open the report; at the end, check that it has complained of nothing and asked for nothing."""
    contexts, complaints = [], []

    def opened(width: int = 1280, scheme: str = "light", **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else complaints.append(r.url))
        page.goto((folder / "reports/report.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def chosen(page) -> str:
    return page.locator("#clip-map output code").inner_text()


def start(page) -> None:
    """Reach the map as a keyboard does."""
    page.locator("#map-title").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#map-title').tabIndex = -1; document.querySelector('#map-title').focus()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('#clip-map canvas')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_map_and_features_fit_and_are_painted(open_page, width, scheme):
    page = open_page(width, scheme)
    canvas = page.locator("#clip-map .map-plot canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(LOW_CONTRAST) == [] and page.evaluate(UNLABELLED) == []
    shares = canvas.evaluate(PAINTED, ["blue", "vermilion", "green", "purple", "orange"])  # four emotions
    assert min(shares[:4]) > 0.001 and shares[4] == 0
    page.locator("input[value=speaker]").check()
    page.wait_for_timeout(100)
    assert min(canvas.evaluate(PAINTED, ["blue", "vermilion", "green", "purple", "orange", "strong", "sky"])) > 0.0005
    strips = page.locator(".features .strips svg")
    assert strips.count() == 3 * 4
    assert all(label.strip() for label in strips.evaluate_all("all => all.map(svg => svg.getAttribute('aria-label'))"))
    inside = """all => all.every(path => {
      const a = path.getBoundingClientRect(), b = path.closest("li").getBoundingClientRect();
      return a.left >= b.left && a.right <= b.right + 3;
    })"""
    assert page.locator(".strips path").evaluate_all(inside)


def test_arrows_go_from_clip_to_clip_and_enter_plays(open_page, folder):
    page = open_page()
    names = list(read_clips(folder / "data/prepared/clips.csv")["clip"])
    start(page)
    first = names.index(chosen(page))  # the one in the middle, by arriving
    assert abs(first % 18 - 8.5) < 1 and abs(first // 18 - 8.5) < 1
    for key, step in (("ArrowRight", 1), ("ArrowUp", 18), ("ArrowLeft", -1), ("ArrowDown", -18)):
        before = names.index(chosen(page))
        page.keyboard.press(key)
        assert names.index(chosen(page)) == before + step
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    assert names.index(chosen(page)) % 18 == 0  # and stays at the edge
    heard = {int(row) for row in json.loads(page.locator("#map-data").text_content())["sounds"]}
    assert len(heard) == HEARD
    audio = page.locator("#clip-map audio")
    tab_to(page, ".map-nearest")
    page.keyboard.press("Enter")
    assert names.index(chosen(page)) in heard
    assert audio.is_visible()
    page.wait_for_function("document.querySelector('#clip-map audio').currentTime > 0.05")
    start(page)
    page.evaluate("document.querySelector('#clip-map audio').pause()")
    page.keyboard.press("Enter")
    page.wait_for_function("!document.querySelector('#clip-map audio').paused")
    row = next(row for row in range(17) if row in heard and row + 1 not in heard)
    while names.index(chosen(page)) != row:
        at = names.index(chosen(page))
        page.keyboard.press("ArrowDown" if at // 18 else "ArrowRight" if at < row else "ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert not audio.is_visible()
    assert "its sound is not on this page" in page.locator("#clip-map output").inner_text()


def test_the_pointer_shows_and_chooses(open_page, folder):
    page = open_page()
    clips = read_clips(folder / "data/prepared/clips.csv")
    canvas = page.locator("#clip-map .map-plot canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    inner = box["width"] - 28
    at = {"x": 14 + inner * 2 / 17 + 3, "y": 14 + inner * (1 - 5 / 17) - 3}
    row = clips.loc[5 * 18 + 2]
    canvas.hover(position=at)
    tip = page.locator(".map-tip")
    assert tip.inner_text().startswith(f"{row['clip']}: {row['emotion']}, speaker {row['speaker']}, {row['corpus']}; ")
    assert "ensemble says " in tip.inner_text()
    canvas.click(position=at)
    assert chosen(page) == row["clip"]
    page.mouse.move(5, 5)
    assert not tip.is_visible()


def test_the_legend_shows_only_what_is_wanted_and_arrows_stay_there(open_page, folder):
    page = open_page()
    canvas = page.locator("#clip-map .map-plot canvas")
    assert page.locator(".map-legend label").all_inner_texts()[0].split() == ["anger", "80"]
    assert not page.locator(".map-repeats").is_visible()
    page.locator(".map-legend input").nth(1).check()
    page.wait_for_timeout(100)
    blue, vermilion = canvas.evaluate(PAINTED, ["blue", "vermilion"])
    assert blue == 0 and vermilion > 0.001
    start(page)
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        assert "-fear-" in chosen(page)
    page.locator("input[value=speaker]").check()
    assert page.locator(".map-legend label").count() == SPEAKERS
    assert page.locator(".map-legend input:checked").count() == 0
    assert page.locator(".map-repeats").is_visible()  # 35 kinds of dots, 40 speakers
    page.wait_for_timeout(100)
    assert canvas.evaluate(PAINTED, ["blue"])[0] > 0


def test_a_larger_map_keeps_the_chosen_clip_in_view(open_page):
    page = open_page()
    start(page)
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    name = chosen(page)
    for _ in range(4):
        page.keyboard.press("+")
    page.wait_for_timeout(100)
    box = page.locator("#clip-map .map-plot canvas").bounding_box()
    middle = {"x": box["width"] / 2, "y": box["height"] / 2}
    page.locator("#clip-map .map-plot canvas").click(position=middle)
    assert chosen(page) == name
    page.keyboard.press("ArrowLeft")
    assert chosen(page) != name
    page.keyboard.press("0")
    page.wait_for_timeout(100)
    assert min(page.locator("#clip-map .map-plot canvas").evaluate(PAINTED, ["blue", "green"])) > 0.001


def test_colours_follow_the_scheme_while_the_page_is_open(open_page):
    page = open_page()
    canvas = page.locator("#clip-map .map-plot canvas")
    canvas.scroll_into_view_if_needed()
    assert canvas.evaluate(PAINTED, ["blue"])[0] > 0.001
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert canvas.evaluate(PAINTED, ["blue"])[0] > 0.001  # what --blue is now


def test_a_speaker_is_marked_in_every_panel(open_page):
    page = open_page(375)
    page.select_option("#voice", "3")
    dots = page.locator(".strips .voice").evaluate_all("all => all.map(path => path.getAttribute('d'))")
    assert len(dots) == 2 * 3 * 4
    own = page.locator(".strips .voices").first.get_attribute("d").split("M")[4]
    assert dots[0] == dots[1] == f"M{own}"
    page.select_option("#voice", "")
    assert page.locator(".strips .voice").count() == 0


def test_without_scripts_the_map_says_where_its_places_are(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("#clip-map").is_visible() is False
    assert "data/overview/map.csv" in page.locator("noscript").inner_text()
    assert page.locator(".features li").count() == 3
    assert not page.locator("#voice").is_visible()
