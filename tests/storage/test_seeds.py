"""Seeds: a draw depends on its seed and what it is for, and on nothing else."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.storage.seeds import derive_seed, generator

STAGES = Path(__file__).parents[2] / "stages"
MODEST = settings(max_examples=100, deadline=None, database=None, derandomize=True)
parts = st.lists(st.text(max_size=10) | st.integers(-5, 10**6), max_size=4)


@MODEST
@given(st.integers(0, 2**40), parts)
def test_seed_is_a_number_that_every_framework_takes(seed, identity):
    derived = derive_seed(seed, *identity)
    assert isinstance(derived, int)
    assert 0 <= derived < 2**31
    assert derived == derive_seed(seed, *identity)


def test_derivation_does_not_drift_unnoticed():
    """Whoever changes it changes every result. By hand: ``printf '1\\x1ffolds' | sha256sum``, 31 bits of it."""
    assert [derive_seed(1), derive_seed(1, "folds"), derive_seed(2, "c/1", 3)] == [901994809, 1981878305, 1287833368]


def test_seed_does_not_depend_on_the_process():
    """Python's own hash of a string would."""
    program = "from ser.storage.seeds import derive_seed; print(derive_seed(1, 'demo/s01', 2))"
    seeds = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(STAGES), "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for salt in ("1", "2")
    }
    assert seeds == {str(derive_seed(1, "demo/s01", 2))}


def test_seeds_of_many_items_and_seeds_differ():
    seeds = {derive_seed(seed, f"clip{clip}", copy) for seed in (1, 2) for clip in range(500) for copy in range(3)}
    assert len(seeds) == 3000


def test_parts_of_an_identity_do_not_run_together():
    assert len({derive_seed(1, "a", "bc"), derive_seed(1, "ab", "c"), derive_seed(1, "abc")}) == 3
    assert derive_seed(1, 23) != derive_seed(12, 3)


def test_order_of_an_identity_matters():
    assert derive_seed(1, "a", "b") != derive_seed(1, "b", "a")


def test_generators_of_one_item_draw_the_same_and_of_two_items_differently():
    draw = generator(1, "clip", 0).standard_normal(10)
    np.testing.assert_array_equal(draw, generator(1, "clip", 0).standard_normal(10))
    assert not np.allclose(draw, generator(1, "clip", 1).standard_normal(10))


def test_draws_do_not_depend_on_the_order_of_the_items():
    names = [f"clip{number}" for number in range(20)]
    forwards = {name: generator(1, name).random() for name in names}
    assert {name: generator(1, name).random() for name in reversed(names)} == forwards
