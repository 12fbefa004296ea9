"""Fetch a pretrained encoder from the Hugging Face hub and store it as train_transformer reads it, as safetensors.

Most published encoders are pickles. Of these nothing but tensors is read, and no code is run. A folder that holds a
checkpoint is converted as well. No stage of the pipeline: run it once for each checkpoint, where there is network.

SOURCE is a name on the hub, such as microsoft/wavlm-base-plus, or a folder; FOLDER is made, such as
data/pretrained/wavlm-base-plus.
"""

import re
from pathlib import Path

import click

from ser.commands.command_line import help_of
from ser.errors import InputError


def fetch_checkpoint(source: str, folder: Path) -> None:
    if folder.exists():
        raise InputError(f"{folder} is there already: delete it, or name another folder")
    # here, as `ser checkpoint --help` needs no PyTorch
    from ser.encoders.pretrained_files import (
        CONFIG,
        EXTRACTOR,
        PICKLED,
        SAFE,
        architecture_of,
        check_checkpoint,
        fetch_from_hub,
    )
    from ser.encoders.speech_encoder import load_encoder, save_encoder

    found = Path(source).expanduser()
    if not found.is_dir():
        found = fetch_from_hub(source, (CONFIG, EXTRACTOR, *SAFE))
        if not any(found.glob(SAFE[0])):
            found = fetch_from_hub(source, (CONFIG, EXTRACTOR, *PICKLED))
    pickled = not any(found.glob(SAFE[0]))
    check_checkpoint(found, source, pickled=pickled)
    encoder = load_encoder(found, pickled=pickled)
    save_encoder(encoder, folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {architecture_of(folder)}, {encoder.layers - 1} layers of {encoder.width}, {size / 1e6:.0f} MB")
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name)  # DVC takes other punctuation for its own
    print(f"to train on it: dvc exp run -S '+train_transformer.checkpoints.{name}={folder}'")


@click.command(help=help_of(__doc__))
@click.argument("source")
@click.argument("folder", type=click.Path(path_type=Path))
def command(source: str, folder: Path) -> None:
    fetch_checkpoint(source, folder)
