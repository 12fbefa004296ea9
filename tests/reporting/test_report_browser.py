"""The report in a browser: headless Chromium, as a reader would use it."""

import shutil
from pathlib import Path

import pytest

from browsers import LOW_CONTRAST, UNLABELLED, launched, sync_api
from conftest import ROOT, run_script
from report_tables import make_clips, write_charts_of, write_run

pytestmark = pytest.mark.verify
WIDTHS = (375, 1280)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    write_run(folder, make_clips(speakers=12, repeats=4))
    write_charts_of(folder)
    shutil.copy(ROOT / "params.yaml", folder)
    (folder / "stages").symlink_to(ROOT / "stages")
    assert run_script(folder, "report").returncode == 0
    return folder / "reports/report.html"


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright, launched(playwright) as found:
        yield found


@pytest.fixture
def open_page(browser, page_file):
    """Open the report; at the end, check that it has complained of nothing and asked for nothing."""
    contexts, complaints = [], []

    def note(request):
        if not request.url.startswith(("file:", "data:")):
            complaints.append(f"asked for {request.url}")

    def opened(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", note)
        page.goto(page_file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def column(page, table: str, number: int) -> list[str]:
    """Return the texts of a column of the rows that are shown."""
    script = "(rows, n) => rows.filter(r => !r.hidden).map(r => r.cells[n].innerText.trim())"
    return page.eval_on_selector_all(f"#{table} tbody tr", script, number)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_its_window_and_can_be_read(open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(LOW_CONTRAST) == []
    assert page.evaluate(UNLABELLED) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")
    page.evaluate(f"document.querySelector('.note').style.color = '{'#666' if scheme == 'dark' else '#999'}'")
    assert len(page.evaluate(LOW_CONTRAST)) == 1  # what is too pale is found


def test_pictures_are_shown_and_sounds_play(open_page):
    page = open_page()
    sizes = page.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth)")
    assert len(sizes) == 4
    assert min(sizes) > 0
    page.wait_for_function("[...document.querySelectorAll('audio[src]')].every(a => a.readyState >= 2 || a.error)")
    sounds = page.eval_on_selector_all(
        "audio[src]", "sounds => sounds.map(a => [a.duration, a.error && a.error.message])"
    )
    assert len(sounds) > 4
    assert all(error is None and duration == pytest.approx(0.5, abs=0.01) for duration, error in sounds)
    page.eval_on_selector("audio", "sound => { sound.muted = true; return sound.play(); }")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")


def test_a_header_sorts_numbers_and_a_second_click_turns_them_round(open_page):
    page = open_page()
    header = page.locator("#scores thead th").nth(1)
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    values = [float(text) for text in column(page, "scores", 1)]
    assert values == sorted(values, reverse=True)
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert [float(text) for text in column(page, "scores", 1)] == values[::-1]
    page.locator("#scores thead th").nth(2).locator("button").click()
    assert header.get_attribute("aria-sort") is None
    assert column(page, "scores", 2)[-2:] == ["–", "–"]  # what is missing stays at the end
    page.locator("#scores thead th").nth(2).locator("button").click()
    assert column(page, "scores", 2)[-2:] == ["–", "–"]


def test_mistakes_are_filtered_and_counted(open_page):
    page = open_page()
    form, count = page.locator("form[data-for=mistake-table]"), page.locator("form[data-for=mistake-table] output")
    total = len(column(page, "mistake-table", 1))
    assert count.inner_text() == f"{total} of {total}"
    assert count.get_attribute("aria-live") == "polite"
    emotion = column(page, "mistake-table", 1)[0]
    form.locator("select").first.select_option(emotion)
    shown = column(page, "mistake-table", 1)
    assert set(shown) == {emotion}
    assert 0 < len(shown) < total
    assert count.inner_text() == f"{len(shown)} of {total}"
    form.locator("input").fill("nothing is called this")
    assert column(page, "mistake-table", 1) == []
    assert count.inner_text() == f"0 of {total}"


def test_a_matrix_is_chosen(open_page):
    page = open_page()
    shown = (
        "[...document.querySelectorAll('[data-matrix]')].filter(m => m.checkVisibility()).map(m => m.dataset.matrix)"
    )
    assert page.evaluate(shown) == ["ensemble"]
    page.select_option("#matrix-of", "cnn")
    assert page.evaluate(shown) == ["cnn"]


def test_the_keyboard_reaches_the_contents_and_the_headers(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    assert page.evaluate("document.activeElement.closest('table').id") == "scores"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.locator("#scores th[aria-sort=ascending]").count() == 1


def test_without_scripts_all_is_there(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("[data-matrix]:visible").count() == 3
    assert page.locator("form.filter:visible").count() == 0
    assert page.locator("th button").count() == 0
    page.locator("details").last.locator("summary").click()
    assert page.locator("#setting-table").is_visible()


def test_on_paper_all_is_open_and_dark_ink(open_page):
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(LOW_CONTRAST) == []
    assert page.locator("audio:visible").count() == 0
    assert page.pdf(format="A4").startswith(b"%PDF")
