"""Connections: how long one may be silent, how many there are, and answers that arrive before a body has been read.

uvicorn waits for a header for ever, and closes a connection on which it has answered early at once: the kernel then
resets it, and a client that was still sending never reads the answer.
"""

import asyncio
import json
import re
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from ser.serving.limits import Limits

LINGER_SECONDS = 30.0  # in which a client that was answered early should have sent the rest, or noticed
SAID_SECONDS = 2.0  # in which one that is sent away should have
UNREAD_BYTES = 1 << 24  # that a live stream's client may let lie; pongs to endless pings, say
# Each chunk of a body takes as long to read as 50 kB of it: in 12 MB there could be a minute's work, and nobody else is
# answered meanwhile. So many short ones (below 256 bytes) may come at once, and one more for so many bytes.
SHORT_CHUNK = re.compile(rb"\r\n0*[0-9A-Fa-f]{1,2}[ \t]*(?:;[^\r\n]*)?\r\n")
SHORT_CHUNKS, BYTES_PER_CHUNK = 64, 64
SILENT_SECONDS = 1.0  # after which an upload may make room for a new connection


class Closing:
    """A transport whose `close` lets a client that is still sending read the answer first."""

    def __init__(self, transport: asyncio.Transport, connection: "Connection"):
        self._transport = transport
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        if self._connection.is_sending() and not self._transport.is_closing():
            self._connection.linger()
        else:
            self._transport.close()


class Connection(H11Protocol):
    """One connection, and since when it waits for what."""

    def __init__(self, *arguments: Any, limits: Limits, **options: Any):
        super().__init__(*arguments, **options)
        self.limits = limits
        self.since = self.heard = self.loop.time()  # of the state it is in; of the last bytes
        self.lingering = False
        self._begun = False  # a header that is not complete
        self._stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = Closing(transport, self)  # type: ignore[assignment]
        if not self._has_room():
            self._say(503, "too many connections: try again in a few seconds")

    def data_received(self, data: bytes) -> None:
        self.heard = self.loop.time()
        if self.lingering:
            return
        self._begun = True
        if len(SHORT_CHUNK.findall(data)) > SHORT_CHUNKS + len(data) // BYTES_PER_CHUNK:
            self.transport.abort()
            return
        super().data_received(data)

    def on_response_complete(self) -> None:
        self.since = self.loop.time()
        self._begun = False
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self.transport = self.transport._transport  # type: ignore[attr-defined]
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._say(400, msg)
        else:  # in the middle of a body, or of an answer
            self.transport.abort()

    def shutdown(self) -> None:
        self._stopping = True
        super().shutdown()

    def is_asking(self) -> bool:
        """Tell whether a request has come that is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def is_sending(self) -> bool:
        """Tell whether a body has not come to its end."""
        return self.cycle is not None and self.cycle.more_body

    def linger(self, seconds: float = LINGER_SECONDS) -> None:
        """Say that no more is to come, and read over what the client sends until it has noticed."""
        self.lingering = True
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(SAID_SECONDS if self._stopping else seconds, self.transport.abort)

    def is_overdue(self, now: float) -> bool:
        """Tell whether it has been waited for the client for long enough."""
        if self.lingering or self.is_asking():
            return False  # it will end by itself, or the service looks after that
        return now - self.since > (LINGER_SECONDS if self.is_sending() else self.limits.header_seconds)

    def give_up(self) -> None:
        """Close it, with a word if there is somebody to hear it."""
        if self._begun and not self.is_sending():
            self._say(408, "the request's header came too slowly")
        else:
            self.transport.abort()

    def _say(self, status: int, detail: str) -> None:
        content = json.dumps({"detail": detail}).encode()
        reason = {400: "Bad Request", 408: "Request Timeout", 503: "Service Unavailable"}[status]
        head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        retry = "Retry-After: 5\r\n" if status == 503 else ""
        self.transport.write(f"{head}{retry}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        self.linger(SAID_SECONDS)

    def _has_room(self) -> bool:
        """Close the connection of which least is to be expected if there are too many; False if all are busy."""
        others = [each for each in self.connections if each is not self and not each.transport.is_closing()]
        if len(others) < self.limits.connections:
            return True
        now = self.loop.time()
        ours = [each for each in others if isinstance(each, Connection)]  # the others are live streams
        idle = [each for each in ours if not each.is_asking()]
        stalled = [each for each in ours if each.is_sending() and now - each.heard > SILENT_SECONDS]
        if not (idle or stalled):
            return False
        min(idle or stalled, key=lambda each: each.heard).transport.abort()
        return True


class Watch:
    """Closes connections that keep the service waiting; to be asked about once a second."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._unsent: dict[Any, tuple[int, float]] = {}  # bytes that a client does not fetch, and since when

    def look(self, connections: set[Any], now: float) -> None:
        """Close those that are overdue.

        Parameters
        ----------
        connections : set of asyncio.Protocol
        now : float
            s, of the loop's clock.
        """
        unsent = {}
        for each in list(connections):
            size = each.transport.get_write_buffer_size()
            before, since = self._unsent.get(each, (size, now))
            stalled = size and size >= before and now - since > self._limits.stall_seconds
            if stalled or (size > UNREAD_BYTES and not isinstance(each, Connection)):
                each.transport.abort()
            elif size:
                unsent[each] = (size, since if size >= before else now)
            if isinstance(each, Connection) and each.is_overdue(now):
                each.give_up()
        self._unsent = unsent
