"""What every Python executes first that starts with this directory on its PYTHONPATH: once it imports Dagster's
storages, it keeps their connections (see `jira_pipeline_tests.dagster_connections`)."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

_MAKES_ENGINES = "dagster._core.storage.sql"  # the storages, of SQLite and of PostgreSQL, import it from there


class _Keeping:
    """Finds the module as everybody else does, and changes it as soon as it is there: Dagster is not imported for it,
    because many processes need none."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != _MAKES_ENGINES:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            from jira_pipeline_tests.dagster_connections import engine_of

            vars(module)["create_engine"] = engine_of

        vars(spec.loader)["exec_module"] = execute_and_change
        return spec


sys.meta_path.insert(0, _Keeping())
