"""Tables of clips as people write them, by random choice: programs, names of columns, habits, and faults."""

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

NAMES = {  # what else the columns are called
    "path": ["file", "filename", "file_name", "Filepath", "wav", "audio_path", "Audio File", "FileName"],
    "emotion": ["label", "Label", "class", "category", "emotion_label", "Target", "EmoClass"],
    "speaker": ["speaker_id", "spk", "spk_id", "Speaker ID", "actor", "Actor", "client_id", "subject", "SpkrID"],
    "sex": ["gender", "Gender"],
    "language": ["lang", "locale"],
    "statement": ["sentence_id", "text_id"],
    "start": ["begin", "onset", "start_time", "Start Time"],
    "end": ["end_time", "stop", "EndTime"],
    "channel": ["ch", "Channel"],
    "age": ["Age"],
    "fold": ["Fold"],
}
STATED = ["Spalte {}", "kolom_{}", "列{}", "my {}", "x_{}"]  # only `prepare.manifest` can say what these are
OTHERS = ["note", "text", "transcript", "rater 1", "Sätze", "n_words", "session", "split"]
WORDS = ["so", "well", "naïve", "Tür", "Şu", "你好", "كيف", "go!", "5", "1,5", "no;", "a|b", "'s", "–", "😀", "=1+1"]
SAYINGS = [
    *('She said "no"', '"Where is the key?"', 'the "key", please', '""', "a, b; c", "it's", '"', "5'3\"", "(laughs)"),
    *("\u2028", "one\u2029two", "x\x85y", "a\x0bb", "\u200f", "“quoted”", "N/A", "", "", " padded ", "#1", "\\", '\\"'),
]
SEXES = {"female": ["f", "F", "female", "w", "woman", "Female"], "male": ["m", "M", "male", "man", "Male"]}
FAULTS = (
    *("open quote", "lost quote", "unquoted separators", "short row", "column twice", "two labels", "no header"),
    *("latin", "nul", "cut off"),
)


class Habits(NamedTuple):
    """How a program writes tables."""

    separator: str
    quoting: int
    end: str = "\n"
    encoding: str = "utf-8"
    suffix: str = ".csv"
    excel: bool = False


HABITS = [
    *(Habits(",", csv.QUOTE_MINIMAL), Habits(",", csv.QUOTE_MINIMAL, "\r\n"), Habits(",", csv.QUOTE_ALL)),
    *(Habits(",", csv.QUOTE_ALL, "\r\n"), Habits(";", csv.QUOTE_MINIMAL), Habits("|", csv.QUOTE_MINIMAL)),
    Habits(",", csv.QUOTE_MINIMAL, "\r\n", "utf-8-sig", excel=True),
    *[Habits(";", csv.QUOTE_MINIMAL, "\r\n", "utf-8-sig", excel=True)] * 2,
    Habits(";", csv.QUOTE_MINIMAL, "\r", excel=True),
    *(Habits("\t", csv.QUOTE_MINIMAL, suffix=".tsv"), Habits("\t", csv.QUOTE_MINIMAL, "\r\n", suffix=".txt")),
    Habits("\t", csv.QUOTE_MINIMAL, "\r\n", "utf-16", ".txt", excel=True),
    *[Habits("\t", csv.QUOTE_NONE, suffix=".tsv")] * 3,  # as Common Voice writes: quotation marks mean nothing
    Habits("\t", csv.QUOTE_NONE, "\r\n", suffix=".tab"),
]


class MadeTable(NamedTuple):
    """A table as bytes.

    Attributes
    ----------
    content, name
        What is in the file, and what it is called.
    columns : dict of str to str
        For ``prepare.manifest``: by field, what only the user can know.
    unambiguous : bool
        Whether it says what the rows say, so that a reader must read it; else it may refuse it, or rows.
    fault : str
        What is wrong with it; empty if nothing is.
    habits : Habits
    """

    content: bytes
    name: str
    columns: dict[str, str]
    unambiguous: bool
    fault: str
    habits: Habits


def made_table(rows: Sequence[Mapping[str, str]], chance: Random, *, faults: float = 0.2) -> MadeTable:
    """Write rows of labels as somebody may.

    Parameters
    ----------
    rows : sequence of mappings
        By the fields of `ser.annotations.records`, the same in all, as a reader is to return them; ``path`` and
        ``emotion`` are among them. No value has control characters.
    chance : Random
    faults : float
        How many of the tables have one.
    """
    habits = chance.choice(HABITS)
    fault = chance.choice(FAULTS) if chance.random() < faults else ""
    fields = list(rows[0])
    chance.shuffle(fields)
    columns: dict[str, str] = {}
    titles = [_title(field, chance, columns) for field in fields]
    titles_by_field = dict(zip(fields, titles, strict=True))
    table = [[_written(field, row[field], habits, chance) for field in fields] for row in rows]
    for field in ("start", "end"):
        if field in fields and chance.random() < 0.3:
            place = fields.index(field)
            for row in table:
                row[place] = _by_clock(row[place])
    for other in chance.sample(OTHERS, chance.randint(0, 3)):
        place = chance.randint(0, len(titles))
        titles.insert(place, other)
        for row in table:
            row.insert(place, _said(habits, chance))
    if chance.random() < 0.15:  # row names of R, the index of pandas
        titles.insert(0, "")
        for number, row in enumerate(table):
            row.insert(0, str(number))
    if fault == "column twice":
        titles.append(titles[fields.index("emotion")] if len(titles) == len(fields) else chance.choice(titles[1:]))
        table = [[*row, _said(habits, chance)] for row in table]
    if fault == "two labels":
        titles = [title if title != titles_by_field["emotion"] else "label" for title in titles] + ["class"]
        table = [[*row, "other"] for row in table]
        columns.pop("emotion", None)
    if fault == "no header":
        titles, table = table[0], table[1:] or table
    if habits.excel and chance.random() < 0.3:  # columns that were emptied
        titles, table = [*titles, "", ""], [[*row, "", ""] for row in table]
    content = _spoilt(_text(titles, table, habits, chance), fault, habits, chance)
    return MadeTable(content, f"mine{habits.suffix}", columns, not fault, fault, habits)


