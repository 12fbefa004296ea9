"""docs/formats.md: its tables are those of the measurement beside it, and the measurement is what was promised."""

import importlib.util
import json

import pytest

from conftest import ROOT

PAGE, REPORT = ROOT / "docs/formats.md", ROOT / "reports/benchmarks/formats.json"
WRITERS = {"libsndfile", "FFmpeg", "SoX", "LAME", "Chromium", "bytes"}


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("format_tables", ROOT / "benchmarks/format_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def result() -> dict:
    return json.loads(REPORT.read_text())


def test_the_tables_are_those_of_the_measurement(tables, result):
    text = PAGE.read_text(encoding="utf-8")
    assert tables.filled(text, result) == text


def test_text_around_the_tables_stays(tables, result):
    text = PAGE.read_text(encoding="utf-8")
    marked = "Before.\n" + text.replace("## Speed\n", "## Speed\n\nOnly here.\n")
    assert tables.filled(marked, result) == marked


def test_a_page_without_a_mark_is_named(tables, result):
    with pytest.raises(SystemExit, match="lacks the line <!-- bands"):
        tables.filled(PAGE.read_text(encoding="utf-8").replace("<!-- bands:", "<!-- gone:"), result)


def test_a_wrong_row_is_not_passed_over(tables, result):
    row = next(row for row in result["rows"] if row["wanted"] != "exact" and not row["refused"])
    wrong = result | {"rows": [row | {"as_it_should": False}]}
    assert "**not right**" in tables.format_table(wrong)[-1]
    assert row["format"] in tables.summary(wrong)[1]


def test_enough_is_measured(result):
    rows = result["rows"]
    assert len(rows) >= 60
    assert {row["writer"] for row in rows} >= WRITERS
    assert len({(row["format"], row["writer"]) for row in rows}) == len(rows)


def test_lossless_formats_come_back_to_the_sample(result):
    lossless = [row for row in result["rows"] if row["wanted"] == "exact"]
    assert [row["format"] for row in lossless if not row["exact"]] == []


def test_lossy_formats_keep_places_and_lengths(result):
    lossy = [row for row in result["rows"] if row["wanted"] != "exact" and not row["refused"]]
    assert [row["format"] for row in lossy if abs(row["click_ms"]) > 2] == []
    assert [row["format"] for row in lossy if row["length_error"] > max(row["frame"], 0) + 1] == []
    assert [row["format"] for row in lossy if not row["as_it_should"]] == []


def test_refused_is_nothing_that_is_whole(result):
    assert [row["format"] for row in result["rows"] if row["refused"]] == []


def test_compressed_audio_is_decoded_fast(result):
    assert min(*result["speed"]["m4a"], *result["speed"]["webm"]) >= 100
