"""A trained model as one ONNX file: from samples to probabilities where a graph can compute what the model reads.

It can for log-mel spectra and for frames without pitch. Pitch, and functionals, which depend on it, it cannot: then the
file takes these, and the installed package gives them (`ser.prediction.trained_model.TrainedModel.features`). Nor can
it make the changed copies that an answer may be the mean of: their features go in as well, and the mean is inside.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import onnx

from ser.errors import InputError
from ser.exporting.descriptor_graph import frames, frames_inside, log_mel
from ser.exporting.probability_graph import adjusted, at_temperature, fused, mean_over_copies
from ser.exporting.signal_graph import cleaned, outside
from ser.graphs.graph_writer import FLOAT, OPSET, GraphWriter
from ser.models.stored_model import FILE
from ser.prediction.clip_inputs import ROWS, graph_inputs
from ser.prediction.model_folder import ENSEMBLE, ensemble_rule, find_folder, read_description, read_members
from ser.storage.model_cards import inherited_terms

if TYPE_CHECKING:
    from onnx import ModelProto

SIGNAL, PROBABILITIES = "signal", "probabilities"
SHAPES = {"functionals": "(clips, columns)", "frames": "(time, columns)", "logmel": "(time, bands)"}


class Export(NamedTuple):
    """An exported model.

    Attributes
    ----------
    model : onnx.ModelProto
    description : dict
        The model's ``model.json``.
    inputs : dict of str to dict
        By the name of each of the graph's inputs the ``input`` of the models that read it. Where copies go in, too,
        with ``copies``: those that the input is of, an empty text for the recording itself.
    """

    model: ModelProto
    description: dict
    inputs: dict[str, dict]


def export(
    model: Path | str | None, *, calibrated: bool = False, one_clip: bool = False, without_copies: bool = False
) -> Export:
    """Write a model as a graph.

    Parameters
    ----------
    model : Path, str or None
        As of `ser.load`.
    calibrated : bool
        Whether the probabilities are those at the model's temperature.
    one_clip : bool
        Whether functionals are those of one clip, and not of any number.
    without_copies : bool
        Whether a model that answers by changed copies, too, is to answer by the recording alone.

    Raises
    ------
    InputError
        If there is no such model, or it is one on a pretrained encoder.
    """
    folder = find_folder(model)
    description = read_description(folder)
    is_ensemble = description["trainer"] == ENSEMBLE
    members = read_members(description, folder) if is_ensemble else {folder: description}
    rule = ensemble_rule(description, folder) if is_ensemble else None
    stored = {place: _graph_of(place, member) for place, member in members.items()}
    copies = [] if without_copies else description["copies"]
    whole = takes_samples(description, members.values()) and not copies
    one_clip = one_clip or is_ensemble or bool(copies)
    graph, inputs, found, known = GraphWriter("ser"), {}, {}, []
    for place, member in members.items():
        own = member["input"]
        read = {SIGNAL: own} if whole else _named(own, copies)
        for name in [name for name in read if name not in inputs]:
            graph.input(name, _shape(name, own, 1 + len(copies) if one_clip else "clips"))
        inputs |= read
        versions = [_features(graph, own, found)] if whole else list(read)
        answers = [graph.include(stored[place], version, PROBABILITIES) for version in versions]
        answers = [adjusted(graph, answer, member["class_factors"]) for answer in answers]
        known.append(mean_over_copies(graph, answers) if copies else answers[0])
    together = fused(graph, known, rule) if rule else known[0]
    if calibrated:
        together = at_temperature(graph, together, description["temperature"])
    clips = "clips" if "functionals" in inputs and not one_clip else 1
    graph.output(graph.Cast(together, to=FLOAT), PROBABILITIES, [clips, len(description["classes"])])
    about = metadata_of(description, inputs, calibrated=calibrated)
    return Export(graph.model(about), description, inputs)


def _named(own: dict, copies: list[str]) -> dict[str, dict]:
    """Return by the names of the graph's inputs what a model reads of a recording and of copies of it."""
    names = graph_inputs(own["kind"], len(copies))
    if not copies:
        return {name: own for name in names}
    of = [["", *copies]] if len(names) == 1 else [[text] for text in ("", *copies)]
    return {name: own | {"copies": texts} for name, texts in zip(names, of, strict=True)}


def _graph_of(folder: Path, description: dict) -> ModelProto:
    """Return the graph of a model's folder."""
    if description["trainer"] == "train_transformer":
        raise InputError(f"{folder}: models on pretrained encoders ({description['model']}) have no export")
    try:
        graph = onnx.load_model(folder / FILE)
        onnx.checker.check_model(graph)
        if [each.name for each in graph.graph.input] != [description["input"]["kind"]]:
            raise ValueError("a graph of something else")
    except Exception as error:  # what protobuf and onnx raise has no base of its own
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{folder}/{FILE}: no model that can be exported ({reason}); train it again") from None
    return graph


