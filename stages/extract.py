"""Extract: one pass over every clip of data/prepared or data/augmented for the inputs of all models.

Reads   data/<part>/, and data/prepared/audio.json
Writes  data/features/<part>/: functionals.npy (a row a clip), frames/ and logmel/ (a row a frame), the clips in the
        order of data/<part>/clips.csv; beside each a .json with its columns' names and all settings it came from
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from ser.compute.parallel import parallel_map
from ser.errors import InputError, stage_errors
from ser.features.extraction import INPUTS, input_names, spectrum
from ser.settings.compute_section import Compute
from ser.settings.extract_section import Extract
from ser.settings.params_file import load_sections
from ser.storage.clip_tables import read_audio_settings, read_clips, recorded_levels
from ser.storage.recorded_level import RecordedLevel
from ser.storage.samples import to_float
from ser.storage.shards import Ragged, RaggedWriter, TableWriter
from ser.storage.whole_files import write_json


def extract(part: str) -> None:
    params = load_sections(extract=Extract, compute=Compute)
    audio_settings = read_audio_settings()
    sr = audio_settings["sample_rate"]
    clips = read_clips(Path("data") / part / "clips.csv")
    folder = Path("data/features") / part

    names = {kind: input_names(kind, sr, params.extract) for kind in INPUTS}
    work = partial(inputs_of, audio=Ragged.open(Path("data") / part / "audio"), sr=sr, settings=params.extract)
    items = list(enumerate(recorded_levels(clips)))
    results = parallel_map(work, items, compute=params.compute, label=f"extract {part}", chunk=32)
    with (
        TableWriter(folder / "functionals.npy") as functionals,
        RaggedWriter(folder / "frames") as frames,
        RaggedWriter(folder / "logmel") as logmel,
    ):
        functionals.append(np.empty((0, len(names["functionals"])), dtype=np.float32))  # a table also without clips
        for row, inputs in enumerate(results):
            if not np.isfinite(inputs["functionals"]).all():
                column = names["functionals"][np.flatnonzero(~np.isfinite(inputs["functionals"]))[0]]
                raise InputError(f"{clips['clip'][row]}: {column} is not a finite number")
            functionals.append(inputs["functionals"][np.newaxis])
            frames.append(inputs["frames"])
            logmel.append(inputs["logmel"])
    for kind in INPUTS:
        settings = params.extract.model_dump(include={"n_fft", "hop_length", kind})
        write_json(
            {"kind": kind, "audio": audio_settings, "extract": settings, "names": names[kind]}, folder / f"{kind}.json"
        )
    print(f"extract {part}: {len(clips)} clips, " + ", ".join(f"{len(names[kind])} {kind}" for kind in INPUTS))


def inputs_of(item: tuple[int, RecordedLevel], audio: Ragged, sr: int, settings: Extract) -> dict[str, np.ndarray]:
    """Return all inputs of one clip, by kind: of its row and its recorded level."""
    row, level = item
    clip = spectrum(to_float(audio[row]), sr, n_fft=settings.n_fft, hop_length=settings.hop_length, level=level)
    return {kind: compute(clip, getattr(settings, kind)) for kind, compute in INPUTS.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["prepared", "augmented"])
    arguments = parser.parse_args()
    with stage_errors():
        extract(arguments.part)
