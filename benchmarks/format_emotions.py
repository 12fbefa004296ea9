"""Whether a model hears the same emotion in a clip when it comes in another format.

The model is an RBF SVM on the full set of functionals with the settings of params.yaml, trained on twelve of RAVDESS's
actors; the clips are of the other four, whom neither training nor validation has heard.
"""

import functools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import soundfile
import soxr
from tqdm import tqdm

import browser_recordings
import stage_runs
from format_writers import NotWrittenError, Row
from ser.audio.decoding import UnusableAudioError
from ser.prediction.trained_model import TrainedModel, load
from ser.storage.samples import to_int16

ROOT = Path(__file__).resolve().parents[1]
STAGES = (("prepare",), ("split",), ("augment",), ("extract", "prepared"), ("extract", "augmented"), ("train_ml",))
MODEL = "data/models/train_ml/svm_rbf"
WORKERS = 2
RATES = (8000, 16000, 32000, 44100, 48000)  # Hz
SETTINGS = {
    "prepare": {"corpora": ["ravdess"]},
    "split": {"scheme": "holdout", "test_fraction": 0.25},
    "augment": {"copies": 0},
    "train": {"importance_repeats": 0},
    "train_ml": {"models": ["svm_rbf"]},
}
model_of = functools.cache(load)  # a process loads it once


@contextmanager
def trained(raw: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Train on RAVDESS; yield the model's folder and the files of the actors that it has not heard."""
    with tempfile.TemporaryDirectory(prefix="ser-formats-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        (folder / "stages").symlink_to(ROOT / "stages")
        (folder / "data/protocols").symlink_to(ROOT / "data/protocols")
        settings = {**SETTINGS, "raw": {"path": str(raw.resolve())}}
        stage_runs.set_params(folder, settings, ROOT / "params.yaml")
        for stage in STAGES:
            seconds, _ = stage_runs.run(folder, *stage)
            print(f"  {' '.join(stage)}: {seconds:.0f} s", flush=True)
        clips = pd.read_csv(folder / "data/prepared/clips.csv").set_index("clip")
        folds = pd.read_csv(folder / "data/folds.csv").set_index("clip")
        unheard = folds.index[folds.iloc[:, 0] == "test"]
        yield folder / MODEL, [raw / source for source in clips.loc[unheard, "source"]]


def shares_of_rows(model: Path, files: Sequence[Path], rows: Sequence[Row]) -> tuple[dict, dict]:
    """Write the clips in every format and compare what the model hears with what it hears in the WAV files.

    Returns
    -------
    by_format : dict
        From format and writer to the share of clips with the emotion of the WAV file, of the format's rate, that they
        were made from.
    by_rate : dict
        From a sample rate of WAV files to the share with the emotion of the clips as they are published (48 kHz).
    """
    with tempfile.TemporaryDirectory(prefix="ser-formats-") as name:
        folder = Path(name)
        wavs = {rate: _write_wavs(files, folder / str(rate), rate) for rate in RATES}
        known = {rate: emotions(model_of(model), paths) for rate, paths in wavs.items()}
        by_rate = {rate: _share(known[max(RATES)], known[rate]) for rate in RATES}
        jobs = (joblib.delayed(_heard)(model, wavs[row.sample_rate], row) for row in rows)
        found = joblib.Parallel(WORKERS, return_as="generator")(jobs)
        by_format = {}
        for row, heard in zip(rows, tqdm(found, total=len(rows), unit="format"), strict=True):
            by_format[row.format, row.writer] = heard and _share(known[row.sample_rate], heard)
        if browser_recordings.find_browser():
            by_format |= _shares_of_browser(model, wavs[48000], known[48000], folder)
    return by_format, by_rate


def _write_wavs(files: Sequence[Path], folder: Path, rate: int) -> list[Path]:
    """Write recordings as WAV files of 16 bits, of the rate that is asked for."""
    folder.mkdir()
    paths = []
    for number, file in enumerate(files):
        y, published = soundfile.read(file, dtype="float64", always_2d=True)
        paths.append(folder / f"clip-{number:03d}.wav")
        soundfile.write(paths[-1], to_int16(soxr.resample(y[:, 0], published, rate, "VHQ")), rate)
    return paths


def _heard(model: Path, wavs: Sequence[Path], row: Row) -> list[str] | None:
    """Return the emotion of each clip in a format; None if it cannot be written."""
    with tempfile.TemporaryDirectory(prefix="ser-formats-") as name:
        files = [Path(name) / f"{wav.stem}{row.suffix}" for wav in wavs]
        try:
            for wav, file in zip(wavs, files, strict=True):
                row.write(wav, file)
        except NotWrittenError:
            return None
        return emotions(model_of(model), files)


def _shares_of_browser(model: Path, wavs: Sequence[Path], known: list[str], folder: Path) -> dict:
    recorded = folder / "recorded"
    recorded.mkdir()
    files: dict[str, list[Path]] = {name: [] for name in browser_recordings.SPOKEN}
    for _, paths in browser_recordings.record_clips(wavs, recorded):
        for name, path in paths.items():
            files[name].append(path)
    return {
        (name, browser_recordings.WRITER): _share(known, emotions(model_of(model), paths))
        for name, paths in files.items()
    }


def emotions(model: TrainedModel, files: Sequence[Path]) -> list[str]:
    """Return the most probable emotion of each file, or the reason why it is refused."""
    found = []
    for file in files:
        try:
            probabilities = model.predict_proba([model.read(file)])[0]
        except UnusableAudioError as error:
            found.append(f"refused: {error}")
        else:
            found.append(model.classes[int(np.argmax(probabilities))])
    return found


def _share(known: Sequence[str], found: Sequence[str]) -> float:
    return round(float(np.mean([one == other for one, other in zip(known, found, strict=True)])), 3)
