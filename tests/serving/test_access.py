"""Who may use the service: this machine alone, or who knows the token; never a page of another origin."""

import subprocess
import sys

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from conftest import environment
from running_service import head, running

SECRET = "0123456789abcdef-._~"
BEARER = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture(scope="module")
def guarded(trained, tmp_path_factory):
    """A service that others could reach, if they knew the token."""
    with running(trained, tmp_path_factory.mktemp("guarded"), "--host", "0.0.0.0", token=SECRET) as found:
        yield found


def websocket_status(service, **options) -> int:
    try:
        with connect(service.address.replace("http", "ws") + "/live", **options):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:9", "[::1]:8000"])
def test_names_of_this_machine_are_answered(service, host):
    with service.client() as client:
        assert client.get("/model", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8000", "", "[", "10.0.0.1"]
)
def test_a_name_that_anybody_could_own_is_refused(service, host):
    sent = f"GET /model HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    assert service.ask(sent).startswith(b"HTTP/1.1 403 ")
    assert service.ask(b"GET /model HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1"])
def test_a_page_of_another_origin_is_refused(service, clips, origin):
    with service.client(headers={"Origin": origin}) as client:
        assert client.post("/predict", content=clips[0].read_bytes()).status_code == 403
        assert client.get("/model").status_code == 403
    assert websocket_status(service, origin=origin) == 403


def test_the_page_itself_is_let_in(service, clips):
    with service.client(headers={"Origin": service.address}) as client:
        answer = client.post("/predict", content=clips[0].read_bytes(), headers={"Content-Type": "audio/wav"})
        assert answer.status_code == 200
        assert not [key for key in answer.headers if key.startswith("access-control")]
    assert websocket_status(service, origin=service.address) == 101


@pytest.mark.parametrize("path", ["/", "/health", "/model", "/missing"])
def test_every_answer_carries_what_keeps_a_browser_safe(service, path):
    with service.client() as client:
        headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "http" not in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path == "/" else "no-store")
    assert headers["permissions-policy"].startswith("microphone=(self)")
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/openapi.json"])
def test_what_is_nobodys_needs_no_token(guarded, path):
    with guarded.client() as client:
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("given", [None, "", SECRET, "Bearer", f"Bearer {SECRET[:-1]}", f"Basic {SECRET}"])
@pytest.mark.parametrize("path", ["/model", "/metrics", "/missing"])
def test_without_the_token_there_is_nothing(guarded, given, path):
    with guarded.client(headers={} if given is None else {"Authorization": given}) as client:
        refused = client.get(path)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert client.post("/predict", content=b"x").status_code == 401


def test_with_the_token_there_is_all_under_any_name(guarded, clips):
    with guarded.client(headers={**BEARER, "Host": "speech.example"}) as client:
        assert client.get("/model").status_code == 200
        content, kind = clips[0].read_bytes(), {"Content-Type": "audio/wav"}
        assert client.post("/predict", content=content, headers=kind).status_code == 200
        evil = {**kind, "Origin": "http://evil.example"}
        assert client.post("/predict", content=content, headers=evil).status_code == 403


def test_a_websocket_brings_the_token_as_a_subprotocol(guarded):
    with connect(guarded.address.replace("http", "ws") + "/live", subprotocols=["ser", f"token.{SECRET}"]) as opened:
        assert opened.subprotocol == "ser"
    assert websocket_status(guarded) == 401
    assert websocket_status(guarded, subprotocols=["ser", "token.wrong", f"{SECRET}"]) == 401
    assert websocket_status(guarded, additional_headers=BEARER) == 101


def test_a_body_is_not_read_without_the_token(guarded):
    with guarded.connect(head("/predict", "Content-Length: 1000", "Content-Type: audio/wav")) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 401 ")


def test_the_token_stands_nowhere(guarded):
    assert SECRET not in guarded.log.read_text()
    with guarded.client(headers=BEARER) as client:
        assert SECRET not in client.get("/metrics").text
        assert SECRET not in client.get("/openapi.json").text


@pytest.mark.parametrize(
    ("options", "token", "reason"),
    [
        (["--host", "0.0.0.0"], "", "error: at 0.0.0.0 others could use the service: set SER_TOKEN"),
        (["--host", "0.0.0.0"], "short", "error: SER_TOKEN is wanted with at least 16 characters"),
        ([], "with a space in it, and long", "error: SER_TOKEN is wanted"),
        (["--host", "no.such.host.invalid"], SECRET, "error: cannot listen at no.such.host.invalid"),
        (["--host", "192.0.2.1"], SECRET, "error: cannot listen at 192.0.2.1"),
    ],
)
def test_what_is_not_safe_or_not_possible_is_one_line(trained, options, token, reason):
    command = [sys.executable, "-m", "ser.commands", "serve", "--model", "svm_rbf", "--port", "0", *options]
    own = environment() | {"SER_TOKEN": token}
    run = subprocess.run(command, cwd=trained, env=own, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith(reason)
    assert not token or token not in run.stderr
    assert "Traceback" not in run.stderr and run.stdout == ""
