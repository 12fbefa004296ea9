"""Data folders of Kaldi: ``wav.scp``, ``utt2spk``, ``segments`` and a file of labels by utterance."""

import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing
from typing import NamedTuple

from ser.annotations.file_paths import below, folds_of, match_files, normal
from ser.annotations.piece_times import seconds_text, why_no_piece
from ser.annotations.records import Files, Reading, Record, blank_values
from ser.storage.delimited_tables import BrokenTableError

LABELS = ("utt2emo", "utt2emotion", "utt2label", "utt2affect", "emotion", "emotions", "emo", "labels", "label")
MOST_BYTES = 512 * 2**20
CHANNELS = {"A": "1", "B": "2"}

# Commands in wav.scp. None is ever run; of those that only read one file, the file is told.
SHELL = re.compile(r"[|;&<>`$(){}*?]|\n")  # whatever a shell would do more than run one program
SILENCED = re.compile(r"\s+2>\s*/dev/null\b")
# by program: options that change nothing but the encoding, and of these the ones that take a value
PLAIN = {
    "cat": (set(), set()),
    "flac": ({"-c", "-d", "-s", "-f", "--decode", "--stdout", "--silent", "--totally-silent", "-cd", "-dc"}, set()),
    "sph2pipe": ({"-p", "-u", "-a"}, {"-f", "-c"}),
    "sox": (
        {"-G", "-D", "-S", "-V", "-V0", "-V1", "-V2", "-V3", "-q", "-R", "-L", "--norm", "--no-show-progress"},
        {"-t", "-r", "-b", "-e", "-c", "--bits", "--encoding", "--rate", "--channels", "--type"},
    ),
    "ffmpeg": (
        {"-hide_banner", "-nostdin", "-nostats", "-y", "-vn", "-bitexact"},
        {"-i", "-f", "-ar", "-ac", "-acodec", "-c:a", "-codec:a", "-loglevel", "-v", "-sample_fmt", "-threads"},
    ),
}
PLAIN["avconv"] = PLAIN["ffmpeg"]
OUTPUTS = ("-", "pipe:", "pipe:1", "/dev/stdout")


class Read(NamedTuple):
    """What a command reads: a file, one of its channels (empty: all), and why it cannot be told (empty if it can)."""

    path: str
    channel: str = ""
    reason: str = ""


class _Line(NamedTuple):
    value: str
    where: str


def claims(names: Sequence[str]) -> bool:
    """Say whether files of these names hold a data folder of Kaldi."""
    return any(name.rsplit("/", 1)[-1] == "wav.scp" for name in names)


def read_records(files: Files) -> Reading:
    """Read the utterances of all data folders; none of the commands in them is run.

    Paths are found by their trailing parts: they are those of the machine that the folder was made on.

    Raises
    ------
    BrokenTableError
        If a file is no text, or has an utterance twice.
    """
    notes, records, labelled = [], [], False
    folders = [name.rpartition("/")[0] for name in files.names if name.rsplit("/", 1)[-1] == "wav.scp"]
    folds, names = folds_of(folders), set(files.names)
    for folder in folders:
        data = _Folder(files, names, folder)
        labels = data.labels(notes)
        labelled |= labels is not None
        for record in _records(data, labels, notes):
            records.append(record._replace(values=record.values | {"fold": folds[folder]}))
    if records and not labelled:
        notes.append(f"no file of labels ({', '.join(LABELS[:3])}, …): names of folders and files are asked")
    return Reading(_once(_found(records, files), notes), tuple(dict.fromkeys(notes)), labelled)


