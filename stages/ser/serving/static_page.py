"""The page that needs no server: a folder with a trained model's graph, and all by which a browser runs it.

Any web server hands it out. What is in it is asked from the same folder only, and no recording leaves the browser.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser.audio.cleaning import SILENCE_DB, TRIM_BLOCK
from ser.audio.recordings import LOUDEST_DB, MAX_CHANNELS, MAX_RATE, MIN_RATE
from ser.channels.cancelling_channels import CANCELLED_DB
from ser.errors import InputError
from ser.exporting.model_export import SIGNAL, export, takes_samples
from ser.prediction.answering import SHORT
from ser.prediction.clip_inputs import LEAST_SOUND, SHORTEST
from ser.prediction.model_folder import ENSEMBLE, MODELS, find_folder, read_description, read_members
from ser.serving.resampling_tables import measured
from ser.storage.model_cards import inherited_terms
from ser.storage.whole_files import write_bytes

if TYPE_CHECKING:
    from ser.exporting.model_export import Export

OF_THE_PAGE = (  # what the page of the service has as well: it looks the same, and records the same way
    "bars.js", "capture.js", "colours.js", "drawing.js", "icon.svg", "microphone.js", "page.css", "segment_table.js",
    "timeline_view.js", "wav.js", "words.js",
)  # fmt: skip
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 192000)  # Hz, of recordings
WINDOW, HOP = 3.0, 1.0  # s, of the windows of a longer recording
MOST_SECONDS = 3600.0  # of a recording: what a browser holds and works on within minutes
PAUSE_DB = 40.0  # a window this far below the loudest holds nothing but what is between words
RUNTIME = "onnxruntime-web-1.30.0.tgz"
RUNTIME_URL = f"https://registry.npmjs.org/onnxruntime-web/-/{RUNTIME}"
RUNTIME_BYTES = 33_106_585
RUNTIME_SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
# What is taken of it; not every web server knows .mjs. One thread: several want headers that few hosts can send.
RUNTIME_FILES = {
    "package/dist/ort.wasm.min.mjs": "ort.wasm.min.js",
    "package/dist/ort-wasm-simd-threaded.mjs": "ort-wasm-simd-threaded.js",
    "package/dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
MOST_MEMBER = 64_000_000  # bytes


def write_static_page(model: Path | str | None, folder: Path, *, runtime: str | None = None) -> dict[str, Any]:
    """Write the page into a folder; the files of an earlier one are replaced.

    Parameters
    ----------
    model : Path, str or None
        As of `ser.load`; its graph has to take samples (see `ser.exporting.model_export`).
    folder : Path
        Is made.
    runtime : str, optional
        Where onnxruntime-web is, `RUNTIME`: a file or an address; without it, it is downloaded once from its
        publisher and kept in the user's cache.

    Returns
    -------
    dict
        What the page is told of the model.

    Raises
    ------
    InputError
        If the model is none, or of a kind that wants the Python package for its features; if the runtime cannot be had
        or is another one; if the folder is a model's own.
    """
    place = find_folder(model)
    _require_samples(place)
    if (folder / "model.json").exists():
        raise InputError(f"{folder} is a model's own folder: name another for the page")
    packed = _runtime(runtime)
    exported = export(place, without_copies=True)  # what a browser computes from samples cannot make them
    about = _about(exported)
    folder.mkdir(parents=True, exist_ok=True)
    last = "index.html"
    (folder / last).unlink(missing_ok=True)  # so that there is no page before all of it is there
    own_runtime = folder / "onnxruntime-web"
    for name, content in _unpacked(packed):
        write_bytes(content, own_runtime / name)
    for rate in about["rates"]:
        if rate != about["audio"]["sample_rate"]:
            table = measured(rate, about["audio"]["sample_rate"])
            write_bytes(table.to_bytes(), folder / f"resampling-{rate}.bin")
    write_bytes(exported.model.SerializeToString(deterministic=True), folder / "model.onnx")
    write_bytes(json.dumps(about, indent=1, ensure_ascii=False).encode(), folder / "about.json")
    own, shared = files("ser.serving") / "static", files("ser.serving") / "page"
    for name in OF_THE_PAGE:
        write_bytes((shared / name).read_bytes(), folder / name)
    for part in sorted(own.iterdir(), key=lambda part: (part.name == last, part.name)):
        target = own_runtime / "LICENSE.txt" if part.name == "onnxruntime-web-licence.txt" else folder / part.name
        if part.is_file():
            content = part.read_bytes()
            if part.name == last:
                content = _with_limits(content, (shared / last).read_bytes())
            write_bytes(content, target)
    return about


def _with_limits(page: bytes, other: bytes) -> bytes:
    """Return the page with what a model must not be used for, in the words of the service's page."""
    start = other.index(b'<section aria-labelledby="limits-title">')
    end = other.index(b"</section>", start) + len(b"</section>")
    return page.replace(b"<!-- limits -->", other[start:end])


