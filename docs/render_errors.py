"""Writes docs/errors.md from the source: every sentence that an error of this project may say to a person.

python docs/render_errors.py > docs/errors.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "jira_pipeline"
HEAD = """# Errors

Every sentence with which a command, a run or a project's sync may end, by the module that says it.
A `<word>` is filled in.
What is said about the settings file is in [configuration.md](configuration.md#what-is-told-about-wrong-settings).
Made by `python docs/render_errors.py > docs/errors.md`.
"""


@dataclass(frozen=True, order=True)
class Message:
    """A sentence, the error that carries it, and the module that says it. Without a text, `source` is the expression
    that makes it."""

    module: str
    text: str
    error: str
    source: str = ""


def messages() -> list[Message]:
    """Every message of an error that a person is meant to read, once a module."""
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    kinds = _kinds_of_error(list(modules.values()))
    functions = {
        node.name: node
        for tree in modules.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found: set[Message] = set()
    for path, tree in modules.items():
        module = path.relative_to(PACKAGE).with_suffix("").as_posix()
        for scope in ast.walk(tree):
            if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for call in ast.walk(scope):
                if isinstance(call, ast.Call) and call.args and (kind := _name(call.func)) in kinds:
                    texts = sorted(_texts(call.args[0], scope, functions))
                    found.update(Message(module, text, kind) for text in texts)
                    if not texts:
                        found.add(Message(module, "", kind, ast.unparse(call.args[0])))
    return sorted(found)


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    module = ""
    for message in messages():
        if not message.text:
            continue
        if message.module != module:
            module = message.module
            parts.append(f"\n## {module}\n\n")
        parts.append(f"- {message.text}\n")
    return "".join(parts)


def _kinds_of_error(trees: list[ast.Module]) -> set[str]:
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    kinds = {"PipelineError"}
    while True:
        more = {node.name for node in classes if any(_name(base) in kinds for base in node.bases)} - kinds
        if not more:
            return kinds
        kinds |= more


def _name(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def _texts(
    value: ast.expr, scope: ast.AST, functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
) -> Iterator[str]:
    """What an expression may be: a text itself, what a variable of the function was given, or what a function or
    property of the package returns."""
    if (text := _template(value)) is not None:
        yield text
    elif isinstance(value, ast.Name):
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and any(_name(target) == value.id for target in node.targets):
                text = _template(node.value)
                if text is not None:
                    yield text
    else:
        made_by = functions.get(_name(value.func) if isinstance(value, ast.Call) else _name(value))
        for node in ast.walk(made_by) if made_by else ():
            if isinstance(node, ast.Return) and node.value is not None:
                text = _template(node.value)
                if text is not None:
                    yield text


def _template(value: ast.expr) -> str | None:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else f"<{_placeholder(part)}>" for part in value.values
        )
    return None


def _placeholder(part: ast.expr) -> str:
    """The name of what is filled in: the outermost one of the expression that is not a function's."""
    methods = {id(node.func) for node in ast.walk(part) if isinstance(node, ast.Call)}
    names = [
        _name(node) for node in ast.walk(part) if isinstance(node, ast.Attribute | ast.Name) and id(node) not in methods
    ]
    return next((name.strip("_").lower() for name in names), "…")


if __name__ == "__main__":
    print(render(), end="")
