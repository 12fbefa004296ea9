"""How a stage begins and ends: as this machine computes, whatever is set on it; and with one line for the user instead
of a traceback where the input is at fault and not the program.
"""

import errno
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from ser import STARTED_BY

# Variables that let libraries compute in another way: other instructions, kernels, types, sizes of blocks. Beginnings
# of names, from the documents and the code of NumPy, SciPy, pandas, scikit-learn, OpenBLAS, MKL, oneDNN, FBGEMM, torch,
# TensorFlow, XLA, Keras, soxr, CUDA and the C library. How many threads there may be is not among them: that is up to
# the user and changes no byte.
STEERING = (
    *("ATEN_CPU_", "DNNL_", "FBGEMM_", "GLIBC_TUNABLES", "KERAS_MAX_", "KERAS_NNX_", "MKL_CBWR", "MKL_DEBUG_CPU_TYPE"),
    *("MKL_DISABLE_FAST_MM", "MKL_ENABLE_INSTRUCTIONS", "MKL_NUM_STRIPES", "MKL_VML_", "NPY_", "NVIDIA_TF32_"),
    *("ONEDNN_", "OPENBLAS_BLOCK_FACTOR", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PANDAS_", "SCIPY_", "SKLEARN_"),
    *("SOXR_", "TF2_", "TF_", "TORCH_ALLOW_TF32_", "TORCH_BLAS_", "TORCH_CUDNN_", "TORCH_LINALG_", "TORCH_LINEAR_"),
    *("TORCH_MKLDNN_", "XLA_FLAGS"),
)
# of these, what is about messages, memory and threads; `ser.networks.keras_backend` sets the one of oneDNN, TensorFlow
# itself TF2_BEHAVIOR, whatever it was. The second line is of Terraform, which has nothing to do with TensorFlow.
HARMLESS = (
    *("SOXR_NUM_THREADS", "TF2_BEHAVIOR", "TF_CPP_", "TF_ENABLE_ONEDNN_OPTS", "TF_FORCE_GPU_", "TF_GPU_", "TF_NUM_"),
    *("TF_CLI_", "TF_DATA_DIR", "TF_IN_AUTOMATION", "TF_INPUT", "TF_LOG", "TF_PLUGIN_", "TF_TOKEN_", "TF_VAR_"),
    "TF_WORKSPACE",
)
STARTED_AGAIN = "SER_STARTED_AGAIN"
# what a Python that starts reads, for the processes that a stage starts; -X utf8 -Es are of the stage's own
PLAIN_PYTHON = {"PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}
REMEDIES = {  # of what the system refuses
    errno.ENOSPC: "free some space and run it again",
    errno.EDQUOT: "free some space and run it again",
    errno.EROFS: "make it writable, or name another place",
    errno.EACCES: "make it accessible, or name another place",
    errno.EPERM: "make it accessible, or name another place",
}
# of what may as well be the program's fault
DOUBTFUL = (errno.EBADF, errno.EEXIST, errno.EINVAL, errno.EISDIR, errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY)
PARENT_CHECK = 0.2  # s


class InputError(Exception):
    """Parameters or data that the pipeline cannot work with; the message names what, where and the remedy."""


def install(extra: str) -> str:
    """Return the command that installs what some part needs, such as ``train`` (see pyproject.toml)."""
    return f"pip install -e '.[{extra}]' -c constraints.txt (in a clone of the project)"


def refusal(error: OSError) -> str:
    """Return in one line what the system refused: the file, the reason and, where there is one, the remedy."""
    reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
    # a file that is being written has another name until it is whole
    name = error.filename if isinstance(error.filename, str | bytes | os.PathLike) else str(error.filename)
    place = "" if error.filename is None else re.sub(r"\.tmp-(\d+-){0,2}", "", os.fsdecode(name)) + ": "
    remedy = REMEDIES.get(error.errno or 0)
    return f"{place}{reason}" + (f": {remedy}" if remedy else "")


def print_any_letters() -> None:
    """Let a terminal of any encoding show what it can of labels and names of files, and the rest as escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def steering(variables: Iterable[str]) -> list[str]:
    """Return the names of those variables that let libraries compute in another way than they would by themselves."""
    return sorted(name for name in variables if name.startswith(STEERING) and not name.startswith(HARMLESS))


def compute_as_usual() -> None:
    """Forget what is set on this machine and would change results; for the program, and for what it starts.

    Libraries have read their variables when they were loaded. So the program starts again, if it is a stage's: the
    stages import libraries first, and one that runs within another program (a test's, say) must not replace that.
    """
    if sys.flags.ignore_environment:
        for name in [name for name in os.environ if name.startswith("PYTHON")]:
            del os.environ[name]
        os.environ.update(PLAIN_PYTHON)
    script = Path(sys.argv[0])
    is_stage = sys.argv[0] in sys.orig_argv and script.resolve().parent == Path(__file__).resolve().parents[1]
    again = os.environ.pop(STARTED_AGAIN, None)
    if not is_stage or not (found := steering(os.environ)):
        return
    if again is not None:  # a .pth file or a library sets it whenever Python starts
        print(f"warning: {', '.join(found)}: set as Python starts, results may change", file=sys.stderr, flush=True)
        return
    print(f"note: {', '.join(found)}: not heeded, results would change", file=sys.stderr, flush=True)
    kept = {name: value for name, value in os.environ.items() if name not in found} | {STARTED_AGAIN: "1"}
    command = [sys.executable, *sys.orig_argv[1:]]
    if os.name == "nt":  # exec ends the process there that DVC waits for
        raise SystemExit(subprocess.run(command, env=kept).returncode)
    os.execve(sys.executable, command, kept)


def end_in_order() -> None:
    """Let SIGTERM and SIGHUP end the process as Ctrl-C does: what is being written is removed."""

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        return  # no other may
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no second one; nohup ignores it
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


def end_with(parent: int) -> None:
    """End this process when its parent is gone: what it still wrote would get among the next run's."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def stage_errors() -> Iterator[None]:
    """Turn an `InputError`, what the system refuses, and an interruption into one line and an exit code.

    A stage that DVC runs ends with DVC: the next `dvc repro` would run it while the first still writes.
    """
    print_any_letters()
    compute_as_usual()
    end_in_order()
    if "DVC_STAGE" in os.environ:
        end_with(STARTED_BY)
    try:
        yield
    except InputError as error:
        _end(error, f"error: {error}", 1)
    except OSError as error:
        if error.errno is None and error.filename is None:
            raise  # no refusal of the system
        place = _place_in_code(error) if error.errno in DOUBTFUL else ""
        _end(error, f"error: {refusal(error)}{place}", 1)
    except KeyboardInterrupt as error:
        _end(error, "interrupted", 130)


def _place_in_code(error: BaseException) -> str:
    """Return the line of ours that led to an error."""
    stages = Path(__file__).resolve().parents[1]
    places = [(Path(step.filename).resolve(), step.lineno) for step in traceback.extract_tb(error.__traceback__)]
    ours = [(path.relative_to(stages.parent), line) for path, line in places if path.is_relative_to(stages)]
    return f" ({ours[-1][0].as_posix()}, line {ours[-1][1]})" if ours else ""


def _end(error: BaseException, line: str, code: int) -> NoReturn:
    traceback.clear_frames(error.__traceback__)  # what still works ends, and its progress bar's line with it
    print(line, file=sys.stderr)
    raise SystemExit(code) from None