class _Folder:
    """The files of one data folder, by their first column."""

    def __init__(self, files: Files, names: Set[str], folder: str):
        self.files, self.names, self.name = files, names, folder

    def path(self, file: str) -> str:
        return f"{self.name}/{file}".lstrip("/")

    def has(self, file: str) -> bool:
        return self.path(file) in self.names

    def lines(self, file: str) -> dict[str, _Line]:
        """Return what a file says by its first column; nothing if there is no such file."""
        path = self.path(file)
        if not self.has(file):
            return {}
        with closing(self.files.open(path)) as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise BrokenTableError(f"{path} is larger than {MOST_BYTES // 2**20} MiB: split it")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BrokenTableError(f"{path} is not UTF-8: save it as UTF-8") from None
        found: dict[str, _Line] = {}
        for number, line in enumerate(text.split("\n"), start=1):
            parts = unicodedata.normalize("NFC", line).split(maxsplit=1)
            if not parts:
                continue
            key, value = parts[0], parts[1].strip() if len(parts) > 1 else ""
            if key in found and found[key].value != value:
                raise BrokenTableError(f"{path}, line {number}: {key} is there a second time: keep one of the two")
            found.setdefault(key, _Line(value, f"{path}, line {number}"))
        return found

    def labels(self, notes: list[str]) -> dict[str, _Line] | None:
        """Return the labels by utterance; None if there is no file of labels."""
        there = [file for file in LABELS if self.has(file)]
        if len(there) > 1:
            notes.append(f"labels are those of {self.path(there[0])}, not of {', '.join(map(self.path, there[1:]))}")
        return self.lines(there[0]) if there else None

    def speakers(self, notes: list[str]) -> dict[str, str]:
        """Return the speakers by utterance; nobody where each utterance is called a speaker of its own."""
        speakers = {utterance: line.value for utterance, line in self.lines("utt2spk").items()}
        if len(speakers) > 1 and all(utterance == speaker for utterance, speaker in speakers.items()):
            notes.append(f"{self.path('utt2spk')} calls every utterance a speaker of its own: speakers are unknown")
            return {}
        return speakers


def _records(data: _Folder, labels: Mapping[str, _Line] | None, notes: list[str]) -> Iterator[Record]:
    recordings, segments = data.lines("wav.scp"), data.lines("segments")
    speakers, channels = data.speakers(notes), _channels(data)
    sexes, languages, ages = data.lines("spk2gender"), data.lines("utt2lang"), data.lines("spk2age")
    utterances = segments or recordings
    for utterance, line in utterances.items():
        values, reason = blank_values(), ""
        recording = utterance
        if segments:
            recording, values["start"], values["end"], reason = _segment(line.value)
        if recording in recordings:
            read = _file_of(recordings[recording].value)
            reason = reason or read.reason
        else:
            read, reason = Read(recording), reason or f"wav.scp has no recording {recording}"
        speaker = speakers.get(utterance, "")
        label = (labels or {}).get(utterance, _Line("", ""))
        values |= {
            "path": read.path or recording,
            "channel": read.channel or channels.get(recording, ""),
            "speaker": speaker,
            "sex": sexes.get(speaker, label._replace(value="")).value,
            "age": ages.get(speaker, label._replace(value="")).value,
            "language": languages.get(utterance, label._replace(value="")).value,
            "emotion": label.value,
        }
        yield Record(values, line.where, reason)
    for utterance, line in (labels or {}).items():
        if utterance not in utterances:
            where = "segments" if segments else "wav.scp"
            values = blank_values(path=utterance, emotion=line.value)
            yield Record(values, line.where, f"{where} has no utterance {utterance}")


def _segment(value: str) -> tuple[str, str, str, str]:
    """Return the recording, the begin, the end (empty for -1, which is the end of the file), and what is wrong."""
    parts = value.split()
    if len(parts) < 3:
        return (parts or [""])[0], "", "", "no recording, begin and end"
    try:
        start = seconds_text(parts[1])
        end = "" if parts[2].startswith("-1") and float(parts[2]) == -1 else seconds_text(parts[2])
    except ValueError as error:
        return parts[0], "", "", str(error)
    if start == "0" and not end:
        start = ""
    return parts[0], start, end, why_no_piece(start, end)


