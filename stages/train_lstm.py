"""Train the LSTM on frame sequences (PyTorch).

Reads   data/folds.csv, data/prepared/, data/augmented/ and the frame sequences in data/features/
Writes  data/{models,predictions,history,importance}/train_lstm/ and the network's graph,
        reports/images/networks/lstm.png
"""

import argparse

from ser.errors import stage_errors
from ser.networks.layer_graph import draw_network
from ser.settings.compute_section import Compute
from ser.settings.network_sections import TrainLstm
from ser.settings.params_file import load_sections
from ser.settings.train_section import Train
from ser.training.left_out import leave_out

PICTURE = "reports/images/networks/lstm.png"


def train_lstm() -> None:
    params = load_sections(train=Train, train_lstm=TrainLstm, compute=Compute)
    if not params.train_lstm.enabled:
        leave_out("train_lstm", PICTURE)
        return
    # here, as a trainer that is left out needs no pandas
    from ser.training.trainer_loop import cross_fit

    fits = {"lstm": {"settings": params.train_lstm}}
    layers = cross_fit("train_lstm", "ser.models.lstm", "frames", fits, settings=params.train, compute=params.compute)
    draw_network(layers["lstm"], PICTURE, "LSTM", networks=params.train_lstm.seeds)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        train_lstm()
