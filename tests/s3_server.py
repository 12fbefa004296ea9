"""An S3 on 127.0.0.1 for the tests: moto's, which can go away in the middle and come back, and asks who one is.

moto keeps the buckets in this process, whether the server is there or not.
"""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import boto3
from botocore.config import Config
from moto.core.authorization import disable_iam_authentication, enable_iam_authentication
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

ANYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


class Handler(MotoRequestHandler):
    """moto's, which keeps a connection as S3 does and prints nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *arguments) -> None:
        pass


class S3Server:
    """A server at `address`.

    Attributes
    ----------
    requests : list of tuple of str, str
        Method and path of what was answered.
    cut : tuple of str and int, or None
        Method, and how many requests of it are answered. Half the body of the one after them comes through, then the
        server is gone, as by `leave`.
    key : tuple of str, str
        The user's access key id and secret.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.cut: tuple[str, int] | None = None
        self.key = ("", "")
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock, self._server, self._port = threading.Lock(), None, 0
        self.come_back()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def come_back(self) -> None:
        """Be there, at the same address as before."""
        if self._server is not None:
            return
        self._server = make_server("127.0.0.1", self._port, self._answer, threaded=True, request_handler=Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def leave(self) -> None:
        """Take no connection any more, and answer nothing on those that are open."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def client(self, service: str, *key: str):
        """Return boto3's client of a service of AWS here; by default with the user's key."""
        name, secret = key or self.key
        return boto3.client(
            service,
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id=name,
            aws_secret_access_key=secret,
            config=Config(proxies={}),
        )

    def paths(self, method: str) -> list[str]:
        """Return the paths of what was asked by a method."""
        return [path for asked, path in self.requests if asked == method]

    def _answer(self, environ: dict, start_response) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        with self._lock:
            gone, last = self._server is None, self.cut == (method, 0)
            if last:
                self.cut = None
            elif not gone and self.cut is not None and self.cut[0] == method:
                self.cut = (method, self.cut[1] - 1)
            if not (gone or last):
                self.requests.append((method, environ["PATH_INFO"]))
        if not (gone or last):
            return self._moto(environ, start_response)
        return self._break_off(environ, start_response, last)

    def _break_off(self, environ: dict, start_response, last: bool) -> Iterator[bytes]:
        """Leave with half a body of the last request, of what comes or of what goes."""
        if last:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0) // 2)
            if environ["REQUEST_METHOD"] == "GET":
                body = b"".join(self._moto(environ, start_response))
                yield body[: len(body) // 2]
            self.leave()
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError  # which werkzeug takes as a client that is gone
        yield  # a generator in any case


@contextmanager
def serving_s3(bucket: str) -> Iterator[S3Server]:
    """Yield a server with one empty bucket and one user; whoever is not that user is refused."""
    server = S3Server()
    try:
        with disable_iam_authentication():
            server.client("s3", "any", "any").create_bucket(Bucket=bucket)
            iam = server.client("iam", "any", "any")
            iam.create_user(UserName="someone")
            iam.put_user_policy(UserName="someone", PolicyName="anything", PolicyDocument=ANYTHING)
            key = iam.create_access_key(UserName="someone")["AccessKey"]
        server.key = (key["AccessKeyId"], key["SecretAccessKey"])
        server.requests.clear()
        with enable_iam_authentication():
            yield server
    finally:
        server.leave()
