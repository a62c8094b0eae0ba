"""The budgets of the house: small files, short functions, flat classes, everything described."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

from tests.house.source import FILES, ROOT, classes, code_lines, functions, name, public, tree

MAX_FILE_LINES = 400
MEDIAN_FILE_LINES = 160
MAX_FUNCTION_LINES = 50
MAX_ARGUMENTS = 8
MAX_CLASS_CHAIN = 2


def test_files_are_short() -> None:
    paths = [*FILES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {path: length for path, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_the_median_file_is_short() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in FILES]
    assert statistics.median(length for length in lengths if length > 10) <= MEDIAN_FILE_LINES


def test_functions_are_short() -> None:
    long = {f"{name(path, node)} {node.name}": code_lines(node) for path, node in functions()}
    assert {key: lines for key, lines in long.items() if lines > MAX_FUNCTION_LINES} == {}


def test_functions_take_few_arguments() -> None:
    many = {}
    for path, node in functions():
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        count = sum(argument.arg not in ("self", "cls") for argument in arguments)
        if count > MAX_ARGUMENTS and not is_constructor_of_verb(path):
            many[f"{name(path, node)} {node.name}"] = count
    assert many == {}


def is_constructor_of_verb(path: Path) -> bool:
    """A verb of the command line has one argument an option; that is what options are."""
    return path.parent.name == "cli"


def test_public_functions_take_no_bags_of_arguments() -> None:
    bags = [
        f"{name(path, node)} {node.name}"
        for path in FILES
        for node in public(tree(path).body)
        if not isinstance(node, ast.ClassDef) and node.args.kwarg is not None
    ]
    assert bags == []


def test_everything_public_is_described() -> None:
    bare = [name(path) for path in FILES if not ast.get_docstring(tree(path))]
    for path in FILES:
        for node in public(tree(path).body):
            if not ast.get_docstring(node) and not overloaded(node):
                bare.append(f"{name(path, node)} {node.name}")
    assert bare == []


def overloaded(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in decorators)


def test_class_chains_are_flat() -> None:
    bases = {node.name: [ast.unparse(base).split(".")[-1] for base in node.bases] for _, node in classes()}

    def depth(name: str) -> int:
        return 1 + max((depth(base) for base in bases.get(name, []) if base in bases), default=0)

    assert {name: depth(name) for name in bases if depth(name) > MAX_CLASS_CHAIN} == {}


def test_nothing_is_left_to_do() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")
    assert [
        name(path) for path in FILES if any(mark in path.read_text(encoding="utf-8") for mark in marks)
    ] == []


def test_the_measure_of_functions_itself() -> None:
    source = '''
def f(
    a,
    b,
):
    """Described

    at length.
    """
    # a remark

    x = [
        a,
        b,
    ]
    return x
'''
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert code_lines(function) == 3 + 4 + 1
