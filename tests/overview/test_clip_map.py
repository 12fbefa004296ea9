"""The map of all clips: what is alike lies together, and the same bytes each time."""

import os
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from ser.overview import clip_map as module
from ser.overview.clip_map import NEAREST, Neighbours, alike, clip_map, nearest_clips, principal_components


def groups_of_clips(groups: int, size: int, columns: int = 30, apart: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Return features of groups around middles of their own, and the group of each clip."""
    rng = np.random.default_rng(7)
    labels = np.repeat(np.arange(groups), size)
    middles = apart * rng.normal(size=(groups, columns)) / columns**0.5 * 3
    return (middles[labels] + rng.normal(size=(len(labels), columns))).astype(np.float32), labels


def mapped(inputs: np.ndarray) -> np.ndarray:
    components = principal_components(inputs)
    return clip_map(components, nearest_clips(components) if components.shape[1] else None)


def test_groups_stay_together():
    inputs, labels = groups_of_clips(5, 40)
    places = mapped(inputs)
    distances = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(len(places))
    assert (labels[distances.argmin(axis=1)] == labels).all()


@pytest.mark.parametrize("count", [2, 3, 9, 10, 11, 40])
def test_places_are_from_0_to_1_by_one_scale_however_few_clips(count):
    places = mapped(np.random.default_rng(1).normal(size=(count, 12)).astype(np.float32))
    assert places.shape == (count, 2) and np.isfinite(places).all()
    assert places.min() >= 0 and places.max() <= 1
    spans = np.ptp(places, axis=0)
    assert spans.max() == pytest.approx(1, abs=2e-4)
    np.testing.assert_allclose(places.min(axis=0) + places.max(axis=0), 1, atol=2e-4)  # in the middle


def test_scale_and_place_of_a_feature_do_not_matter():
    inputs, _ = groups_of_clips(3, 10)
    scaled = inputs * np.float32(8) + np.float32(32)
    np.testing.assert_allclose(principal_components(scaled), principal_components(inputs), atol=1e-3)


def test_missing_values_constants_and_outliers_do_no_harm():
    inputs, labels = groups_of_clips(4, 30)
    spoilt = np.hstack([inputs, np.full((len(inputs), 2), 3.0, dtype=np.float32)])
    spoilt[5, 3], spoilt[7, 4] = np.nan, np.inf
    spoilt[9, 5] = 1e9
    places = mapped(spoilt)
    distances = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(len(places))
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95


def test_equal_clips_lie_at_one_place():
    assert (mapped(np.ones((20, 5), dtype=np.float32)) == 0.5).all()
    inputs, _ = groups_of_clips(1, 120)
    places = mapped(np.vstack([inputs, inputs[:60]]))  # copies: t-SNE meets distances of 0
    assert np.isfinite(places).all()
    copies = np.linalg.norm(places[120:] - places[:60], axis=1)
    assert np.median(copies) < 0.05


def test_the_same_bytes_whatever_the_number_of_threads():
    """With exact principal components, and with those by projections."""
    code = (
        "import hashlib; import numpy as np; from ser.overview.clip_map import *\n"
        "for columns in (20, 1500):\n"
        "    x = np.random.default_rng(3).normal(size=(300, columns)).astype(np.float32)\n"
        "    c = principal_components(x); p = clip_map(c, nearest_clips(c))\n"
        "    print(hashlib.sha256(p.tobytes()).hexdigest())"
    )
    found = set()
    for threads in ("1", "4"):
        environment = os.environ | {"OMP_NUM_THREADS": threads, "PYTHONPATH": str(ROOT / "stages")}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        found.add(run.stdout)
    assert len(found) == 1


def test_the_map_keeps_as_many_neighbours_as_one_of_three_times_the_steps(monkeypatch):
    """Longer steps in the second part are what makes few enough."""
    inputs, _ = groups_of_clips(12, 25, apart=2.0)
    components = principal_components(inputs)
    neighbours = nearest_clips(components)

    def kept() -> float:
        near = nearest_clips(clip_map(components, neighbours)).rows[:, :NEAREST]
        return np.mean([len({*a} & {*b}) / NEAREST for a, b in zip(near, neighbours.rows[:, :NEAREST], strict=True)])

    usual = kept()
    monkeypatch.setattr(module, "STEPS", (250, 2000))
    assert usual > 0.95 * kept()


def test_the_last_digit_of_a_feature_does_not_turn_the_map_round():
    """Another processor rounds otherwise: the picture has to be the same one, though its bytes are not."""
    rng = np.random.default_rng(7)
    rows = np.arange(720)
    factors = rng.normal(size=(12, 10))[rows % 12] + rng.normal(size=(6, 10))[rows // 12 % 6]
    factors += 0.5 * rng.normal(size=factors.shape)
    inputs = (factors @ rng.normal(size=(10, 40)) + 0.5 * rng.normal(size=(720, 40))).astype(np.float32)
    places = mapped(inputs)
    for seed in (2, 3):
        noise = 1e-6 * np.random.default_rng(seed).normal(size=inputs.shape)
        other = mapped((inputs * (1 + noise)).astype(np.float32))
        assert min(np.corrcoef(places[:, axis], other[:, axis])[0, 1] for axis in (0, 1)) > 0.9


def test_alike_counts_pairs_with_known_labels():
    neighbours = Neighbours(np.array([[1, 2], [0, 3], [3, 0], [2, 1]]), np.ones((4, 2)))
    assert alike(neighbours, np.array(["a", "a", "b", "b"])) == (0.5, 1 / 3)
    assert alike(neighbours, np.array(["a", "a", "b", ""])) == (2 / 4, 1 / 3)
    assert alike(neighbours, np.array(["a"] * 4)) is None
    assert alike(neighbours, np.array(["a", "b", "c", "d"])) is None
    assert alike(neighbours, np.array([""] * 4)) is None
