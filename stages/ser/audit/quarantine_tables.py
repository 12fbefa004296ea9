"""The reports of the data audit: tables, a summary for ``dvc metrics diff``, and the page."""

from pathlib import Path

import pandas as pd

from ser.audit.clip_recordings import DIFFERENT, REMEDY
from ser.audit.cue_words import BY_CHANCE, found_in, leaking_level, told_by, verdict_of
from ser.audit.findings_page import write_page
from ser.audit.label_leaks import label_imbalance, measure_cues
from ser.audit.remarkable_recordings import find_remarkable
from ser.demo.synthetic_speech import SYNTHETIC
from ser.storage.clip_tables import count_speakers, speakers_in_words
from ser.storage.csv_tables import write_csv
from ser.storage.whole_files import write_metrics

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
    cues["excess"] += 0.0  # no -0, which another CPU may round to 0
    summary = summarize(clips, quarantine, cues)

    tables = {"quarantine": quarantine, "counts": counts, "findings": findings, "cues": cues}
    for name, table in tables.items():
        write_csv(table, folder / f"{name}.csv")
    write_metrics(summary, folder / "audit.json")
    kinds = reason_kinds(quarantine["reason"])
    write_page(folder / "audit.html", title=title, summary=summary, clips=clips, tables=tables, kinds=kinds)
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
        "leaks": sum(found.leaks for found in found_in(cues)),
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
    kinds = reason_kinds(tables["quarantine"]["reason"])
    for kind, count in list(kinds.items())[:SHOWN]:
        print(f"    {count} × {kind}")
    if others := sum(list(kinds.values())[SHOWN:]):
        print(f"    {others} for other reasons")
    if several := int(tables["quarantine"]["reason"].str.startswith(DIFFERENT).sum()):
        print(f"  {several} have another person on each channel, as calls have: {REMEDY}")
    kinds = tables["findings"]["finding"].value_counts()
    if len(kinds):
        remarks = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        print(f"  remarkable: {remarks}, see {folder / 'findings.csv'}")
    describe_cues(tables["cues"], folder)


def describe_cues(cues: pd.DataFrame, folder: Path) -> None:
    """Print what gives the emotions away, and what to do about it."""
    print(f"  {verdict_of(cues)}")
    found = found_in(cues)
    weaker = [one for one in found if not one.leaks]
    for one in [one for one in found if one not in weaker[SHOWN:]]:
        for told in one.told:
            line = f"{told.name} of {told.whose} alone tells the emotions with {told.score}"
            print(f"  {RED}LEAK: {line}{PLAIN}" if told.verdict == "leak" else f"  cue: {line}")
        print(f"    {one.remedy}")
    if more := len(weaker[SHOWN:]):
        print(f"  {more} more cues: see {folder / 'cues.csv'}")
    if by_chance := sum(told.by_chance for told in told_by(cues)):
        print(f"  {by_chance} more above chance, but {BY_CHANCE}: see {folder / 'cues.csv'}")
    if warning := leaking_level(cues):
        print(f"  {RED}warning: {warning}{PLAIN}")


def reason_kinds(reasons: pd.Series) -> dict[str, int]:
    """Return the kinds of reasons for which files are left out, the most frequent first, and how many have each."""
    kinds = reasons.str.removeprefix("not readable as audio: ")
    kinds = kinds.str.replace(r"^(same audio|same take) as .*", r"\1 as another file", regex=True)
    return kinds.str.replace(r"\s*[:(].*", "", regex=True).value_counts().to_dict()