def _title(field: str, chance: Random, columns: dict[str, str]) -> str:
    """Choose what a field is called; if only the user can know, it is put into `columns`."""
    choice = chance.random()
    if choice < 0.4:
        return field
    if choice < 0.55:
        return chance.choice([field.upper(), field.title(), f" {field} ".upper()])
    if choice < 0.85 and field in NAMES:
        return chance.choice(NAMES[field])
    columns[field] = chance.choice(STATED).format(field)
    return columns[field]


def _written(field: str, value: str, habits: Habits, chance: Random) -> str:
    """Write a value as the program, or the person, would."""
    if not value:
        return chance.choice(["", "", "NaN", "nan"]) if not habits.excel else ""
    if field == "sex":
        return chance.choice(SEXES.get(value, [value]))
    if field in ("start", "end"):
        return value.replace(".", ",") if habits.excel and habits.separator != "," else value
    if field == "path" and chance.random() < 0.1:
        return f"./{value}"
    return chance.choice([value, value, unicodedata.normalize("NFD", value), f" {value}", f"{value} "])


def _by_clock(seconds: str) -> str:
    if not seconds:
        return ""
    whole, mark, part = seconds.partition("," if "," in seconds else ".")
    return f"{int(whole) // 3600}:{int(whole) // 60 % 60:02d}:{int(whole) % 60:02d}{mark}{part}"


def _said(habits: Habits, chance: Random) -> str:
    """Invent what stands in a column that nobody reads."""
    parts = [chance.choice(WORDS if chance.random() < 0.7 else SAYINGS) for _ in range(chance.randint(0, 6))]
    glue = " "
    if habits.quoting != csv.QUOTE_NONE and chance.random() < 0.15:
        glue = chance.choice(["\n" if habits.end == "\r\n" else habits.end, ", ", "; "])
    return glue.join(parts)


def _text(titles: list[str], table: list[list[str]], habits: Habits, chance: Random) -> str:
    if habits.quoting == csv.QUOTE_NONE:
        lines = ["\t".join(row) for row in [titles, *table]]
        return habits.end.join([*lines, ""])
    out = io.StringIO(newline="")
    if habits.excel and habits.separator in ",;" and chance.random() < 0.3:
        out.write(f"sep={habits.separator}{habits.end}")
    writer = csv.writer(out, delimiter=habits.separator, quoting=habits.quoting, lineterminator=habits.end)
    writer.writerow(titles)
    for row in table:
        writer.writerow(row)
        if chance.random() < 0.03:
            out.write(habits.end)
        if habits.excel and chance.random() < 0.03:
            out.write(habits.separator * (len(titles) - 1) + habits.end)
    text = out.getvalue()
    return text.removesuffix(habits.end) if chance.random() < 0.2 else text


def _spoilt(text: str, fault: str, habits: Habits, chance: Random) -> bytes:
    """Encode a table, with the fault that lies in its text."""
    lines = text.split(habits.end)
    place = chance.randrange(1, max(2, len(lines)))
    line = lines[place] if place < len(lines) else ""
    at = chance.randint(0, len(line))
    if fault == "open quote":
        start = chance.choice([0, *(k + 1 for k, letter in enumerate(line) if letter == habits.separator)])
        line = line[:start] + '"' + line[start:]
    elif fault == "lost quote" and '"' in line:
        at = chance.choice([k for k, letter in enumerate(line) if letter == '"'])
        line = line[:at] + line[at + 1 :]
    elif fault == "unquoted separators":
        line = line[:at] + habits.separator + line[at:]
    elif fault == "short row" and habits.separator in line:
        line = line.rpartition(habits.separator)[0]
    elif fault == "nul":
        line = line[:at] + "\0" + line[at:]
    if place < len(lines):
        lines[place] = line
    text = habits.end.join(lines)
    if fault == "latin":
        return text.encode("latin-1", "replace") + "é".encode("latin-1")
    content = text.encode(habits.encoding)
    return content[: chance.randint(0, len(content))] if fault == "cut off" else content
