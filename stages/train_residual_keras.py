"""Train the dense residual network on functionals (Keras).

Reads   data/folds.csv, data/prepared/, data/augmented/ and the functionals in data/features/
Writes  data/{models,predictions,history,importance}/train_residual_keras/ and the network's graph,
        reports/images/networks/residual.png
"""

import argparse

from ser.errors import stage_errors
from ser.networks.layer_graph import draw_network
from ser.settings.compute_section import Compute
from ser.settings.network_sections import TrainResidualKeras
from ser.settings.params_file import load_sections
from ser.settings.train_section import Train
from ser.training.left_out import leave_out

PICTURE = "reports/images/networks/residual.png"


def train_residual_keras() -> None:
    params = load_sections(train=Train, train_residual_keras=TrainResidualKeras, compute=Compute)
    if not params.train_residual_keras.enabled:
        leave_out("train_residual_keras", PICTURE)
        return
    # here, as a trainer that is left out needs no pandas
    from ser.training.trainer_loop import cross_fit

    fits = {"residual": {"settings": params.train_residual_keras}}
    layers = cross_fit(
        "train_residual_keras",
        "ser.models.residual",
        "functionals",
        fits,
        settings=params.train,
        compute=params.compute,
    )
    draw_network(layers["residual"], PICTURE, "Residual network", networks=params.train_residual_keras.seeds)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        train_residual_keras()
