"""Databases in audformat: ``db.yaml``, beside it tables of files and of pieces of files."""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from ser.annotations.audformat_headers import Column, Header, Scheme, Table, read_header
from ser.annotations.audformat_tables import Piece, Row, read_table
from ser.annotations.file_paths import below, is_absolute, match_files, normal
from ser.annotations.records import Files, Reading, Record, blank_values
from ser.storage.delimited_tables import BrokenTableError

HEADER = "db.yaml"
EMOTION = {"emotion", "emotions", "emo", "affect", "mood", "sentiment"}
NO_EMOTION = {  # words of columns that say how much, how sure, or what else was rated
    *("confidence", "agreement", "certainty", "level", "intensity", "strength", "arousal", "valence", "dominance"),
    *("activation", "votes", "count", "ratio", "score", "probability", "time", "duration"),
}
FIELDS = {
    "speaker": {"speaker"},
    "sex": {"gender", "sex"},
    "language": {"language"},
    "age": {"age"},
    "statement": {"statement", "sentence", "transcription", "text"},
    "channel": {"channel"},
}
OTHERS = set().union(*FIELDS.values()) | {"role", "split", "session", "device", "country", "accent", "native"}
Chosen = tuple[Table, Column]


def claims(names: Sequence[str]) -> bool:
    """Say whether files of these names are an audformat database."""
    return any(name.rsplit("/", 1)[-1] == HEADER for name in names)


def read_records(files: Files, columns: Mapping[str, str] | None = None) -> Reading:
    """Read the files and pieces that the tables of a database give an emotion.

    Parameters
    ----------
    files : Files
    columns : mapping of str to str, optional
        What the user calls the columns; ``emotion`` may name table and column (``emotion.gold`` or ``gold``).

    Raises
    ------
    BrokenTableError
        If the header or a table that is needed cannot be read, or nobody can tell which column states the emotion.
    """
    notes, records, labelled = [], [], False
    for name in (name for name in files.names if name.rsplit("/", 1)[-1] == HEADER):
        root = name.rpartition("/")[0]
        with closing(files.open(name)) as file:
            header = read_header(file, name)
        database = _Database(files, root, header)
        emotions = _emotion_columns(header, name, (columns or {}).get("emotion", ""))
        labelled |= bool(emotions)
        records += _records(database, emotions, name)
        notes += dict.fromkeys(database.notes)
    return Reading(_found(records, files), tuple(notes), labelled)


class _Database:
    """A database whose tables are read when they are asked for, once."""

    def __init__(self, files: Files, root: str, header: Header):
        self.files, self.root, self.header = files, root, header
        self.notes: list[str] = []
        self._tables: dict[str, list[Row]] = {}

    def rows(self, table: str) -> list[Row]:
        if table not in self._tables:
            stem = posixpath.join(self.root, f"db.{table}")
            self._tables[table], note = read_table(self.files, stem)
            self.notes += [note] if note else []
        return self._tables[table]

    def labels(self, scheme: str) -> dict[str, dict[str, str]] | None:
        """Return what is said of each label of a scheme; None if any value will do."""
        found = self.header.schemes.get(scheme)
        if found is None or not found.table:
            return found.labels if found else None
        if found.table not in self.header.tables:
            return None
        rows = self.rows(found.table)
        return {next(iter(row.values.values()), ""): row.values for row in rows}


def _emotion_columns(header: Header, name: str, stated: str) -> list[Chosen]:
    """Choose the columns that state the emotion; empty if none does."""
    every = [(table, column) for table in header.tables.values() if table.kind != "misc" for column in table.columns]
    called = [(t, c) for t, c in every if stated and stated in (f"{t.name}.{c.name}", f"{t.name}/{c.name}")]
    if called:
        return called
    labels = [(table, column) for table, column in every if _states_labels(header, column)]
    exact = [(t, c) for t, c in labels if "emotion" in (c.name.lower(), c.scheme.lower())]
    if stated != "emotion":
        exact = [(table, column) for table, column in every if stated and column.name == stated] or exact
    found = exact or [(t, c) for t, c in labels if (_words(c.name) | _words(c.scheme)) & EMOTION]
    gold = [
        (table, column)
        for table, column in found
        if column.rater in header.gold_raters or "gold" in _words(table.name) | _words(column.name)
    ]
    if found:
        return gold or found
    listed = [(t, c) for t, c in labels if c.scheme in header.schemes and _lists_labels(header.schemes[c.scheme])]
    listed = [(t, c) for t, c in listed if not (_words(c.name) | _words(c.scheme)) & OTHERS]
    if len({(column.name, column.scheme) for _, column in listed}) > 1:
        raise BrokenTableError(
            f"{name}: {_named(listed)} could each be the emotion: say in prepare.manifest.emotion which one is"
        )
    return listed


def _states_labels(header: Header, column: Column) -> bool:
    if (_words(column.name) | _words(column.scheme)) & NO_EMOTION:
        return False
    scheme = header.schemes.get(column.scheme)
    return scheme is None or scheme.kind in ("", "str", "int", "bool", "object") or _lists_labels(scheme)


def _lists_labels(scheme: Scheme) -> bool:
    return scheme.labels is not None or bool(scheme.table)