def _require_samples(place: Path) -> None:
    if not _runs_in_a_browser(place):
        able = [str(path.parent) for path in sorted(MODELS.glob("*/*/model.json")) if _runs_in_a_browser(path.parent)]
        those = f"those that run: {', '.join(able)}" if able else f"of the models in {MODELS} none does"
        raise InputError(
            f"{place} does not run in a browser alone, as its features (pitch, functionals, an encoder) need Python; "
            + those
            + ("" if able else ": the CNN does, and an LSTM without pitch (extract.frames.groups)")
        )


def _runs_in_a_browser(place: Path) -> bool:
    """Tell whether a model's graph takes samples; by what its folder says, as an export takes longer."""
    try:
        description = read_description(place)
        is_ensemble = description["trainer"] == ENSEMBLE
        members = read_members(description, place).values() if is_ensemble else [description]
    except InputError:
        if place.is_relative_to(MODELS):
            return False
        raise
    return all(member["input"]["kind"] in ("logmel", "frames") for member in members) and takes_samples(
        description, members
    )


def _about(exported: Export) -> dict[str, Any]:
    """Return what the page is told: the model, how audio is cleaned, and what is refused, in Python's numbers."""
    from importlib.metadata import PackageNotFoundError, version

    description, audio = exported.description, exported.inputs[SIGNAL]["audio"]
    try:
        number = version("reproducible-ser")
    except PackageNotFoundError:
        number = ""
    learnt_from = description["learnt_from"]
    name = f"{description['trainer']}/{description['model']}" + (
        f"/{description['fold']}" if description["fold"] else ""
    )
    return {
        "model": name,
        "version": number,
        "emotions": description["classes"],
        "learnt_from": learnt_from,
        "terms": " ".join(inherited_terms(learnt_from["corpora"])),
        "synthetic": all(corpus["synthetic"] for corpus in learnt_from["corpora"].values()),
        "temperature": description["temperature"],
        "copies_left_out": description["copies"],
        "audio": audio,
        "rates": list(RATES),
        "window": WINDOW,
        "hop": HOP,
        "limits": {
            "shortest": SHORTEST,
            "least_sound": LEAST_SOUND,
            "short": SHORT,
            "most_seconds": MOST_SECONDS,
            "silence_db": SILENCE_DB,
            "loudest_db": LOUDEST_DB,
            "cancelled_db": CANCELLED_DB,
            "pause_db": PAUSE_DB,
            "min_rate": MIN_RATE,
            "max_rate": MAX_RATE,
            "max_channels": MAX_CHANNELS,
            "trim_block": TRIM_BLOCK,
        },
    }


def _runtime(given: str | None) -> Path:
    """Return the packed onnxruntime-web, checked."""
    if given is not None and "://" not in given:
        packed = Path(given)
        if not packed.is_file():
            raise InputError(f"{packed}: no such file; wanted is {RUNTIME}, such as from {RUNTIME_URL}")
    else:
        from ser.fetching.resumed_download import download  # imports requests, which a given file does without

        packed = _cache() / RUNTIME
        if not packed.exists():
            print(f"{packed}: once, {RUNTIME_BYTES / 1e6:.0f} MB from {given or RUNTIME_URL}")
        download(given or RUNTIME_URL, packed, size=RUNTIME_BYTES)
    with packed.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != RUNTIME_SHA256:
        raise InputError(
            f"{packed}: not {RUNTIME} as it was published (SHA-256 {found[:8]}... instead of {RUNTIME_SHA256[:8]}...): "
            "remove it and fetch it again"
        )
    return packed


def _cache() -> Path:
    """Return the user's folder for what can be fetched again."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "reproducible-ser"


def _unpacked(packed: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the runtime by the names that they get; nothing else of the archive is looked at."""
    with tarfile.open(packed, "r:gz") as archive:
        wanted = dict(RUNTIME_FILES)
        for member in archive:
            name = wanted.pop(member.name, None)
            opened = archive.extractfile(member) if name and member.isreg() and member.size < MOST_MEMBER else None
            if name and opened:
                yield name, opened.read()
    if wanted:
        raise InputError(f"{packed}: {', '.join(wanted)} is not in it")
