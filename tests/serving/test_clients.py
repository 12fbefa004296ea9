"""Clients that stall, hang up, send garbage or do not listen: they harm nobody else."""

import random
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from running_service import KIND, RAW, halted, head, open_files, rest, running, until


@pytest.fixture(autouse=True)
def unharmed(service, clips):
    """Behind each test the service answers, its folder is empty, and it has seen no error of its own."""
    yield
    with service.client() as client:
        assert client.post("/predict", content=clips[0].read_bytes(), headers=RAW).status_code == 200
    until(lambda: service.metric("ser_stored_bytes") == 0)
    assert len(service.files()["tmp"]) == 2, service.files()  # its folder and the lock in it
    assert "internal error" not in service.log.read_text()
    assert "Traceback" not in service.log.read_text()


def test_who_sends_nothing_is_cut_off(service):
    assert service.ask(b"") == b""


@pytest.mark.parametrize("sent", [b"P", b"POST /predict HTTP/1.1\r\nHost: local", b"GET /health HTTP/1.1\r\n"])
def test_a_header_that_does_not_end_is_408(service, sent):
    assert service.ask(sent).startswith(b"HTTP/1.1 408 ")


def test_a_header_that_comes_byte_by_byte_is_408_all_the_same(service):
    with service.connect(b"GET /health HTTP/1.1\r\nX: ") as opened:
        opened.settimeout(0.2)
        found = b""
        while not found:
            try:
                found = opened.recv(100)
            except TimeoutError:
                opened.sendall(b"x")
        assert found.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("lines", [["Content-Length: 1000"], ["Transfer-Encoding: chunked"]])
def test_a_body_that_stops_is_408(service, lines):
    assert service.ask(head("/predict", KIND, *lines) + b"64\r\nabc").startswith(b"HTTP/1.1 408 ")


def test_a_body_that_comes_byte_by_byte_is_408_all_the_same(service):
    with service.connect(head("/predict", KIND, "Content-Length: 1000")) as opened:
        opened.settimeout(0.2)
        found = b""
        while not found:
            try:
                found = opened.recv(100)
            except TimeoutError:
                opened.sendall(b"x")
        assert found.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("reset", [False, True])
def test_an_upload_that_is_broken_off_leaves_nothing(service, reset):
    before = open_files(service.process.pid)
    for _ in range(20):
        with service.connect(head("/predict", KIND, "Content-Length: 900000") + bytes(300_000)) as opened:
            if reset:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(lambda: open_files(service.process.pid) <= before + 1)


GARBAGE = {
    "noise": random.Random(1).randbytes(5000),
    "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(50),
    "an endless header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000,
    "many headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 50_000,
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "a negative length": head("/predict", KIND, "Content-Length: -1"),
    "a huge length": head("/predict", KIND, "Content-Length: " + "9" * 5000),
    "two lengths": head("/predict", KIND, "Content-Length: 1", "Content-Length: 2"),
    "both lengths": head("/predict", KIND, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a bad chunk": head("/predict", KIND, "Transfer-Encoding: chunked") + b"zz\r\n",
    "a bad chunk behind a good one": head("/predict", KIND, "Transfer-Encoding: chunked") + b"1\r\nx\r\n-5\r\n",
    "an unknown coding": head("/predict", KIND, "Transfer-Encoding: gzip"),
    "nul": b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no UTF-8": b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an absolute address": b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "a method": b"\xc3\xa4 / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an upgrade": head("/predict", "Connection: upgrade", "Upgrade: h2c", "Content-Length: 0"),
    "a wrong websocket": head("/live", "Connection: upgrade", "Upgrade: websocket", method="GET"),
    "a websocket elsewhere": head(
        "/predict", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", method="GET",
    ),
}  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_refused_and_the_connection_closed(service, garbage):
    with service.connect() as opened:
        try:
            opened.sendall(GARBAGE[garbage])
        except (BrokenPipeError, ConnectionResetError):
            return
        answer = rest(opened)
    assert not answer or answer[9:12].decode() in ("400", "403", "404", "408", "411", "413", "415", "426", "431", "501")


@pytest.mark.parametrize("chunk", [b"1\r\nx\r\n", b"0001;a\r\nx\r\n"])
def test_a_body_of_tiny_chunks_is_not_read(service, chunk):
    """A few are; of millions each would take as long as 50 kB in one piece, and all others would wait."""
    asked = head("/predict", KIND, "Transfer-Encoding: chunked", "Connection: close")
    assert service.ask(asked + 50 * chunk + b"0\r\n\r\n").startswith(b"HTTP/1.1 415 ")
    with service.connect(asked) as opened, suppress(ConnectionError):
        opened.sendall(100_000 * chunk)
        assert opened.recv(100) == b""  # not even the 413 of what is too large


def test_what_a_form_holds_is_not_logged(service):
    with service.client() as client:
        for body in (b"aaa", b"--b\r\nX\xffY: 1\r\n\r\n", b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--bc"):
            answer = client.post("/predict", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
            assert answer.status_code == 400
    lines = service.log.read_text().splitlines()
    assert all(re.fullmatch(r"(warning: .*|\S+ (/\S*|other) \d{3} \d+ ms)", line) for line in lines), lines


def test_random_damage_to_a_request_is_never_a_fault(service, clips):
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.wav"\r\n\r\n' + clips[0].read_bytes()[:3000]
    )
    whole = head(
        "/predict?certainty=0.5", "Content-Type: multipart/form-data; boundary=b", f"Content-Length: {len(form)}"
    )
    whole += form
    rng = random.Random(7)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 3, 30])):
            damaged[rng.randrange(rng.choice([200, len(damaged)]))] = rng.randrange(256)
        with service.connect(bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])])) as opened:
            opened.shutdown(socket.SHUT_WR)
            assert not rest(opened).startswith(b"HTTP/1.1 5")


