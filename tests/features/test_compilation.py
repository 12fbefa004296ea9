"""Nothing is compiled: what Numba compiles, as librosa does, would be compiled by several workers at once."""

import os
import subprocess
import sys

from conftest import ROOT

FEATURES = """
import numpy as np
from ser.features.extraction import INPUTS, input_names, spectrum
from ser.settings.all_sections import load_params

extract = load_params().extract
input_names("functionals", 16000, extract)
y = 0.1 * np.random.default_rng(0).standard_normal(32000).astype(np.float32)
clip = spectrum(y, 16000, n_fft=512, hop_length=256)
for kind, compute in INPUTS.items():
    compute(clip, getattr(extract, kind))
"""

AUDIO = """
import numpy as np
from ser.audio.cleaning import clean, to_float
from ser.augmentation.changed_copies import augment
from ser.settings.all_sections import load_params

params = load_params()
rng = np.random.default_rng(0)
y = to_float(clean(0.1 * rng.standard_normal(96000).astype(np.float32), 48000, params.prepare).samples)
for kind in ("noise", "speed", "stretch", "pitch", "shift", "gain", "telephone"):
    augment(y, 16000, kind, params.augment, rng)
"""


def compiled_by(code: str, cache) -> set[str]:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT / "stages")}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    return {f"{path.name} {path.stat().st_mtime_ns}" for path in cache.rglob("*") if path.is_file()}


def test_audio_and_augmentation_compile_nothing(tmp_path):
    assert compiled_by(AUDIO, tmp_path) == set()


def test_extraction_compiles_nothing(tmp_path):
    assert compiled_by(FEATURES, tmp_path) == set()
