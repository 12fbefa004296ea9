"""What a trainer that params.yaml switches off leaves behind: all that DVC expects of its stage, and no model."""

import shutil
from pathlib import Path

from ser.networks.layer_graph import draw_note
from ser.storage.whole_files import write_json


def leave_out(trainer: str, picture: Path | str | None = None) -> None:
    """Write the outputs of a trainer without models, in place of those of an earlier run, and say so.

    Parameters
    ----------
    trainer : str
        Names the folders; see `ser.training.trainer_loop.cross_fit`.
    picture : Path, optional
        Of its network.
    """
    for folder in ("models", "predictions", "history", "importance"):
        place = Path("data") / folder / trainer
        shutil.rmtree(place, ignore_errors=True)
        write_json({"models": []}, place / "models.json")  # DVC warns of empty folders
    if picture:
        draw_note(f"left out: {trainer}.enabled is false", picture)
    print(f"{trainer} is left out: {trainer}.enabled is false")
