"""Features of clips that nobody spoke: voices and emotions as a few directions in noise, as features have them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from ser.features.extraction import input_names
from ser.settings.all_sections import load_params

ROOT = Path(__file__).resolve().parents[1]
FACTORS = 40  # that all features come from
ROWS = 1000  # that are drawn at a time


def write_features(folder: Path, clips: pd.DataFrame, chosen: str, seed: int) -> int:
    """Write data/features/prepared/functionals.* of a set, such as ``compact``; return how many columns it has."""
    params = load_params(ROOT / "params.yaml")
    settings = params.extract.functionals.model_copy(update={"set": chosen})
    extract = params.extract.model_copy(update={"functionals": settings})
    names = input_names("functionals", params.prepare.sample_rate, extract)
    rng = np.random.default_rng(seed)
    effects = [
        strength * rng.normal(size=(clips[label].nunique(), FACTORS))
        for label, strength in (("speaker", 1.0), ("emotion", 0.7))
    ]
    who, how = (np.unique(clips[label], return_inverse=True)[1] for label in ("speaker", "emotion"))
    loads = (rng.normal(size=(FACTORS, len(names))) / FACTORS**0.5).astype(np.float32)
    place = folder / "data/features/prepared"
    place.mkdir(parents=True, exist_ok=True)
    table = np.lib.format.open_memmap(
        place / "functionals.npy", mode="w+", dtype=np.float32, shape=(len(clips), len(names))
    )
    for start in range(0, len(clips), ROWS):
        rows = slice(start, start + ROWS)
        factors = effects[0][who[rows]] + effects[1][how[rows]]
        factors = (factors + rng.normal(size=factors.shape)).astype(np.float32)
        table[rows] = factors @ loads + rng.normal(scale=0.6, size=(len(factors), len(names)))
    table.flush()
    (place / "functionals.json").write_text(json.dumps({"kind": "functionals", "names": names}))
    return len(names)
