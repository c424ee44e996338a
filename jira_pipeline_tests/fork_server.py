"""Programs in processes of their own that have imported Dagster already, which takes longer than most of them.

One process imports what takes long, and forks each program from there. A program is a process like any other: it has
its own environment, working directory, standard streams and exit code, and it may be killed. All keep their connections
to Dagster's SQLite files.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jira_pipeline_tests.before_forking import prepare

_REPOSITORY = Path(__file__).resolve().parents[1]
_TOLD = 20  # bytes of a process id or an exit code on the pipe, padded


class ForkServer:
    """The process that forks; stopped by `stop`, or when this process ends."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=_REPOSITORY,
                # Threads do not survive a fork.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
            )

    def start(self, program: str, *arguments: str, cwd: Path, env: Mapping[str, str]) -> ForkedProcess:
        """Start a program, which is Python source, as `python -c` would."""
        return ForkedProcess(self._requests, [program, [*arguments], str(cwd), dict(env)])

    def stop(self) -> None:
        """End it. Programs that it has started go on."""
        self._requests.close()
        self._process.wait(30)


class ForkedProcess:
    """A program that has been started: the part of `subprocess.Popen` that tests need. `returncode` is known once it
    has been waited for, and negative for a signal."""

    def __init__(self, requests: socket.socket, request: Sequence[Any]) -> None:
        self.returncode: int | None = None
        reading, writing = os.pipe()
        self._status, status = os.pipe()
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 read and closed by communicate()
        with open(os.devnull) as nothing:
            streams = [nothing.fileno(), writing, self._stderr.fileno(), status]
            socket.send_fds(requests, [json.dumps(request).encode() + b"\n"], streams)
        for descriptor in (writing, status):
            os.close(descriptor)
        self.stdout = os.fdopen(reading)
        self.pid = int(self._told())

    def kill(self) -> None:
        """As `kill -9` does it."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float = 600) -> int:
        """Its exit code, once it has ended. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a forked program", timeout)
            self.returncode = int(self._told())
            os.close(self._status)
        return self.returncode

    def communicate(self, timeout: float = 600) -> tuple[str, str]:
        """What it has printed and what it has said on stderr, once it has ended, which it is made to after so many
        seconds."""
        too_long = threading.Timer(timeout, self.kill)
        too_long.start()
        try:
            with self.stdout, self._stderr:
                printed = self.stdout.read()
                self.wait()
                self._stderr.seek(0)
                return printed, self._stderr.read()
        finally:
            too_long.cancel()

    def _told(self) -> bytes:
        told = os.read(self._status, _TOLD)
        assert told, "the fork server is gone"
        return told


def _next_program(requests: socket.socket) -> str | None:
    """In the process that forks: None, when nobody is there any more. In each that is forked: what it is to execute."""
    watching: set[int] = set()
    while True:
        watching -= {pid for pid in watching if os.waitpid(pid, os.WNOHANG)[0]}
        received, streams, *_ = socket.recv_fds(requests, 1 << 16, 4)
        if not received:
            return None
        while not received.endswith(b"\n"):
            received += requests.recv(1 << 16)
        if (pid := os.fork()) == 0:
            requests.close()
            return _watched(json.loads(received), streams)
        watching.add(pid)
        for stream in streams:
            os.close(stream)


def _watched(request: Sequence[Any], streams: Sequence[int]) -> str:
    """Fork once more: the one waits for the other and tells how it has ended, the other returns what to execute."""
    program, arguments, directory, environment = request
    if child := os.fork():
        for stream in streams[:3]:
            os.close(stream)
        os.write(streams[3], b"%*d" % (_TOLD, child))
        _, status = os.waitpid(child, 0)
        os.write(streams[3], b"%*d" % (_TOLD, os.waitstatus_to_exitcode(status)))
        os._exit(0)
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = ["-c", *arguments]
    return str(program)


def _serve(requests: socket.socket) -> str | None:
    prepare()
    return _next_program(requests)


if __name__ == "__main__":
    # Executed here and not in a function of its own, so that it ends as a program does: with its exit code, its
    # traceback, and after its threads.
    if (_program := _serve(socket.socket(fileno=int(sys.argv[1])))) is not None:
        exec(compile(_program, "<string>", "exec"), {"__name__": "__main__"})
