"""The cleaning of audio as an ONNX graph: what `ser.audio.cleaning.clean` does after resampling, to the same samples.

Every step computes in the precision in which NumPy does it there: a sample that lies between two of 16 bits is then
rounded to the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ser.audio.cleaning import TRIM_BLOCK, amplitude
from ser.graphs.graph_writer import DOUBLE, FLOAT, INT64

if TYPE_CHECKING:
    from ser.audio.cleaning import AudioSettings
    from ser.graphs.graph_writer import GraphWriter

SMALLEST = float(np.finfo(np.float32).tiny)  # stands for a peak of 0: a gain by it is still finite
FULL_SCALE = 32768


def outside(audio: AudioSettings) -> list[str]:
    """Return the steps of cleaning that a graph cannot do with these settings: ``denoise``, ``loudness``, or none."""
    steps = {"denoise": audio.denoise_db is not None, "loudness": audio.normalize == "loudness"}
    return [step for step, wanted in steps.items() if wanted]


def cleaned(graph: GraphWriter, signal: str, audio: AudioSettings) -> str:
    """Remove the offset, trim, normalise, bring to a fixed length and quantise to 16 bits, each if asked for.

    A graph cannot refuse: what `clean` says is silent, too loud or too short is cleaned like any other clip. Digital
    silence stays as long as it is and silent; all that comes out is finite if what goes in is.

    Parameters
    ----------
    graph : GraphWriter
    signal : str
        float32 of shape (1, samples) at ``audio.sample_rate``, of any level; at least one sample.
    audio : AudioSettings
        Without steps that are `outside` a graph.

    Returns
    -------
    str
        float32 of shape (samples left,), of full scale 1: whole multiples of 1 / 32768.

    Raises
    ------
    ValueError
        If a step is `outside`.
    """
    if steps := outside(audio):
        raise ValueError(f"a graph cannot do these steps of cleaning: {', '.join(steps)}")
    y = graph.Reshape(signal, [-1])
    if audio.remove_dc:
        mean = graph.ReduceMean(graph.Cast(y, to=DOUBLE), [0])
        y = graph.Sub(y, graph.Cast(mean, to=FLOAT))
    if audio.trim_db is not None:
        y = _trimmed(graph, y, audio.trim_db)
    y, dtype = _normalized(graph, y, audio)
    if audio.fixed_samples is not None:
        y = graph.Slice(y, [0], [audio.fixed_samples], [0])
        missing = graph.Sub([audio.fixed_samples], graph.Shape(y))
        y = graph.Pad(y, graph.Concat([0], missing, axis=0))
    return _quantized(graph, y, dtype)


def _trimmed(graph: GraphWriter, y: str, top_db: float) -> str:
    """Cut off the ends, as `ser.audio.cleaning.trim` does; of silence nothing."""
    samples = graph.Shape(y)
    missing = graph.Mod(graph.Neg(samples), [TRIM_BLOCK])
    squares = graph.Pad(graph.Mul(y, y), graph.Concat([0], missing, axis=0))
    blocks = graph.Reshape(graph.Cast(squares, to=DOUBLE), [-1, TRIM_BLOCK])
    energy = graph.Pad(graph.ReduceSum(blocks, [1], keepdims=0), [2, 2])
    level = graph.Slice(energy, [0], [-3])
    for start, stop in ((1, -2), (2, -1), (3, np.iinfo(np.int64).max)):
        level = graph.Add(level, graph.Slice(energy, [start], [stop]))
    level = graph.Slice(level, [0], graph.Add(graph.Div(samples, [TRIM_BLOCK]), [1]))
    threshold = graph.Mul(graph.ReduceMax(level, [0]), np.array(amplitude(-top_db) ** 2))
    loud = graph.Cast(graph.Greater(level, threshold), to=FLOAT)
    first, last = graph.ArgMax(loud, axis=0), graph.ArgMax(loud, axis=0, select_last_index=1)
    return graph.Slice(y, graph.Mul(first, [TRIM_BLOCK]), graph.Mul(graph.Add(last, [1]), [TRIM_BLOCK]))


def _normalized(graph: GraphWriter, y: str, audio: AudioSettings) -> tuple[str, type]:
    """Scale by the peak or the root mean square, as `ser.audio.cleaning.normalize` does; return the precision too."""
    if audio.normalize == "none":
        return y, np.float32
    peak = graph.Max(graph.ReduceMax(y, [0]), graph.Neg(graph.ReduceMin(y, [0])), SMALLEST)
    if audio.normalize == "peak":
        return graph.Mul(y, _over(graph, amplitude(audio.peak_db), peak)), np.float32
    wide = graph.Cast(y, to=DOUBLE)
    power = graph.Max(graph.ReduceMean(graph.Mul(wide, wide), [0]), np.array(SMALLEST**2))
    gain, highest = graph.Div(np.array(amplitude(audio.rms_db)), graph.Sqrt(power)), _over(graph, 1.0, peak)
    # NumPy multiplies by the one in double, by the other in single precision
    limited = graph.Less(graph.Cast(highest, to=DOUBLE), gain)
    scaled = graph.Where(limited, graph.Cast(graph.Mul(y, highest), to=DOUBLE), graph.Mul(wide, gain))
    return scaled, np.float64


def _over(graph: GraphWriter, amplitude: float, peak: str) -> str:
    """Return the quotient of single precision, through double, which rounds to the same number.

    onnxruntime would make a product with ``1 / peak`` a division by it, which differs in the last digit.
    """
    quotient = graph.Div(np.array(np.float32(amplitude), dtype=np.float64), graph.Cast(peak, to=DOUBLE))
    return graph.Cast(quotient, to=FLOAT)


def _quantized(graph: GraphWriter, y: str, dtype: type) -> str:
    """Round to 16 bits, halves to even, and return to full scale 1; through whole numbers, which have no -0."""
    low, high = np.array(-FULL_SCALE, dtype), np.array(FULL_SCALE - 1, dtype)
    samples = graph.Clip(graph.Round(graph.Mul(y, np.array(FULL_SCALE, dtype))), low, high)
    return graph.Div(graph.Cast(graph.Cast(samples, to=INT64), to=FLOAT), float(FULL_SCALE))
