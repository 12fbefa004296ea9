"""Speech emotion recognition: ``ser.load(folder)`` gives a trained model, the rooms below are the library."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ser.prediction.trained_model import load

    __version__: str

__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import what is offered when it is asked for (PEP 562): the stages import this module for its rooms alone."""
    if name == "load":
        return importlib.import_module("ser.prediction.trained_model").load
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("reproducible-ser")
    raise AttributeError(f"module 'ser' has no attribute {name!r}")
