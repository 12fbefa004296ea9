"""Going through all files of the corpora once: clean audio out, and what the audit has to know of each file."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.audio.cleaning import UnusableAudioError, clean
from ser.audio.decoding import Recording, decode
from ser.audio.recording_profile import profile
from ser.audit.duplicate_takes import find_same_takes, fingerprint
from ser.audit.duplicates import find_duplicates
from ser.audit.recording_faults import MEASURED, measure
from ser.compute.parallel import parallel_map
from ser.corpora.corpus_entries import COLUMNS, canonical_name, read_corpus
from ser.corpora.corpus_files import open_source
from ser.corpora.shared_speakers import read_speaker_ids, settle_speakers
from ser.demo.synthetic_speech import SYNTHETIC, demo_table, synthesize
from ser.errors import InputError
from ser.settings.compute_section import Compute
from ser.settings.prepare_sections import Demo, Prepare

FORMAT = ("sample_rate", "channels", "encoding", "taken")  # of a file, as its decoder says


class Heard(NamedTuple):
    """What a file holds.

    ``samples`` is clean audio, None if the file cannot be used, for the ``reason``; ``properties`` are those of the
    recording as it came, empty if it cannot be decoded; equal clean audio has an equal ``digest``; ``profile`` is that
    of `ser.audio.recording_profile`, of a clip with samples.
    """

    samples: np.ndarray | None
    reason: str
    properties: dict[str, float | int | str | None] = {}
    fingerprint: np.ndarray = np.empty((0, 2), dtype=np.uint32)
    digest: str = ""
    profile: np.ndarray | None = None


def list_files(raw_path: Path | str, settings: Prepare, demo: Demo) -> pd.DataFrame:
    """List the files of all corpora of the parameters; see `file_table`."""
    tables, speaker_ids = [], read_speaker_ids(settings.corpora, settings.speaker_ids)
    for corpus in settings.corpora:
        speakers_of = speaker_ids.get(canonical_name(corpus), "")
        if corpus == "demo":
            table = demo_table(demo.model_dump())
            found = [
                table.assign(speaker=table["speaker"].str.replace("demo", speakers_of or "demo", n=1, regex=False))
            ]
        else:
            found = read_corpus(corpus, raw_path, settings.manifest.model_dump(), speakers_of)
        names = {name for table in found for name in table["corpus"]}
        if names & {name for table in tables for name in table["corpus"]}:
            raise InputError(f"prepare.corpora names the corpus {', '.join(sorted(names))} twice: {settings.corpora}")
        tables += found
    return file_table(settle_speakers(tables, speaker_ids), settings)


def file_table(tables: list[pd.DataFrame], settings: Prepare) -> pd.DataFrame:
    """Join tables of clips and of unusable files (see `read_corpus`), and select and rename emotions.

    Returns
    -------
    pd.DataFrame
        A row a file, sorted by ``clip``: `COLUMNS` of a corpus; ``acted``, the emotion as the corpus calls it;
        ``reason``, why its name or its row in a manifest is of no use (empty for a clip), in which case ``clip`` is
        the file; ``readable``, whether it is safe to open; ``wanted``, whether its emotion is one of those that
        are selected (the others are only compared: what contradicts them is of no use either).
    """
    columns = [*COLUMNS, "reason", "readable"]
    files = pd.concat([table.reindex(columns=columns) for table in tables], ignore_index=True)
    files["readable"] = files["readable"].ne(False)  # of clips nothing is said
    files = files.fillna("").sort_values("clip", ignore_index=True)
    files["acted"] = files["emotion"]
    files["emotion"] = files["emotion"].replace(settings.rename)
    selected = shared_emotions(files) if settings.emotions == "shared" else settings.emotions
    files["wanted"] = files["emotion"].isin(["", *selected]) if selected else True
    return files


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
        `files` with the ``reason`` of those whose audio cannot be used, the properties of each recording as it came
        (`measure` and `FORMAT` as in `ser.audio.decoding.Recording`), ``clean_seconds`` and ``digest``.
    fingerprints : list of np.ndarray
        See `ser.audit.duplicate_takes`.
    """
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
    columns = [*MEASURED, *FORMAT, "reason", "clean_seconds", "digest"]
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
        samples = clean(y, sr, settings)
    except UnusableAudioError as error:
        return Heard(None, str(error), properties, print_of_take)
    digest = hashlib.sha256(samples).hexdigest()
    kept = file["wanted"] and not file["reason"]
    if not kept:
        return Heard(None, "", properties, print_of_take, digest)
    return Heard(samples, "", properties, print_of_take, digest, profile(y, sr, settings.sample_rate))


def open_recording(file: dict, raw_path: Path | str, settings: Prepare, demo: Demo) -> Recording:
    """Decode a file, or synthesize a clip of the demo corpus."""
    if file["source"] == SYNTHETIC:
        y = synthesize(file | {"emotion": file["acted"]}, demo.seed, settings.sample_rate)
        return Recording(y.astype(np.float32), settings.sample_rate, 1, "synthetic")
    return decode(open_source(file["source"], raw_path), max_seconds=settings.max_seconds)


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
