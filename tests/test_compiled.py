"""No worker process compiles: what the stages use of librosa is in Numba's cache once `compile_librosa` has run."""

import os
import subprocess
import sys

from conftest import ROOT

AUGMENT = """
import numpy as np
from ser.audio import to_float
from ser.augmentation import augment
from ser.params import load_params

rng = np.random.default_rng(0)
y = 0.1 * rng.standard_normal(32000).astype(np.float32)
for kind in ("noise", "speed", "stretch", "pitch", "shift", "gain", "telephone"):
    augment(y, 16000, kind, load_params().augment, rng)
"""

USE = """
import numpy as np
from ser.audio import clean
from ser.features.extraction import INPUTS, spectrum
from ser.params import load_params

params = load_params()
rng = np.random.default_rng(0)
for sr in (48000, 16000):
    for dtype in (np.float32, np.float64):
        samples = clean(0.1 * rng.standard_normal(2 * sr).astype(dtype), sr, params.prepare)
y = (samples / 32768).astype(np.float32)
clip = spectrum(y, 16000, n_fft=512, hop_length=256)
for kind, compute in INPUTS.items():
    compute(clip, getattr(params.extract, kind))
"""


def compiled_by(code: str, cache) -> set[str]:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT / "stages")}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=300)
    return {f"{path.name} {path.stat().st_mtime_ns}" for path in cache.rglob("*") if path.is_file()}


def test_the_stages_compile_nothing_that_was_not_compiled_before(tmp_path):
    before = compiled_by("from ser.compiled import compile_librosa; compile_librosa()", tmp_path)
    assert len(before) > 5
    assert compiled_by(USE, tmp_path) == before


def test_augmentation_compiles_nothing(tmp_path):
    assert compiled_by(AUGMENT, tmp_path) == set()
