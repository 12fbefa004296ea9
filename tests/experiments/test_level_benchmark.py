"""What benchmarks/recorded_level.py says of the group level: its worth, and the answers that another gain changes."""

import importlib
import os

import numpy as np
import pytest

from conftest import ROOT
from ser.settings.all_sections import load_params
from ser.storage.recorded_level import LEVELS


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            patch.setenv(variable, os.environ.get(variable, "1"))  # which importing it sets
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        return importlib.import_module("recorded_level")


def test_a_gain_changes_answers_where_the_level_is_read(benchmark):
    """Emotions that nothing but the active level tells, 6 dB apart: 12 dB more, and all are taken for the louder."""
    rng = np.random.default_rng(0)
    labels, folds = np.tile([0, 1], 60), np.repeat(np.arange(3), 40)
    x = rng.standard_normal((120, 4 + len(LEVELS)))
    x[:, 4 + LEVELS.index("level_active")] = np.where(labels == 0, -20, -26) + 0.1 * x[:, 0]
    jobs = [benchmark.accuracy.Job(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(3)]
    cells = benchmark.row(x, labels, jobs, load_params(ROOT / "params.yaml")).split(" | ")
    without, usual, louder, softer = (float(cell.removesuffix(" %")) for cell in cells[:4])
    assert without < 0.7 and usual > 0.95
    assert 45 < louder < 55 and 45 < softer < 55
    assert cells[4] == "0.500, 0.500"
