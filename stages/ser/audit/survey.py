"""Going through all files of the corpora once: clean audio out, and what the audit has to know of each file."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.audio.cleaning import UnusableAudioError, clean
from ser.audio.recording_profile import profile
from ser.audit.clip_recordings import open_recording, why_not_mixed
from ser.audit.duplicate_takes import find_same_takes, fingerprint
from ser.audit.duplicates import find_duplicates
from ser.audit.recording_faults import MEASURED, measure
from ser.audit.separate_channels import separate_channels
from ser.compute.parallel import parallel_map
from ser.corpora.corpus_entries import COLUMNS, list_corpus, name_of_corpus
from ser.corpora.known_corpora import KNOWN, canonical_name
from ser.corpora.shared_speakers import read_speaker_ids, settle_speakers
from ser.demo.synthetic_speech import demo_table
from ser.errors import InputError
from ser.naming.spellings import one_spelling, spelling_key
from ser.settings.compute_section import Compute
from ser.settings.prepare_sections import Demo, Prepare
from ser.storage.recorded_level import LEVELS

FORMAT = ("sample_rate", "channels", "encoding", "taken")  # of a file, as its decoder says


class Heard(NamedTuple):
    """What a file holds.

    ``samples`` is clean audio, None if the file cannot be used, for the ``reason``; ``properties`` are those of the
    recording as it came, empty if it cannot be decoded, with `LEVELS` of what could be cleaned; equal clean audio has
    an equal ``digest``; ``profile`` is that of `ser.audio.recording_profile`, of a clip with samples.
    """

    samples: np.ndarray | None
    reason: str
    properties: dict[str, float | int | str | None] = {}
    fingerprint: np.ndarray = np.empty((0, 2), dtype=np.uint32)
    digest: str = ""
    profile: np.ndarray | None = None


def list_files(
    raw_path: Path | str, settings: Prepare, demo: Demo, *, say: Callable[[str], None] = lambda line: None
) -> pd.DataFrame:
    """List the files of all corpora of the parameters; see `file_table`.

    `say` takes a line on how each corpus of one's own was read, and on settings that meet nothing.
    """
    require_one_meaning(settings.rename)
    patterns = read_patterns(settings)
    names = {corpus: canonical_name(corpus) for corpus in settings.corpora}
    if settings.speaker_ids:  # which may name a corpus as it will be called by the names of its files
        names |= {corpus: name_of_corpus(corpus, raw_path) for corpus in names if corpus != "demo"}
    tables, speaker_ids = [], read_speaker_ids(settings.corpora, settings.speaker_ids, names)
    for corpus, name in names.items():
        speakers_of = speaker_ids.get(name, "")
        if corpus == "demo":
            table = demo_table(demo.model_dump())
            found = [
                table.assign(speaker=table["speaker"].str.replace("demo", speakers_of or "demo", n=1, regex=False))
            ]
        else:
            *found, note = list_corpus(corpus, raw_path, settings.manifest.model_dump(), speakers_of, patterns[corpus])
            if note:
                say(note)
        called = {name for table in found for name in table["corpus"]}
        if called & {name for table in tables for name in table["corpus"]}:
            raise InputError(f"prepare.corpora names the corpus {', '.join(sorted(called))} twice: {settings.corpora}")
        tables += found
    files = file_table(settle_speakers(tables, speaker_ids), settings)
    if absent := unmet_words(files, settings.rename):
        say(f"prepare.rename: no clip is called {', '.join(absent)}")
    return files


def file_table(tables: list[pd.DataFrame], settings: Prepare) -> pd.DataFrame:
    """Join tables of clips and of unusable files (see `list_corpus`), and select and rename emotions.

    Returns
    -------
    pd.DataFrame
        A row a file, sorted by ``clip``: `COLUMNS` of a corpus; ``written``, the label as it stands there; ``acted``,
        the emotion as the corpus calls it; ``reason``, why its name or its row in a manifest is of no use (empty for a
        clip), in which case ``clip`` is the file; ``readable``, whether it is safe to open; ``wanted``, whether its
        emotion is one of those that are selected (the others are only compared: what contradicts them is of no use
        either).

    Raises
    ------
    InputError
        An emotion is selected that no clip has.
    """
    columns = [*COLUMNS, "written", "reason", "readable"]
    files = pd.concat([table.reindex(columns=columns, fill_value="") for table in tables], ignore_index=True)
    files["readable"] = files["readable"].ne(False)  # of clips nothing is said
    files = files.fillna("").sort_values("clip", ignore_index=True)
    files["acted"] = files["emotion"]
    files["emotion"] = renamed(files, settings.rename)
    selected = shared_emotions(files) if settings.emotions == "shared" else settings.emotions
    files["wanted"] = files["emotion"].isin(["", *chosen_emotions(files, selected)]) if selected else True
    return files


def require_one_meaning(rename: Mapping[str, str]) -> None:
    """Refuse two keys of ``prepare.rename`` that are spellings of one word and become two."""
    first: dict[str, str] = {}
    for word, new in rename.items():
        other = first.setdefault(spelling_key(word), word)
        if spelling_key(rename[other]) != spelling_key(new):
            raise InputError(f"prepare.rename: {other} and {word} are one word, and become {rename[other]} and {new}")


def read_patterns(settings: Prepare) -> dict[str, str]:
    """Return ``prepare.pattern`` by corpus as ``prepare.corpora`` spells it; empty where none is stated.

    Raises
    ------
    InputError
        If it is stated by corpus, and one is not in ``prepare.corpora``, or is a published one.
    """
    if isinstance(settings.pattern, str):
        return dict.fromkeys(settings.corpora, settings.pattern)
    stated = {}
    for key, pattern in settings.pattern.items():
        name = canonical_name(key)
        meant = [corpus for corpus in settings.corpora if corpus == key or canonical_name(corpus) == name]
        if not meant:
            allowed = ", ".join(settings.corpora)
            raise InputError(f"prepare.pattern names {key}, which is not in prepare.corpora; allowed are {allowed}")
        if name in KNOWN or name == "demo":
            raise InputError(f"prepare.pattern names {key}, whose files have the names of its publisher: take it away")
        stated |= dict.fromkeys(meant, pattern)
    return {corpus: stated.get(corpus, "") for corpus in settings.corpora}


def renamed(files: pd.DataFrame, rename: Mapping[str, str]) -> pd.Series:
    """Return the emotion of each file by ``prepare.rename``, one spelling of each in all corpora.

    A key is a label as a corpus writes it, or as it is read; its spelling does not matter.
    """
    words = {spelling_key(word): new for word, new in rename.items()}
    pairs = files[["written", "emotion"]].drop_duplicates().itertuples(index=False, name=None)
    new = {
        (written, emotion): words.get(spelling_key(written), words.get(spelling_key(emotion), emotion))
        for written, emotion in pairs
    }
    one = one_spelling(new.values())
    labels = {pair: one[emotion] for pair, emotion in new.items()}
    found = zip(files["written"], files["emotion"], strict=True)
    return pd.Series([labels[pair] for pair in found], index=files.index, dtype=files["emotion"].dtype)


def unmet_words(files: pd.DataFrame, rename: Mapping[str, str]) -> list[str]:
    """Return the keys of ``prepare.rename`` that are the label of no file."""
    there = {spelling_key(word) for column in ("written", "acted") for word in files[column].unique()}
    return [word for word in rename if spelling_key(word) not in there]


def chosen_emotions(files: pd.DataFrame, selected: Sequence[str]) -> list[str]:
    """Return the emotions of ``prepare.emotions`` as the files spell them.

    Raises
    ------
    InputError
        If no file has one of them.
    """
    there = {spelling_key(emotion): emotion for emotion in files["emotion"].unique() if emotion}
    absent = [emotion for emotion in selected if spelling_key(emotion) not in there]
    if absent:
        raise InputError(
            f"prepare.emotions names {', '.join(absent)}, which no clip shows; there are "
            f"{', '.join(sorted(there.values())) or 'none'} (after prepare.rename)"
        )
    return [there[spelling_key(emotion)] for emotion in selected]


def shared_emotions(files: pd.DataFrame) -> list[str]:
    """Return the emotions that every corpus shows, sorted.

    Parameters
    ----------
    files : pd.DataFrame
        ``corpus, emotion, reason``; one with a reason is of no use and shows nothing.

    Raises
    ------
    InputError
        There are fewer than two of them.
    """
    shown = files[(files["reason"] == "") & (files["emotion"] != "")].groupby("corpus")["emotion"].agg(set)
    shared = sorted(set.intersection(*shown)) if len(shown) else []
    if len(shared) < 2:
        lists = "; ".join(f"{corpus}: {', '.join(sorted(emotions))}" for corpus, emotions in shown.items())
        raise InputError(
            f"prepare.emotions is shared, but the corpora have {len(shared)} emotions in common and two are needed "
            f"({lists}): let their names meet by prepare.rename, or choose other corpora"
        )
    return shared


def hear_all(
    files: pd.DataFrame,
    raw_path: Path | str,
    settings: Prepare,
    demo: Demo,
    *,
    compute: Compute,
    label: str,
    keep: Callable[[np.ndarray, np.ndarray], None] = lambda samples, profile: None,
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Decode and clean every file.

    Parameters
    ----------
    files : pd.DataFrame
        See `list_files`.
    raw_path : Path
        What their sources are relative to.
    settings, demo, compute
        Sections of the parameters.
    label : str
        What the progress bar says.
    keep : callable
        Takes the clean audio of each clip that can be used, and the profile of its recording, in their order.

    Returns
    -------
    recordings : pd.DataFrame
        `files`, of which `separate_channels` has made a row a channel where ``prepare.channels`` is each, with the
        ``reason`` of those whose audio cannot be used, the properties of each recording as it came
        (`measure` and `FORMAT` as in `ser.audio.decoding.Recording`), `LEVELS`, ``clean_seconds`` and ``digest``.
    fingerprints : list of np.ndarray
        See `ser.audit.duplicate_takes`.
    """
    if settings.channels == "each":
        files = separate_channels(files, raw_path, settings, demo, compute=compute)
    work = partial(hear, raw_path=raw_path, settings=settings, demo=demo)
    results = parallel_map(work, files.to_dict("records"), compute=compute, label=label, chunk=16)
    rows, fingerprints = [], []
    for known, heard in zip(files["reason"], results, strict=True):
        if heard.samples is not None:
            keep(heard.samples, heard.profile)
        seconds = len(heard.samples) / settings.sample_rate if heard.samples is not None else np.nan
        found = {"reason": known or heard.reason, "clean_seconds": seconds, "digest": heard.digest}
        rows.append(heard.properties | found)
        fingerprints.append(heard.fingerprint)
    columns = [*MEASURED, *FORMAT, *LEVELS, "reason", "clean_seconds", "digest"]
    found = pd.DataFrame(rows, index=files.index, columns=columns)
    return files.drop(columns="reason").join(found), fingerprints


