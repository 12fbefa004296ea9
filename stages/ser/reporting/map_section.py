"""The map of all clips on the page: their places and labels in little room, and the sound of some of them."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr
from markupsafe import Markup

from ser.reporting.overview_files import Overview
from ser.reporting.report_sounds import read_sounds
from ser.reporting.reported_run import Run
from ser.reporting.sound_sources import as_source
from ser.storage.prediction_tables import predicted_emotions, probabilities_of
from ser.storage.shards import Ragged

SCRIPT, STYLE = (Path(__file__).with_suffix(suffix) for suffix in (".js", ".css"))
LABELS = ("emotion", "speaker", "corpus")  # that dots are coloured by
RATES = (8000, 16000)  # Hz, that MP3 knows; all others become the second
COMPRESSION = 0.9  # of MP3 at a constant rate: 24 kbit/s at 16 kHz, 3 KB a second
FINEST = 2**16 - 1


def map_data(run: Run, overview: Overview, sounds: dict[int, str]) -> Markup:
    """Return all that the map's script needs, as JSON for an element ``<script type="application/json">``.

    ``clips`` are their names, sorted as they are: each as the number of characters that it shares with the one before
    and its own rest. ``x``, ``y`` and ``probability`` are from 0 to `FINEST`, labels are places in ``names``; all are
    little-endian numbers of 16 bits, or 32 where there are more labels, as Base64.

    Parameters
    ----------
    run : Run
    overview : Overview
    sounds : dict of int to str
        See `map_sounds`.
    """
    names, columns = {}, {}
    for label in LABELS:
        names[label], columns[label] = np.unique(run.clips[label].to_numpy(dtype=str), return_inverse=True)
    answers = answers_of(run)
    names["said"], columns["said"] = np.unique(answers["predicted"].to_numpy(dtype=str), return_inverse=True)
    for name, values in (("x", overview.places["x"]), ("y", overview.places["y"]), ("p", answers["probability"])):
        columns[name] = np.round(values.to_numpy() * FINEST).astype(int)
    content = {
        "clips": shared_beginnings(list(run.clips["clip"])),
        "names": {label: values.tolist() for label, values in names.items()},
        "columns": {name: packed(values) for name, values in columns.items()},
        "sounds": sounds,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def answers_of(run: Run) -> pd.DataFrame:
    """Return ``predicted`` and ``probability`` of the best model for each clip; empty and 0 if it was not tested."""
    table = run.predictions[run.best]
    answers = pd.DataFrame(
        {"predicted": predicted_emotions(table), "probability": probabilities_of(table).max(axis=1)},
        index=table["clip"],
    )
    answers = answers[~answers.index.duplicated()].reindex(run.clips["clip"])
    return answers.assign(predicted=answers["predicted"].fillna(""), probability=answers["probability"].fillna(0.0))


def shared_beginnings(names: list[str]) -> list:
    """Return names as numbers and texts by turns: what a name shares with the one before, and what it adds."""
    packed: list = []
    before = ""
    for name in names:
        same = next((at for at, (a, b) in enumerate(zip(name, before, strict=False)) if a != b), None)
        same = min(len(name), len(before)) if same is None else same
        packed += [same, name[same:]]
        before = name
    return packed


def packed(values: np.ndarray) -> dict:
    """Return whole numbers as Base64, and how many bits one has."""
    bits = 16 if values.max(initial=0) <= FINEST else 32
    return {"bits": bits, "data": base64.b64encode(values.astype(f"<u{bits // 8}").tobytes()).decode()}


def spread_clips(places: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of clips that cover a map evenly: each next one is that farthest from all before.

    The first is the one nearest to the middle. Gonzalez, "Clustering to minimize the maximum intercluster distance",
    Theoretical Computer Science 38 (1985).

    Parameters
    ----------
    places : np.ndarray, shape (clips, 2)
    count : int
        At most so many.
    """
    rows = [int(np.square(places - places.mean(axis=0)).sum(axis=1).argmin())] if count and len(places) else []
    away = np.full(len(places), np.inf)
    while len(rows) < min(count, len(places)):
        away = np.minimum(away, np.square(places - places[rows[-1]]).sum(axis=1))
        away[rows[-1]] = -1  # of clips at one place each is taken once
        rows.append(int(away.argmax()))
    return np.array(rows, dtype=int)


def map_sounds(run: Run, overview: Overview, audio: Ragged, count: int, seconds: float) -> dict[int, str]:
    """Return the beginnings of some clips that cover the map, as sources of ``<audio>``, by row of the clips.

    MP3, as every browser plays it and it takes a sixth of FLAC; libsndfile writes the same bytes each time.
    """
    rows = np.sort(spread_clips(overview.places[["x", "y"]].to_numpy(), count))
    names = list(run.clips["clip"].iloc[rows])
    heard = read_sounds(audio, run.clips, names, run.sample_rate, seconds)
    return {int(row): _mp3(heard[name], run.sample_rate) for row, name in zip(rows, names, strict=True)}


def _mp3(y: np.ndarray, sr: int) -> str:
    if sr not in RATES:
        y, sr = soxr.resample(y, sr, RATES[-1]), RATES[-1]
    with io.BytesIO() as file:
        soundfile.write(
            file, y, sr, format="MP3", subtype="MPEG_LAYER_III", compression_level=COMPRESSION, bitrate_mode="CONSTANT"
        )
        return as_source(file.getvalue(), "audio/mpeg")


def map_script() -> Markup:
    """Return the script that draws the map."""
    return Markup(SCRIPT.read_text(encoding="utf-8").strip())


def overview_style() -> Markup:
    """Return the style sheet of the map and of the features below it."""
    return Markup(STYLE.read_text(encoding="utf-8").strip())
