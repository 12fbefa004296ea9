"""Train the LSTM on frame sequences (PyTorch).

Reads   data/folds.csv, data/prepared/, data/augmented/ and the frame sequences in data/features/
Writes  data/{models,predictions,history,importance}/train_lstm/ and the network's graph,
        reports/images/networks/lstm.png
"""

import argparse
from functools import partial

from ser.errors import stage_errors
from ser.models import lstm
from ser.models.network_graph import draw_network
from ser.params import load_params
from ser.training import cross_fit


def train_lstm() -> None:
    params = load_params()
    fits = {"lstm": partial(lstm.fit, settings=params.train_lstm)}
    folders = cross_fit("train_lstm", "ser.models.lstm", "frames", fits, settings=params.train, compute=params.compute)
    layers = lstm.network_layers(lstm.load(folders["lstm"]))
    draw_network(layers, "reports/images/networks/lstm.png", "LSTM")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        train_lstm()
