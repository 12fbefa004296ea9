"""The kind of CPU, which decides whether two runs can give the same bytes."""

import platform

import numpy as np
import scipy.linalg  # noqa: F401  (loads SciPy's BLAS beside NumPy's, so that both are found)
from threadpoolctl import threadpool_info


def describe_machine() -> dict[str, str]:
    """Return what linear algebra depends on: system, architecture, vector instructions, kernels of the BLAS."""
    kernels = {library["architecture"] for library in threadpool_info() if "architecture" in library}
    instructions = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "instructions": " ".join(instructions),
        "blas_kernels": " ".join(sorted(kernels)),
    }
