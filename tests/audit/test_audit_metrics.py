"""What the audit gives `dvc metrics diff` to compare, of corpora that lack something."""

import json

import numpy as np
import pytest
import soundfile

from conftest import run_stage, workplace

RATE = 16000


def write_clip(path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    swell = np.abs(np.sin(np.arange(RATE) * 2 * np.pi * (2 + seed % 3) / RATE))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * swell * rng.uniform(-1, 1, RATE), RATE)


def leaves(content) -> list:
    if isinstance(content, dict):
        return [leaf for part in content.values() for leaf in leaves(part)]
    return [content]


@pytest.mark.parametrize(
    "names",
    [
        ["anger/anna", "fear/anna", "anger/berta", "fear/berta"],
        ["anger/anna", "anger/berta"],  # one emotion
        ["anger", "fear"],  # no speakers
        [],  # nothing but what cannot be used
    ],
    ids=["two speakers", "one emotion", "no speakers", "no clip"],
)
def test_the_audit_is_numbers_that_dvc_shows(names, tmp_path):
    place, corpus = workplace(tmp_path / "work", compute__workers=1), tmp_path / "mine"
    for number, name in enumerate(names):
        for take in range(4):
            write_clip(corpus / name / f"{take}.wav", 10 * number + take)
    (corpus / "anger").mkdir(parents=True, exist_ok=True)
    (corpus / "anger/broken.wav").write_bytes(b"RIFF")
    done = run_stage(place, "audit", str(corpus))
    assert done.returncode == 0, done.stderr
    summary = json.loads((place / "reports/audit/audit.json").read_text())
    assert summary["clips"] == 4 * len(names) and summary["quarantined"] >= 1
    values = leaves(summary)
    assert len(values) >= 7
    assert all(type(value) in (int, float) and np.isfinite(value) and value == round(value, 4) for value in values)
