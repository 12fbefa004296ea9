"""The service as a process: its socket, its temporary folder, and how it ends."""

import asyncio
import contextlib
import os
import re
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from ser.errors import InputError
from ser.serving.application import application
from ser.serving.connections import Connection, Watch
from ser.serving.guard import Guard, is_local
from ser.serving.limits import MESSAGE_BYTES, Limits
from ser.serving.measurements import Measurements
from ser.serving.service import Service
from ser.serving.uploads import temporary_folder

if TYPE_CHECKING:
    from ser.prediction.trained_model import TrainedModel

TOKEN = "SER_TOKEN"
TOKEN_LENGTH = 16  # characters at least
FILES = 3  # open for a connection at most: itself, its upload, what a worker opens
OTHER_FILES = 100
BACKLOG = 2048  # connections that wait to be accepted
LAST_SECONDS = 1.0  # s in which threads that have nothing to do any more end
AT_ONCE = 16  # that are, before one looks whether there is room


def token_for(host: str) -> str:
    """Take the token out of the environment, so that no other process inherits it; "" if there is none.

    Raises
    ------
    InputError
        If there is none and `host` is not this machine alone, or it is too short, or of characters that a WebSocket
        cannot carry.
    """
    token = os.environ.pop(TOKEN, "")
    if token and not re.fullmatch(rf"[A-Za-z0-9._~-]{{{TOKEN_LENGTH},}}", token):
        raise InputError(
            f"{TOKEN} is wanted with at least {TOKEN_LENGTH} characters, of letters, digits and . _ ~ -, such as "
            "`python -c 'import secrets; print(secrets.token_urlsafe())'` prints"
        )
    if not token and not is_local(host):
        raise InputError(
            f"at {host} others could use the service: set {TOKEN} in the environment, a secret of at least "
            f"{TOKEN_LENGTH} characters, or leave out --host"
        )
    return token


def serve(model: "TrainedModel", *, host: str, port: int, limits: Limits) -> int:
    """Serve a model until a signal ends it.

    Parameters
    ----------
    model : TrainedModel
    host : str
        Name or address to listen at.
    port : int
        0: any that is free.
    limits : Limits

    Returns
    -------
    int
        The exit code: 0 after SIGTERM or SIGHUP, 130 after Ctrl-C.

    Raises
    ------
    InputError
        If the model wants to know who speaks, the token is missing, or nothing can listen there.
    """
    if model.by_speaker:
        raise InputError(
            f"{model.folder} wants several clips of each speaker at once: serve a model that was trained with "
            "train.normalization=train"
        )
    token = token_for(host)
    listener = _listener(host, port)
    limits = limits._replace(connections=min(limits.connections, _connections_possible()))
    with temporary_folder() as folder:
        measurements = Measurements()
        service = Service(model, limits, folder, measurements)
        guard = Guard(application(service), token=token, host=host, measurements=measurements)
        config = uvicorn.Config(
            guard,
            http=partial(Connection, limits=limits),  # type: ignore[arg-type]
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            backlog=AT_ONCE,
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(limits.stopping_seconds),
        )
        server = _Server(config, service, guard)
        shown = f"[{host}]" if ":" in host else host
        print(f"{service.name} at http://{shown}:{listener.getsockname()[1]}/ (Ctrl-C ends it)", flush=True)
        try:
            server.run(sockets=[listener])
        finally:
            service.close()
    working = [thread for thread in threading.enumerate() if thread.name.startswith("ser-")]
    end = time.monotonic() + LAST_SECONDS
    for thread in working:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in working):
        sys.stdout.flush()  # what is still being worked on is for nobody: it is not waited for
        os._exit(server.exit_code)
    return server.exit_code


class _Server(uvicorn.Server):
    """uvicorn's, with ends that are told apart, and a look at the connections now and then."""

    def __init__(self, config: uvicorn.Config, service: Service, guard: Guard):
        super().__init__(config)
        self._service, self._guard = service, guard
        self._watch = Watch(service.limits)
        self.exit_code = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or []:
            each.listen(BACKLOG)  # asyncio has made it as short as what it accepts in one go

    async def on_tick(self, counter: int) -> bool:
        if counter % 5 == 0:
            self._watch.look(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.uploads.refuse()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {each: signal.signal(each, self.handle_exit) for each in handled}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            self.exit_code = 130 if sig == signal.SIGINT else 0
            self._guard.closing = True
        super().handle_exit(sig, frame)


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # who reads the address can connect
    except OSError as error:
        remedy = "choose another with --port" if not isinstance(error, socket.gaierror) else "name another with --host"
        raise InputError(f"cannot listen at {host}, port {port}: {error.strerror}; {remedy}") from None
    return listener


def _connections_possible() -> int:
    """Return how many connections the files that this process may open are enough for, after asking for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1 << 14
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, (min(soft, wanted) - OTHER_FILES) // FILES) if soft != resource.RLIM_INFINITY else wanted
