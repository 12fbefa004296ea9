"""The power spectrogram as an ONNX graph: what `ser.features.frames.spectrum` computes, of any number of samples.

The transform is two products with sines and cosines in double precision, not `STFT` or `DFT`: where n_fft is no power
of two, onnxruntime's single precision is off by up to 1.5 dB, and its double precision takes several times as long.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ser.features.frames import hann
from ser.graphs.graph_writer import DOUBLE, FLOAT

if TYPE_CHECKING:
    from ser.graphs.graph_writer import GraphWriter


def frame_count(graph: GraphWriter, y: str, hop_length: int) -> str:
    """Return the number of frames of a signal of shape (samples,), int64 of shape (1,)."""
    return graph.Add(graph.Div(graph.Shape(y), [hop_length]), [1])


def frame_numbers(graph: GraphWriter, y: str, hop_length: int) -> str:
    """Return 0, 1, … for the frames of a signal of shape (samples,), int64 of shape (frames,)."""
    return graph.Range(0, graph.Squeeze(frame_count(graph, y, hop_length)), 1)


def power_spectrum(graph: GraphWriter, y: str, *, n_fft: int, hop_length: int) -> str:
    """Return the power of Hann-windowed frames centred on multiples of `hop_length`; beyond the ends lie zeros.

    With ``n_fft = parts * length``, sample ``n = part * length + place`` and bin ``k = parts * step + residue``, the
    first product, over the parts, depends on the residue only; the second, over the places, takes in the twiddle
    factors. A frame then takes some ``4 * n_fft ** 1.5`` multiplications, and while they are done 50 bytes a sample.

    Parameters
    ----------
    graph : GraphWriter
    y : str
        float32 of shape (samples,).
    n_fft, hop_length : int
        Samples; `n_fft` is even.

    Returns
    -------
    str
        float32 of shape (frames, 1 + n_fft / 2).
    """
    parts = parts_of(n_fft)
    steps = n_fft // 2 // parts + 1
    length = n_fft // parts
    windowed = graph.Mul(_cut(graph, y, n_fft, hop_length), hann(n_fft).reshape(parts, 1, length))
    over_parts = graph.MatMul(_of_parts(parts), graph.Reshape(graph.Cast(windowed, to=DOUBLE), [parts, -1]))
    real, imaginary = graph.Split(graph.Reshape(over_parts, [2, parts, -1, length]), outputs=2, axis=0, num_outputs=2)
    ones, quarter_turned = _of_places(graph, n_fft, parts)
    values = graph.Add(graph.MatMul(real, ones), graph.MatMul(imaginary, quarter_turned))
    power = graph.ReduceSumSquare(graph.Reshape(values, [parts, -1, steps, 2]), [3], keepdims=0)
    in_order = graph.Reshape(graph.Transpose(graph.Cast(power, to=FLOAT), perm=[1, 2, 0]), [-1, steps * parts])
    return graph.Slice(in_order, [0], [n_fft // 2 + 1], [1])


def parts_of(n_fft: int) -> int:
    """Return the divisor of `n_fft` that makes both products of the transform together smallest."""
    divisors = [number for number in range(1, n_fft + 1) if n_fft % number == 0]
    return min(divisors, key=lambda parts: (parts + n_fft // parts, parts))


def _cut(graph: GraphWriter, y: str, n_fft: int, hop_length: int) -> str:
    """Return the frames, cut into parts: float32 of shape (parts, frames, n_fft / parts)."""
    parts = parts_of(n_fft)
    length = n_fft // parts
    piece = math.gcd(length, hop_length)  # frames and parts begin at multiples of it: what is copied at once
    missing = graph.Mod(graph.Neg(graph.Shape(y)), [piece])
    padded = graph.Pad(y, graph.Concat([n_fft // 2], graph.Add(missing, [n_fft // 2]), axis=0))
    first = graph.Mul(graph.Unsqueeze(frame_numbers(graph, y, hop_length), [1]), [hop_length // piece])
    inside = np.arange(n_fft // piece).reshape(parts, 1, length // piece)
    pieces = graph.Gather(graph.Reshape(padded, [-1, piece]), graph.Add(first, inside), axis=0)
    return graph.Reshape(pieces, [parts, -1, length])


def _of_parts(parts: int) -> np.ndarray:
    """Return the transform over the parts: cosines and sines below one another, float64 of shape (2 * parts, parts)."""
    turns = _turns(parts)[np.outer(np.arange(parts), np.arange(parts)) % parts]
    return np.concatenate([turns[..., 0], turns[..., 1]])


def _of_places(graph: GraphWriter, n_fft: int, parts: int) -> tuple[str, str]:
    """Return the transforms over the places of a part, of real and of imaginary numbers.

    Each is float64 of shape (parts, length, 2 * steps), cosine and sine taking turns. They are made in the graph, when
    a session loads it: stored, they would be half a gigabyte where n_fft is twice a large prime.
    """
    steps = n_fft // 2 // parts + 1
    bins = np.arange(parts)[:, np.newaxis, np.newaxis] + parts * np.arange(steps)
    angles = graph.Mod(graph.Mul(bins, np.arange(n_fft // parts)[:, np.newaxis]), n_fft)
    shape = [parts, n_fft // parts, 2 * steps]
    turns = _turns(n_fft)
    quarter_turned = np.stack([-turns[:, 1], turns[:, 0]], axis=1)
    return tuple(graph.Reshape(graph.Gather(table, angles, axis=0), shape) for table in (turns, quarter_turned))


def _turns(count: int) -> np.ndarray:
    """Return cosine and sine of so many equal steps around the circle, float64 of shape (count, 2)."""
    angles = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
