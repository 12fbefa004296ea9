"""Collect speech from the web: fetch the sources of a table, find the speech in them, cut it into utterances.

Reads   collect.sources, a CSV file with the columns url, emotion, speaker, start, end, licence (docs/collecting.md)
Writes  <raw.path>/<collect.name>/<emotion>/<speaker>/*.wav, mono, 16 kHz, 16 bits; provenance.csv beside them
        reports/data/collect.csv: what each row gave, or why nothing

No stage of the pipeline: run it by hand. A source that is finished is not fetched again.
"""

from pathlib import Path

import click
import pandas as pd
from tqdm import tqdm

from ser.collecting.web_audio import require_tools
from ser.collecting.web_sources import collect_address, key_of, provenance, read_record, read_sources, tidy
from ser.commands.command_line import help_of
from ser.corpora.known_corpora import KNOWN
from ser.errors import InputError
from ser.settings.all_sections import load_params
from ser.storage.csv_tables import write_csv

REPORT = Path("reports/data/collect.csv")


def collect() -> int:
    """Return the number of utterances there are in the end."""
    params = load_params()
    settings, folder = params.collect, Path(params.raw.path) / params.collect.name
    require_tools()
    if settings.name.lower() in {*KNOWN, "demo"}:
        raise InputError(f"collect.name is {settings.name}, a published corpus: choose another folder")
    sources, report = read_sources(settings.sources)
    keys = {source: key_of(source, settings) for source in sources}
    missing = {}  # by address: several sources may be parts of one recording
    for source in sources:
        if read_record(folder, keys[source]) is None:
            missing.setdefault(source.url, []).append(source)
    reasons = {}
    for url, parts in tqdm(missing.items(), desc="collect", unit="address"):
        reasons |= collect_address(url, parts, folder, settings)
    report += [{"row": s.row, "url": s.url, "reason": reasons.get(s.row, "")} for s in sources]

    failed = {row["url"] for row in report if row["reason"]}
    records, removed = tidy(folder, set(keys.values()), failed)
    licences = {key: source.licence for source, key in keys.items()}
    table = provenance(records, licences)
    if folder.is_dir():
        write_csv(table, folder / "provenance.csv")

    given = {source.row: len(records[key]["utterances"]) for source, key in keys.items() if key in records}
    kept = len(set(records) - set(keys.values()))
    write_report(report, given)
    summarise(table, report, given, licences, removed, kept)
    return len(table)


def write_report(report: list[dict], given: dict[int, int]) -> None:
    for row in report:
        row["utterances"] = given.get(row["row"], 0)
        row["reason"] = row["reason"] or ("" if row["utterances"] else "no speech found")
    table = pd.DataFrame(report, columns=["row", "url", "reason", "utterances"])
    write_csv(table.sort_values("row", ignore_index=True), REPORT)


def summarise(
    table: pd.DataFrame, report: list[dict], given: dict[int, int], licences: dict[str, str], removed: int, kept: int
) -> None:
    seconds = (table["end"] - table["start"]).sum()
    useful = sum(count > 0 for count in given.values())
    print(f"collect: {len(table)} utterances of {useful} of {len(report)} sources, {seconds / 60:.1f} min")
    for emotion, count in table["emotion"].value_counts().sort_index().items():
        print(f"  {emotion:<10} {count}")
    if useful < len(report):
        print(f"  {len(report) - useful} sources gave nothing, see {REPORT}")
    if unlicensed := sum(not licence for licence in licences.values()):
        print(f"  {unlicensed} sources without a stated licence")
    if removed:
        print(f"  {removed} utterances removed: no row asks for them any more")
    if kept:
        print(f"  {kept} sources kept as an earlier row or setting gave them: they cannot be fetched now")


@click.command(help=help_of(__doc__))
def command() -> int:
    try:
        return 0 if collect() else 1
    except KeyboardInterrupt:
        raise InputError("interrupted; run it again, finished sources are not fetched again") from None
