"""Seeds derived from a parameter and the identity of the item they are for.

A draw then depends on nothing else: not on the order of the items, the number of workers or what else ran.
"""

import hashlib

import numpy as np


def derive_seed(seed: int, *identity: str | int) -> int:
    """Return a 31-bit seed for one item (31 bits: every framework takes them).

    Parameters
    ----------
    seed : int
        The seed of the section of ``params.yaml`` that the draw belongs to.
    *identity : str or int
        What names the item, such as a clip's name and the number of its copy.
    """
    text = "\x1f".join(str(part) for part in (seed, *identity))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def generator(seed: int, *identity: str | int) -> np.random.Generator:
    """Return a NumPy generator for one item; see `derive_seed`."""
    return np.random.default_rng(derive_seed(seed, *identity))
