import numpy as np

from ser.compute.cpu_kind import describe_machine


def test_a_cpu_without_more_than_numpy_needs_is_described(monkeypatch):
    """NumPy's own answer there, or where NPY_DISABLE_CPU_FEATURES names all others."""
    answer = {"SIMD Extensions": {"baseline": ["X86_V2"], "not found": ["X86_V3", "X86_V4"]}}
    monkeypatch.setattr(np, "show_config", lambda mode: answer)
    assert describe_machine()["instructions"] == ""


def test_what_is_found_is_named(monkeypatch):
    monkeypatch.setattr(np, "show_config", lambda mode: {"SIMD Extensions": {"found": ["X86_V3", "X86_V4"]}})
    assert describe_machine()["instructions"] == "X86_V3 X86_V4"
