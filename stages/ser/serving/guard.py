"""What stands before the service: who may ask, what every answer carries, and the log, which knows no file names."""

import asyncio
import contextlib
import hmac
import ipaddress
import json
import sys
import time
import traceback
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ser.serving.measurements import Measurements

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self' blob:; "
        "img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
OPEN = ("/", "/health", "/docs", "/openapi.json")  # nothing of anybody's is in them, so they need no token
OPEN_BELOW = "/page/"
ROUTES = (*OPEN, "/model", "/metrics", "/predict", "/timeline", "/export", "/live")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
LOCAL = ("localhost", "127.0.0.1", "::1")
HUNG_UP = 499  # as others log it
SUBPROTOCOL = "ser"
TOKEN_PREFIX = "token."  # of the subprotocol by which a web page, which can send a WebSocket no header, gives the token


def is_local(host: str) -> bool:
    """Tell whether a host name or address is that of the machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Asks of every request whether it may come in, before anything of its body is read.

    Parameters
    ----------
    app : ASGI application
    token : str
        That requests must bring; "": none, and then they must be meant for this machine by name, so that no web page
        reaches the service through a name of its own (DNS rebinding).
    host : str
        That the service listens at.
    measurements : Measurements
    """

    def __init__(self, app: ASGIApp, *, token: str, host: str, measurements: Measurements):
        self._app = app
        self._token = token.encode()
        self._hosts = {*LOCAL, host}
        self._measurements = measurements
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        start = time.monotonic()
        status = 0
        is_head = scope.get("method") == "HEAD"

        async def counted_send(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                given = {key.lower() for key, _ in message["headers"]}
                own = ((key.lower().encode(), value.encode()) for key, value in HEADERS.items())
                message["headers"] = [*message["headers"], *(pair for pair in own if pair[0] not in given)]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal:
                await _refuse(scope, counted_send, *refusal)
            else:
                # whatever can be got has a header; the protocol leaves out the body
                await self._app({**scope, "method": "GET"} if is_head else scope, receive, counted_send)
        except asyncio.CancelledError:  # there was no more time before the service ended
            if scope["type"] == "http" and not status:
                await _refuse(scope, counted_send, 503, "the service is shutting down", {})
        except Exception as error:
            report(error)
            if scope["type"] == "http" and not status:
                await _refuse(scope, counted_send, 500, "internal error", {})
        finally:
            self._log(scope, status, time.monotonic() - start)

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"]
        route = path if path in ROUTES else OPEN_BELOW if path.startswith(OPEN_BELOW) else "other"
        method = scope.get("method", "WS")
        self._measurements.count(route, status or HUNG_UP, seconds)
        shown = method if method in (*METHODS, "WS") else "other"
        _say(f"{shown} {route} {status or HUNG_UP} {1000 * seconds:.0f} ms")

    def _refusal(self, scope: Scope) -> tuple[int, str, dict[str, str]] | None:
        """Return status, reason and headers of a refusal; None: it may come in."""
        headers: dict[bytes, list[bytes]] = {}
        for key, value in scope["headers"]:
            headers.setdefault(key, []).append(value)
        host = b"".join(headers.get(b"host", [])).decode("latin-1")
        if not self._token and _name_of(host) not in self._hosts:
            return 403, "the service answers to the names of this machine only, such as localhost", {}
        origin = headers.get(b"origin")
        if origin and not _same_origin(origin, host):
            return 403, "a page of another origin may not use the service", {}
        path = scope["path"]
        is_open = scope["type"] == "http" and (path in OPEN or path.startswith(OPEN_BELOW))
        if self._token and not is_open and not self._has_token(scope, headers):
            return 401, "wanted is the header `Authorization: Bearer TOKEN`", {"WWW-Authenticate": "Bearer"}
        if self.closing and path != "/health":
            return 503, "the service is shutting down", {}
        return None

    def _has_token(self, scope: Scope, headers: dict[bytes, list[bytes]]) -> bool:
        scheme, _, given = b"".join(headers.get(b"authorization", [])).partition(b" ")
        if scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), self._token):
            return True
        offered = scope.get("subprotocols", [])
        tokens = [each.removeprefix(TOKEN_PREFIX).encode() for each in offered if each.startswith(TOKEN_PREFIX)]
        return any(hmac.compare_digest(each, self._token) for each in tokens)


def _name_of(host: str) -> str:
    """Return the name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same_origin(origin: list[bytes], host: str) -> bool:
    """Tell whether a request comes from a page of this service; ``null`` and two origins are none."""
    text = b" ".join(origin).decode("latin-1").lower()
    return text in (f"http://{host.lower()}", f"https://{host.lower()}")


def report(error: BaseException) -> None:
    """Print where an error of ours happened, and nothing of what it was about: that may be a client's."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
    _say(f"internal error: {type(error).__name__} in {where}")


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads it any more
        print(line, file=sys.stderr, flush=True)


async def _refuse(scope: Scope, send: Send, status: int, detail: str, headers: dict[str, str]) -> None:
    """Answer without the application; a WebSocket is told by the HTTP answer to its first request."""
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    content = json.dumps({"detail": detail}).encode()
    lines: list[Any] = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    lines += [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    await send({"type": f"{kind}.start", "status": status, "headers": lines})
    await send({"type": f"{kind}.body", "body": content})
