"""Train the classical models on functionals.

Reads   data/folds.csv, data/prepared/, data/augmented/ and the functionals in data/features/
Writes  data/{models,predictions,history,importance}/train_ml/
"""

import argparse

from ser.errors import stage_errors
from ser.settings.compute_section import Compute
from ser.settings.params_file import load_sections
from ser.settings.train_ml_section import TrainMl
from ser.settings.train_section import Train
from ser.training.left_out import leave_out


def train_ml() -> None:
    params = load_sections(train=Train, train_ml=TrainMl, compute=Compute)
    if not params.train_ml.enabled:
        leave_out("train_ml")
        return
    # here, as a trainer that is left out needs no pandas
    from ser.training.trainer_loop import cross_fit

    fits = {name: {"settings": params.train_ml.of_model(name), "name": name} for name in params.train_ml.models}
    cross_fit("train_ml", "ser.models.classical", "functionals", fits, settings=params.train, compute=params.compute)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        train_ml()