def test_who_does_not_fetch_its_answers_is_cut_off(service):
    before = open_files(service.process.pid)
    with service.connect() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.settimeout(1)
        try:
            for _ in range(3000):
                opened.sendall(head("/openapi.json", method="GET"))
        except (TimeoutError, ConnectionError):
            pass
        until(lambda: open_files(service.process.pid) <= before)


def test_idle_and_stalled_connections_make_room_for_others(trained, tmp_path, clips):
    """Files for 100 connections, three times as many that ask for nothing or stop half-way."""
    with ExitStack() as stack:
        service = stack.enter_context(running(trained, tmp_path, "--patience", "600", files=400))
        for number in range(150):
            stack.enter_context(service.connect(b"GET" if number % 2 else b""))
        with service.client() as client:
            assert client.post("/predict", content=clips[0].read_bytes(), headers=RAW).status_code == 200
        for _ in range(150):
            with suppress(ConnectionError):  # made room before it had sent anything
                stack.enter_context(service.connect(head("/predict", KIND, "Content-Length: 1000") + b"x"))
        content = clips[0].read_bytes()

        def answered() -> bool:
            with service.client() as client:
                return client.post("/predict", content=content, headers=RAW).status_code == 200

        until(answered)  # as soon as they have been silent for a second
        assert "Traceback" not in service.log.read_text()


@pytest.fixture
def narrow(trained, tmp_path, compressed):
    """A service with one worker and room for two that wait."""
    with running(trained, tmp_path, "--workers", "1", "--waiting", "2") as found:
        with found.client() as client:
            assert client.post("/predict", content=compressed, headers={"Content-Type": "audio/ogg"}).status_code == 200
        yield found


def test_beyond_the_queue_is_429_at_once_and_who_hangs_up_makes_room(narrow, compressed):
    asked = head("/predict", "Content-Type: audio/ogg", f"Content-Length: {len(compressed)}") + compressed
    with halted(narrow):
        first = narrow.connect(asked)
        until(lambda: narrow.metric("ser_workers_busy") == 1)
        waiting = [narrow.connect(asked) for _ in range(2)]
        until(lambda: narrow.metric("ser_queue_length") == 2)
        with narrow.connect(
            head("/predict", "Content-Type: audio/ogg", f"Content-Length: {len(compressed)}")
        ) as opened:
            refusal = opened.recv(1000)  # before the body is sent
            assert refusal.startswith(b"HTTP/1.1 429 ") and b"retry-after: " in refusal.lower()
        waiting.pop().close()
        until(lambda: narrow.metric("ser_queue_length") == 1)
        waiting.append(narrow.connect(asked))
        until(lambda: narrow.metric("ser_queue_length") == 2)
    for each in (first, *waiting):
        with each:
            assert each.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_many_at_once_are_all_answered_or_refused(narrow, clips):
    content = clips[0].read_bytes()

    def ask(_: int) -> int:
        with narrow.client() as client:
            return client.post("/predict", content=content, headers=RAW).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = [*pool.map(ask, range(48))]
    assert {*statuses} <= {200, 429} and statuses.count(200) >= 3
