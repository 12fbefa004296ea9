"""The kind of CPU and the graphics cards, which decide whether two runs can give the same bytes."""

import os
import platform
from pathlib import Path

import numpy as np
import scipy.linalg  # noqa: F401  (loads SciPy's BLAS beside NumPy's, so that both are found)
from threadpoolctl import threadpool_info

from ser.compute.bfloat16 import multiplies_bfloat16


def describe_machine() -> dict[str, str]:
    """Return what results depend on: system, architecture, vector instructions, the BLAS's kernels, bfloat16 or not."""
    kernels = {library["architecture"] for library in threadpool_info() if "architecture" in library}
    # NumPy leaves out what is empty: the key is not there on a CPU that has only what NumPy needs
    instructions = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "instructions": " ".join(instructions),
        "blas_kernels": " ".join(sorted(kernels)),
        "bfloat16": "yes" if multiplies_bfloat16() else "no",
    }


def describe_graphics_cards(devices: Path = Path("/dev"), drivers: Path = Path("/proc/driver")) -> list[str]:
    """Return what a framework may compute on besides the CPU, as the system tells it: no framework is imported.

    Parameters
    ----------
    devices, drivers : Path
        Where Linux lists them.
    """
    models = [path.read_text() for path in sorted(drivers.glob("nvidia/gpus/*/information"))]
    named = [line.split(":", 1)[1].strip() for text in models for line in text.splitlines() if line.startswith("Model")]
    nodes = sorted(path.name for pattern in ("nvidia[0-9]*", "kfd") for path in devices.glob(pattern))
    return [*named, *nodes, *(f"{name}={os.environ.get(name)}" for name in ("CUDA_VISIBLE_DEVICES",))]
