"""docs/tables.md says what the tables say of themselves, and every table and column says something."""

from __future__ import annotations

import importlib.util
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def rendered() -> str:
    script = REPOSITORY / "docs" / "render_tables.py"
    spec = importlib.util.spec_from_file_location("render_tables", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.render())


def test_the_table_reference_is_that_of_the_tables() -> None:
    assert (REPOSITORY / "docs" / "tables.md").read_text(encoding="utf-8") == rendered(), (
        "run: python docs/render_tables.py > docs/tables.md"
    )


def test_every_table_and_every_column_is_explained() -> None:
    page = rendered()
    assert page.count("\n## ") >= 14
    unexplained = [line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert unexplained == []
    assert "\n\n\n| column" not in page