def hear(file: dict, raw_path: Path | str, settings: Prepare, demo: Demo) -> Heard:
    """Decode, measure and clean one file (a row of `list_files`)."""
    if not file["readable"]:
        return Heard(None, "")
    try:
        recording = open_recording(file, raw_path, settings, demo)
    except UnusableAudioError as error:
        return Heard(None, str(error))
    except OSError as error:
        return Heard(None, f"cannot be read: {error.strerror}")
    y, sr = recording.y, recording.sample_rate
    properties = measure(y, sr) | {name: getattr(recording, name) for name in FORMAT}
    print_of_take = fingerprint(y, sr)
    try:
        samples, level, _ = clean(y, sr, settings)
    except UnusableAudioError as error:
        return Heard(None, str(error), properties, print_of_take)
    properties |= level._asdict()
    digest = hashlib.sha256(samples).hexdigest()
    reason = why_not_mixed(recording)
    kept = file["wanted"] and not file["reason"]
    if reason or not kept:
        return Heard(None, reason, properties, print_of_take, digest)
    return Heard(samples, "", properties, print_of_take, digest, profile(y, sr, settings.sample_rate))


def mark_duplicates(recordings: pd.DataFrame, fingerprints: list[np.ndarray], compute: Compute) -> pd.DataFrame:
    """Give a reason to every clip that is a copy of another, exactly or nearly; see `find_duplicates`.

    What cannot be used anyway is compared too, so that its reason says what it holds.
    """
    found = find_duplicates(recordings, recordings["digest"].to_numpy(), find_same_takes(fingerprints, compute))
    reasons = recordings["reason"].to_numpy(dtype=object, copy=True)
    for duplicate in found.itertuples():
        known = reasons[duplicate.row]
        reasons[duplicate.row] = f"{known}; {duplicate.reason}" if known else duplicate.reason
    return recordings.assign(reason=reasons)
