"""Speech emotion recognition: ``ser.load(folder)`` gives a trained model, the rooms below are the library."""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

# From 1.29 on ONNX Runtime tells Microsoft's servers how it is used, and leaves an identifier in the temporary folder,
# unless this is set before it is imported. Whoever wants that sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# In a terminal of Jupyter it names a back end, and Matplotlib cannot be imported where that is not installed. This is a
# stage, as DVC starts it, and not somebody's notebook: Python was told to ignore the environment.
if sys.flags.ignore_environment:
    os.environ.pop("MPLBACKEND", None)

STARTED_BY = os.getppid()  # before libraries are imported, which takes seconds, in which that may end

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
