"""The clips of a corpus and their functionals by each recipe, computed once if there is a folder to keep them in."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from tqdm import tqdm

from ser.audio.cleaning import UnusableAudioError, load_clip
from ser.audit.duplicates import find_duplicates
from ser.corpora.corpus_entries import read_corpus
from ser.settings.all_sections import Params
from ser.storage.samples import audio_digests

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("audio/*.py", "features/*.py", "storage/recorded_level.py")  # of ser: what our functionals depend on


def usable_clips(corpus: str, raw: Path, params: Params) -> pd.DataFrame:
    """List the clips that `prepare` would use."""
    clips, _ = read_corpus(corpus, raw)
    audio = joblib.Parallel(-1)(
        joblib.delayed(load_or_none)(raw / source, params.prepare) for source in clips["source"]
    )
    usable = [row for row, samples in enumerate(audio) if samples is not None]
    clips = clips.iloc[usable].reset_index(drop=True)
    duplicates = find_duplicates(clips, audio_digests([audio[row] for row in usable]))
    return clips.drop(index=duplicates["row"]).reset_index(drop=True)


def load_or_none(path: Path, settings) -> np.ndarray | None:
    try:
        return load_clip(path, settings)
    except UnusableAudioError:
        return None


def feature_table(
    raw: Path, clips: pd.DataFrame, recipe: Callable, label: str, params: Params, cache: Path | None
) -> np.ndarray:
    """Return the functionals of all clips, shape (clips, features).

    Parameters
    ----------
    raw : Path
    clips : pd.DataFrame
        With the column ``source``.
    recipe : callable
        From a path to a vector; one of openSMILE has the keyword ``smile``.
    label : str
        Of the corpus and the recipe.
    params : Params
    cache : Path, optional
        Folder of tables that were computed before, each named by a digest of the files, the recipe, and of what the
        recipe depends on: for ours the parameters and the code, for openSMILE its version.
    """
    paths = [raw / source for source in clips["source"]]
    kept = None if cache is None else cache / f"{label.replace(' ', '_')}_{table_digest(paths, recipe, params)}.npy"
    if kept is not None and kept.is_file():
        return np.load(kept)
    shown = tqdm(paths, desc=label, unit="clip", leave=False)
    if is_open_smile(recipe):  # its objects cannot be sent to another process
        x = np.array([recipe(path) for path in shown], dtype=float)
    else:
        x = np.array(joblib.Parallel(-1, batch_size=16)(joblib.delayed(recipe)(path) for path in shown), dtype=float)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, x)
    return x


def is_open_smile(recipe: Callable) -> bool:
    return "smile" in getattr(recipe, "keywords", {})


def table_digest(paths: list[Path], recipe: Callable, params: Params) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    if is_open_smile(recipe):
        import opensmile

        digest.update(opensmile.__version__.encode())
    else:
        own = getattr(recipe, "keywords", {}).get("settings", params.extract.functionals)  # of the set
        settings = [part.model_dump(mode="json") for part in (params.prepare, params.extract, own)]
        digest.update(json.dumps(settings, sort_keys=True).encode())
        for modules in MODULES:
            for module in sorted((ROOT / "stages/ser").glob(modules)):
                digest.update(module.read_bytes())
    return digest.hexdigest()[:16]
