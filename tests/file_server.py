"""A small web server for the tests: with and without ranges, with failures that the test asks for."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = 1 << 14


@dataclass
class Server:
    """What it serves (by path, such as ``/a.zip``), how it fails, and what it was asked for.

    ``drops`` and ``statuses`` are used up from their beginning, one a GET: bytes after which the connection is cut
    (None: not), and answers instead of the file. With ``hold`` it stops there and waits for `release`.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    validators: bool = True
    content_type: str = "application/octet-stream"
    drops: list[int | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    hold: int | None = None
    release: threading.Event = field(default_factory=threading.Event)
    requests: list[dict] = field(default_factory=list)  # method, path, first byte, bytes sent, agent
    address: str = ""

    def url(self, path: str) -> str:
        return self.address + path

    def fetched(self) -> list[tuple[int, int]]:
        """Return first byte and bytes sent of each download, DVC's questions left out."""
        return [(r["first"], r["sent"]) for r in self.requests if r["method"] == "GET" and "aiohttp" not in r["agent"]]


@contextmanager
def serving(**settings) -> Iterator[Server]:
    server = Server(**settings)
    server.files = dict(server.files)  # a test that changes what is served changes it for itself only

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_HEAD(self):
            self.answer(with_body=False)

        def do_GET(self):
            self.answer(with_body=True)

        def answer(self, with_body: bool):
            agent = self.headers.get("User-Agent", "")
            request = {"method": self.command, "path": self.path, "first": 0, "sent": 0, "agent": agent}
            server.requests.append(request)
            ours = with_body and "aiohttp" not in agent
            if ours and server.statuses and (status := server.statuses.pop(0)) != 200:
                return self.send_error(status)
            if self.path not in server.files:
                return self.send_error(404)
            content = server.files[self.path]
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first = 0
            if asked and server.ranges and self.headers.get("If-Range", etag) == etag:
                first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
                if first >= len(content):
                    return self.send_error(416)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
                body = content[first : last + 1]
            else:
                self.send_response(200)
                body = content
            request["first"] = first
            if server.validators:
                self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", server.content_type)
            self.end_headers()
            if with_body:
                drop = server.drops.pop(0) if ours and server.drops else None
                self.send(body[:drop], request)

        def send(self, body: bytes, request: dict):
            try:
                for start in range(0, len(body), BLOCK):
                    if server.hold is not None and request["first"] + start >= server.hold:
                        server.release.wait()
                    self.wfile.write(body[start : start + BLOCK])
                    request["sent"] += len(body[start : start + BLOCK])
            except OSError:
                pass  # the client is gone

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    server.address = f"http://127.0.0.1:{httpd.server_port}"
    try:
        yield server
    finally:
        server.release.set()
        httpd.shutdown()
        httpd.server_close()
