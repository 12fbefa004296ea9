"""A model as the folder that audonnx loads: a graph for one clip, a ``model.yaml`` that says how to call it, a card."""

import json
from pathlib import Path

from ser.errors import InputError
from ser.exporting.model_export import SIGNAL, Export
from ser.graphs.graph_writer import write_model
from ser.storage.model_cards import write_card
from ser.storage.whole_files import write_text

MODEL, YAML = "model.onnx", "model.yaml"
# What audonnx calls before the graph. It keeps a function as text, so that each imports what it needs itself.
SAMPLES = """\
def samples(signal, sampling_rate, rate):
    import numpy as np
    if sampling_rate != rate:
        raise ValueError(f"the model takes samples at {rate} Hz, not {sampling_rate}")
    y = np.atleast_2d(signal)
    if y.dtype.kind == "i":
        y = y / -float(np.iinfo(y.dtype).min)
    return y.mean(axis=0, keepdims=True).astype(np.float32)
"""
FEATURES = """\
def features(signal, sampling_rate, settings):
    from ser.prediction.clip_inputs import features_of_samples
    return features_of_samples(signal, sampling_rate, settings)
"""


def write_folder(exported: Export, folder: Path) -> None:
    """Write the folder.

    Parameters
    ----------
    exported : Export
        Of one clip: audonnx gives every input the shape of the graph's, of which one axis may have any length.
    folder : Path

    Raises
    ------
    InputError
        If the model normalises by speaker, which no call with one signal can do, or `folder` is a model's own.
    """
    if exported.description["normalization"] == "speaker":
        raise InputError("a model that normalises by speaker wants several clips of one, and audonnx has one at a time")
    if (folder / "model.json").exists():
        raise InputError(f"{folder} is a model's own folder: name another for audonnx")
    (folder / YAML).unlink(missing_ok=True)  # an older one's would call the new graph
    write_model(exported.model, folder / MODEL)
    transforms = {name: _transform(name, own) for name, own in exported.inputs.items()}
    arguments = {"path": MODEL, "labels": exported.description["classes"], "transform": transforms}
    # JSON is YAML and needs no library; but audonnx takes no notice of a file whose first line is not that of the class
    lines = [f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items()]
    copies = exported.description["copies"] if any("copies" in own for own in exported.inputs.values()) else []
    # no member of what is exported rests on an encoder
    write_card(exported.description | {"members": [], "copies": copies}, folder)
    write_text("\n".join(["$audonnx.core.model.Model:", *lines]) + "\n", folder / YAML)


def _transform(name: str, own: dict) -> dict:
    """Return what makes an input of a signal, as audobject reads it."""
    if name == SIGNAL:
        function, arguments = SAMPLES, {"rate": own["audio"]["sample_rate"]}
    else:
        function, arguments = FEATURES, {"settings": json.dumps(own)}
    return {"$audonnx.core.function.Function": {"func": function, "func_args": arguments}}
