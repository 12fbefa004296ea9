"""What a person or a machine may have set for all programs: files of a home, variables, a locale, fonts, a umask."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
from fontTools.ttLib import TTFont

MATPLOTLIBRC = """
figure.facecolor: black
axes.facecolor: "#330033"
axes.prop_cycle: cycler("color", ["lime", "red"])
axes.formatter.use_locale: True
axes.formatter.limits: -1, 1
axes.titlesize: 20
axes.xmargin: 0.3
axes.grid: True
font.family: monospace
font.size: 17
image.cmap: gray
legend.loc: upper left
lines.linewidth: 5
patch.force_edgecolor: True
path.sketch: 3, 100, 2
savefig.bbox: tight
savefig.dpi: 41
savefig.facecolor: yellow
text.hinting: none
text.parse_math: True
text.antialiased: False
xtick.direction: in
svg.fonttype: path
"""
STAGE_HOSTILE = """
import sys
if any(argument.startswith("stages/") or "loky" in argument for argument in sys.orig_argv):
    import builtins, json
    plain = json.dumps
    json.dumps = lambda *given, **named: plain(*given, **{**named, "sort_keys": True, "indent": 7})
    builtins.round = lambda value, digits=None: value
"""
KERAS = {"floatx": "float16", "epsilon": 0.1, "backend": "torch", "image_data_format": "channels_first"}
GITCONFIG = """
[core]
    autocrlf = true
    quotePath = false
    fileMode = true
[color]
    ui = always
[diff]
    noprefix = true
    mnemonicPrefix = true
[status]
    short = true
[log]
    showSignature = true
"""
# read when a library is loaded or first used: other instructions, other kernels, other types, other orders of adding
LIBRARIES = {
    "ATEN_CPU_CAPABILITY": "default",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "FBGEMM_ENABLE_INSTRUCTIONS": "AVX2",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    "KERAS_BACKEND": "torch",
    "KERAS_MAX_EPOCHS": "1",
    "KERAS_MAX_STEPS_PER_EPOCH": "1",
    "MKL_CBWR": "COMPATIBLE",
    "MKL_DYNAMIC": "FALSE",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL",
    "OMP_DYNAMIC": "TRUE",
    "OMP_SCHEDULE": "dynamic,1",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_BLOCK_FACTOR": "7",
    "PANDAS_FUTURE_INFER_STRING": "0",
    "SCIPY_ARRAY_API": "1",
    "SKLEARN_ASSUME_FINITE": "1",
    "SKLEARN_PAIRWISE_DIST_CHUNK_SIZE": "3",
    "SKLEARN_WORKING_MEMORY": "1",
    "SOXR_USE_SIMD": "0",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_SET_ONEDNN_FPMATH_MODE": "BF16",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
}
THREADS = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def own_home(folder: Path) -> Path:
    """Make a home full of settings and of fonts under the name of Matplotlib's own."""
    home = folder / "home"
    python = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    for name, content in {
        ".config/matplotlib/matplotlibrc": MATPLOTLIBRC,
        ".config/dask/own.yaml": "distributed: {comm: {compression: zlib}}\n",
        ".gitconfig": GITCONFIG,
        ".keras/keras.json": json.dumps(KERAS),
        f".local/{python}/usercustomize.py": STAGE_HOSTILE,
        "python/sitecustomize.py": STAGE_HOSTILE,
        "python/sklearn/__init__.py": "raise ImportError('another scikit-learn')\n",
        "python/ser/__init__.py": "raise ImportError('another library')\n",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
    fonts = home / ".local/share/fonts"
    fonts.mkdir(parents=True)
    own = Path(matplotlib.get_data_path()) / "fonts/ttf"
    for file, name in (("DejaVuSerif.ttf", "DejaVu Sans"), ("DejaVuSerif-Bold.ttf", "DejaVu Sans")):
        font = TTFont(own / file)
        for record in font["name"].names:
            if record.nameID in (1, 4, 6, 16):
                record.string = name
        font.save(fonts / file)
    return home


def locales(folder: Path, **wanted: str) -> str:
    """Make locales, ``tr_TR="UTF-8"``, that most machines lack; return where they are, or nothing without localedef."""
    if not shutil.which("localedef"):
        return ""
    for name, letters in wanted.items():
        command = ["localedef", "--no-archive", "--force", "-i", name, "-f", letters, f"{folder}/{name}.{letters}"]
        if subprocess.run(command, capture_output=True).returncode > 1:  # 1: with warnings
            return ""
    return str(folder)
