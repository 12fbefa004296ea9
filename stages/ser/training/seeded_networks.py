"""The module of a network, or what stands in its place where several seeds are trained for one model."""

import importlib
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx

from ser.graphs.graph_writer import write_model
from ser.graphs.mean_graph import mean_model
from ser.networks.checkpoints import Checkpoint
from ser.networks.early_stopping import Fitted
from ser.networks.layer_graph import Layer
from ser.networks.several_seeds import fit_each, mean_probabilities
from ser.storage.model_formats import seed_folder, seed_folders

GRAPH = "model.onnx"


class SeveralNetworks:
    """What a module of models offers, for models that are each a list of its networks.

    Parameters
    ----------
    library : module
        Fits, stores and loads one network.
    seeds : int
        How many are trained for a model; see `fit_each`.
    """

    def __init__(self, library: ModuleType, seeds: int):
        self.library = library
        self.seeds = seeds

    def fit(self, *examples, seed: int, checkpoint: Checkpoint | None = None, **own) -> Fitted:
        """Train the networks; what is given is what the library's ``fit`` takes."""
        return fit_each(partial(self.library.fit, *examples, **own), self.seeds, seed, checkpoint)

    def save(self, models: list, folder: Path) -> None:
        """Write each network as the library does, in a folder of its own, and one graph of all in place of theirs."""
        graphs = []
        for number, model in enumerate(models, start=1):
            place = seed_folder(folder, number)
            place.mkdir(parents=True)
            self.library.save(model, place)
            if (place / GRAPH).is_file():
                graphs.append(onnx.load_model(place / GRAPH))
                (place / GRAPH).unlink()
            if not any(place.iterdir()):  # of some there is nothing but the graph
                place.rmdir()
        if graphs:
            write_model(mean_model(graphs), folder / GRAPH)

    def load(self, folder: Path) -> list:
        """Read what `save` wrote of networks that have no graph."""
        return [self.library.load(place) for place in seed_folders(folder)]

    def predict_proba(self, models: list, inputs: object) -> np.ndarray:
        """Return the mean of the networks' probabilities; see `mean_probabilities`."""
        return mean_probabilities(self.library.predict_proba, models, inputs)

    def network_layers(self, models: list) -> list[Layer]:
        """Return the layers of one of the networks; none of what is drawn nowhere."""
        return self.library.network_layers(models[0]) if hasattr(self.library, "network_layers") else []


def library_of(module: str, own: dict) -> ModuleType | SeveralNetworks:
    """Return what fits and stores a model.

    Parameters
    ----------
    module : str
        See `ser.training.trainer_loop.cross_fit`.
    own : dict
        What is given to its ``fit``; see `ser.training.trainer_loop.last_job`.
    """
    library, seeds = importlib.import_module(module), seeds_of(own)
    return library if seeds == 1 else SeveralNetworks(library, seeds)


def seeds_of(own: dict) -> int:
    """Return how many networks a model is; 1 where its settings have no ``seeds``."""
    settings = own["settings"]
    return getattr(getattr(settings, own.get("name", ""), settings), "seeds", 1)
