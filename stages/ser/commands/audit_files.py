"""Audit the files of a corpus: what is wrong with them, and what would give the emotions away.

Takes any folder, archive (.zip, .tar, .tar.gz) or table of clips (.csv, .tsv, .parquet); the pipeline need not know of
it. Writes the same tables and the same page as the stage `prepare` does for the corpora of params.yaml.
"""

import argparse
from pathlib import Path

from ser.audit.quarantine_tables import report_audit
from ser.audit.survey import file_table, hear_all, mark_duplicates
from ser.corpora.corpus_entries import KNOWN, known_corpus, read_places
from ser.corpora.corpus_files import corpus_name
from ser.errors import InputError, stage_errors
from ser.settings.all_sections import load_params


def audit(place: Path, scheme: str | None, output: Path) -> None:
    if not place.exists():
        raise InputError(f"{place} not found")
    params = load_params()
    settings = params.prepare.model_copy(update={"emotions": [], "rename": {}})  # the corpus as it is
    place = place.absolute()
    corpus = scheme or known_corpus(place.name) or corpus_name(place.name)
    files = file_table(read_places([place], corpus, place.parent, settings.manifest.model_dump()), settings)
    recordings, fingerprints = hear_all(
        files, place.parent, settings, params.demo, compute=params.compute, label="audit"
    )
    recordings = mark_duplicates(recordings, fingerprints, params.compute)
    report_audit(recordings, settings, output, title=f"Data audit of {place.name}")
    print(f"see {output / 'audit.html'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path, help="folder, archive or table")
    parser.add_argument(
        "--corpus", choices=sorted(KNOWN), help="whose names the files have, if the folder is called otherwise"
    )
    parser.add_argument("--output", type=Path, default=Path("reports/audit"), help="folder (default: %(default)s)")
    arguments = parser.parse_args()
    with stage_errors():
        audit(arguments.place, arguments.corpus, arguments.output)
