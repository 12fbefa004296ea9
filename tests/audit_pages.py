"""Pages of the audit, of recordings that are made up: with leaks, with many emotions, with names of all kinds."""

from pathlib import Path

import numpy as np
import pandas as pd

from ser.audit.findings_page import write_page
from ser.audit.label_leaks import measure_cues
from ser.audit.quarantine_tables import reason_kinds, summarize

HOSTILE = '</td><script>alert("1")</script>&amp;|`$x_{'
COLUMNS = ["corpus", "file", "finding", "detail", "done"]


def make_recordings(
    emotions: list[str], *, speakers: int = 12, corpora: int = 1, planted: bool = False
) -> pd.DataFrame:
    """Return the recordings of some corpora; with planted leaks, length, level and codec tell the emotions."""
    rng = np.random.default_rng(1)
    rows = []
    for corpus in range(corpora):
        for speaker in range(speakers):
            for place, emotion in enumerate(emotions):
                for take in range(4):
                    told = place if planted else 0
                    rows.append(
                        {
                            "corpus": f"corpus{corpus}",
                            "speaker": f"corpus{corpus}:{speaker}",
                            "sex": ("female", "male", "")[speaker % 3],
                            "emotion": emotion,
                            "statement": f"{take}",
                            "seconds": 2 + 0.3 * told + 0.1 * rng.random(),
                            "level_db": -30 + 2 * told + 3 * rng.random(),
                            "level_active": -25 + 2 * told + rng.random(),
                            "peak_db": -3 * rng.random(),
                            "bandwidth": 7000 + 900 * rng.random() + (30 * place if place % 2 else 0),
                            "encoding": "OGG VORBIS" if planted and place % 2 else "WAV PCM_16",
                            "clip": f"corpus{corpus}/{speaker}-{emotion}-{take}",
                        }
                    )
    table = pd.DataFrame(rows)
    return table.assign(clean_seconds=table["seconds"])


def make_page(path: Path, clips: pd.DataFrame, *, left_out: int = 0, p: float | None = None) -> pd.DataFrame:
    """Write the page of recordings; with so many more that are left out; `p`: of every cue. Return the cues."""
    cues = measure_cues(clips, 1).round(4)
    if p is not None:
        cues = cues.assign(p=p).assign(p=lambda table: table["p"].where(table["cue"] != "clipped"))
    names = [
        f"corpus0/a folder with a rather long name/{HOSTILE if n == 0 else 'recording'}-{n:06}.wav"
        for n in range(left_out)
    ]
    reasons = [
        "empty file",
        f"same audio as {names[0] if names else ''}",
        "too short (0.12 s)",
        "not readable as audio: no",
    ]
    quarantine = pd.DataFrame(
        {"corpus": "corpus0", "file": names, "reason": [reasons[n % 4] for n in range(left_out)]}, dtype=str
    )
    found = {"file": names, "finding": ["clipping" if n % 3 else "sample rate" for n in range(left_out)]}
    findings = pd.DataFrame(
        found | {"corpus": "corpus0", "detail": "0.31 % of the samples", "done": "used as it is"}, columns=COLUMNS
    )
    write_page(
        path,
        title="Data audit",
        summary=summarize(clips, quarantine, cues),
        clips=clips,
        tables={"cues": cues, "findings": findings, "quarantine": quarantine},
        kinds=reason_kinds(quarantine["reason"]),
    )
    return cues
