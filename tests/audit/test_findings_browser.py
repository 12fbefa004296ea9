"""The audit's page in a browser: nothing beside its window, on a phone and on a desk, by day and by night."""

from pathlib import Path

import pytest

from audit_pages import make_page, make_recordings
from browsers import LOW_CONTRAST, UNLABELLED, launched, sync_api

pytestmark = pytest.mark.verify
WIDTHS = (375, 1280)
FEW = ["anger", "boredom", "fear", "happiness", "neutral", "sadness"]
LONG = "a label that is so long that nobody would choose it"
MANY = [
    f"{word} {number}"
    for number, word in enumerate([LONG, "Überraschung", "anger", "忿怒", LONG.replace(" ", "_")] * 8)
]
# what lies right of its window, or is cut off by a parent that nobody can scroll; left out is what screen readers alone
# are told of
HIDDEN = """() => {
  const bad = [];
  for (const element of document.querySelectorAll("main *, header *, nav *")) {
    if (!element.checkVisibility() || element.closest(".skip")) continue;
    const box = element.getBoundingClientRect();
    if (box.right > innerWidth + 1 && !element.closest(".scroll")) bad.push(element.outerHTML.slice(0, 80));
    const cut = getComputedStyle(element).overflowX;
    if (cut === "hidden" && element.scrollWidth > element.clientWidth + 1) bad.push(element.outerHTML.slice(0, 80));
  }
  return bad;
}"""
SCROLLED = """() => [...document.querySelectorAll(".scroll")]
  .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth).map(e => e.getAttribute("aria-label"))"""
CASES = {
    "nothing to say": (dict(emotions=FEW), dict()),
    "leaks": (dict(emotions=FEW, planted=True, corpora=2), dict(left_out=700, p=0.001)),
    "many emotions": (dict(emotions=MANY, speakers=5, planted=True), dict(left_out=30)),
    "chance": (dict(emotions=FEW, speakers=2), dict(left_out=3, p=0.4)),
}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright, launched(playwright) as found:
        yield found


@pytest.fixture(scope="module", params=CASES)
def page_file(request, tmp_path_factory) -> Path:
    recordings, options = CASES[request.param]
    path = tmp_path_factory.mktemp("audit") / "audit.html"
    make_page(path, make_recordings(**recordings), **options)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_its_window_and_can_be_read(browser, page_file, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(HIDDEN) == []
    assert {*page.evaluate(SCROLLED)} <= {"Clips of each speaker and emotion"}  # a column for each emotion
    assert page.evaluate(LOW_CONTRAST) == []
    assert page.evaluate(UNLABELLED) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.evaluate("document.querySelector('.facts').style.minWidth = '2000px'")
    assert page.evaluate(HIDDEN) != []  # what is too wide is found
    context.close()


def test_on_paper_all_is_open_and_dark_ink(browser, page_file):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(LOW_CONTRAST) == []
    context.close()
