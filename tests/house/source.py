"""The source of the package as syntax trees, for the tests of the house."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "thence"
FILES = sorted(PACKAGE.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name(path: Path, node: ast.AST | None = None) -> str:
    line = f":{node.lineno}" if isinstance(node, ast.stmt | ast.expr) else ""
    return f"{path.relative_to(ROOT)}{line}"


def functions() -> Iterator[tuple[Path, Function]]:
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                yield path, node


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                yield path, node


def public(body: list[ast.stmt]) -> Iterator[ast.ClassDef | Function]:
    """Public functions and classes of a module or class, and the public methods of the classes."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def code_lines(function: Function) -> int:
    """Lines of a function from its ``def`` to its end, without its docstring, empty lines and comments."""
    first = function.body[0]
    described = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = set(range(first.lineno, (first.end_lineno or 0) + 1)) if described else set()
    return sum(1 for line in _written(function) if line not in docstring)


def _written(function: Function) -> set[int]:
    """Lines on which something stands."""
    lines = set()
    for node in ast.walk(function):
        if isinstance(node, ast.stmt | ast.expr | ast.arg):
            lines |= {node.lineno, node.end_lineno or node.lineno}
    return lines


def imported(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    """Modules that a file imports, anywhere in it, as dotted names with the imported name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def called(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Dotted names of what a file calls."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node
