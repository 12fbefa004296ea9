"""Thousands of corpora as people write them, trees and tables, from their files to clips.

Each clip gets its label and its speaker, or a line says why not; every file is a clip or is listed.
"""

import random
import shutil
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from conftest import FULL
from made_corpus import Clip, made_clips, wav
from made_layouts import made_tree
from made_tables import made_table
from ser.audit.survey import hear_all, list_files
from ser.corpora.corpus_entries import CorpusTables, list_corpus
from ser.errors import InputError
from ser.naming.label_schemes import read_labels
from ser.settings.all_sections import load_params

PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")
MANIFEST = PARAMS.prepare.manifest.model_dump()
SPEAKERS = ["anna", "José", "NA", "007", "spk 4"]
LABELS = ["frustrated", "neşeli", "愤怒", "7", "None", "so-so"]


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def write_tree(raw: Path, rng: random.Random) -> tuple[dict[str, tuple[str, str]], bool, dict]:
    """Write a tree of empty files; return label and speaker of each, and whether all must be read."""
    tree = made_tree(rng)
    for path in tree.clips:
        (raw / "mine" / path).parent.mkdir(parents=True, exist_ok=True)
        (raw / "mine" / path).touch()
    labels = {clip.emotion for clip in tree.clips.values() if clip.emotion}
    read = read_labels(labels).labels | {"": ""}
    truth = {f"mine/{path}": (read[clip.emotion], clip.speaker) for path, clip in tree.clips.items()}
    return truth, tree.clear, {}


def write_table(raw: Path, rng: random.Random) -> tuple[dict[str, tuple[str, str]], bool, dict]:
    """Write a table of empty files; see `write_tree`."""
    rows = [
        {"path": f"clips {rng.randrange(2)}/{number:02d}.wav", "emotion": rng.choice(LABELS)}
        | {"speaker": rng.choice(SPEAKERS)}
        for number in range(rng.randint(4, 12))
    ]
    table = made_table(rows, rng)
    suffix = {".txt": ".tsv", ".tab": ".tsv"}.get(table.habits.suffix, table.habits.suffix)
    (raw / f"mine{suffix}").write_bytes(table.content)
    for row in rows:
        (raw / row["path"]).parent.mkdir(exist_ok=True)
        (raw / row["path"]).touch()
    truth = {row["path"]: (row["emotion"], row["speaker"]) for row in rows}
    if table.fault == "cut off":  # within a value, which nobody can tell if it is the last of its row
        number = max((at for at, row in enumerate(rows) if row["path"].encode() in table.content), default=0)
        truth[rows[number]["path"]] = ("", "")
    return truth, table.unambiguous, table.columns


def outcome(raw: Path, truth: dict[str, tuple[str, str]], columns: dict, found: CorpusTables) -> str:
    """Return what became of a corpus: ``right``, ``in part``, or the first thing that is wrong."""
    known = {nfc(path): said for path, said in truth.items()}
    names: dict[str, str] = {}
    clips = [clip for clip in found.clips.itertuples() if (raw / clip.source).is_file()]  # of others there is no audio
    for clip in clips:
        label, speaker = known[nfc(clip.source.removeprefix("./"))]
        if not label and clip.source.startswith("clips"):
            continue
        if clip.emotion != label:
            return f"{clip.source}: the label {clip.emotion!r}, not {label!r}"
        own = clip.speaker.removeprefix("mine:")
        if own and (not speaker or names.setdefault(own, speaker) != speaker):
            return f"{clip.source}: the speaker {own!r}, not {speaker!r}"
    for line in found.unusable["reason"]:
        if not line or len(line.splitlines()) != 1:
            return f"the reason {line!r}"
    wanted = {path for path, (label, _) in known.items() if label}
    lost = wanted - {nfc(clip.source.removeprefix("./")) for clip in clips}
    unknown = any(known[nfc(clip.source.removeprefix("./"))][1] and not clip.speaker for clip in clips)
    return "in part" if lost or unknown else "right"


def all_listed(truth: dict, found: CorpusTables) -> bool:
    listed = {nfc(source) for table in (found.clips, found.unusable) for source in table["source"]}
    return {nfc(path) for path in truth} <= listed


def check(folder: Path, seeds: range) -> None:
    counts, wrong = Counter(), []
    for seed in seeds:
        rng, raw = random.Random(seed), folder / "raw"
        write = write_table if seed % 2 else write_tree
        shutil.rmtree(raw, ignore_errors=True)
        raw.mkdir()
        truth, clear, columns = write(raw, rng)
        try:
            found = list_corpus("mine", raw, MANIFEST | columns)
        except InputError as error:
            became = "stopped" if len(str(error).splitlines()) == 1 else f"no line: {error}"
        else:
            became = outcome(raw, truth, columns, found)
            if write is write_tree and not all_listed(truth, found):
                became = "a file is passed over"
        counts[write.__name__, clear, became if became in ("right", "in part", "stopped") else "wrong"] += 1
        if became not in ("right", "in part", "stopped"):
            wrong.append(f"seed {seed}: {became}")
    assert not wrong, wrong[:10]
    for name in ("write_tree", "write_table"):
        clear = sum(number for (kind, is_clear, _), number in counts.items() if kind == name and is_clear)
        assert clear and counts[name, True, "right"] >= 0.95 * clear, counts


def test_made_corpora_become_their_clips_or_lines(tmp_path):
    check(tmp_path, range(200))


@pytest.mark.verify
def test_many_made_corpora_become_their_clips_or_lines(tmp_path):
    check(tmp_path, range(10**6, 10**6 + (10_000 if FULL else 2_000)))


def sounding(clips: list[Clip], number: int) -> bytes:
    return wav(clips[number % len(clips)].samples[: 5000 + number])  # each another one


@pytest.mark.verify
def test_made_corpora_are_prepared(tmp_path):
    """Every file of 200 of them is a clip with its audio, or is in the quarantine."""
    clips, prepared = made_clips(), 0
    for seed in range(2 * 10**6, 2 * 10**6 + 1000):
        if prepared == (200 if FULL else 40):
            break
        raw = tmp_path / str(seed)
        raw.mkdir()
        truth, _, columns = (write_table if seed % 2 else write_tree)(raw, random.Random(seed))
        if len(truth) > 60 or any(not path.lower().endswith(".wav") for path in truth):
            continue
        for number, path in enumerate(sorted(truth)):
            (raw / path).write_bytes(sounding(clips, number))
        manifest = PARAMS.prepare.manifest.model_copy(update=columns)
        settings = PARAMS.prepare.model_copy(update={"corpora": ["mine"], "manifest": manifest})
        compute = PARAMS.compute.model_copy(update={"workers": 1})
        try:
            files = list_files(raw, settings, PARAMS.demo)
        except InputError:
            continue
        prepared += 1
        heard, _ = hear_all(files, raw, settings, PARAMS.demo, compute=compute, label="test")
        assert len(heard) == len(files) >= (len(truth) if seed % 2 == 0 else 0)
        usable = heard[heard["reason"] == ""]
        assert usable["digest"].ne("").all() and usable["clean_seconds"].gt(0).all()
    assert prepared == (200 if FULL else 40)