def _records(database: _Database, emotions: Sequence[Chosen], name: str) -> Iterator[Record]:
    if emotions:
        stated = _stated(database, emotions)
        _require_agreement(stated, emotions, name)
    else:
        every = [(t, c) for t in database.header.tables.values() if t.kind != "misc" for c in t.columns[:1]]
        stated = _stated(database, every)
        database.notes.append(f"{name} names no column that states an emotion: names of folders and files are asked")
    said = {field: _said(database, words) for field, words in FIELDS.items()}
    whole = {piece.file for piece in stated if not piece.start and not piece.end}
    parted = {piece.file for piece in stated if piece.start or piece.end}
    outside, test = Counter(), {table.name for table, _ in emotions if table.is_test}
    for piece, rows in stated.items():
        values = blank_values(path=piece.file, start=piece.start, end=piece.end)
        row = next((row for row, _, _, value in rows if value), rows[0][0])
        reason = row.reason or ("" if piece.file else "no file")
        if emotions:
            label, scheme = next(((value, column.scheme) for _, _, column, value in rows if value), ("", ""))
            known = database.labels(scheme)
            outside.update([label] if label and known is not None and label not in known else [])
            named = database.header.schemes[scheme].named if scheme in database.header.schemes else {}
            values["emotion"] = named.get(label, label)
            if not reason and piece.file in whole & parted:
                reason = "the tables state an emotion of the whole file and of pieces of it"
        for field, find in said.items():
            found = find(piece)
            values[field] = next(iter(found), "")
            if len(found) > 1:
                reason = reason or f"the tables state more than one {field}: {', '.join(found)}"
        _add_speaker(values, database)
        values["fold"] = "0" if any(table.name in test for _, table, _, _ in rows) else ""
        yield Record(values, row.where, reason)
    if outside:
        listed = ", ".join(f"{label!r} ({count})" for label, count in outside.most_common(5))
        database.notes.append(f"labels that {name} does not list for their scheme, kept as they are written: {listed}")


def _stated(database: _Database, chosen: Sequence[Chosen]) -> dict[Piece, list[tuple[Row, Table, Column, str]]]:
    stated = defaultdict(list)
    for table, column in chosen:
        for row in database.rows(table.name):
            stated[row.piece].append((row, table, column, row.values.get(column.name, "")))
    return stated


def _require_agreement(stated: Mapping[Piece, list], emotions: Sequence[Chosen], name: str) -> None:
    differing = []
    for piece, rows in stated.items():
        if len(labels := dict.fromkeys(value for *_, value in rows if value)) > 1:
            differing.append((piece, labels))
    if differing:
        piece, labels = differing[0]
        table, column = emotions[0]
        same = len({(table.name, column.name) for table, column in emotions}) == 1
        remedy = (
            "keep one row of each"
            if same
            else (f"say in prepare.manifest.emotion which counts, such as {table.name}.{column.name}")
        )
        raise BrokenTableError(
            f"{name}: {_named(emotions)} state different emotions of {len(differing)} clips ({piece.file}: "
            f"{', '.join(labels)}): {remedy}"
        )


def _said(database: _Database, words: set[str]):
    """Return a function that gives what the tables say of a piece in the columns of some name or scheme."""
    by_piece, by_file, test = defaultdict(dict), defaultdict(dict), words
    for table in database.header.tables.values():
        for column in table.columns if table.kind != "misc" else ():
            listed = column.scheme in database.header.schemes and _lists_labels(database.header.schemes[column.scheme])
            if {column.name.lower(), column.scheme.lower()} & test and (listed or "statement" not in test):
                for row in database.rows(table.name):
                    if value := row.values.get(column.name, ""):
                        by_piece[row.piece][value] = None
                        by_file[row.piece.file][value] = None
    return lambda piece: by_piece.get(piece) or by_piece.get(Piece(piece.file)) or by_file.get(piece.file, {})


def _add_speaker(values: dict[str, str], database: _Database) -> None:
    """Add what the header says of a speaker, and the language of the whole database."""
    for scheme in database.header.schemes if values["speaker"] else ():
        if "speaker" in _words(scheme):
            for key, value in ((database.labels(scheme) or {}).get(values["speaker"], {})).items():
                for field in ("sex", "language", "age"):
                    if key.lower() in FIELDS[field] and not values[field]:
                        values[field] = value
    if not values["language"] and len(database.header.languages) == 1:
        values["language"] = database.header.languages[0]


def _found(records: Sequence[Record], files: Files) -> list[Record]:
    """Return the records with paths inside the corpus; one of another machine is exchanged for the file it fits."""
    elsewhere = match_files((r.values["path"] for r in records if is_absolute(r.values["path"])), files.names)
    found = []
    for record in records:
        written, reason = record.values["path"], record.reason
        path = elsewhere.get(written) or below(_root(record.where), written)
        if written and not path:
            problem = (
                "no file of the corpus fits this path alone" if written in elsewhere else "it leads out of the corpus"
            )
            reason = reason or f"{written}: {problem}"
        found.append(record._replace(values=record.values | {"path": path or normal(written)}, reason=reason))
    return found


def _root(where: str) -> str:
    return re.sub(r", (line|row) \d+$", "", where).rpartition("/")[0]


def _named(chosen: Sequence[Chosen]) -> str:
    named = [f"{table.name}.{column.name}" for table, column in chosen]
    return ", ".join(named[:6]) + (" …" if len(named) > 6 else "")


def _words(name: str) -> set[str]:
    return set(re.split(r"[\W\d_]+", name.lower())) - {""}
