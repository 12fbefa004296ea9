"""The width of the report in a browser: every column shows on a wide window, and can be reached on a telephone."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from browsers import LOW_CONTRAST, launched, sync_api
from conftest import ROOT, run_script
from report_tables import make_clips, write_charts_of, write_run
from ser.settings.all_sections import DEFAULTS
from ser.storage.csv_tables import write_csv

pytestmark = pytest.mark.verify
CLASSICAL = ("discriminant_analysis", "lightgbm", "logistic_regression", "mlp", "random_forest", "svm_poly", "svm_rbf")
NETWORKS = {"cnn": "train_cnn", "lstm": "train_lstm", "residual": "train_residual_keras", "ensemble": "fuse"}
USUAL = {model: ("train_ml", 1.0 + 0.1 * place) for place, model in enumerate(CLASSICAL)}
USUAL |= {model: (trainer, 1.2) for model, trainer in NETWORKS.items()}
WEAK = {"cnn": ("train_cnn", 0.1), "mlp": ("train_ml", 0.0), "svm_rbf": ("train_ml", 0.2)}
ENCODER = "wav2vec2-large-robust-12-ft-emotion-msp-dim"
LONG = USUAL | {f"{ENCODER}{n}_{mode}": ("train_transformer", 2.0) for n in (1, 2) for mode in ("frozen", "fine_tuned")}
SIX = ["anger", "boredom", "fear", "happiness", "neutral", "sadness"]
EIGHT = ["anger", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
TWELVE = [
    *("Geschwindigkeitsbegrenzung", "anger", "boredom", "contempt_and_disdain", "disappointment", "embarrassment"),
    *("excitement", "happiness", "neutral", "overwhelmed by everything", "sadness", "surprise (positive)"),
]
CORPORA = ["my_company_call_centre_recordings_2024", *(f"Sprachaufnahmen-{letter}" for letter in "abcdefgh")]
RUNS = {"six": (SIX, USUAL, 1), "eight": (EIGHT, WEAK, 2), "twelve": (TWELVE, LONG, 9)}
# regions that show only a part of their table
CLIPPED = """() => [...document.querySelectorAll(".scroll")].filter(e => e.scrollWidth > e.clientWidth)
  .map(e => `${e.getAttribute("aria-label")}: ${e.scrollWidth} of ${e.clientWidth}`)"""
# of tables that scroll, those whose first column, which stays, leaves too little room for another one
HIDDEN = """() => [...document.querySelectorAll(".scroll table")].filter(table => {
  const region = table.closest(".scroll"), [first, ...others] = table.tBodies[0].rows[0].cells;
  const width = cell => cell.getBoundingClientRect().width;  // not rounded, as two rounded ones may add up to 1 px more
  const stays = getComputedStyle(first).position === "sticky" ? width(first) : 0;
  return getComputedStyle(table).display !== "block"
    && stays + Math.max(...others.map(width)) > region.clientWidth + 0.1;
}).map(table => table.caption.textContent)"""
# words of charts that their edges cut off
CUT = """() => [...document.querySelectorAll("svg.chart text")].filter(text => {
  const box = text.getBoundingClientRect(), chart = text.closest("svg").getBoundingClientRect();
  return box.left < chart.left - 1 || box.right > chart.right + 1;
}).map(text => text.textContent)"""
OVERLAPPING = """() => {
  const boxes = [...document.querySelectorAll(".strip .name")].map(name => name.getBoundingClientRect());
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;
}"""


def write_long(folder: Path, clips: pd.DataFrame) -> pd.DataFrame:
    """Return clips of corpora and speakers with long names; write long reasons and a setting that is long."""
    for number, name in enumerate(CORPORA):
        for column in ("clip", "corpus", "speaker", "source"):
            clips[column] = clips[column].str.replace(f"corpus{number}", name)
    clips["speaker"] = clips["speaker"].str.replace(":s", ":participant-of-the-study-")
    clips["statement"] = "The boy sees the dog that lies under the table and sleeps"
    params = (folder / "params.yaml").read_text()
    path = "/store/" + "emotional_speech/" * 4 + "x" * 40
    (folder / "params.yaml").write_text(params.replace("path: data/raw", f"path: {path}", 1))
    return clips.sort_values("clip", ignore_index=True)


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """The report of each run, without the slowest charts."""
    pages = {}
    for name, (emotions, models, corpora) in RUNS.items():
        folder = tmp_path_factory.mktemp(name)
        shutil.copy(DEFAULTS, folder / "params.yaml")
        clips = make_clips(speakers=12, repeats=2, emotions=emotions, corpora=corpora)
        if name == "twelve":
            clips = write_long(folder, clips)
        write_run(folder, clips, models=models, classes=emotions)
        for table in ("training",) if name == "twelve" else ("importance", "training"):
            write_csv(pd.read_csv(folder / f"reports/{table}.csv").head(0), folder / f"reports/{table}.csv")
        if name == "twelve":
            rows = [(f"{ENCODER}1_{mode}", 0, TWELVE[0], 1.0, 0.08, "it learnt next to nothing: its loss stayed")
                    for mode in ("frozen", "fine_tuned")]  # fmt: skip
            columns = ["model", "fold", "emotion", "share", "uar", "reason"]
            write_csv(pd.DataFrame(rows, columns=columns), folder / "reports/collapsed.csv")
            left_out = {"corpus": CORPORA[0], "file": ["x" * 90 + ".wav"], "reason": ["no speech: " + "y" * 60]}
            write_csv(pd.DataFrame(left_out), folder / "reports/data/quarantine.csv")
        write_charts_of(folder)
        (folder / "stages").symlink_to(ROOT / "stages")
        done = run_script(folder, "report")
        assert done.returncode == 0, done.stderr
        pages[name] = folder / "reports/report.html"
    return pages


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright, launched(playwright) as found:
        yield found


@pytest.fixture
def open_page(browser, pages):
    """Open a report with all that can be opened."""
    contexts = []

    def opened(name: str, width: int, scheme: str):
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.goto(pages[name].as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        page.evaluate("document.querySelectorAll('[data-matrix]').forEach(matrix => { matrix.hidden = false; })")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", RUNS)
def test_every_column_shows_at_1280_px(open_page, name, scheme):
    page = open_page(name, 1280, scheme)
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate(OVERLAPPING) == 0
    assert page.evaluate(LOW_CONTRAST) == []
    page.evaluate("document.querySelectorAll('wbr').forEach(wbr => { wbr.remove(); })")
    page.add_style_tag(content="th, td { padding-inline: 1.2rem !important; }")
    assert page.evaluate(CLIPPED)  # what is clipped is found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", RUNS)
def test_every_column_can_be_reached_at_375_px(open_page, name, scheme):
    page = open_page(name, 375, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(HIDDEN) == []
    assert page.evaluate(OVERLAPPING) == 0
    page.evaluate("document.querySelectorAll('wbr').forEach(wbr => { wbr.remove(); })")
    assert page.evaluate(HIDDEN)  # what is hidden behind the first column is found
    if name == "twelve":
        assert len(page.evaluate(CLIPPED)) > 10  # there is something to scroll


@pytest.mark.parametrize("name", RUNS)
def test_every_column_is_on_paper(open_page, name):
    page = open_page(name, 680, "light")  # A4 without its margins
    page.emulate_media(media="print")
    assert page.evaluate(CLIPPED) == []


def test_a_table_sorts_by_headers_that_stand_upright(open_page):
    page = open_page("twelve", 1280, "light")
    header = page.locator("#counts-corpus thead th").nth(1)
    assert page.locator("#counts-corpus.upright").count() == 1
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    box = header.bounding_box()
    assert box["height"] > box["width"]
