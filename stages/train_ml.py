"""Train the classical models on functionals.

Reads   data/folds.csv, data/prepared/, data/augmented/ and the functionals in data/features/
Writes  data/models/train_ml/<model>/, data/predictions/train_ml/<model>.csv, data/history/train_ml/<model>.csv
"""

from functools import partial

from ser.errors import stage_errors
from ser.models import classical
from ser.params import load_params
from ser.training import cross_fit


def train_ml() -> None:
    params = load_params()
    fits = {name: partial(classical.fit, settings=params.train_ml, name=name) for name in params.train_ml.models}
    cross_fit("train_ml", "ser.models.classical", "functionals", fits, seed=params.train.seed, compute=params.compute)


if __name__ == "__main__":
    with stage_errors():
        train_ml()