def takes_samples(description: dict, members: Iterable[dict]) -> bool:
    """Whether a model's graph takes samples, all else inside; by its description and those of its members, or its own.

    Parameters
    ----------
    description : dict
    members : iterable of dict
    """
    return description["normalization"] == "train" and all(_inside(member["input"]) for member in members)


def _inside(own: dict) -> bool:
    """Whether a graph can compute what a model reads."""
    if outside(SimpleNamespace(**own["audio"])):
        return False
    return own["kind"] == "logmel" or (own["kind"] == "frames" and frames_inside(own["extract"]["frames"]["groups"]))


def _features(graph: GraphWriter, own: dict, found: dict[str, str]) -> str:
    """Return what a model reads of the samples, written once for all models that read the same."""
    audio, kind = SimpleNamespace(**own["audio"]), own["kind"]
    if SIGNAL not in found:
        found[SIGNAL] = cleaned(graph, SIGNAL, audio)
    key = json.dumps([kind, own["extract"]])
    if key not in found:
        found[key] = (log_mel if kind == "logmel" else frames)(graph, found[SIGNAL], own["extract"], audio.sample_rate)
    return found[key]


def _shape(name: str, own: dict, rows: int | str) -> list[int | str]:
    if name == SIGNAL:
        return [1, "samples"]
    # copies have lengths of their own: time, time_copy_1, ...
    return [rows if name == ROWS else name.replace(own["kind"], "time"), len(own["names"])]


def metadata_of(description: dict, inputs: dict[str, dict], *, calibrated: bool) -> dict[str, str]:
    """Return what an exported file tells of itself: texts, and lists and settings as JSON (docs/use.md)."""
    first = next(iter(inputs.values()))
    said = {
        "model": description["model"],
        "fold": description["fold"] or "",
        "emotions": json.dumps(description["classes"], ensure_ascii=False),
        "opset": str(OPSET),
        "probabilities": f"at the temperature {description['temperature']:g}" if calibrated else "as predicted",
        "normalization": description["normalization"],
        "input": input_in_words(inputs, description["normalization"]),
        "audio": json.dumps(first["audio"]),
        "learnt_from": json.dumps(description["learnt_from"]["corpora"], ensure_ascii=False),
        "terms": " ".join(inherited_terms(description["learnt_from"]["corpora"])),
    }
    if description["copies"]:
        said["copies"] = copies_in_words(description["copies"], inputs)
    for name, own in inputs.items():
        if name == own["kind"]:  # copies are read by the same
            settings = {key: own["extract"][key] for key in ("n_fft", "hop_length", own["kind"])}
            said |= {f"{name} names": json.dumps(own["names"]), f"{name} settings": json.dumps(settings)}
    return said


def copies_in_words(copies: list[str], inputs: dict[str, dict]) -> str:
    """Return what an exported file makes of the copies that its model answers by."""
    named = ", ".join(copies)
    if any("copies" in own for own in inputs.values()):
        return f"the answer is the mean over the recording and its copies ({named}), whose features go in"
    return f"left out ({named}): the answer is for the recording alone, and not the mean that the model gives"


def input_in_words(inputs: dict[str, dict], normalization: str) -> str:
    """Return what the inputs of an exported file are, what is done inside, and where the rest comes from."""
    audio = next(iter(inputs.values()))["audio"]
    steps = {
        "the offset": audio["remove_dc"],
        "trimming": audio["trim_db"] is not None,
        "the level": audio["normalize"] != "none",
        "the fixed length": audio["fixed_samples"] is not None,
    }
    cleaned_by = ", ".join([step for step, done in steps.items() if done] + ["rounding to 16 bits"])
    if SIGNAL in inputs:
        return (
            f"{SIGNAL}: mono samples at {audio['sample_rate']} Hz, float32 of full scale 1 and shape (1, samples), 0.3 "
            f"to {audio['max_seconds']:g} s; inside are {cleaned_by}, and features"
        )
    named = ", ".join(f"{name}: float32 of shape {_shape_in_words(own)}" for name, own in inputs.items())
    if normalization == "speaker":
        source = "ser.load(model).features_many(recordings), which normalises those of each speaker,"
    else:
        source = "ser.load(model).features(recording)"
    source += " of the Python package reproducible-ser"
    return f"{named}; from {source}: decoding, resampling, {cleaned_by}, features"


def _shape_in_words(own: dict) -> str:
    copies = own.get("copies", [""])
    return SHAPES[own["kind"]] if len(copies) == 1 else f"({len(copies)}, columns), recording and copies"
