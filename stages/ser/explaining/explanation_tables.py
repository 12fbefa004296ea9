"""An explanation as text: a table to read, JSON and CSV."""

import csv
import io
from typing import Any

import numpy as np

from ser.explaining.explanation import Explanation

DIGITS = 4  # behind the point, of nats and s
PEAKS = 400  # of the waveform's envelope


def as_table(explanation: Explanation) -> str:
    """Return what decided an answer as lines: the answer, the stretches of time, the groups of features."""
    answer, of_time, of_groups = explanation.in_words()
    lines = [answer, ""]
    rows = [("start", "end", "effect", "error", "")]
    for at, one in enumerate(explanation.stretches):
        mark = "stands out" if at == explanation.outlier else ""
        rows.append((f"{one.start:.2f}", f"{one.end:.2f}", f"{one.effect:+.2f}", f"{one.error:.2f}", mark))
    lines += [*_aligned(rows), of_time, ""]
    if explanation.groups:
        inexact = any(group.error for group in explanation.groups)
        heads = [("group", "features", "effect", "error")]
        heads += [(g.name, str(g.features), f"{g.effect:+.2f}", f"{g.error:.2f}") for g in explanation.groups]
        lines += _aligned(heads if inexact else [row[:-1] for row in heads])
    return "\n".join([*lines, of_groups])


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.rjust, row, widths)).rstrip() for row in rows]


def as_dict(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation for JSON; of the samples the envelope of their wave."""
    stands_out = [at == explanation.outlier for at in range(len(explanation.stretches))]
    peaks = envelope(explanation.samples)
    return {
        "name": explanation.name,
        "model": explanation.model,
        "answer": explanation.answer,
        "emotion": explanation.emotion,
        "probabilities": dict(zip(explanation.emotions, explanation.probabilities.tolist(), strict=True)),
        "unfamiliar": explanation.unfamiliar,
        "log_odds": round(explanation.log_odds, DIGITS),
        "in_words": explanation.in_words(),
        "stretches": [
            {**_rounded(one._asdict()), "stands_out": out}
            for one, out in zip(explanation.stretches, stands_out, strict=True)
        ],
        "chance": round(explanation.chance, DIGITS),
        "groups": [_rounded(group._asdict()) for group in explanation.groups],
        "usual_log_odds": explanation.usual_log_odds and round(explanation.usual_log_odds, DIGITS),
        "peaks": [round(float(peak), DIGITS) for peak in peaks],
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in values.items()}


def envelope(samples: np.ndarray) -> np.ndarray:
    """Return the largest magnitude of each of `PEAKS` equal parts of samples, full scale 1; fewer of fewer samples."""
    starts = np.unique(np.linspace(0, len(samples), PEAKS, endpoint=False).astype(int))
    return np.maximum.reduceat(np.abs(samples.astype(np.float32) / 2**15), starts)


def write_csv(explanation: Explanation) -> str:
    """Return the columns of, name, start, end (s), features, effect, error (nats): stretches, then groups."""
    file = io.StringIO(newline="")
    table = csv.writer(file, lineterminator="\r\n")  # as RFC 4180 wants it
    table.writerow(["of", "name", "start", "end", "features", "effect", "error"])
    for at, one in enumerate(explanation.stretches, start=1):
        table.writerow(
            ["time", at, *(f"{value:.{DIGITS}f}" for value in one[:2]), "", *_numbers(one.effect, one.error)]
        )
    for group in explanation.groups:
        table.writerow(["features", group.name, "", "", group.features, *_numbers(group.effect, group.error)])
    return file.getvalue()


def _numbers(*values: float) -> list[str]:
    return [f"{value:.{DIGITS}f}" for value in values]