def _channels(data: _Folder) -> dict[str, str]:
    channels = {}
    for recording, line in data.lines("reco2file_and_channel").items():
        channel = line.value.split()[-1] if line.value else ""
        channels[recording] = CHANNELS.get(channel.upper(), channel if channel.isdecimal() and channel != "0" else "")
    # as many recipes write A for all: a channel is meant only where a file has two
    return channels if len(set(channels.values())) > 1 else {}


def _file_of(value: str) -> Read:
    if value.endswith("|"):
        return file_of_command(value[:-1])
    if not value:
        return Read("", "", "no path")
    path, _, offset = value.rpartition(":")
    if path.lower().endswith(".ark") and offset.isdecimal() or value.lower().endswith(".ark"):
        return Read(value, "", "inside an archive of Kaldi, which is not read: copy it out with wav-copy")
    return Read(value)


def file_of_command(command: str) -> Read:
    """Return the file whose content a command such as ``sox a.flac -t wav - |`` pipes, unchanged but for its encoding.

    Parameters
    ----------
    command : str
        Without the ``|`` at its end.
    """
    command = SILENCED.sub("", command.strip())
    refused = Read("", "", f"a command, which is not run: {command[:80]}{' …' if len(command) > 80 else ''}")
    try:
        words = [] if SHELL.search(command) else shlex.split(command)
    except ValueError:
        return refused
    program = words[0].rsplit("/", 1)[-1] if words else ""
    if program not in PLAIN:
        return refused
    flags, valued = PLAIN[program]
    inputs, channel, effects = [], "", []
    rest = iter(words[1:])
    for word in rest:
        if word in OUTPUTS:
            effects = list(rest) if program == "sox" else []
        elif word in valued:
            value = next(rest, "")
            if program == "ffmpeg" and word == "-i" or program == "avconv" and word == "-i":
                inputs.append(value)
            elif program == "sph2pipe" and word == "-c":
                channel = value
        elif word.startswith("-") and len(word) > 1:
            if word not in flags:
                return refused
        else:
            inputs.append(word)
    if program == "sph2pipe":
        inputs = inputs[:1]  # a second one is where it writes to
    found = _channel(effects)
    if len(inputs) != 1 or found is None or not (channel or found or "1").isdecimal():
        return refused
    return Read(inputs[0], channel or found)


def _channel(effects: list[str]) -> str | None:
    """Return the channel that the effects of sox choose, empty for all; None if they change the sound."""
    channel, rest = "", iter(effects)
    for effect in rest:
        value = next(rest, "")
        if effect == "remix" and value.isdecimal() and value != "0":
            channel = value
        elif effect not in ("rate", "channels"):
            return None
    return channel


def _found(records: Sequence[Record], files: Files) -> list[Record]:
    """Return the records with the files of the corpus that their paths fit."""
    names = {normal(name): name for name in files.names}
    usable = [(record, record.where.split(", line ")[0].rpartition("/")[0]) for record in records]
    exact = {}
    for record, folder in usable:
        path = record.values["path"]
        nearby = (below(folder, path), below("", path))
        exact[folder, path] = next((names[place] for place in nearby if place in names), "")
    fitted = match_files((path for (_, path), found in exact.items() if not found), files.names)
    found = []
    for record, folder in usable:
        path = record.values["path"]
        file = "" if record.reason else exact[folder, path] or fitted[path]
        reason = record.reason or ("" if file else f"no file of the corpus fits {path} alone")
        found.append(record._replace(values=record.values | {"path": file or path}, reason=reason))
    return found


def _once(records: Sequence[Record], notes: list[str]) -> list[Record]:
    """Return the records without those that another data folder has as well (all beside train and test)."""
    kept: dict[tuple, Record] = {}
    for record in records:
        values = record.values
        key = (record.reason, *(values[field] for field in values if field != "fold"))
        if key not in kept or values["fold"]:
            kept[key] = record
    if len(kept) < len(records):
        counted = Counter(record.where.split(", line ")[0].rpartition("/")[0] for record in records)
        folders = ", ".join(sorted(folder or "." for folder in counted))
        notes.append(f"{len(records) - len(kept)} utterances are in more than one of {folders}: taken once")
    return list(kept.values())
