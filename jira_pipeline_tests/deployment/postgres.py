"""A PostgreSQL server of one's own, from the distribution's binaries, thrown away afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .processes import eventually, free_port

PASSWORD = "of a throw-away server"


def binaries() -> Path | None:
    """The directory of an installed server's programs, if there is one."""
    on_path = [Path(program).resolve().parent for program in (shutil.which("initdb"),) if program]
    # Debian and Ubuntu keep the server outside of the path.
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((path for path in (*on_path, *packaged) if (path / "postgres").exists()), None)


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: the user to run it as instead."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def postgres_server(programs: Path) -> Iterator[Mapping[str, str]]:
    """A server with an empty database; gives the variables that deploy/postgres/dagster.yaml reads."""
    user = _unprivileged()
    port = str(free_port())
    # Not below pytest's own, which only its user may enter.
    directory = Path(tempfile.mkdtemp(prefix="jira_pipeline_postgres_", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    try:
        if user:
            os.chown(directory, user["user"], user["group"])
        password = directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        data = directory / "data"
        subprocess.run(
            [
                *(programs / "initdb", "--pgdata", data, "--username", "dagster", "--pwfile", password),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=directory,
            **user,
        )
        with (directory / "output").open("wb") as output:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", port, "-k", directory, "-F"],
                cwd=directory,
                stdout=output,
                stderr=output,
                **user,
            )
        try:
            eventually(
                lambda: (
                    subprocess.run(
                        [
                            programs / "pg_isready",
                            "-q",
                            "-h",
                            "127.0.0.1",
                            "-p",
                            port,
                            "-U",
                            "dagster",
                            "-d",
                            "postgres",
                        ],
                        cwd=directory,
                    ).returncode
                    == 0
                ),
                seconds=30,
            )
            yield {
                "DAGSTER_POSTGRES_HOST": "127.0.0.1",
                "DAGSTER_POSTGRES_PORT": port,
                "DAGSTER_POSTGRES_USER": "dagster",
                "DAGSTER_POSTGRES_PASSWORD": PASSWORD,
                "DAGSTER_POSTGRES_DB": "postgres",
            }
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(directory)
