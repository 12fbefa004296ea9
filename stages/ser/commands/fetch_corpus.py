"""Fetch a published corpus into raw.path and record in DVC where it came from.

A download that was interrupted goes on where it ended; one that is complete is checked and not repeated. Of a corpus
that is had otherwise (by git, from a page, by a form), it says how, and what of it is there. No stage of the pipeline:
run it once for each corpus.

NAME is that of the corpus, as in prepare.corpora.
"""

from pathlib import Path

import click

from ser.commands.command_line import help_of
from ser.corpora.corpus_facts import About
from ser.corpora.corpus_places import find_places
from ser.corpora.known_corpora import KNOWN, known_corpus
from ser.errors import InputError
from ser.fetching.corpus_download import about, count_clips, fetch_files, how_to_get, size_in_words, targets
from ser.fetching.dvc_import import dvc_root, record_imports
from ser.settings.all_sections import load_params
from ser.storage.model_cards import licence_in_words

HOW = {  # what cannot be fetched from one address
    "git": "a git repository",
    "page": "downloaded from its page, by hand",
    "form": "handed out to those who fill in a form",
}


def fetch_corpus(name: str, url: str) -> None:
    name, known = about(name)
    raw_path = Path(load_params().raw.path)
    licence = licence_in_words({"licence": known.licence, "synthetic": False})
    print(f"{known.title}\n  {known.home}\n  licence: {licence}\n  to cite: {known.citation}")
    files = targets(known, name, raw_path, url)
    unpacked = raw_path / name
    if is_empty(unpacked):
        unpacked.rmdir()  # or the archive beside it would be a second corpus of this name
    if len(files) == 1 and unpacked.is_dir():
        print(f"{unpacked} is there: nothing is fetched")
    elif files:
        fetch_files(files)
        record([(each.url, target) for each, target in files])
    else:
        explain(name, known, unpacked)
        if not is_there(name, raw_path):
            print(f"nothing of it is in {raw_path} yet; run this again then, it counts the clips")
            return
    print(count_clips(known, name, raw_path))
    print(f"to train on it, name it in params.yaml: prepare.corpora: [{name}]")


def record(files: list[tuple[str, Path]]) -> None:
    """Put the address, its ETag and the checksum of each file into a .dvc file, for git."""
    folder = files[0][1].parent
    root = dvc_root(folder)
    if root is None or root != dvc_root(Path.cwd()):
        print(f"not recorded in DVC: {folder} lies outside its repository")
        return
    recorded = map(str, record_imports(files))
    print(f"recorded in DVC; for git: git add {' '.join(recorded)}")


def explain(name: str, known: About, folder: Path) -> None:
    print(f"{name} is {HOW[how_to_get(known)]}. {known.instructions}\nPut what you get into {folder} or {folder}.zip")


def is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def is_there(name: str, raw_path: Path) -> bool:
    """Tell whether anything in `raw_path` is called as a corpus is."""
    try:
        return bool(find_places(name, raw_path))
    except InputError:
        return raw_path.is_dir() and any(known_corpus(path.name) == name for path in raw_path.iterdir())


def list_corpora() -> None:
    """Print a line for each known corpus."""
    for name in sorted(KNOWN):
        known = KNOWN[name].ABOUT
        size = size_in_words(sum(each.size for each in known.downloads)) if known.downloads else how_to_get(known)
        print(f"{name:<14} {size:>7}  {known.clips:>6} clips  {known.language}  {known.licence}  ({known.title})")


@click.command(help=help_of(__doc__))
@click.argument("name", required=False)
@click.option(
    "--list",
    "listing",
    is_flag=True,
    help="List the known corpora, their size (or how they are had: git, page, form) and licence.",
)
@click.option("--url", default="", help="A mirror's address, for a corpus of one download.")
def command(name: str | None, listing: bool, url: str) -> None:
    if listing:
        list_corpora()
    elif not name:
        raise click.UsageError("name a corpus, or --list them")
    else:
        try:
            fetch_corpus(name, url)
        except KeyboardInterrupt:
            raise InputError("interrupted; run it again, it goes on where it ended") from None
