"""Threads that work on recordings, a queue of limited length before them, and clients that may hang up meanwhile."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

Answer = TypeVar("Answer")
RETRY_SECONDS = 5


class AbandonedError(Exception):
    """Nobody waits for the answer any more."""


def busy() -> HTTPException:
    """Return the refusal of what there is no room for."""
    return HTTPException(429, "busy: try again in a few seconds", {"Retry-After": str(RETRY_SECONDS)})


class Workers:
    """A pool of threads with a queue that has an end.

    Parameters
    ----------
    name : str
        Of the threads.
    workers, waiting : int
        How many are worked on, and wait, at a time.
    waiting_seconds, work_seconds : float
        s that one waits, and is worked on.
    """

    def __init__(self, name: str, *, workers: int, waiting: int, waiting_seconds: float, work_seconds: float):
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._most = workers + waiting
        self._waiting_seconds, self._work_seconds = waiting_seconds, work_seconds
        self._stops: set[threading.Event] = set()
        self._lock = threading.Lock()
        self.taken = 0  # in the queue and being worked on
        self.running = 0

    @property
    def full(self) -> bool:
        """Whether another one would be refused."""
        return self.taken >= self._most

    async def answer(self, request: Request, work: Callable[[Callable[[], None]], Answer]) -> Answer:
        """Let a thread work for a request, unless its client hangs up before.

        Parameters
        ----------
        request : Request
            Whose body has been read.
        work : callable
            Gets a function to call now and then: it raises `AbandonedError` when nobody waits for the answer any more.

        Raises
        ------
        HTTPException
            429 if there is no room in the queue, or it took too long; 503 if the work did.
        ClientDisconnect
        """
        if self.full:
            raise busy()
        started, stop = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def check() -> None:
            if stop.is_set():
                raise AbandonedError

        def run() -> Answer:
            check()
            loop.call_soon_threadsafe(started.set)
            with self._lock:
                self.running += 1
            try:
                return work(check)
            finally:
                with self._lock:
                    self.running -= 1

        self._stops.add(stop)
        self.taken += 1
        submitted = self._pool.submit(run)
        submitted.add_done_callback(lambda _: _soon(loop, self._done))
        future = asyncio.wrap_future(submitted)
        gone = asyncio.ensure_future(_hung_up(request))
        begun = asyncio.ensure_future(started.wait())
        try:
            waited_for: set[asyncio.Future] = {future, gone}
            await asyncio.wait({*waited_for, begun}, timeout=self._waiting_seconds, return_when=asyncio.FIRST_COMPLETED)
            if not (begun.done() or future.done() or gone.done()):
                raise busy()
            if not (future.done() or gone.done()):
                await asyncio.wait(waited_for, timeout=self._work_seconds, return_when=asyncio.FIRST_COMPLETED)
            if future.done():
                return future.result()
            if gone.done():
                raise ClientDisconnect
            raise HTTPException(503, f"given up after {self._work_seconds:g} s of work: send a shorter recording")
        finally:
            stop.set()
            self._stops.discard(stop)
            future.cancel()
            for task in (gone, begun):
                task.cancel()
            with suppress(asyncio.CancelledError, AbandonedError):
                if future.done():
                    future.exception()  # is known, or of no interest

    def _done(self) -> None:
        self.taken -= 1

    def close(self) -> None:
        """Let nothing begin any more, and end what can be ended."""
        for stop in list(self._stops):
            stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop has ended before the work
        loop.call_soon_threadsafe(call)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
