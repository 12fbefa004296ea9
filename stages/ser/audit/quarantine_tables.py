"""The reports of the data audit: tables, a summary for ``dvc metrics diff``, and the page."""

from pathlib import Path

import pandas as pd

from ser.audit.clip_recordings import DIFFERENT, REMEDY
from ser.audit.findings_page import write_page
from ser.audit.label_leaks import label_imbalance, measure_cues
from ser.audit.remarkable_recordings import find_remarkable
from ser.demo.synthetic_speech import SYNTHETIC
from ser.storage.clip_tables import count_speakers, speakers_in_words
from ser.storage.csv_tables import write_csv
from ser.storage.recorded_level import leaking_level
from ser.storage.whole_files import write_json

SHOWN = 5  # lines of a kind that are printed
RED, PLAIN = "\033[31m", "\033[0m"


def report_audit(recordings: pd.DataFrame, settings, folder: Path, *, title: str) -> None:
    """Write and print what there is, what was left out, and what would give the emotions away.

    Parameters
    ----------
    recordings : pd.DataFrame
        All files, see `ser.audit.survey.hear_all`; those with a ``reason`` are left out.
    settings : ser.settings.prepare_sections.Prepare
    folder : Path
        Gets ``quarantine.csv``, ``counts.csv``, ``findings.csv``, ``cues.csv``, ``audit.json`` and ``audit.html``.
    title : str
        Of the page.
    """
    clips = recordings[recordings["reason"] == ""]
    quarantine = recordings.loc[recordings["reason"] != "", ["corpus", "source", "clip", "reason"]]
    quarantine = quarantine.assign(
        file=quarantine["source"].mask(quarantine["source"] == SYNTHETIC, quarantine["clip"])
    )
    quarantine = quarantine[["corpus", "file", "reason"]].sort_values("file", ignore_index=True)
    groups = clips.groupby(["corpus", "emotion", "sex", "speaker"])
    counts = groups.agg(clips=("clip", "size"), seconds=("clean_seconds", "sum")).round(2).reset_index()
    findings = find_remarkable(recordings, settings)
    cues = measure_cues(clips, settings.seed).round(4)
    summary = summarize(clips, quarantine, cues)

    tables = {"quarantine": quarantine, "counts": counts, "findings": findings, "cues": cues}
    for name, table in tables.items():
        write_csv(table, folder / f"{name}.csv")
    write_json(summary, folder / "audit.json")
    write_page(folder / "audit.html", title=title, summary=summary, clips=clips, tables=tables)
    describe(clips, tables, summary, folder)


def summarize(clips: pd.DataFrame, quarantine: pd.DataFrame, cues: pd.DataFrame) -> dict:
    """Return the audit in a few numbers, for ``dvc metrics diff``."""
    pooled = cues.groupby("corpus", sort=False)[["cue", "uar"]]
    return {
        "clips": len(clips),
        "speakers": count_speakers(clips["speaker"]),
        "minutes": round(clips["clean_seconds"].sum() / 60, 1),
        "quarantined": len(quarantine),
        "copies": int(quarantine["reason"].str.contains("same (?:audio|take) as").sum()),
        "imbalance": round(label_imbalance(clips)["ratio"], 2) if len(clips) else 0.0,
        "leaks": int((cues["verdict"] == "leak").sum()),
        "cues": {corpus: group.set_index("cue")["uar"].round(3).to_dict() for corpus, group in pooled},
    }


def describe(clips: pd.DataFrame, tables: dict[str, pd.DataFrame], summary: dict, folder: Path) -> None:
    """Print the few numbers that tell whether the data are sane."""
    print(f"{summary['clips']} clips of {speakers_in_words(clips['speaker'])}, {summary['minutes']} min")
    for emotion, count in clips["emotion"].value_counts().sort_index().items():
        print(f"  {emotion:<10} {count}")
    print(
        f"  {summary['quarantined']} files quarantined"
        + (f", see {folder / 'quarantine.csv'}" * bool(summary["quarantined"]))
    )
    kinds = tables["quarantine"]["reason"].str.removeprefix("not readable as audio: ")
    kinds = kinds.str.replace(r"^(same audio|same take) as .*", r"\1 as another file", regex=True)
    kinds = kinds.str.replace(r"\s*[:(].*", "", regex=True).value_counts()
    for kind, count in kinds.head(SHOWN).items():
        print(f"    {count} × {kind}")
    if others := kinds.iloc[SHOWN:].sum():
        print(f"    {others} for other reasons")
    if several := int(tables["quarantine"]["reason"].str.startswith(DIFFERENT).sum()):
        print(f"  {several} have another person on each channel, as calls have: {REMEDY}")
    kinds = tables["findings"]["finding"].value_counts()
    if len(kinds):
        remarks = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        print(f"  remarkable: {remarks}, see {folder / 'findings.csv'}")
    found = tables["cues"][tables["cues"]["verdict"] != ""].sort_values("excess", ascending=False)
    for cue in found.itertuples():
        line = f"{cue.cue} of {cue.corpus} alone tells the emotions with UAR {cue.uar:.3f} (chance {cue.chance:.3f})"
        print(f"  {RED}LEAK: {line}{PLAIN}" if cue.verdict == "leak" else f"  cue: {line}")
    if warning := leaking_level(tables["cues"]):
        print(f"  {RED}warning: {warning}{PLAIN}")
