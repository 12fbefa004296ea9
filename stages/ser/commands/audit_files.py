"""Audit the files of a corpus: what is wrong with them, and what would give the emotions away.

Takes any folder, archive (.zip, .tar, .tar.gz) or table of clips (.csv, .tsv, .parquet); the pipeline need not know of
it. Writes the same tables and the same page as the stage `prepare` does for the corpora of params.yaml.
"""

import sys
from pathlib import Path

import click

from ser.commands.command_line import help_of
from ser.errors import InputError


@click.command(help=help_of(__doc__))
@click.argument("place", type=click.Path(path_type=Path), metavar="FOLDER_ARCHIVE_OR_TABLE")
@click.option("--corpus", help="Whose names the files have, if the folder is called otherwise: ravdess, emodb, …")
@click.option("--output", type=click.Path(path_type=Path), default="reports/audit", show_default=True, help="Folder.")
def command(place: Path, corpus: str | None, output: Path) -> None:
    audit(place, corpus, output)


def audit(place: Path, scheme: str | None, output: Path) -> None:
    """Write the tables and the page of the audit of one folder, archive or table."""
    if not place.exists():
        raise InputError(f"{place} not found")
    if place.name != place.name.encode(errors="replace").decode():
        raise InputError(f"{place}: its name is not UTF-8, so that no table can hold it: rename it")
    # here, as `ser audit --help` needs none of it
    from ser.audit.quarantine_tables import report_audit
    from ser.audit.survey import file_table, hear_all, mark_duplicates
    from ser.corpora.corpus_entries import list_unlabelled, read_places
    from ser.corpora.corpus_places import corpus_name
    from ser.corpora.known_corpora import KNOWN, known_corpus
    from ser.corpora.own_entries import UnlabelledError
    from ser.settings.all_sections import params_here

    if scheme and scheme not in KNOWN:
        raise InputError(f"--corpus {scheme}: allowed are {', '.join(sorted(KNOWN))}")
    params = params_here()
    settings = params.prepare.model_copy(update={"emotions": [], "rename": {}})  # the corpus as it is
    place = place.absolute()
    corpus = scheme or known_corpus(place.name) or corpus_name(place.name)
    try:
        *tables, note = read_places(
            [place], corpus, place.parent, settings.manifest.model_dump(), pattern=settings.pattern_of(corpus)
        )
    except UnlabelledError as error:  # what is wrong with the files can be told all the same
        *tables, note = list_unlabelled([place], corpus, place.parent)
        print(f"note: {error}", file=sys.stderr)
    if note:
        print(note)
    files = file_table(tables, settings)
    recordings, fingerprints = hear_all(
        files, place.parent, settings, params.demo, compute=params.compute, label="audit"
    )
    recordings = mark_duplicates(recordings, fingerprints, params.compute)
    report_audit(recordings, settings, output, title=f"Data audit of {place.name}")
    print(f"see {output / 'audit.html'}")
