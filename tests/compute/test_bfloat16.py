import pytest

from ser.compute import bfloat16

CASES = {
    "processor\t: 0\nflags\t\t: fpu sse avx512_bf16 avx512_vnni\n": True,
    "processor\t: 0\nflags\t\t: fpu amx_bf16 amx_tile\n": True,
    "processor\t: 0\nflags\t\t: fpu sse avx2\n": False,
    "processor\t: 0\nFeatures\t: fp asimd bf16\n": False,
    None: False,
}


@pytest.mark.parametrize("content", CASES)
def test_what_the_system_says_of_the_cpu_decides(content, tmp_path, monkeypatch):
    monkeypatch.setattr(bfloat16, "CPU_INFO", tmp_path / "cpuinfo")
    if content is not None:
        (tmp_path / "cpuinfo").write_text(content)
    assert bfloat16.multiplies_bfloat16.__wrapped__() is CASES[content]
