"""Under which licences the corpora of a run are: as the parameters state them, as is known, or as a corpus says itself.

What a corpus says itself is looked for at the top of its folder: the provenance that `ser collect` keeps, the card of a
data set of the Hugging Face hub (``README.md``), the header of an audformat database (``db.yaml``), or the first line
of a file called ``LICENSE``.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.corpora.known_corpora import KNOWN, canonical_name
from ser.corpora.own_entries import COLLECTED
from ser.errors import InputError
from ser.storage.delimited_tables import BrokenTableError, column_place, read_table

CARD, HEADER = "README.md", "db.yaml"
LICENCE_FILE = re.compile(r"(?:licen[cs]e|copying)(?:\.(?:txt|md|rst))?", re.IGNORECASE)
INSIDE = r"^(?!\.\.?/)([^/]+)/"  # of a source: the folder below raw.path; none of what is synthetic or lies elsewhere
MOST_BYTES = 2**24  # of a file that is read
LONGEST = 200  # letters of what is taken for a licence


def licences_of(files: pd.DataFrame, stated: Mapping[str, str], raw_path: Path | str) -> dict[str, str]:
    """Return the licence of each corpus by its name in the tables; empty where none is known.

    What the parameters state counts before what is known of a published corpus (there may be editions under another
    licence), and that before what the corpus says itself.

    Parameters
    ----------
    files : pd.DataFrame
        ``corpus, source`` of all files.
    stated : mapping of str to str
        ``prepare.licences``.
    raw_path : Path
        What sources are relative to.

    Raises
    ------
    InputError
        If a corpus is stated that is none of these, or twice.
    """
    places = (
        files["source"].str.extract(INSIDE)[0].groupby(files["corpus"]).agg(lambda names: sorted({*names.dropna()}))
    )
    by_parameters: dict[str, str] = {}
    for key, licence in stated.items():
        meant = [name for name in places.index if canonical_name(key) in {name, *map(canonical_name, places[name])}]
        corpus = next((name for name in meant if name == canonical_name(key)), meant[0] if meant else "")
        if not corpus:
            there = ", ".join(places.index)
            raise InputError(f"prepare.licences names {key}, which is no corpus of this run; allowed are {there}")
        if corpus in by_parameters:
            raise InputError(f"prepare.licences names {corpus} twice ({', '.join(stated)}): keep one")
        by_parameters[corpus] = licence
    found = {}
    for corpus, folders in places.items():
        known = KNOWN[corpus].ABOUT.licence if corpus in KNOWN else ""
        own = [text for folder in folders if (text := licence_of_folder(Path(raw_path, folder)))] if not known else []
        found[corpus] = by_parameters.get(corpus) or known or "; ".join(dict.fromkeys(own))
    return found


def licence_of_folder(folder: Path) -> str:
    """Return the licence that a corpus states at the top of its folder, in one line; empty where it states none.

    A file that cannot be read states nothing: a licence is no reason to stop.
    """
    if not folder.is_dir():
        return ""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    readers = {
        COLLECTED: _of_provenance,
        CARD: _of_card,
        HEADER: _of_header,
        **{name: _first_line for name in names if LICENCE_FILE.fullmatch(name)},
    }
    for name in [name for name in readers if name in names]:
        try:
            if (folder / name).stat().st_size <= MOST_BYTES:
                text = readers[name]((folder / name).read_bytes())
                if text := " ".join(text.split())[:LONGEST]:
                    return text
        except (OSError, UnicodeDecodeError, YAMLError, RecursionError, ValueError, BrokenTableError):
            continue
    return ""


def _of_provenance(content: bytes) -> str:
    """Return the licences of collected utterances, the most frequent first; with several, how many files each has."""
    table = read_table(content, COLLECTED)
    place = column_place(table.header, "licence")
    if place is None:
        return ""
    counts = Counter(row.values[place].strip() or "none stated" for row in table.rows if not row.reason)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ordered) == 1:
        return "" if ordered[0][0] == "none stated" else ordered[0][0]
    return ", ".join(f"{licence} ({count} files)" for licence, count in ordered)


def _of_card(content: bytes) -> str:
    """Return the licence in the YAML that a card begins with, between two lines of hyphens."""
    parts = re.match(
        r"\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)", content.decode("utf-8-sig").replace("\r\n", "\n"), re.DOTALL
    )
    return _of_header(parts[1].encode()) if parts else ""


def _of_header(content: bytes) -> str:
    """Return ``license`` of a mapping in YAML; a card may have a name of its own for ``other``, or several."""
    found = YAML(typ="base").load(content.decode("utf-8-sig"))
    stated = found.get("license") if isinstance(found, dict) else None
    if stated == "other":
        stated = found.get("license_name") or stated
    return ", ".join(map(str, stated)) if isinstance(stated, list) else str(stated or "")


def _first_line(content: bytes) -> str:
    return next((line for line in content.decode("utf-8-sig").splitlines() if line.strip(" #=-*\t")), "").strip(
        " #=-*\t"
    )
