"""Put the tables of the models on pretrained encoders where those of all other models are.

A stage of its own, as the stages of train_transformer cannot share a folder, and as there is none of them without a
checkpoint. Models that params.yaml no longer asks for are deleted: DVC leaves behind what a stage wrote that is gone.

Reads   data/models/train_transformer/<checkpoint>_<mode>/{predictions,history,importance}.csv and temperatures.json
Writes  data/{predictions,history,importance}/train_transformer/<checkpoint>_<mode>.csv, and the temperatures of all
"""

import argparse
import json
import shutil
from collections import ChainMap
from pathlib import Path

from ser.errors import InputError, stage_errors
from ser.settings.network_sections import TrainTransformer
from ser.settings.params_file import load_sections
from ser.storage.prediction_tables import TEMPERATURES
from ser.storage.whole_files import write_json, written

TRAINER = "train_transformer"


def gather_transformers() -> None:
    section = load_sections(train_transformer=TrainTransformer).train_transformer
    names = [f"{checkpoint}_{mode}" for checkpoint in section.checkpoints for mode in section.modes]
    models = Path("data/models") / TRAINER
    for folder in models.glob("*"):
        if folder.is_dir() and folder.name not in names:
            shutil.rmtree(folder)
    for table in ("predictions", "history", "importance"):
        folder = Path("data") / table / TRAINER
        shutil.rmtree(folder, ignore_errors=True)
        write_json({"models": names}, folder / "models.json")  # DVC warns of empty folders
        for name in names:
            source = models / name / f"{table}.csv"
            for path in (source, models / name / TEMPERATURES):
                if not path.is_file():
                    raise InputError(f"{path} not found: run `dvc repro {TRAINER}`")
            with written(folder / f"{name}.csv") as temporary:
                shutil.copyfile(source, temporary)
    temperatures = [json.loads((models / name / TEMPERATURES).read_text()) for name in names]
    write_json(dict(ChainMap(*temperatures)), Path("data/predictions") / TRAINER / TEMPERATURES)
    print(f"{len(names)} models on pretrained encoders{': ' if names else ''}{', '.join(names)}")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        gather_transformers()
