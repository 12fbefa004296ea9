"""The descriptors of frames as an ONNX graph: what `ser.features.frame_sequences` computes, all but pitch.

The filters are those of `ser.features`. The order of additions differs, and with it the last digits.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from ser.exporting.spectrum_graph import frame_numbers, power_spectrum
from ser.features import spectral
from ser.features.descriptors import LOUDNESS_FLOOR
from ser.features.filter_banks import chroma_filters, mel_filters
from ser.features.frames import RUN, bin_frequencies, triangle
from ser.graphs.graph_writer import DOUBLE, FLOAT, INT64

if TYPE_CHECKING:
    from ser.graphs.graph_writer import GraphWriter

END = np.iinfo(np.int64).max
DECIBELS = float(10 / np.log(10))  # of a natural logarithm
LEAST_VARIANCE = 1e-6  # kHz², as in `ser.features.spectral.spectral_shape`


def frames_inside(groups: Collection[str]) -> bool:
    """Whether a graph can compute the frame sequence of these groups: it cannot find the pitch."""
    return "pitch" not in groups


def log_mel(graph: GraphWriter, y: str, extract: dict, sr: int) -> str:
    """Return the log-mel spectrogram in dB; see `ser.features.frame_sequences.log_mel_sequence`.

    Parameters
    ----------
    graph : GraphWriter
    y : str
        float32 of shape (samples,).
    extract : dict
        ``n_fft``, ``hop_length`` and ``logmel``, as in the description of a model.
    sr : int
        Hz.

    Returns
    -------
    str
        float32 of shape (frames, n_mels).
    """
    power = power_spectrum(graph, y, n_fft=extract["n_fft"], hop_length=extract["hop_length"])
    return _power_to_db(graph, _mel(graph, power, sr, extract["n_fft"], extract["logmel"]["n_mels"]))


def frames(graph: GraphWriter, y: str, extract: dict, sr: int) -> str:
    """Return descriptors and derivatives frame by frame; see `ser.features.frame_sequences.frame_sequence`.

    Parameters
    ----------
    graph : GraphWriter
    y : str
        float32 of shape (samples,), without -0: the sign of a sample is asked for as ``y < 0``.
    extract : dict
        ``n_fft``, ``hop_length`` and ``frames``, as in the description of a model.
    sr : int
        Hz.

    Returns
    -------
    str
        float32 of shape (frames, columns).

    Raises
    ------
    ValueError
        If pitch is among the groups.
    """
    settings, n_fft, hop_length = extract["frames"], extract["n_fft"], extract["hop_length"]
    groups = set(settings["groups"])
    if not frames_inside(groups):
        raise ValueError("a graph cannot compute the group pitch")
    power = power_spectrum(graph, y, n_fft=n_fft, hop_length=hop_length)
    parts = []
    if groups & {"mfcc", "mel", "energy"}:
        mel = _mel(graph, power, sr, n_fft, settings["n_mels"])
    if groups & {"mfcc", "mel"}:
        decibels = _power_to_db(graph, mel)
    if "mfcc" in groups:
        parts.append(graph.MatMul(decibels, spectral.cosine_transform(settings["n_mels"], settings["n_mfcc"])))
    if "mel" in groups:
        parts.append(decibels)
    if "chroma" in groups:
        parts.append(_chroma(graph, power, sr, n_fft))
    if "energy" in groups:
        parts += [_level(graph, power, n_fft), _loudness(graph, mel), _zero_crossings(graph, y, n_fft, hop_length)]
    if groups & {"spectral", "rolloff", "balance"}:
        floored = graph.Max(power, spectral.AMIN)
        parts += _of_every_bin(graph, floored, groups, sr, n_fft)
    parts = [graph.Concat(*parts, axis=1)]
    for _ in range(settings["deltas"]):
        parts.append(_delta(graph, parts[-1]))
    return graph.Concat(*parts, axis=1)


def _to_decibels(graph: GraphWriter, power: str) -> str:
    return graph.Mul(graph.Log(power), DECIBELS)


def _power_to_db(graph: GraphWriter, power: str) -> str:
    """Return powers in dB, none more than `TOP_DB` below the largest; the floor is found in double precision there."""
    largest = graph.Cast(graph.ReduceMax(power, keepdims=0), to=DOUBLE)
    floor = graph.Max(graph.Mul(largest, np.array(10 ** (-spectral.TOP_DB / 10))), np.array(spectral.AMIN))
    return _to_decibels(graph, graph.Max(power, graph.Cast(floor, to=FLOAT)))


def _mel(graph: GraphWriter, power: str, sr: int, n_fft: int, n_mels: int) -> str:
    return graph.MatMul(power, mel_filters(sr, n_fft, n_mels))


def _chroma(graph: GraphWriter, power: str, sr: int, n_fft: int) -> str:
    energy = graph.MatMul(power, chroma_filters(sr, n_fft))
    largest = graph.ReduceMax(energy, [1])
    heard = graph.Greater(largest, float(np.finfo(np.float32).tiny))
    return graph.Div(energy, graph.Where(heard, largest, 1.0))


def _level(graph: GraphWriter, power: str, n_fft: int) -> str:
    """Return the root mean square in dB, shape (frames, 1): `ser.features.spectral.rms`, by Parseval's theorem."""
    both_sides = np.full((n_fft // 2 + 1, 1), 2 / n_fft**2, dtype=np.float32)
    both_sides[[0, -1]] /= 2
    return _power_to_db(graph, graph.MatMul(power, both_sides))


def _loudness(graph: GraphWriter, mel: str) -> str:
    compressed = graph.Exp(graph.Div(graph.Log(graph.Max(mel, spectral.AMIN)), 3.0))
    return graph.Log(graph.Add(graph.ReduceSum(compressed, [1]), LOUDNESS_FLOOR))


def _zero_crossings(graph: GraphWriter, y: str, n_fft: int, hop_length: int) -> str:
    """Return the share of samples whose sign differs from the one before them in the frame, shape (frames, 1)."""
    negative = graph.Less(y, 0.0)
    changes = graph.Xor(graph.Slice(negative, [1], [END]), graph.Slice(negative, [0], [-1]))
    upto = graph.Concat([0], graph.CumSum(graph.Cast(changes, to=INT64), 0), axis=0)
    centres = graph.Mul(frame_numbers(graph, y, hop_length), [hop_length])
    last = graph.Sub(graph.Min(graph.Add(centres, [n_fft // 2]), graph.Shape(y)), [1])
    first = graph.Max(graph.Sub(centres, [n_fft // 2]), [0])
    inside = graph.Sub(graph.Gather(upto, last, axis=0), graph.Gather(upto, first, axis=0))
    return graph.Unsqueeze(graph.Div(graph.Cast(inside, to=FLOAT), float(n_fft)), [1])


def _of_every_bin(graph: GraphWriter, power: str, groups: set[str], sr: int, n_fft: int) -> list[str]:
    """Return the groups that need the spectrum bin by bin, of powers none of which is below `AMIN`."""
    frequencies = bin_frequencies(sr, n_fft)
    decibels, magnitude = _to_decibels(graph, power), graph.Sqrt(power)
    parts = []
    if "spectral" in groups:
        parts += _moments(graph, magnitude, frequencies)
        parts += _evenness(graph, power, decibels, len(frequencies))
        parts.append(_flux(graph, magnitude))
    if "rolloff" in groups:
        parts += _rolloffs(graph, magnitude, frequencies)
    if "balance" in groups:
        parts += _balance(graph, power, decibels, sr, n_fft)
    return parts


def _moments(graph: GraphWriter, magnitude: str, frequencies: np.ndarray) -> list[str]:
    """Return centroid, spread (Hz), skewness and kurtosis, each of shape (frames, 1).

    In double precision, in which moments about 0 Hz lose nothing; `spectral_shape` takes them about the mean centroid.
    """
    x = frequencies[:, np.newaxis].astype(np.float64) / 1000
    sums = graph.MatMul(graph.Cast(magnitude, to=DOUBLE), x ** np.arange(5))
    whole, *others = graph.Split(sums, axis=1, num_outputs=5, outputs=5)
    first, second, third, fourth = (graph.Div(other, whole) for other in others)

    def times(factor: float, *values: str) -> str:
        product = np.array(factor, dtype=np.float64)
        for value in values:
            product = graph.Mul(product, value)
        return product

    square = graph.Mul(first, first)
    variance = graph.Max(graph.Sub(second, square), np.array(LEAST_VARIANCE))
    spread = graph.Sqrt(variance)
    cubes = graph.Add(graph.Sub(third, times(3, first, second)), times(2, first, square))
    quartics = graph.Sub(fourth, times(4, first, third))
    quartics = graph.Sub(graph.Add(quartics, times(6, square, second)), times(3, square, square))
    found = [
        times(1000, first),
        times(1000, spread),
        graph.Div(cubes, graph.Mul(variance, spread)),
        graph.Div(quartics, graph.Mul(variance, variance)),
    ]
    return [graph.Cast(value, to=FLOAT) for value in found]


def _evenness(graph: GraphWriter, power: str, decibels: str, bins: int) -> list[str]:
    """Return entropy (bits) and flatness (dB), each of shape (frames, 1)."""
    whole = graph.ReduceSum(power, [1])
    level = _to_decibels(graph, whole)
    mean = graph.Div(graph.ReduceSum(graph.Mul(power, decibels), [1]), whole)
    entropy = graph.Mul(graph.Sub(level, mean), float(1 / (10 * np.log10(2))))
    flatness = graph.Add(graph.Sub(graph.ReduceMean(decibels, [1]), level), float(10 * np.log10(bins)))
    return [entropy, flatness]


def _flux(graph: GraphWriter, magnitude: str) -> str:
    share = graph.Div(magnitude, graph.ReduceSum(magnitude, [1]))
    before = graph.Concat(graph.Slice(share, [0], [1], [0]), graph.Slice(share, [0], [-1], [0]), axis=0)
    change = graph.Sub(share, before)
    return graph.Sqrt(graph.ReduceSum(graph.Mul(change, change), [1]))


def _rolloffs(graph: GraphWriter, magnitude: str, frequencies: np.ndarray) -> list[str]:
    """Return the frequencies of `ROLLOFFS`, each of shape (frames, 1).

    Added up in the order of `ser.features.frames.run_sums`: where bins are equally strong, as in digital silence, the
    last digit decides.
    """
    bins = len(frequencies)
    runs = -(-bins // RUN)
    padded = graph.Pad(magnitude, [0, 0, 0, runs * RUN - bins])
    within = graph.MatMul(graph.Reshape(padded, [-1, runs, RUN]), triangle(np.dtype(np.float32)))
    whole = graph.Slice(within, [RUN - 1], [RUN], [2])
    upto = graph.CumSum(whole, 1)
    before = graph.Pad(graph.Slice(upto, [0], [-1], [1]), [0, 1, 0, 0, 0, 0])
    reached = graph.Reshape(graph.Add(within, before), [-1, runs * RUN])
    everything = graph.Slice(reached, [-1], [END], [1])
    found = []
    for share in np.array(spectral.ROLLOFFS, dtype=np.float32) / 100:
        below = graph.Less(reached, graph.Mul(everything, np.array(share)))
        place = graph.ReduceSum(graph.Cast(below, to=INT64), [1])
        found.append(graph.Gather(frequencies, place, axis=0))
    return found


def _balance(graph: GraphWriter, power: str, decibels: str, sr: int, n_fft: int) -> list[str]:
    """Return alpha ratio, Hammarberg index, slopes and the levels of bands, of shapes (frames, 1, 1, 3 and 5)."""
    to_bands, to_slopes = spectral.balance_filters(sr, n_fft)
    levels = _to_decibels(graph, graph.MatMul(power, to_bands))
    low, high, bands, whole = graph.Split(levels, [1, 1, len(spectral.BANDS), 1], axis=1, outputs=4)
    within = [spectral.bins_of(band, sr, n_fft) for band in spectral.HAMMARBERG]
    below, above = (graph.ReduceMax(graph.Slice(decibels, [bins.start], [bins.stop], [1]), [1]) for bins in within)
    return [graph.Sub(low, high), graph.Sub(below, above), graph.MatMul(decibels, to_slopes), graph.Sub(bands, whole)]


def _delta(graph: GraphWriter, columns: str) -> str:
    """Return the derivative of columns of shape (frames, columns); see `ser.features.spectral.delta`."""
    padded = graph.Pad(columns, [2, 0, 2, 0], mode="edge")
    one = graph.Sub(graph.Slice(padded, [3], [-1], [0]), graph.Slice(padded, [1], [-3], [0]))
    two = graph.Sub(graph.Slice(padded, [4], [END], [0]), graph.Slice(padded, [0], [-4], [0]))
    return graph.Div(graph.Add(one, graph.Mul(2.0, two)), 10.0)
