"""Servers on this machine that take what alerts send."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """An address for Slack's messages, and what has been posted there. `status` is what it answers."""

    url: str = ""
    status: int = 200
    bodies: list[Any] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The messages."""
        return [body["text"] for body in self.bodies]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A webhook that answers until the end of the block."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if hook.status < 300:
                assert self.headers["Content-Type"] == "application/json"
                hook.bodies.append(body)
            self.send_response(hook.status)
            if 300 <= hook.status < 400:
                self.send_header("Location", f"{hook.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            hook.bodies.append({"text": f"GET {self.path}"})
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_port}/services/s3cr3t"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield hook
        server.shutdown()


@dataclass
class MailServer:
    """A mail server without TLS, the mails it took, and every line it was sent."""

    port: int = 0
    mails: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server that takes everything until the end of the block (the commands of RFC 5321 that smtplib sends)."""
    sink = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 sink\r\n")
            while line := self.rfile.readline().decode().strip():
                sink.lines.append(line)
                if line.upper() == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mail = []
                    while (part := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                        mail.append(part)
                    sink.mails.append("\n".join(mail))
                self.wfile.write(b"221 bye\r\n" if line.lower() == "quit" else b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        sink.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield sink
        server.shutdown()
