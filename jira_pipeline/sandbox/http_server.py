"""A small HTTP/1.1 server with keep-alive, whose answers can also go wrong on the wire.

The standard library's server parses headers through the e-mail package and offers no way to reset a connection or to
stop in the middle of a body, both of which clients of Jira have to survive.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

WireFault = Literal["reset_before_headers", "reset_after_headers", "cut_body", "hang"]

_MAX_HEAD = 64 * 1024
_GZIP_MINIMUM = 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are in lower case; `path` is decoded and without its query."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def parameter(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not."""
        return json.loads(self.body)


@dataclass
class Response:
    """One HTTP answer; `wire` makes it go wrong on its way, `hang_seconds` is how long a hanging one is silent."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
    wire: WireFault | None = None
    hang_seconds: float = 0.0


class HttpServer:
    """Serves `answer(request)` on a port of the loopback interface, a thread a connection."""

    def __init__(self, answer: Callable[[Request], Response], host: str, port: int, compress: bool = False) -> None:
        self._answer = answer
        self._compress = compress
        self._listener = socket.create_server((host, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._stopped = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="sandbox-accept", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="sandbox-connection", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb", buffering=256 * 1024) as stream:
                while not self._stopped.is_set():
                    request = _read_request(stream)
                    if request is None or not self._send(connection, request, self._answer(request)):
                        return
        except OSError:
            return  # the client went away
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _send(self, connection: socket.socket, request: Request, response: Response) -> bool:
        """Send an answer; whether the connection goes on."""
        if response.wire == "hang":
            self._stopped.wait(response.hang_seconds)
            return False
        if response.wire == "reset_before_headers":
            _reset(connection)
            return False
        body = response.body
        encoding = ""
        if self._compress and len(body) >= _GZIP_MINIMUM and "gzip" in request.headers.get("accept-encoding", ""):
            body = gzip.compress(body, compresslevel=1, mtime=0)
            encoding = "Content-Encoding: gzip\r\n"
        closes = request.headers.get("connection", "").lower() == "close"
        extra = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
        head = (
            f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}\r\n"
            f"Content-Type: {response.content_type}\r\nContent-Length: {len(body)}\r\n{encoding}{extra}"
            f"Connection: {'close' if closes else 'keep-alive'}\r\n\r\n"
        ).encode("latin-1")
        if response.wire == "reset_after_headers":
            connection.sendall(head)
            _reset(connection)
            return False
        if response.wire == "cut_body":
            connection.sendall(head + body[: len(body) // 2])
            return False
        if request.method == "HEAD" or not body:
            connection.sendall(head)
        elif len(body) < 65536:
            connection.sendall(head + body)
        else:
            connection.sendall(head)
            connection.sendall(body)
        return not closes


def _reset(connection: socket.socket) -> None:
    """Close with a TCP reset instead of an orderly end. Shutting down first would send the orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _read_request(stream: Any) -> Request | None:
    """The next request of a connection; None at its end, or when what comes is not HTTP."""
    words = stream.readline(_MAX_HEAD).decode("latin-1").split()
    if len(words) != 3:
        return None
    method, target, _ = words
    headers: dict[str, str] = {}
    while (line := stream.readline(_MAX_HEAD)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not length.isdigit():
        return None
    body = stream.read(int(length))
    path, _, query = target.partition("?")
    return Request(method, unquote(path), parse_qs(query, keep_blank_values=True), headers, body)
