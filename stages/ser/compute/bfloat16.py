"""Whether the CPU multiplies bfloat16 faster than float32."""

from functools import cache
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")  # of Linux
INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}


@cache
def multiplies_bfloat16() -> bool:
    """Return whether the CPU has instructions for products of bfloat16 numbers; where nothing tells, False.

    A kind of CPU has them or has not: results differ between kinds anyway, and on one they stay the same.
    """
    try:
        flags = next(line for line in CPU_INFO.read_text().splitlines() if line.startswith("flags"))
    except (OSError, StopIteration):
        return False
    return not INSTRUCTIONS.isdisjoint(flags.split())
