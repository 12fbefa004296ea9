"""Fuse the models: average the probabilities of several into one more.

Reads   data/predictions/<trainer>/<model>.csv, but not its own
Writes  data/predictions/fuse/ensemble.csv
"""

from ser.errors import stage_errors
from ser.fusion import mean_probability, select_members
from ser.params import load_params
from ser.predictions import read_predictions, write_predictions


def fuse() -> None:
    """Average the probabilities of the models that ``fuse.members`` names."""
    tables = read_predictions("data/predictions", skip=["fuse"])
    members = select_members(tables, load_params().fuse.members)
    write_predictions(mean_probability(members), "data/predictions/fuse/ensemble.csv")
    print(f"ensemble of {len(members)} models: {', '.join(sorted(members))}")


if __name__ == "__main__":
    with stage_errors():
        fuse()
