"""Headers of audformat databases: what ``db.yaml`` says of tables, schemes and speakers."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.storage.delimited_tables import BrokenTableError

MOST_BYTES = 16 * 2**20


class Column(NamedTuple):
    """A column of a table: what it is called, its scheme and its rater (empty if none)."""

    name: str
    scheme: str
    rater: str


class Table(NamedTuple):
    """A table: what it is called, ``filewise``, ``segmented`` or ``misc``, whether its files are a test part."""

    name: str
    kind: str
    is_test: bool
    columns: tuple[Column, ...]


class Scheme(NamedTuple):
    """Values that a column may have.

    Attributes
    ----------
    kind : str
        ``str``, ``int``, ``float``, …; empty if the labels say it.
    labels : dict of str to dict of str to str, or None
        What is said of each label, such as the gender of a speaker; None if any value will do.
    named : dict of str to str
        What labels stand for where they are numbers: ``{0: anger, 1: joy}``.
    table : str
        The miscellaneous table that lists the labels; empty if the header does.
    """

    kind: str
    labels: dict[str, dict[str, str]] | None
    named: dict[str, str]
    table: str


class Header(NamedTuple):
    """What ``db.yaml`` says."""

    tables: dict[str, Table]
    schemes: dict[str, Scheme]
    languages: tuple[str, ...]
    gold_raters: frozenset[str]


def read_header(file: BinaryIO, name: str) -> Header:
    """Read a header.

    Raises
    ------
    BrokenTableError
        If it is no YAML, or not that of an audformat database.
    """
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BrokenTableError(f"{name} is larger than {MOST_BYTES // 2**20} MiB, which no header is")
    try:
        # "base" leaves all as text: 007, 1e5 and no are names, not numbers and truths
        found = YAML(typ="base").load(content.decode("utf-8-sig"))
    except (YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise BrokenTableError(f"{name} is no YAML ({' '.join(str(error).split())[:200]}): save it again") from None
    if not isinstance(found, dict) or not (_part(found, "tables") or _part(found, "schemes")):
        raise BrokenTableError(f"{name} names neither tables nor schemes, as the header of an audformat database does")
    tests = {split for split, about in _part(found, "splits").items() if _text(about, "type") == "test"}
    tables = dict(_tables(_part(found, "tables"), "", tests))
    tables |= _tables(_part(found, "misc_tables"), "misc", tests)
    schemes = {key: _scheme(about) for key, about in _part(found, "schemes").items()}
    raters = _part(found, "raters").items()
    gold = {key for key, about in raters if _text(about, "type") == "vote" or "gold" in key.lower()}
    languages = found.get("languages") or ()
    languages = tuple(str(language) for language in languages) if isinstance(languages, list) else ()
    return Header(tables, schemes, languages, frozenset(gold))


def _tables(found: dict, kind: str, tests: set[str]) -> Iterator[tuple[str, Table]]:
    for name, about in found.items():
        columns = tuple(
            Column(column, _text(more, "scheme_id"), _text(more, "rater_id"))
            for column, more in _part(about, "columns").items()
        )
        yield name, Table(name, kind or _text(about, "type"), _text(about, "split_id") in tests, columns)


def _scheme(about: object) -> Scheme:
    labels = about.get("labels") if isinstance(about, dict) else None
    kind = _text(about, "dtype")
    if isinstance(labels, list):
        return Scheme(kind, {str(label): {} for label in labels}, {}, "")
    if isinstance(labels, dict):
        said = {str(label): _texts(more) for label, more in labels.items()}
        named = {str(label): more for label, more in labels.items() if isinstance(more, str) and more}
        return Scheme(kind, said, named if kind == "int" else {}, "")
    return Scheme(kind, None, {}, labels if isinstance(labels, str) else "")


def _part(found: object, key: str) -> dict[str, object]:
    part = found.get(key) if isinstance(found, dict) else None
    return {str(name): about for name, about in part.items()} if isinstance(part, dict) else {}


def _text(about: object, key: str) -> str:
    value = about.get(key) if isinstance(about, dict) else None
    return value if isinstance(value, str) else ""


def _texts(about: object) -> dict[str, str]:
    """Return what is said of a label; YAML's ways to write nothing are nothing."""
    if not isinstance(about, Mapping):
        return {}
    nothing = ("", "~", "null", "Null", "NULL", ".nan", ".NaN")
    return {str(key): value for key, value in about.items() if isinstance(value, str) and value not in nothing}
