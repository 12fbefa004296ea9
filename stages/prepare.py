"""Prepare: from the corpora as their owners ship them to one table of clips and clean mono audio.

Reads   the corpora of prepare.corpora in raw.path, folders, archives or tables (`demo` is synthesized instead)
Writes  data/prepared/: clips.csv, audio/ (16-bit samples, in the order of the table), audio.json (its settings),
        recordings.npy (what each sounded like as it came) and origin.json (what that lists; licences of the corpora)
        reports/data/: quarantine.csv (what could not be used, and why), findings.csv (what is remarkable), cues.csv
        (what gives the emotions away), counts.csv, audit.json (all in a few numbers), audit.html (all on a page)
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from ser.audio.cleaning import AudioSettings
from ser.audio.recording_profile import profile_names
from ser.audit.quarantine_tables import report_audit
from ser.audit.survey import hear_all, list_files, mark_duplicates
from ser.corpora.corpus_entries import COLUMNS
from ser.corpora.corpus_files import count_outside
from ser.corpora.licences import licences_of
from ser.demo.synthetic_speech import SYNTHETIC
from ser.errors import InputError, stage_errors
from ser.settings.compute_section import Compute
from ser.settings.params_file import load_sections
from ser.settings.prepare_sections import Demo, Prepare, Raw
from ser.storage.csv_tables import write_csv
from ser.storage.recorded_level import LEVELS
from ser.storage.shards import RaggedWriter, TableWriter, drop_items
from ser.storage.whole_files import write_json

PREPARED = Path("data/prepared")
REPORTS = Path("reports/data")
TAKEN = {"unsure", "macro average"}  # an answer below the certainty that is asked for; the mean of all labels


def prepare() -> None:
    params = load_sections(raw=Raw, prepare=Prepare, demo=Demo, compute=Compute)
    files = list_files(params.raw.path, params.prepare, params.demo, say=print)
    licences = licences_of(files, params.prepare.licences, params.raw.path)
    if outside := count_outside(files["source"], params.raw.path):
        print(f"  {outside} files lie outside {params.raw.path} or behind a link: DVC does not notice when they change")

    profiles: list[np.ndarray] = []

    def keep(samples: np.ndarray, profile: np.ndarray) -> None:
        writer.append(samples)
        profiles.append(profile)

    with RaggedWriter(PREPARED / "audio") as writer:
        recordings, fingerprints = hear_all(
            files,
            params.raw.path,
            params.prepare,
            params.demo,
            compute=params.compute,
            label="prepare",
            keep=keep,
        )
    written = recordings["wanted"] & (recordings["reason"] == "")
    recordings = mark_duplicates(recordings, fingerprints, params.compute)
    duplicates = np.flatnonzero(recordings.loc[written, "reason"] != "")
    drop_items(PREPARED / "audio", duplicates)
    recordings = recordings[recordings["wanted"]]

    report_audit(recordings, params.prepare, REPORTS, title="Data audit")
    clips = recordings.rename(columns={"seconds": "raw_seconds", "clean_seconds": "seconds"})
    clips = clips.loc[clips["reason"] == "", [*COLUMNS, "seconds", *LEVELS]]
    require_emotions(clips)
    write_csv(clips, PREPARED / "clips.csv")
    with TableWriter(PREPARED / "recordings.npy") as table:
        table.append(np.delete(np.stack(profiles), duplicates, axis=0))
    origin = {"profile": profile_names(params.prepare.sample_rate), "corpora": origin_of_corpora(clips, licences)}
    write_json(origin, PREPARED / "origin.json")
    write_json(params.prepare.model_dump(include=set(AudioSettings.__annotations__)), PREPARED / "audio.json")


def require_emotions(clips: pd.DataFrame) -> None:
    """Stop where nothing can be learnt."""
    emotions = clips["emotion"].unique()
    if len(emotions) == 0:
        raise InputError(f"no usable clip: {REPORTS / 'quarantine.csv'} says why (or prepare.emotions selects none)")
    if taken := sorted(TAKEN & set(emotions)):
        raise InputError(
            f"clips are labelled {taken[0]!r}, which stands for something else in what is written of models: rename it "
            f"(prepare.rename: {{{taken[0]}: …}})"
        )
    if len(emotions) < 2:
        raise InputError(f"all clips show {emotions[0]}: recognising emotions needs clips of at least two")


def origin_of_corpora(clips: pd.DataFrame, licences: dict[str, str]) -> dict[str, dict]:
    """Return for each corpus its licence, empty where it is not known, and whether its speech is synthetic."""
    return {
        corpus: {"licence": licences[corpus], "synthetic": bool((of_corpus["source"] == SYNTHETIC).all())}
        for corpus, of_corpus in clips.groupby("corpus")
    }


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        prepare()
