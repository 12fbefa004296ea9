"""Train on a pretrained encoder (transformers): a head on its frozen layers, or all of it.

Reads   data/folds.csv, data/prepared/, data/augmented/ and the checkpoint that train_transformer.checkpoints names
Writes  data/models/train_transformer/<checkpoint>_<mode>/ with the model, the encoder, predictions.csv, history.csv and
        importance.csv; gather_transformers puts the tables beside those of the other trainers. Keeps the encoder's
        embeddings in .cache/
"""

import argparse
from functools import partial
from pathlib import Path

from ser.encoders.embeddings import embed_clips, one_process_a_gpu
from ser.encoders.pretrained_files import StoredEncoder, checkpoint_digest, find_checkpoint
from ser.encoders.speech_encoder import load_encoder, save_encoder
from ser.errors import InputError, stage_errors
from ser.settings.compute_section import Compute
from ser.settings.network_sections import TrainTransformer
from ser.settings.params_file import load_sections
from ser.settings.train_section import Train
from ser.storage.clip_tables import read_audio_settings
from ser.storage.shards import Ragged
from ser.training.dataset import Inputs
from ser.training.trainer_loop import MODELS, cross_fit

TRAINER = "train_transformer"


def train_transformer(checkpoint: str, mode: str) -> None:
    params = load_sections(train=Train, train_transformer=TrainTransformer, compute=Compute)
    section, name = params.train_transformer, f"{checkpoint}_{mode}"
    if checkpoint not in section.checkpoints:
        raise InputError(f"{checkpoint} is not in train_transformer.checkpoints of params.yaml: add it there")
    audio_settings = read_audio_settings()
    sr = audio_settings["sample_rate"]
    clips, copies = (Ragged.open(Path("data") / part / "audio") for part in ("prepared", "augmented"))

    source = find_checkpoint(section.checkpoints[checkpoint])
    encoder = load_encoder(source)
    folder = MODELS / TRAINER / name / "encoder"  # what the model for use and those of the folds read
    save_encoder(encoder, folder)
    origin = {"source": section.checkpoints[checkpoint], "sha256": checkpoint_digest(source)}
    description = {"audio": audio_settings, "checkpoint": origin, "layers": encoder.layers, "width": encoder.width}
    if mode == "frozen":
        embed = partial(embed_clips, sr=sr, encoder=folder, compute=params.compute)
        inputs = embed(clips, label=f"{name}, clips"), embed(copies, label=f"{name}, copies")
        description = {"kind": "embeddings", **description}
        library, own = "ser.encoders.frozen_head", {"layers": encoder.layers}
        compute = params.compute
    else:
        inputs, description = (clips, copies), {"kind": "audio", **description}
        stored = StoredEncoder(folder, checkpoint_digest(folder))
        library, own = "ser.encoders.fine_tuned", {"encoder": stored, "sample_rate": sr}
        compute = one_process_a_gpu(params.compute)
    cross_fit(
        TRAINER,
        library,
        Inputs(*inputs, description),
        {name: {**own, "settings": getattr(section, mode)}},
        settings=params.train,
        compute=compute,
        alone=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="its name in train_transformer.checkpoints")
    parser.add_argument("mode", choices=["frozen", "fine_tuned"])
    arguments = parser.parse_args()
    with stage_errors():
        train_transformer(arguments.checkpoint, arguments.mode)
