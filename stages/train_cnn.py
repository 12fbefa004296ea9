"""Train the convolutional network on log-mel spectrograms (Keras).

Reads   data/folds.csv, data/prepared/, data/augmented/ and the log-mel spectrograms in data/features/
Writes  data/{models,predictions,history,importance}/train_cnn/ and the network's graph,
        reports/images/networks/cnn.png
"""

import argparse

from ser.errors import stage_errors
from ser.networks.layer_graph import draw_network
from ser.settings.compute_section import Compute
from ser.settings.network_sections import TrainCnn
from ser.settings.params_file import load_sections
from ser.settings.train_section import Train
from ser.training.left_out import leave_out

PICTURE = "reports/images/networks/cnn.png"


def train_cnn() -> None:
    params = load_sections(train=Train, train_cnn=TrainCnn, compute=Compute)
    if not params.train_cnn.enabled:
        leave_out("train_cnn", PICTURE)
        return
    # here, as a trainer that is left out needs no pandas
    from ser.training.dataset import open_dataset
    from ser.training.trainer_loop import cross_fit

    description = open_dataset("logmel").description
    sample_rate = description["audio"]["sample_rate"]
    frame_rate = sample_rate / description["extract"]["hop_length"]
    fits = {"cnn": {"settings": params.train_cnn, "frame_rate": frame_rate, "sample_rate": sample_rate}}
    layers = cross_fit("train_cnn", "ser.models.cnn", "logmel", fits, settings=params.train, compute=params.compute)
    draw_network(layers["cnn"], PICTURE, "Convolutional network", networks=params.train_cnn.seeds)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with stage_errors():
        train_cnn()
