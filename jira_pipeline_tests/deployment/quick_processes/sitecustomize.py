"""What every Python executes first that starts with this directory on its PYTHONPATH, so that Dagster's processes take
less time. Once it imports Dagster's storages, it keeps their connections (see
`jira_pipeline_tests.dagster_connections`). Where TESTS_FORK_RUNS is set, a code server forks the processes of runs from
one that has imported Dagster already, instead of starting each from the beginning."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType


def _keep_connections(storages: ModuleType) -> None:
    from jira_pipeline_tests.dagster_connections import engine_of, read_migrations_once

    vars(storages)["create_engine"] = engine_of
    read_migrations_once()


def _fork_runs(server: ModuleType) -> None:
    import multiprocessing

    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["before_runs"])
    start = server.DagsterApiServer.__init__

    def start_and_fork(self: object, *arguments: object, **named: object) -> None:
        start(self, *arguments, **named)
        assert vars(self)["_mp_ctx"].get_start_method() == "spawn"
        vars(self)["_mp_ctx"] = forking

    server.DagsterApiServer.__init__ = start_and_fork


# The module that the storages, of SQLite and of PostgreSQL, import what makes engines from; that of code servers.
_CHANGED = {"dagster._core.storage.sql": _keep_connections}
if "TESTS_FORK_RUNS" in os.environ:
    _CHANGED["dagster._grpc.server"] = _fork_runs


class _Changing:
    """Finds the modules as everybody else does, and changes them as soon as they are there: Dagster is not imported for
    it, because many processes need none."""

    def __init__(self, changed: dict[str, Callable[[ModuleType], None]]) -> None:
        self._changed = changed

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if (change := self._changed.pop(name, None)) is None:
            return None
        spec = find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            change(module)

        vars(spec.loader)["exec_module"] = execute_and_change
        return spec


sys.meta_path.insert(0, _Changing(_CHANGED))
