"""The tables of docs/formats.md, from reports/benchmarks/formats.json."""

import re
from collections.abc import Iterable
from pathlib import Path

BEGIN, END = "<!-- {name}: written by benchmarks/formats.py -->", "<!-- end of {name} -->"
COLUMNS = ("format", "writer", "Hz", "read as", "length", "first 100 ms", "last 100 ms", "level", "click")
COLUMNS += ("delay", "same emotion", "")
PUBLISHED = "48000"  # Hz, the rate of RAVDESS
ALIGNED = "|---|---|--:|---|--:|--:|--:|--:|--:|---|--:|---|"


def fill(page: Path, result: dict) -> None:
    """Put the tables between their marks; what stands around them stays."""
    page.write_text(filled(page.read_text(encoding="utf-8"), result), encoding="utf-8")


def filled(text: str, result: dict) -> str:
    """Return a page with its tables put in place of those that it has."""
    for name, lines in (
        ("summary", summary(result)),
        ("formats", format_table(result)),
        ("bands", band_table(result)),
        ("speed", speed_table(result)),
    ):
        begin, end = BEGIN.format(name=name), END.format(name=name)
        pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.S)
        if not pattern.search(text):
            raise SystemExit(f"error: docs/formats.md lacks the line {begin}: put it back, with {end} below it")
        table = "\n".join([begin, "", *lines, "", end])
        text = pattern.sub(lambda _, table=table: table, text)
    return text


def summary(result: dict) -> list[str]:
    """Say in words what the rows are like."""
    rows, missing = result["rows"], result["not_written"]
    lossless = [row for row in rows if row["wanted"] == "exact"]
    refused = [f"{row['format']} ({row['writer']})" for row in rows if row["refused"]]
    wrong = [f"{row['format']} ({row['writer']})" for row in rows if not row["refused"] and not row["as_it_should"]]
    lines = [
        f"{len(rows)} formats and writers. Of {len(lossless)} lossless ones {sum(row['exact'] for row in lossless)} "
        "come back sample by sample.",
        f"Refused: {', '.join(refused) or 'none'}. Otherwise than they should be: {', '.join(wrong) or 'none'}.",
    ]
    if missing:
        lines.append(f"Not written here: {', '.join(row['format'] + ' (' + row['writer'] + ')' for row in missing)}.")
    if clips := result.get("clips"):
        rates = ", ".join(
            f"{value:.3f} at {rate} Hz" for rate, value in result["emotions_by_rate"].items() if rate != PUBLISHED
        )
        lines.append(
            f"Emotions: of {clips} clips of RAVDESS; of WAV files of other rates than the published {PUBLISHED} Hz the "
            f"share is {rates}."
        )
    machine = result["machine"]
    lines.append(f"Machine: {machine['processor']}, {machine['cores']} cores, Python {machine['python']}.")
    return lines


def format_table(result: dict) -> list[str]:
    """Return a row a format and writer."""
    return [_line(COLUMNS), ALIGNED, *map(_format_row, result["rows"])]


def _format_row(row: dict) -> str:
    first = [row["format"], row["writer"], str(row["sample_rate"])]
    if row["refused"]:
        return _line([*first, f"refused: {row['refused']}", *[""] * 7, row["note"]])
    share = row.get("equal_emotions")
    if row["exact"]:
        measured, emotion = ["exact", "", "", "", "", ""], "same samples"
    else:
        length = f"{_signed(row['length_error_ms'], 1)} ms" if abs(row["length_error"]) >= 1 else "exact"
        levels = [f"{_signed(row[name], 1)} dB" for name in ("first_db", "last_db", "level_db")]
        measured = [length, *levels, f"{_signed(row['click_ms'], 2)} ms", row["delay"]]
        emotion = "" if share is None else f"{share:.3f}"
    short = row["wanted"] == "within a frame" and row["length_error"] <= -1
    note = "the end is not written" if short and row["note"] in ("", "no length stated") else row["note"]
    return _line([*first, row["read_as"], *measured, emotion, note if row["as_it_should"] else f"**not right** {note}"])


def band_table(result: dict) -> list[str]:
    """Return the level of each band re the speech that was written, a row a format."""
    bands = result["bands"]
    names = [f"{low:g}–{high:g}" for low, high in bands["kHz"]]
    lines = [_line(["format", "writer", "Hz", *names]), "|---|---|--:|" + "--:|" * len(names)]
    for row in bands["rows"]:
        levels = ["—" if level <= bands["floor"] else _signed(level, 0) for level in row["db"]]
        lines.append(_line([row["format"], row["writer"], str(row["sample_rate"]), *levels]))
    return lines


def speed_table(result: dict) -> list[str]:
    """Return how many times faster than real time one core decodes, a row a format."""
    lines = ["| format | a clip of 3.7 s | 29 s |", "|---|--:|--:|"]
    return lines + [_line([name, *(f"{value:,.0f}" for value in values)]) for name, values in result["speed"].items()]


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text.lstrip("+−") if not float(f"{value:.{digits}f}") else text


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
