"""Work on a Dask cluster whose workers see the folder that the stage runs in.

joblib has a Dask backend too. It is not used as it waits for ever for a task that fails outside its function, such as
one whose workers die, and as it does the work here where the cluster has a single thread (seen with joblib 1.6).
"""

import hashlib
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ser.errors import InputError, install

TIMEOUT = 10  # s, for the scheduler to answer and for the first worker to be there
AHEAD = 4  # tasks a thread that are under way or done and not yet fetched
START = "PYTHONPATH=stages dask worker"


def _digest_of_code() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


# Of the files as they were when this process first met them. A worker outlives many runs and never reads a module
# twice: after an edit it would go on computing with the old code.
CODE = _digest_of_code()


def cluster_map(function: Callable, items: Iterable, *, address: str) -> Iterator:
    """Yield ``function(item)`` for all items, in their order, computed by the workers of a Dask scheduler.

    The tasks of a lost worker go to the others; with none left, they wait for one.

    Parameters
    ----------
    function : callable
    items : iterable
    address : str
        Of the scheduler, such as ``tcp://127.0.0.1:8786``.

    Raises
    ------
    InputError
        See `connected`.
    """
    with connected(address) as client:
        ahead = AHEAD * sum(client.nthreads().values())
        futures = deque()
        for item in items:
            futures.append(client.submit(function, item, pure=False))
            if len(futures) == ahead:
                yield futures.popleft().result()
        while futures:
            yield futures.popleft().result()


@contextmanager
def connected(address: str) -> Iterator:
    """Connect to a running scheduler and yield its ``distributed.Client``.

    Raises
    ------
    InputError
        If Dask is not installed, no scheduler answers, or it has no worker that runs this code in this folder. Raised
        in the block if the scheduler is lost, or if worker after worker dies of the same task.
    """
    try:
        from distributed import CancelledError, Client, KilledWorker
    except ImportError:
        raise InputError(f"compute.backend is dask, which is not installed: run {install('dask')}") from None
    try:
        client = Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError):  # ValueError: not an address that Dask can read
        raise InputError(
            f"no Dask scheduler answers at compute.address {address}: start one with `dask scheduler`"
        ) from None
    with client:
        _check_workers(client, address)
        try:
            yield client
        except KilledWorker as error:
            raise InputError(
                f"{error.allowed_failures + 1} Dask workers died of the same task, most often because memory ran out; "
                f"the last was {error.last_worker.address}"
            ) from None
        except CancelledError:
            raise InputError(f"lost the Dask scheduler at {address}: start it and its workers again") from None


def _check_workers(client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=TIMEOUT)
    except TimeoutError:
        raise InputError(
            f"the Dask scheduler at {address} has no workers: start some with `{START} {address}`"
        ) from None
    for worker, spec in client.run(find_spec, "ser").items():  # a function of the standard library reaches any worker
        if spec is None:
            raise InputError(
                f"Dask worker {worker} cannot import ser: start it in {Path.cwd()} with `{START} {address}`"
            )
    with tempfile.NamedTemporaryFile(dir=".", prefix=".tmp-") as file:
        answers = client.run(_look, Path(file.name).name)
    for worker, (sees_folder, code) in answers.items():
        if not sees_folder:
            raise InputError(f"Dask worker {worker} runs in another folder: start it in {Path.cwd()}")
        if code != CODE:
            raise InputError(f"Dask worker {worker} has loaded another version of stages/ser: start it again")


def _look(name: str) -> tuple[bool, str]:
    return Path(name).exists(), CODE
