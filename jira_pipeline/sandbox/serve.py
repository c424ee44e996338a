"""Serving a site until interrupted, for people at a terminal."""

from __future__ import annotations

import threading

from ..errors import SettingsError
from .model import Flavour, SiteData
from .sandbox import Sandbox


def serve(site: SiteData, flavour: Flavour | None = None, port: int = 8080, latency_seconds: float = 0.0) -> None:
    """Serve a site until Ctrl-C, after printing its address and the environment variables that a client needs.

    Raises SettingsError when the port is taken.
    """
    try:
        sandbox = Sandbox(site, flavour, port=port, latency_seconds=latency_seconds)
    except OSError as error:
        raise SettingsError(f"Port {port} cannot be opened ({error.strerror}); choose another with --port.") from error
    with sandbox:
        print(f"Jira sandbox ({sandbox.flavour}, {len(site.issues)} issues) at {sandbox.url}. Stop it with Ctrl-C.")
        for name, value in sandbox.credentials.items():
            print(f"export {name}={value}")
        print(f"Changes by hand: curl {sandbox.url}/sandbox/help", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("\nStopped.")
