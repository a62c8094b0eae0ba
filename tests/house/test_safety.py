"""No code from data: nothing in the package runs what a file holds, or prints and exits by itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.house.source import FILES, PACKAGE, called, imported, name, tree

FORBIDDEN_MODULES = ("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle", "telnetlib")
FORBIDDEN_CALLS = (
    "eval",
    "exec",
    "compile",
    "__import__",
    "torch.load",
    "torch.save",
    "torch.jit.load",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "pd.read_pickle",
    "pandas.read_pickle",
    "os.system",
    "os.popen",
    "np.random.seed",
    "torch.manual_seed",
    "random.seed",
)
WITH_A_GENERATOR_OF_ITS_OWN = ("np.random.default_rng", "np.random.Generator")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_runs_code_from_data(path: Path) -> None:
    modules = [module for module, _ in imported(path) if module.split(".")[0] in FORBIDDEN_MODULES]
    calls = [f"{name(path, node)} {call}" for call, node in called(path) if call in FORBIDDEN_CALLS]
    assert modules == [] and calls == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_pickles_are_never_allowed(path: Path) -> None:
    for call, node in called(path):
        allowed = {word.arg: word.value for word in node.keywords}.get("allow_pickle")
        assert allowed is None or (isinstance(allowed, ast.Constant) and allowed.value is False), name(
            path, node
        )
        if call in ("np.load", "numpy.load"):
            assert allowed is not None, f"{name(path, node)}: say allow_pickle=False"
        if call.endswith("subprocess.run"):
            assert "shell" not in {word.arg for word in node.keywords}, name(path, node)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if path.is_relative_to(PACKAGE / "cli"):
        return
    loud = ("print", "sys.exit", "exit", "quit", "os._exit", "sys.stdout.write", "warnings.simplefilter")
    assert [f"{name(path, node)} {call}" for call, node in called(path) if call in loud] == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_random_numbers_come_from_named_generators(path: Path) -> None:
    if path == PACKAGE / "base" / "rng.py":
        return
    loose = [
        f"{name(path, node)} {call}"
        for call, node in called(path)
        if call.startswith(("np.random.", "numpy.random.", "random."))
        and call not in WITH_A_GENERATOR_OF_ITS_OWN
    ]
    assert loose == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_asserts_only_tell_the_type_checker_what_is_known(path: Path) -> None:
    """``assert isinstance(x, T)`` and ``assert x is not None`` narrow a type; faults of users are raised."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Assert):
            assert _narrows(node.test), f"{name(path, node)}: raise an error that says what to do"


def _narrows(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp):
        return all(_narrows(part) for part in test.values)
    if isinstance(test, ast.Call):
        return ast.unparse(test.func) == "isinstance"
    return isinstance(test, ast.Compare) and [type(operator) for operator in test.ops] == [ast.IsNot]
