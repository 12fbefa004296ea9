"""Train the classical models on functionals.

Reads   data/folds.csv, data/prepared/, data/augmented/ and the functionals in data/features/
Writes  data/{models,predictions,history,importance}/train_ml/
"""

import argparse
from functools import partial

from ser.errors import stage_errors
from ser.models import classical
from ser.params import load_params
from ser.training import cross_fit


def train_ml() -> None:
    params = load_params()
    fits = {name: partial(classical.fit, settings=params.train_ml, name=name) for name in params.train_ml.models}
    cross_fit("train_ml", "ser.models.classical", "functionals", fits, settings=params.train, compute=params.compute)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        train_ml()
